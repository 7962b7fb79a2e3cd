"""Which quantizers have a type, and which constants the quantizers of kernels and biases give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import load_qkeras

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.models.keras import quiet_serialization, tf_keras
from trigger_ad.models.quantizers import quantized_weights, quantizer_type, significant_bits

qkeras = load_qkeras()
quantized_bits, quantized_relu = qkeras.quantized_bits, qkeras.quantized_relu


@pytest.mark.parametrize(
    ("quantizer", "expected"),
    [
        (quantized_bits(8, 2, alpha=1), "fixed<8,3,RND_CONV,SAT>"),
        (quantized_bits(8, 0, alpha=1.0), "fixed<8,1,RND_CONV,SAT>"),
        (quantized_bits(4, 6, alpha=1), "fixed<4,7,RND_CONV,SAT>"),
        (quantized_bits(2, 1, alpha=1, keep_negative=True, symmetric=False), "fixed<2,2,RND_CONV,SAT>"),
        # outside of kernels, where QKeras sets it to auto_po2, no alpha is an alpha of 1
        (quantized_bits(8, 2), "fixed<8,3,RND_CONV,SAT>"),
        (quantized_bits(8, 2, keep_negative=0, alpha=1), "ufixed<8,2,RND_CONV,SAT>"),
        (quantized_bits(1, 0, keep_negative=0), "ufixed<1,0,RND_CONV,SAT>"),
        (quantized_relu(8, 3), "ufixed<8,3,RND_CONV,SAT>"),
        (quantized_relu(1, 0), "ufixed<1,0,RND_CONV,SAT>"),
    ],
    ids=str,
)
def test_a_quantizer_has_a_type(quantizer: Any, expected: str) -> None:
    assert str(quantizer_type(quantizer, "dense")) == expected


@pytest.mark.parametrize(
    "quantizer",
    [
        quantized_bits(4, 1, alpha=1),
        quantized_bits(3, 5),
        quantized_bits(4, 1, keep_negative=0),
        quantized_relu(4, 1),
        quantized_relu(3, 5),
    ],
    ids=lambda quantizer: type(quantizer).__name__,
)
def test_the_type_quantizes_as_the_quantizer_does(quantizer: Any) -> None:
    kind = quantizer_type(quantizer, "dense")
    # every eighth of a bit in and around the range, ties included
    values = np.arange(8 * (kind.code_min - 4), 8 * (kind.code_max + 5)) / 8 * kind.lsb
    expected = np.asarray(quantizer(values.astype(np.float32)), dtype=np.float64)
    assert kind.values(kind.quantize(values)).tolist() == expected.tolist()


@pytest.mark.parametrize(
    "quantizer",
    [
        None,
        quantized_bits(8, 2, alpha=1, symmetric=1),
        quantized_bits(8, 2, alpha=1, use_stochastic_rounding=True),
        quantized_bits(8, 2, alpha=1, qnoise_factor=0.5),
        quantized_bits(8, -1, alpha=1),
        quantized_bits(8, 2, alpha=2.0),
        quantized_bits(8, 2, alpha=np.array([1.0, 2.0])),
        quantized_bits(8, 2, alpha="auto"),
        quantized_bits(8, 2, alpha="auto_po2"),
        # of one bit it is -1 or 1
        quantized_bits(1, 0, alpha=1),
        quantized_bits(54, 2, alpha=1),
        quantized_relu(8, 2, negative_slope=0.25),
        quantized_relu(8, 2, use_sigmoid=1),
        quantized_relu(8, 2, use_stochastic_rounding=True),
        quantized_relu(8, 2, relu_upper_bound=1.0),
        quantized_relu(8, 2, qnoise_factor=0.5),
        quantized_relu(8, -1),
        qkeras.quantized_po2(8),
        qkeras.quantized_relu_po2(8),
        qkeras.ternary(),
        qkeras.binary(),
        qkeras.quantized_tanh(8),
        qkeras.quantized_ulaw(8, 2),
        # a class of its own below quantized_bits
        qkeras.quantized_hswish(8, 2, alpha=1),
        tf_keras.activations.relu,
    ],
    ids=lambda quantizer: type(quantizer).__name__,
)
def test_a_quantizer_that_does_not_convert_exactly_is_refused_with_its_layer(quantizer: Any) -> None:
    with pytest.raises(UserError, match=r"layer 'my_dense' .*quantizer") as refusal:
        quantizer_type(quantizer, "my_dense")
    assert "\n" not in str(refusal.value)


def test_weights_are_the_constants_that_the_quantizers_give() -> None:
    layer = qkeras.QDense(
        2,
        kernel_quantizer=quantized_bits(4, 1, alpha=1),
        bias_quantizer=quantized_bits(5, 2, alpha=1),
        kernel_initializer="zeros",
    )
    layer.build((None, 3))
    kernel = np.array([[0.12, -9.0], [0.125, 0.375], [1.7, 9.0]])
    layer.set_weights([kernel, np.array([0.3, -0.3])])
    weights = quantized_weights(layer)
    # quarters from -2 to 1.75, ties to even
    assert weights["kernel"].tolist() == [[0.0, -2.0], [0.0, 0.5], [1.75, 1.75]]
    assert weights["bias"].tolist() == [0.25, -0.25]


def test_a_layer_without_bias_has_one_weight() -> None:
    layer = qkeras.QDense(2, use_bias=False, kernel_quantizer=quantized_bits(4, 1, alpha=1), kernel_initializer="zeros")
    layer.build((None, 3))
    assert list(quantized_weights(layer)) == ["kernel"]


@pytest.mark.parametrize("missing", ["kernel_quantizer", "bias_quantizer"])
def test_a_weight_without_quantizer_is_refused(missing: str) -> None:
    quantizers = {name: quantized_bits(4, 1, alpha=1) for name in ("kernel_quantizer", "bias_quantizer")}
    layer = qkeras.QDense(2, name="my_dense", kernel_initializer="zeros", **(quantizers | {missing: None}))
    layer.build((None, 3))
    word = missing.split("_")[0]
    with pytest.raises(UserError, match=f"layer 'my_dense' has a {word} without a quantizer"):
        quantized_weights(layer)


def _kernel(quantizer: Any, kernel: Values) -> Values:
    """What a quantizer of a layer called `my_dense` makes of its kernel."""
    options = {"kernel_quantizer": quantizer, "kernel_initializer": "zeros", "name": "my_dense"}
    with quiet_serialization():
        layer = qkeras.QDense(kernel.shape[1], use_bias=False, **options)
    layer.build((None, len(kernel)))
    layer.set_weights([kernel])
    return quantized_weights(layer)["kernel"]


@pytest.mark.parametrize(
    ("quantizer", "expected"),
    [
        (quantized_bits(4, 1, alpha=1, symmetric=1), [[0.25, -1.75], [1.75, 0.5]]),
        (quantized_bits(4, 1, alpha=1, keep_negative=0), [[0.25, 0.0], [1.875, 0.5]]),
        (quantized_bits(4, 1, alpha=0.5), [[0.125, -1.0], [0.875, 0.25]]),
        (quantized_bits(4, 1, alpha=np.array([[1.0, 0.5]])), [[0.25, -1.0], [1.75, 0.25]]),
        # without alpha it is auto_po2 in a kernel: a scale for each column, as a string too
        (quantized_bits(4, 1), [[0.0, -7.0], [7.0, 1.0]]),
        ("quantized_bits(4,1)", [[0.0, -7.0], [7.0, 1.0]]),
        (qkeras.quantized_po2(4), [[0.25, -8.0], [8.0, 0.5]]),
        (qkeras.binary(alpha=0.25), [[0.25, -0.25], [0.25, 0.25]]),
        (qkeras.binary(alpha=2.0, use_01=True), [[2.0, 0.0], [2.0, 2.0]]),
        (qkeras.ternary(alpha=1.0, threshold=0.5), [[0.0, -1.0], [1.0, 1.0]]),
        (qkeras.ternary(), [[0.0, -8.0], [8.0, 0.0]]),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_kernel_is_what_its_quantizer_makes_of_it(quantizer: Any, expected: list[list[float]]) -> None:
    assert _kernel(quantizer, np.array([[0.26, -9.0], [7.0, 0.5]])).tolist() == expected


@pytest.mark.parametrize(
    "quantizer",
    [
        quantized_bits(4, 1, alpha="auto"),
        quantized_bits(4, 1, alpha=3.0),
        quantized_bits(4, 1, alpha=-1.0),
        quantized_bits(4, 1, alpha=np.array([[1.0, 0.7]])),
        quantized_bits(4, 1, alpha=1, use_stochastic_rounding=True),
        quantized_bits(4, 1, alpha=1, qnoise_factor=0.5),
        quantized_bits(4, -1, alpha=1),
        quantized_relu(4, 1, negative_slope=0.25),
        qkeras.quantized_po2(4, use_stochastic_rounding=True),
        qkeras.ternary(alpha="auto"),
        qkeras.binary(alpha=0.3),
        qkeras.stochastic_binary(),
        qkeras.stochastic_ternary(),
        qkeras.bernoulli(),
        qkeras.quantized_tanh(4),
        qkeras.quantized_hswish(8, 2, alpha=1),
    ],
    ids=lambda quantizer: type(quantizer).__name__,
)
def test_a_kernel_of_arbitrary_scale_or_at_random_is_refused_with_its_layer(quantizer: Any) -> None:
    with pytest.raises(UserError, match="layer 'my_dense' has the kernel quantizer") as refusal:
        _kernel(quantizer, np.ones((2, 2)))
    assert "auto_po2" in refusal.value.remedy
    assert "\n" not in str(refusal.value)


def test_significant_bits_are_those_from_the_first_to_the_last_one() -> None:
    values = np.array([[0.0, 1.0, -0.375], [2.0**-40, 5 * 2.0**30, 1 + 2.0**-52]])
    assert significant_bits(values).tolist() == [[0, 1, 2], [1, 3, 53]]


@pytest.mark.parametrize("kind", ["dense", "convolution"])
@pytest.mark.parametrize("word", ["kernel", "bias"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number_is_refused(kind: str, word: str, value: float) -> None:
    quantizers = {name: quantized_bits(4, 1, alpha=1) for name in ("kernel_quantizer", "bias_quantizer")}
    layer = (
        qkeras.QDense(2, kernel_initializer="zeros", **quantizers)
        if kind == "dense"
        else qkeras.QConv2D(2, (1, 1), kernel_initializer="zeros", **quantizers)
    )
    layer._name = "my_layer"
    layer.build((None, 3) if kind == "dense" else (None, 5, 5, 3))
    weights = dict(zip(("kernel", "bias"), layer.get_weights(), strict=True))
    weights[word].flat[1] = value
    layer.set_weights(list(weights.values()))
    with pytest.raises(UserError, match=f"layer 'my_layer' has a {word} with a value that is not a finite number"):
        quantized_weights(layer)


@pytest.mark.parametrize("quantizer", [quantized_relu(2, 31), quantized_bits(4, 32, alpha=1)])
def test_more_integer_bits_than_qkeras_computes_are_refused(quantizer: Any) -> None:
    with pytest.raises(UserError, match=r"layer 'dense' has the quantizer \w+ of 3\d integer bits") as error:
        quantizer_type(quantizer, "dense")
    assert "QKeras overflows beyond 30" in error.value.what
    assert str(quantizer_type(quantized_relu(2, 30), "dense")) == "ufixed<2,30,RND_CONV,SAT>"
