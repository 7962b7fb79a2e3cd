"""`trigger-ad inspect`: what it prints and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from support.events import OTHER, make_other_particles, make_particles, spoil, write_events, write_other_events

from trigger_ad.cli.inspect import MAX_FILES, inspect
from trigger_ad.errors import UserError
from trigger_ad.events.inspection import inspect_file
from trigger_ad.events.layout import ELECTRONS, ETA, PT, SIGNALS
from trigger_ad.events.sample import EventFiles
from trigger_ad.report import inspection_figures
from trigger_ad.run_directory import file_digest


@pytest.fixture
def drawn_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of a few events and no figures: what is drawn is tested where it is drawn."""
    names = ("background", *SIGNALS)
    paths = [write_events(tmp_path / f"sample_{name}.h5", make_particles(30, seed)) for seed, name in enumerate(names)]
    files = EventFiles(tuple(paths[:1]), {name: (path,) for name, path in zip(SIGNALS, paths[1:], strict=True)})
    monkeypatch.setattr("trigger_ad.events.sample.sample_paths", lambda: files)
    monkeypatch.setattr("trigger_ad.report.inspection_page.inspection_figures", lambda files, references: [])


def test_a_sound_file(tmp_path: Path) -> None:
    particles = make_particles(1234)
    path = write_events(tmp_path / "events[1].h5", particles, group_id=np.arange(1234) // 2)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert result.stderr == ""
    assert lines[0] == "events[1].h5: sound"
    assert "events 1,234" in lines
    assert "stored as float64, gzip" in lines
    assert "groups (GroupId) 617" in lines
    electrons = (particles[:, ELECTRONS, PT] > 0).sum(axis=1)
    assert f"electrons {electrons.mean():.3f} ({electrons.std():.3f}), {electrons.max()}" in lines
    assert "electron 1 1.000" in lines
    met = particles[:, 0, PT]
    numbers = [met.min(), *np.quantile(met, (0.25, 0.5, 0.75)), met.max()]
    assert "MET pt 1,234 " + " ".join(f"{number:.4g}" for number in numbers) in lines
    assert "Quartiles are exact." in lines
    assert "Oddities" not in result.stdout


def test_output_that_is_not_a_terminal_is_plain_text(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout


def test_wide_tables_are_not_cut_where_there_is_no_terminal(tmp_path: Path) -> None:
    paths = [write_events(tmp_path / f"a_file_with_a_name_{number}.h5", make_particles(20)) for number in "1234"]
    arguments = [str(path) for path in paths]
    result = CliRunner().invoke(inspect, arguments, catch_exceptions=False, env={"COLUMNS": "40"})
    headings = "  ".join(path.name for path in paths)
    assert sum(line.endswith(headings) for line in result.stdout.splitlines()) == 3


def test_several_files_stand_side_by_side(tmp_path: Path) -> None:
    first = write_events(tmp_path / "first.h5", make_particles(20))
    second = write_events(tmp_path / "second.h5", make_particles(30), names=None, event_id=np.arange(30))
    result = CliRunner().invoke(inspect, [str(first), str(second)], catch_exceptions=False)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:2] == ["first.h5: sound", "second.h5: sound with oddities"]
    assert "events 20 30" in lines
    assert "event ids (EvtId) no 0 to 29" in lines
    assert "electron 1 1.000 1.000" in lines
    assert [line for line in lines if line.startswith("Ranges")] == [
        "Ranges over present objects (pT in GeV, phi in radians): first.h5",
        "Ranges over present objects (pT in GeV, phi in radians): second.h5",
    ]
    assert any(line.startswith("second.h5: no_feature_names (the file)") for line in lines)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "events.h5" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        write_events(path, make_particles(5))
    result = CliRunner().invoke(inspect, [str(path) for path in paths], catch_exceptions=False)
    assert result.stdout.splitlines()[:2] == [f"{path}: sound" for path in paths]


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    path = str(write_events(tmp_path / "events.h5", make_particles(5)))
    result = CliRunner().invoke(inspect, [path, path])
    assert isinstance(result.exception, UserError)
    assert "given 2 times" in result.exception.what


def test_more_files_than_can_be_told_apart_are_refused_before_any_is_read() -> None:
    result = CliRunner().invoke(inspect, [f"missing_{number}.h5" for number in range(MAX_FILES + 1)])
    assert isinstance(result.exception, UserError)
    assert result.exception.what == "7 files are given, and at most 6 can be compared"


def test_as_many_files_as_there_are_colours() -> None:
    assert inspection_figures.MAX_FILES == MAX_FILES


def test_no_file_at_all_is_refused() -> None:
    assert CliRunner().invoke(inspect, []).exit_code == 2


def test_oddities_are_listed_whole_and_the_exit_code_stays_zero(tmp_path: Path) -> None:
    particles = make_particles(20)
    particles[[4, 7], 0, ETA] = 1.0
    path = write_events(tmp_path / "odd.h5", particles, names=None)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("odd.h5: sound with oddities\n")
    for oddity in inspect_file(path).oddities:
        where = "the file" if oddity.first_event is None else f"{oddity.count} events, first {oddity.first_event}"
        assert f"  {oddity.name} ({where}): {oddity.explanation}\n" in result.stdout


def test_an_empty_file(tmp_path: Path) -> None:
    path = write_events(tmp_path / "empty.h5", make_particles(0), compression=None)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("empty.h5: empty\n")


def test_json(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    result = CliRunner().invoke(inspect, ["--json", str(path)], catch_exceptions=False)
    assert json.loads(result.stdout) == json.loads(json.dumps(inspect_file(path).to_json()))


def test_json_of_several_files_is_a_list_in_their_order(tmp_path: Path) -> None:
    paths = [write_events(tmp_path / f"{number}.h5", make_particles(number)) for number in (5, 4)]
    result = CliRunner().invoke(inspect, ["--json", *map(str, paths)], catch_exceptions=False)
    assert [found["events"] for found in json.loads(result.stdout)] == [5, 4]


def test_a_page_is_written_beside_the_table(tmp_path: Path, drawn_small: None) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    page = tmp_path / "folder" / "page.html"
    result = CliRunner().invoke(inspect, [str(path), "--html", str(page)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("events.h5: ")
    assert result.stdout.endswith(f"\nPage: {page}\n")
    text = page.read_text(encoding="utf-8")
    assert file_digest(path) in text
    assert "h± → τν" in text
    assert [child.name for child in page.parent.iterdir()] == ["page.html"]


def test_a_page_and_json_keep_standard_output_for_the_script(tmp_path: Path, drawn_small: None) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    page = tmp_path / "page.html"
    result = CliRunner().invoke(inspect, [str(path), "--json", "--html", str(page)], catch_exceptions=False)
    assert json.loads(result.stdout)["events"] == 20
    assert page.is_file()


def test_a_page_never_replaces_somebody_elses_file_and_says_so_before_reading(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>mine</p>")
    result = CliRunner().invoke(inspect, [str(tmp_path / "missing.h5"), "--html", str(page)])
    assert isinstance(result.exception, UserError)
    assert "was not made by 'trigger-ad inspect'" in result.exception.what
    assert page.read_text() == "<p>mine</p>"


def test_a_file_that_cannot_be_used_prints_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(inspect, [str(tmp_path / "missing.h5")])
    assert isinstance(result.exception, UserError)
    assert result.stdout == ""


def test_help_has_an_example() -> None:
    result = CliRunner().invoke(inspect, ["--help"])
    assert result.exit_code == 0
    assert "\n    trigger-ad inspect background_for_training.h5 --html background.html\n" in result.stdout


@pytest.mark.parametrize("module", ["numpy", "h5py", "rich", "matplotlib", "jinja2"])
def test_help_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, trigger_ad.cli.inspect; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Another layout


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of another experiment; the files that it names need not be there."""
    events = {"background": "missing.h5", "signals": {"some": "missing.h5"}}
    inputs = {"eta": None, "other": {"isolation": {"lsb": 0.0625, "width": 5}}}
    text = {"name": "other", "events": events | {"layout": OTHER.config.model_dump(mode="json")}, "inputs": inputs}
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    return path


def test_a_file_in_the_layout_of_a_configuration(tmp_path: Path, config: Path) -> None:
    path = write_other_events(tmp_path / "other.h5", make_other_particles(40))
    result = CliRunner().invoke(inspect, [str(path), "--config", str(config)], catch_exceptions=False)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines[0] == "other.h5: sound"
    assert any(line.startswith("tau 3 0.") for line in lines)
    assert any(line.startswith("jet isolation ") for line in lines)
    assert any(line.startswith("beyond the trigger words' range pt ") and "isolation" in line for line in lines)
    assert "lepton" not in result.stdout


def test_a_run_directory_stands_for_its_configuration(tmp_path: Path, config: Path) -> None:
    path = write_other_events(tmp_path / "other.h5", make_other_particles(40))
    run = tmp_path / "run"
    run.mkdir()
    config.rename(run / "config.yaml")
    result = CliRunner().invoke(inspect, [str(path), "--json", "--config", str(run)], catch_exceptions=False)
    assert json.loads(result.stdout)["layout"] == OTHER.config.model_dump(mode="json")


@pytest.mark.parametrize("name", ["configuration", "default"])
def test_a_file_that_has_another_layout_is_refused(tmp_path: Path, config: Path, name: str) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    arguments = [str(path), "--config", str(config)]
    if name == "default":
        path = write_other_events(tmp_path / "events.h5", make_other_particles(20))
        arguments = [str(path), "--html", str(tmp_path / "page.html")]
    result = CliRunner().invoke(inspect, arguments)
    assert isinstance(result.exception, UserError)
    assert "`Particles` has the shape (20, " in result.exception.what
    assert "`events.layout`" in result.exception.remedy
    assert result.stdout == ""
    assert not (tmp_path / "page.html").exists()


def test_a_configuration_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    result = CliRunner().invoke(inspect, [str(path), "--config", str(tmp_path / "missing.yaml")])
    assert isinstance(result.exception, UserError)
    assert "missing.yaml does not exist" in result.exception.what


def test_a_page_of_another_layout_has_every_feature_and_no_sample(tmp_path: Path, config: Path) -> None:
    paths = [write_other_events(tmp_path / f"{seed}.h5", make_other_particles(50, seed)) for seed in (1, 2)]
    page = tmp_path / "page.html"
    arguments = [*map(str, paths), "--config", str(config), "--html", str(page)]
    assert CliRunner().invoke(inspect, arguments, catch_exceptions=False).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert ">isolation of the leading tau<" in text
    assert "There is no comparison with the shipped sample" in text
    assert "sample: Background" not in text


def test_a_damaged_file_of_another_layout_is_refused_with_the_events_that_are_lost(
    tmp_path: Path, config: Path
) -> None:
    names = (OTHER.feature_names, OTHER.class_names)
    path = write_events(
        tmp_path / "damaged.h5", make_other_particles(400), names=names[0], classes=names[1], chunks=(100, 9, 4)
    )
    spoil(path, 200)
    result = CliRunner().invoke(inspect, [str(path), "--config", str(config), "--html", str(tmp_path / "page.html")])
    assert isinstance(result.exception, UserError)
    assert "events 200 to 299, 100 of 400, cannot be read" in result.exception.what


def test_a_configuration_of_the_published_layout_is_compared_with_the_sample(tmp_path: Path, drawn_small: None) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    config = tmp_path / "narrow.yaml"
    config.write_text("name: narrow\ninputs: {pt: {width: 3}}\n", encoding="utf-8")
    page = tmp_path / "page.html"
    arguments = [str(path), "--config", str(config), "--html", str(page), "--json"]
    result = CliRunner().invoke(inspect, arguments, catch_exceptions=False)
    assert json.loads(result.stdout)["saturated"]["pt"] > 20
    assert "Distance from each file of the shipped sample" in page.read_text(encoding="utf-8")
