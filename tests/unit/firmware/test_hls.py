"""The HLS sources hold exactly the network's types and constants, and a factor that hls4ml would change is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.images import ImageNetwork, autoencoder, every_operation, image_config
from support.runs import Types, small_network

from trigger_ad.config import BackEnd, FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware import hls
from trigger_ad.firmware.hls import network_function, top_function, write_hls_project
from trigger_ad.firmware.hls_types import hls_layer_name, hls_nodes, merged_quantizer, precisions
from trigger_ad.firmware.reuse import check_reuse_factor
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Node

WIDE = Types(input="fixed<12,3>", weight="fixed<17,1>", bias="fixed<15,1>")
"""Weights of 16 and biases of 14 fraction bits."""


def _project(network: Network, folder: Path, back_end: BackEnd = "vitis", **firmware: str | int) -> Path:
    write_hls_project(network, "small", back_end, FirmwareConfig.model_validate(firmware), folder)
    return folder / "firmware"


def _typedefs(firmware: Path) -> dict[str, str]:
    """Types by name, without the wrapping bits that say nothing and the vector around a stream's words."""
    text = (firmware / "defines.h").read_text()
    found = re.findall(r"typedef (?:nnet::array<)?(ap_u?(?:fixed|int)<[^>]*>)(?:, \d+\*?\d*>)? (\w+);", text)
    return {name: re.sub(r"(,AP_\w+),0>", r"\1>", kind) for kind, name in found}


def _results(firmware: Path) -> dict[str, str]:
    """The name of each layer's result type, from the calls in the top function."""
    text = (firmware / "trigger_ad_small_network.cpp").read_text()
    calls = re.findall(r"nnet::\w+<([^>]*)>\([^)]*\); // (\w+)", text)
    return {layer: arguments.split(", ")[-2] for arguments, layer in calls}


def _ap(kind: FixedPoint) -> str:
    modes = "" if kind == kind.plain() else f",AP_{kind.rounding},AP_{kind.overflow}"
    return f"ap_{'' if kind.signed else 'u'}fixed<{kind.width},{kind.integer}{modes}>"


@pytest.mark.parametrize("back_end", ["vitis", "vivado"])
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_every_type_is_the_networks(tmp_path: Path, back_end: BackEnd, io_type: str) -> None:
    network = small_network(WIDE)
    firmware = _project(network, tmp_path / "project", back_end, io_type=io_type)
    types, results = _typedefs(firmware), _results(firmware)
    assert types["input_t"] == _ap(network.input.type)
    shown = {node.name for node in network.nodes[1:]} - {"latent_output", "reconstruction_output"}
    # a multiplication of a stream by itself needs a copy of the stream, which has no type of its own
    assert shown <= results.keys()
    for node in network.nodes[1:]:
        result = types[results[hls_layer_name(node, network)]]
        merged = merged_quantizer(node, network)
        assert result == _ap(merged.type if merged else network.type(node.name)), node.name
        if isinstance(node, Dense):
            assert types[f"{node.name}_accum_t"] == _ap(network.type(node.name))
            assert types[f"{node.name}_weight_t"] == _ap(node.kernel.type)
            assert node.bias is None or types[f"{node.name}_bias_t"] == _ap(node.bias.type)


def _streams(firmware: Path) -> dict[str, int]:
    """The depth of every FIFO."""
    text = (firmware / "trigger_ad_small_network.cpp").read_text()
    return {name: int(depth) for name, depth in re.findall(r"#pragma HLS STREAM variable=(\w+) depth=(\d+)", text)}


def _reads(firmware: Path, layer: str) -> list[str]:
    """The variables in the call of a layer."""
    text = (firmware / "trigger_ad_small_network.cpp").read_text()
    arguments: list[str] = re.findall(rf"nnet::\w+<[^>]*>\(([^)]*)\); // {layer}\n", text)
    assert len(arguments) == 1
    return arguments[0].split(", ")


@pytest.mark.parametrize("back_end", ["vitis", "vivado"])
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_every_type_of_an_image_network_is_the_networks(tmp_path: Path, back_end: BackEnd, io_type: str) -> None:
    network = every_operation()
    config = image_config(network, io_type=io_type).firmware
    write_hls_project(network, "small", back_end, config, tmp_path / "project")
    types, results = _typedefs(tmp_path / "project" / "firmware"), _results(tmp_path / "project" / "firmware")
    for node in hls_nodes(network):
        if node.name in results:
            for key, kind in precisions(node, network).items():
                name = results[node.name] if key == "result" else f"{node.name}_{key}_t"
                # a type that is the same as another's may go by its name
                assert types.get(name, _ap(kind)) == _ap(kind), (node.name, key)
    assert {"strided", "average", "averaged", "point", "exact", "dropped", "first"} <= results.keys()
    assert types["averaged_accum_t"] == _ap(precisions(_node(network, "averaged"), network)["accum"])


def _node(network: Network, name: str) -> Node:
    return next(node for node in network.nodes if node.name == name)


def test_a_bypass_has_the_depth_that_is_asked_for(tmp_path: Path) -> None:
    network = autoencoder()
    config = image_config(network, io_type="io_stream").firmware
    write_hls_project(network, "small", "vitis", config, tmp_path / "plain")
    depths = {("inputs", "difference"): 100, ("inputs", "encoder_1"): 5, ("square", "score_flat"): 7}
    write_hls_project(network, "small", "vitis", config, tmp_path / "deep", depths)
    plain, deep = (_streams(tmp_path / name / "firmware") for name in ("plain", "deep"))
    # every FIFO holds an event, unless another depth is asked for
    bypass = _reads(tmp_path / "deep" / "firmware", "difference")[0]
    assert (plain[bypass], deep[bypass]) == (21, 100)
    changed = {name: deep[name] for name in plain if plain[name] != deep[name]}
    assert sorted(changed.values()) == [5, 7, 100]


@pytest.mark.parametrize(
    ("io_type", "names"), [("io_stream", ("latent", "difference")), ("io_parallel", ("inputs", "difference"))]
)
def test_where_there_is_no_fifo_there_is_no_depth(tmp_path: Path, io_type: str, names: tuple[str, str]) -> None:
    network = autoencoder()
    config = image_config(network, io_type=io_type).firmware
    with pytest.raises(ValueError, match="'difference'"):
        write_hls_project(network, "small", "vitis", config, tmp_path / "project", {names: 7})
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("layer", "change", "said"),
    [
        ("encoder_1", {"ParallelizationFactor": 3}, "gave 'encoder_1' the n_partitions 7, not 21"),
        ("encoder_1", {"Strategy": "resource"}, "gave 'encoder_1' the strategy resource, not latency"),
        ("pooled", {"Precision": {"result": "ap_ufixed<6,3>"}}, "gave 'pooled' the result type"),
        ("encoder_1", {"Precision": {"accum": "ap_fixed<9,3>"}}, "gave 'encoder_1' the accum type"),
    ],
)
def test_what_hls4ml_made_otherwise_is_found(
    layer: str, change: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = autoencoder()
    config = image_config(network).firmware
    asked = hls._hls_config(network, config)
    precision = asked["LayerName"][layer]["Precision"] | change.get("Precision", {})
    asked["LayerName"][layer] |= change | {"Precision": precision}
    monkeypatch.setattr(hls, "_hls_config", lambda *_: asked)
    with pytest.raises(RuntimeError, match=said):
        write_hls_project(network, "small", "vitis", config, tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("types", [Types(), WIDE, Types(weight="fixed<24,1>", bias="fixed<20,-3>")])
def test_constants_survive_the_text_that_hls4ml_writes(tmp_path: Path, types: Types) -> None:
    network = small_network(types)
    firmware = _project(network, tmp_path / "project")
    by_layer: dict[str, np.ndarray] = {}
    for path in (firmware / "weights").glob("*.h"):
        name, numbers = re.findall(r"(\w+)_t \w+\[\d+\] = \{([^}]*)\}", path.read_text())[0]
        by_layer[name] = np.array([float(number) for number in numbers.split(",")])
    for node in network.nodes:
        if isinstance(node, Dense):
            np.testing.assert_array_equal(
                node.kernel.type.exact_codes(by_layer[f"{node.name}_weight"]), node.kernel.codes.ravel()
            )
            if node.bias is not None:
                np.testing.assert_array_equal(
                    node.bias.type.exact_codes(by_layer[f"{node.name}_bias"]), node.bias.codes
                )


def test_the_reuse_factor_reaches_every_layer(tmp_path: Path) -> None:
    firmware = _project(small_network(), tmp_path / "project", reuse_factor=2, strategy="resource")
    parameters = (firmware / "parameters.h").read_text()
    factors = re.findall(r" : nnet::dense_config \{.*?reuse_factor = (\d+);", parameters, re.DOTALL)
    # the last sums up: it has no multipliers to use again
    assert factors == ["2", "2", "2", "2", "1"]
    assert set(re.findall(r"strategy = nnet::(\w+);", parameters)) == {"resource"}


@pytest.mark.parametrize(
    ("strategy", "factor", "said"),
    [
        ("latency", 3, "firmware.reuse_factor: 3 is not valid for layer 'latent' (4 x 2, latency)"),
        ("latency", 48, "firmware.reuse_factor: 48 is not valid for layer 'encoder_1' (6 x 4, latency)"),
        ("resource", 4, "firmware.reuse_factor: 4 is not valid for layer 'encoder_1' (6 x 4, resource)"),
        ("resource", 5, "firmware.reuse_factor: 5 is not valid for layer 'encoder_1' (6 x 4, resource)"),
    ],
)
def test_a_reuse_factor_that_would_be_replaced_is_refused(
    tmp_path: Path, strategy: str, factor: int, said: str
) -> None:
    config = FirmwareConfig.model_validate({"strategy": strategy, "reuse_factor": factor})
    with pytest.raises(UserError) as error:
        check_reuse_factor(small_network(), config)
    assert error.value.what == said
    offered = [int(number) for number in re.findall(r"\d+", error.value.remedy)]
    assert offered
    with pytest.raises(UserError):
        write_hls_project(small_network(), "small", "vitis", config, tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(("io_type", "valid"), [("io_parallel", False), ("io_stream", True)])
def test_a_convolution_in_parallel_reuses_no_more_often_than_its_window_has_words(io_type: str, valid: bool) -> None:
    net = ImageNetwork()
    net.convolution("convolution", (3, 1, 1, 4))
    network = net.score()
    for factor in (3, 6):
        config = FirmwareConfig.model_validate({"strategy": "resource", "reuse_factor": factor, "io_type": io_type})
        if valid or factor == 3:
            check_reuse_factor(network, config)
            continue
        said = r"firmware\.reuse_factor: 6 is not valid for layer 'convolution' \(3 x 4, resource\)"
        with pytest.raises(UserError, match=said) as error:
            check_reuse_factor(network, config)
        assert (
            error.value.remedy == "Valid for every layer: 1, 3; for this one, under firmware.layers.convolution: 1, 3"
        )


def test_valid_reuse_factors_pass() -> None:
    for strategy in ("latency", "resource"):
        for factor in (1, 2):
            check_reuse_factor(
                small_network(), FirmwareConfig.model_validate({"strategy": strategy, "reuse_factor": factor})
            )


def test_a_window_of_one_row_is_not_moved_by_rows_in_hls4mls_streams(tmp_path: Path) -> None:
    # should hls4ml come to count the rows there, `check_layers` need not refuse it
    network = autoencoder()
    write_hls_project(network, "small", "vitis", image_config(network).firmware, tmp_path / "project")
    header = (tmp_path / "project" / "firmware" / "nnet_utils" / "nnet_conv_stream.h").read_text()
    one_row, more_rows = header.partition("void compute_output_buffer_1d(")[2], header
    assert "stride_width" in one_row
    assert "stride_height" not in one_row
    assert "stride_height" in more_rows


def test_the_top_function_is_a_c_identifier() -> None:
    assert top_function("ffn-8-bit_x") == "trigger_ad_ffn_8_bit_x"
    assert network_function("ffn-8-bit_x") == "trigger_ad_ffn_8_bit_x_network"
