"""Tables of inspections: a column for each file, nothing called 0 that is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.events import OTHER, make_other_particles, make_particles, write_events, write_other_events

from trigger_ad.config import InputsConfig
from trigger_ad.events import inspection as inspection_module
from trigger_ad.events.distributions import QUANTITIES, Resemblance
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.inspection import Inspection, inspect_file
from trigger_ad.events.layout import ELECTRONS, JETS, MUONS
from trigger_ad.report.inspection_tables import (
    distances_table,
    facts_table,
    numbers_table,
    occupancy_table,
    oddities_table,
    ranges_table,
    resemblance_table,
)
from trigger_ad.report.table import Table
from trigger_ad.report.wording import UNKNOWN


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Inspection]:
    """A black-box file with oddities, and one without events."""
    particles = make_particles(3000)
    particles[5] = particles[4]
    particles[0, MUONS.start : JETS.start] = 0
    particles[0, ELECTRONS, 0] = 0
    # an electron that is a jet, and an event that fills every slot of jets alone
    particles[1, JETS.start] = [40, *particles[1, ELECTRONS.start, 1:3], 4]
    particles[2:, JETS] = 0
    particles[0, JETS, 0] = np.arange(90, 40, -5)
    box = write_events(tmp_path / "box.h5", particles, event_id=np.r_[0:2999, 7], names=None)
    empty = write_events(tmp_path / "empty.h5", make_particles(0), compression=None)
    return {"box": inspect_file(box), "empty": inspect_file(empty)}


def rows(table: Table) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in table.rows}


def test_facts_have_a_column_for_each_file(files: dict[str, Inspection]) -> None:
    table = facts_table(files)
    found = rows(table)
    assert table.columns == ("", "box", "empty")
    assert found["events"] == ("3,000", "0")
    assert found["stored as"] == ("float64, gzip", "float64, not compressed")
    assert found["event ids (EvtId)"] == ("0 to 2998, 1 repeated", "no")
    assert found["groups (GroupId)"] == ("no", "no")
    assert found["equal to an earlier event"] == ("1 (0.033 %)", "0")
    assert found["no lepton above 23 GeV"] == ("1 (0.033 %)", "0")
    assert found["no object at all"] == ("0", "0")
    assert found["mean MET"][1] == UNKNOWN
    assert found["electrons also present as jets"][0].startswith("1 (0.0")
    assert found["beyond the trigger words' range"][1] == "pt 0, eta 0, phi 0"


def test_nearly_all_is_not_called_all(tmp_path: Path) -> None:
    particles = np.zeros((1000, 19, 4))
    particles[0] = make_particles(1)[0]
    found = inspect_file(write_events(tmp_path / "absent.h5", particles))
    assert rows(facts_table({"absent": found}))["no object at all"] == ("999 (99.9 %)",)


def test_occupancies_have_a_row_for_each_slot(files: dict[str, Inspection]) -> None:
    found = rows(occupancy_table(files))
    assert list(found) == [
        "MET",
        *(f"electron {slot}" for slot in range(1, 5)),
        *(f"muon {slot}" for slot in range(1, 5)),
        *(f"jet {slot}" for slot in range(1, 11)),
    ]
    assert found["MET"] == ("1.000", UNKNOWN)
    assert found["electron 1"] == ("1.000", UNKNOWN)
    assert found["muon 4"] == ("0", UNKNOWN)
    assert found["jet 10"] == ("0.00033", UNKNOWN)


def test_numbers_have_mean_deviation_and_largest(files: dict[str, Inspection]) -> None:
    found = rows(numbers_table(files))
    assert list(found) == ["electrons", "muons", "jets"]
    jets = files["box"].classes[3]
    assert found["jets"] == (f"{jets.mean:.3f} ({jets.sd:.3f}), 10", UNKNOWN)


def test_ranges_say_what_quartiles_are_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(50))
    exact = ranges_table("events.h5", inspect_file(path))
    assert exact.title.endswith(": events.h5")
    assert exact.notes == ("Quartiles are exact.",)
    monkeypatch.setattr(inspection_module, "EXACT_EVENTS", 0)
    binned = ranges_table("events.h5", inspect_file(path))
    assert binned.notes[0].endswith("to within the width of a bin: pt 0.1 GeV, eta 0.001, phi 0.001 rad.")
    assert rows(binned)["MET pt"][:2] == rows(exact)["MET pt"][:2]


def test_unknown_quartiles_are_not_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection_module, "EXACT_EVENTS", 0)
    particles = make_particles(50)
    particles[:, 0, 0] = 7000
    found = rows(ranges_table("mev", inspect_file(write_events(tmp_path / "mev.h5", particles))))
    assert found["MET pt"] == ("50", "7000", UNKNOWN, UNKNOWN, UNKNOWN, "7000")


def test_oddities_name_their_file(files: dict[str, Inspection]) -> None:
    table = oddities_table(files)
    found = {(row[0], row[1]): row[2:4] for row in table.rows}
    assert found["box", "no_feature_names"] == ("the file", UNKNOWN)
    assert found["box", "duplicated_event"] == ("1", "5")
    assert {file for file, _ in found} == {"box"}


def test_the_closest_sample_file_is_named_with_its_distances() -> None:
    near = Resemblance(dict.fromkeys(QUANTITIES, 0.0125), 0.0125, 0.02)
    far = Resemblance(dict.fromkeys(QUANTITIES, 0.5), 0.5, 0.03)
    unknown = Resemblance(dict.fromkeys(QUANTITIES), None, None)
    found = {
        "mine": {"Background": far, "A → 4l": near},
        "empty": {"Background": unknown, "A → 4l": unknown},
    }
    table = resemblance_table(found)
    assert table.columns == ("File", "Closest", "Background", "A → 4l", "By chance")
    assert table.rows == (
        ("mine", "A → 4l", "0.500", "0.013", "0.020"),
        ("empty", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    )
    each = distances_table(found)
    assert each.columns == ("Distribution", "mine, from A → 4l")
    assert len(each.rows) == len(QUANTITIES)
    assert {row[1] for row in each.rows} == {"0.013"}


def test_without_anything_to_compare_there_are_no_distances() -> None:
    unknown = Resemblance(dict.fromkeys(QUANTITIES), None, None)
    assert distances_table({"empty": {"Background": unknown}}).rows == ()


def test_tables_of_another_layout_have_its_classes_and_nothing_that_it_cannot_tell(tmp_path: Path) -> None:
    path = write_other_events(tmp_path / "other.h5", make_other_particles(30))
    found = {"other": inspect_file(path, InputEncoding(InputsConfig(), OTHER))}
    facts = facts_table(found)
    assert "mean MET" in rows(facts)
    assert not [name for name in rows(facts) if "lepton" in name or "electron" in name]
    assert not [note for note in facts.notes if "lectron" in note]
    assert list(rows(numbers_table(found))) == ["taus", "jets"]
    assert list(rows(occupancy_table(found))) == [
        *("tau 1", "tau 2", "tau 3"),
        "MET",
        *(f"jet {slot}" for slot in range(1, 6)),
    ]
    ranges = ranges_table("other", found["other"])
    assert list(rows(ranges))[:4] == ["tau phi", "tau isolation", "tau pt", "tau eta"]
    assert ranges.title == "Ranges over present objects (pT in GeV, phi in radians): other"
