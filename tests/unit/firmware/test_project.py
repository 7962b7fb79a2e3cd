"""The project as it is handed over: a test bench that judges, a build script, and nothing about this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.runs import (
    Types,
    encoding_of,
    middle_threshold,
    network_vectors,
    small_config,
    small_network,
    tree_digest,
    write_small_project,
)

from trigger_ad.config import BackEnd
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.project import COSIM_VECTORS, Vectors, write_handover, write_table
from trigger_ad.network.digest import network_digest
from trigger_ad.network.evaluation import evaluate
from trigger_ad.run_directory import RunDirectory

TOP = "trigger_ad_small"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_project(small_network(), tmp_path_factory.mktemp("written") / "vitis")


@pytest.fixture(scope="module")
def built(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the command of its README has been run."""
    folder = Path(shutil.copytree(written, tmp_path_factory.mktemp("built") / "vitis"))
    (command,) = re.findall(r"^    (g\+\+ .*)$", (folder / "README.md").read_text(), flags=re.MULTILINE)
    subprocess.run(["sh", "-c", command], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "project"))


def _bench(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "test_bench", *arguments], cwd=project, capture_output=True, text=True, check=False
    )


def test_the_command_of_the_readme_builds_and_passes(built: Path) -> None:
    done = _bench(built)
    vectors = len(network_vectors(small_network()))
    assert (done.returncode, done.stdout) == (0, f"PASS: {vectors} vectors, 0 mismatches\n")
    words, accepted = np.loadtxt(built / "tb_data" / "csim_results.log", dtype=np.int64).T
    expected = np.loadtxt(built / "tb_data" / "expected_words.dat", dtype=np.int64)
    np.testing.assert_array_equal(words, expected)
    accept = middle_threshold(expected[:, None])
    assert accept is not None
    np.testing.assert_array_equal(accepted, expected > accept.code)
    assert (expected == accept.code).any()


def test_one_wrong_word_fails_and_is_shown(project: Path) -> None:
    path = project / "tb_data" / "expected_words.dat"
    lines = path.read_text().splitlines()
    right = int(lines[7])
    lines[7] = str(right + 1)
    path.write_text("\n".join(lines) + "\n")
    done = _bench(project)
    assert done.returncode == 1
    assert f"MISMATCH in vector 7: expected {right + 1}, found {right}\n" in done.stdout
    assert done.stdout.endswith("vectors, 1 mismatches\n")
    assert done.stdout.splitlines()[-1].startswith("FAIL: ")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("input_words.dat", None, "ERROR: cannot open tb_data/input_words.dat"),
        ("expected_words.dat", None, "ERROR: cannot open tb_data/expected_words.dat"),
        ("input_words.dat", "", "ERROR: input_words.dat has fewer lines than expected_words.dat"),
        ("input_words.dat", "1 2 3\n", "ERROR: input_words.dat is damaged"),
        ("input_words.dat", "1 2 3 4 5 six\n", "ERROR: input_words.dat is damaged"),
        ("expected_words.dat", "", "ERROR: expected_words.dat has fewer lines than input_words.dat"),
        ("expected_words.dat", "word\n", "ERROR: expected_words.dat is damaged"),
    ],
)
def test_missing_and_damaged_vectors_end_with_two(project: Path, file: str, content: str | None, said: str) -> None:
    path = project / "tb_data" / file
    path.unlink() if content is None else path.write_text(content)
    done = _bench(project)
    assert (done.returncode, done.stderr) == (2, said + "\n")


def test_no_vectors_at_all_end_with_two(project: Path) -> None:
    for name in ("input_words.dat", "expected_words.dat"):
        (project / "tb_data" / name).write_text("")
    done = _bench(project)
    assert (done.returncode, done.stderr) == (2, "ERROR: no vectors were read\n")


def test_results_that_cannot_be_written_end_with_two(project: Path) -> None:
    done = _bench(project, "tb_data", "no_such_folder/results.log")
    assert (done.returncode, done.stderr) == (2, "ERROR: the results could not be written\n")


@pytest.mark.parametrize(
    ("column", "word", "said"),
    [
        (0, 256, "256 in vector 3 is no pt word, 0 to 255"),
        (3, -1, "-1 in vector 3 is no pt word, 0 to 255"),
        (4, 128, "128 in vector 3 is no eta word, -128 to 127"),
        (2, -129, "-129 in vector 3 is no phi word, -128 to 127"),
    ],
)
def test_a_word_that_its_type_cannot_hold_is_not_cut_to_fit(project: Path, column: int, word: int, said: str) -> None:
    path = project / "tb_data" / "input_words.dat"
    words = np.loadtxt(path, dtype=np.int64)
    words[3, column] = word
    np.savetxt(path, words, fmt="%d")
    done = _bench(project)
    assert (done.returncode, done.stderr) == (2, f"ERROR: input_words.dat: {said}\n")


def test_the_vectors_are_trigger_words_and_codes_of_the_score(written: Path) -> None:
    network = small_network()
    words = network_vectors(network)
    np.testing.assert_array_equal(np.loadtxt(written / "tb_data" / "input_words.dat", dtype=np.int64), words)
    np.testing.assert_array_equal(
        np.loadtxt(written / "tb_data" / "expected_words.dat", dtype=np.int64, ndmin=2),
        evaluate(network, encoding_of(small_config(network)).codes_of_words(words))["score"],
    )


@pytest.mark.parametrize("back_end", ["vitis", "vivado"])
def test_two_generations_are_identical_and_name_no_path(tmp_path: Path, back_end: BackEnd) -> None:
    network = small_network()
    inputs = network_vectors(network)[:20]
    first = write_small_project(network, tmp_path / "first", back_end, inputs)
    second = write_small_project(network, tmp_path / "deeper" / "second", back_end, inputs)
    assert tree_digest(first) == tree_digest(second)
    for path in (path for path in first.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for private in (str(tmp_path), f"{Path.home()}/", str(Path.cwd())):
            assert private.encode() not in content, f"{path} names {private}"


def test_the_bridge_into_python_is_not_handed_over(written: Path) -> None:
    assert not list(written.glob("*bridge*"))
    assert not (written / "build_lib.sh").exists()


def _install(folder: Path, name: str) -> None:
    """A tool that records how it was called and what build_opt.tcl said then."""
    program = folder / name
    options = "sed -n 's/^    \\([a-z_]*\\)  *\\([01]\\)$/\\1=\\2/p' build_opt.tcl | paste -sd' ' >>options"
    program.write_text(f'#!/bin/sh\necho "$@" >>called\n[ -e build_opt.tcl ] && {options}\nexit 0\n')
    program.chmod(0o755)


def _build(project: Path, tools: list[str], *steps: str) -> subprocess.CompletedProcess[str]:
    folder = project.parent / "tools"
    folder.mkdir()
    for tool in tools:
        _install(folder, tool)
    return subprocess.run(
        [project / "build.sh", *steps],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        cwd=project.parent,
        capture_output=True,
        text=True,
        check=False,
    )


OPTIONS = {
    "csynth": "reset=1 csim=1 synth=1 cosim=0 validation=0 export=0 vsynth=0 fifo_opt=0",
    "cosim": "reset=0 csim=0 synth=0 cosim=1 validation=0 export=0 vsynth=0 fifo_opt=0",
}
"""What each step tells hls4ml's script."""


@pytest.mark.parametrize(
    ("tools", "called"),
    [
        (["vitis_hls"], "-f build_prj.tcl"),
        (["vitis-run"], "--mode hls --tcl build_prj.tcl"),
        (["vitis_hls", "vitis-run"], "-f build_prj.tcl"),
    ],
)
@pytest.mark.parametrize("steps", [[], ["csynth"], ["csynth", "cosim"]])
def test_build_calls_vitis(written: Path, tmp_path: Path, tools: list[str], called: str, steps: list[str]) -> None:
    project = Path(shutil.copytree(written, tmp_path / "project"))
    done = _build(project, tools, *steps)
    assert (done.returncode, done.stderr) == (0, "")
    steps = steps or ["csynth"]
    assert (project / "called").read_text().splitlines() == [called] * len(steps)
    assert (project / "options").read_text().splitlines() == [OPTIONS[step] for step in steps]


@pytest.mark.parametrize("steps", [["csynth"], ["csynth", "cosim"]])
def test_build_calls_vivado_hls(tmp_path: Path, steps: list[str]) -> None:
    network = small_network()
    project = write_small_project(network, tmp_path / "project", "vivado", network_vectors(network)[:5])
    done = _build(project, ["vivado_hls"], *steps)
    assert (done.returncode, done.stderr) == (0, "")
    expected = [f"-f build_prj.tcl {OPTIONS[step]}" for step in steps]
    assert (project / "called").read_text().splitlines() == expected


def test_build_calls_vivado(written: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(written, tmp_path / "project"))
    done = _build(project, ["vivado"], "synth", "implement")
    assert (done.returncode, done.stderr) == (0, "")
    line = "-mode batch -nojournal -nolog -source implement.tcl -tclargs"
    assert (project / "called").read_text().splitlines() == [f"{line} synth", f"{line} implement"]


def test_the_tool_is_the_one_that_is_named(written: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(written, tmp_path / "project"))
    elsewhere = tmp_path / "a folder"
    elsewhere.mkdir()
    _install(elsewhere, "vitis-run")
    environment = {"PATH": "/usr/bin:/bin", "HLS_TOOL": str(elsewhere / "vitis-run")}
    assert subprocess.run([project / "build.sh"], env=environment, check=False).returncode == 0
    assert (project / "called").read_text() == "--mode hls --tcl build_prj.tcl\n"


def test_a_cosimulation_needs_a_c_synthesis_of_the_same_sources(written: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(written, tmp_path / "project"))
    done = _build(project, ["vitis_hls"], "cosim")
    assert done.returncode == 1
    assert done.stderr.startswith("stamp.sh: the step csynth has not ended well")
    assert not (project / "called").exists()


def test_build_passes_on_that_the_tool_failed(written: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(written, tmp_path / "project"))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "vitis_hls").write_text("#!/bin/sh\nexit 3\n")
    (tools / "vitis_hls").chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    assert subprocess.run([project / "build.sh"], env=environment, check=False).returncode == 3
    assert '"finished": false' in (project / "stamps" / "csynth.json").read_text()


@pytest.mark.parametrize(
    ("back_end", "named"), [("vitis", "neither vitis_hls nor vitis-run"), ("vivado", "vivado_hls")]
)
def test_build_without_a_tool_says_so(tmp_path: Path, back_end: BackEnd, named: str) -> None:
    network = small_network()
    project = write_small_project(network, tmp_path / "project", back_end, network_vectors(network)[:5])
    done = _build(project, [])
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"build.sh: {named} is")
    assert "settings64.sh" in line


def test_build_refuses_an_unknown_step(written: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(written, tmp_path / "project"))
    done = _build(project, ["vitis_hls"], "cosin")
    said = "build.sh: unknown step 'cosin'; use csynth, cosim, synth or implement\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert not (project / "called").exists()


def test_the_digest_names_the_network() -> None:
    assert network_digest(small_network()) == network_digest(small_network())
    assert network_digest(small_network()) != network_digest(small_network(seed=2))
    assert network_digest(small_network()) != network_digest(small_network(Types(linear="fixed<8,3,RND_CONV,SAT>")))


def test_the_handover_names_ports_thresholds_and_build(tmp_path: Path) -> None:
    network = small_network()
    point = {"fpr_target": 0.01, "fpr": 0.0123, "fpr_low": 0.01, "fpr_high": 0.02, "code": 4321, "value": 4.21875}
    accept = Accept("constant", 4000, 0.00987)
    write_handover(network, small_config(network), accept, [point], RunDirectory(tmp_path))
    text = (tmp_path / "README.md").read_text()
    assert "The firmware is built\nwith 4000, which accepts 0.987 % of the validation background. Thresholds" in text
    assert "| `accept` (output) | 1 | `ap_uint<1>` | |\n| `network_digest` (output) | 1 | `ap_uint<256>`, " in text
    assert "| `threshold` |" not in text
    for path in ("vectors/*.dat", "vectors/layers/", "figures/", "tb_data/"):
        assert f"`{path}`" in text
    assert "| `pt_words` | 2 | `ap_uint<8>` | 0.5 GeV |\n| `eta_words` | 2 | `ap_int<8>` | 0.5 |\n" in text
    assert "1 met, 1 jet" in text
    assert f"| `score` (output) | 1 | `{network.type('score')}` | {network.type('score').lsb} |" in text
    assert "| 1e-02 | 4321 | 4.21875 | 0.0123 [0.01, 0.02] |" in text
    assert f"`{TOP}`" in text
    assert network_digest(network) in text
    assert "cd hls/vitis && ./build.sh\n" in text
    assert "cd hls/vivado && ./build.sh\n" in text


def test_the_handover_of_a_register_names_the_port(tmp_path: Path) -> None:
    network = small_network()
    write_handover(network, small_config(network), Accept("register", 4000, 0.01), [], RunDirectory(tmp_path))
    text = (tmp_path / "README.md").read_text()
    assert "| `threshold` | 1 | `ap_uint<19>`, a code of the score | " in text
    assert "the port `threshold`; the test benches set it to 4000, which accepts 1 % of the validation" in text


def test_the_handover_of_an_earlier_versions_firmware_names_no_port_that_it_does_not_have(tmp_path: Path) -> None:
    network = small_network()
    write_handover(network, small_config(network), None, [], RunDirectory(tmp_path))
    text = (tmp_path / "README.md").read_text()
    assert "of an earlier version,\ngives no accept bit. Thresholds" in text
    assert "`accept`" not in text
    assert "`network_digest`" not in text


@pytest.mark.parametrize(
    ("accept", "said"),
    [
        (
            Accept("constant", 4000, 0.01234),
            "The threshold is built in:\n4000, the constant `THRESHOLD` in `firmware/trigger_ad_small.h`. It is set on "
            "validation background, and accepts 1.234 % of it;",
        ),
        (
            Accept("register", 4000, 0.01),
            "The threshold is a register, the\nport `threshold`; the test bench sets it to 4000. That code is set on "
            "validation background, and accepts 1 % of it;",
        ),
        (Accept("constant", 4000), "Nothing says which events of this model are ordinary"),
    ],
)
def test_the_readme_says_which_threshold_there_is_and_what_it_accepts(
    tmp_path: Path, accept: Accept, said: str
) -> None:
    network = small_network()
    words = network_vectors(network)[:5]
    text = (write_small_project(network, tmp_path / "project", words=words, accept=accept) / "README.md").read_text()
    assert said in text
    assert "| `accept` (output) | 1 | `ap_uint<1>` | |\n" in text
    assert ("| `threshold` | 1 |" in text) == (accept.threshold == "register")


def test_a_cosimulation_runs_the_leading_vectors_and_a_share_of_every_stretch_after_them() -> None:
    codes = np.zeros((17280, 1), dtype=np.int64)
    vectors = Vectors(codes, codes, leading=292)
    run = [line for line in range(17280) if line < 292 or (line - 292) % vectors.cosim_stride == 0]
    assert vectors.cosimulated.tolist() == run
    assert len(run) <= COSIM_VECTORS
    assert run[:292] == list(range(292))
    # the random groups, 3,000 vectors, and the events after them
    assert sum(292 <= line < 3292 for line in run) > 100
    assert sum(line >= 3292 for line in run) > 500


def test_a_few_vectors_are_all_cosimulated() -> None:
    codes = np.zeros((1000, 1), dtype=np.int64)
    assert Vectors(codes, codes, leading=10).cosim_stride == 1
    assert Vectors(codes, codes).cosim_stride == 1


@pytest.mark.parametrize("block", [1, 2, 50])
@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (4, 1), (1, 4)])
def test_a_table_is_written_a_line_for_each_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], block: int
) -> None:
    monkeypatch.setattr("trigger_ad.firmware.project._BLOCK_ROWS", block)
    table = np.random.default_rng(1).integers(-(2**15), 2**15, shape).astype(np.int16)
    write_table(tmp_path / "table.dat", table)
    assert (tmp_path / "table.dat").read_text() == "".join(" ".join(map(str, row)) + "\n" for row in table.tolist())


def test_the_readme_says_which_accumulator_was_set_by_hand(tmp_path: Path) -> None:
    network = small_network()
    written = {}
    for name, layers in (("own", {"latent": {"accumulator": "fixed<15,4>"}}), ("plain", {})):
        folder = write_small_project(network, tmp_path / name, config=small_config(network, layers=layers))
        written[name] = (folder / "README.md").read_text()
    said = "\nThe accumulator of latent was set by hand: `fixed<15,4>`, which wraps where a sum is beyond it.\n"
    assert written["own"] == written["plain"] + said
