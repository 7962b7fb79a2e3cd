"""Run directories that earlier versions have written are loaded, emulated anew and reported as they are."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from support.events import make_particles, write_events
from support.runs import Command, tree_digest

FIXTURES = Path(__file__).parent.parent / "fixtures"
RUN = Path("hls_projects/old")


@pytest.fixture(params=sorted(FIXTURES.glob("*.tar.xz")), ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a run that an earlier version has written, and its events."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)


def test_there_is_one() -> None:
    assert list(FIXTURES.glob("*.tar.xz"))


@pytest.mark.usefixtures("old")
def test_it_is_emulated_reported_and_scored_without_being_made_anew(command: Command) -> None:
    before = tree_digest(RUN)
    expected = np.load(RUN / "vectors" / "expected_words.npy")
    emulated = command("emulate", str(RUN), "--json")
    assert emulated.code == 0, emulated.stderr
    results = json.loads(emulated.stdout)
    assert results["vectors_expected_differ"] == 0
    assert {entry["exact"] for entry in results["emulators"].values() if entry["must_agree"]} == {True}
    assert {entry["events"] for entry in results["emulators"].values()} == {len(expected)}
    assert command("report", str(RUN)).code == 0
    report = json.loads((RUN / "report.json").read_text())
    assert report["agreement"]["emulators"].keys() >= results["emulators"].keys()
    box = write_events(Path("box.h5"), make_particles(50, seed=9))
    assert command("score", str(RUN), str(box), "--out", "scores.h5").code == 0
    after = tree_digest(RUN)
    kept = [name for name in before if name.startswith(("vectors/", "hls/")) or name.endswith(".h5")]
    kept += [name for name in before if name.startswith("network_")]
    assert len(kept) > 10
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
