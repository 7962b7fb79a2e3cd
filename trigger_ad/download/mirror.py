"""Addresses: another server that serves the same paths, and what of an address may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from trigger_ad.errors import UserError


def checked_mirror(text: str) -> str:
    """Checks the address of a mirror.

    Args:
        text: Scheme and host, with a path below which the records' paths start if there is one.

    Returns:
        The address without a slash at its end.

    Raises:
        UserError: It is not an address that starts with http:// or https://.
    """
    remedy = "Give --mirror or TRIGGER_AD_MIRROR as in https://mirror.example.org"
    try:
        parts = urlsplit(text.strip())
        # reading the port checks it
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise UserError(f"the mirror {text!r} is not an address", remedy)
    if parts.query or parts.fragment:
        raise UserError(f"the mirror {shown(text)} has a query or a fragment", remedy)
    return urlunsplit(parts).rstrip("/")


def mirrored(url: str, mirror: str | None) -> str:
    """The address at a mirror: its scheme and host take the place of those in `url`; path and query stay.

    Args:
        url: Any address; one that is at the mirror already is left as it is.
        mirror: As `checked_mirror` returns it, or None.
    """
    if mirror is None or url.startswith(f"{mirror}/"):
        return url
    parts = urlsplit(url)
    return mirror + urlunsplit(("", "", parts.path, parts.query, ""))


def shown(url: str) -> str:
    """The address without user name, password and query, which messages and files must not hold."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
