"""Addresses at a mirror, and what is shown of an address."""

from __future__ import annotations

import pytest

from trigger_ad.download.mirror import checked_mirror, mirrored, shown
from trigger_ad.errors import UserError

URL = "https://zenodo.org/api/records/1/files/a%20b.h5/content?download=1"


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        (None, URL),
        ("http://mirror.test:8080", "http://mirror.test:8080/api/records/1/files/a%20b.h5/content?download=1"),
        ("https://mirror.test/zenodo", "https://mirror.test/zenodo/api/records/1/files/a%20b.h5/content?download=1"),
    ],
)
def test_scheme_and_host_are_replaced(mirror: str | None, expected: str) -> None:
    assert mirrored(URL, mirror) == expected


def test_an_address_at_the_mirror_stays_as_it_is() -> None:
    url = "https://mirror.test/zenodo/api/records/1"
    assert mirrored(url, "https://mirror.test/zenodo") == url


@pytest.mark.parametrize("text", ["https://mirror.test", "https://mirror.test/", " https://mirror.test// "])
def test_a_slash_at_the_end_makes_no_difference(text: str) -> None:
    assert checked_mirror(text) == "https://mirror.test"


@pytest.mark.parametrize(
    "text",
    ["", "mirror.test", "ftp://mirror.test", "https://", "file:///data", "https://a:b:c", "http://[", "http://a:99999"],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not an address") as caught:
        checked_mirror(text)
    assert "--mirror or TRIGGER_AD_MIRROR" in caught.value.remedy


@pytest.mark.parametrize("text", ["https://mirror.test/?key=1", "https://mirror.test/#part"])
def test_a_query_cannot_be_part_of_a_mirror(text: str) -> None:
    with pytest.raises(UserError, match="has a query or a fragment"):
        checked_mirror(text)


def test_secrets_are_not_shown() -> None:
    assert shown("https://name:password@mirror.test:80/a/b?token=secret#c") == "https://mirror.test:80/a/b"
