"""The points of a scan: what each sets, what it is called, and its configuration."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trigger_ad.config import AxisConfig, Config, RangeConfig, ScanConfig
from trigger_ad.config_file import parsed_config, read_mapping
from trigger_ad.errors import UserError
from trigger_ad.run_directory import text_digest

LONGEST_NAME: Final = 48
"""Of a point; a longer one ends in a digest of its settings."""

RESERVED: Final = ("figures", "logs")
"""Folders of the scan's own, which no point is called."""

Settings = Mapping[str, Any]
"""What a point sets: a value for each axis."""


@dataclass(frozen=True)
class Point:
    """One point.

    Attributes:
        name: Of its run directory.
        settings: The value of each axis.
        keys: The value of each dotted key of the configuration.
        config: What it runs.
    """

    name: str
    settings: dict[str, Any]
    keys: dict[str, Any]
    config: Config


class Points:
    """Makes points of what they set.

    Args:
        path: The scan file.
        scan: What it says.

    Raises:
        UserError: If the base configuration is none, an axis changes the name, or two set the same key.
    """

    def __init__(self, path: Path, scan: ScanConfig) -> None:
        self._path = path
        self.base_as_written = read_mapping(path.parent / scan.base)
        self.base = parsed_config(self.base_as_written, path.parent / scan.base)
        if self.base.own_model:
            raise UserError(f"{path}: base: {scan.base} is of a model of your own", "Scan a configuration that trains")
        self.keys = {axis: keys or (axis,) for axis, keys in _axes(scan).items()}
        self._labels = _labels(self.keys)
        self._known: dict[str, str] = {}
        # what is the same for all points tells none from another
        constant = {axis for axis, item in (scan.grid or {}).items() if len(item.values) == 1}
        self._telling = [axis for axis in self.keys if axis not in constant] or list(self.keys)
        for axis, keys in self.keys.items():
            if "name" in keys:
                raise UserError(f"{path}: {axis}: the scan names its points itself", "Scan another key")
        for axes in scan.points or [self.keys]:
            _require_apart(path, [(axis, key) for axis in axes for key in self.keys[axis]])

    def point(self, settings: Settings) -> Point:
        """The point of some settings.

        Raises:
            UserError: If the configuration has no such key, or the key no such value.
        """
        keys = {key: value for axis, value in settings.items() for key in self.keys[axis]}
        data = deepcopy(self.base_as_written)
        for key, value in keys.items():
            _set(data, key, value, self._path)
        name = self._name(settings)
        where = Path(f"{self._path}, point {name}")
        return Point(name, dict(settings), keys, parsed_config(data | {"name": name}, where))

    def _name(self, settings: Settings) -> str:
        """A name that says what is set where it is short enough; another for other settings."""
        text = json.dumps(settings, sort_keys=True, default=str)
        parts = [f"{self._labels[axis]}_{_shown(value)}" for axis, value in settings.items() if axis in self._telling]
        name = re.sub(r"[^A-Za-z0-9_-]", "_", "-".join(parts).replace(".", "p").replace("+", "")) or "point"
        name = name if name[0].isalpha() else f"p_{name}"
        rounded = any(isinstance(value, float) and not _is_short(value) for value in settings.values())
        if len(name) > LONGEST_NAME or rounded or name in RESERVED or self._known.setdefault(name, text) != text:
            name = f"{name[: LONGEST_NAME - 9]}-{text_digest(text)[:8]}"
        return name


def listed_points(scan: ScanConfig, points: Points) -> list[Point]:
    """Every point of a grid or a list; none of a search.

    Raises:
        UserError: If one of them is no configuration, or two are the same.
    """
    found = [points.point(settings) for settings in _all_settings(scan)]
    names = [point.name for point in found]
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice:
        raise UserError(f"{scan.name}: two points set the same, {twice}", "Give each point once")
    return found


_TRIES: Final = 200
"""Combinations of a search in which a value is looked for a configuration."""


def require_some_configuration(points: Points, space: Mapping[str, RangeConfig]) -> None:
    """Refuses a search in whose space a key or value stands that no combination makes a configuration of.

    Of a range both ends are tried. Where there are very many combinations, a sample of them is.

    Args:
        points: Of the search, and for this alone: it remembers the names that it gives.
        space: What each axis may be.

    Raises:
        UserError: The first that a combination with the value was refused by.
    """
    candidates = {axis: item.values or (item.low, item.high) for axis, item in space.items()}
    good: list[Settings] = []
    for axis, values in candidates.items():
        for value in values:
            if all(settings[axis] != value for settings in good):
                good.append(_some_configuration(points, candidates | {axis: (value,)}))


def _some_configuration(points: Points, candidates: Mapping[str, Sequence[Any]]) -> Settings:
    """The first combination that is a configuration."""
    first: UserError | None = None
    for settings in _combinations(candidates):
        try:
            points.point(settings)
        except UserError as error:
            first = first or error
        else:
            return settings
    assert first is not None
    raise first


def _combinations(candidates: Mapping[str, Sequence[Any]]) -> Iterator[Settings]:
    if math.prod(map(len, candidates.values())) <= _TRIES:
        yield from (dict(zip(candidates, chosen, strict=True)) for chosen in itertools.product(*candidates.values()))
        return
    yield {axis: values[0] for axis, values in candidates.items()}
    drawn = random.Random(1)
    for _ in range(_TRIES):
        yield {axis: drawn.choice(values) for axis, values in candidates.items()}


def _all_settings(scan: ScanConfig) -> Iterable[Settings]:
    if scan.grid:
        names, values = list(scan.grid), (axis.values for axis in scan.grid.values())
        return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*values)]
    return scan.points or ()


def _axes(scan: ScanConfig) -> dict[str, tuple[str, ...]]:
    """The dotted keys of each axis, as far as they are not its name."""
    if scan.points:
        return {key: () for point in scan.points for key in point}
    axes: Mapping[str, AxisConfig | RangeConfig] = scan.grid or (scan.search.space if scan.search else {})
    return {name: axis.keys for name, axis in axes.items()}


def _require_apart(path: Path, keys: Sequence[tuple[str, str]]) -> None:
    """Refuses keys of one point that are equal, or of which one holds the other: only one of their values would count.

    Args:
        path: The scan file.
        keys: Each axis with each of its dotted keys.
    """
    for (axis, key), (other_axis, other) in itertools.combinations(keys, 2):
        if f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}."):
            relation = "are the same key" if key == other else "hold one another"
            raise UserError(
                f"{path}: '{key}' of {axis} and '{other}' of {other_axis} {relation}", "Set each key once in a point"
            )


def _labels(axes: Iterable[str]) -> dict[str, str]:
    """A short name for each axis: the last parts of its dotted key that tell it from the others."""
    keys = list(axes)
    return {key: _shortest(key, keys) for key in keys}


def _shortest(key: str, keys: Sequence[str]) -> str:
    parts = key.split(".")
    endings = ("_".join(parts[-count:]) for count in range(1, len(parts) + 1))
    others = [other.split(".") for other in keys if other != key]
    for count, ending in enumerate(endings, start=1):
        if all(other[-count:] != parts[-count:] for other in others):
            return ending
    return "_".join(parts)


def _shown(value: Any) -> str:
    match value:
        case list() | tuple():
            return "_".join(map(_shown, value))
        case dict():
            return text_digest(json.dumps(value, sort_keys=True, default=str))[:8]
        case float():
            return f"{value:g}" if _is_short(value) else f"{value:.3g}"
        case None:
            return "none"
        case _:
            return str(value).lower() if isinstance(value, bool) else str(value)


def _is_short(value: float) -> bool:
    """Whether six digits are all of a number."""
    return float(f"{value:g}") == value


def _set(data: dict[str, Any], key: str, value: Any, path: Path) -> None:
    """Sets a dotted key of nested mappings."""
    *sections, last = key.split(".")
    for depth, section in enumerate(sections):
        # a section that is left out has its defaults
        if data.get(section) is None:
            data[section] = {}
        data = data[section]
        if not isinstance(data, dict):
            raise UserError(
                f"{path}: unknown key '{key}': {'.'.join(sections[: depth + 1])} has no keys below it",
                "Correct the key; docs/reference.md lists them all",
            )
    data[last] = value
