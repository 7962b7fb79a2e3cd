"""Inspection: the numbers are those of the events, however large the chunks."""

from __future__ import annotations

import json
import logging
import statistics
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import OTHER, make_other_particles, make_particles, write_events, write_other_events

from trigger_ad.config import InputsConfig, OtherFeatureConfig, TransverseMomentumConfig
from trigger_ad.errors import UserError
from trigger_ad.events import inspection as module
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.inspection import inspect_file, typical_events
from trigger_ad.events.layout import ETA, PHI, PT
from trigger_ad.events.overlap import ElectronJetOverlap


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
    assert found.event_ids is not None
    assert found.groups == 2
    assert found.verdict == "sound"


def test_a_plain_file_has_no_compression_ids_or_groups(tmp_path: Path) -> None:
    found = inspect_file(write_events(tmp_path / "plain.h5", three_events(), compression=None))
    assert found.compression is None
    assert not found.has_event_id
    assert found.event_ids is None
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
def test_quartiles_of_a_large_file_are_from_histograms_over_all_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_size: int
) -> None:
    monkeypatch.setattr(module, "EXACT_EVENTS", 24)
    particles = make_particles(25)
    found = inspect_file(write_events(tmp_path / "events.h5", particles), chunk_size=chunk_size)
    assert found.quartile_bin_widths == {"pt": 0.1, "eta": 0.001, "phi": 0.001}
    met = found.classes[0].features["pt"]
    assert met.quartiles is not None
    exact = np.quantile(particles[:, 0, PT], (0.25, 0.5, 0.75))
    assert np.abs(np.array(met.quartiles) - exact).max() <= 0.1
    assert met.maximum == particles[:, 0, PT].max()


def test_quartiles_of_the_largest_small_file_are_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_EVENTS", 25)
    particles = make_particles(25)
    found = inspect_file(write_events(tmp_path / "events.h5", particles))
    assert found.quartile_bin_widths is None
    assert found.classes[0].features["pt"].quartiles == tuple(np.quantile(particles[:, 0, PT], (0.25, 0.5, 0.75)))


def test_quartiles_are_unknown_where_the_histogram_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_EVENTS", 2)
    particles = three_events()
    particles[:, 0, PT] *= 1000
    met = inspect_file(write_events(tmp_path / "mev.h5", particles)).classes[0]
    assert met.features["pt"].quartiles is None
    assert (met.features["pt"].minimum, met.features["pt"].maximum) == (10_000, 60_000)


def test_events_are_counted_by_their_number_of_objects(tmp_path: Path) -> None:
    met, electron, muon, jet = inspect_file(write_events(tmp_path / "three.h5", three_events())).classes
    assert met.events_by_number == (0, 3)
    assert electron.events_by_number == (0, 3, 0, 0, 0)
    assert muon.events_by_number == (3, 0, 0, 0, 0)
    assert jet.events_by_number == (1, 1, 0, 1, *[0] * 7)
    assert (electron.mean, electron.sd, muon.mean) == (1, 0, 0)


def test_electrons_near_a_jet_are_counted(tmp_path: Path) -> None:
    particles = three_events()
    particles[1, 9, 1:3] = [-1.9, 0.6]
    overlap = inspect_file(write_events(tmp_path / "three.h5", particles), chunk_size=1).electrons_as_jets
    assert overlap == ElectronJetOverlap(electrons=3, with_jet=1)


def test_objects_beyond_the_default_words_are_counted_by_feature(tmp_path: Path) -> None:
    particles = three_events()
    particles[1:, 9, PT] = [1000, 300]
    particles[2, 9, ETA] = -7.99
    particles[0, 0, PT] = 255.4
    found = inspect_file(write_events(tmp_path / "three.h5", particles), chunk_size=2)
    assert found.saturated == {"pt": 2, "eta": 0, "phi": 0}
    particles[2, 9, ETA] = 7.99
    assert inspect_file(write_events(tmp_path / "other.h5", particles)).saturated == {"pt": 2, "eta": 1, "phi": 0}


def test_event_ids_have_a_range_and_repetitions(tmp_path: Path) -> None:
    path = write_events(tmp_path / "ids.h5", make_particles(6), event_id=np.array([7, -2, 7, 9, 7, 9]))
    ids = inspect_file(path, chunk_size=4).event_ids
    assert ids == module.EventIds(smallest=-2, largest=9, repeated=3)


def test_groups_that_lie_in_several_chunks_are_counted_once(tmp_path: Path) -> None:
    path = write_events(tmp_path / "groups.h5", make_particles(9), group_id=np.array([5, 1, 1, 5, 2, 2, 5, 1, -8]))
    assert inspect_file(path, chunk_size=2).groups == 4


def test_oddities_say_how_many_events_they_affect(tmp_path: Path) -> None:
    particles = three_events()
    particles[1] = 0
    found = inspect_file(write_events(tmp_path / "absent.h5", particles))
    assert found.affected("no_object") == 1
    assert found.affected("no_lepton_above_filter") == 1
    assert found.affected("duplicated_event") == 0


def test_a_file_of_absent_objects_alone_is_read(tmp_path: Path) -> None:
    found = inspect_file(write_events(tmp_path / "absent.h5", np.zeros((4, 19, 4))))
    assert (found.events, found.affected("no_object")) == (4, 4)
    assert {summary.occupancy for summary in found.classes} == {(0.0,), (0.0,) * 4, (0.0,) * 10}
    assert [summary.features for summary in found.classes] == [{}] * 4
    assert found.met_mean == 0
    assert found.electrons_as_jets == ElectronJetOverlap()


def test_observers_see_every_chunk_once(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(7))
    starts: list[int] = []
    inspect_file(path, chunk_size=3, observers=[lambda chunk: starts.append(chunk.start)])
    assert starts == [0, 3, 6]


def test_an_odd_file_is_still_sound(tmp_path: Path) -> None:
    particles = three_events()
    particles[1, 18, PHI] = 1.0
    found = inspect_file(write_events(tmp_path / "odd.h5", particles))
    assert found.verdict == "sound with oddities"
    assert [oddity.name for oddity in found.oddities] == ["stray_values_in_absent_object"]


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    none = np.zeros(0, dtype=np.int64)
    path = write_events(tmp_path / "empty.h5", make_particles(0), compression=None, group_id=none, event_id=none)
    found = inspect_file(path)
    assert found.verdict == "empty"
    assert (found.events, found.groups) == (0, 0)
    assert (found.jets_mean, found.jets_sd, found.met_mean) == (None, None, None)
    assert found.event_ids == module.EventIds(None, None, 0)
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
    assert read["electrons_as_jets"] == {"electrons": 3, "with_jet": 0, "fraction": 0}
    assert [oddity["first_event"] for oddity in read["oddities"]] == [None, 1]


def test_progress_is_told_to_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="trigger_ad")
    inspect_file(write_events(tmp_path / "events.h5", make_particles(5)), chunk_size=2)
    assert caplog.messages == ["inspecting: 5 of 5 events"]


# Another layout

OTHER_ENCODING = InputEncoding(
    InputsConfig(
        pt=TransverseMomentumConfig(lsb=1.0, width=6, offset=-64, shift=5),
        eta=None,
        other={"isolation": OtherFeatureConfig(lsb=0.0625, width=4)},
    ),
    OTHER,
)


def test_a_file_of_another_layout_is_described_by_its_own_classes_and_features(tmp_path: Path) -> None:
    particles = make_other_particles(40)
    found = inspect_file(write_other_events(tmp_path / "other.h5", particles), OTHER_ENCODING)
    present = particles[..., OTHER.pt] > 0
    assert (found.events, found.verdict, found.layout) == (40, "sound", OTHER)
    assert [summary.name for summary in found.classes] == ["tau", "MET", "jet"]
    assert [len(summary.occupancy) for summary in found.classes] == [3, 1, 5]
    tau, _, jet = found.classes
    assert tau.occupancy == tuple(present[:, :3].mean(axis=0))
    assert jet.objects == present[:, 4:].sum()
    assert list(tau.features) == ["phi", "isolation", "pt", "eta"]
    isolation = particles[:, :3, OTHER.column("isolation")][present[:, :3]]
    assert tau.features["isolation"].quartiles == tuple(np.quantile(isolation, (0.25, 0.5, 0.75)))
    assert tau.features["isolation"].maximum == isolation.max()
    assert found.met_mean == pytest.approx(particles[:, 3, OTHER.pt].mean(), rel=1e-14)  # sums in another order
    assert (found.jets_mean, found.jets_sd) == (jet.mean, jet.sd)


def test_what_a_layout_does_not_have_is_unknown_and_not_zero(tmp_path: Path) -> None:
    found = inspect_file(write_other_events(tmp_path / "other.h5", make_other_particles(10)), OTHER_ENCODING)
    assert found.electrons_as_jets is None
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert written["electrons_as_jets"] is None
    assert written["layout"] == OTHER.config.model_dump(mode="json")


def test_saturation_is_that_of_the_configurations_words(tmp_path: Path) -> None:
    particles = make_other_particles(40)
    found = inspect_file(write_other_events(tmp_path / "other.h5", particles), OTHER_ENCODING)
    assert found.saturated == OTHER_ENCODING.saturated(particles)
    assert list(found.saturated) == ["pt", "phi", "isolation"]
    assert found.saturated["pt"] > 0


@pytest.mark.parametrize("chunk_size", [1, 7, 100])
def test_quartiles_of_any_feature_of_a_large_file_are_from_histograms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_size: int
) -> None:
    monkeypatch.setattr(module, "EXACT_EVENTS", 24)
    particles = make_other_particles(60)
    path = write_other_events(tmp_path / "other.h5", particles)
    found = inspect_file(path, OTHER_ENCODING, chunk_size=chunk_size)
    assert found.quartile_bin_widths is not None
    assert list(found.quartile_bin_widths) == list(OTHER.features)
    isolation = particles[:, :3, OTHER.column("isolation")][particles[:, :3, OTHER.pt] > 0]
    quartiles = found.classes[0].features["isolation"].quartiles
    assert quartiles is not None
    exact = np.quantile(isolation, (0.25, 0.5, 0.75))
    assert np.abs(np.array(quartiles) - exact).max() <= found.quartile_bin_widths["isolation"] < 0.01


def test_a_file_of_another_layout_without_events(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "empty.h5",
        make_other_particles(0),
        names=OTHER.feature_names,
        classes=OTHER.class_names,
        compression=None,
    )
    found = inspect_file(path, OTHER_ENCODING)
    assert (found.verdict, found.met_mean, found.jets_mean) == ("empty", None, None)
    assert typical_events(path, OTHER).shape == (0, *OTHER.shape)


def test_a_file_that_does_not_have_the_layout_is_refused(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(5))
    with pytest.raises(UserError, match=r"events\.h5: `Particles` has the shape \(5, 19, 4\)") as caught:
        inspect_file(path, OTHER_ENCODING)
    assert "`events.layout` in the configuration says (events, 9, 4)" in caught.value.remedy


def test_typical_events_are_those_at_the_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TYPICAL_EVENTS", 7)
    particles = make_other_particles(20)
    path = write_other_events(tmp_path / "other.h5", particles)
    np.testing.assert_array_equal(typical_events(path, OTHER), particles[:7])
