"""Finished files, free space, sizes for people."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from trigger_ad.download.disk import SPACE_MARGIN, clear_about, formatted_size, is_finished, require_space
from trigger_ad.download.records import RemoteFile
from trigger_ad.errors import UserError

CONTENT = b"events" * 100
FILE = RemoteFile("events.h5", len(CONTENT), hashlib.md5(CONTENT).hexdigest(), "https://zenodo.org/events.h5")


def test_a_file_with_the_right_content_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "events.h5"
    assert not is_finished(path, FILE)
    path.write_bytes(CONTENT)
    assert is_finished(path, FILE)


@pytest.mark.parametrize(
    ("content", "why"),
    [(CONTENT[:-1], "has 599 bytes and the record's file 600"), (CONTENT[::-1], "has another MD5 sum")],
)
def test_another_file_of_that_name_is_left_alone(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "events.h5"
    path.write_bytes(content)
    with pytest.raises(UserError, match=why) as caught:
        is_finished(path, FILE)
    assert "move it away, or name another folder with --to" in caught.value.remedy
    assert path.read_bytes() == content


def test_a_folder_or_a_link_that_leads_nowhere_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "link.h5").symlink_to(tmp_path / "missing")
    for name in ("folder.h5", "link.h5"):
        with pytest.raises(UserError, match=f"{name} exists, but is not a file"):
            is_finished(tmp_path / name, FILE)


Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.parametrize(("missing", "fits"), [(1000, True), (1001, False), (0, True)])
def test_what_is_missing_must_fit_with_a_margin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int, fits: bool
) -> None:
    free = 1000 + SPACE_MARGIN if missing else 0
    asked: list[Path] = []

    def disk_usage(path: Path) -> Usage:
        asked.append(path)
        return Usage(free, 0, free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    if fits:
        require_space(tmp_path / "new" / "folder", missing)
    else:
        with pytest.raises(UserError, match=r"has 67\.1 MB of free space, and 67\.1 MB are needed"):
            require_space(tmp_path / "new" / "folder", missing)
    # the folder need not exist: the disk it will be on is what counts
    assert asked == ([tmp_path] if missing else [])


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (123_456_789, "123 MB"),
        (4_200_000_000, "4.2 GB"),
        (1_234_000_000_000, "1234 GB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert formatted_size(size) == text


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left on the device while writing a.h5"),
        (errno.EDQUOT, "no space left on the device while writing a.h5"),
        (errno.EACCES, r"a\.h5 cannot be used \(Permission denied\)"),
    ],
)
def test_errors_of_the_file_system_in_one_line(number: int, message: str) -> None:
    with pytest.raises(UserError, match=message), clear_about(Path("a.h5")):
        raise OSError(number, os.strerror(number))
