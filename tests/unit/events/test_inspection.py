"""Inspection: the numbers are those of the events, however large the chunks."""

from __future__ import annotations

import json
import logging
import statistics
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import make_particles, write_events

from trigger_ad.errors import UserError
from trigger_ad.events import inspection as module
from trigger_ad.events.inspection import inspect_file
from trigger_ad.events.layout import ETA, PHI, PT


def three_events() -> NDArray[np.float64]:
    """Return MET 10, 20 and 60 GeV with 0, 1 and 3 jets, and an electron in each event."""
    particles = np.zeros((3, 19, 4))
    particles[:, 0] = np.array([[10, 0, 1, 1], [20, 0, -1, 1], [60, 0, 2, 1]])
    particles[:, 1] = np.array([[25, 1, 0, 2], [50, -2, 0.5, 2], [30, 0.5, 3, 2]])
    particles[1:, 9] = np.array([[40, 0, 0, 4], [90, 3.5, 0, 4]])
    particles[2, 10:12] = [[45, 1, 1, 4], [16, -1, 2, 4]]
    return particles


def test_counts_and_occupancies(tmp_path: Path) -> None:
    found = inspect_file(write_events(tmp_path / "three.h5", three_events()))
    met, electron, muon, jet = found.classes
    assert found.events == 3
    assert [summary.name for summary in found.classes] == ["MET", "electron", "muon", "jet"]
    assert [summary.objects for summary in found.classes] == [3, 3, 0, 4]
    assert met.occupancy == (1.0,)
    assert electron.occupancy == (1.0, 0.0, 0.0, 0.0)
    assert muon.occupancy == (0.0,) * 4
    assert jet.occupancy == (2 / 3, 1 / 3, 1 / 3, *(0.0,) * 7)


def test_ranges_are_over_present_objects(tmp_path: Path) -> None:
    found = inspect_file(write_events(tmp_path / "three.h5", three_events()))
    met, electron, muon, jet = found.classes
    assert (met.features["pt"].minimum, met.features["pt"].maximum) == (10, 60)
    assert met.features["pt"].quartiles == (15, 20, 40)
    assert (electron.features["eta"].minimum, electron.features["eta"].maximum) == (-2, 1)
    assert (jet.features["pt"].minimum, jet.features["pt"].maximum) == (16, 90)
    assert jet.features["phi"].quartiles == (0, 0.5, 1.25)
    assert muon.features == {}


def test_means(tmp_path: Path) -> None:
    found = inspect_file(write_events(tmp_path / "three.h5", three_events()))
    assert found.met_mean == 30
    assert found.jets_mean == 4 / 3
    assert found.jets_sd == pytest.approx(statistics.pstdev([0, 1, 3]), rel=1e-14)


def test_what_the_file_says_of_itself(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "ids.h5", three_events(), dtype=">f4", event_id=np.arange(3), group_id=np.array([5, 9, 5])
    )
    found = inspect_file(path)
    assert (found.source, found.dtype, found.compression) == ("ids.h5", "float32", "gzip")
    assert found.has_event_id
    assert found.groups == 2
    assert found.verdict == "sound"


def test_a_plain_file_has_no_compression_ids_or_groups(tmp_path: Path) -> None:
    found = inspect_file(write_events(tmp_path / "plain.h5", three_events(), compression=None))
    assert found.compression is None
    assert not found.has_event_id
    assert found.groups is None


@pytest.mark.parametrize("chunk_size", [1, 4, 49, 50])
def test_the_chunk_size_changes_nothing(tmp_path: Path, chunk_size: int) -> None:
    particles = make_particles(50)
    # quarters, so that sums are exact in any order
    particles[:, 0, PT] = np.round(particles[:, 0, PT] * 4) / 4
    particles[[20, 40], 0, ETA] = 1.0
    particles[30] = particles[10]
    path = write_events(tmp_path / "events.h5", particles, group_id=np.arange(50) // 4)
    whole = inspect_file(path)
    assert inspect_file(path, chunk_size=chunk_size) == whole
    assert {oddity.name for oddity in whole.oddities} == {"met_eta_not_zero", "duplicated_event"}


@pytest.mark.parametrize("chunk_size", [1, 7, 100])
def test_quartiles_of_a_large_file_are_over_evenly_spaced_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_size: int
) -> None:
    monkeypatch.setattr(module, "QUARTILE_EVENTS", 10)
    particles = make_particles(25)
    found = inspect_file(write_events(tmp_path / "events.h5", particles), chunk_size=chunk_size)
    met = found.classes[0].features["pt"]
    assert found.quartile_stride == 3
    assert met.quartiles == tuple(np.quantile(particles[::3, 0, PT], (0.25, 0.5, 0.75)).tolist())
    assert met.maximum == particles[:, 0, PT].max()


def test_quartiles_are_unknown_where_no_sampled_event_has_the_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUARTILE_EVENTS", 2)
    particles = three_events()
    particles[2, 9:] = 0
    jet = inspect_file(write_events(tmp_path / "events.h5", particles)).classes[3]
    assert jet.features["pt"].quartiles is None
    assert (jet.features["pt"].minimum, jet.features["pt"].maximum) == (40, 40)


def test_an_odd_file_is_still_sound(tmp_path: Path) -> None:
    particles = three_events()
    particles[1, 18, PHI] = 1.0
    found = inspect_file(write_events(tmp_path / "odd.h5", particles))
    assert found.verdict == "sound with oddities"
    assert [oddity.name for oddity in found.oddities] == ["stray_values_in_absent_object"]


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "empty.h5", make_particles(0), compression=None, group_id=np.zeros(0, dtype=np.int64)
    )
    found = inspect_file(path)
    assert found.verdict == "empty"
    assert (found.events, found.groups) == (0, 0)
    assert (found.jets_mean, found.jets_sd, found.met_mean) == (None, None, None)
    assert {summary.occupancy for summary in found.classes} == {()}


def test_an_unusable_file_is_refused(tmp_path: Path) -> None:
    particles = three_events()
    particles[2, 3, PHI] = np.nan
    with pytest.raises(UserError, match=r"1 value is NaN or infinite.*event 2 .*slot 3, phi"):
        inspect_file(write_events(tmp_path / "nan.h5", particles))


def test_the_dictionary_survives_json(tmp_path: Path) -> None:
    particles = three_events()
    particles[1, 0, ETA] = 0.5
    written = inspect_file(write_events(tmp_path / "three.h5", particles, names=None)).to_json()
    read = json.loads(json.dumps(written, allow_nan=False))
    assert read["verdict"] == "sound with oddities"
    assert read["events"] == 3
    assert read["classes"][0]["features"]["pt"]["quartiles"] == [15, 20, 40]
    assert [oddity["first_event"] for oddity in read["oddities"]] == [None, 1]


def test_progress_is_told_to_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="trigger_ad")
    inspect_file(write_events(tmp_path / "events.h5", make_particles(5)), chunk_size=2)
    assert caplog.messages == ["inspecting: 5 of 5 events"]
