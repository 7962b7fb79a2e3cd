"""Downloading from servers that ignore ranges, shorten, lengthen, exchange and garble the file."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from support.downloads import CONTENT, download_in_blocks, is_whole
from support.record_server import (
    Conversation,
    RecordServer,
    dropping_after,
    ignoring_ranges,
    refusing,
    sending,
    sending_without_length,
)

from trigger_ad.download.records import RemoteFile
from trigger_ad.download.web import Web
from trigger_ad.errors import UserError


def test_a_server_that_ignores_ranges_sends_everything_again(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.extend([dropping_after(3000), ignoring_ranges])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert "the server sends the file from its beginning" in caplog.text


def test_a_server_that_ignores_ranges_and_always_breaks_off_is_given_up(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.extend([sending_without_length(CONTENT[:6000])] * 6)
    with pytest.raises(UserError, match=r"ended after 6,000 of 10,000 bytes \(4 attempts in a row failed\)"):
        download_in_blocks(web, file, final)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "stated",
    ["bytes 2000-9999/10000", "bytes 3000-9999/12000", "bytes 3000/10000", "items 3000-9999/10000", ""],
)
def test_a_wrong_range_makes_it_ask_for_the_whole(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, stated: str
) -> None:
    server.faults.extend([dropping_after(3000), sending(CONTENT[3000:], status=206, Content_Range=stated)])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", None]


def test_a_range_of_unknown_total_is_right(server: RecordServer, web: Web, file: RemoteFile, final: Path) -> None:
    part = sending(CONTENT[3000:], status=206, Content_Range="bytes 3000-9999/*")
    server.faults.extend([dropping_after(3000), part])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert len(server.requests) == 2


def test_a_range_that_is_shorter_than_asked_for_is_gone_on_from(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    part = sending(CONTENT[3000:5000], status=206, Content_Range="bytes 3000-4999/10000")
    server.faults.extend([dropping_after(3000), part])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", "bytes=5000-"]


@pytest.mark.parametrize("page", [b"", b"<html>out of range</html>"])
def test_a_range_that_the_server_does_not_have_makes_it_ask_for_the_whole(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, page: bytes
) -> None:
    server.faults.extend([dropping_after(3000), refusing(416, page, Content_Type="text/html")])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", None]


@pytest.mark.parametrize("body", [CONTENT[:-1], CONTENT + b"x"], ids=["short", "long"])
def test_a_server_whose_file_has_another_length_is_given_up(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, body: bytes
) -> None:
    server.faults.extend([sending(body)] * 4)
    with pytest.raises(UserError, match=f"offers {len(body):,} bytes, and the record says 10,000"):
        download_in_blocks(web, file, final)
    assert list(final.parent.iterdir()) == []


def test_one_answer_of_another_length_does_not_cost_what_is_there(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.extend([dropping_after(3000), sending(b"an error page")])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", "bytes=3000-"]


def test_a_web_page_in_place_of_the_file_does_not_cost_what_is_there(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    page = sending(b"x" * len(CONTENT), Content_Type="text/html; charset=utf-8")
    server.faults.extend([dropping_after(3000), page])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", "bytes=3000-"]


def test_more_bytes_than_the_record_says_are_dropped(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.append(sending_without_length(CONTENT + b"more"))
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, None]


def test_an_answer_without_length_is_fine_if_itis_whole(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.faults.append(sending_without_length(CONTENT))
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert len(server.requests) == 1


def test_a_compressed_answer_is_not_taken(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.append(sending(gzip.compress(CONTENT), Content_Encoding="gzip"))
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert len(server.requests) == 2
    assert "sends the file compressed, although it was asked not to" in caplog.text


def test_wrong_bytes_are_downloaded_once_more(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.append(sending(CONTENT[::-1]))
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, None]
    assert caplog.messages == ["events.h5 arrived with a wrong MD5 sum; downloading it once more"]


def test_bytes_that_stay_wrong_are_an_error_and_nothing_is_kept(server: RecordServer, web: Web, final: Path) -> None:
    file = server.publish(7, "events.h5", CONTENT, md5=hashlib.md5(b"").hexdigest())
    with pytest.raises(UserError, match="2 times, each time with a wrong MD5 sum"):
        download_in_blocks(web, file, final)
    assert list(final.parent.iterdir()) == []
    assert len(server.requests) == 2


def test_the_tag_of_the_content_is_sent_along(server: RecordServer, web: Web, file: RemoteFile, final: Path) -> None:
    server.entity_tag = '"version 1"'
    server.faults.append(dropping_after(3000))
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert [request.headers.get("if-range") for request in server.requests] == [None, '"version 1"']
    assert server.ranges() == [None, "bytes=3000-"]


def test_content_that_changed_in_between_is_downloaded_from_its_beginning(
    server: RecordServer, web: Web, file: RemoteFile, final: Path
) -> None:
    server.entity_tag = '"version 1"'
    path = file.url.removeprefix("https://zenodo.org")
    server.contents[path] = CONTENT[::-1]

    def drop_and_change(conversation: Conversation) -> None:
        dropping_after(3000)(conversation)
        server.contents[path], server.entity_tag = CONTENT, '"version 2"'

    server.faults.append(drop_and_change)
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-"]


def test_a_part_with_another_tag_is_not_appended(
    server: RecordServer, web: Web, file: RemoteFile, final: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.entity_tag = '"version 1"'
    part = sending(b"x" * 7000, status=206, Content_Range="bytes 3000-9999/10000", ETag='"version 2"')
    server.faults.extend([dropping_after(3000), part])
    download_in_blocks(web, file, final)
    assert is_whole(final)
    assert server.ranges() == [None, "bytes=3000-", None]
    assert "the server has another version of the file than before" in caplog.text
