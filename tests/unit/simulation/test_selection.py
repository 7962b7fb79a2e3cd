"""The rules that turn detector objects into a 19 x 4 event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from trigger_ad.events import layout
from trigger_ad.simulation import jets, selection
from trigger_ad.simulation.detector import DetectorEvent, Flow, Leptons
from trigger_ad.simulation.jets import Jets
from trigger_ad.simulation.particles import FloatArray

Object = tuple[float, float, float]
"""pt, eta, phi."""


def leptons(objects: Sequence[Object]) -> Leptons:
    table = np.array(objects, dtype=np.float64).reshape(-1, 3)
    return Leptons(table[:, 0], table[:, 1], table[:, 2])


def bunch_crossing(
    electrons: Sequence[Object] = (),
    muons: Sequence[Object] = (),
    tracks: Sequence[Object] = (),
    towers: Sequence[Object] = (),
) -> DetectorEvent:
    """What the detector would hand over if it had seen exactly these objects."""
    table = np.array([*electrons, *muons, *tracks, *towers], dtype=np.float64).reshape(-1, 3)
    none = [-1] * (len(tracks) + len(towers))
    flow = Flow(
        pt=table[:, 0],
        eta=table[:, 1],
        phi=table[:, 2],
        charged=np.arange(len(table)) < len(table) - len(towers),
        electron=np.array([*range(len(electrons)), *([-1] * len(muons)), *none], dtype=np.int64),
        muon=np.array([*([-1] * len(electrons)), *range(len(muons)), *none], dtype=np.int64),
    )
    return DetectorEvent(leptons(electrons), leptons(muons), flow)


@pytest.fixture(autouse=True)
def _each_object_is_a_jet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clustering has its own tests: here every object hard enough is a jet."""

    def cluster(pt: FloatArray, eta: FloatArray, phi: FloatArray, minimum_pt: float) -> Jets:
        order = [index for index in np.argsort(-pt, kind="stable") if pt[index] > minimum_pt]
        return Jets(pt[order], eta[order], phi[order])

    monkeypatch.setattr(jets, "cluster", cluster)


def reconstructed(seen: DetectorEvent) -> FloatArray:
    event = selection.reconstruct(seen)
    assert event is not None
    return event


def test_an_event_needs_an_electron_or_a_muon_above_23_gev() -> None:
    assert selection.reconstruct(bunch_crossing(electrons=[(23.0, 0.0, 0.0)])) is None
    assert selection.reconstruct(bunch_crossing(muons=[(22.9, 0.0, 0.0)])) is None
    assert selection.reconstruct(bunch_crossing(tracks=[(90.0, 0.0, 0.0)])) is None
    assert selection.reconstruct(bunch_crossing(electrons=[(23.1, 0.0, 0.0)])) is not None
    assert selection.reconstruct(bunch_crossing(muons=[(23.1, 0.0, 0.0)])) is not None


def test_leptons_fill_their_slots_in_falling_order_with_their_class() -> None:
    event = reconstructed(bunch_crossing(electrons=[(10.0, 1.0, 0.5), (30.0, -1.0, 2.0)], muons=[(8.0, 0.5, -2.0)]))
    assert event[layout.ELECTRONS].tolist() == [
        [30.0, -1.0, 2.0, 2.0],
        [10.0, 1.0, 0.5, 2.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
    ]
    assert event[layout.MUONS.start].tolist() == [8.0, 0.5, -2.0, 3.0]


def test_at_most_four_electrons_fit() -> None:
    many = [(30.0 - number, -2.0 + number, 0.0) for number in range(5)]
    event = reconstructed(bunch_crossing(electrons=many))
    assert event[layout.ELECTRONS, layout.PT].tolist() == [30.0, 29.0, 28.0, 27.0]


@pytest.mark.parametrize(
    ("electrons", "muons"),
    [
        ([(30.0, 3.1, 0.0)], []),
        ([], [(30.0, 2.2, 0.0)]),
    ],
)
def test_leptons_beyond_their_acceptance_do_not_count(electrons: list[Object], muons: list[Object]) -> None:
    assert selection.reconstruct(bunch_crossing(electrons, muons)) is None


def test_the_softest_leptons_are_those_of_the_public_files() -> None:
    event = reconstructed(
        bunch_crossing(
            electrons=[(30.0, 0.0, 0.0), (4.1, 1.0, 1.0), (4.3, -1.0, 1.0)],
            muons=[(5.1, 0.0, 2.0), (5.3, 0.0, -2.0)],
        )
    )
    assert event[layout.ELECTRONS, layout.PT].tolist() == [30.0, np.float32(4.3), 0.0, 0.0]
    assert event[layout.MUONS, layout.PT].tolist() == [np.float32(5.3), 0.0, 0.0, 0.0]


def test_isolation_sums_what_is_in_the_cone_without_the_lepton_and_without_soft_objects() -> None:
    seen = bunch_crossing(
        electrons=[(30.0, 0.0, 3.1)],
        tracks=[(6.0, 0.1, 3.1), (0.9, 0.1, 3.1), (50.0, 0.31, 3.1)],
        towers=[(3.0, 0.0, -3.1)],
    )
    quiet = np.zeros(3)
    found = selection.relative_isolation(seen.electrons, seen.flow, seen.flow.electron, quiet)
    assert found.tolist() == [9.0 / 30.0]


def test_isolation_takes_the_mean_pile_up_off_towers_only() -> None:
    seen = bunch_crossing(electrons=[(30.0, 0.0, 0.0)], tracks=[(6.0, 0.1, 0.0)], towers=[(3.0, 0.0, 0.1)])
    overwhelming = np.full(3, 1000.0)
    found = selection.relative_isolation(seen.electrons, seen.flow, seen.flow.electron, overwhelming)
    assert found.tolist() == [6.0 / 30.0]


def test_a_further_lepton_need_not_be_isolated_and_leaves_its_jet() -> None:
    seen = bunch_crossing(electrons=[(30.0, 0.0, 0.0), (40.0, 2.0, 2.0)], tracks=[(20.0, 2.1, 2.0)])
    event = reconstructed(seen)
    assert event[layout.ELECTRONS, layout.PT].tolist() == [40.0, 30.0, 0.0, 0.0]
    assert event[layout.JETS, layout.PT].tolist()[:2] == [20.0, 0.0]


def test_a_hard_lepton_in_a_jet_does_not_pass_the_filter_for_a_soft_one() -> None:
    seen = bunch_crossing(electrons=[(20.0, 0.0, 0.0), (40.0, 2.0, 2.0)], tracks=[(20.0, 2.1, 2.0)])
    assert selection.reconstruct(seen) is None


def test_a_selected_lepton_is_not_a_jet() -> None:
    event = reconstructed(bunch_crossing(electrons=[(30.0, 0.0, 0.0)]))
    assert not event[layout.JETS].any()


def test_jets_beyond_acceptance_soft_jets_and_jets_without_tracks_are_dropped() -> None:
    event = reconstructed(
        bunch_crossing(
            muons=[(30.0, 0.0, 0.0)],
            tracks=[(25.0, 3.9, 1.0), (25.0, 4.1, 1.0), (14.9, -1.0, 1.0)],
            towers=[(60.0, 1.0, -2.0)],
        )
    )
    assert event[layout.JETS.start].tolist() == [25.0, np.float32(3.9), 1.0, 4.0]
    assert not event[layout.JETS.start + 1 : layout.JETS.stop].any()


def test_missing_energy_balances_everything_and_has_no_pseudorapidity() -> None:
    event = reconstructed(bunch_crossing(electrons=[(30.0, 1.0, 0.0)], towers=[(10.0, 4.8, 0.0)]))
    assert event[0, layout.PT] == 40.0
    assert event[0, layout.ETA] == 0.0
    assert event[0, layout.PHI] == np.float64(np.float32(-np.pi)) or event[0, layout.PHI] == np.float32(np.pi)
    assert event[0, layout.CLASS] == 1.0


def test_values_are_those_of_single_precision() -> None:
    event = reconstructed(bunch_crossing(electrons=[(30.1, 0.123456789, 0.987654321)]))
    assert event.dtype == np.float64
    assert np.array_equal(event, event.astype(np.float32).astype(np.float64))
