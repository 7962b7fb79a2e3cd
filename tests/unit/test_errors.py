"""The errors a user can meet."""

from __future__ import annotations

import pickle

from trigger_ad.errors import UserError


class Narrower(UserError):
    """Another error of the user's, in more detail."""


def test_an_error_says_what_is_wrong_and_what_to_do() -> None:
    error = UserError("the file is a folder", "Give the file inside it")
    assert str(error) == "the file is a folder. Give the file inside it"
    assert (error.what, error.remedy) == ("the file is a folder", "Give the file inside it")


def test_an_error_travels_between_processes_as_it_is() -> None:
    for kind in (UserError, Narrower):
        travelled = pickle.loads(pickle.dumps(kind("the file: 'a', is\ta folder", "Give another")))
        assert type(travelled) is kind
        assert str(travelled) == "the file: 'a', is\ta folder. Give another"
        assert (travelled.what, travelled.remedy) == ("the file: 'a', is\ta folder", "Give another")
