"""Agreement means equal codes: one least significant bit in one element of one vector is a mismatch."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from support.runs import network_codes, small_network

from trigger_ad.emulation.agreement import ACCEPT, Agreement, Alone, compare, compare_alone, joined
from trigger_ad.fixed_point import Codes, FixedPoint, Values
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Input, Pooling, Quantize


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


@pytest.fixture(scope="module")
def reference(network: Network) -> dict[str, Codes]:
    return evaluate(network, network_codes(network)[:200])


def _values(network: Network, codes: dict[str, Codes]) -> dict[str, Values]:
    return {name: network.type(name).values(found) for name, found in codes.items()}


def test_equal_values_agree(network: Network, reference: dict[str, Codes]) -> None:
    result = compare("hls", network, reference, _values(network, reference), 1.5)
    assert result.exact
    assert (result.vectors, result.mismatches, result.max_lsb, result.first_difference) == (200, 0, 0.0, None)
    assert result.layers == dict.fromkeys([node.name for node in network.nodes], 0)
    assert result.seconds == 1.5


def test_one_bit_in_one_element_is_a_mismatch(network: Network, reference: dict[str, Codes]) -> None:
    found = _values(network, reference)
    found["latent"][17, 1] += network.type("latent").lsb
    result = compare("hls", network, reference, found, 0.0)
    assert not result.exact
    assert (result.mismatches, result.layers["latent"], result.layers["score"]) == (1, 1, 0)
    # the output word itself is right
    assert result.max_lsb == 0.0
    first = result.first_difference
    assert first is not None
    assert (first.layer, first.mismatches, first.max_lsb, first.first_vectors) == ("latent", 1, 1.0, [17])
    assert first.expected == [reference["latent"][17].tolist()]
    assert first.found == [[float(reference["latent"][17, 0]), float(reference["latent"][17, 1] + 1)]]


def test_the_first_difference_is_the_earliest_in_the_order_of_the_data(
    network: Network, reference: dict[str, Codes]
) -> None:
    found = _values(network, reference)
    for name in ("score", "decoder_1", "square"):
        found[name] = found[name] + 1.0
    result = compare("hls", network, reference, dict(reversed(found.items())), 0.0)
    assert result.first_difference is not None
    assert result.first_difference.layer == "decoder_1"
    assert result.mismatches == 200
    assert len(result.first_difference.first_vectors) == 5


def test_a_value_that_is_no_code_is_a_mismatch_of_a_fraction(network: Network, reference: dict[str, Codes]) -> None:
    found = _values(network, reference)
    found["score"][3, 0] += network.type("score").lsb / 4
    result = compare("keras", network, reference, found, 0.0)
    assert (result.exact, result.mismatches, result.max_lsb) == (False, 1, 0.25)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_a_mismatch_of_unknown_size(
    network: Network, reference: dict[str, Codes], value: float
) -> None:
    found = _values(network, reference)
    found["score"][3, 0] = value
    result = compare("keras", network, reference, found, 0.0)
    assert (result.exact, result.mismatches, result.max_lsb) == (False, 1, None)
    assert result.first_difference is not None
    assert result.first_difference.found == [[None]]
    json.dumps(result.to_json(), allow_nan=False)


def test_layers_that_are_not_shown_are_not_judged(network: Network, reference: dict[str, Codes]) -> None:
    found = {"score": _values(network, reference)["score"]}
    result = compare("hls", network, reference, found, 0.0)
    assert result.layers == {"score": 0}
    assert result.exact


def test_an_output_that_is_not_shown_is_a_mistake(network: Network, reference: dict[str, Codes]) -> None:
    with pytest.raises(KeyError, match="score"):
        compare("hls", network, reference, {"square": _values(network, reference)["square"]}, 0.0)


def test_a_test_bench_that_fails_is_no_agreement(network: Network, reference: dict[str, Codes]) -> None:
    from dataclasses import replace

    result = compare("hls", network, reference, _values(network, reference), 0.0)
    assert replace(result, test_bench_passed=True).exact
    assert not replace(result, test_bench_passed=False).exact


def test_a_wrong_accept_bit_is_a_mismatch_of_its_own_name(network: Network, reference: dict[str, Codes]) -> None:
    words = compare("hls", network, reference, _values(network, reference), 0.0)
    expected = np.arange(200) % 2 == 0
    right = words.with_accept(np.zeros(200, dtype=bool), expected, expected)
    assert (right.exact, right.mismatches, right.accept_mismatches, right.first_difference) == (True, 0, 0, None)
    found = expected.copy()
    found[[3, 8]] ^= True
    wrong = words.with_accept(np.zeros(200, dtype=bool), expected, found)
    assert (wrong.exact, wrong.mismatches, wrong.accept_mismatches) == (False, 2, 2)
    first = wrong.first_difference
    assert first is not None
    assert (first.layer, first.first_vectors, first.expected, first.found) == (ACCEPT, [3, 8], [[0], [1]], [[1], [0]])


def test_a_wrong_word_is_named_before_the_accept_bit_that_follows_from_it(
    network: Network, reference: dict[str, Codes]
) -> None:
    found = _values(network, reference)
    found["score"][[3, 5]] += 1.0
    unequal = np.isin(np.arange(200), (3, 5))
    accepted = np.isin(np.arange(200), (3, 9))
    result = compare("hls", network, reference, found, 0.0)
    result = result.with_accept(unequal, np.zeros(200, dtype=bool), accepted)
    assert (result.mismatches, result.accept_mismatches) == (3, 2)
    assert result.first_difference is not None
    assert result.first_difference.layer == "score"


def test_a_trace_names_the_layer_and_keeps_the_count_of_all_vectors(
    network: Network, reference: dict[str, Codes]
) -> None:
    words = {"score": _values(network, reference)["score"] + 1.0}
    whole = compare("hls", network, reference, words, 2.0)
    chosen = np.array([40, 90, 150])
    some = {name: codes[chosen] for name, codes in reference.items()}
    traced_values = _values(network, some)
    traced_values["encoder_1"] = traced_values["encoder_1"] + [[0.0], [0.5], [0.5]]
    located = whole.located_by(compare("hls", network, some, traced_values, 0.0), chosen)
    assert (located.mismatches, located.vectors, located.seconds) == (200, 200, 2.0)
    assert located.first_difference is not None
    assert (located.first_difference.layer, located.first_difference.first_vectors) == ("encoder_1", [90, 150])


def test_a_trace_without_a_difference_changes_nothing(network: Network, reference: dict[str, Codes]) -> None:
    whole = compare("hls", network, reference, {"score": _values(network, reference)["score"] + 1.0}, 0.0)
    traced = compare("hls", network, reference, _values(network, reference), 0.0)
    assert whole.located_by(traced, np.arange(200)) == whole


def test_the_entry_of_the_report(network: Network, reference: dict[str, Codes]) -> None:
    found = _values(network, reference)
    found["score"] = found["score"] + 1.0
    entry = compare("keras_float32", network, reference, found, 0.5, must_agree=False).to_json()
    assert entry == {
        "exact": False,
        "must_agree": False,
        "events": 200,
        "mismatches": 200,
        "max_lsb": 1.0 / network.type("score").lsb,
        "seconds": 0.5,
        "first_layer": "score",
        "accept_mismatches": None,
        "test_bench_passed": None,
        "test_bench_said": None,
        "alone": None,
    }


@pytest.mark.parametrize("wrong", [{}, {"score": [3, 150]}, {"latent": [60, 61, 199], "score": [3]}])
@pytest.mark.parametrize("cuts", [(0, 200), (0, 50, 200), (0, 1, 100, 199, 200)])
def test_blocks_joined_say_what_one_comparison_of_all_vectors_says(
    network: Network, reference: dict[str, Codes], wrong: dict[str, list[int]], cuts: tuple[int, ...]
) -> None:
    found = _values(network, reference)
    for name, vectors in wrong.items():
        found[name][vectors] += 2 * network.type(name).lsb

    def block(start: int, stop: int, values: dict[str, Values]) -> Agreement:
        part = {name: codes[start:stop] for name, codes in reference.items()}
        return compare("keras", network, part, {name: item[start:stop] for name, item in values.items()}, 0.5)

    parts = [(start, block(start, stop, found)) for start, stop in itertools.pairwise(cuts)]
    assert joined(parts) == replace(block(0, 200, found), seconds=0.5 * len(parts))


def test_a_block_that_is_not_a_number_is_not_lost_among_the_others(
    network: Network, reference: dict[str, Codes]
) -> None:
    found = _values(network, reference)
    found["score"][120] = np.nan
    halves = []
    for start in (0, 100):
        rows = slice(start, start + 100)
        expected = {name: codes[rows] for name, codes in reference.items()}
        halves.append(
            (start, compare("hls", network, expected, {name: item[rows] for name, item in found.items()}, 0.0))
        )
    whole = joined(halves)
    assert (whole.mismatches, whole.max_lsb) == (1, None)
    assert whole.first_difference is not None
    assert whole.first_difference.first_vectors == [120]


def _averaging() -> Network:
    """Averages of three words, which a quantizer rounds: shapes (2, 1, 2) and divisors."""
    nodes = (
        Input("inputs", (6, 1, 2), FixedPoint.parse("fixed<8,6>")),
        Pooling("averages", "inputs", (3, 1), "average_pooling"),
        Quantize("rounded", "averages", FixedPoint.parse("fixed<8,6,RND_CONV,SAT>"), "linear"),
    )
    return Network(nodes)


@pytest.fixture(scope="module")
def images() -> tuple[dict[str, Codes], dict[str, Values]]:
    network, codes = _averaging(), np.random.default_rng(1).integers(-128, 128, (100, 12))
    reference = evaluate(network, codes)
    values = _values(network, reference)
    # as float64 divides
    values["averages"] = codes.reshape(100, 2, 3, 2).sum(axis=2).reshape(100, 2, 1, 2) / 4 / 3
    return reference, values


def test_averages_agree_with_what_float64_division_makes_of_them(
    images: tuple[dict[str, Codes], dict[str, Values]],
) -> None:
    reference, values = images
    result = compare("keras", _averaging(), reference, values, 0.0)
    assert (result.exact, result.layers) == (True, {"inputs": 0, "averages": 0, "rounded": 0})


def test_an_average_that_is_off_by_one_bit_of_float64_is_a_mismatch(
    images: tuple[dict[str, Codes], dict[str, Values]],
) -> None:
    reference, values = images
    averages = values["averages"].copy()
    averages[7, 1, 0, 1] = np.nextafter(averages[7, 1, 0, 1], np.inf)
    result = compare("keras", _averaging(), reference, values | {"averages": averages}, 0.0)
    assert (result.mismatches, result.layers["averages"]) == (1, 1)
    assert result.first_difference is not None
    assert result.first_difference.expected == [reference["averages"][7].ravel().tolist()]


def test_a_difference_of_averages_is_in_units_of_their_sums(
    images: tuple[dict[str, Codes], dict[str, Values]],
) -> None:
    reference, values = images
    sums = reference["averages"].copy()
    sums[7, 0, 0, 0] += 6
    result = compare("keras", _averaging(), reference, values | {"averages": sums / 4 / 3}, 0.0)
    assert result.first_difference is not None
    assert round(result.first_difference.max_lsb or 0, 9) == 6
    assert [round(value or 0, 9) for value in result.first_difference.found[0]] == sums[7].ravel().tolist()


def test_words_agree_whatever_shape_they_are_shown_in(images: tuple[dict[str, Codes], dict[str, Values]]) -> None:
    reference, values = images
    flat = {name: found.reshape(100, -1) for name, found in values.items()}
    assert compare("hls", _averaging(), reference, flat, 0.0) == compare("hls", _averaging(), reference, values, 0.0)
    flat["rounded"] = flat["rounded"][:, ::-1]
    assert compare("hls", _averaging(), reference, flat, 0.0).layers["rounded"] > 0


def _alone(network: Network, reference: dict[str, Codes], layer: str | None = None) -> Alone:
    """Layers alone, one of which is wrong by one bit in one element of one vector."""
    found = _values(network, reference)
    if layer:
        found[layer][3, 1] -= network.type(layer).lsb
    return compare_alone(network, reference, found)


def test_layers_alone_that_agree(network: Network, reference: dict[str, Codes]) -> None:
    alone = _alone(network, reference)
    assert (alone.vectors, alone.first_difference) == (200, None)
    assert alone.to_json() == {"vectors": 200, "layers": len(reference), "mismatches": 0, "first_layer": None}


def test_one_bit_in_one_layer_alone_is_a_failure_even_if_every_output_word_is_equal(
    network: Network, reference: dict[str, Codes]
) -> None:
    agreement = compare("hls", network, reference, _values(network, reference), 1.0)
    right, wrong = (replace(agreement, alone=_alone(network, reference, layer)) for layer in (None, "latent"))
    assert right.exact
    assert not wrong.exact
    assert wrong.mismatches == 0
    assert wrong.to_json()["alone"] == {
        "vectors": 200,
        "layers": len(reference),
        "mismatches": 1,
        "first_layer": "latent",
    }
    assert wrong.alone is not None
    assert wrong.alone.first_difference is not None
    assert wrong.alone.first_difference.first_vectors == [3]


def test_a_layer_that_gave_nothing_differs_in_every_vector(network: Network, reference: dict[str, Codes]) -> None:
    found = _values(network, reference)
    found["latent"] = np.full(found["latent"].shape, np.nan)
    alone = compare_alone(network, reference, found)
    assert alone.layers["latent"] == 200
    assert alone.first_difference is not None
    assert alone.first_difference.max_lsb is None


def test_no_layer_alone_is_no_difference(network: Network) -> None:
    alone = compare_alone(network, {}, {})
    assert (alone.vectors, alone.layers, alone.first_difference) == (0, {}, None)
