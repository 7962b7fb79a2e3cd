"""Random networks: every emulator gives the reference's words, or the package refuses the network by a layer's name.

`make test` draws a few, always the same ones. `make fuzz` draws thousands: see docs/fuzzing.md.
"""

from __future__ import annotations

from hypothesis import strategies as st
from support.drawn_networks import descriptions, firmwares, wide_descriptions
from support.fuzzing import TALLY, hls_agreements, native_agreements, require_agreement_of_keras
from support.portions import Portion, for_each, in_batches


def test_float64_keras_has_the_reference_in_every_layer(keras_portion: Portion) -> None:
    before = TALLY.copy()
    for_each(keras_portion, descriptions(), require_agreement_of_keras)
    # refusals are the exception, or an emulator could leave by the back door
    keras, alir = (TALLY[f"through {name}"] - before[f"through {name}"] for name in ("keras_float64", "alir"))
    assert keras > keras_portion.networks / 2
    assert alir > keras / 2


def test_what_would_need_more_than_53_bits_is_refused_and_all_else_exact() -> None:
    before = TALLY.copy()
    for_each(Portion(seed=1, networks=15), wide_descriptions(), require_agreement_of_keras)
    for what in ("refused", "through keras_float64"):
        assert TALLY[what] > before[what]


def test_native_libraries_give_the_reference(native_portion: Portion) -> None:
    before = TALLY["through native"]
    in_batches(native_portion, descriptions(), native_agreements)
    assert TALLY["through native"] - before > native_portion.networks / 2


def test_compiled_hls_gives_the_reference(hls_portion: Portion) -> None:
    before = _through_hls()
    in_batches(hls_portion, st.tuples(descriptions(), firmwares), hls_agreements, lambda drawn: drawn[1].back_end)
    assert _through_hls() - before > hls_portion.networks / 2


def _through_hls() -> int:
    return sum(count for what, count in TALLY.items() if what.startswith("through hls"))
