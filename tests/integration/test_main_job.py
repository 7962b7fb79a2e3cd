"""The main job, end to end on a few events: what it writes, what it believes, and what makes it run again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.runs import SIGNALS, STAGES, Command, tree_digest, write_config

from trigger_ad.emulation.hls import compiled
from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.events.encoded import encode_file
from trigger_ad.events.split import BACKGROUND_FRACTIONS, SIGNAL_FRACTIONS, assign_parts
from trigger_ad.network.evaluation import scores
from trigger_ad.pipeline import target
from trigger_ad.pipeline.convert import read_vectors, shipped_network
from trigger_ad.pipeline.target import bring_up_to_date, open_run
from trigger_ad.report.inputs import main_rows

RUN = Path("hls_projects/study")
EMULATORS = dict.fromkeys(("keras_float64", "native", "alir", "hls_vitis", "hls_vivado"), True) | {
    "keras_float32": False
}


def _report() -> dict[str, Any]:
    report: dict[str, Any] = json.loads((RUN / "report.json").read_text())
    return report


def _words() -> dict[str, np.ndarray]:
    with np.load(RUN / "results" / "emulation.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def test_the_run_directory_can_be_handed_over(study: Path) -> None:
    expected = {
        "config.yaml",
        "manifest.json",
        "float.h5",
        "quantized_ptq.h5",
        "quantized_qat.h5",
        "network_ptq.json",
        "network_qat.json",
        "hls",
        "vectors",
        "results",
        "README.md",
        "report.html",
        "report.json",
        "report.md",
        "figures",
    }
    assert {path.name for path in RUN.iterdir()} == expected
    assert {path.name for path in (RUN / "hls").iterdir()} == {"vitis", "vivado"}


def test_the_manifest_says_what_each_stage_read_and_wrote(study: Path) -> None:
    manifest = json.loads((RUN / "manifest.json").read_text())
    assert list(manifest["stages"]) == list(STAGES)
    for stage, entry in manifest["stages"].items():
        assert re.fullmatch(r"[0-9a-f]{64}", entry["inputs"])
        # of this study there is no RTL
        assert entry["outputs"] or stage == "rtl"
        assert all((RUN / path).exists() for path in entry["outputs"])
        assert entry["seed"] == 1
        assert {"python", "trigger-ad", "tensorflow", "qkeras", "hls4ml"} <= entry["versions"].keys()


def test_no_text_names_this_machine(study: Path, finished: Path) -> None:
    """What is handed over says nothing about where it was made."""
    for path in (path for path in RUN.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert str(finished).encode() not in content, path
        assert str(Path.home()).encode() + b"/" not in content, path
        assert b".partial" not in content, path


def test_the_report_has_every_key_of_its_schema(study: Path) -> None:
    report = _report()
    assert report["schema"] == 1
    assert report["name"] == "study"
    assert report["config"]["training"]["epochs"] == 2
    assert all(isinstance(version, str) for version in report["versions"].values())
    assert report["model"].keys() == {"architecture", "parameters", "sparsity", "kernels", "bits", "seed"}
    assert report["events"].keys() == {"background", "signals"}
    assert report["events"]["background"].keys() == {"train", "validation", "test", "source"}
    assert {name: parts.keys() for name, parts in report["events"]["signals"].items()} == dict.fromkeys(
        SIGNALS, {"validation": 0, "test": 0, "source": ""}.keys()
    )
    row_keys = {"model", "score", "signal", "auc", "auc_low", "auc_high", "method", "tpr"}
    point_keys = {"fpr_target", "fpr", "fpr_low", "fpr_high", "tpr", "low", "high", "background_accepted"}
    point_keys |= {"background_events", "tpr_at_target"}
    for row in report["performance"]:
        assert row.keys() >= row_keys
        assert row["tpr"]
        assert all(point.keys() >= point_keys for point in row["tpr"])
    assert report["agreement"].keys() >= {"reference", "emulators", "layers"}
    assert report["agreement"]["reference"] == "integer"
    for entry in report["agreement"]["emulators"].values():
        assert entry.keys() >= {"exact", "events", "mismatches", "max_lsb", "seconds"}
    for layer in report["agreement"]["layers"]:
        assert layer.keys() >= {"layer", "precision", "mismatches", "overflows", "saturations"}
    figures = {"fmax_mhz", "latency_cycles", "latency_ns", "ii_cycles", "lut", "ff", "dsp", "bram", "utilisation"}
    for entry in report["hardware"]:
        assert entry.keys() >= {"flow", "source", "tool", "part", "clock_ns", "clock_status"} | figures
        assert entry["utilisation"].keys() == {"lut", "ff", "dsp", "bram"}
    assert "trigger" in report
    assert report["timings"].keys() >= set(STAGES) - {"report"}


def test_the_rows_are_every_model_and_trivial_score_for_every_signal(study: Path) -> None:
    found = [(row["model"], row["signal"]) for row in main_rows(_report())]
    models = ["float", "float_encoded", "ptq", "qat", "firmware", *BASELINE_TITLES]
    assert sorted(found) == sorted((model, signal) for model in models for signal in SIGNALS)


def test_the_events_counted_are_those_of_the_files(study: Path) -> None:
    counted, encoding = _report()["events"], open_run(RUN).encoding
    for name, found, fractions in (
        ("background.h5", counted["background"], BACKGROUND_FRACTIONS),
        (f"{SIGNALS[0]}.h5", counted["signals"][SIGNALS[0]], SIGNAL_FRACTIONS),
    ):
        (parts,) = assign_parts([encode_file(Path(name), encoding)], fractions)
        counts = np.bincount(parts, minlength=len(fractions)).tolist()
        assert found == dict(zip(fractions, counts, strict=True)) | {"source": name}


def test_every_emulator_agrees_on_every_test_event_and_corner(study: Path) -> None:
    report = _report()
    emulators = report["agreement"]["emulators"]
    assert {name: entry["must_agree"] for name, entry in emulators.items()} == EMULATORS
    vectors = read_vectors(RUN / "vectors")
    words, expected, segments = vectors.words, vectors.expected, vectors.segments
    for name in ("keras_float64", "native", "alir", "hls_vitis", "hls_vivado"):
        entry = emulators[name]
        assert (entry["exact"], entry["mismatches"], entry["max_lsb"]) == (True, 0, 0.0)
        assert entry["events"] == len(words)
        assert entry["accept_mismatches"] == (0 if name.startswith("hls_") else None)
    tested = {item.name: item.stop - item.start for item in segments if item.kind == "events"}
    counts = report["events"]
    assert tested == {"background": counts["background"]["test"]} | {
        name: parts["test"] for name, parts in counts["signals"].items()
    }
    run = open_run(RUN)
    codes = run.encoding.codes_of_words(words)
    np.testing.assert_array_equal(expected[:, 0], scores(shipped_network(run), codes))
    assert all(layer["mismatches"] == 0 and layer["overflows"] == 0 for layer in report["agreement"]["layers"])


def test_the_firmware_rows_come_from_the_words_that_the_compiled_firmware_gave(study: Path) -> None:
    words = _words()
    segments = [item for item in read_vectors(RUN / "vectors").segments if item.kind == "events"]
    with compiled(RUN / "hls" / "vitis", shipped_network(open_run(RUN))) as bench:
        given = bench.run().words[:, 0]
    assert list(words) == [item.name for item in segments]
    for item in segments:
        np.testing.assert_array_equal(words[item.name], given[item.start : item.stop])
    # other words in the emulation's file give other firmware rows, and no other row changes
    before = _report()["performance"]
    words |= {name: own.max() - own for name, own in words.items()}
    np.savez_compressed(RUN / "results" / "emulation.npz", allow_pickle=False, **words)
    assert bring_up_to_date(open_run(RUN), "report") == ["report"]
    after = _report()["performance"]
    assert [row for row in before if row["model"] != "firmware"] == [row for row in after if row["model"] != "firmware"]
    assert all(old != new for old, new in zip(before, after, strict=True) if old["model"] == "firmware")


def test_of_many_test_events_some_are_vectors_and_the_native_library_scores_the_others(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(RUN)
    tests, before = run.dataset.test_events(), _words()
    total = sum(map(len, tests.values()))
    monkeypatch.setattr("trigger_ad.pipeline.convert.MOST_EVENTS", total // 3)
    for stage in ("convert", "emulate"):
        bring_up_to_date(run, stage, again=True)
    bring_up_to_date(run, "report")
    segments = [item for item in read_vectors(RUN / "vectors").segments if item.kind == "events"]
    assert {item.name: item.of for item in segments} == {name: len(part) for name, part in tests.items()}
    assert all(len(item) == round(item.of * (total // 3) / total) for item in segments if item.of)
    after, report = _words(), _report()
    for name, words in before.items():
        np.testing.assert_array_equal(after[name], words)
    emulated = sum(map(len, segments))
    assert (report["vectors"]["events"], report["agreement"]["test_events"]) == (emulated, total)
    told = f"The emulators ran {emulated:,} of {total:,} test events, evenly spread"
    assert told in (RUN / "report.md").read_text()


def test_the_firmware_decides_as_the_shipped_model(study: Path) -> None:
    rows = _report()["performance"]
    shipped = [row | {"model": ""} for row in rows if row["model"] == "qat"]
    assert shipped == [row | {"model": ""} for row in rows if row["model"] == "firmware"]


def test_a_second_run_executes_nothing_and_changes_nothing(study: Path, command: Command) -> None:
    before = tree_digest(RUN)
    outcome = command("run", "study.yaml")
    assert (outcome.code, outcome.stderr) == (0, [])
    assert "Report: hls_projects/study/report.html" in outcome.stdout
    assert tree_digest(RUN) == before
    assert bring_up_to_date(open_run(Path("study.yaml")), "report") == []


def test_a_run_directory_is_a_target(study: Path, command: Command) -> None:
    before = tree_digest(RUN)
    outcome = command("run", str(RUN), "--json")
    assert (outcome.code, outcome.stderr) == (0, [])
    assert json.loads(outcome.stdout) == _report()
    assert tree_digest(RUN) == before


def test_the_same_configuration_gives_the_same_firmware(study: Path) -> None:
    digests = tree_digest(RUN / "hls")
    (RUN / "manifest.json").unlink()
    assert bring_up_to_date(open_run(Path("study.yaml")), "convert") == ["train", "quantize", "convert", "rtl"]
    assert tree_digest(RUN / "hls") == digests


@pytest.mark.parametrize(
    ("changes", "ran"),
    [
        ({"firmware__clock_ns": 3.0}, ["convert"]),
        ({"quantization__ship": "ptq"}, ["convert"]),
        ({"quantization__weights": 6}, ["quantize", "convert"]),
        ({"seed": 2}, ["train", "quantize", "convert"]),
    ],
)
def test_a_change_runs_what_depends_on_it(study: Path, changes: dict[str, Any], ran: list[str]) -> None:
    config = write_config(Path("study.yaml"), **changes)
    assert bring_up_to_date(open_run(config), "convert") == ran
    assert (RUN / "config.yaml").read_text() == open_run(config).config.to_yaml()


def test_a_new_clock_reaches_project_estimate_and_report_without_training(study: Path, command: Command) -> None:
    write_config(Path("study.yaml"), firmware__clock_ns=2.5, firmware__back_ends=["vivado"])
    outcome = command("run", "study.yaml")
    assert outcome.code == 0
    assert outcome.stderr == ["convert", "emulate", "synthesize", "report"]
    assert "set clock_period 2.5" in (RUN / "hls" / "vivado" / "project.tcl").read_text()
    assert [(entry["flow"], entry["clock_ns"]) for entry in _report()["hardware"]] == [("hls_vivado", 2.5)]
    assert _report()["agreement"]["emulators"]["hls_vivado"]["exact"] is True


def test_changed_events_run_everything(study: Path) -> None:
    Path("background.h5").write_bytes(Path("heavy.h5").read_bytes())
    assert bring_up_to_date(open_run(Path("study.yaml")), "train") == ["train"]


def test_a_deleted_artefact_is_made_again(study: Path) -> None:
    (RUN / "float.h5").unlink()
    assert bring_up_to_date(open_run(Path("study.yaml")), "train") == ["train"]


def _weights(project: Path, layer: str) -> Path:
    weights = (project / "firmware" / "weights").glob("w*.h")
    (path,) = [path for path in weights if f"{layer}_weight_t" in path.read_text()]
    return path


def test_a_weight_edited_by_hand_fails_the_emulation_and_is_named(study: Path, command: Command) -> None:
    config = write_config(Path("study.yaml"), firmware__back_ends=["vivado"])
    bring_up_to_date(open_run(config), "convert")
    path = _weights(RUN / "hls" / "vivado", "decoder_1")
    text, count = re.subn(r"= \{[^,]+,", "= {-1,", path.read_text())
    assert count == 1
    path.write_text(text)
    for verb in ("emulate", "run"):
        outcome = command(verb, "study.yaml")
        assert outcome.code == 1
        assert outcome.error == (
            "trigger-ad: hls_vivado differs from the reference, first in layer 'decoder_1'; "
            "hls_projects/study/results/mismatches.json says more. "
            "To make a project or the vectors anew, delete their folder and run 'convert'"
        )
    mismatches = json.loads((RUN / "results" / "mismatches.json").read_text())["mismatches"]
    (found,) = [item for item in mismatches if item["must_agree"]]
    assert (found["emulator"], found["difference"]["layer"]) == ("hls_vivado", "decoder_1")
    assert found["difference"]["expected"] != found["difference"]["found"]
    emulators = _report()["agreement"]["emulators"]
    assert {name: entry["exact"] for name, entry in emulators.items() if entry["must_agree"]} == {
        "keras_float64": True,
        "native": True,
        "alir": True,
        "hls_vivado": False,
    }
    # what was edited is not overwritten in silence
    assert path.read_text() == text


def _fail_in_the_second_project(patch: pytest.MonkeyPatch, error: BaseException) -> Callable[..., None]:
    from trigger_ad.firmware import project

    write = project.write_project

    def failing(network: Any, config: Any, back_end: str, accept: Any, vectors: Any, folder: Path, depths: Any) -> None:
        write(network, config, "vitis", accept, vectors, folder, depths)
        if back_end == "vivado":
            raise error

    patch.setattr(project, "write_project", failing)
    return failing


def test_an_interrupted_stage_leaves_what_was_there(
    study: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree_digest(RUN)
    config = write_config(Path("study.yaml"), firmware__clock_ns=2.5)
    with monkeypatch.context() as patch:
        _fail_in_the_second_project(patch, KeyboardInterrupt())
        outcome = command("run", str(config))
    assert outcome.code == 130
    assert outcome.stderr[0] == "convert"
    assert outcome.error.startswith("trigger-ad: interrupted; ")
    assert tree_digest(RUN) == before
    # going back to the old configuration finds everything in place; going on makes the new project
    write_config(config)
    assert bring_up_to_date(open_run(config), "report") == []
    write_config(config, firmware__clock_ns=2.5)
    assert bring_up_to_date(open_run(config), "convert") == ["convert"]


def test_a_stage_stopped_while_it_puts_artefacts_in_place_is_not_believed(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two renames there is no undoing: then the stage must run again, whatever the configuration says."""
    from trigger_ad import run_directory

    replace = run_directory._replace

    def stopped(temporary: Path, path: Path) -> None:
        if path.name == "vivado":
            raise KeyboardInterrupt
        replace(temporary, path)

    config = write_config(Path("study.yaml"), firmware__clock_ns=2.5)
    with monkeypatch.context() as patch:
        patch.setattr(run_directory, "_replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            bring_up_to_date(open_run(config), "convert")
    assert "set clock_period 2.5" in (RUN / "hls" / "vitis" / "project.tcl").read_text()
    assert "set clock_period 5" in (RUN / "hls" / "vivado" / "project.tcl").read_text()
    write_config(config)
    assert bring_up_to_date(open_run(config), "convert") == ["convert"]
    assert "set clock_period 5" in (RUN / "hls" / "vitis" / "project.tcl").read_text()


def test_the_stages_are_the_verbs_of_the_command_line() -> None:
    assert tuple(stage.name for stage in target.STAGES) == STAGES


def test_a_back_end_that_is_no_longer_named_leaves_no_older_project(study: Path, command: Command) -> None:
    (RUN / "hls" / "vivado" / "trigger_ad_study_prj").mkdir()
    config = write_config(Path("study.yaml"), firmware__back_ends=["vitis"])
    assert command("convert", str(config)).code == 0
    # a vendor tool had worked on it: that is kept, under a name that nobody takes for the project
    assert {path.name for path in (RUN / "hls").iterdir()} == {"vitis", "vivado.previous"}


@pytest.mark.parametrize("name", ["README.md", "figures"])
def test_what_the_report_writes_is_made_again(study: Path, name: str) -> None:
    path = RUN / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert bring_up_to_date(open_run(RUN), "report") == ["report"]
    assert path.exists()


def test_following_a_printed_remedy_mends_a_damaged_project(study: Path, command: Command) -> None:
    project = RUN / "hls" / "vitis"
    (project / "tb_data" / "input_words.dat").write_text("")
    damaged = command("emulate", str(RUN))
    assert damaged.code == 2
    assert f"Delete the folder {project} and run 'convert'" in damaged.error
    shutil.rmtree(project)
    assert command("convert", str(RUN)).code == 0
    assert command("emulate", str(RUN)).code == 0
