"""`trigger-ad scan`: what it refuses before any worker is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_ad import cli


def _refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["scan", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text("name: base\n")
    return tmp_path


def _write(folder: Path, grid: str, objective: str = "maximise: auc") -> None:
    text = f"name: small\nbase: base.yaml\ngrid: {grid}\nobjectives: [{{{objective}}}]\n"
    (folder / "scan.yaml").write_text(text)


@pytest.mark.parametrize(
    ("grid", "objective", "said"),
    [
        ("{}", "maximise: auc", "scan.yaml: grid: is empty; name a key and its values"),
        ("{seeds: [1]}", "maximise: auc", "scan.yaml, point seeds_1: unknown key 'seeds'"),
        ("{seed: [1]}", "maximise: auc, signal: none", "objectives: there is no signal 'none'"),
        (
            "{firmware.flow: [hls]}",
            "minimise: lut",
            "lut is a figure of the RTL, and firmware.flow is hls",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], grid: str, objective: str, said: str
) -> None:
    _write(folder, grid, objective)
    assert said in _refusal(capsys, "scan.yaml")
    assert not (folder / "hls_projects").exists()


def test_a_missing_base_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(folder, "{seed: [1]}")
    (folder / "base.yaml").unlink()
    assert _refusal(capsys, "scan.yaml").startswith("trigger-ad: base.yaml does not exist.")


def test_workers_are_started_here_or_are_elsewhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(folder, "{seed: [1]}")
    said = _refusal(capsys, "scan.yaml", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert "with --scheduler there are workers already" in said


def test_a_scheduler_has_an_address(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(folder, "{seed: [1]}")
    assert _refusal(capsys, "scan.yaml", "--scheduler", "") == (
        "trigger-ad: --scheduler: no address is given. Start a scheduler with 'dask scheduler', and give the address "
        "that it prints\n"
    )


def test_a_key_below_one_that_has_none_names_the_page_of_all_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(folder, "{model.latent.first: [4]}")
    (folder / "base.yaml").write_text("name: base\nmodel: {latent: 3}\n")
    assert _refusal(capsys, "scan.yaml").endswith("Correct the key; docs/reference.md lists them all\n")


def test_a_run_directory_is_no_folder_of_a_scan(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(folder, "{seed: [1]}")
    (folder / "hls_projects" / "small").mkdir(parents=True)
    (folder / "hls_projects" / "small" / "manifest.json").write_text("{}")
    assert "hls_projects/small is a run directory. Give the scan another name" in _refusal(capsys, "scan.yaml")
