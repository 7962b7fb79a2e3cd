"""Writes the tables of docs/reference.md, every key that a file may have, from the models that read it.

    python docs/refresh_reference.py

Types and defaults are those of the models' JSON schema, meanings the docstrings of their attributes.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import yaml
from pages import ROOT, between
from value_types import Schema, sections_in, type_in_words

from trigger_ad.config import Config, Section
from trigger_ad.config.scan import ScanConfig

PAGE: Final = ROOT / "docs" / "reference.md"
FILES: Final[dict[str, type[Section]]] = {"The configuration of a run": Config, "A scan": ScanConfig}
"""The model of each kind of file, by the heading of its keys."""

Definitions = dict[str, Schema]


class Place(NamedTuple):
    """Where the keys of a section are told."""

    section: str
    """The name of its class."""
    path: str
    """Of the section in the file, empty for the file itself."""
    defaults: Schema | None
    """Of its keys, where the section that holds it sets them."""
    heading: str

    @property
    def link(self) -> str:
        """To its heading, which is its anchor in lower case and without signs."""
        words = self.heading.lower().replace(" ", "-")
        return f"[{self.heading}](#{''.join(sign for sign in words if sign.isalnum() or sign in '-_')})"


def told(place: Place) -> str:
    """What is equal for places that need to be told once."""
    return f"{place.section} {json.dumps(place.defaults)}"


def models(kind: type[Section] = Section) -> dict[str, type[Section]]:
    """The class of every section, by its name."""
    return {kind.__name__: kind} | {
        name: each for child in kind.__subclasses__() for name, each in models(child).items()
    }


def paragraphs(docstring: str | None) -> list[str]:
    """Each in one line."""
    return [" ".join(text.split()) for text in inspect.cleandoc(docstring or "").split("\n\n")]


def meanings(model: type[Section]) -> dict[str, str]:
    """What each key of a section means: the docstring below its attribute, in its class or one that this stems from."""
    found: dict[str, str] = {}
    for kind in reversed([kind for kind in model.__mro__ if issubclass(kind, Section)]):
        (definition,) = ast.parse(inspect.getsource(kind)).body
        assert isinstance(definition, ast.ClassDef)
        for attribute, after in pairwise(definition.body):
            if not (isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name)):
                continue
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found[attribute.target.id] = paragraphs(str(after.value.value))[0]
    return found


def keys_of(definitions: Definitions, place: Place) -> Iterator[tuple[str, Schema, Any]]:
    """The path, the schema and the default of each key of a section."""
    for name, schema in definitions[place.section]["properties"].items():
        yield f"{place.path}.{name}".removeprefix("."), schema, (place.defaults or {}).get(name, schema.get("default"))


def places_in(definitions: Definitions, path: str, schema: Schema, default: Any) -> Iterator[Place]:
    """Where the keys of the sections are told that a key may hold."""
    found = sections_in(schema)
    for section, after in found:
        kind = definitions[section]["properties"].get("architecture", {}).get("const") if found[1:] else None
        is_default = isinstance(default, dict) and not after and kind in (None, default.get("architecture"))
        heading = f"`{path}{after}`, `architecture: {kind}`" if kind else f"`{path}{after}`"
        yield Place(section, f"{path}{after}", default if is_default else None, heading)


def every_place(definitions: Definitions, place: Place, known: dict[str, Place]) -> dict[str, Place]:
    """The places of a section and of all in it, by what they tell."""
    if told(place) not in known:
        known[told(place)] = place
        for key in keys_of(definitions, place):
            for inner in places_in(definitions, *key):
                every_place(definitions, inner, known)
    return known


def table(definitions: Definitions, place: Place, known: dict[str, Place]) -> str:
    """The keys of a section."""
    classes = models()
    lines = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    required, said = definitions[place.section].get("required", ()), meanings(classes[place.section])
    for path, schema, default in keys_of(definitions, place):
        name = path.rpartition(".")[2]
        inner = list(places_in(definitions, path, schema, default))
        meaning = said.get(name) or next((paragraphs(classes[each.section].__doc__)[0] for each in inner), "")
        links = ", ".join(dict.fromkeys(known[told(each)].link for each in inner))
        cells = (
            f"`{path}`",
            type_in_words(schema),
            "–" if default is None and name in required else _shown(default, bool(inner)),
            f"{meaning} Keys: {links}." if links else meaning,
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _shown(default: Any, in_tables: bool) -> str:
    if isinstance(default, dict) and in_tables:
        return "" if default else "`{}`"
    text = yaml.safe_dump(_without_nulls(default), default_flow_style=True, width=10**6, sort_keys=False)
    return f"`{text.splitlines()[0]}`"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return value


def every_table() -> str:
    """Every key of every kind of file."""
    parts = []
    for title, model in FILES.items():
        schema = model.model_json_schema()
        definitions = {**schema.get("$defs", {}), model.__name__: schema}
        known = every_place(definitions, Place(model.__name__, "", None, title), {})
        for place in known.values():
            about = "\n\n".join(paragraphs(models()[place.section].__doc__))
            level = "###" if place.path else "##"
            parts.append(f"{level} {place.heading}\n\n{about}\n\n{table(definitions, place, known)}")
    return "\n".join(parts)


def with_tables(page: str) -> str:
    """The page with the keys of the models as they are."""
    return between(page, "keys", every_table())


def main() -> None:
    """Writes the page."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
