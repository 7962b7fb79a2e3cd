"""A model file of a user's that does not convert: one line that names the layer, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks import load_qkeras

from trigger_ad.errors import UserError
from trigger_ad.firmware.naming import check_names
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.models.keras import save_model, tf_keras
from trigger_ad.models.quantized import load_quantized
from trigger_ad.network.freezing import freeze

qkeras = load_qkeras()
Build = Callable[[Any], Any]


def _bits(**changes: Any) -> Any:
    return qkeras.quantized_bits(6, 2, **({"alpha": 1} | changes))


def _dense(name: str = "bad", **changes: Any) -> Any:
    # QKeras draws start values at random, and warns of some
    settings = {"kernel_quantizer": _bits(), "bias_quantizer": _bits(), "kernel_initializer": "zeros", "name": name}
    return qkeras.QDense(4, **(settings | changes))


def _activation(quantizer: Any) -> Any:
    return qkeras.QActivation(quantizer, name="bad")


def _nan(values: Any) -> Any:
    layer = _dense()
    result = layer(values)
    kernel, bias = layer.get_weights()
    kernel[1, 2] = np.nan
    layer.set_weights([kernel, bias])
    return result


def _clash(values: Any) -> Any:
    return _dense("BAD")(_dense("bad")(values))


def _three(values: Any) -> Any:
    return tf_keras.layers.Multiply(name="bad")([values, values, values])


class Doubling(tf_keras.layers.Layer):  # type: ignore[misc]
    """A layer that no other program knows."""

    def call(self, values: Any) -> Any:
        return values * 2


BAD: dict[str, tuple[Build, str]] = {
    "a layer that does not convert": (lambda values: tf_keras.layers.ELU(name="bad")(values), "is a ELU"),
    "a layer of the user's own": (lambda values: Doubling(name="bad")(values), "is a Doubling"),
    "a dense layer without quantizers": (lambda values: tf_keras.layers.Dense(2, name="bad")(values), "is a Dense"),
    "three inputs": (_three, "takes 3 inputs"),
    "a stochastic quantizer": (
        lambda values: _activation(qkeras.quantized_bits(4, 1, alpha=1, use_stochastic_rounding=True))(values),
        "use_stochastic_rounding=True",
    ),
    "a stochastic weight": (
        lambda values: _dense(kernel_quantizer=qkeras.stochastic_binary())(values),
        "has the kernel quantizer stochastic_binary",
    ),
    "a weight of arbitrary scale": (
        lambda values: _dense(kernel_quantizer=_bits(alpha="auto"))(values),
        "has the kernel quantizer quantized_bits(bits=6, integer=2, symmetric=True, alpha=auto",
    ),
    "a bias of arbitrary scale": (
        lambda values: _dense(bias_quantizer=_bits(alpha=0.3))(values),
        "has the bias quantizer",
    ),
    "a rectifier that is not quantized": (
        lambda values: _dense(activation="relu")(values),
        "has the activation quantizer relu",
    ),
    "a scaled activation within a layer": (
        lambda values: _dense(activation=_bits(alpha="auto_po2"))(values),
        "has the activation quantizer quantized_bits",
    ),
    "a symmetric activation": (lambda values: _activation(_bits(symmetric=1))(values), "symmetric=1"),
    "a scaled activation": (lambda values: _activation(_bits(alpha="auto_po2"))(values), "alpha=auto_po2"),
    "no bias quantizer": (lambda values: _dense(bias_quantizer=None)(values), "has a bias without a quantizer"),
    "weights that are no numbers": (_nan, "is not a finite number"),
    "a name clash": (_clash, "differ in upper and lower case alone"),
    "a name of the compiler's": (lambda values: _dense("result_t")(values), "has a name that hls4ml gives"),
}


@pytest.mark.parametrize("bad", BAD)
def test_it_is_refused_by_name_in_one_line(tmp_path: Path, bad: str) -> None:
    build, reason = BAD[bad]
    inputs = tf_keras.Input((4,), name="inputs")
    path = tmp_path / "model.h5"
    save_model(tf_keras.Model(inputs, build(inputs)), path)
    with pytest.raises(UserError) as refused:
        check_names(freeze(load_quantized(path), FixedPoint.parse("fixed<8,4>")))
    assert reason in refused.value.what
    assert "'bad'" in refused.value.what or "'result_t'" in refused.value.what
    assert refused.value.remedy
    assert "\n" not in str(refused.value)
