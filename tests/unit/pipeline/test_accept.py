"""The threshold that firmware is built with is set on validation background alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from trigger_ad.config import AcceptConfig, Config, FirmwareConfig, OwnModelConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.pipeline.accept import accept_of, threshold_event
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory

EXPECTED = np.array([[3], [9], [4]], dtype=np.int64)


def _run(folder: Path, **accept: object) -> Run:
    """A run whose validation background has the score words 0 to 199."""
    directory = RunDirectory(folder)
    config = Config(name="small", firmware=FirmwareConfig(accept=AcceptConfig(**accept)))  # type: ignore[arg-type]
    path = directory.arrays("quantize")
    path.parent.mkdir(parents=True)
    np.savez(path, allow_pickle=False, **{"qat/squared_error/validation_background": np.arange(200)})
    return Run(config, directory)


def test_the_share_asked_for_lies_above_the_constant(tmp_path: Path) -> None:
    assert accept_of(_run(tmp_path), EXPECTED) == Accept("constant", 197, 2 / 200)
    assert accept_of(_run(tmp_path / "other", fpr=0.1), EXPECTED) == Accept("constant", 179, 20 / 200)


def test_a_register_is_tested_with_the_same_code(tmp_path: Path) -> None:
    assert accept_of(_run(tmp_path, threshold="register"), EXPECTED) == Accept("register", 197, 2 / 200)


def test_several_output_words_are_no_score(tmp_path: Path) -> None:
    assert accept_of(_run(tmp_path), np.zeros((3, 2), dtype=np.int64)) is None


def test_a_rate_that_the_background_cannot_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"firmware.accept.fpr: of 200 validation background events .* at 0.001"
    ) as caught:
        accept_of(_run(tmp_path, fpr=0.001), EXPECTED)
    assert "Set it to 0.005 or more" in caught.value.remedy


def test_the_share_is_what_the_threshold_accepts_and_not_what_was_asked_for(tmp_path: Path) -> None:
    found = accept_of(_run(tmp_path, fpr=0.0149), EXPECTED)
    assert found is not None
    assert found.share == 0.01


def test_the_event_that_set_the_threshold_is_found_in_whatever_block_it_is(tmp_path: Path) -> None:
    run = _run(tmp_path)
    words = np.arange(200)[:, None] * [[1, 10]]
    validation = SimpleNamespace(words=lambda: iter([words[:150], words[150:196], words[196:]]))
    run.__dict__["dataset"] = SimpleNamespace(background={"validation": validation})
    (group,) = threshold_event(run).values()
    assert group.tolist() == [[197, 1970]]


def test_scores_of_other_events_are_no_threshold(tmp_path: Path) -> None:
    run = _run(tmp_path)
    validation = SimpleNamespace(words=lambda: iter([np.zeros((100, 2), dtype=np.int64)]))
    run.__dict__["dataset"] = SimpleNamespace(background={"validation": validation})
    with pytest.raises(UserError, match="is of other events"):
        threshold_event(run)


def test_a_model_of_ones_own_has_no_such_event(tmp_path: Path) -> None:
    config = Config(name="mine", own_model=OwnModelConfig(file="model.h5"))
    assert threshold_event(Run(config, RunDirectory(tmp_path))) == {}


def test_a_model_of_ones_own_is_tested_with_a_word_in_the_middle(tmp_path: Path) -> None:
    config = Config(name="mine", own_model=OwnModelConfig(file="model.h5"))
    assert accept_of(Run(config, RunDirectory(tmp_path)), EXPECTED) == Accept("register", 4)
