"""From what a configuration says of files to the files themselves: patterns expanded, and no file taken twice."""

from __future__ import annotations

import glob
import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from trigger_ad.config import EventsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.sample import EventFiles


def named_files(config: EventsConfig) -> EventFiles:
    """The files that a configuration names, in its order; those that one pattern matches are sorted by name.

    A name that exists is that file, whatever characters are in it. One file may belong to several signals, whose
    results are apart.

    Raises:
        UserError: If a pattern matches nothing, or a file is named twice in a list or as background and signal.
    """
    background = _expanded("events.background", config.background)
    signals = {name: _expanded(f"events.signals.{name}", given) for name, given in config.signals.items()}
    taken = {_identity(path): path for path in background}
    for name, paths in signals.items():
        _refuse_known(f"events.signals.{name}", paths, taken)
    return EventFiles(background, signals)


def _expanded(key: str, given: Sequence[str]) -> tuple[Path, ...]:
    paths = tuple(path for text in given for path in _matches(key, text))
    known: dict[Hashable, Path] = {}
    for path in paths:
        other = known.setdefault(_identity(path), path)
        if other is not path:
            same = f"{path} is named twice" if other == path else f"{path} and {other} are the same file"
            raise UserError(f"{key}: {same}", "Name every file once, or its events count twice")
    return paths


def _matches(key: str, text: str) -> list[Path]:
    if os.path.lexists(text) or not glob.has_magic(text):
        return [Path(text)]
    # folders cannot be events, so a pattern such as data/* does not mean them
    names = glob.glob(text, recursive=True)  # noqa: PTH207  Path.glob refuses absolute patterns
    found = sorted(path for path in map(Path, names) if not path.is_dir())
    if not found:
        raise UserError(f"{key}: the pattern '{text}' matches no file", "Correct it; `**` matches any depth of folders")
    return found


def _identity(path: Path) -> Hashable:
    """Equal for one file under two names, be it through links; a file that is missing is found out by its reader."""
    try:
        status = path.stat()
    except OSError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def _refuse_known(key: str, paths: Sequence[Path], background: Mapping[Hashable, Path]) -> None:
    for path in paths:
        other = background.get(_identity(path))
        if other is not None:
            also = "" if other == path else f", there as {other}"
            raise UserError(
                f"{key}: {path} is background as well{also}", "Give signal and background files of their own"
            )
