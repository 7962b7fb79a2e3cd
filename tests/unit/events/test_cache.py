"""The cache: an entry is made once, whole or not at all, and what cannot be made is said in one line."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from trigger_ad.errors import UserError
from trigger_ad.events.cache import ENVIRONMENT, KEPT_DAYS, cache_folder, cached, reading_entry

Usage = namedtuple("Usage", "total used free")
pytestmark = pytest.mark.usefixtures("empty_cache")


def fill(folder: Path) -> None:
    """Content of an entry."""
    (folder / "content").write_text("content")


def failing(error: BaseException) -> Callable[[Path], None]:
    """Fills an entry half, and fails."""

    def fill_half(folder: Path) -> None:
        fill(folder)
        raise error

    return fill_half


def make(key: str = "key", how: Callable[[Path], None] = fill, needed_bytes: int = 1000) -> Path:
    return cached(key, how, what="making it", needed_bytes=needed_bytes)


def entries(folder: Path) -> list[str]:
    """What is in the cache, besides locks, which are empty files."""
    assert all(path.stat().st_size == 0 for path in folder.glob("*.lock"))
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# Where it is


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "elsewhere" / "deep"))
    assert cache_folder() == tmp_path / "elsewhere" / "deep"
    assert make() == tmp_path / "elsewhere" / "deep" / "key"


@pytest.mark.parametrize("named", [None, ""])
def test_without_a_name_it_is_the_users_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if named is None:
        monkeypatch.delenv(ENVIRONMENT)
    else:
        monkeypatch.setenv(ENVIRONMENT, named)
    assert cache_folder() == tmp_path / "trigger-ad"


def test_no_test_touches_the_users_cache(cache_of_the_tests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert cache_folder() == cache_of_the_tests


# What is made


def test_an_entry_is_made_once(empty_cache: Path) -> None:
    made: list[Path] = []

    def count(folder: Path) -> None:
        made.append(folder)
        assert list(folder.iterdir()) == []
        fill(folder)

    assert [make(how=count) for _ in range(3)] == [empty_cache / "key"] * 3
    assert len(made) == 1
    assert (empty_cache / "key" / "content").read_text() == "content"


def test_an_entry_has_its_name_only_when_it_is_whole(empty_cache: Path) -> None:
    def look(folder: Path) -> None:
        fill(folder)
        assert entries(empty_cache) == ["key.partial"]

    make(how=look)
    assert entries(empty_cache) == ["key"]


def test_another_key_is_another_entry(empty_cache: Path) -> None:
    assert make("one") != make("two")
    assert entries(empty_cache) == ["one", "two"]


def test_an_entry_that_was_deleted_is_made_anew(empty_cache: Path) -> None:
    shutil.rmtree(make())
    assert (make() / "content").exists()


@pytest.mark.parametrize("error", [UserError("bad", "Do better"), KeyboardInterrupt(), RuntimeError("a mistake")])
def test_what_fails_leaves_nothing_and_can_be_tried_again(empty_cache: Path, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        make(how=failing(error))
    assert caught.value is error
    assert entries(empty_cache) == []
    assert (make() / "content").exists()


def test_what_a_killed_process_left_is_removed_first(empty_cache: Path) -> None:
    left = empty_cache / "key.partial" / "folder"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    assert [path.name for path in make().iterdir()] == ["content"]
    assert entries(empty_cache) == ["key"]


# What cannot be made


def test_too_little_room_is_said_before_anything_is_made(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 2 * 10**9, 2 * 10**9))
    with pytest.raises(UserError) as caught:
        make(how=failing(RuntimeError("never begun")), needed_bytes=3_210_000_000)
    assert caught.value.what == f"the cache {empty_cache} has no room for 3,260 MB"
    assert "Free some space" in caught.value.remedy
    assert ENVIRONMENT in caught.value.remedy
    assert entries(empty_cache) == []
    make(needed_bytes=1_900_000_000)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_said_and_nothing_is_left(empty_cache: Path, number: int) -> None:
    with pytest.raises(UserError) as caught:
        make(how=failing(OSError(number, os.strerror(number))), needed_bytes=2_000_000)
    assert caught.value.what == f"the cache {empty_cache} has no room for 52 MB"
    assert ENVIRONMENT in caught.value.remedy
    assert entries(empty_cache) == []


def test_any_other_failure_to_write_is_said_with_its_reason(empty_cache: Path) -> None:
    with pytest.raises(UserError) as caught:
        make(how=failing(OSError(errno.EFBIG, os.strerror(errno.EFBIG))))
    assert caught.value.what == f"the cache {empty_cache} cannot be written (File too large)"
    assert caught.value.remedy.endswith(f"in the environment variable {ENVIRONMENT}")
    assert entries(empty_cache) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/data/events.h5"), "No such file or directory"),
        (OSError(errno.EIO, "Input/output error", "/data/events.h5"), "Input/output error"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/events.h5"), "No space left on device"),
    ],
)
def test_a_failure_of_another_path_names_that_path_and_not_the_cache(
    empty_cache: Path, error: OSError, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        make(how=failing(error))
    assert caught.value.what == f"making it failed: /data/events.h5 cannot be used ({said})"
    assert caught.value.remedy == "Check that path and its disk"
    assert entries(empty_cache) == []


def test_a_failure_in_the_folder_of_the_entry_is_one_of_the_cache(empty_cache: Path) -> None:
    def write_too_much(folder: Path) -> None:
        raise OSError(errno.EFBIG, "File too large", str(folder / "words.npy"))

    with pytest.raises(UserError, match=r"the cache .* cannot be written \(File too large\)"):
        make(how=write_too_much)


def test_a_failure_that_is_not_the_systems_is_told_as_it_is(empty_cache: Path) -> None:
    """As h5py raises it."""
    with pytest.raises(UserError) as caught:
        make(how=failing(OSError("Can't synchronously read data\n  (inflate() failed)")))
    assert caught.value.what == "making it failed (Can't synchronously read data (inflate() failed))"
    assert caught.value.remedy == "Check the events files and their disk"
    assert entries(empty_cache) == []


# What nobody uses any more


OLD, NEW = "a" * 64, "b" * 64
DAY = 24 * 3600


def last_used(path: Path, days_ago: float) -> None:
    moment = time.time() - days_ago * DAY
    os.utime(path, (moment, moment))


@pytest.mark.parametrize(("days_ago", "left"), [(KEPT_DAYS - 1, [OLD, NEW]), (KEPT_DAYS + 1, [NEW])])
def test_an_entry_that_nobody_used_for_long_is_removed_by_whoever_makes_another(
    empty_cache: Path, days_ago: float, left: list[str]
) -> None:
    last_used(make(OLD), days_ago)
    make(NEW)
    assert entries(empty_cache) == left


def test_an_entry_that_is_used_is_kept(empty_cache: Path) -> None:
    last_used(make(OLD), KEPT_DAYS + 1)
    # as every run does that needs it
    make(OLD, how=failing(RuntimeError("never begun")))
    make(NEW)
    assert entries(empty_cache) == [OLD, NEW]


def test_using_an_entry_removes_nothing(empty_cache: Path) -> None:
    last_used(make(OLD), KEPT_DAYS + 1)
    (empty_cache / NEW).mkdir()
    make(NEW, how=failing(RuntimeError("never begun")))
    assert entries(empty_cache) == [OLD, NEW]


def test_an_old_entry_is_gone_before_room_is_looked_for(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last_used(make(OLD), KEPT_DAYS + 1)

    def usage(path: Path) -> Usage:
        free = 0 if OLD in entries(empty_cache) else 10**9
        return Usage(10**12, 10**12 - free, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    make(NEW)
    assert entries(empty_cache) == [NEW]


def test_what_a_process_is_making_is_never_removed(empty_cache: Path) -> None:
    last_used(make(OLD), KEPT_DAYS + 1)
    (empty_cache / f"{OLD}.partial").mkdir()
    last_used(empty_cache / f"{OLD}.partial", KEPT_DAYS + 1)
    # a lock of the process itself is one of another for it, too
    with filelock.FileLock(empty_cache / f"{OLD}.lock"):
        make(NEW)
    assert entries(empty_cache) == [OLD, f"{OLD}.partial", NEW]
    make("c" * 64)
    assert entries(empty_cache) == [NEW, "c" * 64]


def test_what_was_left_unfinished_long_ago_is_removed(empty_cache: Path) -> None:
    left = empty_cache / f"{OLD}.partial"
    left.mkdir(parents=True)
    (left / "words.npy").write_text("half")
    last_used(left, KEPT_DAYS + 1)
    make(NEW)
    assert entries(empty_cache) == [NEW]


@pytest.mark.parametrize("name", ["data", "a" * 63, "A" * 64, f"{'a' * 64}.npy", f"{'a' * 64}.partial.h5"])
def test_what_the_cache_did_not_make_is_never_removed(empty_cache: Path, name: str) -> None:
    """The folder may be one that somebody uses for other things, too."""
    (empty_cache / name).mkdir(parents=True)
    last_used(empty_cache / name, 10 * KEPT_DAYS)
    (empty_cache / OLD).write_text("a file")
    last_used(empty_cache / OLD, 10 * KEPT_DAYS)
    make(NEW)
    assert entries(empty_cache) == sorted([name, OLD, NEW])


def test_an_old_entry_that_cannot_be_removed_hinders_nobody(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last_used(make(OLD), KEPT_DAYS + 1)

    def forbidden(path: Path, target: Path) -> Path:
        if path.name == OLD:
            raise PermissionError(errno.EACCES, "Permission denied")
        return replace(path, target)

    replace = Path.replace
    monkeypatch.setattr(Path, "replace", forbidden)
    make(NEW)
    assert entries(empty_cache) == [OLD, NEW]


@pytest.mark.parametrize("inside", ["", "folder"])
def test_a_file_in_the_place_of_the_cache_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "file" / inside))
    with pytest.raises(UserError, match=r"the cache .*file.* cannot be written \((File exists|Not a directory)\)"):
        make()
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_a_folder_that_may_not_be_written_is_said(empty_cache: Path) -> None:
    empty_cache.mkdir()
    empty_cache.chmod(0o555)
    with pytest.raises(UserError, match=r"cannot be written \(Permission denied\)"):
        make()


@pytest.mark.parametrize(
    "error", [OSError("gone"), EOFError("empty"), ValueError("garbage"), KeyError("words"), TypeError("a list")]
)
def test_an_entry_that_cannot_be_read_is_said_with_its_remedy(empty_cache: Path, error: Exception) -> None:
    with pytest.raises(UserError) as caught, reading_entry(empty_cache / "key"):
        raise error
    assert caught.value.what == f"the cache entry {empty_cache / 'key'} is damaged"
    assert caught.value.remedy == f"Delete the folder {empty_cache / 'key'} and run again"
