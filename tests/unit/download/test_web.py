"""Asking a server: what is sent, through which proxy, what is tried again and what is refused."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from support.record_server import (
    RecordServer,
    dropping_after,
    hanging_up,
    refusing,
    running_server,
    sending,
    stalling_after,
)

from trigger_ad import __version__
from trigger_ad.download.patience import Patience
from trigger_ad.download.web import Web, _reason
from trigger_ad.errors import UserError

RECORD = "https://zenodo.org/api/records/7"


@pytest.fixture(autouse=True)
def record(server: RecordServer) -> dict[str, Any]:
    document = {"id": 7, "files": []}
    server.contents["/api/records/7"] = json.dumps(document).encode()
    return document


def test_a_document_is_read_from_the_mirror(server: RecordServer, web: Web, record: dict[str, Any]) -> None:
    assert web.read_json(RECORD) == record
    assert [request.path for request in server.requests] == ["/api/records/7"]


def test_the_client_says_who_it_is_and_wants_nothing_compressed(server: RecordServer, web: Web) -> None:
    web.read_json(RECORD)
    headers = server.requests[0].headers
    assert headers["user-agent"] == f"trigger-ad/{__version__}"
    assert headers["accept-encoding"] == "identity"
    assert headers["accept"] == "application/json"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_of_the_server_is_tried_again(
    server: RecordServer, web: Web, waits: list[float], record: dict[str, Any], status: int
) -> None:
    server.faults.extend([refusing(status), refusing(status)])
    assert web.read_json(RECORD) == record
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wish", ["40", "Mon, 05 Jul 2021 12:00:40 GMT"])
def test_a_server_that_asks_to_wait_is_waited_for(
    server: RecordServer, web: Web, waits: list[float], record: dict[str, Any], status: int, wish: str
) -> None:
    server.faults.append(refusing(status, Retry_After=wish))
    assert web.read_json(RECORD) == record
    assert waits == [40.0]


@pytest.mark.parametrize("fault", [hanging_up, dropping_after(5)])
def test_a_lost_connection_is_tried_again(
    server: RecordServer, web: Web, waits: list[float], record: dict[str, Any], fault: Any
) -> None:
    server.faults.append(fault)
    assert web.read_json(RECORD) == record
    assert waits == [1.0]


def test_it_is_given_up_in_one_line_with_a_remedy(server: RecordServer, web: Web, waits: list[float]) -> None:
    server.faults.extend([refusing(503)] * 4)
    with pytest.raises(UserError) as caught:
        web.read_json(RECORD)
    assert caught.value.what == (
        f"{server.url}/api/records/7: the server answers 503 Service Unavailable (4 attempts in a row failed)"
    )
    assert "HTTPS_PROXY" in caught.value.remedy
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(("status", "text"), [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone")])
def test_a_refusal_is_final(server: RecordServer, web: Web, waits: list[float], status: int, text: str) -> None:
    server.faults.append(refusing(status))
    with pytest.raises(UserError, match=f"/api/records/7: the server answers {text}") as caught:
        web.read_json(RECORD)
    assert "Check that the mirror" in caught.value.remedy
    assert waits == []


def test_without_a_mirror_the_remedy_speaks_of_none(server: RecordServer, patience: Patience) -> None:
    with Web(patience) as web, pytest.raises(UserError) as caught:
        web.read_json(f"{server.url}/missing")
    assert "mirror" not in caught.value.remedy


def test_a_login_page_is_not_a_record(server: RecordServer, web: Web) -> None:
    server.faults.append(sending(b"<html>please log in</html>", Content_Type="text/html"))
    with pytest.raises(UserError, match="something that is not JSON") as caught:
        web.read_json(RECORD)
    assert "a proxy or a login page" in caught.value.remedy


def test_a_server_that_falls_silent_is_not_waited_for_for_ever(
    server: RecordServer, patience: Patience, waits: list[float], record: dict[str, Any]
) -> None:
    released = threading.Event()
    server.faults.append(stalling_after(3, released))
    with Web(patience, server.url, timeouts=(5.0, 0.05)) as web:
        assert web.read_json(RECORD) == record
    released.set()
    assert waits == [1.0]


def test_silence_is_called_so(server: RecordServer, patience: Patience) -> None:
    released = threading.Event()
    server.faults.extend([stalling_after(3, released)] * 4)
    with Web(patience, server.url, timeouts=(5.0, 0.05)) as web, pytest.raises(UserError, match=r"no data for 0\.05 s"):
        web.read_json(RECORD)
    released.set()


def test_a_server_that_is_not_there(patience: Patience) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        # bound but not listening: connections are refused
        mirror = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Web(patience, mirror) as web, pytest.raises(UserError, match="cannot connect to the server"):
            web.read_json(RECORD)


def test_a_name_that_cannot_be_resolved(patience: Patience, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*arguments: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    with Web(patience) as web, pytest.raises(UserError, match="the server's name cannot be resolved"):
        web.read_json(RECORD)


def test_an_address_that_cannot_be_asked_is_final(web: Web, patience: Patience, waits: list[float]) -> None:
    with Web(patience) as direct, pytest.raises(UserError, match=r"cannot be asked \(InvalidSchema\)"):
        direct.read_json("ftp://zenodo.org/records")
    assert waits == []


def test_a_certificate_that_cannot_be_verified_is_final(
    patience: Patience, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")

    monkeypatch.setattr(requests.Session, "send", refuse)
    with Web(patience) as web, pytest.raises(UserError, match="certificate cannot be verified") as caught:
        web.read_json(RECORD)
    assert "REQUESTS_CA_BUNDLE" in caught.value.remedy
    assert waits == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ConnectTimeout(), "no connection within 30 s"),
        (requests.exceptions.ProxyError("http://name:password@proxy"), "the proxy cannot be used"),
        (requests.exceptions.SSLError("EOF"), "the connection was lost"),
        (requests.exceptions.ChunkedEncodingError(), "the connection was lost"),
        (requests.TooManyRedirects(), "cannot be asked (TooManyRedirects)"),
    ],
)
def test_reasons_are_short_and_hold_no_secrets(error: requests.RequestException, reason: str) -> None:
    assert _reason(error, (30.0, 60.0)) == reason


def test_a_proxy_of_the_environment_is_asked(
    server: RecordServer, patience: Patience, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any]
) -> None:
    # the server plays the proxy: a request through a proxy has the whole address where the path stands otherwise
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.faults.append(sending(json.dumps(record).encode()))
    with Web(patience, "http://records.invalid") as web:
        assert web.read_json(RECORD) == record
    assert [request.path for request in server.requests] == ["http://records.invalid/api/records/7"]


def test_a_host_that_needs_no_proxy_is_asked_directly(
    server: RecordServer, web: Web, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any]
) -> None:
    with running_server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert web.read_json(RECORD) == record
        assert proxy.requests == []


def test_a_proxy_that_is_not_there_is_named(
    patience: Patience, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://name:password@127.0.0.1:{unused.getsockname()[1]}")
        with Web(patience, "http://records.invalid") as web, pytest.raises(UserError) as caught:
            web.read_json(RECORD)
    assert "the proxy cannot be used" in caught.value.what
    assert "password" not in str(caught.value)


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login somebody password secret\nmachine localhost login some password secret\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.usefixtures("netrc")
def test_passwords_meant_for_something_else_are_not_sent(server: RecordServer, web: Web) -> None:
    # also not after a redirect to another host
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.faults.append(refusing(302, Location=f"{elsewhere}/api/records/7"))
    web.read_json(RECORD)
    assert len(server.requests) == 2
    assert all("authorization" not in request.headers for request in server.requests)


def test_a_password_in_the_address_of_the_mirror_is_sent_to_it_alone_and_never_shown(
    server: RecordServer, patience: Patience
) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.faults.append(refusing(302, Location=f"{elsewhere}/missing"))
    with Web(patience, server.url.replace("//", "//name:secret@")) as web:
        assert web.address(RECORD) == f"{server.url}/api/records/7"
        with pytest.raises(UserError) as caught:
            web.read_json(RECORD)
    assert "secret" not in str(caught.value)
    # "name:secret" in base 64
    assert [request.headers.get("authorization") for request in server.requests] == ["Basic bmFtZTpzZWNyZXQ=", None]
