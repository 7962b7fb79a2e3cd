"""The compiled HLS C++ of convolutional networks gives the reference's words, and averages are rounded once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support.images import ImageNetwork, autoencoder, every_operation, image_config, image_vectors
from support.layers import assert_layers_alone
from support.runs import encoding_of, write_small_project

from trigger_ad.config import BackEnd
from trigger_ad.emulation.agreement import compare
from trigger_ad.emulation.hls import compiled
from trigger_ad.firmware.hls import write_hls_project
from trigger_ad.firmware.hls_types import ap_type, precisions
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Pooling, Reshape
from trigger_ad.tools import require_compiler


@pytest.mark.parametrize(
    ("build", "back_end", "firmware"),
    [
        pytest.param(autoencoder, "vivado", {}, id="autoencoder: vivado, parallel, latency"),
        pytest.param(
            autoencoder,
            "vitis",
            {"io_type": "io_stream", "strategy": "resource", "reuse_factor": 3},
            id="autoencoder: vitis, stream, resource, reuse 3",
        ),
        pytest.param(every_operation, "vitis", {"strategy": "resource"}, id="operations: vitis, parallel, resource"),
        pytest.param(every_operation, "vivado", {"io_type": "io_stream"}, id="operations: vivado, stream, latency"),
    ],
)
def test_every_word_of_every_layer_equals_the_reference(
    build: Callable[[], Network], back_end: BackEnd, firmware: dict[str, str | int], tmp_path: Path
) -> None:
    network = build()
    words, config = image_vectors(network), image_config(network, **firmware)
    reference = evaluate(network, encoding_of(config).codes_of_words(words))
    folder = write_small_project(network, tmp_path / back_end, back_end, words, config)
    with compiled(folder, network) as bench:
        done, layers = bench.run(), bench.layers(network, words)
        assert_layers_alone(bench, network)
    np.testing.assert_array_equal(done.words, reference["score"])
    assert done.passed
    assert compare("hls", network, reference, layers, 0.0).exact
    # what HLS does not show is moved, or rounded where it is made
    moved = {node.name for node in network.nodes if isinstance(node, Reshape)}
    cast = {"latent", "reconstruction", "point", "average", "averaged"}
    assert layers.keys() == {node.name for node in network.nodes} - moved - cast
    # layers in which nothing moves would not show much
    assert all(len(np.unique(codes)) > 3 for codes in reference.values())


@dataclass(frozen=True)
class _Average:
    """An average of words of a type over windows of a size, rounded to a type."""

    words: str
    window: tuple[int, int]
    result: str

    def network(self) -> Network:
        net = ImageNetwork((*self.window, 1), self.words)
        net.nodes.append(Pooling("average", "inputs", self.window, "average_pooling"))
        net.quantize("rounded", self.result, "linear")
        return net.score()

    @property
    def count(self) -> int:
        return self.window[0] * self.window[1]

    def sums(self) -> Codes:
        kind = FixedPoint.parse(self.words)
        return np.arange(self.count * kind.code_min, self.count * kind.code_max + 1)

    def program(self, index: int) -> str:
        """C++ that writes the code that each of hls4ml's two functions makes of every sum."""
        words, types = FixedPoint.parse(self.words), precisions(self.network().nodes[1], self.network())
        return f"""
struct config_{index} {{ static const nnet::Pool_Op pool_op = nnet::Average; }};
void average_{index}() {{
    typedef {ap_type(words)} word_t;
    typedef {ap_type(types["accum"])} accum_t;
    typedef {ap_type(types["result"])} layer_t;
    typedef {ap_type(FixedPoint.parse(self.result))} result_t;
    for (int sum = {self.sums()[0]}; sum <= {self.sums()[-1]}; sum++) {{
        word_t words[{self.count}];
        accum_t streamed[{self.count}];
        for (int i = 0, left = sum; i < {self.count}; i++) {{
            int share = left / ({self.count} - i);
            words[i].range() = share;
            streamed[i] = words[i];
            left -= share;
        }}
        layer_t parallel = nnet::pool_op<word_t, {self.count}, nnet::Average, accum_t>(words);
        layer_t stream = nnet::reduce_pool<accum_t, {self.count}, config_{index}>(streamed);
        std::cout << result_t(parallel).to_double() << ' ' << result_t(stream).to_double() << '\\n';
    }}
}}
"""


AVERAGES = [
    _Average("fixed<6,2>", (3, 1), "fixed<5,2,RND_CONV,SAT>"),
    _Average("fixed<6,2>", (3, 1), "fixed<9,2,RND_CONV,SAT>"),
    _Average("ufixed<7,1>", (3, 2), "ufixed<4,1,RND_CONV,SAT>"),
    _Average("fixed<5,0>", (5, 1), "fixed<6,0,TRN,WRAP>"),
    _Average("fixed<5,7>", (7, 1), "fixed<6,7,RND_CONV,SAT>"),
    _Average("fixed<4,2>", (3, 3), "fixed<4,-1,RND_CONV,SAT>"),
    _Average("fixed<6,2>", (12, 1), "fixed<3,4,RND_CONV,SAT>"),
    _Average("fixed<6,2>", (2, 2), "fixed<5,2,RND_CONV,SAT>"),
]


def test_every_average_of_every_sum_is_rounded_once(tmp_path: Path) -> None:
    # hls4ml divides towards zero: without the bits that `precisions` adds, some of these would be rounded twice
    header = "#include <iostream>\n#include <nnet_utils/nnet_pooling_stream.h>\n"
    calls = "".join(f"    average_{index}();\n" for index in range(len(AVERAGES)))
    body = "".join(average.program(index) for index, average in enumerate(AVERAGES))
    source = f"{header}{body}int main() {{\n    std::cout.precision(17);\n{calls}}}\n"
    found = np.loadtxt(_output(source, _hls4ml_sources(tmp_path), tmp_path).splitlines())
    start = 0
    for average in AVERAGES:
        words, result = FixedPoint.parse(average.words), FixedPoint.parse(average.result)
        expected = result.values(result.requantize(average.sums(), words.fraction, average.count))
        assert average.count == 4 or average.network().words["average"].divisor == average.count
        end = start + len(expected)
        np.testing.assert_array_equal(found[start:end], np.stack([expected, expected], axis=1), str(average))
        start = end
    assert start == len(found)


@pytest.mark.parametrize(("result", "compiles"), [("ap_fixed<8,3>", True), ("ap_fixed<9,3>", False)])
def test_upsampling_in_parallel_needs_one_type_in_hls4ml(result: str, compiles: bool, tmp_path: Path) -> None:
    # should hls4ml come to convert, `hls_types` need not give an upsampled word the type of the word it repeats
    source = f"""
#include <ap_fixed.h>
#include <nnet_utils/nnet_image.h>
void upsample(ap_fixed<8,3> *image, {result} *resized) {{
    nnet::resize_nearest<ap_fixed<8,3>, nnet::resize_config>(image, resized);
}}
"""
    assert (_compile(source, _hls4ml_sources(tmp_path), "-fsyntax-only").returncode == 0) is compiles


def _hls4ml_sources(folder: Path) -> Path:
    network = autoencoder()
    write_hls_project(network, "small", "vitis", image_config(network).firmware, folder / "project")
    return folder / "project" / "firmware"


def _compile(source: str, firmware: Path, *options: str) -> subprocess.CompletedProcess[str]:
    include = ["-I", str(firmware), "-I", str(firmware / "ap_types"), "-I", str(firmware / "nnet_utils")]
    command = [str(require_compiler()), "-std=c++11", "-w", "-x", "c++", "-", *include, *options]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False)


def _output(source: str, firmware: Path, folder: Path) -> str:
    done = _compile(source, firmware, "-O1", "-o", str(folder / "program"))
    assert done.returncode == 0, done.stderr
    return subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout
