"""Vectors enter as trigger words, and what is no trigger word is damage, not an input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.runs import corners, encoding_of, logarithmic_config

from trigger_ad.errors import UserError
from trigger_ad.pipeline import emulators
from trigger_ad.pipeline.convert import Segment
from trigger_ad.pipeline.emulate import EMULATE
from trigger_ad.pipeline.emulators import input_codes
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory


def test_the_reference_takes_what_the_encoding_makes_of_the_words(tmp_path: Path) -> None:
    config = logarithmic_config()
    words = np.concatenate(list(corners(encoding_of(config)).values()))
    codes = input_codes(Run(config, RunDirectory(tmp_path)), words)
    np.testing.assert_array_equal(codes, encoding_of(config).codes_of_words(words))


@pytest.mark.parametrize("word", [1024, -1])
def test_a_word_beyond_the_table_is_damage(tmp_path: Path, word: int) -> None:
    words = np.array([[1, 0, 0, word, 0, 0]])
    with pytest.raises(UserError, match="vectors is damaged"):
        input_codes(Run(logarithmic_config(), RunDirectory(tmp_path)), words)


def test_another_encoding_makes_the_emulators_run_again() -> None:
    other = logarithmic_config().model_dump()
    other["inputs"]["pt"]["offset"] = 1
    first, second = logarithmic_config(), type(logarithmic_config()).model_validate(other)
    assert EMULATE.settings(first) != EMULATE.settings(second)


def test_no_block_holds_corner_vectors_and_events() -> None:
    segments = [
        Segment("all zero", "corner", 0, 1),
        Segment("random bits", "corner", 1, 6),
        Segment("background", "events", 6, 9),
        Segment("signal", "events", 9, 11),
    ]
    assert list(emulators._blocks(segments, 4)) == [
        ("corner", 0, 4),
        ("corner", 4, 6),
        ("events", 6, 10),
        ("events", 10, 11),
    ]
