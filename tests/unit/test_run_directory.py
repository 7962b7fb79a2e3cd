"""Files are written whole, sets of files together, and what cannot be written is one clear error."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from trigger_ad.errors import UserError
from trigger_ad.run_directory import (
    RunDirectory,
    file_digest,
    read_json,
    write_json,
    write_text,
    written_together,
    written_whole,
)


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    with written_whole(tmp_path / "results" / "a.txt") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "results" / "a.txt").exists()
        assert ".partial" in temporary.name
    assert _names(tmp_path) == ["results", "results/a.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with written_whole(tmp_path / "project") as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert _names(tmp_path) == ["project", "project/new"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a mistake"), UserError("bad", "Do better")])
def test_a_failure_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail() -> None:
        with written_whole(tmp_path / "a.txt") as temporary:
            temporary.write_text("new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_what_is_written_together_appears_together_in_the_order_of_writing(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with written_together():
        write_text(tmp_path / "a.txt", "new")
        with written_whole(tmp_path / "folder") as temporary:
            temporary.mkdir()
            write_text(temporary / "inside.txt", "inside")
        assert (tmp_path / "a.txt").read_text() == "old"
        assert not (tmp_path / "folder").exists()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert _names(tmp_path) == ["a.txt", "folder", "folder/inside.txt"]


def test_of_what_is_written_together_nothing_appears_after_a_failure(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail() -> None:
        with written_together():
            write_text(tmp_path / "a.txt", "new")
            write_text(tmp_path / "b.txt", "new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert _names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
    # and the next file does not wait for anything
    write_text(tmp_path / "b.txt", "alone")
    assert (tmp_path / "b.txt").read_text() == "alone"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_so(tmp_path: Path, number: int) -> None:
    with pytest.raises(UserError) as error, written_whole(tmp_path / "a.txt"):
        raise OSError(number, os.strerror(number))
    assert error.value.what == f"no space left on the device while writing {tmp_path}/a.txt"
    assert _names(tmp_path) == []


@pytest.mark.parametrize("path", ["blocked/a.txt", "blocked/deeper/a.txt"])
def test_a_file_in_the_place_of_a_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "blocked").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written") as error:
        write_text(tmp_path / path, "text")
    assert str(tmp_path / path) in error.value.what
    assert (tmp_path / "blocked").read_text() == "in the way"


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"auc": float("nan")})
    assert _names(tmp_path) == []


def test_json_is_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"auc": 0.1, "none": None})
    assert read_json(tmp_path / "a.json") == {"auc": 0.1, "none": None}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_damaged_json_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError) as error:
        read_json(tmp_path / "a.json")
    assert str(tmp_path / "a.json") in error.value.what


def test_the_digest_of_a_folder_is_that_of_its_files_and_their_names(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "inside").mkdir(parents=True)
        (folder / "inside" / "a").write_text("a")
    assert file_digest(first) == file_digest(second)
    (second / "inside" / "a").rename(second / "inside" / "b")
    assert file_digest(first) != file_digest(second)
    (first / "inside" / "a").rename(first / "inside" / "b")
    assert file_digest(first) == file_digest(second)
    (first / "inside" / "b").write_text("b")
    assert file_digest(first) != file_digest(second)


def test_paths_of_a_run() -> None:
    run = RunDirectory(Path("hls_projects/small"))
    assert run.hls_project("vitis") == Path("hls_projects/small/hls/vitis")
    assert run.relative(run.results("train")) == "results/train.json"
