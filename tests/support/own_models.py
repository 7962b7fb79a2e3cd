"""QKeras models as users write and save them: quantizers by name and by default, activations within layers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from support.networks import load_qkeras

from trigger_ad.models.keras import tf_keras


def saved_model(path: Path, inputs: int = 6, seed: int = 1) -> Path:
    """Saves a small model of three output words, with random weights and QKeras's own defaults."""
    qkeras: Any = load_qkeras()
    with warnings.catch_warnings():
        # of QKeras's start values, of the way it reads and writes quantizers, and of HDF5
        warnings.simplefilter("ignore")
        quantizers = {"kernel_quantizer": "quantized_bits(6,0)", "bias_quantizer": "quantized_bits(6,0)"}
        first = tf_keras.Input((inputs,), name="features")
        values = qkeras.QDense(5, activation="quantized_relu(6,2)", name="hidden_1", **quantizers)(first)
        narrow = {"kernel_quantizer": qkeras.ternary(), "bias_quantizer": qkeras.quantized_po2(4)}
        values = qkeras.QDense(4, name="hidden_2", **narrow)(values)
        values = qkeras.QActivation("quantized_relu(5,2)", name="hidden_2_relu")(values)
        model = tf_keras.Model(first, qkeras.QDense(3, name="outputs", **quantizers)(values))
        random = np.random.default_rng(seed)
        model.set_weights([random.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
        model.save(path)
    return path
