"""The two compiled physics packages, imported only when events are really generated."""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType

from trigger_ad.errors import UserError

PACKAGES = ("pythia8mc", "fastjet")


def load(name: str) -> ModuleType:
    """Imports one of `PACKAGES`.

    Raises:
        UserError: The package is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"simulating events needs the package {name}, which cannot be imported ({error})",
            "Install it with: pip install 'trigger-ad[simulate]'",
        ) from error


def versions() -> dict[str, str]:
    """Versions of the packages that decide what is generated.

    Raises:
        UserError: A package is not installed.
    """
    for name in PACKAGES:
        load(name)
    return {name: metadata.version(name) for name in (*PACKAGES, "numpy")}
