"""Templates of our rooms: a fact that is missing is an error, never an empty text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(room: str, *, autoescape: bool = False, trim: bool = True) -> Environment:
    """The templates of a room.

    Args:
        room: The package whose folder `templates` they are in.
        autoescape: Whether what they are given is text that must not become markup.
        trim: Whether a line that holds a block alone leaves no line behind.
    """
    return Environment(
        loader=PackageLoader(room),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=trim,
        lstrip_blocks=trim,
        keep_trailing_newline=True,
    )


def render(room: str, template: str, facts: Mapping[str, Any], *, trim: bool = True) -> str:
    """The text of a template of a room."""
    return environment(room, trim=trim).get_template(template).render(facts)
