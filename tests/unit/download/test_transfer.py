"""Downloading a file: what is there is gone on from, whatever ended the attempt before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.downloads import BLOCK, CONTENT, download_in_blocks, is_whole
from support.record_server import (
    Answer,
    RecordServer,
    dropping_after,
    hanging_up,
    refusing,
    sending,
    sending_chunks_without_end,
    stalling_after,
)

from trigger_ad.download.partial import Partial, open_partial, partial_path, usable_size
from trigger_ad.download.patience import Patience
from trigger_ad.download.records import RemoteFile
from trigger_ad.download.transfer import download
from trigger_ad.download.web import Web
from trigger_ad.errors import UserError


def test_a_file_is_downloaded_whole(server: RecordServer, web: Web, file: RemoteFile, final: Path) -> None:
    assert download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None]


def test_progress_is_reported_in_bytes(web: Web, file: RemoteFile, final: Path) -> None:
    reported: list[int] = []
    download(web, file, final, reported.append, block=BLOCK)
    assert reported == list(range(BLOCK, len(CONTENT) + 1, BLOCK))


def test_a_dropped_connection_is_gone_on_from_and_not_begun_anew(
    server: RecordServer, web: Web, waits: list[float], file: RemoteFile, final: Path
) -> None:
    server.faults.extend([dropping_after(3000), dropping_after(2000)])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", "bytes=5000-"]
    # each of them brought bytes: the wait does not grow
    assert waits == [1.0, 1.0]


def test_any_number_of_drops_is_borne_as_long_as_it_gets_on(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.extend([dropping_after(BLOCK)] * 9)
    download_in_blocks(web, file, final)
    assert is_whole(final)


@pytest.mark.parametrize(
    "fault",
    [hanging_up, refusing(500), refusing(429, Retry_After="1"), refusing(503), sending(b"", status=206)],
    ids=["hangs up", "500", "429", "503", "empty part"],
)
def test_failures_between_drops_lose_nothing(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, fault: Answer
) -> None:
    server.faults.extend([dropping_after(3000), fault])
    download_in_blocks(web, file, final)
    assert is_whole(final)


def test_a_server_that_asks_to_wait_is_waited_for(
    server: RecordServer, web: Web, waits: list[float], file: RemoteFile, final: Path
) -> None:
    server.faults.extend([refusing(429, Retry_After="30"), refusing(503, Retry_After="Mon, 05 Jul 2021 12:00:45 GMT")])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert waits == [30.0, 45.0]


def test_a_silent_server_is_left_and_asked_again(
    server: RecordServer, patience: Patience, file: RemoteFile, final: Path
) -> None:
    released = threading.Event()
    server.faults.append(stalling_after(4000, released))
    with Web(patience, server.url, timeouts=(5.0, 0.05)) as web:
        download_in_blocks(web, file, final)
    released.set()
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=4000-"]


def test_what_an_earlier_run_downloaded_is_gone_on_from(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.extend([dropping_after(6000), refusing(404)])
    with pytest.raises(UserError, match="404"):
        download_in_blocks(web, file, final)
    assert usable_size(final, file) == 6000
    assert not final.exists()
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges()[-1] == "bytes=6000-"


def test_a_part_that_is_complete_but_was_not_verified_is_not_downloaded_again(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    with open_partial(final, file) as partial:
        partial.remember(file.url, None)
        partial.append(CONTENT)
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.requests == []


def test_a_part_of_another_version_is_not_gone_on_from(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.extend([dropping_after(6000), refusing(404)])
    with pytest.raises(UserError):
        download_in_blocks(web, file, final)
    newer = server.publish(7, "events.h5", CONTENT[::-1])
    download_in_blocks(web, newer, final)
    assert final.read_bytes() == CONTENT[::-1]
    assert server.ranges()[-1] is None


def test_a_connection_that_breaks_after_the_last_byte_costs_nothing(
    server: RecordServer, web: Web, waits: list[float], file: RemoteFile, final: Path
) -> None:
    server.faults.append(sending_chunks_without_end(CONTENT))
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert len(server.requests) == 1
    assert waits == []


def test_a_part_that_was_damaged_on_the_disk_is_found(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    with open_partial(final, file) as partial:
        partial.remember(file.url, None)
        partial.append(CONTENT[:5000][::-1])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == ["bytes=5000-", None]


def test_a_missing_file_is_final_and_leaves_nothing(
    server: RecordServer, web: Web, waits: list[float], file: RemoteFile, final: Path
) -> None:
    server.contents.clear()
    with pytest.raises(UserError, match=r"/api/records/7/files/events\.h5/content: the server answers 404"):
        download_in_blocks(web, file, final)
    assert waits == []
    assert list(final.parent.iterdir()) == []


@pytest.mark.parametrize("redirects", [1, 3])
def test_redirects_keep_the_range(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, redirects: int
) -> None:
    path = file.url.removeprefix("https://zenodo.org")
    server.faults.append(dropping_after(3000))
    server.faults.extend([refusing(302, Location=f"{server.url}{path}")] * redirects)
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges()[-1] == "bytes=3000-"


def test_an_interruption_keeps_what_came(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    def interrupt(done: int) -> None:
        if done == 4000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(web, file, final, interrupt, block=BLOCK)
    assert caplog.messages == [f"4.0 kB of 10.0 kB are kept in {final}.partial"]
    assert partial_path(final).read_bytes() == CONTENT[:4000]
    assert not final.exists()
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=4000-"]


def test_a_full_disk_keeps_what_came(web: Web, file: RemoteFile, final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Partial.append

    def full(partial: Partial, data: bytes) -> None:
        if partial.size == 4000:
            # a device that is always full
            with Path("/dev/full").open("wb", buffering=0) as stream:
                monkeypatch.setattr(partial, "_stream", stream)
                append(partial, data)
        append(partial, data)

    monkeypatch.setattr(Partial, "append", full)
    with pytest.raises(UserError, match="no space left on the device") as caught:
        download_in_blocks(web, file, final)
    assert "run the same command again" in caught.value.remedy
    assert usable_size(final, file) == 4000


def test_the_second_of_two_downloads_at_once_is_refused_and_does_no_harm(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    refused: list[str] = []

    def second(done: int) -> None:
        if done == 5000:
            with pytest.raises(UserError) as caught:
                download_in_blocks(web, file, final)
            refused.append(caught.value.what)

    assert download(web, file, final, second, block=BLOCK)
    assert refused == [f"events.h5 is being downloaded into {final.parent} by another program"]
    assert is_whole(final)


def test_a_file_that_another_process_finished_is_not_downloaded(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    final.write_bytes(CONTENT)
    assert not download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.requests == []


def test_another_file_of_that_name_is_never_overwritten(web: Web, file: RemoteFile, final: Path) -> None:
    final.write_bytes(b"mine")
    with pytest.raises(UserError, match="Nothing was overwritten"):
        download_in_blocks(web, file, final)
    assert final.read_bytes() == b"mine"
    assert [path.name for path in final.parent.iterdir()] == ["events.h5"]
