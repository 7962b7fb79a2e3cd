"""Figures of an inspection: all distributions, the same way each time, every bin where it belongs."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from support.events import OTHER, make_other_particles, make_particles

from trigger_ad.events.distributions import (
    QUANTITIES,
    Distribution,
    DistributionTally,
    Quantity,
    layout_quantities,
)
from trigger_ad.report.drawing import Drawing
from trigger_ad.report.inspection_figures import MARK, MAX_FILES, drawn_bins, inspection_figures, panel_rows
from trigger_ad.report.inspection_tables import InspectedFile


def distributions(events: int, seed: int) -> dict[str, Distribution]:
    tally = DistributionTally()
    tally.add(make_particles(events, seed))
    return tally.result()


def files(number: int) -> list[InspectedFile]:
    """Return files of which the figures need no more than the histograms."""
    return [InspectedFile(f"_file{index}.h5", None, distributions(20, index), "") for index in range(number)]  # type: ignore[arg-type]


REFERENCES = {"Background": distributions(50, 1), "A → 4l": distributions(50, 2)}


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    """The figures of as many files as are allowed, drawn once."""
    return inspection_figures(files(MAX_FILES), REFERENCES)


def test_there_is_a_figure_for_each_class_of_objects(drawings: list[Drawing]) -> None:
    assert [drawing.name for drawing in drawings] == ["met", "electron", "muon", "jet"]
    text = "".join(drawing.svg for drawing in drawings)
    for quantity in QUANTITIES.values():
        assert f">{quantity.title}<" in text


def test_every_figure_names_files_and_sample_and_says_what_the_sample_is(drawings: list[Drawing]) -> None:
    for drawing in drawings:
        assert MARK in drawing.svg
        for label in ("sample: Background", "sample: A → 4l", *(f"_file{index}.h5" for index in range(MAX_FILES))):
            assert label in drawing.svg


def test_bins_beyond_the_axis_are_labelled(drawings: list[Drawing]) -> None:
    met, _, _, jet = (drawing.svg for drawing in drawings)
    assert "above 200" in met
    assert "below 0" not in met
    assert "above 300" in jet
    assert "below -4" in jet
    assert "above 4" in jet


def test_the_same_files_give_the_same_bytes_and_leave_the_style_alone() -> None:
    before = dict(mpl.rcParams)
    first = inspection_figures(files(1), REFERENCES)
    assert inspection_figures(files(1), REFERENCES) == first
    assert dict(mpl.rcParams) == before


def test_more_files_than_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="7 files"):
        inspection_figures(files(MAX_FILES + 1), REFERENCES)


@pytest.mark.parametrize("name", list(QUANTITIES))
def test_every_bin_that_can_hold_a_value_is_drawn(name: str) -> None:
    quantity = QUANTITIES[name]
    edges, inside = drawn_bins(quantity)
    counts = np.arange(len(quantity.edges) + 1)
    drawn = counts[inside]
    assert len(drawn) == len(edges) - 1
    assert (np.diff(edges) > 0).all()
    # the bin of each count begins where its quantity says
    np.testing.assert_array_equal(edges[:-1][drawn > 0], [quantity.edges[index - 1] for index in drawn if index > 0])
    left_out = sorted(set(counts.tolist()) - set(drawn.tolist()))
    impossible = {"pt": [0], "eta": [], "phi": [], None: [0, len(counts) - 1]}
    assert left_out == impossible[quantity.feature]


# Another layout


def of_class(name: str, quantities: dict[str, Quantity]) -> list[Quantity]:
    return [quantity for quantity in quantities.values() if quantity.object_class == name]


def names(rows: list[list[Quantity | None]]) -> list[list[str | None]]:
    return [[None if quantity is None else quantity.name for quantity in row] for row in rows]


def test_the_first_slot_stands_below_all_objects() -> None:
    jets = of_class("jet", dict(QUANTITIES))
    assert names(panel_rows(jets)) == [
        ["number of jet", "jet.pt", "jet.eta", "jet.phi"],
        [None, "leading jet.pt", "leading jet.eta", "leading jet.phi"],
    ]
    assert names(panel_rows(of_class("met", dict(QUANTITIES)))) == [["met.pt", "met.phi", None]]


def test_many_features_are_shared_out_over_rows() -> None:
    taus = of_class("tau", layout_quantities(OTHER, make_other_particles(50)))
    assert names(panel_rows(taus)) == [
        ["number of tau", "tau.phi", "tau.isolation"],
        [None, "leading tau.phi", "leading tau.isolation"],
        [None, "tau.pt", "tau.eta"],
        [None, "leading tau.pt", "leading tau.eta"],
    ]
    single = [quantity for quantity in taus if quantity.feature is not None]
    assert names(panel_rows([*single[:4], single[4]])) == [
        ["tau.phi", "tau.isolation", "tau.pt", None],
        ["tau.eta", "leading tau.phi", None, None],
    ]


def test_another_layout_is_drawn_without_the_sample() -> None:
    quantities = layout_quantities(OTHER, make_other_particles(50))
    tally = DistributionTally(quantities)
    tally.add(make_other_particles(50))
    file = InspectedFile("mine.h5", None, tally.result(), "")  # type: ignore[arg-type]
    drawings = inspection_figures([file], {})
    assert [(drawing.name, drawing.title) for drawing in drawings] == [
        ("tau", "Taus"),
        ("met", "Missing transverse energy"),
        ("jet", "Jets"),
    ]
    text = "".join(drawing.svg for drawing in drawings)
    assert all(f">{quantity.title}<" in text for quantity in quantities.values())
    assert "sample" not in text
    assert all("events: mine.h5" in drawing.svg for drawing in drawings)
