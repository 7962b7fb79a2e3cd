"""The quantized model: which quantizers convert, float64 that is float64, and model files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.architectures import small
from support.networks import load_qkeras, small_quantized

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.models.architectures import PoolingLayer, WeightedLayer
from trigger_ad.models.floating import LayerWeights
from trigger_ad.models.keras import quiet_serialization, save_model, tensorflow, tf_keras
from trigger_ad.models.precision import LayerPrecision
from trigger_ad.models.quantized import (
    build_quantized,
    float64_keras,
    in_float64,
    load_quantized,
    quantize,
)
from trigger_ad.models.quantizers import quantizer_type

qkeras = load_qkeras()
quantized_bits, quantized_relu = qkeras.quantized_bits, qkeras.quantized_relu


@pytest.fixture(scope="module")
def model() -> Any:
    return small_quantized(seed=1)


def test_the_model_ends_in_its_score(model: Any) -> None:
    assert [layer.name for layer in model.layers] == [
        "inputs",
        "encoder_1",
        "encoder_1_relu",
        "latent",
        "latent_quantized",
        "reconstruction",
        "reconstruction_quantized",
        "difference",
        "square",
        "score",
    ]
    assert model.output_shape == (None, 1)
    assert model.get_layer("score").get_weights()[0].tolist() == [[1.0]] * 4


def test_float64_lasts_as_long_as_the_block() -> None:
    def fail_in_float64() -> None:
        with float64_keras():
            assert tf_keras.backend.floatx() == "float64"
            raise KeyError

    assert tf_keras.backend.floatx() == "float32"
    with pytest.raises(KeyError):
        fail_in_float64()
    assert tf_keras.backend.floatx() == "float32"


def relu_after_sum() -> Any:
    """The sum of two inputs, rounded to integers by a ReLU."""
    inputs = tf_keras.Input((2,), name="inputs")
    kernel = quantized_bits(4, 2, alpha=1)
    sums = qkeras.QDense(1, use_bias=False, kernel_quantizer=kernel, kernel_initializer="ones", name="sum")(inputs)
    return tf_keras.Model(inputs, qkeras.QActivation(quantized_relu(4, 4), name="relu")(sums))


def test_float64_sees_what_float32_rounds_away_before_a_relu() -> None:
    # just above a half, by less than float32 can show: the nearest integer is 1, but that to float32's half is 0
    values = np.array([[0.5, 2.0**-26], [0.5, 0.0], [1.5, -(2.0**-26)]])
    model = relu_after_sum()
    assert model.predict(values, verbose=0)[:, 0].tolist() == [0.0, 0.0, 2.0]
    with float64_keras():
        # set to float64, QKeras's own ReLU still computes in float32
        with quiet_serialization():
            cloned = tf_keras.models.clone_model(
                model, clone_function=lambda layer: type(layer).from_config(layer.get_config() | {"dtype": "float64"})
            )
        cloned.set_weights(model.get_weights())
        assert cloned.predict(values, verbose=0)[:, 0].tolist() == [0.0, 0.0, 2.0]
        double = in_float64(model)
        assert {weight.dtype for weight in double.get_weights()} == {np.dtype(np.float64)}
        assert double.predict(values, verbose=0)[:, 0].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(("bits", "integer"), [(1, 0), (4, 4), (6, 2), (5, 9), (24, 3)])
def test_the_relu_in_float64_is_the_same_function(bits: int, integer: int) -> None:
    inputs = tf_keras.Input((1,), name="inputs")
    model = tf_keras.Model(inputs, qkeras.QActivation(quantized_relu(bits, integer), name="relu")(inputs))
    kind = quantizer_type(quantized_relu(bits, integer), "relu")
    around = np.concatenate([np.arange(-40, 140) / 4, kind.code_max + np.arange(-20, 20) / 4]) * kind.lsb
    with float64_keras():
        found = in_float64(model).predict(around[:, None], verbose=0)[:, 0]
    assert found.tolist() == kind.values(kind.quantize(np.maximum(around, 0))).tolist()


@pytest.mark.parametrize(("bits", "integer"), [(1, 0), (4, 4), (6, 2), (5, 9)])
def test_the_quick_relu_is_that_of_qkeras_with_its_gradient(bits: int, integer: int) -> None:
    first = tf_keras.Input((1,), name="inputs")
    kind = FixedPoint(False, bits, integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)
    layer = tf_keras.Model(first, quantize(first, kind, "relu")).get_layer("relu")
    values = np.concatenate([np.arange(-20, 8 * kind.code_max + 20) / 8 * kind.lsb, [0.0, -0.0, 1e30, -1e30]])
    results = []
    for quantizer in (layer.quantizer, quantized_relu(bits, integer)):
        tensor = tensorflow.constant(values, "float32")
        with tensorflow.GradientTape() as tape:
            tape.watch(tensor)
            found = quantizer(tensor)
        results.append((found.numpy().tolist(), tape.gradient(found, tensor).numpy().tolist()))
    assert results[0] == results[1]
    # what is written into a file is QKeras's own
    assert type(layer.get_config()["activation"]) is quantized_relu


def test_a_saved_model_is_read_back(tmp_path: Path, model: Any) -> None:
    save_model(model, tmp_path / "model.h5")
    again = load_quantized(tmp_path / "model.h5")
    values = np.random.default_rng(1).normal(size=(10, 4))
    assert again.predict(values, verbose=0).tolist() == model.predict(values, verbose=0).tolist()
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def refused(path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        load_quantized(path)
    assert refusal.value.what.startswith(f"{path} ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model"])
def test_a_missing_model_is_refused(tmp_path: Path, name: str) -> None:
    refused(tmp_path / name)


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model.txt"])
@pytest.mark.parametrize("content", [b"", b"just text\n", b"\x89HDF\r\n\x1a\n"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    refused(tmp_path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_model_is_refused(tmp_path: Path, model: Any, kept: float) -> None:
    save_model(model, tmp_path / "model.h5")
    content = (tmp_path / "model.h5").read_bytes()
    (tmp_path / "model.h5").write_bytes(content[: int(kept * len(content))])
    refused(tmp_path / "model.h5")


def test_an_hdf5_file_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "events.h5", "w") as file:
        file["Particles"] = np.zeros((3, 19, 4))
    refused(tmp_path / "events.h5")


@pytest.mark.parametrize("damage", ["no weights", "no layer's weights", "no JSON", "no class", "unknown class"])
def test_a_damaged_model_is_refused(tmp_path: Path, model: Any, damage: str) -> None:
    save_model(model, tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "a") as file:
        if damage == "no weights":
            del file["model_weights"]
        elif damage == "no layer's weights":
            del file["model_weights"]["latent"]
        else:
            config = {
                "no JSON": "{",
                "no class": '{"config": {}}',
                "unknown class": '{"class_name": "MyModel", "config": {}}',
            }[damage]
            file.attrs["model_config"] = config
    refused(tmp_path / "model.h5")


def test_every_layer_has_the_words_of_its_precision() -> None:
    architecture, random = small("average"), np.random.default_rng(1)
    weights, precisions = {}, {}
    for index, (layer, shape) in enumerate(architecture.steps()):
        if isinstance(layer, WeightedLayer):
            weights[layer.name] = LayerWeights(random.normal(size=layer.kernel_shape(shape)), np.zeros(layer.units))
            precisions[layer.name] = LayerPrecision(
                saturating(True, 4 + index, 2),
                saturating(True, 5, 1 + index),
                saturating(layer.activation == "linear", 7, 3),
            )
        elif isinstance(layer, PoolingLayer):
            precisions[layer.name] = LayerPrecision(None, None, saturating(False, 6, index))
    model = build_quantized(architecture, weights, precisions)
    for name, precision in precisions.items():
        layer = next(layer for layer in architecture.layers if layer.name == name)
        if isinstance(layer, WeightedLayer):
            found = [quantizer_type(quantizer, name) for quantizer in model.get_layer(name).get_quantizers()]
            assert found == [precision.kernel, precision.bias]
            kernel = model.get_layer(name).get_weights()[0]
            assert kernel.tolist() == weights[name].kernel.astype(np.float32).tolist()
        end = "relu" if isinstance(layer, WeightedLayer) and layer.activation == "relu" else "quantized"
        assert quantizer_type(model.get_layer(f"{name}_{end}").quantizer, name) == precision.output


def saturating(signed: bool, width: int, integer: int) -> FixedPoint:
    return FixedPoint(signed, width, integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)


def test_the_input_of_the_rebuilt_model_is_in_float64_too() -> None:
    first = tf_keras.Input((1,), name="inputs")
    model = tf_keras.Model(first, qkeras.QActivation(quantized_bits(40, 20, alpha=1), name="kept")(first))
    # 30 bits: float32 would round them
    values = np.array([[2.0**19 + 2.0**-10]])
    with float64_keras():
        double = in_float64(model)
        assert [tensor.dtype.name for tensor in double.inputs] == ["float64"]
        assert double.predict(values, verbose=0).tolist() == values.tolist()
