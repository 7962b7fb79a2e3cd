"""A stage runs when what it reads has changed, and writes everything or nothing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.stage import Run, Stage, package_versions, read_results, reading, source_digest, timings
from trigger_ad.run_directory import RunDirectory, write_text


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "source").write_text("1")
    return Run(Config(name="small"), RunDirectory(tmp_path / "run"))


def _source(run: Run) -> Path:
    return run.directory.path.parent / "source"


def _copy(run: Run) -> None:
    for name in ("one", "two"):
        write_text(run.directory.path / name, _source(run).read_text())


def _outputs(run: Run) -> list[Path]:
    return [run.directory.path / name for name in ("one", "two")]


def _stage(**changes: Any) -> Stage:
    settings: dict[str, Any] = {
        "settings": _seed,
        "inputs": lambda run: [_source(run)],
        "outputs": _outputs,
        "execute": _copy,
        "rooms": (),
    }
    return Stage("copy", **(settings | changes))


def _seed(config: Config) -> dict[str, int]:
    return {"seed": config.seed}


def _with_seed(run: Run, seed: int) -> Run:
    return Run(run.config.model_copy(update={"seed": seed}), run.directory)


def test_a_stage_runs_once(run: Run) -> None:
    assert [_stage().bring_up_to_date(run) for _ in range(3)] == [True, False, False]


def test_a_changed_input_runs_it_again(run: Run) -> None:
    _stage().bring_up_to_date(run)
    _source(run).write_text("2")
    assert _stage().bring_up_to_date(run)
    assert [path.read_text() for path in _outputs(run)] == ["2", "2"]


def test_an_input_whose_time_alone_changed_does_not(run: Run) -> None:
    _stage().bring_up_to_date(run)
    _source(run).write_text("1")
    assert not _stage().bring_up_to_date(run)


def test_a_setting_that_it_depends_on_runs_it_again(run: Run) -> None:
    _stage().bring_up_to_date(run)
    assert _stage().bring_up_to_date(_with_seed(run, 2))
    assert not _stage().bring_up_to_date(_with_seed(run, 2))


def test_a_setting_that_it_does_not_depend_on_does_not(run: Run) -> None:
    _stage().bring_up_to_date(run)
    other = Run(run.config.model_copy(update={"name": "other"}), run.directory)
    assert not _stage().bring_up_to_date(other)


def test_a_file_that_moves_from_one_sample_to_the_next_runs_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bg_1", "bg_2", "sig_1"):
        Path(f"{name}.h5").write_text(name)
    events = {"background": "bg_*.h5", "signals": {"signal": "sig_*.h5"}}
    run = Run(Config.model_validate({"name": "small", "events": events}), RunDirectory(tmp_path / "run"))
    (tmp_path / "source").touch()
    stage = _stage(inputs=Run.event_files)
    assert [stage.bring_up_to_date(run) for _ in range(2)] == [True, False]
    # the same files in the same order, but of other samples
    Path("bg_2.h5").rename("sig_0.h5")
    assert [stage.bring_up_to_date(run) for _ in range(2)] == [True, False]


def test_a_missing_output_runs_it_again(run: Run) -> None:
    _stage().bring_up_to_date(run)
    _outputs(run)[1].unlink()
    assert _stage().bring_up_to_date(run)


def test_another_version_of_the_program_runs_it_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _stage().bring_up_to_date(run)
    monkeypatch.setattr("trigger_ad.pipeline.stage.version", lambda name: "99.0")
    assert _stage().bring_up_to_date(run)


def test_an_output_edited_by_hand_is_kept(run: Run) -> None:
    _stage().bring_up_to_date(run)
    _outputs(run)[0].write_text("by hand")
    assert not _stage().bring_up_to_date(run)
    assert _outputs(run)[0].read_text() == "by hand"


@pytest.mark.parametrize("error", [UserError("bad", "Do better"), KeyboardInterrupt(), RuntimeError("a mistake")])
def test_a_stage_that_fails_half_way_writes_nothing(run: Run, error: BaseException) -> None:
    _stage().bring_up_to_date(run)
    before = {path.name: path.read_bytes() for path in run.directory.path.iterdir()}

    def fail(run: Run) -> None:
        _copy(run)
        raise error

    _source(run).write_text("2")
    with pytest.raises(type(error)):
        _stage(execute=fail).bring_up_to_date(_with_seed(run, 2))
    assert {path.name: path.read_bytes() for path in run.directory.path.iterdir()} == before
    # what was there is still what the old settings and inputs give
    _source(run).write_text("1")
    assert not _stage().bring_up_to_date(run)


def test_the_configuration_is_written_with_the_artefacts(run: Run) -> None:
    _stage().bring_up_to_date(run)
    assert run.directory.config.read_text() == run.config.to_yaml()
    changed = _with_seed(run, 2)
    _stage().bring_up_to_date(changed)
    assert run.directory.config.read_text() == changed.config.to_yaml()


def test_bad_input_is_refused_before_the_stage_is_announced(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(run: Run) -> None:
        raise UserError("bad", "Do better")

    caplog.set_level(logging.INFO, "trigger_ad")
    with pytest.raises(UserError, match="bad"):
        _stage(check=refuse).bring_up_to_date(run)
    assert caplog.messages == []
    assert not run.directory.path.exists()


def test_a_stage_is_announced_by_its_name(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trigger_ad")
    _stage().bring_up_to_date(run)
    _stage().bring_up_to_date(run)
    assert caplog.messages == ["copy"]


def test_the_manifest_says_what_was_read_and_written(run: Run) -> None:
    _stage().bring_up_to_date(run)
    manifest = json.loads(run.directory.manifest.read_text())
    entry = manifest["stages"]["copy"]
    assert entry["seed"] == 1
    assert entry["versions"] == package_versions()
    assert entry["outputs"].keys() == {"one", "two"}
    assert entry["outputs"]["one"] == entry["outputs"]["two"]
    assert entry["seconds"] >= 0
    assert timings(run) == {"copy": entry["seconds"]}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stages": []}', '{"stages": {"copy": 1}}'])
def test_a_damaged_manifest_is_one_clear_error(run: Run, text: str) -> None:
    _stage().bring_up_to_date(run)
    run.directory.manifest.write_text(text)
    with pytest.raises(UserError) as error:
        _stage().bring_up_to_date(run)
    assert str(run.directory.manifest) in error.value.what
    assert error.value.remedy.startswith("Delete it")


@pytest.mark.parametrize("error", [OSError("truncated"), ValueError("no number"), KeyError("nodes"), EOFError()])
def test_a_damaged_artefact_is_one_clear_error(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(UserError, match=r"float\.h5 is damaged") as raised, reading(tmp_path / "float.h5"):
        raise error
    assert raised.value.remedy.startswith("Delete it")


def test_another_version_of_a_package_runs_the_stage_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _stage().bring_up_to_date(run)
    monkeypatch.setattr("trigger_ad.pipeline.stage.package_versions", lambda: {"numpy": "another"})
    assert _stage().bring_up_to_date(run)
    assert not _stage().bring_up_to_date(run)


def test_versions_are_none_for_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigger_ad.pipeline.stage.PACKAGES", ("numpy", "no-such-package"))
    versions = package_versions()
    assert versions.keys() == {"python", "numpy", "no-such-package"}
    assert versions["no-such-package"] is None
    assert versions["numpy"] is not None


def test_a_stage_runs_again_when_asked_to(run: Run) -> None:
    assert _stage().bring_up_to_date(run)
    assert not _stage().bring_up_to_date(run)
    assert _stage().bring_up_to_date(run, again=True)


def test_the_source_digest_follows_the_code_of_the_rooms_alone() -> None:
    assert source_digest(("network",)) == source_digest(("network",))
    assert source_digest(("network",)) != source_digest(("network", "firmware"))
    assert source_digest(("pipeline/train.py",)) != source_digest(("pipeline/report.py",))


def test_what_a_killed_process_left_is_removed_before_a_stage_writes(run: Run) -> None:
    _stage().bring_up_to_date(run)
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = run.directory.path / f"manifest.json.partial-{ended.pid}"
    folder = run.directory.path / "hls" / f"vitis.partial-{ended.pid}"
    folder.mkdir(parents=True)
    of_a_running_process = run.directory.path / f"one.partial-{os.getppid()}"
    for path in (left, folder / "file", of_a_running_process):
        path.write_text("half")
    _stage().bring_up_to_date(run, again=True)
    assert not left.exists()
    assert not folder.exists()
    assert of_a_running_process.exists()


@pytest.mark.parametrize("content", ["{}", '{"other": 1}', "[]", "not JSON"])
def test_results_without_what_is_read_from_them_are_damaged(run: Run, content: str) -> None:
    path = run.directory.results("emulation")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(UserError, match=r"emulation\.json"):
        read_results(run, "emulation", ("emulators",))
