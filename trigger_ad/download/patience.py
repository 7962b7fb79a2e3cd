"""How often and after what wait something that failed is tried again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from trigger_ad.errors import UserError

_LOGGER = logging.getLogger(__name__)


class TemporaryFailure(Exception):
    """Something that may succeed when it is tried again.

    Args:
        reason: What happened, as the middle of a sentence.
        retry_after: Seconds that the server asks to wait, or None.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True)
class Patience:
    """When to try again.

    The wait doubles with each failure in a row; jitter keeps many clients that failed together from returning together.

    Attributes:
        attempts: Failures in a row after which it is given up.
        first_wait: Seconds to wait after the first failure, before jitter.
        longest_wait: Seconds that the wait does not grow beyond.
        longest_retry_after: Seconds up to which a server's own wish is waited for.
        sleep: Waits for a number of seconds.
        now: The time in seconds since 1970.
        draw: A random number from 0 to 1.
    """

    attempts: int = 7
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_retry_after: float = 600.0
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    draw: Callable[[], float] = random.random

    def wait_after(self, failures: int, retry_after: float | None) -> float:
        """Seconds to wait after a number of failures in a row, from half to one and a half times the doubled wait.

        A server's wish is a lower limit: no wait is shorter.
        """
        doubled = min(self.first_wait * 2.0 ** (failures - 1), self.longest_wait)
        return max(doubled * (0.5 + self.draw()), retry_after or 0.0)

    def seconds_asked_for(self, header: str | None) -> float | None:
        """Reads a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or an HTTP date.

        Returns:
            Seconds from now, not below 0; None where there is no such header, or it is neither.
        """
        text = (header or "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        # HTTP dates are in GMT, also where one does not say so
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, date.timestamp() - self.now())


class Attempts:
    """Counts failures in a row, and waits after each.

    Args:
        patience: When to try again.
        what: What is tried, as the start of a sentence.
        remedy: What the user can do when it is given up.
    """

    def __init__(self, patience: Patience, what: str, remedy: str) -> None:
        self._patience = patience
        self._what = what
        self._remedy = remedy
        self._failures = 0

    def reset(self) -> None:
        """Starts counting again, since something came through."""
        self._failures = 0

    def failed(self, failure: TemporaryFailure) -> None:
        """Waits for as long as is right after this failure.

        Raises:
            UserError: It has failed too often in a row, or the server asks for a longer wait than anybody sits through.
        """
        self._failures += 1
        asked = failure.retry_after
        if asked is not None and asked > self._patience.longest_retry_after:
            raise UserError(
                f"{self._what}: {failure.reason}, and asks to wait {asked:.0f} s", f"After that: {self._remedy}"
            ) from failure
        if self._failures >= self._patience.attempts:
            count = f"{self._failures} attempts in a row failed"
            raise UserError(f"{self._what}: {failure.reason} ({count})", self._remedy) from failure
        seconds = self._patience.wait_after(self._failures, asked)
        _LOGGER.warning("%s: %s; trying again in %.0f s", self._what, failure.reason, seconds)
        self._patience.sleep(seconds)
