"""What a value in a file may be, in words, from the JSON schema of the models."""

from __future__ import annotations

from typing import Any, Final

from trigger_ad.config import PATTERNS

Schema = dict[str, Any]
_BOUNDS: Final = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_PLAIN: Final = {"string": "text", "boolean": "`true` or `false`", "null": "`null`"}


def type_in_words(schema: Schema) -> str:
    """Such as `integer ≥ 1` or `list of at least 1, each number > 0`."""
    words = _alternatives(schema)
    if "number" in words:
        words = [word for word in words if word != "integer"]
    # first, as what ends with the type of each of its values has no end
    return either(sorted(words, key=lambda word: word != _PLAIN["null"]))


def _alternatives(schema: Schema) -> list[str]:
    if "anyOf" in schema:
        return [words for part in schema["anyOf"] for words in _alternatives(part)]
    choices = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return [f"`{value}`" for value in choices] or [_plain(schema)]


def _plain(schema: Schema) -> str:
    if "$ref" in schema or "oneOf" in schema:
        return "mapping"
    kind = schema.get("type", "any value")
    if kind == "array":
        return _list(schema)
    if kind == "object":
        return _mapping(schema)
    if "pattern" in schema:
        return f"text: {PATTERNS[schema['pattern']]}"
    return f"{_PLAIN.get(kind, kind)} {_bounds(schema)}".rstrip()


def _bounds(schema: Schema) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f"from {schema['minimum']} to {schema['maximum']}"
    return " and ".join(f"{sign} {schema[word]}" for word, sign in _BOUNDS.items() if word in schema)


def either(words: list[str]) -> str:
    """A list of alternatives."""
    return f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else words[0]


def _list(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}, each {type_in_words(schema['prefixItems'][0])}"
    least = f" of at least {schema['minItems']}" if schema.get("minItems") else ""
    return f"list{least}, each {type_in_words(schema['items'])}"


def _mapping(schema: Schema) -> str:
    values = values_of(schema)
    names = schema.get("propertyNames", {})
    pattern = next(iter(schema.get("patternProperties", {})), names.get("pattern"))
    named = f"by name ({PATTERNS[pattern]})" if pattern else "by name"
    keys = f"by {either([f'`{name}`' for name in names['enum']])}" if "enum" in names else named
    return f"mapping {keys}, each {type_in_words(values)}"


def values_of(schema: Schema) -> Schema:
    """What the values of a mapping are, whose names are the user's own; empty if they may be anything."""
    values = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
    return values if isinstance(values, dict) else {}


def sections_in(schema: Schema) -> list[tuple[str, str]]:
    """The sections that a value may hold.

    Returns:
        The name of each, and what follows the key in the path of its own keys: nothing, `[]` in a list, `.<name>` in
        a mapping whose names are the user's own.
    """
    if "$ref" in schema:
        return [(schema["$ref"].rpartition("/")[2], "")]
    inner = [(part, "") for word in ("anyOf", "oneOf") for part in schema.get(word, ())]
    inner += [(part, after) for part, after in ((schema.get("items"), "[]"), (values_of(schema), ".<name>")) if part]
    return [(name, f"{after}{further}") for part, after in inner for name, further in sections_in(part)]
