"""hls4ml's layer list: sizes, windows and padding of images, and streams that are packed anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.images import AROUND, ImageNetwork, autoencoder, every_operation
from support.runs import small_network

from trigger_ad.config import FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls_layers import check_layers, layer_list, layer_precisions, multiplications, reuse_factor_of
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Elementwise, Pooling, Reshape


def _layers(network: Network, io_type: str = "io_parallel") -> dict[str, dict[str, Any]]:
    config = FirmwareConfig.model_validate({"io_type": io_type})
    return {layer["name"]: layer for layer in layer_list(network, config)}


def test_a_convolution_has_the_sizes_of_its_images() -> None:
    net = ImageNetwork((7, 4, 2))
    net.convolution("convolution", (3, 2, 2, 5), strides=(2, 1), padding=((1, 2), (0, 1)))
    layer = _layers(net.score())["convolution"]
    numbers = {key: value for key, value in layer.items() if isinstance(value, int)}
    assert numbers == {
        "in_height": 7,
        "in_width": 4,
        "n_chan": 2,
        "out_height": 4,
        "out_width": 4,
        "n_filt": 5,
        "filt_height": 3,
        "filt_width": 2,
        "stride_height": 2,
        "stride_width": 1,
        "pad_top": 1,
        "pad_bottom": 2,
        "pad_left": 0,
        "pad_right": 1,
    }
    assert layer["weight_data"].shape == (3, 2, 2, 5)


def test_the_words_of_an_image_are_those_of_the_vector() -> None:
    assert _layers(autoencoder())["inputs"]["input_shape"] == [7, 3, 1]
    assert _layers(small_network())["inputs"]["input_shape"] == [6]


def _reshaped(shape: tuple[int, ...], target: tuple[int, ...], *, dense: bool = False) -> list[dict[str, Any]]:
    rows, columns, channels = shape
    net = ImageNetwork((rows, columns, 1))
    net.convolution("image", (1, 1, 1, channels))
    net.nodes.append(Reshape("reshaped", "image", target))
    if dense:
        net.dense("dense", rows * columns * channels, 2)
    else:
        net.quantize("quantized", "fixed<6,3,RND_CONV,SAT>", "linear")
    config = FirmwareConfig.model_validate({"io_type": "io_stream"})
    return [layer for layer in layer_list(net.score(), config) if layer["name"].startswith("reshaped")]


def test_a_dense_layer_gathers_its_words_from_a_stream_of_positions() -> None:
    (layer,) = _reshaped((2, 3, 2), (12,), dense=True)
    assert layer["class_name"] == "Reshape"


@pytest.mark.parametrize(("shape", "target"), [((2, 3, 2), (12,)), ((1, 3, 4), (2, 3, 2)), ((2, 2, 2), (1, 2, 4))])
def test_other_reshaped_streams_are_packed_anew(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    (layer,) = _reshaped(shape, target)
    assert (layer["class_name"], layer["target_shape"]) == ("Repack", list(target))


def test_transfers_that_do_not_divide_each_other_pass_word_by_word() -> None:
    first, second = _reshaped((1, 2, 3), (1, 3, 2))
    assert (first["class_name"], first["target_shape"], first["inputs"]) == ("Repack", [6, 1], ["image"])
    assert (second["class_name"], second["target_shape"], second["inputs"]) == ("Repack", [1, 3, 2], [first["name"]])


def test_in_parallel_a_reshape_is_but_a_name() -> None:
    layers = _layers(every_operation())
    assert {layer["class_name"] for layer in layers.values()} & {"Repack", "Reshape"} == {"Reshape"}


def test_every_layer_has_its_types() -> None:
    network = every_operation()
    for io_type in ("io_parallel", "io_stream"):
        config = FirmwareConfig.model_validate({"io_type": io_type})
        types = layer_precisions(network, config)
        assert types.keys() == _layers(network, io_type).keys()
    assert types["pairs_words"] == {"result": network.type("rounded")}


def test_a_convolutions_multiplications_are_those_of_one_position() -> None:
    nodes = {node.name: node for node in autoencoder().nodes}
    assert multiplications(nodes["encoder_1"]) == (9, 4)
    assert multiplications(nodes["latent"]) == (24, 3)
    # an addition of words has none
    assert multiplications(nodes["score"]) is None
    assert multiplications(nodes["pooled"]) is None


def test_hardware_is_not_used_again_more_often_than_there_are_results() -> None:
    net = ImageNetwork((2, 3, 1))
    net.convolution("convolution", (1, 1, 1, 2), padding=AROUND)
    net.nodes.append(Pooling("pooled", net.last, (4, 5), "max_pooling"))
    network = net.score()
    config = FirmwareConfig(reuse_factor=8)
    factors = {node.name: reuse_factor_of(node, network, config) for node in network.nodes}
    assert (factors["convolution"], factors["pooled"], factors["score"]) == (8, 2, 1)


def _check(network: Network, io_type: str) -> None:
    check_layers(network, FirmwareConfig.model_validate({"io_type": io_type}))


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_the_networks_of_these_tests_convert(io_type: str) -> None:
    for network in (small_network(), autoencoder(), every_operation()):
        _check(network, io_type)


def _convolution(window: tuple[int, int], strides: tuple[int, int]) -> Network:
    net = ImageNetwork()
    net.convolution("convolution", (*window, 1, 2), strides=strides)
    return net.score()


def test_a_window_of_one_row_that_is_moved_by_rows_is_refused_in_a_stream() -> None:
    with pytest.raises(UserError, match="layer 'convolution' has windows of one row and steps of 2 rows"):
        _check(_convolution((1, 2), (2, 1)), "io_stream")
    _check(_convolution((1, 2), (2, 1)), "io_parallel")
    for window, strides in [((1, 2), (1, 2)), ((1, 1), (2, 2)), ((2, 2), (2, 2))]:
        _check(_convolution(window, strides), "io_stream")


def test_a_stream_that_is_read_too_often_is_refused() -> None:
    net = ImageNetwork()
    net.quantize("often", "fixed<3,2>", "linear")
    for index in range(7):
        net.nodes.append(Elementwise(f"sum_{index}", net.last, "often", "subtract"))
    network = net.score()
    with pytest.raises(UserError, match="layer 'often' is read 8 times; hls4ml copies a stream 7 times at most"):
        _check(network, "io_stream")
    _check(network, "io_parallel")


@pytest.mark.parametrize(("words", "refused"), [("ufixed<4,-1>", True), ("fixed<4,-1>", True), ("fixed<4,0>", False)])
@pytest.mark.parametrize("moved", [False, True])
def test_words_that_are_all_rounded_to_zero_are_refused(words: str, refused: bool, moved: bool) -> None:
    # the vendor's fixed-point library stops the program where a word has no bits at the rounding position
    net = ImageNetwork((2, 3, 1), words)
    net.nodes += [Reshape("moved", "inputs", (3, 2, 1))] if moved else []
    net.quantize("coarse", "fixed<4,4,RND_CONV,SAT>", "relu")
    network = net.score()
    assert bool(evaluate(network, np.full((1, 6), network.input.type.code_min or 15))["coarse"].any()) is False
    if not refused:
        check_layers(network, FirmwareConfig())
        return
    said = r"layer 'coarse' rounds every word of '(inputs|moved)' to 0"
    with pytest.raises(UserError, match=said):
        check_layers(network, FirmwareConfig())


def test_words_that_are_no_vector_and_no_image_are_refused() -> None:
    net = ImageNetwork()
    net.nodes.append(Reshape("table", "inputs", (7, 3)))
    with pytest.raises(UserError, match=r"layer 'table' gives words of shape \(7, 3\)"):
        _check(net.score(), "io_parallel")


def test_an_image_is_no_output() -> None:
    net = ImageNetwork()
    net.quantize("last", "fixed<3,2>", "linear")
    with pytest.raises(UserError, match="layer 'last' ends the network with an image or a reshaped one"):
        _check(Network(tuple(net.nodes)), "io_parallel")
    flat = Reshape("flat", "last", (21,))
    with pytest.raises(UserError, match="layer 'flat' ends the network with an image or a reshaped one"):
        _check(Network((*net.nodes, flat)), "io_parallel")
