"""The firmware as a program of alkaid: every word of every node must be the reference's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.fixed_points import constant
from support.image_networks import image_networks
from support.images import autoencoder, every_operation, image_config, image_vectors
from support.native import encoding_for, random_words
from support.networks import far_from_zero, networks
from support.runs import Types, corners, encoding_of, logarithmic_config, network_vectors, small_config, small_network

from trigger_ad.config import InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware import rtl
from trigger_ad.firmware.rtl import products, too_large, traced
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Activation, Dense, Elementwise, Input, Node, Pooling, Quantize, Reshape


def differing(network: Network, encoding: InputEncoding, words: Codes) -> list[str]:
    """The nodes of which a word differs from the reference's: those of the whole program, and the output alone."""
    reference = evaluate(network, encoding.codes_of_words(words))
    names = [node.name for node in network.nodes]
    found = traced(network, encoding, names).run(words)
    assert list(found) == names
    alone = traced(network, encoding).run(words)
    output = network.output.name
    assert list(alone) == [output]
    same = {name: np.array_equal(reference[name], found[name]) for name in names}
    same[output] &= np.array_equal(reference[output], alone[output])
    return [name for name in names if not same[name]]


@pytest.mark.parametrize(
    "types",
    [
        Types(),
        Types(input="ufixed<8,3>", bias=None),
        Types(activation="ufixed<6,2>", linear="fixed<7,3>"),
        Types(activation="ufixed<6,2,RND_CONV,WRAP>", linear="fixed<7,3,TRN,SAT>"),
        Types(input="fixed<10,4>", weight="fixed<9,2>", activation="ufixed<9,3,RND_CONV,SAT>"),
    ],
)
def test_a_dense_autoencoder(types: Types) -> None:
    network = small_network(types)
    assert differing(network, encoding_of(small_config(network)), network_vectors(network)) == []


@pytest.mark.parametrize("network", [autoencoder(), every_operation()], ids=["autoencoder", "every operation"])
def test_networks_of_images(network: Network) -> None:
    encoding = encoding_of(image_config(network))
    assert differing(network, encoding, np.concatenate([image_vectors(network), *corners(encoding).values()])) == []


@settings(
    max_examples=30,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(network=st.one_of(networks(bounded=False), image_networks()).filter(lambda found: found.input.type.width > 1))
def test_random_networks(network: Network) -> None:
    encoding = encoding_for(network.input.type, network.input.size)
    try:
        assert differing(network, encoding, random_words(encoding, 150)) == []
    except UserError as error:
        # what alkaid would not keep exactly is refused
        assert "that alkaid's programs keep exactly" in error.what  # noqa: PT017


MODES = [f"{rounding},{overflow}" for rounding in ("TRN", "RND_CONV") for overflow in ("WRAP", "SAT")]


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("modes", MODES)
@pytest.mark.parametrize("divisor", [1, 3, 5, 6])
def test_every_code_in_types_of_every_kind(activation: Activation, modes: str, divisor: int) -> None:
    kind = FixedPoint(True, 9, 5)
    kinds = ("fixed<5,2", "ufixed<4,2", "ufixed<3,5", "fixed<2,7", "fixed<9,0", "ufixed<4,-3", "fixed<14,8")
    # sums of one word with itself, so that every sum and every tie occurs
    nodes: list[Node] = [
        Input("inputs", (1,), kind),
        Dense("copies", "inputs", constant([[1] * divisor]), constant([*range(divisor)], 4)),
        Reshape("image", "copies", (divisor, 1, 1)),
        Pooling("average", "image", (divisor, 1), "average_pooling"),
    ]
    nodes += [Quantize(text, "average", FixedPoint.parse(f"{text},{modes}>"), activation) for text in kinds]
    assert differing(Network(tuple(nodes)), encoding_for(kind, 1), np.arange(512)[:, None]) == []


@pytest.mark.parametrize(
    "pt",
    [
        {"lsb": 1.0, "width": 8, "offset": -64, "shift": 5},
        {"lsb": 1.0, "width": 7, "offset": 0, "shift": -2},
        {"lsb": 1.0, "width": 7, "offset": 50, "shift": 3},
        {"lsb": 1.0, "width": 6, "offset": 63, "shift": 0},
        {"lsb": 0.5, "width": 10, "logarithm": 4, "offset": 0, "shift": 5},
        {"lsb": 0.5, "width": 6, "logarithm": 2, "offset": 9, "shift": 1},
        {"lsb": 0.5, "width": 2, "logarithm": 0, "offset": 0, "shift": 0},
    ],
)
def test_every_word_of_every_feature_is_encoded(pt: dict[str, float]) -> None:
    angles = {"eta": {"lsb": 0.5, "width": 7, "offset": 5, "shift": 2}, "phi": {"lsb": 0.5, "width": 6, "shift": 6}}
    inputs = {"pt": pt, "other": {"class": {"lsb": 1.0, "width": 3, "shift": 2}}} | angles
    encoding = InputEncoding(InputsConfig.model_validate(inputs))
    network = Network((Input("inputs", (encoding.inputs,), encoding.network_type),))
    kinds = [feature.word for feature in encoding.features] * encoding.layout.objects
    vectors = np.arange(2 * max(1 << kind.width for kind in kinds))
    words = np.stack([vectors % (1 << kind.width) + kind.code_min for kind in kinds], axis=1)
    # every word of a present object, and of an absent one
    words[len(words) // 2 :, :: len(encoding.features)] = 0
    assert differing(network, encoding, words) == []


def _of_one_word_twice(last: list[Node]) -> Network:
    """Rectifies one sum twice: what is made of both has narrower bounds than each for itself would give.

    Args:
        last: Nodes that read "both", two words of 0 to 3, in units of 1/2, that are always equal.
    """
    twice = Dense("twice", "inputs", constant([[1, 1]], fraction=0), None)
    both = Quantize("both", "twice", FixedPoint.parse("ufixed<2,1,RND_CONV,SAT>"), "relu")
    return Network((Input("inputs", (1,), FixedPoint.parse("fixed<5,3>")), twice, both, *last))


def test_a_word_that_is_found_not_to_be_negative_saturates_at_the_other_end() -> None:
    # 5 q - q by words of its own each, from -3 to 15; in fact from 0 to 12
    sums = Dense("sums", "both", constant([[5], [-1]], fraction=0), None)
    network = _of_one_word_twice([sums, Quantize("out", "sums", FixedPoint.parse("fixed<3,2,RND_CONV,SAT>"), "linear")])
    encoding = encoding_for(network.input.type, 1)
    assert differing(network, encoding, np.arange(32)[:, None]) == []


def test_a_bit_that_is_shifted_is_not_taken_for_the_highest_one() -> None:
    # 1 - 5 of the same word: its rounding needs single bits of a negative multiple
    sums = Dense("sums", "both", constant([[-5], [1]], fraction=0), None)
    network = _of_one_word_twice([sums, Quantize("out", "sums", FixedPoint.parse("fixed<3,4,RND_CONV,SAT>"), "linear")])
    encoding = encoding_for(network.input.type, 1)
    assert differing(network, encoding, np.arange(32)[:, None]) == []


def test_the_larger_of_two_words_of_which_one_is_found_to_be_never_smaller() -> None:
    sums = Dense("sums", "both", constant([[3, 1], [-2, 1]], fraction=0), None)
    image = Reshape("image", "sums", (2, 1, 1))
    network = _of_one_word_twice([sums, image, Pooling("out", "image", (2, 1), "max_pooling")])
    encoding = encoding_for(network.input.type, 1)
    assert differing(network, encoding, np.arange(32)[:, None]) == []


def test_an_encoding_for_other_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="the encoding makes 3 inputs"):
        traced(small_network(), encoding_for(FixedPoint(True, 8, 3), 3))


def test_the_table_of_logarithms_is_read_in_a_network() -> None:
    encoding = encoding_of(logarithmic_config())
    sums = Dense("score", "inputs", constant([[1], [-3], [5], [7], [-2], [9]]), None)
    network = Network((Input("inputs", (encoding.inputs,), encoding.network_type), sums))
    assert differing(network, encoding, random_words(encoding, 500)) == []


def refused(nodes: tuple[Node, ...]) -> str:
    """What a network is refused with."""
    network = Network(nodes)
    with pytest.raises(UserError) as caught:
        traced(network, encoding_for(network.input.type, network.input.size))
    return caught.value.what


def test_what_alkaid_would_not_keep_exactly_is_refused_by_layer() -> None:
    wide, narrow = Input("inputs", (1,), FixedPoint(True, 24, 24)), Input("inputs", (1,), FixedPoint(True, 4, 4))
    tripled = Dense("tripled", "inputs", constant([[3]]), None)
    square = Elementwise("square", "tripled", "tripled", "multiply")
    assert "layer 'square' needs a word of 52 bits, more than the 48" in refused((wide, tripled, square))
    biased = Dense("biased", "inputs", constant([[1]]), constant([(1 << 24) + 1]))
    assert "layer 'biased' has a constant of 25 bits, more than the 24" in refused((narrow, biased))
    weighted = Dense("weighted", "inputs", constant([[(1 << 24) + 1]]), None)
    assert "layer 'weighted' has weights of more than the 24 bits" in refused((narrow, weighted))
    far = Dense("far", "inputs", constant([[1]], 120), None)
    assert "layer 'far' has a binary point 120 bits away" in refused((narrow, far))
    assert "more than the" in refused(far_from_zero(1).nodes)


def test_networks_of_too_many_products_are_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_network()
    kernels = [node.kernel.codes for node in network.nodes if isinstance(node, Dense)]
    assert products(network) == sum(int(np.count_nonzero(codes)) for codes in kernels)
    assert too_large(network) is None
    monkeypatch.setattr(rtl, "LARGEST_PRODUCTS", products(network) - 1)
    assert too_large(network) == (
        f"{products(network)} products with weights are more than the {products(network) - 1} that are traced in "
        "some minutes"
    )


def test_the_weights_of_a_convolution_count_at_every_position() -> None:
    assert products(autoencoder()) > products(small_network())
