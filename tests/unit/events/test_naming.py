"""The files that a configuration names: patterns expanded in order, and no file taken twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_ad.config import EventsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.naming import named_files

NAMES = ("bg_1.h5", "bg_10.h5", "bg_2.h5", "signal.h5", "notes.txt")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with files, whose content does not matter, in a folder `data`."""
    folder = tmp_path / "data"
    (folder / "deeper").mkdir(parents=True)
    for name in NAMES:
        (folder / name).touch()
    (folder / "deeper" / "bg_3.h5").touch()
    monkeypatch.chdir(tmp_path)
    return folder


def backgrounds(*given: str) -> list[str]:
    return [str(path) for path in named_files(config(given)).background]


def config(background: tuple[str, ...], **signals: tuple[str, ...]) -> EventsConfig:
    return EventsConfig(background=background, signals=signals or {"a": ("data/signal.h5",)})


def refusal(given: EventsConfig) -> str:
    with pytest.raises(UserError) as caught:
        named_files(given)
    assert caught.value.remedy
    return caught.value.what


def test_a_pattern_gives_its_files_sorted_by_name(data: Path) -> None:
    assert backgrounds("data/bg_*.h5") == ["data/bg_1.h5", "data/bg_10.h5", "data/bg_2.h5"]
    assert backgrounds("data/bg_[12].h5") == ["data/bg_1.h5", "data/bg_2.h5"]
    assert backgrounds(f"{data}/bg_?.h5") == [f"{data}/bg_1.h5", f"{data}/bg_2.h5"]


def test_a_list_keeps_its_order(data: Path) -> None:
    assert backgrounds("data/bg_2.h5", "data/bg_1*.h5") == ["data/bg_2.h5", "data/bg_1.h5", "data/bg_10.h5"]


def test_two_stars_mean_any_depth(data: Path) -> None:
    assert backgrounds("data/**/bg_[23].h5") == ["data/bg_2.h5", "data/deeper/bg_3.h5"]


def test_folders_are_not_meant_by_a_pattern(data: Path) -> None:
    assert backgrounds("data/[dn]*") == ["data/notes.txt"]


def test_a_name_that_exists_is_no_pattern(data: Path) -> None:
    (data / "bg_[1].h5").touch()
    assert backgrounds("data/bg_[1].h5") == ["data/bg_[1].h5"]


def test_a_missing_file_is_left_to_its_reader(data: Path) -> None:
    assert backgrounds("data/none.h5") == ["data/none.h5"]


def test_signals_have_several_files_as_well(data: Path) -> None:
    files = named_files(config(("data/signal.h5",), a=("data/bg_1*.h5",), b=("data/bg_2.h5",)))
    assert files.samples == {
        "background": (Path("data/signal.h5"),),
        "a": (Path("data/bg_1.h5"), Path("data/bg_10.h5")),
        "b": (Path("data/bg_2.h5"),),
    }


def test_two_signals_may_share_a_file(data: Path) -> None:
    files = named_files(config(("data/signal.h5",), both=("data/bg_*.h5",), one=("data/bg_1.h5",)))
    assert len(files.signals["both"]) == 3


@pytest.mark.parametrize("pattern", ["data/none_*.h5", "nowhere/*.h5", "data/deep*"])
def test_a_pattern_that_matches_nothing_is_named(data: Path, pattern: str) -> None:
    assert refusal(config((pattern,))) == f"events.background: the pattern '{pattern}' matches no file"
    assert (
        refusal(config(("data/bg_1.h5",), a=("data/signal.h5",), b=(pattern,)))
        == f"events.signals.b: the pattern '{pattern}' matches no file"
    )


@pytest.mark.parametrize("given", [("data/bg_1.h5", "data/bg_1.h5"), ("data/bg_1.h5", "data/bg_*.h5")])
def test_a_file_that_is_named_twice_is_refused(data: Path, given: tuple[str, ...]) -> None:
    assert refusal(config(given)) == "events.background: data/bg_1.h5 is named twice"


@pytest.mark.parametrize("kind", ["symbolic", "hard", "folder", "path"])
def test_a_file_under_two_names_is_refused(data: Path, kind: str) -> None:
    other = "data/other.h5"
    if kind == "symbolic":
        Path(other).symlink_to("bg_1.h5")
    elif kind == "hard":
        Path(other).hardlink_to("data/bg_1.h5")
    elif kind == "folder":
        Path("linked").symlink_to("data")
        other = "linked/bg_1.h5"
    else:
        other = "data/deeper/../bg_1.h5"
    expected = f"events.background: {other} and data/bg_1.h5 are the same file"
    assert refusal(config(("data/bg_1.h5", other))) == expected


def test_a_missing_file_that_is_named_twice_is_refused(data: Path) -> None:
    assert "is named twice" in refusal(config(("data/none.h5", "data/none.h5")))


def test_a_file_that_is_background_and_signal_is_refused(data: Path) -> None:
    assert (
        refusal(config(("data/bg_*.h5",), a=("data/signal.h5",), b=("data/bg_2.h5",)))
        == "events.signals.b: data/bg_2.h5 is background as well"
    )
    Path("data/link.h5").symlink_to("bg_2.h5")
    assert (
        refusal(config(("data/bg_*.h5",), b=("data/link.h5",)))
        == "events.signals.b: data/link.h5 is background as well, there as data/bg_2.h5"
    )
