"""The working points of a run's trigger menu."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.stage import Run, reading

if TYPE_CHECKING:
    from trigger_ad.evaluation.trigger_rates import RatePoint
    from trigger_ad.events.dataset import Dataset

MENU_FILE: Final = "trigger_menu.txt"
_REMEDY: Final = "Name a larger rate of trigger.rates_hz, or give the run more background events"


def menu_file(run: Run) -> list[Path]:
    """Where the menu of a run lies; nothing for a run without rates."""
    return [run.directory.path / MENU_FILE] if run.config.trigger else []


def menu_of(run: Run, network: Network) -> str | None:
    """The menu by the reference's score words of validation and test events; None for a run without rates."""
    from trigger_ad.firmware.trigger_menu import menu_text

    if run.config.trigger is None:
        return None
    validation, background = _reference_words(run, "validation_background", "background")
    points = working_points(run.config, run.dataset, network, validation, background, {})
    return menu_text(run.config, network, points)


def working_points(
    config: Config,
    dataset: Dataset,
    network: Network,
    validation: NDArray[np.int64],
    background: NDArray[np.int64],
    signals: dict[str, NDArray[np.int64]],
) -> list[RatePoint]:
    """The working points of the menu: see `rate_points`.

    Args:
        config: A configuration with rates.
        dataset: Says which events belong together.
        network: Says what the score word is.
        validation: Score words of validation background.
        background: Of test background.
        signals: Of each signal's test events.
    """
    from trigger_ad.evaluation.trigger_rates import rate_points

    assert config.trigger is not None
    groups = {name: dataset.signals[name]["test"].group_id for name in signals}
    return rate_points(
        config.trigger.input_rate_hz,
        config.trigger.rates_hz,
        validation,
        background,
        signals,
        network.type(network.output.name),
        background_groups=dataset.background["test"].group_id,
        signal_groups={name: own for name, own in groups.items() if own is not None},
    )


def trigger_section(
    config: Config,
    dataset: Dataset,
    network: Network,
    validation: NDArray[np.int64],
    background: NDArray[np.int64],
    signals: dict[str, NDArray[np.int64]],
) -> dict[str, Any] | None:
    """The entry `trigger` of report.json, arguments as in `working_points`; None for a run without rates."""
    from trigger_ad.evaluation.trigger_rates import rate_curve

    if config.trigger is None:
        return None
    whole = config.trigger.input_rate_hz
    points = working_points(config, dataset, network, validation, background, signals)
    kind, groups = network.type(network.output.name), dataset.background["test"].group_id
    return {
        "input_rate_hz": whole,
        "ships_rate_hz": config.firmware.accept.rate_hz,
        "working_points": [point.to_json() for point in points],
        "curve": rate_curve(whole, background, kind, groups),
    }


def require_carried(run: Run, network: Network) -> None:
    """Refuses to build a threshold in that too few events carry.

    Raises:
        UserError: Naming the rate, and why the validation background does not support it.
    """
    from trigger_ad.evaluation.trigger_rates import rate_threshold

    rate = run.config.firmware.accept.rate_hz
    if rate is None:
        return
    (validation,) = _reference_words(run, "validation_background")
    found = rate_threshold(validation, run.config.accept_fpr, network.type(network.output.name))
    if found.reason:
        raise UserError(f"firmware.accept.rate_hz: no threshold for {rate:g} Hz: {found.reason}", _REMEDY)


def _reference_words(run: Run, *samples: str) -> list[NDArray[np.int64]]:
    """The score words that the reference gives to samples of the run."""
    path, key = run.directory.arrays("quantize"), f"{run.config.quantization.ship}/{run.config.score}"
    with reading(path), np.load(path, allow_pickle=False) as stored:
        return [stored[f"{key}/{name}"] for name in samples]


def require_enough_events(run: Run, background_events: int) -> None:
    """Refuses a rate of the firmware that a background of so many events cannot support, however they score.

    Raises:
        UserError: Naming the rate.
    """
    rate = run.config.firmware.accept.rate_hz
    reason = None if rate is None else unsupported(run.config.accept_fpr, background_events)
    if reason:
        raise UserError(f"firmware.accept.rate_hz: no threshold for {rate:g} Hz: {reason}", _REMEDY)


def unsupported(fpr: float, background_events: int) -> str | None:
    """Why a background of so many events cannot support a false-positive rate, however they score and are split.

    How many fall in the validation part is a matter of chance: nothing is said where it could mend it.
    """
    from trigger_ad.evaluation.trigger_rates import MINIMUM_CARRYING
    from trigger_ad.events.split import BACKGROUND_FRACTIONS

    validation = round(BACKGROUND_FRACTIONS["validation"] * background_events)
    if _LUCK * fpr * validation >= MINIMUM_CARRYING:
        return None
    return (
        f"of about {validation} validation background events about {fpr * validation:.2g} may pass, and a threshold "
        f"needs {MINIMUM_CARRYING} to carry it"
    )


_LUCK: Final = 1.3
