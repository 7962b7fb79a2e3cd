"""Fills in the templates of the library's source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, facts: Mapping[str, Any]) -> str:
    """The text of a template of this room; a fact that is missing is an error, never an empty text."""
    environment = Environment(
        loader=PackageLoader("trigger_ad.native"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    return environment.get_template(template).render(facts)
