"""What an RTL project consists of, what it says of itself, and what it is not made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.rtl import CONFIG, NETWORK, VECTORS, write_small_rtl

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.project import Vectors
from trigger_ad.firmware.rtl_design import DESIGN_FILE, RtlDesign, RtlPort, sources
from trigger_ad.firmware.rtl_pipeline import comparison_delay
from trigger_ad.firmware.rtl_project import write_rtl_project
from trigger_ad.network.digest import network_digest
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Quantize


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rtl") / "project"
    write_small_rtl(folder, Accept("constant", 97))
    return folder


def test_everything_that_is_handed_over_is_there(project: Path) -> None:
    found = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    assert {
        "verilog/trigger_ad_small.v",
        "vhdl/trigger_ad_small.vhd",
        "trigger_ad_small.xdc",
        "build.tcl",
        "trigger_ad_small_test.v",
        "tb_data/input_words.dat",
        "tb_data/expected_words.dat",
        "README.md",
        "design.json",
    } <= found
    text = (project / "README.md").read_text()
    assert network_digest(NETWORK) in text
    assert f"Latency {RtlDesign.read(project).latency_cycles} clocks" in text


def test_the_last_stage_takes_the_comparison_with_the_threshold_too(project: Path, tmp_path: Path) -> None:
    without = write_small_rtl(tmp_path / "rtl", None).stages
    *others, last = RtlDesign.read(project).stages
    assert tuple(others) == without[:-1]
    assert last == replace(without[-1], delay=without[-1].delay + comparison_delay(NETWORK.type("score").width))


def test_the_design_is_read_as_it_was_written(project: Path) -> None:
    design = RtlDesign.read(project)
    assert design.digest == network_digest(NETWORK)
    assert design.ports == (
        RtlPort("pt", 2, 8, signed=False),
        RtlPort("eta", 2, 8, signed=True),
        RtlPort("phi", 2, 8, signed=True),
    )
    assert design.inputs == 6
    assert len(design.stages) == design.latency_cycles
    assert design.accept == Accept("constant", 97)
    assert sources(project)[0].suffix == ".v"


def test_vectors_are_text(project: Path) -> None:
    assert np.array_equal(np.loadtxt(project / "tb_data" / "input_words.dat", dtype=int), VECTORS.words)
    assert np.array_equal(np.loadtxt(project / "tb_data" / "expected_words.dat", dtype=int), VECTORS.expected.ravel())


def test_the_same_network_gives_the_same_project(project: Path, tmp_path: Path) -> None:
    write_small_rtl(tmp_path / "again", Accept("constant", 97))
    for path in (path for path in project.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(project)).read_bytes()


def test_a_threshold_beyond_the_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no code of"):
        write_rtl_project(NETWORK, CONFIG, Accept("constant", 1 << 40), VECTORS, tmp_path / "rtl")
    assert not (tmp_path / "rtl").exists()


def test_several_words_have_no_threshold(tmp_path: Path) -> None:
    network = Network(NETWORK.nodes[:3])
    with pytest.raises(ValueError, match="4 output words have no threshold"):
        write_rtl_project(network, CONFIG, Accept("register", 1), VECTORS, tmp_path / "rtl")


def test_a_network_without_an_answer_is_refused(tmp_path: Path) -> None:
    nothing = Dense("nothing", "inputs", Constant.narrowest(np.zeros((6, 1), dtype=np.int64), 0), None)
    kind = NETWORK.type(NETWORK.nodes[2].name)
    network = Network((NETWORK.input, nothing, Quantize("score", "nothing", kind, "linear")))
    with pytest.raises(UserError, match="layer 'score' gives the same for every event"):
        write_rtl_project(
            network, CONFIG, Accept("constant", 0), Vectors(VECTORS.words, VECTORS.expected * 0), tmp_path / "rtl"
        )


@pytest.mark.parametrize("damage", ["schema", "ports", "unknown"])
def test_a_damaged_design_is_refused(project: Path, tmp_path: Path, damage: str) -> None:
    content = json.loads((project / DESIGN_FILE).read_text())
    content |= {"schema": {"schema": 0}, "ports": {"ports": [1]}, "unknown": {"more": 1}}[damage]
    (tmp_path / DESIGN_FILE).write_text(json.dumps(content))
    with pytest.raises(UserError, match="in another form than this version writes"):
        RtlDesign.read(tmp_path)


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"it has no design\.json"):
        RtlDesign.read(tmp_path)
    with pytest.raises(UserError, match="has no files in the folder verilog"):
        sources(tmp_path)
