"""Fetching several files: what is refused before anything is downloaded, and what is not downloaded again."""

from __future__ import annotations

import json
import logging
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from support.record_server import RecordServer

from trigger_ad.download import fetch as module
from trigger_ad.download.disk import SPACE_MARGIN
from trigger_ad.download.fetch import fetch
from trigger_ad.download.partial import open_partial
from trigger_ad.download.records import PUBLIC_FILES, PublicFile, choose_file
from trigger_ad.download.web import Web
from trigger_ad.errors import UserError

ATO4L, BLACKBOX = PUBLIC_FILES["ato4l"], PUBLIC_FILES["blackbox"]
BOTH = (ATO4L, BLACKBOX)


@pytest.fixture(autouse=True)
def published(server: RecordServer) -> None:
    server.publish(ATO4L.record, ATO4L.file_name, b"signal" * 1000)
    server.publish(BLACKBOX.record, BLACKBOX.file_name, b"mix" * 1000)


def _paths(server: RecordServer) -> list[str]:
    return [request.path for request in server.requests]


def _content(public: PublicFile) -> str:
    return f"/api/records/{public.record}/files/{public.file_name}/content"


def test_files_are_put_into_the_folder_under_their_names(web: Web, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    fetched = list(fetch(web, BOTH, folder))
    assert [(item.public, item.path, item.downloaded) for item in fetched] == [
        (public, folder / public.file_name, True) for public in BOTH
    ]
    assert (folder / ATO4L.file_name).read_bytes() == b"signal" * 1000
    assert sorted(path.name for path in folder.iterdir()) == sorted(public.file_name for public in BOTH)


def test_a_finished_file_is_not_downloaded_again(server: RecordServer, web: Web, tmp_path: Path) -> None:
    list(fetch(web, [ATO4L], tmp_path))
    server.requests.clear()
    assert [item.downloaded for item in fetch(web, BOTH, tmp_path)] == [False, True]
    assert _content(ATO4L) not in _paths(server)


def test_a_renamed_file_keeps_the_name_it_has_in_the_record(server: RecordServer, web: Web, tmp_path: Path) -> None:
    server.publish(ATO4L.record, "Ato4l_renamed.h5", b"renamed")
    (fetched,) = fetch(web, [ATO4L], tmp_path)
    assert fetched.path == tmp_path / "Ato4l_renamed.h5"
    assert fetched.path.read_bytes() == b"renamed"


def test_a_record_with_nothing_to_take_stops_before_any_download(
    server: RecordServer, web: Web, tmp_path: Path
) -> None:
    server.contents[f"/api/records/{BLACKBOX.record}"] = json.dumps({"files": []}).encode()
    with pytest.raises(UserError, match=f"record {BLACKBOX.record} has no {BLACKBOX.file_name}"):
        list(fetch(web, BOTH, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_another_file_in_the_way_stops_before_any_download(server: RecordServer, web: Web, tmp_path: Path) -> None:
    (tmp_path / BLACKBOX.file_name).write_bytes(b"mine")
    with pytest.raises(UserError, match="Nothing was overwritten"):
        list(fetch(web, BOTH, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [BLACKBOX.file_name]
    assert (tmp_path / BLACKBOX.file_name).read_bytes() == b"mine"


Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.parametrize(("free", "fits"), [(5000, True), (4999, False)])
def test_only_what_is_still_missing_must_fit(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, free + SPACE_MARGIN))
    # of 6000 and 3000 bytes, 4000 are there from an earlier download
    file = choose_file(ATO4L, web.read_json(ATO4L.address))
    with open_partial(tmp_path / file.name, file) as partial:
        partial.remember(file.url, None)
        partial.append((b"signal" * 1000)[:4000])
    if fits:
        assert [item.downloaded for item in fetch(web, BOTH, tmp_path)] == [True, True]
    else:
        with pytest.raises(UserError, match="of free space"):
            list(fetch(web, BOTH, tmp_path))
        assert not (tmp_path / file.name).exists()


def test_a_finished_file_needs_no_space(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(fetch(web, BOTH, tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, 0))
    assert [item.downloaded for item in fetch(web, BOTH, tmp_path)] == [False, False]


def test_progress_is_in_megabytes(
    server: RecordServer, web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.publish(ATO4L.record, ATO4L.file_name, bytes(2_300_000))
    list(fetch(web, [ATO4L], tmp_path))
    assert caplog.messages == ["fetching ato4l: 3 of 3 MB, checking the MD5 sum"]


def test_the_rate_counts_what_came_in_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([10.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    shown: list[tuple[int, str]] = []
    received = module._in_megabytes(lambda done, note: shown.append((done, note)), 9_500_000)
    # 4 MB are there from an earlier run
    received(4_000_000)
    received(7_000_000)
    received(9_500_000)
    assert shown == [(4, ""), (7, "1.5 MB/s"), (10, "checking the MD5 sum")]
