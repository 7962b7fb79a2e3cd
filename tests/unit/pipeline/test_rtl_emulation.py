"""What the RTL gave, with gaps and without, in words and accept bits, is held against the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.rtl import CONFIG, NETWORK, VECTORS, WORDS

from trigger_ad.emulation.agreement import Agreement
from trigger_ad.emulation.rtl import RtlRun
from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.convert import TestVectors
from trigger_ad.pipeline.rtl_emulation import Clocked, check_rtl
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory

EXPECTED = VECTORS.expected
CODE = int(np.median(EXPECTED))
ACCEPTED = EXPECTED[:, 0] > CODE
RAN = np.arange(0, len(WORDS), 3)


def _clocked(
    words: Codes, gap_words: Codes, accepted: NDArray[np.bool_], gap_accepted: NDArray[np.bool_] | None = None
) -> Clocked:
    gaps = accepted if gap_accepted is None else gap_accepted
    run, with_gaps = RtlRun(words, accepted, 7, 1), RtlRun(gap_words, gaps, 7, None)
    return Clocked(RAN, run, with_gaps, "Verilator", 1.5)


def _checked(done: Clocked) -> Agreement:
    run = Run(CONFIG, RunDirectory(Path("hls_projects/small")))
    vectors = TestVectors(WORDS, EXPECTED, [], Accept("constant", CODE))
    return check_rtl(run, "rtl", NETWORK, vectors, EXPECTED, done)


def _right() -> tuple[Codes, Codes, NDArray[np.bool_]]:
    return EXPECTED[RAN].copy(), EXPECTED[RAN].copy(), ACCEPTED[RAN].copy()


def test_equal_words_and_bits_agree() -> None:
    done = _clocked(*_right())
    agreement = _checked(done)
    assert agreement.exact
    assert (agreement.vectors, agreement.mismatches, agreement.accept_mismatches) == (len(RAN), 0, 0)
    assert done.to_json() == {
        "tool": "Verilator",
        "latency_cycles": 7,
        "ii_cycles": 1,
        "events_with_gaps": len(RAN),
    }


@pytest.mark.parametrize("gaps", [False, True], ids=["back to back", "with gaps"])
def test_a_wrong_word_is_found_wherever_it_is(gaps: bool) -> None:
    words, gap_words, accepted = _right()
    if gaps:
        gap_words[4] += 1
    else:
        words[4] += 1
    agreement = _checked(_clocked(words, gap_words, accepted))
    assert (agreement.mismatches, agreement.max_lsb, agreement.accept_mismatches) == (1, 1.0, 0)
    assert agreement.first_difference is not None
    # alkaid's program has every layer right, so it is what was made of it that differs, which shows its output alone
    assert agreement.first_difference.layer == NETWORK.output.name
    assert agreement.first_difference.first_vectors == [int(RAN[4])]


@pytest.mark.parametrize("gaps", [False, True], ids=["back to back", "with gaps"])
def test_a_wrong_accept_bit_is_found_wherever_it_is(gaps: bool) -> None:
    words, gap_words, accepted = _right()
    gap_accepted = accepted.copy()
    if gaps:
        gap_accepted[2] = not gap_accepted[2]
    else:
        accepted[5] = not accepted[5]
    agreement = _checked(_clocked(words, gap_words, accepted, gap_accepted))
    assert not agreement.exact
    assert (agreement.mismatches, agreement.accept_mismatches) == (1, 1)
    assert agreement.first_difference is not None
    assert agreement.first_difference.layer == "accept"


def test_other_outputs_than_the_networks_are_refused() -> None:
    words, gap_words, accepted = _right()
    done = _clocked(np.repeat(words, 2, axis=1), np.repeat(gap_words, 2, axis=1), accepted)
    with pytest.raises(UserError, match="rtl does not give the output words"):
        _checked(done)
