"""Small quantized Keras models, made without the package's own builders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from support.networks import load_qkeras

Role = Literal["weights", "linear", "relu"]
"""What a quantizer is for: the weights of a layer, or an activation."""


def dense_autoencoder(
    hidden: list[int], inputs: int, quantizer: Callable[[Role], Any], seed: int, scale: float = 2.0
) -> Any:
    """A model with a score: ReLUs behind its hidden layers, but not behind `latent`, the middle one.

    Args:
        hidden: Units of the layers between input and reconstruction; odd in number.
        inputs: Words of the input.
        quantizer: Makes one for every kernel, bias and activation.
        seed: Of the weights.
        scale: Their standard deviation.
    """
    from trigger_ad.models.keras import tf_keras

    qkeras, half = load_qkeras(), len(hidden) // 2
    names = [*(f"encoder_{i + 1}" for i in range(half)), "latent", *(f"decoder_{i + 1}" for i in range(half))]
    values = first = tf_keras.Input((inputs,), name="inputs")
    for name, units in zip([*names, "reconstruction"], [*hidden, inputs], strict=True):
        relu = name.startswith(("encoder", "decoder"))
        # QKeras draws start values at random, and warns of some
        settings = {"kernel_quantizer": quantizer("weights"), "bias_quantizer": quantizer("weights")}
        values = qkeras.QDense(units, kernel_initializer="zeros", name=name, **settings)(values)
        activation = quantizer("relu" if relu else "linear")
        values = qkeras.QActivation(activation, name=f"{name}_{'relu' if relu else 'quantized'}")(values)
    difference = tf_keras.layers.Subtract(name="difference")([first, values])
    square = tf_keras.layers.Multiply(name="square")([difference, difference])
    one = qkeras.quantized_bits(2, 1, alpha=1)
    score = qkeras.QDense(1, use_bias=False, kernel_quantizer=one, kernel_initializer="ones", name="score")(square)
    model, random = tf_keras.Model(first, score), np.random.default_rng(seed)
    *weights, ones = model.get_weights()
    model.set_weights([*(random.normal(0, scale, weight.shape) for weight in weights), ones])
    return model


def random_quantizer(random: np.random.Generator) -> Callable[[Role], Any]:
    """Quantizers of 2 to 8 bits with binary points at random."""
    qkeras = load_qkeras()

    def make(role: Role) -> Any:
        width, integer = int(random.integers(2, 9)), int(random.integers(0, 4))
        relu = role == "relu"
        return qkeras.quantized_relu(width, integer) if relu else qkeras.quantized_bits(width, integer, alpha=1)

    return make
