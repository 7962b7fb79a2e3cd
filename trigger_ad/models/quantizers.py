"""What QKeras's quantizers do: the type that an activation has, and the constants that a kernel or a bias becomes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.qkeras_library import qkeras

ACTIVATION_REMEDY: Final = "Use quantized_bits(bits, integer, alpha=1) or quantized_relu(bits, integer)"
WEIGHT_REMEDY: Final = (
    "Use quantized_bits, quantized_po2, binary or ternary, whose alpha, if they have one, is a power of two or "
    "'auto_po2', and which do not round at random"
)
_FLOAT32_BITS: Final = 24
_MOST_INTEGER_BITS: Final = 30
"""Of a quantizer: QKeras computes two to this power in integers of 32 bits, and has another number or none beyond."""


def quantizer_type(quantizer: Any, layer: str, word: str | None = None) -> FixedPoint:
    """The fixed-point type of the quantizer of an activation, which must be the same function.

    `quantized_bits(bits, integer, keep_negative=1, symmetric=0, alpha=1)` is `fixed<bits, integer + 1, RND_CONV, SAT>`;
    with `keep_negative=0` it is `ufixed<bits, integer, RND_CONV, SAT>`, as `quantized_relu(bits, integer)` is.

    Args:
        quantizer: The quantizer; outside of kernels an alpha of None is 1.
        layer: For the error message.
        word: Which of the layer's words, for the error message; None for its output.

    Raises:
        UserError: If the quantizer does not convert exactly.
    """
    kind = type(quantizer)
    if kind is qkeras.quantized_bits:
        odd = quantizer.symmetric or not (quantizer.alpha is None or _is_one(quantizer.alpha))
        signed = bool(quantizer.keep_negative)
    elif isinstance(quantizer, qkeras.quantized_relu):
        odd, signed = _is_no_plain_relu(quantizer), False
    else:
        raise UserError(f"layer '{layer}' has the {_of(word)}quantizer {_name(quantizer)}", ACTIVATION_REMEDY)
    odd = odd or _is_noisy(quantizer) or quantizer.integer < 0
    # a signed word of one bit is -1 or 1 in QKeras
    if odd or not 1 + int(signed) <= quantizer.bits <= MAX_WIDTH:
        raise _inexact(quantizer, layer, word, ACTIVATION_REMEDY)
    if quantizer.integer > _MOST_INTEGER_BITS:
        what = f"layer '{layer}' has the {_of(word)}quantizer {_name(quantizer)} of {quantizer.integer} integer bits"
        raise UserError(f"{what}, and QKeras overflows beyond {_MOST_INTEGER_BITS}", "Scale its inputs down")
    integer = int(quantizer.integer) + int(signed)
    return FixedPoint(signed, int(quantizer.bits), integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)


def quantized_weights(layer: Any) -> dict[str, Values]:
    """Kernel and, if there is one, bias of a QDense or QConv2D layer as the constants that its quantizers give.

    Whatever the quantizers do to come by them, scales that are powers of two included, the constants are what the
    layer multiplies by.

    Returns:
        Values in float64, by `kernel` and `bias`.

    Raises:
        UserError: If a quantizer is missing or gives constants of arbitrary scale, or a weight is not a number; names
            the layer and the word.
    """
    results = {}
    for weight, quantizer, word in zip(layer.weights, layer.get_quantizers(), ("kernel", "bias"), strict=False):
        _require_constants(quantizer, layer.name, word)
        values = np.asarray(quantizer(weight), dtype=np.float64)
        if not (np.isfinite(weight.numpy()).all() and np.isfinite(values).all()):
            raise UserError(
                f"layer '{layer.name}' has a {word} with a value that is not a finite number", "Train the model again"
            )
        if not _is_on_grid(values, quantizer):
            raise UserError(
                f"layer '{layer.name}' has a {word} with a value that float32 leaves inexact in its quantizer, "
                f"{_shown(quantizer)}",
                "Use fewer bits for it",
            )
        results[word] = values
    return results


def _require_constants(quantizer: Any, layer: str, word: str) -> None:
    """Checks that a kernel's or bias's quantizer gives the same constants each time, whose scales are powers of two."""
    if quantizer is None:
        raise UserError(f"layer '{layer}' has a {word} without a quantizer", WEIGHT_REMEDY)
    kind = type(quantizer)
    if kind not in (
        qkeras.quantized_bits,
        qkeras.quantized_relu,
        qkeras.quantized_po2,
        qkeras.binary,
        qkeras.ternary,
    ):
        raise UserError(f"layer '{layer}' has the {word} quantizer {_name(quantizer)}", WEIGHT_REMEDY)
    odd = _is_noisy(quantizer) or not _is_power_of_two(getattr(quantizer, "alpha", None))
    odd = odd or getattr(quantizer, "integer", 0) < 0
    if odd or (kind is qkeras.quantized_relu and _is_no_plain_relu(quantizer)):
        raise _inexact(quantizer, layer, word, WEIGHT_REMEDY)


def _is_on_grid(values: Values, quantizer: Any) -> bool:
    """Whether float32 left what a quantizer computes as it should be: values of as many bits as it has, or fewer."""
    bits = int(quantizer.bits) if isinstance(quantizer, qkeras.quantized_bits | qkeras.quantized_relu) else 1
    if (significant_bits(values) > bits).any():
        return False
    if bits <= _FLOAT32_BITS:
        return True
    # the largest code of a wider word is rounded up, out of the range
    scale = np.asarray(getattr(quantizer, "scale", 1.0), dtype=np.float64)
    return bool((values < scale * 2.0**quantizer.integer).all())


def significant_bits(values: Values) -> NDArray[np.int64]:
    """From the first to the last bit of each value that is set; 0 for zero."""
    mantissas = np.abs(np.ldexp(np.frexp(values)[0], MAX_WIDTH)).astype(np.int64)
    lowest = (mantissas & -mantissas).astype(np.float64)
    return np.where(mantissas == 0, 0, MAX_WIDTH + 1 - np.frexp(lowest)[1])


def _is_noisy(quantizer: Any) -> bool:
    return bool(quantizer.use_stochastic_rounding) or not _is_one(getattr(quantizer, "qnoise_factor", 1))


def _is_no_plain_relu(quantizer: Any) -> bool:
    return bool(quantizer.negative_slope or quantizer.use_sigmoid or quantizer.relu_upper_bound is not None)


def _is_one(factor: Any) -> bool:
    return not isinstance(factor, str) and factor is not None and bool(np.all(np.asarray(factor) == 1))


def _is_power_of_two(alpha: Any) -> bool:
    if alpha is None or isinstance(alpha, str):
        return alpha in (None, "auto_po2")
    return bool((np.frexp(np.asarray(alpha, dtype=np.float64))[0] == 0.5).all())


def _inexact(quantizer: Any, layer: str, word: str | None, remedy: str) -> UserError:
    what = f"layer '{layer}' has the {_of(word)}quantizer {_shown(quantizer)}, which does not convert exactly"
    return UserError(what, remedy)


def _shown(quantizer: Any) -> str:
    """A quantizer with all its settings, on one line."""
    settings = ", ".join(f"{name}={' '.join(str(value).split())}" for name, value in quantizer.get_config().items())
    return f"{type(quantizer).__name__}({settings})"


def _name(quantizer: Any) -> str:
    """Of a class's object, or of a function."""
    return str(getattr(quantizer, "__name__", type(quantizer).__name__))


def _of(word: str | None) -> str:
    return "" if word is None else f"{word} "
