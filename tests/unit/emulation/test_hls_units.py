"""The source of a network is cut into its layers; real ones are compiled and run in tests/integration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trigger_ad.emulation.hls_units import ENTRY, driven_nodes, driver, layer_units
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Elementwise, Input, Quantize

WORD = FixedPoint.parse("fixed<6,3,RND_CONV,SAT>")
EYE = Constant(np.eye(3, dtype=np.int64), FixedPoint(False, 1, 1))
NETWORK = Network(
    (
        Input("inputs", (3,), FixedPoint(True, 4, 2)),
        Dense("hidden", "inputs", EYE, None),
        Quantize("hidden_relu", "hidden", FixedPoint.parse("ufixed<4,2,RND_CONV,SAT>"), "relu"),
        Dense("latent", "hidden_relu", EYE, None),
        Quantize("latent_quantized", "latent", WORD, "linear"),
        Elementwise("square", "latent_quantized", "latent_quantized", "multiply"),
        Dense("score", "square", Constant(np.ones((3, 1), dtype=np.int64), FixedPoint(False, 1, 1)), None),
    )
)

PARALLEL = """\
void small_network(
    input_t inputs[3],
    result_t layer7_out[1]
) {

    layer2_t layer2_out[3];
    #pragma HLS ARRAY_PARTITION variable=layer2_out complete dim=0

    layer3_t layer3_out[3*1];
    layer5_t layer5_out[3];
    layer6_t layer6_out[3];
    auto& layer4_out = layer3_out;

    nnet::dense<input_t, layer2_t, config2>(inputs, layer2_out, w2, b2); // hidden
#ifndef __SYNTHESIS__
    nnet::save_layer_output<layer2_t>(layer2_out, "hidden", 3);
#endif

    nnet::relu<layer2_t, layer3_t, relu_config3>(layer2_out, layer3_out); // hidden_relu

    nnet::dense<layer3_t, layer5_t, config5>(layer4_out, layer5_out, w5, b5); // latent

    nnet::multiply<layer5_t, layer5_t, layer6_t, config6>(layer5_out, layer5_out, layer6_out); // square

    nnet::dense<layer6_t, result_t, config7>(layer6_out, layer7_out, w7, b7); // score
}
"""

STREAM = """\
void small_network(
    hls::stream<input_t> &inputs,
    hls::stream<result_t> &layer7_out
) {
    hls::stream<layer5_t> layer5_out("layer5_out");
    #pragma HLS STREAM variable=layer5_out depth=1
    hls::stream<layer5_t> layer8_cpy1("layer8_cpy1");
    hls::stream<layer5_t> layer8_cpy2("layer8_cpy2");
    hls::stream<layer6_t> layer6_out("layer6_out");

    nnet::dense<input_t, layer5_t, config5>(inputs, layer5_out, w5, b5); // latent
    nnet::clone_stream<layer5_t, layer5_t, 3>(layer5_out, layer8_cpy1, layer8_cpy2); // clone_latent
    nnet::multiply<layer5_t, layer5_t, layer6_t, config6>(layer8_cpy1, layer8_cpy2, layer6_out); // square
    nnet::dense<layer6_t, result_t, config7>(layer6_out, layer7_out, w7, b7); // score
}
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "small_network.cpp"


def test_every_layer_reads_the_one_before(source: Path) -> None:
    source.write_text(PARALLEL)
    units = {unit.node: unit for unit in layer_units(source, NETWORK)}
    assert {name: unit.sources for name, unit in units.items()} == {
        "hidden": ("inputs",),
        "hidden_relu": ("hidden",),
        "latent_quantized": ("hidden_relu",),
        "square": ("latent_quantized",),
        "score": ("square",),
    }
    assert [node.name for node in driven_nodes(NETWORK)] == list(units)
    assert units["hidden"].declarations == ("input_t inputs[3]", "layer2_t layer2_out[3]")
    assert units["hidden"].statements == ("nnet::dense<input_t, layer2_t, config2>(inputs, layer2_out, w2, b2)",)
    assert (units["hidden"].filled, units["hidden"].result) == ((("inputs", 3),), ("layer2_out", 3))


def test_a_second_name_belongs_to_the_layer_that_uses_it(source: Path) -> None:
    source.write_text(PARALLEL)
    (latent,) = (unit for unit in layer_units(source, NETWORK) if unit.node == "latent_quantized")
    assert latent.filled == (("layer3_out", 3),)
    assert latent.statements == (
        "auto &layer4_out = layer3_out",
        "nnet::dense<layer3_t, layer5_t, config5>(layer4_out, layer5_out, w5, b5)",
    )


def test_copies_of_a_stream_belong_to_the_layer_that_reads_them(source: Path) -> None:
    source.write_text(STREAM)
    (square,) = (unit for unit in layer_units(source, NETWORK) if unit.node == "square")
    assert square.sources == ("latent_quantized",)
    assert [statement.partition("<")[0] for statement in square.statements] == ["nnet::clone_stream", "nnet::multiply"]
    assert square.streams == ("layer5_out", "layer8_cpy1", "layer8_cpy2", "layer6_out")


@pytest.mark.parametrize("layer", ["hidden_relu", "latent", "square"])
def test_a_layer_whose_call_is_gone_has_no_unit(source: Path, layer: str) -> None:
    lines = PARALLEL.splitlines(keepends=True)
    source.write_text("".join(line for line in lines if not line.endswith(f"// {layer}\n")))
    missing = {"latent": "latent_quantized"}.get(layer, layer)
    assert missing not in [unit.node for unit in layer_units(source, NETWORK)]


@pytest.mark.parametrize("text", ["", "int main() {}\n"])
def test_another_source_has_no_units(source: Path, text: str) -> None:
    source.write_text(text)
    assert layer_units(source, NETWORK) == []


def test_the_driver_runs_units_or_else_what_was_main(source: Path) -> None:
    source.write_text(PARALLEL)
    text = driver(layer_units(source, NETWORK))
    assert f"return {ENTRY}(argc, argv);" in text
    assert text.count("static void unit_") == 5
