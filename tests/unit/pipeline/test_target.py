"""A target is a configuration or a run directory; stages are brought up to date in order, up to the one asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.pipeline import target
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.pipeline.target import STAGES, bring_up_to_date, open_run
from trigger_ad.run_directory import RunDirectory, write_text


def test_a_configuration_names_its_run_directory(tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"
    path.write_text("name: small-8\nseed: 3\n")
    run = open_run(path)
    assert run.directory.path == Path("hls_projects/small-8")
    assert run.config.seed == 3


def test_a_run_directory_holds_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(Config(name="small", seed=4).to_yaml())
    run = open_run(tmp_path)
    assert run.directory.path == tmp_path
    assert run.config == Config(name="small", seed=4)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run directory"):
        open_run(tmp_path)


def test_opening_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("any.yaml").write_text("name: small\n")
    open_run(Path("any.yaml"))
    assert [path.name for path in tmp_path.iterdir()] == ["any.yaml"]


def _chain() -> tuple[Stage, ...]:
    """Three stages, each of which writes its own name and what the one before wrote."""

    def path(run: Run, name: str) -> Path:
        return run.directory.path / name

    def make(name: str, before: str | None) -> Stage:
        def execute(run: Run) -> None:
            write_text(path(run, name), name + (path(run, before).read_text() if before else ""))

        return Stage(
            name,
            lambda config: {"seed": config.seed} if before is None else {},
            lambda run: [path(run, before)] if before else [],
            lambda run: [path(run, name)],
            execute,
            (),
        )

    return (make("a", None), make("b", "a"), make("c", "b"))


def test_stages_run_in_order_up_to_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "STAGES", _chain())
    run = Run(Config(name="small"), RunDirectory(tmp_path / "run"))
    assert bring_up_to_date(run, "b") == ["a", "b"]
    assert not (tmp_path / "run" / "c").exists()
    assert bring_up_to_date(run, "c") == ["c"]
    assert bring_up_to_date(run, "c") == []
    assert (tmp_path / "run" / "c").read_text() == "cba"


def test_convert_stands_for_the_rtl_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [replace(stage, name=name) for stage, name in zip(_chain(), ("convert", "rtl", "last"), strict=True)]
    monkeypatch.setattr(target, "STAGES", chain)
    run = Run(Config(name="small"), RunDirectory(tmp_path / "run"))
    assert bring_up_to_date(run, "convert") == ["convert", "rtl"]
    assert bring_up_to_date(run, "convert", again=True) == ["convert", "rtl"]


def test_a_stage_whose_input_came_out_the_same_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "STAGES", _chain())
    directory = RunDirectory(tmp_path / "run")
    bring_up_to_date(Run(Config(name="small"), directory), "c")
    assert bring_up_to_date(Run(Config(name="small", seed=2), directory), "c") == ["a"]


def test_a_configuration_that_runs_no_stage_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "STAGES", _chain())
    run = Run(Config(name="small"), RunDirectory(tmp_path / "run"))
    bring_up_to_date(run, "c")
    changed = Run(Config.model_validate({"name": "small", "firmware": {"clock_ns": 3.0}}), run.directory)
    assert bring_up_to_date(changed, "c") == []
    assert run.directory.config.read_text() == changed.config.to_yaml()


def test_every_output_of_a_stage_is_below_the_run_directory() -> None:
    run = Run(Config(name="small"), RunDirectory(Path("hls_projects/small")))
    outputs = [path for stage in STAGES for path in stage.outputs(run)]
    assert len(outputs) == len(set(outputs))
    assert all(path.is_relative_to(run.directory.path) for path in outputs)


@pytest.mark.parametrize(
    ("section", "change", "stages"),
    [
        ("firmware", {"clock_ns": 3.0}, ["convert", "rtl", "synthesize", "report"]),
        ("quantization", {"weights": 5}, ["quantize", "report"]),
        ("quantization", {"ship": "ptq"}, ["convert", "rtl", "emulate", "synthesize", "report"]),
        ("training", {"epochs": 5}, ["train", "quantize", "report"]),
        ("model", {"latent": 2}, ["train", "quantize", "report"]),
    ],
)
def test_a_stage_depends_on_no_more_of_the_configuration_than_it_reads(
    section: str, change: dict[str, object], stages: list[str]
) -> None:
    """The digests of what a stage reads from stages before it do the rest."""
    before, after = Config(name="small"), Config.model_validate({"name": "small", section: change})
    assert [stage.name for stage in STAGES if stage.settings(before) != stage.settings(after)] == stages


def _kept_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of three stages that another version has made, the first two of which can be kept."""
    monkeypatch.setattr(target, "STAGES", _chain())
    monkeypatch.setattr(target, "KEPT", ("a", "b"))
    run = Run(Config(name="small"), RunDirectory(tmp_path / "small"))
    bring_up_to_date(run, "c")
    monkeypatch.setattr("trigger_ad.pipeline.stage.package_versions", lambda: {"trigger-ad": "another"})
    return run


def _opened(run: Run) -> Run:
    return open_run(run.directory.path)


def test_a_configuration_makes_anew_what_another_version_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _kept_run(tmp_path, monkeypatch)
    assert bring_up_to_date(run, "c") == ["a", "b", "c"]


def test_a_run_directory_keeps_it_but_for_what_is_told_and_what_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _kept_run(tmp_path, monkeypatch)
    assert bring_up_to_date(_opened(run), "c") == ["c"]
    assert bring_up_to_date(_opened(run), "b", keep_last=True) == []
    assert bring_up_to_date(_opened(run), "b") == ["b"]


def test_a_file_that_the_other_version_did_not_read_is_no_change_of_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _kept_run(tmp_path, monkeypatch)
    write_text(run.directory.path / "new", "read by this version")
    a, b, c = _chain()
    reading = replace(b, later_inputs=lambda run: [run.directory.path / "new"])
    monkeypatch.setattr(target, "STAGES", (a, reading, c))
    assert bring_up_to_date(_opened(run), "b", keep_last=True) == []
    # this version's own
    assert bring_up_to_date(_opened(run), "b") == ["b"]
    assert bring_up_to_date(_opened(run), "b", keep_last=True) == []
    write_text(run.directory.path / "new", "changed")
    assert bring_up_to_date(_opened(run), "b", keep_last=True) == ["b"]


def test_a_changed_setting_or_file_is_noticed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _kept_run(tmp_path, monkeypatch)
    write_text(run.directory.path / "a", "edited by hand")
    assert bring_up_to_date(_opened(run), "b", keep_last=True) == ["b"]
    write_text(run.directory.config, run.config.model_copy(update={"seed": 5}).to_yaml())
    assert bring_up_to_date(_opened(run), "a", keep_last=True) == ["a"]
