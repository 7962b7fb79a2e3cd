"""Requests to a server: who asks, through which proxy, and which failures are worth another attempt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

import requests
import urllib3
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url

from trigger_ad import __version__
from trigger_ad.download.mirror import mirrored, shown
from trigger_ad.download.patience import Attempts, Patience, TemporaryFailure
from trigger_ad.errors import UserError

TIMEOUTS: Final = (30.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes of an answer."""

RANGE_NOT_SATISFIABLE: Final = 416
_USABLE: Final = (200, 206, RANGE_NOT_SATISFIABLE)
_TEMPORARY: Final = (408, 425, 429, 500, 502, 503, 504)
_NETWORK_REMEDY: Final = (
    "Check the network and the proxy (HTTPS_PROXY, NO_PROXY), or name another server with --mirror, and run again"
)


class Web:
    """Asks a server for JSON and for files. Use it in a `with` statement.

    Proxies and certificates come from the environment, as usual (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE). A .netrc
    is not looked at: the files are public, and a password meant for something else must not be sent.

    Args:
        patience: When to try again.
        mirror: The server that takes the place of every other, as `checked_mirror` returns it, or None.
        timeouts: Seconds to wait for a connection, and for the next bytes.
    """

    def __init__(self, patience: Patience, mirror: str | None = None, timeouts: tuple[float, float] = TIMEOUTS) -> None:
        self.patience = patience
        self._mirror = mirror
        self._timeouts = timeouts
        self._session = _Session()
        self._session.auth = _AddressAuthentication()
        # the server's operators ask for a name that is not the library's; ranges and lengths count uncompressed bytes
        self._session.headers.update({"User-Agent": f"trigger-ad/{__version__}", "Accept-Encoding": "identity"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def address(self, url: str) -> str:
        """The address that is really asked, without anything secret."""
        return shown(mirrored(url, self._mirror))

    def read_json(self, url: str) -> Any:
        """Reads a JSON document, trying again where that may help.

        Raises:
            UserError: It cannot be had, or is no JSON.
        """
        attempts = Attempts(self.patience, self.address(url), _NETWORK_REMEDY)
        while True:
            try:
                with self.answer(url, {"Accept": "application/json"}) as response:
                    return json.loads(response.content)
            except TemporaryFailure as failure:
                attempts.failed(failure)
            except ValueError:
                raise UserError(
                    f"{self.address(url)} answers with something that is not JSON",
                    "Open it in a browser: a proxy or a login page may be in between; with --mirror, check its address",
                ) from None

    @contextmanager
    def answer(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Asks once.

        Args:
            url: The address, before the mirror.
            headers: Besides those of every request.

        Yields:
            The answer, whose content has not been read yet; its status is 200, 206 or 416.

        Raises:
            TemporaryFailure: Also while the content is read: the connection or the server failed for now.
            UserError: The server refuses, or cannot be asked at all.
        """
        try:
            with self._session.get(
                mirrored(url, self._mirror), headers=headers, stream=True, timeout=self._timeouts
            ) as response:
                self._check_status(response)
                yield response
        except requests.RequestException as error:
            if not _may_pass(error):
                raise UserError(f"{self.address(url)}: {_reason(error, self._timeouts)}", _remedy(error)) from error
            raise TemporaryFailure(_reason(error, self._timeouts)) from error

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status in _USABLE:
            return
        said = f"the server answers {status} {response.reason or ''}".rstrip()
        if status in _TEMPORARY:
            raise TemporaryFailure(said, self.patience.seconds_asked_for(response.headers.get("Retry-After")))
        remedy = "Open it in a browser to see whether it was moved or closed"
        if self._mirror is not None:
            remedy = "Check that the mirror (--mirror, TRIGGER_AD_MIRROR) serves the same paths as zenodo.org"
        raise UserError(f"{shown(response.url)}: {said}", remedy)


class _AddressAuthentication(AuthBase):
    """Sends a user name and password only where the address itself carries them."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        name, password = get_auth_from_url(r.url or "")
        return HTTPBasicAuth(name, password)(r) if name else r


class _Session(requests.Session):
    """A session whose redirects take nothing from a .netrc either."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        if self.should_strip_auth(response.request.url or "", prepared_request.url or ""):
            prepared_request.headers.pop("Authorization", None)


def _may_pass(error: requests.RequestException) -> bool:
    passing = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    return isinstance(error, passing) and not _is_about_certificates(error)


def _is_about_certificates(error: requests.RequestException) -> bool:
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def _remedy(error: requests.RequestException) -> str:
    if _is_about_certificates(error):
        return "Set REQUESTS_CA_BUNDLE to the certificates of your site, if it has its own"
    return _NETWORK_REMEDY


def _reason(error: requests.RequestException, timeouts: tuple[float, float]) -> str:
    """What happened in a few words; the library's own texts are long, and may hold a proxy's password."""
    causes = _causes(error)
    if _is_about_certificates(error):
        return "the server's certificate cannot be verified"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {timeouts[0]:g} s"
    if any(isinstance(cause, urllib3.exceptions.ReadTimeoutError) for cause in causes):
        return f"no data for {timeouts[1]:g} s"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be used"
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return "the server's name cannot be resolved"
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
        return "cannot connect to the server"
    if _may_pass(error):
        return "the connection was lost"
    return f"cannot be asked ({type(error).__name__})"


def _causes(error: BaseException) -> list[BaseException]:
    """The error and everything it was made from; the libraries put causes into arguments and attributes."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            waiting += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return found
