"""The README and the documentation say what is true: their figures are a real run's, their examples can be run."""

from __future__ import annotations

import json
import re
import tarfile
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.configurations import CONFIGURATIONS, SCANS

from trigger_ad.config_file import load_config
from trigger_ad.events.sample import sample_paths
from trigger_ad.scan.scanning import Scan

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_shows_what_the_committed_example_run_printed() -> None:
    refresh = import_module("refresh_example")
    report = json.loads((ROOT / "docs" / "example_report" / "report.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert refresh.with_demo(readme, report) == readme


def test_the_tutorial_shows_the_committed_example_run_and_scan() -> None:
    refresh = import_module("refresh_tutorial")
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    assert refresh.with_figures(page, *(json.loads(path.read_text(encoding="utf-8")) for path in refresh.DATA)) == page


def test_the_quantization_curve_is_that_of_the_committed_scan() -> None:
    refresh = import_module("refresh_scans")
    page = (ROOT / "docs" / "quantization.md").read_text(encoding="utf-8")
    pareto = json.loads((refresh.EXAMPLES / "scan_bits" / "pareto.json").read_text(encoding="utf-8"))
    assert refresh.with_curve(page, pareto) == page


@pytest.mark.parametrize("name", ["scan_bits", "scan_student"])
def test_the_scans_of_the_documentation_are_those_of_the_configurations(name: str) -> None:
    pareto = json.loads((ROOT / "docs" / "example_scans" / name / "pareto.json").read_text(encoding="utf-8"))
    listed = Scan(ROOT / "configs" / f"{name}.yaml").listed
    assert {point["name"]: point["keys"] for point in pareto["points"]} == {point.name: point.keys for point in listed}
    assert {point["state"] for point in pareto["points"]} == {"done"}


def test_the_example_is_the_default_configuration_on_the_shipped_sample() -> None:
    report = json.loads((ROOT / "docs" / "example_report" / "report.json").read_text(encoding="utf-8"))
    assert report["config"] == load_config(ROOT / "configs" / "student.yaml").model_dump(mode="json")


def test_the_example_in_python_gives_the_words_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(ROOT / "tests" / "fixtures" / "run_0.1.0.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(
        code.replace("hls_projects/student", "hls_projects/old")
        .replace("events.h5", "background.h5")
        .replace("0.01", "0.1"),
        names,
    )
    vectors = Path("hls_projects/old/vectors")
    codes = names["encoding"].codes_of_words(np.load(vectors / "input_words.npy"))
    assert np.array_equal(names["scores"](names["network"], codes), np.load(vectors / "expected_words.npy")[:, 0])
    assert names["accepted"].shape == names["values"].shape == (len(names["chunk"].particles),)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        # as a comment in the example says
        ("docs/configuration.md", {"few_bits": 57, "several_files": 57, "other_experiment": 45}),
        ("docs/adc2021.md", {"adc2021": 57}),
        ("README.md", {"mine": 57}),
    ],
)
def test_the_examples_of_configurations_are_configurations(page: str, expected: dict[str, int], tmp_path: Path) -> None:
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.events.layout import EventLayout

    inputs = {}
    for block in re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL):
        path = tmp_path / "example.yaml"
        path.write_text(block, encoding="utf-8")
        config = load_config(path)
        inputs[config.name] = InputEncoding(config.inputs, EventLayout(config.layout)).inputs
    assert inputs == expected


def test_the_examples_of_scans_are_scans_of_shipped_configurations(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "scans.md").read_text(encoding="utf-8")
    for name in ("ffn_small.yaml", "student_small.yaml"):
        (tmp_path / name).write_text((ROOT / "configs" / name).read_text(encoding="utf-8"), encoding="utf-8")
    blocks = re.findall(r"```yaml scan\n(.*?)```", page, flags=re.DOTALL)
    counts = {}
    for block in blocks:
        path = tmp_path / "scan.yaml"
        path.write_text(block, encoding="utf-8")
        scan = Scan(path)
        counts[scan.config.name] = len(scan.listed)
    assert counts == {"widths": 6, "search": 0}


@pytest.mark.parametrize("path", SCANS, ids=lambda path: path.stem)
def test_every_shipped_scan_is_called_as_its_file(path: Path) -> None:
    assert Scan(path).config.name == path.stem


def test_the_readme_names_the_two_commands_in_its_first_screen() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]
    assert any(line.strip().startswith("make demo") for line in first_screen)
    assert any(line.strip().startswith("make test") for line in first_screen)


def test_the_physics_page_shows_what_its_data_say() -> None:
    page, data = _page_and_data("physics")
    assert import_module("refresh_physics").with_tables(page, data) == page
    assert page.count("| Firmware |") == page.count("| configuration | model |") * len(CONFIGURATIONS)
    assert all(count == 0 for run in data.values() for count in run["mismatches"].values())


def test_the_hardware_page_shows_what_is_published_and_what_was_measured() -> None:
    page = (ROOT / "docs" / "hardware.md").read_text(encoding="utf-8")
    published = json.loads((ROOT / "docs" / "published.json").read_text(encoding="utf-8"))
    assert import_module("refresh_estimates").with_table(page, published) == page
    designs = json.loads((ROOT / "docs" / "hardware.json").read_text(encoding="utf-8"))
    assert import_module("refresh_hardware").with_designs(page, designs) == page
    assert all(run["rtl"]["mismatches"] == 0 for run in designs.values() if run["rtl"])
    timing = json.loads((ROOT / "docs" / "timing.json").read_text(encoding="utf-8"))
    assert import_module("refresh_timing").with_tables(page, timing) == page
    # both tables are of the same networks
    assert all(entry["digest"] == designs[name]["network_digest"] for name, entry in timing.items())


def test_the_page_of_verified_configurations_shows_what_its_data_say() -> None:
    page, data = _page_and_data("verification")
    assert import_module("verify").with_table(page, data) == page
    entries = [entry for entries in data.values() for entry in entries if "refused" not in entry]
    assert all(item["exact"] for entry in entries for item in entry["emulators"].values() if item["must_agree"])
    assert all(entry["overflows"] == 0 for entry in entries)


@pytest.mark.parametrize("name", ["physics", "verification"])
def test_both_pages_are_about_every_configuration(name: str) -> None:
    assert list(_page_and_data(name)[1]) == [path.stem for path in CONFIGURATIONS]


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_both_pages_are_about_a_configuration_as_it_is(path: Path) -> None:
    config = load_config(path).model_dump(mode="json")
    physics, runs = (_page_and_data(name)[1][path.stem] for name in ("physics", "verification"))
    for section in ("inputs", "model", "score", "training", "quantization"):
        assert physics[section] == config[section], section
    assert {run["io_type"] for run in runs} == {"io_parallel", "io_stream"}
    (own,) = (run for run in runs if run["io_type"] == config["firmware"]["io_type"])
    assert own["network_digest"] == physics["network_digest"]


def _page_and_data(name: str) -> tuple[str, dict[str, Any]]:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    return page, json.loads((ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_sample_is_what_its_readme_says() -> None:
    readme = (ROOT / "trigger_ad" / "events" / "data" / "README.md").read_text(encoding="utf-8")
    for path in [path for paths in sample_paths().samples.values() for path in paths]:
        with h5py.File(path) as file:
            events, groups = len(file["Particles"]), len(np.unique(file["GroupId"]))
        assert f"| `{path.name}` | {events:,} | {groups:,} | {path.stat().st_size / 1e6:.2f} |" in readme
