"""RTL clock by clock: words, accept bits, latency and interval are what the simulation shows, not what is stated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.native import random_words
from support.rtl import CONFIG, NETWORK, VECTORS, WORDS, write_small_rtl
from support.runs import Types, encoding_of, logarithmic_config, small_network

from trigger_ad.emulation import rtl
from trigger_ad.emulation.rtl import SimulatedProject, simulated
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.project import Vectors
from trigger_ad.firmware.rtl_design import DESIGN_FILE, RtlDesign, sources
from trigger_ad.firmware.rtl_project import write_rtl_project
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import outputs
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Quantize
from trigger_ad.tools import find_tool

THRESHOLD = int(np.median(VECTORS.expected))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedProject]:
    folder = tmp_path_factory.mktemp("rtl") / "project"
    write_small_rtl(folder, Accept("constant", THRESHOLD))
    with simulated(folder) as found:
        yield found


def test_every_vector_one_at_every_clock(project: SimulatedProject) -> None:
    run = project.back_to_back(WORDS)
    assert np.array_equal(run.words, VECTORS.expected)
    assert run.accepted is not None
    assert np.array_equal(run.accepted, VECTORS.expected[:, 0] > THRESHOLD)
    assert 0 < run.accepted.sum() < len(WORDS)
    assert run.latency_cycles == project.design.latency_cycles > 1
    assert run.interval_cycles == 1


def test_every_vector_with_gaps(project: SimulatedProject) -> None:
    run = project.with_gaps(WORDS, seed=1)
    assert np.array_equal(run.words, VECTORS.expected)
    assert run.accepted is not None
    assert np.array_equal(run.accepted, VECTORS.expected[:, 0] > THRESHOLD)
    assert run.latency_cycles == project.design.latency_cycles
    assert run.interval_cycles is None


@pytest.mark.parametrize("vectors", [1, 2, 100, 101])
def test_any_number_of_vectors(project: SimulatedProject, vectors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtl, "BLOCK_VECTORS", 50)
    for run in (project.back_to_back(WORDS[:vectors]), project.with_gaps(WORDS[:vectors], seed=2)):
        assert np.array_equal(run.words, VECTORS.expected[:vectors])
    assert project.back_to_back(WORDS[:vectors]).interval_cycles == (None if vectors == 1 else 1)


def test_what_is_no_vector_is_refused(project: SimulatedProject) -> None:
    with pytest.raises(ValueError, match="no vectors"):
        project.back_to_back(WORDS[:0])
    with pytest.raises(ValueError, match="word 0 of vector 0, 256, is none of"):
        project.back_to_back(WORDS[:1] * 0 + 256)


def test_several_words_in_a_single_stage(tmp_path: Path) -> None:
    network = Network(NETWORK.nodes[:3])
    expected = outputs(network, _codes()).reshape(len(WORDS), -1)
    config = CONFIG.model_copy(update={"firmware": CONFIG.firmware.model_copy(update={"clock_ns": 1000.0})})
    write_rtl_project(network, config, None, Vectors(WORDS, expected), tmp_path / "rtl")
    with simulated(tmp_path / "rtl") as project:
        run = project.with_gaps(WORDS, seed=3)
    assert expected.shape[1] == 4
    assert np.array_equal(run.words, expected)
    assert run.accepted is None
    assert run.latency_cycles == 1


def test_tables_of_logarithms_and_a_register_with_a_threshold_below_zero(tmp_path: Path) -> None:
    config = logarithmic_config()
    encoding = encoding_of(config)
    words = random_words(encoding, 2000)
    whole = small_network(Types(input="fixed<10,4>"))
    dense = whole.nodes[1]
    assert isinstance(dense, Dense)
    codes = dense.kernel.codes[:, :1]
    score = Dense("one", "inputs", Constant.narrowest(codes, dense.kernel.type.fraction), None)
    network = Network(
        (whole.input, score, Quantize("score", "one", FixedPoint.parse("fixed<9,4,RND_CONV,SAT>"), "linear"))
    )
    expected = outputs(network, encoding.codes_of_words(words)).reshape(len(words), 1)
    design = write_rtl_project(network, config, Accept("register", -20), Vectors(words, expected), tmp_path / "rtl")
    assert any("_tables" in path.name for path in sources(tmp_path / "rtl"))
    with simulated(tmp_path / "rtl") as project:
        run = project.back_to_back(words)
    assert design.output.signed
    assert design.has_register
    assert np.array_equal(run.words, expected)
    assert run.accepted is not None
    assert np.array_equal(run.accepted, expected[:, 0] > -20)
    assert 0 < (expected[:, 0] < -20).sum() < (expected[:, 0] < 0).sum()


@pytest.mark.skipif(find_tool("ghdl") is None, reason="VHDL needs GHDL")
def test_vhdl_gives_the_same(project: SimulatedProject, tmp_path: Path) -> None:
    write_small_rtl(tmp_path / "rtl", Accept("constant", THRESHOLD))
    with simulated(tmp_path / "rtl", "vhdl") as vhdl:
        found, expected = vhdl.with_gaps(WORDS, seed=5), project.with_gaps(WORDS, seed=5)
    assert np.array_equal(found.words, expected.words)
    assert found.accepted is not None
    assert expected.accepted is not None
    assert np.array_equal(found.accepted, expected.accepted)
    assert found.latency_cycles == expected.latency_cycles


def _codes() -> Codes:
    return encoding_of(CONFIG).codes_of_words(WORDS)


def _broken(tmp_path: Path, design: RtlDesign, outputs_valid: str) -> SimulatedProject:
    """A simulation whose outputs are valid where an expression of what entered (`valid`) says so."""
    program = tmp_path / "simulation"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, numpy as np\n"
        f"clocks = np.fromfile(sys.argv[1], dtype=np.int64).reshape(-1, {1 + design.inputs})\n"
        "valid = clocks[:, 0]\n"
        "outputs = np.zeros((len(clocks), 3), dtype=np.int64)\n"
        f"outputs[:, 0] = {outputs_valid}\n"
        "outputs.tofile(sys.argv[2])\n"
        f"print('{design.digest}')\n"
    )
    program.chmod(0o755)
    return SimulatedProject(program, design, tmp_path)


@pytest.mark.parametrize(
    "outputs_valid",
    ["0", "1", "valid * (np.arange(len(valid)) != 3)", "np.roll(valid, -1)", "valid | np.roll(valid, 9)"],
    ids=["never", "always", "one lost", "too early", "twice"],
)
def test_outputs_that_do_not_follow_inputs_are_found(
    project: SimulatedProject, tmp_path: Path, outputs_valid: str
) -> None:
    broken = _broken(tmp_path, project.design, outputs_valid)
    with pytest.raises(CheckFailed, match="does not give one valid output for each input"):
        broken.with_gaps(WORDS[:100], seed=4)


def test_the_latency_is_that_of_the_simulation(project: SimulatedProject, tmp_path: Path) -> None:
    assert _broken(tmp_path, project.design, "np.roll(valid, 6)").back_to_back(WORDS[:100]).latency_cycles == 7


def test_the_verilog_of_another_network_is_refused(project: SimulatedProject, tmp_path: Path) -> None:
    broken = _broken(tmp_path, project.design, "valid")
    broken.design = replace(project.design, digest="0" * 64)
    with pytest.raises(UserError, match="is that of another network"):
        broken.back_to_back(WORDS[:10])


def test_a_simulation_that_fails_is_one_clear_error(project: SimulatedProject, tmp_path: Path) -> None:
    broken = _broken(tmp_path, project.design, "valid")
    (tmp_path / "simulation").write_text("#!/bin/sh\necho 'no space left' >&2\nexit 2\n")
    with pytest.raises(UserError, match="failed: no space left"):
        broken.back_to_back(WORDS[:10])


def test_verilog_that_is_damaged_is_one_clear_error(tmp_path: Path) -> None:
    design = write_small_rtl(tmp_path / "rtl", Accept("constant", THRESHOLD))
    (tmp_path / "rtl" / "verilog" / f"{design.top}.v").write_text("module nothing(")
    with pytest.raises(UserError, match=r"Verilator failed: .*[Ee]rror"), simulated(tmp_path / "rtl"):
        pass
    (tmp_path / "rtl" / DESIGN_FILE).unlink()
    with pytest.raises(UserError, match="is no RTL project"), simulated(tmp_path / "rtl"):
        pass
