"""What the firmware takes is held against what it may take, by the best figure that there is."""

from __future__ import annotations

from typing import Any

import pytest

from trigger_ad.config import BudgetConfig, Config
from trigger_ad.errors import UserError
from trigger_ad.synthesis.budgets import FIGURES, BudgetLine, budget_lines, check_budget

PART = "xcvu9p-flgb2104-2l-e"


def _entry(flow: str, source: str, **figures: Any) -> dict[str, Any]:
    clock = {"clock_ns": 5.0, "clock_status": "assumed"}
    return {"flow": flow, "source": source} | clock | dict.fromkeys((*FIGURES, "step")) | figures


def _config(budget: BudgetConfig) -> Config:
    return Config.model_validate({"name": "a", "budget": budget, "firmware": {"part": PART}})


def _only(budget: BudgetConfig, *entries: dict[str, Any]) -> BudgetLine:
    (line,) = budget_lines(_config(budget), entries)
    return line


def test_a_figure_at_its_limit_is_within() -> None:
    line = _only(BudgetConfig(lut=4000), _entry("rtl", "yosys", lut=4000))
    assert (line.within, line.exceeded, line.value, line.source) == (True, False, 4000, "yosys")


def test_a_measured_figure_over_its_limit_is_an_excess() -> None:
    line = _only(BudgetConfig(ii_cycles=1), _entry("rtl", "verilator", ii_cycles=2))
    assert (line.within, line.exceeded) == (False, True)


def test_an_estimate_over_its_limit_proves_nothing() -> None:
    line = _only(BudgetConfig(lut=4000), _entry("hls_vitis", "estimate", lut=9000))
    assert (line.within, line.exceeded) == (False, False)


@pytest.mark.parametrize("resource", ["lut", "ff", "dsp", "bram"])
def test_resources_by_c_synthesis_are_an_estimate_of_the_tool_and_prove_nothing(resource: str) -> None:
    line = _only(BudgetConfig.model_validate({resource: 5}), _entry("hls_vitis", "csynth", **{resource: 9}))
    assert (line.within, line.estimated, line.exceeded) == (False, True, False)
    assert line.to_json()["estimated"]
    counted = _entry("hls_vitis", "vivado", step="synth", **{resource: 7})
    assert _only(BudgetConfig.model_validate({resource: 5}), counted).exceeded


@pytest.mark.parametrize("figure", ["latency_ns", "ii_cycles"])
def test_clocks_by_c_synthesis_are_scheduled_and_count(figure: str) -> None:
    line = _only(BudgetConfig.model_validate({figure: 5}), _entry("hls_vitis", "csynth", **{figure: 9}))
    assert (line.estimated, line.exceeded) == (False, True)


def test_what_no_source_knows_is_neither_within_nor_over() -> None:
    line = _only(BudgetConfig(bram=3), _entry("rtl", "yosys", lut=10))
    assert (line.value, line.source, line.within, line.exceeded) == (None, None, None, False)


def test_a_share_is_of_the_device() -> None:
    line = _only(BudgetConfig(lut="5 %"), _entry("rtl", "yosys", lut=59_113))
    assert (line.limit, line.asked, line.within) == (0.05 * 1_182_240, "5 %", False)


@pytest.mark.parametrize(
    ("better", "worse"),
    [("vivado", "yosys"), ("vivado", "csynth"), ("cosim", "csynth"), ("csynth", "estimate"), ("yosys", "estimate")],
)
def test_the_source_that_is_closer_to_the_chip_decides(better: str, worse: str) -> None:
    entries = (_entry("rtl", worse, lut=9, latency_ns=9.0), _entry("rtl", better, lut=5, latency_ns=5.0))
    assert _only(BudgetConfig(lut=5), *entries).source == better
    assert _only(BudgetConfig(latency_ns=5.0), *reversed(entries)).within


def test_a_routed_design_is_believed_before_logic_synthesis_whichever_comes_first() -> None:
    synth = _entry("rtl", "vivado", step="synth", lut=3948)
    routed = _entry("rtl", "vivado", step="implement", lut=4210)
    for entries in ((synth, routed), (routed, synth)):
        line = _only(BudgetConfig(lut=4000), *entries)
        assert (line.value, line.step, line.exceeded) == (4210, "implement", True)


def _routed(status: str, flow: str = "rtl") -> dict[str, Any]:
    return _entry(flow, "vivado", step="implement", lut=10, clock_status=status)


def _clocked(*others: dict[str, Any], limit: float = 25.0) -> BudgetLine:
    return _only(BudgetConfig(latency_ns=limit), *others, _entry("rtl", "verilator", latency_ns=25.0))


@pytest.mark.parametrize("limit", [25.0, 1000.0])
def test_no_latency_is_within_its_limit_at_a_clock_that_the_routed_design_misses(limit: float) -> None:
    line = _clocked(_routed("failed"), limit=limit)
    assert (line.value, line.clock_ns, line.clock_status) == (25.0, 5.0, "failed")
    assert (line.within, line.exceeded) == (False, True)


def test_a_clock_that_is_missed_has_a_remedy_of_its_own() -> None:
    assert "a longer clock period" in _clocked(_routed("failed")).remedy
    assert "a longer clock period" not in _clocked(_routed("met"), limit=20.0).remedy


def test_a_latency_is_at_the_clock_that_the_routed_design_of_its_flow_meets() -> None:
    met = _clocked(_routed("met"))
    assert (met.clock_status, met.within) == ("met", True)
    line, _ = budget_lines(
        _config(BudgetConfig(latency_ns=25.0)),
        [_entry("rtl", "verilator", latency_ns=25.0), _routed("failed", "hls_vitis")],
    )
    assert (line.flow, line.clock_status, line.within) == ("rtl", "assumed", True)


def test_without_a_routed_design_the_clock_of_a_latency_is_assumed() -> None:
    line = _clocked(_entry("rtl", "vivado", step="synth", lut=10))
    assert (line.clock_ns, line.clock_status, line.within) == (5.0, "assumed", True)
    shown = line.to_json()
    assert (shown["clock_ns"], shown["clock_status"]) == (5.0, "assumed")


def test_at_a_clock_that_c_synthesis_expects_to_be_missed_it_is_not_known_what_is_within() -> None:
    scheduled = _entry("hls_vitis", "csynth", step="csynth", latency_ns=25.0, clock_status="failed")
    foreseen = _only(BudgetConfig(latency_ns=25.0), scheduled)
    assert (foreseen.clock_status, foreseen.within, foreseen.exceeded) == ("failed", None, False)
    met = _only(BudgetConfig(latency_ns=25.0), scheduled, _routed("met", "hls_vitis"))
    assert (met.clock_status, met.within) == ("met", True)
    assert _only(BudgetConfig(latency_ns=24.0), scheduled).exceeded


def test_only_nanoseconds_depend_on_a_clock() -> None:
    line = _only(BudgetConfig(lut=10), _routed("failed"))
    assert (line.clock_ns, line.clock_status, line.within) == (None, None, True)


def test_every_flow_has_every_limit_to_itself() -> None:
    budget = BudgetConfig(lut=10, ff=10)
    lines = budget_lines(_config(budget), [_entry("rtl", "yosys", lut=1, ff=11), _entry("hls_vitis", "vivado", lut=11)])
    assert [(line.flow, line.figure, line.exceeded) for line in lines] == [
        ("rtl", "lut", False),
        ("rtl", "ff", True),
        ("hls_vitis", "lut", True),
        ("hls_vitis", "ff", False),
    ]


def test_no_budget_limits_nothing() -> None:
    assert budget_lines(_config(BudgetConfig()), [_entry("rtl", "yosys", lut=1)]) == []


def test_a_share_of_a_device_of_unknown_size_is_refused() -> None:
    unknown = "xcvu3p-ffvc1517-2-e"
    with pytest.raises(UserError, match=rf"budget.ff: 5 % of {unknown}, whose size is not known"):
        check_budget(BudgetConfig(ff="5 %"), unknown)
    check_budget(BudgetConfig(ff=500), unknown)


@pytest.mark.parametrize("amount", [-1, 0.05, "5", "101 %", "five %", True])
def test_an_amount_is_a_number_or_a_share(amount: object) -> None:
    with pytest.raises(ValueError, match="give a number of them, such as 4000, or a share of the device of up"):
        Config.model_validate({"name": "a", "budget": {"lut": amount}})


def test_there_is_a_remedy_for_every_figure_that_is_over_its_limit() -> None:
    limits = dict.fromkeys(FIGURES, 1)
    budget = BudgetConfig.model_validate(limits | {"latency_ns": 1.0})
    over = budget_lines(_config(budget), [_entry("rtl", "vivado", **dict.fromkeys(FIGURES, 2))])
    assert [line.figure for line in over] == list(FIGURES)
    assert all(line.to_json()["remedy"] for line in over)
    within = budget_lines(_config(budget), [_entry("rtl", "vivado", **dict.fromkeys(FIGURES, 1))])
    assert not any(line.to_json()["remedy"] for line in within)
