"""The file that the ADC2021 challenge asks for: selected ids, and figures that a tool has reported or zeros."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.report import make_hardware
from support.runs import small_network
from support.scores import expected_words, make_events, make_run, report_of, write_box

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Input, Node
from trigger_ad.pipeline import submission
from trigger_ad.pipeline.score import GENERATOR, open_inputs
from trigger_ad.pipeline.scored_events import InputFile
from trigger_ad.pipeline.scoring import Scoring, chosen_threshold
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.submission import (
    deployment,
    floating_point_operations,
    hardware_figures,
    require_enough,
    score_operations,
    write_submission,
)

NETWORK = small_network()
ZEROS = {"Device": 0, "Latency": 0, "DSP": 0, "LUT": 0, "FF": 0, "BRAM": 0}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path)


def _submit(run: Run, particles: np.ndarray[Any, Any], *, code: int | None = None, **options: Any) -> Scoring:
    report = report_of(NETWORK, *(() if code is None else ((0.1, code),)))
    (file,) = open_inputs([write_box(Path("box.h5"), particles, **options)], run.encoding.layout)
    threshold = None if code is None else chosen_threshold(report, None)
    return write_submission(run, file, report, threshold, Path("team.h5"))


def _read() -> tuple[Any, dict[str, Any], dict[str, Any]]:
    with h5py.File("team.h5", "r") as file:
        assert list(file) == ["Result"]
        assert file["Result"].compression == "gzip"
        return file["Result"][:], dict(file.attrs), dict(file["Result"].attrs)


def test_the_result_is_the_ids_of_the_largest_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "FRACTION", 0.1)
    particles, identifiers = make_events(100), np.arange(100) * 3 + 7
    scoring = _submit(run, particles, event_id=identifiers)
    result, attributes, described = _read()
    words = expected_words(run, NETWORK, particles)
    assert result.dtype == np.int64
    np.testing.assert_array_equal(result, identifiers[np.argsort(-words, kind="stable")[:10]])
    assert attributes == {"FLOPs": floating_point_operations(NETWORK)} | ZEROS
    assert (described["generator"], described["file"], described["event_id"]) == (GENERATOR, "box.h5", "EvtId")
    assert described["threshold_code"] == np.sort(words)[-11]
    # the threshold was chosen on these events: it is no working point, and the fraction is no measurement
    assert scoring.threshold.background is None
    assert (scoring.files[0].accepted, scoring.files[0].low) == (10, None)
    assert "fpr" not in described


def test_a_working_point_selects_what_it_accepts(run: Run) -> None:
    particles = make_events(100)
    words = expected_words(run, NETWORK, particles)
    code = int(np.median(words))
    scoring = _submit(run, particles, code=code)
    result, _, described = _read()
    np.testing.assert_array_equal(result, [event for event in np.argsort(-words, kind="stable") if words[event] > code])
    assert described["fpr_target"] == 0.1
    assert described["selection"] == "the events above the run's working point"
    assert scoring.files[0].low is not None


def test_events_that_tie_are_left_out_together(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "FRACTION", 0.1)
    particles = np.repeat(make_events(25), 4, axis=0)
    _submit(run, particles)
    # 10 events are allowed, and the 9th to the 12th tie
    assert len(_read()[0]) == 8


def test_no_event_to_select_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "FRACTION", 0.1)
    with pytest.raises(UserError, match=r"no event is selected, the largest score word is \d+\. .*--fpr RATE"):
        _submit(run, np.repeat(make_events(1), 100, axis=0))
    assert not Path("team.h5").exists()


def test_a_black_box_too_small_for_the_fraction_is_refused() -> None:
    require_enough(InputFile(Path("box.h5"), "box.h5", 100_000, True))
    with pytest.raises(UserError, match=r"box\.h5: 1e-05 of 99,999 events is less than one event"):
        require_enough(InputFile(Path("box.h5"), "box.h5", 99_999, True))


def test_an_earlier_submission_is_replaced_and_nothing_else(run: Run) -> None:
    _submit(run, make_events(20), code=0)
    first = Path("team.h5").read_bytes()
    _submit(run, make_events(20), code=0)
    assert Path("team.h5").read_bytes() == first
    Path("team.h5").write_text("somebody's")
    with pytest.raises(UserError, match="was not made by"):
        _submit(run, make_events(20), code=0)
    assert Path("team.h5").read_text() == "somebody's"


def _dense(*sizes: int, bias: bool) -> Network:
    nodes: list[Node] = [Input("inputs", (sizes[0],), FixedPoint.parse("fixed<8,8>"))]
    for number, shape in enumerate(itertools.pairwise(sizes)):
        kernel = Constant.narrowest(np.full(shape, 3), 0)
        offsets = Constant.narrowest(np.ones(shape[1], dtype=np.int64), 0) if bias else None
        nodes.append(Dense(f"layer_{number}", nodes[-1].name, kernel, offsets))
    return Network(tuple(nodes))


def test_operations_are_counted_as_the_organisers_do() -> None:
    # their example, layer by layer without biases: 1.82k, 96, 48, 256 and 1.82k
    example = _dense(57, 16, 3, 8, 16, 57, bias=False)
    assert floating_point_operations(example) == 1824 + 96 + 48 + 256 + 1824
    biases = 16 + 3 + 8 + 16 + 57
    assert floating_point_operations(_dense(57, 16, 3, 8, 16, 57, bias=True)) == 4048 + biases


def test_operations_of_the_score_are_counted_apart() -> None:
    # six differences, six squares, a sum of six
    assert score_operations(NETWORK) == 18
    assert floating_point_operations(NETWORK) == 2 * (6 * 4 + 4 * 2 + 2 * 4 + 4 * 6) + (4 + 2 + 4 + 6)


def test_estimates_are_no_implementation() -> None:
    figures = deployment(NETWORK, [make_hardware("hls_vitis"), make_hardware("hls_vivado")])
    assert figures == {"FLOPs": floating_point_operations(NETWORK)} | ZEROS


def test_reported_figures_are_in_microseconds_and_percent() -> None:
    synthesis = make_hardware(
        "hls_vivado",
        source="csynth",
        tool="Vivado HLS 2020.1",
        ff=1000,
        bram=0,
        utilisation={"lut": 0.25, "ff": 0.125, "dsp": 0.5, "bram": 0.0},
    )
    measured = make_hardware(
        "hls_vivado", source="cosim", latency_ns=250.0, lut=None, dsp=None, utilisation={"lut": None, "dsp": None}
    )
    figures = deployment(NETWORK, [make_hardware("hls_vitis"), synthesis, measured])
    assert figures == {
        "FLOPs": floating_point_operations(NETWORK),
        "Device": "xcvu9p-flgb2104-2l-e",
        "Latency": 0.25,
        "DSP": 50.0,
        "LUT": 25.0,
        "FF": 12.5,
        "BRAM": 0.0,
    }


def test_a_figure_that_the_reports_lack_is_left_out() -> None:
    synthesis = make_hardware("hls_vitis", source="csynth", latency_ns=None, utilisation=None, bram=None)
    assert deployment(NETWORK, [synthesis]).keys() == {"FLOPs", "Device"}


def test_every_known_figure_says_its_source() -> None:
    entries = [
        make_hardware("hls_vitis", source="csynth", tool="Vitis HLS 2023.2", lut=9000),
        make_hardware("hls_vitis", source="vivado", tool="Vivado 2023.2", lut=5000, latency_ns=None, ii_cycles=None),
        make_hardware("hls_vivado"),
    ]
    figures = hardware_figures(entries)
    assert (figures["lut"], figures["lut_source"]) == (5000, "vivado (Vivado 2023.2)")
    assert (figures["latency_ns"], figures["latency_ns_source"]) == (115.0, "csynth (Vitis HLS 2023.2)")
    assert (figures["part"], figures["clock_ns"], figures["flow"]) == ("xcvu9p-flgb2104-2l-e", 5.0, "hls_vitis")
    assert {"ff", "ff_source", "bram", "bram_source"}.isdisjoint(figures)


def test_a_routed_design_comes_before_one_that_is_only_mapped() -> None:
    none = {"latency_ns": None, "ii_cycles": None}
    entries = [
        make_hardware("rtl", source="vivado", step="synth", lut=5000, **none),
        make_hardware("rtl", source="vivado", step="implement", lut=4000, clock_status="met", **none),
    ]
    figures = hardware_figures(entries)
    assert (figures["lut"], figures["clock_status"]) == (4000, "met")


def test_estimates_are_told_as_what_they_are() -> None:
    figures = hardware_figures([make_hardware("hls_vitis")])
    assert (figures["lut"], figures["lut_source"]) == (51_234, "estimate (trigger-ad estimate)")
