"""Scoring black boxes: every event's word, rank and decision, and nothing that is somebody else's replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.runs import small_network
from support.scores import expected_words, make_events, make_run, report_of, write_box

from trigger_ad import __version__
from trigger_ad.errors import UserError
from trigger_ad.evaluation.intervals import clopper_pearson, proportion_interval
from trigger_ad.events.encoded import events_digest
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.pipeline import scored_events
from trigger_ad.pipeline.score import GENERATOR, check_out, open_inputs, write_scores
from trigger_ad.pipeline.scoring import Scoring, chosen_threshold, threshold_at
from trigger_ad.pipeline.stage import Run

EVENTS = 300
NETWORK = small_network()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path)


def _middle(run: Run) -> int:
    """A code that one of the events reaches exactly, with about half of them above."""
    return int(np.sort(expected_words(run, NETWORK, make_events(EVENTS)))[EVENTS // 2])


def _score(run: Run, *paths: Path, out: str = "scores.h5", code: int | None = None) -> Scoring:
    report = report_of(NETWORK, (0.1, _middle(run) if code is None else code))
    files = open_inputs(paths, run.encoding.layout)
    return write_scores(run, files, report, chosen_threshold(report, None), Path(out))


def _read(out: str = "scores.h5") -> tuple[dict[str, Any], dict[str, Any]]:
    with h5py.File(out, "r") as file:
        return {name: dataset[:] for name, dataset in file.items()}, dict(file.attrs)


def test_every_event_has_the_word_of_the_reference(run: Run) -> None:
    particles = make_events(EVENTS)
    _score(run, write_box(Path("box.h5"), particles))
    columns, _ = _read()
    words = expected_words(run, NETWORK, particles)
    assert columns["score_word"].dtype == np.int64
    np.testing.assert_array_equal(columns["score_word"], words)
    assert columns["score"].dtype == np.float64
    np.testing.assert_array_equal(columns["score"], NETWORK.type("score").values(words))
    assert columns.keys() == {"EvtId", "score", "score_word", "accept", "rank"}


def test_accept_means_above_the_threshold(run: Run) -> None:
    particles = make_events(EVENTS)
    scoring = _score(run, write_box(Path("box.h5"), particles))
    accept = _read()[0]["accept"]
    words = expected_words(run, NETWORK, particles)
    assert accept.dtype == np.bool_
    np.testing.assert_array_equal(accept, words > _middle(run))
    # the event at the threshold itself is rejected
    assert not accept[words == _middle(run)].any()
    (file,) = scoring.files
    assert (file.events, file.accepted) == (EVENTS, int(accept.sum()))
    assert (file.low, file.high) == clopper_pearson(int(accept.sum()), EVENTS)


def test_ranks_count_the_larger_words_so_that_ties_share_the_smallest(run: Run) -> None:
    particles = make_events(EVENTS)
    # events that come again tie
    particles[200:] = particles[:100]
    _score(run, write_box(Path("box.h5"), particles))
    columns, _ = _read()
    words = columns["score_word"]
    np.testing.assert_array_equal(columns["rank"], [1 + (words > word).sum() for word in words])
    assert len(set(columns["rank"].tolist())) <= 200


@pytest.mark.parametrize("size", [1, 7])
def test_how_much_is_in_memory_at_a_time_does_not_matter(run: Run, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    paths = [write_box(Path(f"{seed}.h5"), make_events(20, seed), event_id=np.arange(20) + 5) for seed in (1, 2)]
    whole = _score(run, *paths, out="whole.h5")
    monkeypatch.setattr(scored_events, "ROWS", size)
    assert _score(run, *paths, out="pieces.h5") == whole
    one, other = _read("whole.h5")[0], _read("pieces.h5")[0]
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name])


def test_the_ids_are_those_of_the_file(run: Run) -> None:
    identifiers = np.random.default_rng(3).permutation(10**6)[:EVENTS] - 5
    _score(run, write_box(Path("box.h5"), make_events(EVENTS), event_id=identifiers))
    columns, attributes = _read()
    assert columns["EvtId"].dtype == np.int64
    np.testing.assert_array_equal(columns["EvtId"], identifiers)
    assert attributes["files_event_id"].tolist() == ["EvtId"]


def test_without_ids_the_index_in_the_file_stands_for_them(run: Run) -> None:
    _score(run, *(write_box(Path(f"{seed}.h5"), make_events(4, seed)) for seed in (1, 2)))
    columns, attributes = _read()
    assert columns["EvtId"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert attributes["files_event_id"].tolist() == ["index of the event in the file, from 0"] * 2


def test_several_files_are_ranked_together(run: Run) -> None:
    boxes = [make_events(5, seed=1), make_events(3, seed=2)]
    scoring = _score(run, *(write_box(Path(f"{len(box)}.h5"), box) for box in boxes))
    columns, attributes = _read()
    words = expected_words(run, NETWORK, np.concatenate(boxes))
    assert columns["file"].tolist() == [0] * 5 + [1] * 3
    assert attributes["files"].tolist() == ["5.h5", "3.h5"]
    np.testing.assert_array_equal(columns["rank"], [1 + (words > word).sum() for word in words])
    assert [item.score_word for item in scoring.most_anomalous] == sorted(words.tolist(), reverse=True)
    for item in scoring.most_anomalous:
        row = item.event + (0 if item.file == "5.h5" else 5)
        assert (words[row], columns["rank"][row], columns["accept"][row]) == (item.score_word, item.rank, item.accept)


def test_the_ten_most_anomalous_events_in_their_order_where_they_tie(run: Run) -> None:
    particles = np.repeat(make_events(6), 4, axis=0)
    scoring = _score(run, write_box(Path("box.h5"), particles))
    words = expected_words(run, NETWORK, particles)
    first = np.lexsort((np.arange(len(words)), -words))[:10]
    assert [item.event for item in scoring.most_anomalous] == first.tolist()
    assert [item.rank for item in scoring.most_anomalous] == [1] * 4 + [5] * 4 + [9] * 2


def test_the_attributes_say_where_the_scores_come_from(run: Run) -> None:
    box = write_box(Path("box.h5"), make_events(EVENTS))
    scoring = _score(run, box)
    _, attributes = _read()
    report = report_of(NETWORK, (0.1, _middle(run)))
    expected = {
        "generator": GENERATOR,
        "trigger_ad_version": __version__,
        "run": "small",
        "network_digest": report["network_digest"],
        "score_type": str(NETWORK.type("score")),
        "threshold_code": _middle(run),
        "threshold": _middle(run) * NETWORK.type("score").lsb,
        "fpr_target": 0.1,
        "fpr": 0.02,
        "fpr_low": 0.01,
        "fpr_high": 0.03,
        "events_refused": 0,
        "present_objects": scoring.present,
    }
    assert {name: attributes[name] for name in expected} == expected
    assert attributes["files_sha256"].tolist() == [events_digest(box)]
    assert attributes["files_events"].tolist() == [EVENTS]
    assert attributes["files_accepted"].tolist() == [scoring.files[0].accepted]


def test_inputs_beyond_the_words_are_counted(run: Run) -> None:
    particles = make_events(EVENTS)
    particles[:3, 0, 1] = 1e6
    scoring = _score(run, write_box(Path("box.h5"), particles))
    _, attributes = _read()
    expected = run.encoding.saturated(particles)
    assert scoring.saturated == expected
    assert {name: attributes[f"saturated_{name}"] for name in expected} == expected
    assert expected["eta"] == 3
    assert scoring.present == int((particles[:, :, 0] > 0).sum())


def test_events_that_share_a_collision_widen_the_interval(run: Run) -> None:
    particles = np.repeat(make_events(EVENTS // 3), 3, axis=0)
    groups = np.arange(EVENTS) // 3
    (file,) = _score(run, write_box(Path("box.h5"), particles, group_id=groups)).files
    accept = _read()[0]["accept"]
    assert (file.low, file.high) == proportion_interval(accept, groups)
    assert (file.low, file.high) != clopper_pearson(file.accepted, EVENTS)


def test_background_that_was_trained_on_is_known_under_any_name(run: Run) -> None:
    Path("copy.h5").write_bytes(Path("background.h5").read_bytes())
    scoring = _score(run, Path("copy.h5"), Path("signal.h5"))
    assert [file.training_background for file in scoring.files] == [True, False]
    assert _read()[1]["files_training_background"].tolist() == [True, False]
    seen = [line for line in scoring.warnings() if "trained" in line]
    assert seen == ["copy.h5 is background of this run: the network was trained on part of its events"]


def test_what_is_odd_about_a_file_is_a_warning(run: Run) -> None:
    particles = make_events(20)
    particles[[4, 7], 1] = [0.0, 3.0, 0.0]
    scoring = _score(run, write_box(Path("box.h5"), particles))
    assert scoring.warnings() == [
        "box.h5: stray_values_in_absent_object in 2 events, first 4: an object without pT has eta or phi; read as zero",
    ]


def test_equal_files_give_equal_bytes_and_an_earlier_one_is_replaced(run: Run) -> None:
    box = write_box(Path("box.h5"), make_events(EVENTS))
    _score(run, box)
    first = Path("scores.h5").read_bytes()
    _score(run, box)
    assert Path("scores.h5").read_bytes() == first
    _score(run, box, code=0)
    assert Path("scores.h5").read_bytes() != first


def test_a_folder_that_does_not_exist_is_made(run: Run) -> None:
    _score(run, write_box(Path("box.h5"), make_events(5)), out="new/folder/scores.h5")
    assert [path.name for path in Path("new/folder").iterdir()] == ["scores.h5"]


@pytest.mark.parametrize("name", ["background.h5", "notes.txt", "empty"])
def test_what_is_not_ours_is_never_replaced(run: Run, name: str) -> None:
    Path("notes.txt").write_text("dear diary")
    Path("empty").touch()
    before = Path(name).read_bytes()
    box = write_box(Path("box.h5"), make_events(5))
    with pytest.raises(UserError, match="exists and was not made by 'trigger-ad score'"):
        _score(run, box, out=name)
    assert Path(name).read_bytes() == before


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        check_out(tmp_path)


def test_a_file_that_cannot_be_used_leaves_the_earlier_scores(run: Run) -> None:
    _score(run, write_box(Path("box.h5"), make_events(5)))
    before = Path("scores.h5").read_bytes()
    particles = make_events(5)
    particles[3, 0, 2] = np.nan
    bad = write_box(Path("bad.h5"), particles)
    with pytest.raises(UserError, match=r"bad\.h5: 1 value is NaN"):
        _score(run, Path("box.h5"), bad)
    assert Path("scores.h5").read_bytes() == before
    assert list(Path().glob("*.partial*")) == []


def test_a_file_that_changes_while_it_is_scored(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    box = write_box(Path("box.h5"), make_events(5))
    scores = NativeEmulator.scores

    def changing(*arguments: Any) -> Any:
        with box.open("ab") as stream:
            stream.write(b"more")
        return scores(*arguments)

    monkeypatch.setattr(NativeEmulator, "scores", changing)
    with pytest.raises(UserError, match=r"box\.h5 changed while it was read"):
        _score(run, box)
    assert not Path("scores.h5").exists()


def test_a_file_that_was_replaced_before_it_was_read(run: Run) -> None:
    files = open_inputs([write_box(Path("box.h5"), make_events(5))], run.encoding.layout)
    write_box(Path("box.h5"), make_events(6))
    report = report_of(NETWORK, (0.1, 0))
    with pytest.raises(UserError, match=r"box\.h5 changed while it was read"):
        write_scores(run, files, report, chosen_threshold(report, None), Path("scores.h5"))


def test_files_of_one_name_are_told_apart_by_their_paths(run: Run) -> None:
    for folder in ("one", "two"):
        Path(folder).mkdir()
    paths = [write_box(Path(folder) / "box.h5", make_events(5, seed)) for seed, folder in enumerate(("one", "two"))]
    assert [file.label for file in open_inputs(paths, run.encoding.layout)] == ["one/box.h5", "two/box.h5"]


def test_one_file_under_two_names_is_refused(run: Run) -> None:
    box = write_box(Path("box.h5"), make_events(5))
    Path("link.h5").symlink_to(box)
    with pytest.raises(UserError, match=r"link\.h5 is given twice"):
        open_inputs([box, Path("link.h5")], run.encoding.layout)


def test_the_smallest_working_point_decides_unless_another_is_named() -> None:
    report = report_of(NETWORK, (0.1, 100), (0.01, 200))
    assert chosen_threshold(report, None).code == 200
    assert chosen_threshold(report, 0.1).code == 100
    background = chosen_threshold(report, 0.1).background
    assert background is not None
    assert (background.fpr_target, background.events) == (0.1, report["events"]["background"]["test"])


def test_a_working_point_that_the_run_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(UserError) as caught:
        chosen_threshold(report_of(NETWORK, (0.1, 100), (0.01, 200)), 1e-5)
    assert caught.value.what == "example has no working point with a target false-positive rate of 1e-05"
    assert caught.value.remedy.startswith("Give one of 0.1, 0.01;")


def test_a_run_without_working_points_says_why() -> None:
    report = report_of(NETWORK) | {"unsupported_targets": [{"fpr_target": 0.1, "reason": "20 events are too few"}]}
    with pytest.raises(UserError, match="example has no working point: 20 events are too few"):
        chosen_threshold(report, None)


def test_a_threshold_is_worth_its_code_times_the_unit() -> None:
    kind = NETWORK.type("score")
    assert threshold_at(24, report_of(NETWORK)).value == 24 * kind.lsb
