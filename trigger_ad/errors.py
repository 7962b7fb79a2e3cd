"""The errors a user can meet, each of which ends in one clear line."""

from __future__ import annotations


class UserError(Exception):
    """Bad input: the command line prints it as one line and exits with code 2.

    Args:
        what: What is wrong, naming the file or the configuration key.
        remedy: What the user can do about it.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}")
        self.what = what
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        # an exception of two arguments does not travel between processes by itself
        return type(self), (self.what, self.remedy)


class CheckFailed(Exception):
    """A check ran and did not hold: the command line prints it and exits with code 1."""
