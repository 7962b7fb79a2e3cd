"""Layer names as parts of C++ names: hls4ml writes them into types, variables and files as they are."""

from __future__ import annotations

import re
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.network.graph import Network

_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_WRITTEN_BY_HLS4ML: Final = re.compile(r"((layer|config|w|b)[0-9]+(_|$)|(zp2d|clone)_).*|input|input_t|result_t")
"""How hls4ml names variables, types and layers of its own."""
_KEYWORD: Final = re.compile(
    r"alignas|alignof|and|and_eq|asm|auto|bitand|bitor|bool|break|case|catch|char|class|compl|concept|const|"
    r"consteval|constexpr|constinit|const_cast|continue|co_await|co_return|co_yield|decltype|default|delete|do|"
    r"double|dynamic_cast|else|enum|explicit|export|extern|false|float|for|friend|goto|if|inline|int|long|mutable|"
    r"namespace|new|noexcept|not|not_eq|nullptr|operator|or|or_eq|private|protected|public|register|"
    r"reinterpret_cast|requires|return|short|signed|sizeof|static|static_assert|static_cast|struct|switch|"
    r"template|this|thread_local|throw|true|try|typedef|typeid|typename|union|unsigned|using|virtual|void|"
    r"volatile|wchar_t|while|xor|xor_eq|nnet|std"
)
"""The keywords of C++20 (ISO/IEC 14882:2020, table 5), and the namespaces that generated code uses."""


def check_names(network: Network) -> None:
    """Refuses layers whose names could not stand, or could not stand beside each other, in C++ and in files.

    Raises:
        UserError: Naming the layer.
    """
    seen: dict[str, str] = {}
    for node in network.nodes:
        name = node.name
        if not _IDENTIFIER.fullmatch(name) or _KEYWORD.fullmatch(name):
            raise UserError(
                f"layer '{name}' has a name that C++ does not allow",
                "Rename it: a letter, then letters, digits and underscores, and no keyword",
            )
        if _WRITTEN_BY_HLS4ML.fullmatch(name):
            raise UserError(f"layer '{name}' has a name that hls4ml gives to variables of its own", "Rename it")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise UserError(
                f"layers '{other}' and '{name}' differ in upper and lower case alone, and name the same file on some "
                "systems",
                "Rename one of them",
            )
