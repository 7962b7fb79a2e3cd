"""Everything that can be known in seconds is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.configurations import CONFIGURATIONS
from support.events import OTHER, make_other_particles, make_particles, write_events, write_other_events

from trigger_ad.config import Config
from trigger_ad.config_file import load_config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.check import check_run
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory


@pytest.fixture(autouse=True)
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("background", "signal"):
        write_events(Path(f"{name}.h5"), make_particles(20))


def _check(**changes: Any) -> list[str]:
    events = {"background": "background.h5", "signals": {"signal": "signal.h5"}}
    config = Config.model_validate({"name": "small", "events": events} | changes)
    return check_run(Run(config, RunDirectory(Path("hls_projects/small"))))


def test_what_was_checked_is_said() -> None:
    said = " ".join(_check())
    assert "events: 2 files" in said
    assert "reuse factor 1, exceptions included: valid for every layer" in said
    assert "xcvu9p-flgb2104-2l-e" in said


def test_the_rtl_and_the_budget_are_told_where_there_are_any() -> None:
    # 57 x 32 + 32 x 16 + 16 x 3, the same back, and a sum of 57 squares
    assert "RTL: at most 4,825 products with weights, of 15,000 that are simulated within a run" in _check()
    pruned = _check(training={"pruning": {"sparsity": 0.75}}, budget={"lut": "5 %", "latency_ns": 80})
    assert "RTL: at most 1,206 products with weights, of 15,000 that are simulated within a run" in pruned
    assert "budget: latency_ns 80.0, lut 5 %; 'synthesize' ends with 1 where a measured figure is over it" in pruned
    assert not any(line.startswith(("RTL", "budget")) for line in _check(firmware={"flow": "hls"}))


def test_the_files_that_patterns_match_are_counted() -> None:
    write_events(Path("background_2.h5"), make_particles(20))
    said = _check(events={"background": "background*.h5", "signals": {"signal": ["signal.h5"]}})
    assert "events: 3 files" in said


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"events\.background: the pattern 'bg_\*\.h5' matches no file"):
        _check(events={"background": "bg_*.h5", "signals": {"signal": "signal.h5"}})


def test_a_layout_of_ones_own_is_checked() -> None:
    write_other_events(Path("other.h5"), make_other_particles(20))
    write_other_events(Path("other_signal.h5"), make_other_particles(20))
    events = {"background": "other.h5", "signals": {"one": "other_signal.h5"}}
    said = _check(events=events | {"layout": OTHER.config.model_dump()})
    assert "events: 2 files" in said
    with pytest.raises(UserError, match=r"other\.h5: `Particles` has the shape \(20, 9, 4\)"):
        _check(events=events)


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_every_configuration_that_is_shipped_passes_with_either_io_type(path: Path, io_type: str) -> None:
    config = load_config(path)
    firmware = config.firmware.model_copy(update={"io_type": io_type})
    check_run(Run(config.model_copy(update={"firmware": firmware}), RunDirectory(Path("hls_projects/shipped"))))


def test_nothing_is_written(tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    _check()
    assert sorted(tmp_path.iterdir()) == before


def test_a_missing_file_names_file_and_section() -> None:
    Path("signal.h5").unlink()
    with pytest.raises(UserError) as error:
        _check()
    assert "signal.h5 does not exist" in error.value.what
    assert "'events'" in error.value.remedy


def test_a_file_of_another_layout_is_refused() -> None:
    write_events(Path("signal.h5"), make_particles(20)[:, :18])
    with pytest.raises(UserError, match=r"signal\.h5: `Particles` has the shape"):
        _check()


def test_words_that_float64_could_not_check_are_refused() -> None:
    with pytest.raises(UserError, match="more than 53"):
        _check(quantization={"weights": 24, "activations": 24, "latent": 24, "output": 24})


def test_a_reuse_factor_that_would_be_replaced_is_refused() -> None:
    with pytest.raises(UserError, match=r"firmware\.reuse_factor: 3 is not valid for layer"):
        _check(firmware={"reuse_factor": 3})


def test_a_part_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"firmware\.part: 'xcvu9p-2'"):
        _check(firmware={"part": "xcvu9p-2"})


def test_a_part_whose_size_is_not_known_is_said() -> None:
    unknown = "xcvu99p-flga2577-2-e"
    said = f"WARNING: the size of part {unknown} is not known here: shares of the device will be left blank"
    assert said in _check(firmware={"part": unknown})
    assert not any("size" in line for line in _check())


def test_no_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match="no-such-compiler"):
        _check()


def _cnn(**block: Any) -> dict[str, Any]:
    blocks = [{"filters": 4, "kernel": [3, 1], "pool": [3, 1]} | block]
    return {"architecture": "convolutional_autoencoder", "blocks": blocks}


def test_an_accumulator_of_a_network_that_is_not_quantized_yet_is_said() -> None:
    lines = _check(firmware={"layers": {"encoder_1": {"accumulator": "fixed<12,6>"}}})
    (line,) = [line for line in lines if "accumulator" in line]
    assert line.startswith("layer 'encoder_1': whether its accumulator fixed<12,6> is wide enough is known when")
    assert not any("accumulator" in line for line in _check())


def test_the_depth_of_a_fifo_that_goes_round_the_network_is_said() -> None:
    (line,) = [line for line in _check(model=_cnn(), firmware={"io_type": "io_stream"}) if line.startswith("FIFO")]
    assert line.startswith("FIFO from inputs to difference: depth ")
    assert "events of 57 transfers" in line


def test_limits_of_a_flow_that_is_not_asked_for_refuse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _check(model={"hidden": [100]}, firmware={"flow": "rtl", "reuse_factor": 3, "io_type": "io_stream"})
    monkeypatch.setattr("trigger_ad.firmware.rtl.MOST_PRODUCTS_AS_RTL", 3000)
    _check(firmware={"flow": "hls"})
    with pytest.raises(UserError, match="products with weights are more than the 3000") as error:
        _check()
    assert error.value.remedy.startswith("Set 'firmware.flow: hls' in the configuration")


def test_weights_that_pruning_removes_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigger_ad.firmware.rtl.MOST_PRODUCTS_AS_RTL", 3000)
    _check(training={"pruning": {"sparsity": 0.5}})
    with pytest.raises(UserError, match="cannot become RTL: 3"):
        _check(training={"pruning": {"sparsity": 0.25}})


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model": {"hidden": [128]}}, "layer 'encoder_1' has 7296 products"),
        (
            {"model": _cnn(pool=[3, 4])},
            "pooling window 3x4 of block 1",
        ),
        ({"model": {"hidden": [900]}, "firmware": {"flow": "rtl"}}, "cannot become RTL: 1"),
        ({"quantization": {"layers": {"encoder_9": {"weights": 4}}}}, "no layer that ships is called 'encoder_9'"),
        ({"firmware": {"layers": {"encoder_9": {"reuse_factor": 4}}}}, "'encoder_9' is no layer with multipliers"),
        ({"firmware": {"layers": {"score": {"accumulator": "fixed<8,4>"}}}}, "'score' is no layer with multipliers"),
        (
            {
                "model": {
                    "architecture": "student",
                    "teacher": _cnn(pool=[20, 1]),
                }
            },
            "pooling window 20x1 of block 1",
        ),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UserError, match=what):
        _check(**changes)


def test_a_rate_that_the_background_is_too_small_for_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(UserError, match=r"firmware\.accept\.rate_hz: no threshold for 10 Hz: of about 4 validation"):
        _check(trigger={"input_rate_hz": 1000.0, "rates_hz": [10.0]})


def test_a_background_of_zero_events_is_refused() -> None:
    write_events(Path("background.h5"), make_particles(0))
    with pytest.raises(UserError, match=r"the background holds no events \(background\.h5\)"):
        _check()
