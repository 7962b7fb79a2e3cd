"""What must be caught is: a run is broken in one place, `emulate` fails, and the right layer is named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.native import FAST, SMALL
from support.runs import (
    Command,
    encoding_of,
    network_vectors,
    small_config,
    small_network,
    write_config,
    write_study,
)

from trigger_ad import cli
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware.hls_types import node_of
from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.models.quantized import load_quantized
from trigger_ad.models.quantizers import quantizer_type
from trigger_ad.native.build import build_library, cached_library
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, LibrarySource, library_source
from trigger_ad.network import freezing
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.freezing import freeze
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Node
from trigger_ad.pipeline.convert import read_layer_vectors, read_vectors, shipped_network, shipped_vectors
from trigger_ad.pipeline.emulators import check_keras
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.target import open_run
from trigger_ad.run_directory import write_json
from trigger_ad.tools import require_compiler

RUN = Path("hls_projects/study")
PROJECT = RUN / "hls" / "vitis"
FIRMWARE = PROJECT / "firmware"
STUDENT: dict[str, Any] = {
    "inputs": {"eta": None, "phi": None},
    "model": {
        "architecture": "student",
        "hidden": [4, 3],
        "teacher": {"architecture": "dense_autoencoder", "hidden": [2], "latent": 1},
    },
    "score": "network_output",
    "training": {"epochs": 1, "augmentation": 1},
    "quantization": {"score": 12, "qat": {"epochs": 1}},
    "firmware": {"flow": "hls", "back_ends": ["vitis"]},
}


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a small student 19-4-3-1 that has been converted for one back end."""
    folder = tmp_path_factory.mktemp("student")
    write_study(folder, background=600, signal=100)
    write_config(folder / "study.yaml", **STUDENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["convert", "study.yaml"]) == 0
    return folder


@pytest.fixture
def run(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A copy of the run, whose folder is the working folder."""
    monkeypatch.chdir(shutil.copytree(student, tmp_path / "study"))
    return open_run(Path("study.yaml"))


@dataclass(frozen=True)
class Failure:
    """What `emulate` said of a run that is broken.

    Args:
        error: The line on standard error.
        found: The entries of results/mismatches.json by emulator; Keras in float32, which need not agree, left out.
    """

    error: str
    found: dict[str, dict[str, Any]]

    def layer(self, emulator: str) -> str:
        """The layer in which an emulator differs, the only one that does."""
        assert list(self.found) == [emulator]
        layer: str = self.found[emulator]["difference"]["layer"]
        assert f"{emulator} differs from the reference, first in layer '{layer}'" in self.error
        return layer


@pytest.fixture
def failure(command: Command) -> Callable[[], Failure]:
    """Runs `emulate`, which must end with 1."""

    def emulate() -> Failure:
        outcome = command("emulate", "study.yaml")
        assert outcome.code == 1
        entries = json.loads((RUN / "results" / "mismatches.json").read_text())["mismatches"]
        return Failure(outcome.stderr[-1], {item["emulator"]: item for item in entries if item["must_agree"]})

    return emulate


def _edit(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, path.read_text(), flags=re.DOTALL)
    assert count == 1
    path.write_text(text)


def _reference(run: Run, network: Network | None = None) -> dict[str, Codes]:
    """What a network, by default the one that ships, makes of the test vectors."""
    codes = run.encoding.codes_of_words(read_vectors(RUN / "vectors").words)
    return evaluate(network or shipped_network(run), codes)


def _changed(network: Network, node: Node) -> Network:
    """The network with another node in place of the one of that name."""
    return Network(tuple(node if old.name == node.name else old for old in network.nodes))


def _bit_that_matters(run: Run, layer: str) -> tuple[int, float]:
    """The lowest bit of a layer's weights that changes a score word when it is flipped: position, and new weight."""
    network = shipped_network(run)
    before, node = _reference(run)[network.output.name], node_of(layer, network)
    assert isinstance(node, Dense)
    for bit in range(3):
        for index in range(node.kernel.codes.size):
            codes = node.kernel.codes.copy()
            codes.flat[index] ^= 1 << bit
            flipped = _changed(network, replace(node, kernel=replace(node.kernel, codes=codes)))
            if (_reference(run, flipped)[network.output.name] != before).any():
                return index, float(node.kernel.type.values(codes).flat[index])
    raise AssertionError(f"no weight of {layer} matters")


@pytest.mark.parametrize(("layer", "named"), [("hidden_1", "hidden_1"), ("score", "score_quantized")])
def test_a_weight_bit_that_matters(run: Run, failure: Callable[[], Failure], layer: str, named: str) -> None:
    index, weight = _bit_that_matters(run, layer)
    (header,) = [path for path in (FIRMWARE / "weights").glob("w*.h") if f"{layer}_weight_t" in path.read_text()]
    _edit(header, rf"(= \{{(?:[^,}}]+,){{{index}}})[^,}}]+", rf"\g<1> {weight}")
    assert failure().layer("hls_vitis") == named


@pytest.mark.parametrize(
    ("layer", "mode", "other"), [("hidden_2_relu", "RND_CONV", "TRN"), ("hidden_1_relu", "SAT", "WRAP")]
)
def test_another_rounding_or_overflow(
    run: Run, failure: Callable[[], Failure], layer: str, mode: str, other: str
) -> None:
    position = {"hidden_1_relu": "layer3_t", "hidden_2_relu": "layer5_t"}[layer]
    _edit(FIRMWARE / "defines.h", rf"AP_{mode}([^;]*> {position};)", rf"AP_{other}\1")
    assert failure().layer("hls_vitis") == layer


def test_an_activation_that_is_dropped(run: Run, failure: Callable[[], Failure]) -> None:
    # the call, what shows its result, and its result in what reads it
    source = FIRMWARE / "trigger_ad_study_network.cpp"
    _edit(source, r"nnet::relu<layer4_t.*?#endif", "")
    _edit(
        source,
        r"nnet::dense<layer5_t, result_t, config6>\(layer5_out",
        "nnet::dense<layer4_t, result_t, config6>(layer4_out",
    )
    assert failure().layer("hls_vitis") == "hidden_2_relu"


def test_two_inputs_swapped(run: Run, failure: Callable[[], Failure]) -> None:
    swapped = r"\1pt_words[1]\2pt_words[0]"
    _edit(FIRMWARE / "trigger_ad_study.cpp", r"(<0>\()pt_words\[0\](.*<1>\()pt_words\[1\]", swapped)
    assert failure().layer("hls_vitis") == "inputs"


def test_an_edited_threshold(run: Run, failure: Callable[[], Failure]) -> None:
    accept = read_vectors(RUN / "vectors").accept
    assert accept is not None
    _edit(FIRMWARE / "trigger_ad_study.h", rf"THRESHOLD = {accept.code}LL", f"THRESHOLD = {accept.code - 1}LL")
    failed = failure()
    assert failed.layer("hls_vitis") == "accept"
    entry = failed.found["hls_vitis"]["difference"]
    # what was at the threshold is above it now
    expected = read_vectors(RUN / "vectors").expected
    assert expected[entry["first_vectors"]].tolist() == [[accept.code]] * len(entry["first_vectors"])
    assert entry["mismatches"] == (expected == accept.code).sum()
    assert (entry["expected"][0], entry["found"][0]) == ([0], [1.0])


def test_a_comparison_that_accepts_the_threshold_itself(run: Run, failure: Callable[[], Failure]) -> None:
    vectors = read_vectors(RUN / "vectors")
    assert vectors.accept is not None
    (group,) = [item for item in vectors.segments if item.name == "event at the threshold"]
    assert vectors.expected[group.start : group.stop].tolist() == [[vectors.accept.code]]
    _edit(FIRMWARE / "trigger_ad_study.cpp", r"code > threshold", "code >= threshold")
    failed = failure()
    assert failed.layer("hls_vitis") == "accept"
    assert group.start in failed.found["hls_vitis"]["difference"]["first_vectors"]


def test_the_project_of_an_older_network(run: Run, failure: Callable[[], Failure], command: Command) -> None:
    path = run.directory.network("qat")
    newer, network = path.read_text(), shipped_network(run)
    node = node_of("hidden_2", network)
    assert isinstance(node, Dense)
    older = _changed(network, replace(node, kernel=replace(node.kernel, codes=-node.kernel.codes)))
    write_json(path, older.to_json())
    assert command("convert", "study.yaml").code == 0
    shutil.copytree(PROJECT, "older")
    path.write_text(newer)
    assert command("convert", "study.yaml").code == 0
    shutil.rmtree(PROJECT)
    Path("older").rename(PROJECT)
    assert failure().layer("hls_vitis") == "hidden_2"


def test_expected_scores_that_were_edited(run: Run, failure: Callable[[], Failure]) -> None:
    expected = np.load(RUN / "vectors" / "expected_words.npy")
    expected[17] += 1
    np.save(RUN / "vectors" / "expected_words.npy", expected)
    table = PROJECT / "tb_data" / "expected_words.dat"
    words = np.loadtxt(table, dtype=np.int64)
    words[18] -= 1
    np.savetxt(table, words, fmt="%d")
    failed = failure()
    assert "vectors/expected_words.npy differs from the reference" in failed.error
    said = f"fails: MISMATCH in vector 18: expected {words[18]}, found {words[18] + 1}"
    assert f"hls_vitis equals the reference, but its project's test bench {said}" in failed.error
    mismatches = json.loads((RUN / "results" / "mismatches.json").read_text())
    assert mismatches["expected_words"]["layer"] == "score_quantized"
    assert (mismatches["expected_words"]["first_vectors"], mismatches["expected_words"]["mismatches"]) == ([17], 1)
    assert failed.found["hls_vitis"]["test_bench_passed"] is False


def test_words_of_a_cosimulation(run: Run, failure: Callable[[], Failure], command: Command) -> None:
    # what a vendor's co-simulation would run, as C++
    sources = [*Path().glob(f"{PROJECT}/*_test.cpp"), *FIRMWARE.glob("*.cpp")]
    flags = ["-std=c++11", "-O0", "-w", "-DRTL_SIM", "-I", str(PROJECT), "-I", str(FIRMWARE / "ap_types")]
    program = Path("cosimulation").resolve()
    subprocess.run([str(require_compiler()), *flags, "-o", str(program), *map(str, sources)], check=True)
    subprocess.run([str(program)], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    assert command("emulate", "study.yaml").code == 0
    found = json.loads((RUN / "results" / "emulation.json").read_text())["emulators"]["cosim_vitis"]
    ran = shipped_vectors(read_vectors(RUN / "vectors")).cosimulated
    assert (found["exact"], found["must_agree"], found["events"], found["seconds"]) == (True, True, len(ran), None)
    assert len(ran) < len(read_vectors(RUN / "vectors").words)

    results = PROJECT / "tb_data" / "rtl_cosim_results.log"
    words = results.read_text().splitlines()
    score, accepted = map(int, words[-1].split())
    wrong = [*words[:-1], f"{score + 1} {accepted}"]
    results.write_text("\n".join(wrong) + "\n")
    broken = failure()
    assert broken.layer("cosim_vitis") == shipped_network(run).output.name
    assert broken.found["cosim_vitis"]["difference"]["first_vectors"] == [ran[-1]]

    results.write_text("\n".join([*words[:-1], f"{score} {1 - accepted}"]) + "\n")
    assert failure().layer("cosim_vitis") == "accept"

    results.write_text("\n".join(words[:-1]) + "\n")
    assert f"does not hold the {len(ran)} vectors" in command("emulate", "study.yaml").error


def _narrowest(run: Run, layer: str) -> FixedPoint:
    """The narrowest type that holds every sum of a layer that the vectors reach."""
    codes = _reference(run)[layer]
    return FixedPoint.holding(int(codes.min()), int(codes.max()), shipped_network(run).type(layer).fraction)


def _with_accumulators(accumulators: dict[str, FixedPoint]) -> None:
    layers = {name: {"accumulator": str(kind)} for name, kind in accumulators.items()}
    write_config(Path("study.yaml"), **STUDENT | {"firmware": STUDENT["firmware"] | {"layers": layers}})


def _layer_rows() -> dict[str, dict[str, Any]]:
    return {row["layer"]: row for row in json.loads((RUN / "results" / "emulation.json").read_text())["layers"]}


def test_an_accumulator_one_bit_narrower_than_what_the_vectors_reach(
    run: Run, failure: Callable[[], Failure], command: Command
) -> None:
    enough = _narrowest(run, "hidden_2")
    narrow = replace(enough, width=enough.width - 1, integer=enough.integer - 1)
    _with_accumulators({"hidden_2": narrow})
    said = [line for line in command("check", "study.yaml").stdout.splitlines() if line.startswith("WARNING")]
    assert [line.partition(" is ")[0] for line in said] == [f"WARNING: layer 'hidden_2': its accumulator {narrow}"]
    failed = failure()
    assert failed.layer("hls_vitis") == "hidden_2"
    assert f"the accumulator of layer 'hidden_2', {narrow}, which lacks 1 bit, overflows in " in failed.error
    row = _layer_rows()["hidden_2"]
    assert (row["accumulator"], row["bits_missing"], row["bits_unused"]) == (str(narrow), 1, 0)
    beyond = narrow.out_of_range(_reference(run)["hidden_2"], narrow.fraction).sum(axis=1)
    (first,) = [item.start for item in read_vectors(RUN / "vectors").segments if item.name == "background"]
    assert (row["overflows_corner"], row["overflows"]) == (beyond[:first].sum(), beyond[first:].sum())
    assert row["overflows_corner"] > 0
    others = [other for name, other in _layer_rows().items() if name != "hidden_2"]
    assert {(other["overflows"], other["overflows_corner"], other["bits_missing"]) for other in others} == {(0, 0, 0)}


def test_accumulators_just_wide_enough_for_what_the_vectors_reach_break_nothing(run: Run, command: Command) -> None:
    accumulators = {name: _narrowest(run, name) for name in ("hidden_1", "hidden_2", "score")}
    _with_accumulators(accumulators)
    said = [line for line in command("check", "study.yaml").stdout.splitlines() if line.startswith("WARNING")]
    network = shipped_network(run)
    narrower = [name for name, kind in accumulators.items() if kind.width < network.type(name).width]
    assert [re.findall("'(.*)'", line) for line in said] == [[name] for name in narrower]
    assert command("emulate", "study.yaml").code == 0
    rows = _layer_rows()
    assert all(row["overflows"] == row["overflows_corner"] == row["bits_missing"] == 0 for row in rows.values())
    assert all(rows[name]["bits_unused"] == 0 for name in accumulators)


def test_an_accumulator_with_too_few_fraction_bits_is_refused_before_anything_runs(run: Run, command: Command) -> None:
    exact = shipped_network(run).type("hidden_2")
    _with_accumulators({"hidden_2": replace(exact, width=exact.width - 1)})
    for verb in ("check", "emulate"):
        outcome = command(verb, "study.yaml")
        assert outcome.code == 2
        assert f"the sums of layer 'hidden_2' have {exact.fraction}" in outcome.error
    assert not (RUN / "results" / "emulation.json").exists()


def _misread(run: Run, monkeypatch: pytest.MonkeyPatch, layer: str, **changes: Any) -> Network:
    """The network as a reference would have it that misreads the quantizer of one layer."""

    def misreading(quantizer: Any, name: str) -> FixedPoint:
        kind = quantizer_type(quantizer, name)
        return replace(kind, **changes) if name == layer else kind

    monkeypatch.setattr(freezing, "quantizer_type", misreading)
    return freeze(load_quantized(run.directory.quantized_model("qat")), run.encoding.network_type, run.encoding.bounds)


def test_a_quantizer_misread_by_the_reference(
    run: Run, failure: Callable[[], Failure], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = shipped_network(run).type("hidden_1_relu")
    network = _misread(run, monkeypatch, "hidden_1_relu", integer=kind.integer + 1)
    write_json(run.directory.network("qat"), network.to_json())
    # firmware is made of the reference, and agrees with it: that it differs from the model is what Keras shows
    assert failure().layer("keras_float64") == "hidden_1_relu"


@pytest.mark.parametrize(
    ("layer", "changes"),
    [
        ("hidden_1_relu", {"rounding": Rounding.TRUNCATE}),
        ("hidden_1_relu", {"overflow": Overflow.WRAP}),
        ("hidden_2_relu", {"integer": 0}),
        ("score_quantized", {"rounding": Rounding.TRUNCATE}),
    ],
)
def test_any_misreading_of_any_quantizer_is_named_by_keras(
    run: Run, monkeypatch: pytest.MonkeyPatch, layer: str, changes: dict[str, Any]
) -> None:
    network = _misread(run, monkeypatch, layer, **changes)
    alone = read_layer_vectors(RUN / "vectors", shipped_network(run))
    exact = check_keras(run, network, read_vectors(RUN / "vectors"), alone).keras[0]
    assert (exact.emulator, exact.must_agree, exact.exact) == ("keras_float64", True, False)
    assert exact.first_difference is not None
    assert exact.first_difference.layer == layer


def test_a_constant_of_the_native_library(
    run: Run, failure: Callable[[], Failure], monkeypatch: pytest.MonkeyPatch
) -> None:
    position, weight = _bit_that_matters(run, "hidden_2")
    node = node_of("hidden_2", shipped_network(run))
    assert isinstance(node, Dense)
    codes = node.kernel.codes.copy()
    codes.flat[position] = round(weight * 2**node.kernel.type.fraction)
    wrong = replace(node, kernel=replace(node.kernel, codes=codes))

    def source(network: Network, encoding: InputEncoding, names: LibraryNames) -> LibrarySource:
        has_it = any(item.name == node.name for item in network.nodes)
        return library_source(_changed(network, wrong) if has_it else network, encoding, names)

    monkeypatch.setattr("trigger_ad.emulation.native.library_source", source)
    assert failure().layer("native") == "hidden_2"


NETWORK = small_network()
ENCODING = encoding_of(small_config(NETWORK))
WORDS = network_vectors(NETWORK)


def test_a_library_of_another_network_in_the_cache_under_the_name_of_this_one(tmp_path: Path) -> None:
    source, other = (library_source(network, ENCODING, SMALL) for network in (NETWORK, small_network(seed=2)))
    library = cached_library(source, tmp_path, FAST)
    stale = cached_library(other, tmp_path, FAST)
    assert library != stale
    stale.replace(library)
    with pytest.raises(UserError, match=rf"{library.name} was built for another network"):
        NativeEmulator(cached_library(source, tmp_path, FAST), source)


@pytest.mark.parametrize("changed", ["step_1_weights", "step_3_bias"])
def test_a_constant_of_the_native_emulator(tmp_path: Path, changed: str) -> None:
    source = library_source(NETWORK, ENCODING, SMALL)
    expected = evaluate(NETWORK, ENCODING.codes_of_words(WORDS))["score"]
    # the first number of a table, one more than it is
    pattern = rf"( {changed}\[\d+\] = \{{\s*)\(?(-?\d+)\)?"
    code, count = re.subn(pattern, lambda found: f"{found[1]}({int(found[2]) + 1})", source.code)
    assert count == 1
    build_library(replace(source, code=code), tmp_path / "library.so", FAST)
    with NativeEmulator(tmp_path / "library.so", source) as emulator:
        assert (emulator.output_words(WORDS) != expected).any()
    build_library(source, tmp_path / "library.so", FAST)
    with NativeEmulator(tmp_path / "library.so", source) as emulator:
        np.testing.assert_array_equal(emulator.output_words(WORDS), expected)
