"""What the scripts that refresh a page have in common: the part between two markers is theirs."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def configurations() -> list[Path]:
    """Every configuration of one run, in the order of its name."""
    return [path for path in sorted((ROOT / "configs").glob("*.yaml")) if not path.name.startswith("scan_")]


def between(page: str, name: str, text: str) -> str:
    """The page with another text between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: A marker is not there exactly once.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs {begin!r} and {end!r} once each")
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{text}{end}{tail}"
