"""Reading a configuration or a scan file: YAML, and one clear line for everything in it that is not allowed."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from trigger_ad.config import ARCHITECTURES, PATTERNS, Config, ScanConfig
from trigger_ad.errors import UserError

_Model = TypeVar("_Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, and reads `1e-3` as the number it is in YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key}' stands twice in a mapping", node.start_mark
                )
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+"), list("-+0123456789")
)


def load_config(path: Path) -> Config:
    """Reads and checks a configuration file.

    Raises:
        UserError: If the file cannot be read, is not YAML, or says something that is not allowed; names the key.
    """
    return parsed_config(read_mapping(path), path)


def parsed_config(data: Mapping[str, Any], path: Path) -> Config:
    """Checks what a configuration file says.

    Args:
        data: What it says.
        path: The file, or whatever an error should name.

    Raises:
        UserError: If it says something that is not allowed; names the key.
    """
    return _checked(Config, data, path)


def load_scan(path: Path) -> ScanConfig:
    """Reads and checks a scan file.

    Raises:
        UserError: If the file cannot be read, is not YAML, or says something that is not allowed; names the key.
    """
    return _checked(ScanConfig, read_mapping(path), path)


def _checked(model: type[_Model], data: Mapping[str, Any], path: Path) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(
            f"{path}: {_first_problem(error)}", "Correct the key; docs/reference.md lists them all"
        ) from None


def read_mapping(path: Path) -> dict[str, Any]:
    """Reads a YAML file of keys and values.

    Raises:
        UserError: If the file cannot be read, or is not YAML, or holds something else.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist",
            "Name a configuration such as configs/student.yaml, or a run directory such as hls_projects/student",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error.__class__.__name__})", "Name a readable YAML file") from None
    except (yaml.YAMLError, ValueError) as error:
        # a ValueError comes from a date that does not exist
        raise UserError(f"{path} is not valid YAML: {_one_line(str(error))}", "Correct the file") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} holds no mapping of keys", "Start from configs/ffn.yaml") from None
    return data


def _first_problem(error: ValidationError) -> str:
    # events that are a mapping are not the word `sample` either, which says nothing
    details = [item for item in error.errors() if "literal['sample']" not in item["loc"]]
    first = next((item for item in details if item["type"] == "extra_forbidden"), details[0])
    # what pydantic adds of its own: the member of a union, and that a key, not its value, is meant
    added = ("EventsConfig", "[key]", *ARCHITECTURES)
    key = ".".join(str(part) for part in first["loc"] if part not in added)
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'"
    if first["type"] == "string_pattern_mismatch":
        return f"{key}: {first['input']!r} is not {PATTERNS[first['ctx']['pattern']]}"
    if first["type"] == "union_tag_invalid":
        return f"{key}.architecture: Input should be one of {', '.join(ARCHITECTURES)}, not {first['ctx']['tag']!r}"
    if first["type"] == "too_short":
        return f"{key}: has {first['ctx']['actual_length']} values; give at least {first['ctx']['min_length']}"
    given = first["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    message = first["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    if first["type"] in ("model_type", "dict_type"):
        message = "Input should be keys with their values"
    return f"{key}: {message}{shown}" if key else message


def _one_line(text: str) -> str:
    return " ".join(text.split())
