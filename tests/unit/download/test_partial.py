"""The partial file: which version it belongs to, who may write it, and when it gets its final name."""

from __future__ import annotations

import fcntl
import hashlib
import json
from pathlib import Path

import pytest

from trigger_ad.download import partial as module
from trigger_ad.download.partial import open_partial, partial_path, usable_size, version_path
from trigger_ad.download.records import RemoteFile
from trigger_ad.errors import UserError

CONTENT = bytes(range(200))
URL = "https://zenodo.org/events.h5"
FILE = RemoteFile("events.h5", len(CONTENT), hashlib.md5(CONTENT).hexdigest(), URL)
OTHER_MD5 = RemoteFile("events.h5", len(CONTENT), "0" * 32, URL)
OTHER_SIZE = RemoteFile("events.h5", 100, FILE.md5, URL)


@pytest.fixture
def final(tmp_path: Path) -> Path:
    return tmp_path / "new" / "events.h5"


def _keep(final: Path, size: int, tag: str | None = None) -> None:
    with open_partial(final, FILE) as partial:
        partial.remember(URL, tag)
        partial.append(CONTENT[:size])


def test_a_download_goes_on_with_what_is_there(final: Path) -> None:
    _keep(final, 70)
    assert not final.exists()
    assert usable_size(final, FILE) == 70
    with open_partial(final, FILE) as partial:
        assert partial.size == 70
        partial.append(CONTENT[70:])
        assert partial.md5() == FILE.md5
        partial.finish()
    assert [path.name for path in final.parent.iterdir()] == ["events.h5"]
    assert final.read_bytes() == CONTENT


@pytest.mark.parametrize("other", [OTHER_MD5, OTHER_SIZE])
def test_a_part_of_another_version_is_never_gone_on_with(
    final: Path, other: RemoteFile, caplog: pytest.LogCaptureFixture
) -> None:
    _keep(final, 70)
    assert usable_size(final, other) == 0
    with open_partial(final, other) as partial:
        assert partial.size == 0
    assert caplog.messages == [f"{final}.partial belongs to another version of the file; starting from the beginning"]


@pytest.mark.parametrize("damage", ["missing", "truncated", "not an object"])
def test_a_part_of_unknown_version_is_never_gone_on_with(final: Path, damage: str) -> None:
    _keep(final, 70)
    version = version_path(final)
    if damage == "missing":
        version.unlink()
    else:
        version.write_text("[1]" if damage == "not an object" else version.read_text()[:-9])
    assert usable_size(final, FILE) == 0
    with open_partial(final, FILE) as partial:
        assert partial.size == 0


def test_more_bytes_than_the_file_has_are_not_gone_on_with(final: Path) -> None:
    _keep(final, 200)
    with partial_path(final).open("ab") as stream:
        stream.write(b"more")
    assert usable_size(final, FILE) == 0
    with open_partial(final, FILE) as partial:
        assert partial.size == 0


def test_nothing_is_left_of_a_download_that_never_began(final: Path) -> None:
    with open_partial(final, FILE) as partial:
        partial.remember(URL, None)
    assert list(final.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("tag", "url", "expected"),
    [
        ('"abc"', URL, '"abc"'),
        ('W/"abc"', URL, None),
        (None, URL, None),
        ('"abc"', "https://mirror.test/events.h5", None),
    ],
)
def test_a_tag_is_relied_on_if_it_is_strong_and_from_the_same_address(
    final: Path, tag: str | None, url: str, expected: str | None
) -> None:
    _keep(final, 70, tag)
    with open_partial(final, FILE) as partial:
        assert partial.entity_tag(url) == expected


def test_what_is_kept_about_the_version_holds_no_more_than_is_needed(final: Path) -> None:
    _keep(final, 70, '"abc"')
    assert json.loads(version_path(final).read_text()) == {
        "size": 200,
        "md5": FILE.md5,
        "url": URL,
        "entity_tag": '"abc"',
    }


def test_two_programs_do_not_download_the_same_file_at_once(final: Path) -> None:
    with open_partial(final, FILE) as first:
        first.remember(URL, None)
        first.append(CONTENT[:70])
        with pytest.raises(UserError, match=r"events\.h5 is being downloaded into .* by another program"):
            open_partial(final, FILE).__enter__()
        assert first.size == 70
    assert partial_path(final).read_bytes() == CONTENT[:70]


def test_a_file_that_was_finished_while_its_lock_was_waited_for_is_not_touched(
    final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _keep(final, 200)
    lock = fcntl.flock

    def finish_first(descriptor: int, operation: int) -> None:
        # between opening and locking, the other process gives the very same file its final name
        if not final.exists():
            partial_path(final).replace(final)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", finish_first)
    with open_partial(final, OTHER_MD5) as partial:
        partial.start_over()
    assert final.read_bytes() == CONTENT


def test_a_file_system_without_locks_is_said(
    final: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(module._NO_LOCKS[0], "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    _keep(final, 70)
    assert "this file system has no locks" in caplog.text
    assert usable_size(final, FILE) == 70


def test_a_file_that_appeared_meanwhile_is_not_overwritten(final: Path) -> None:
    with open_partial(final, FILE) as partial:
        partial.remember(URL, None)
        partial.append(CONTENT)
        final.write_bytes(b"mine")
        with pytest.raises(UserError, match="has appeared while the file was downloaded"):
            partial.finish()
    assert final.read_bytes() == b"mine"
    assert usable_size(final, FILE) == 200


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be used") as caught:
        open_partial(tmp_path / "file" / "events.h5", FILE).__enter__()
    assert "--to" in caught.value.remedy
