"""A local server of records and files that can misbehave in the ways servers do."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import pytest

from trigger_ad.download.records import ZENODO, RemoteFile

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def forget_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes proxies, mirrors and passwords of the machine that runs the tests."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("TRIGGER_AD_MIRROR", raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


@dataclass(frozen=True)
class Request:
    """What was asked: the path as it stood in the request, and the headers by lower-case name."""

    path: str
    headers: Mapping[str, str]


Answer = Callable[["Conversation"], None]
"""Answers one request, rightly or wrongly."""


@dataclass
class RecordServer:
    """What a running server has, and what it was asked.

    Attributes:
        url: Its address, without a slash at the end.
        contents: What it serves, by path.
        entity_tag: The tag of every content, or None.
        faults: Answers to the next requests, in order; when there are none left it behaves.
        requests: What it was asked so far.
    """

    url: str
    contents: dict[str, bytes] = field(default_factory=dict)
    entity_tag: str | None = None
    faults: deque[Answer] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)

    def publish(self, record: int, name: str, content: bytes, **differently: Any) -> RemoteFile:
        """Makes a record of one file.

        Args:
            record: Its number.
            name: The file's name.
            content: What the server has under that name.
            differently: `size` or `md5` that the record gives in place of the right ones.

        Returns:
            The file as its record describes it.
        """
        path = f"/api/records/{record}/files/{name}/content"
        described = {"size": len(content), "md5": hashlib.md5(content).hexdigest(), **differently}
        file = RemoteFile(name, described["size"], described["md5"], f"{ZENODO}{path}")
        self.contents[path] = content
        self.contents[f"/api/records/{record}"] = json.dumps({"id": record, "files": [entry(file)]}).encode()
        return file

    def ranges(self) -> list[str | None]:
        """The `Range` header of each request so far."""
        return [request.headers.get("range") for request in self.requests]


def entry(file: RemoteFile) -> dict[str, Any]:
    """A file as it stands in a record's JSON."""
    return {"key": file.name, "size": file.size, "checksum": f"md5:{file.md5}", "links": {"self": file.url}}


class Conversation(BaseHTTPRequestHandler):
    """One request and its answer."""

    protocol_version = "HTTP/1.1"
    records: RecordServer

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.records.requests.append(Request(self.path, headers))
        answer = self.records.faults.popleft() if self.records.faults else behave
        answer(self)

    def content(self) -> bytes:
        return self.records.contents[self.path]

    def start_of_range(self) -> int:
        """The first byte that is asked for, or 0; a tag that is not the content's asks for everything."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if match is None or condition not in (None, self.records.entity_tag):
            return 0
        return int(match[1])

    def head(self, status: int, headers: Mapping[str, object]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        if self.records.entity_tag is not None and "ETag" not in headers:
            self.send_header("ETag", self.records.entity_tag)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


def behave(conversation: Conversation) -> None:
    """Answers as a good server does: whole, in part, or that there is nothing."""
    if conversation.path not in conversation.records.contents:
        conversation.head(404, {"Content-Length": 0})
        return
    content, start = conversation.content(), conversation.start_of_range()
    if start >= len(content):
        conversation.head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": 0})
        return
    _send(conversation, content[start:], start, len(content))


def _send(conversation: Conversation, body: bytes, start: int, total: int, sent: int | None = None) -> None:
    headers: dict[str, object] = {"Content-Length": len(body)}
    if start:
        headers["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{total}"
    conversation.head(206 if start else 200, headers)
    conversation.wfile.write(body[:sent])


def dropping_after(sent: int) -> Answer:
    """Promises what was asked for, and closes the connection after some bytes of it."""

    def answer(conversation: Conversation) -> None:
        content, start = conversation.content(), conversation.start_of_range()
        _send(conversation, content[start:], start, len(content), sent)

    return answer


def stalling_after(sent: int, until: threading.Event) -> Answer:
    """Sends some bytes and then nothing, with the connection open."""

    def answer(conversation: Conversation) -> None:
        dropping_after(sent)(conversation)
        conversation.wfile.flush()
        until.wait(timeout=30)

    return answer


def refusing(status: int, body: bytes = b"", **headers: object) -> Answer:
    """Answers with a status; underscores in the names of headers stand for hyphens."""

    def answer(conversation: Conversation) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        conversation.head(status, {"Content-Length": len(body), **named})
        conversation.wfile.write(body)

    return answer


def sending(body: bytes, status: int = 200, **headers: object) -> Answer:
    """Answers with some content, whatever was asked for."""
    return refusing(status, body, **headers)


def sending_without_length(body: bytes) -> Answer:
    """Answers with some content and does not say how long it is: it ends with the connection."""

    def answer(conversation: Conversation) -> None:
        conversation.head(200, {})
        conversation.wfile.write(body)

    return answer


def sending_chunks_without_end(body: bytes) -> Answer:
    """Answers with all of some content in one chunk, and closes the connection before the chunk that ends it."""

    def answer(conversation: Conversation) -> None:
        conversation.head(200, {"Transfer-Encoding": "chunked"})
        conversation.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))

    return answer


def ignoring_ranges(conversation: Conversation) -> None:
    """Sends everything with status 200, whatever range was asked for."""
    content = conversation.content()
    _send(conversation, content, 0, len(content))


def hanging_up(conversation: Conversation) -> None:
    """Closes the connection without any answer."""
    conversation.close_connection = True


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # without asking a name server for this machine's name, as the class above does
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # a client that goes away in the middle is part of these tests
        pass


@contextmanager
def running_server() -> Iterator[RecordServer]:
    """Runs a server on this machine until the block ends."""
    handler = type("BoundConversation", (Conversation,), {})
    with _QuietServer(("127.0.0.1", 0), handler) as server:
        records = RecordServer(f"http://127.0.0.1:{server.server_address[1]}")
        handler.records = records  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        try:
            yield records
        finally:
            server.shutdown()
            thread.join()
