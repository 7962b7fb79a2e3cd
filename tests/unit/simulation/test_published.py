"""The comparison with published distributions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trigger_ad.events import layout
from trigger_ad.simulation import published


def three_events() -> published.Events:
    events = np.zeros((3, layout.OBJECTS, len(layout.FEATURES)))
    events[:, 0, layout.PT] = [10.0, 20.0, 60.0]
    events[0, 1, layout.PT] = 25.0
    events[1:, 5, layout.PT] = [30.0, 40.0]
    events[1, 9:11, layout.PT] = [50.0, 20.0]
    events[2, 9, layout.PT] = 16.0
    return events


def test_quantities_of_a_few_events() -> None:
    found = published.quantities(three_events())
    assert found["electron slot 1, occupancy"] == 1 / 3
    assert found["muon slot 1, occupancy"] == 2 / 3
    assert found["jet slot 2, occupancy"] == 1 / 3
    assert found[published.JETS_MEAN] == 1.0
    assert found[published.MET_MEAN] == 30.0
    assert [found[name] for name in published.MET_QUARTILES] == [15.0, 20.0, 40.0]
    assert found["smallest muon pT, GeV"] == 30.0


def test_what_the_events_do_not_hold_is_unknown_and_not_zero() -> None:
    events = three_events()
    events[:, layout.JETS] = 0.0
    rows = {row.quantity: row for row in published.compare("background", events)}
    assert rows["smallest jet pT, GeV"].simulated is None
    assert rows["smallest jet pT, GeV"].ratio is None


@pytest.mark.parametrize("file", ["background", *layout.SIGNALS])
def test_every_published_quantity_can_be_computed(file: str) -> None:
    rows = published.compare(file, three_events())
    assert [row.quantity for row in rows] == list(published.PUBLISHED[file])


def test_the_table_shows_the_ratio() -> None:
    rows = [published.Comparison("background", "MET, mean, GeV", 35.2, 70.4)]
    assert published.markdown(rows).splitlines()[2] == "| background | MET, mean, GeV | 35.2 | 70.4 | 2.00 |  |"


@pytest.mark.parametrize(
    ("simulated", "said"), [(1.345, "met"), (1.346, "**missed**"), (0.9946, "met"), (0.99, "**missed**")]
)
def test_the_table_says_where_an_aim_is_missed(simulated: float, said: str) -> None:
    row = published.Comparison("background", published.JETS_MEAN, 1.17, simulated)
    assert published.markdown([row]).splitlines()[2].endswith(f"| 15%: {said} |")


def test_electrons_count_as_jets_only_where_that_is_said() -> None:
    found = published.quantities(three_events())
    assert found[published.JETS_WITH_ELECTRONS] == (1 + 2 + 1) / 3


def test_the_documentation_shows_the_table_of_the_shipped_sample() -> None:
    page = Path(__file__).parents[3] / "docs" / "simulation.md"
    assert published.sample_table() in page.read_text(encoding="utf-8")
