"""The HLS sources hold exactly the network's types and constants, and a factor that hls4ml would change is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.runs import Types, small_network

from trigger_ad.config import BackEnd, FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls import (
    check_reuse_factor,
    hls_layer_name,
    merged_quantizer,
    network_function,
    top_function,
    write_hls_project,
)
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Dense, Elementwise, Network

WIDE = Types(input="fixed<12,3>", weight="fixed<17,1>", bias="fixed<15,1>")
"""Weights of 16 and biases of 14 fraction bits."""


def _project(network: Network, folder: Path, back_end: BackEnd = "vitis", **firmware: str | int) -> Path:
    write_hls_project(network, "small", back_end, FirmwareConfig.model_validate(firmware), folder)
    return folder / "firmware"


def _typedefs(firmware: Path) -> dict[str, str]:
    """Types by name, without the wrapping bits that say nothing and the vector around a stream's words."""
    text = (firmware / "defines.h").read_text()
    found = re.findall(r"typedef (?:nnet::array<)?(ap_u?(?:fixed|int)<[^>]*>)(?:, \d+\*?\d*>)? (\w+);", text)
    return {name: kind.replace(",0>", ">") for kind, name in found}


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


def test_a_layer_that_a_quantizer_alone_reads_is_cast_to_its_type() -> None:
    network = small_network()
    nodes = {node.name: node for node in network.nodes}
    assert merged_quantizer(nodes["latent"], network) == nodes["latent_output"]
    assert hls_layer_name(nodes["latent_output"], network) == "latent"
    # a ReLU is a layer of its own
    assert merged_quantizer(nodes["encoder_1"], network) is None
    assert hls_layer_name(nodes["encoder_1_output"], network) == "encoder_1_output"


def test_a_layer_that_something_else_reads_too_keeps_its_accumulator() -> None:
    network = small_network()
    reader = Elementwise("other", "latent", "latent", "multiply")
    both = Network((*network.nodes[:5], reader))
    assert both.nodes[4].name == "latent_output"
    assert merged_quantizer(both.nodes[3], both) is None


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
        ("latency", 3, "firmware.reuse_factor: 3 is not valid for layer 'latent' (4 x 2)"),
        ("latency", 48, "firmware.reuse_factor: 48 is not valid for layer 'encoder_1' (6 x 4)"),
        ("resource", 4, "firmware.reuse_factor: 4 is not valid for layer 'encoder_1' (6 x 4)"),
        ("resource", 5, "firmware.reuse_factor: 5 is not valid for layer 'encoder_1' (6 x 4)"),
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


def test_valid_reuse_factors_pass() -> None:
    for strategy in ("latency", "resource"):
        for factor in (1, 2):
            check_reuse_factor(
                small_network(), FirmwareConfig.model_validate({"strategy": strategy, "reuse_factor": factor})
            )


def test_the_top_function_is_a_c_identifier() -> None:
    assert top_function("ffn-8-bit_x") == "trigger_ad_ffn_8_bit_x"
    assert network_function("ffn-8-bit_x") == "trigger_ad_ffn_8_bit_x_network"
