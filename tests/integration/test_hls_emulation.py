"""The compiled HLS C++ gives the reference's words; what is broken on purpose is found and named."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import numpy as np
import pytest
from support.layers import assert_layers_alone
from support.runs import (
    Types,
    corners,
    encoding_of,
    logarithmic_config,
    middle_threshold,
    network_vectors,
    small_config,
    small_network,
    write_small_project,
)

from trigger_ad.config import BackEnd, Config, ThresholdKind
from trigger_ad.emulation.agreement import Agreement, compare
from trigger_ad.emulation.hls import CompiledProject, compiled
from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.fixed_point import Codes
from trigger_ad.network.digest import network_digest
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.layer_vectors import layer_vectors
from trigger_ad.network.nodes import Constant, Dense
from trigger_ad.pipeline import hls_emulation
from trigger_ad.pipeline.convert import TestVectors
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory
from trigger_ad.tools import require_compiler

PLAIN = Types()
WIDE = Types(input="fixed<12,3>", weight="fixed<17,1>", bias="fixed<15,1>")
NARROW = Types(
    input="ufixed<5,-1>",
    weight="fixed<6,0>",
    bias=None,
    activation="ufixed<6,-1,RND_CONV,SAT>",
    linear="fixed<6,0,RND_CONV,SAT>",
)
COARSE = Types(
    input="fixed<6,8>",
    weight="fixed<5,4>",
    bias="fixed<6,9>",
    activation="ufixed<6,11,RND_CONV,SAT>",
    linear="fixed<6,12,RND_CONV,SAT>",
)


LOGARITHMIC = Types(input="fixed<10,4>")


def _reference(network: Network, words: Codes, config: Config) -> dict[str, Codes]:
    return evaluate(network, encoding_of(config).codes_of_words(words))


def _emulated(
    run: Run, network: Network, words: Codes, reference: dict[str, Codes], accept: Accept | None = None
) -> Agreement:
    """The agreement of a run's Vitis project, as the `emulate` stage finds it."""
    expected = reference[network.output.name]
    vectors = TestVectors(words, expected, [], accept or middle_threshold(expected))
    with ExitStack() as programs:
        done = hls_emulation.run_hls(run, "vitis", network, layer_vectors(network, seed=1), programs)
        return hls_emulation.check_hls(run, "vitis", network, vectors, expected, done)


@pytest.mark.parametrize(
    ("types", "back_end", "firmware", "threshold"),
    [
        pytest.param(PLAIN, "vitis", {"reuse_factor": 2}, "constant", id="vitis, parallel, latency, reuse 2"),
        pytest.param(WIDE, "vivado", {}, "register", id="vivado, parallel, latency, weights of 16 fraction bits"),
        pytest.param(
            NARROW,
            "vivado",
            {"strategy": "resource", "reuse_factor": 2},
            "register",
            id="vivado, parallel, resource, reuse 2, negative integer bits",
        ),
        pytest.param(
            COARSE, "vivado", {"io_type": "io_stream"}, "constant", id="vivado, stream, latency, wide integers"
        ),
        pytest.param(
            WIDE,
            "vitis",
            {"io_type": "io_stream", "strategy": "resource", "reuse_factor": 2},
            "register",
            id="vitis, stream, resource, reuse 2",
        ),
    ],
)
def test_every_word_of_every_layer_equals_the_reference(
    types: Types, back_end: BackEnd, firmware: dict[str, str | int], threshold: ThresholdKind, tmp_path: Path
) -> None:
    network = small_network(types)
    words, config = network_vectors(network), small_config(network, **firmware)
    reference = _reference(network, words, config)
    accept = middle_threshold(reference["score"], threshold)
    assert accept is not None
    folder = write_small_project(network, tmp_path / back_end, back_end, words, config, accept)
    with compiled(folder, network) as bench:
        done, layers = bench.run(), bench.layers(network, words)
        assert_layers_alone(bench, network)
    np.testing.assert_array_equal(done.words, reference["score"])
    np.testing.assert_array_equal(done.accepted, reference["score"][:, 0] > accept.code)
    assert (reference["score"] == accept.code).any()
    assert (done.passed, done.said) == (True, None)
    agreement = compare("hls", network, reference, layers, 0.0)
    assert (agreement.exact, agreement.first_difference) == (True, None)
    # the accumulators of the two linear quantizers are merged into them
    assert layers.keys() == {node.name for node in network.nodes} - {"latent", "reconstruction"}
    # layers in which nothing moves would not show much
    assert all(len(np.unique(codes)) > 3 for codes in reference.values())


def test_a_layer_whose_sums_are_far_below_its_output_is_exact(tmp_path: Path) -> None:
    # the vendor's fixed-point library stops the program where a word has no bits at the rounding position
    network = small_network(Types(weight="fixed<3,-11>", bias=None))
    words = network_vectors(network)[:200]
    folder = write_small_project(network, tmp_path / "vitis", "vitis", words)
    with compiled(folder, network) as bench:
        done = bench.run()
    np.testing.assert_array_equal(done.words, _reference(network, words, small_config(network))["score"])


@pytest.mark.parametrize(
    ("back_end", "firmware"),
    [
        pytest.param("vitis", {}, id="vitis, parallel"),
        pytest.param("vivado", {"io_type": "io_stream"}, id="vivado, stream"),
    ],
)
def test_a_table_of_logarithms_gives_the_reference_for_every_word_in_every_object(
    back_end: BackEnd, firmware: dict[str, str | int], tmp_path: Path
) -> None:
    network, config = small_network(LOGARITHMIC), logarithmic_config(**firmware)
    words = np.concatenate(list(corners(encoding_of(config)).values()))
    assert all(len(np.unique(words[:, column])) == 1024 for column in (0, 3))
    reference = _reference(network, words, config)
    folder = write_small_project(network, tmp_path / back_end, back_end, words, config)
    with compiled(folder, network) as bench:
        done, layers = bench.run(), bench.layers(network, words)
    assert done.passed
    assert compare("hls", network, reference, layers, 0.0).exact
    absent = words[:, 3] == 0
    assert (words[absent, 4] != 0).any()
    assert not layers["inputs"][absent, 3:].any()


@pytest.mark.parametrize(
    ("back_end", "io_type", "threshold"),
    [("vitis", "io_stream", "constant"), ("vivado", "io_parallel", "register")],
)
def test_a_signed_score_is_compared_with_a_negative_threshold(
    back_end: BackEnd, io_type: str, threshold: ThresholdKind, tmp_path: Path
) -> None:
    first, *_ = small_network().nodes
    kernel = Constant.narrowest(np.array([[3], [-5], [7], [-2], [1], [-9]]), 2)
    network = Network((first, Dense("score", first.name, kernel, None)))
    words, config = network_vectors(small_network()), small_config(network, io_type=io_type)
    expected = _reference(network, words, config)["score"]
    # one of the words, of which some are greater and some are less
    accept = Accept(threshold, int(np.sort(expected[expected < 0])[len(expected) // 10]))
    folder = write_small_project(network, tmp_path / back_end, back_end, words, config, accept)
    with compiled(folder, network) as bench:
        done = bench.run()
    assert done.passed
    np.testing.assert_array_equal(done.accepted, expected[:, 0] > accept.code)
    assert (expected < accept.code).any()
    assert ((accept.code < expected) & (expected < 0)).any()


@pytest.mark.parametrize("threshold", ["constant", "register"])
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_our_own_sources_compile_without_warnings(io_type: str, threshold: ThresholdKind, tmp_path: Path) -> None:
    config = logarithmic_config(io_type=io_type)
    words = np.zeros((1, 6), dtype=np.int64)
    accept = Accept(threshold, 5)
    folder = write_small_project(small_network(LOGARITHMIC), tmp_path / "vitis", "vitis", words, config, accept)
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-fsyntax-only"]
    ours = ["trigger_ad_small_test.cpp", "firmware/trigger_ad_small.cpp"]
    command = [str(require_compiler()), *flags, "-I", "firmware/ap_types", *ours]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    # what the libraries of hls4ml and the vendor warn of is theirs
    assert re.findall(r"^[\w/]*trigger_ad_small(?:_test|_tables)?\.(?:h|cpp):\d.*warning.*$", done.stderr, re.M) == []
    # it did warn of others, or nothing would have been shown
    assert "warning" in done.stderr


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


@pytest.fixture(scope="module")
def sound_project(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_project(network, tmp_path_factory.mktemp("sound") / "vitis")


@pytest.fixture(scope="module")
def sound_bench(sound_project: Path) -> Iterator[CompiledProject]:
    """The program compiled from it."""
    with compiled(sound_project, small_network()) as bench:
        yield bench


@pytest.fixture
def project(sound_project: Path, tmp_path: Path) -> Path:
    """A copy of the project, in a run directory, to break."""
    return Path(shutil.copytree(sound_project, RunDirectory(tmp_path).hls_project("vitis")))


@pytest.fixture
def agreement(project: Path, network: Network) -> Callable[[], Agreement]:
    """Emulates the project as the `emulate` stage does."""

    def emulated() -> Agreement:
        words, config = network_vectors(network), small_config(network)
        run = Run(config, RunDirectory(project.parents[1]))
        return _emulated(run, network, words, _reference(network, words, config))

    return emulated


@pytest.fixture
def compiled_already(sound_bench: CompiledProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares compiling a project in which only the vectors are changed."""
    monkeypatch.setattr(
        "trigger_ad.emulation.hls.compiled",
        lambda folder, network: nullcontext(CompiledProject(sound_bench._program, folder, sound_bench.units)),
    )


def test_a_changed_offset_is_found_in_the_encoding(project: Path, agreement: Callable[[], Agreement]) -> None:
    _edit(project / "firmware" / "trigger_ad_small.cpp", r"word - ap_uint<8>\(128\)", "word - ap_uint<8>(127)")
    result = agreement()
    assert not result.exact
    assert result.first_difference is not None
    assert result.first_difference.layer == "inputs"


def test_an_absent_object_that_is_not_silenced_is_found_in_the_encoding(
    project: Path, agreement: Callable[[], Agreement]
) -> None:
    _edit(project / "firmware" / "trigger_ad_small.cpp", r"bool present = pt_word != 0", "bool present = true")
    result = agreement()
    assert result.first_difference is not None
    assert result.first_difference.layer == "inputs"


def test_two_features_swapped_are_found_in_the_encoding(project: Path, agreement: Callable[[], Agreement]) -> None:
    _edit(
        project / "firmware" / "trigger_ad_small.cpp",
        r"<1>\(pt_words\[1\], eta_words\[1\], phi_words\[1\]",
        "<1>(pt_words[1], phi_words[1], eta_words[1]",
    )
    result = agreement()
    assert result.first_difference is not None
    assert result.first_difference.layer == "inputs"


def test_one_wrong_entry_of_the_table_is_found_in_the_encoding(tmp_path: Path) -> None:
    network, config = small_network(LOGARITHMIC), logarithmic_config()
    words = np.concatenate(list(corners(encoding_of(config)).values()))
    folder = RunDirectory(tmp_path).hls_project("vitis")
    write_small_project(network, folder, "vitis", words, config)
    # entry 6, 3 GeV
    _edit(
        folder / "firmware" / "trigger_ad_small_tables.h", r" 0, 1, 16, 25, 32, 37, 41,", " 0, 1, 16, 25, 32, 37, 42,"
    )
    run = Run(config, RunDirectory(tmp_path))
    result = _emulated(run, network, words, _reference(network, words, config))
    assert result.test_bench_passed is False
    assert result.first_difference is not None
    assert result.first_difference.layer == "inputs"
    # one code is worth two of the network's least significant bits
    assert result.first_difference.max_lsb == 2.0
    assert all((words[vector, [0, 3]] == 6).any() for vector in result.first_difference.first_vectors)


def test_a_digest_that_is_not_the_networks_fails_the_test_bench(
    project: Path, agreement: Callable[[], Agreement]
) -> None:
    _edit(project / "firmware" / "trigger_ad_small.cpp", r"(range\(63, 0\) = 0x)[0-9a-f]{16}", r"\g<1>0123456789abcdef")
    result = agreement()
    assert (result.mismatches, result.accept_mismatches, result.test_bench_passed) == (0, 0, False)
    digest = network_digest(small_network())
    found = f"{digest[:-16]}0123456789abcdef"
    said = f"MISMATCH in vector 0: expected network_digest {digest}, found {found}"
    assert result.test_bench_said == said


def test_a_register_that_is_not_read_fails_the_test_bench(tmp_path: Path, network: Network) -> None:
    words, config = network_vectors(network), small_config(network)
    reference = _reference(network, words, config)
    accept = middle_threshold(reference["score"], "register")
    assert accept is not None
    folder = RunDirectory(tmp_path).hls_project("vitis")
    write_small_project(network, folder, "vitis", words, config, accept)
    _edit(folder / "firmware" / "trigger_ad_small.cpp", r"code > threshold", f"code > {accept.code}")
    result = _emulated(Run(config, RunDirectory(tmp_path)), network, words, reference, accept)
    # with the code that it is set to in every run, every bit is right
    assert (result.mismatches, result.accept_mismatches, result.exact) == (0, 0, False)
    assert result.test_bench_said is not None
    assert re.search(r"expected accept [01], found [01] \(score \d+, threshold \d+\)$", result.test_bench_said)


def test_a_project_without_the_accept_bit_of_its_vectors_is_one_clear_error(
    project: Path, network: Network, compiled_already: None
) -> None:
    words, config = network_vectors(network), small_config(network)
    expected = _reference(network, words, config)["score"]
    run = Run(config, RunDirectory(project.parents[1]))
    with ExitStack() as programs:
        done = hls_emulation.run_hls(run, "vitis", network, layer_vectors(network, seed=1), programs)
    with pytest.raises(UserError, match="do not agree on whether there is an accept bit"):
        hls_emulation.check_hls(run, "vitis", network, TestVectors(words, expected, []), expected, done)


def _edit(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, path.read_text())
    assert count == 1
    path.write_text(text)


@pytest.mark.usefixtures("compiled_already")
def test_inputs_in_another_order_are_found(project: Path, agreement: Callable[[], Agreement]) -> None:
    path = project / "tb_data" / "input_words.dat"
    words = np.loadtxt(path, dtype=np.int64)
    np.savetxt(path, words[:, [0, 2, 1, 3, 4, 5]], fmt="%d")
    result = agreement()
    assert not result.exact
    assert result.test_bench_passed is False
    # every layer is right for the inputs of the run: only the words of the project's own inputs differ
    assert result.first_difference is not None
    assert result.first_difference.layer == "score"


@pytest.mark.usefixtures("compiled_already")
def test_a_wrong_expected_word_is_found_although_every_word_is_right(
    project: Path, agreement: Callable[[], Agreement]
) -> None:
    path = project / "tb_data" / "expected_words.dat"
    words = np.loadtxt(path, dtype=np.int64)
    words[100] += 1
    np.savetxt(path, words, fmt="%d")
    result = agreement()
    assert result.mismatches == 0
    assert result.test_bench_passed is False
    assert not result.exact


@pytest.mark.usefixtures("compiled_already")
@pytest.mark.parametrize(
    ("files", "said"),
    [
        (("expected_words.dat",), "expected_words.dat has fewer lines than input_words.dat"),
        (("input_words.dat",), "input_words.dat has fewer lines than expected_words.dat"),
        (("input_words.dat", "expected_words.dat"), "does not give the output words of this run"),
    ],
)
def test_truncated_vectors_are_one_clear_error(
    project: Path, agreement: Callable[[], Agreement], files: tuple[str, ...], said: str
) -> None:
    for name in files:
        path = project / "tb_data" / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-5]))
    with pytest.raises(UserError, match=said) as error:
        agreement()
    assert "convert" in error.value.remedy


@pytest.mark.usefixtures("compiled_already")
def test_a_line_cut_short_is_one_clear_error(project: Path, agreement: Callable[[], Agreement]) -> None:
    path = project / "tb_data" / "input_words.dat"
    path.write_text(path.read_text().rstrip().rsplit(" ", 2)[0])
    with pytest.raises(UserError, match=r"input_words\.dat is damaged"):
        agreement()


def test_a_project_that_does_not_compile_is_one_clear_error(project: Path) -> None:
    _edit(project / "firmware" / "trigger_ad_small_network.cpp", r"nnet::relu<layer2_t, ", "nnet::rely<layer2_t, ")
    with (
        pytest.raises(UserError, match=r"does not compile: .*trigger_ad_small_network\.cpp:\d+.* error: .*rely"),
        compiled(project, small_network()),
    ):
        pass
