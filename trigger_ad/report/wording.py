"""Numbers and names as people read them: no digit that was not measured, and a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trigger_ad.config.model import RECONSTRUCTION_SCORES
from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.events.layout import SIGNAL_TITLES

PROPORTION_METHOD: Final = "Clopper-Pearson, with an effective number of events where they come in groups"
"""How the intervals of rates are made: see `proportion_interval`."""

UNKNOWN: Final = "–"
"""Stands for every figure that is not known."""

MODEL_TITLES: Final[Mapping[str, str]] = {
    "teacher": "Teachers, float",
    "float": "Float",
    "float_relu": "Float, leaky ReLU replaced by ReLU",
    "float_encoded": "Float, encoded inputs",
    "ptq": "Quantized after training (PTQ)",
    "qat": "Trained quantized (QAT)",
    "firmware": "Firmware",
    **BASELINE_TITLES,
}
"""Models and trivial scores by key, in the order of every table."""

BASELINE_MEANINGS: Final[Mapping[str, str]] = {
    "zero_reconstruction": "the sum of the squared network inputs, the score of an autoencoder that answers 0",
    "leading_lepton_pt": "the largest pT of the electrons and muons",
    "lepton_number": "how many electrons and muons there are, and among equal numbers their scalar sum of pT",
    "met": "the missing transverse energy",
    "ht": "the scalar sum of the jets' pT",
    "jet_number": "how many jets there are, and among equal numbers their scalar sum of pT",
    "sum_of_pt": "the scalar sum of all objects' pT, MET among them",
    "object_number": "how many objects there are but MET, and among equal numbers their scalar sum of pT",
    "pca": "the squared distance from as many principal components of training background as the latent space has "
    "dimensions",
    "isolation_forest": "how few random cuts set an event apart from training background",
}
"""What each trivial score is, by key."""

EMULATOR_TITLES: Final[Mapping[str, str]] = {
    "keras_float64": "Keras, float64, every layer",
    "keras_float32": "Keras, float32 (for information)",
    "native": "Native C++ library",
    "hls_vitis": "HLS C++, Vitis",
    "hls_vivado": "HLS C++, Vivado",
    "alir": "alkaid's program, interpreted",
    "rtl": "RTL simulation, Verilog",
    "rtl_vhdl": "RTL simulation, VHDL",
    "cosim_vitis": "Vendor co-simulation, Vitis",
    "cosim_vivado": "Vendor co-simulation, Vivado",
}

FOR_INFORMATION: Final = frozenset({"keras_float32"})
"""Emulators that need not agree: float32 is not exact for wide words."""

FLOW_TITLES: Final[Mapping[str, str]] = {"hls_vitis": "Vitis HLS", "hls_vivado": "Vivado HLS", "rtl": "RTL"}

_NAMED_FILES: Final = 3
"""More files than these are not all named in a table."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def signal_title(signal: str) -> str:
    """A signal's name as physicists write it; a name of the user's own stays as it is."""
    return SIGNAL_TITLES.get(signal, signal)


def source_title(source: object) -> str:
    """Where events come from: a file's name, or the first and the last of several files and how many there are."""
    if isinstance(source, list | tuple) and len(source) > _NAMED_FILES:
        return f"{source[0]} … {source[-1]} ({len(source)} files)"
    return ", ".join(map(str, source)) if isinstance(source, list | tuple) else text(source)


def model_title(model: str, ships: str | None = None) -> str:
    """A model's name in tables.

    Args:
        model: Its key.
        ships: Which quantized model became firmware.
    """
    number = model.removeprefix("teacher_")
    title = MODEL_TITLES.get(model, model if number == model else f"Teacher {number}, float")
    return f"{title}, ships" if model == ships else title


def text(value: object) -> str:
    """Any single value: whole numbers as they are, others with at most 4 significant digits, None as unknown."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def count(value: int | None) -> str:
    """A whole number with thousands separated."""
    return UNKNOWN if value is None else f"{value:,}"


def rounded(value: int | None, digits: int = 3) -> str:
    """A whole number to a few significant digits, for what is only an estimate."""
    if value is None:
        return UNKNOWN
    step = 10 ** max(0, len(str(abs(value))) - digits)
    return f"{round(value / step) * step:,}"


def seconds(value: float | None) -> str:
    """A duration in seconds: one decimal, two below a second."""
    return UNKNOWN if value is None else f"{value:,.{1 if value >= 1 else 2}f}"


def figure_source(entry: Mapping[str, Any]) -> str:
    """The source of a figure; two steps of Vivado are two sources."""
    source, step = str(entry["source"]), entry.get("step")
    return f"{source}, {step}" if step and step != source else source


def nanoseconds(entry: Mapping[str, Any]) -> str:
    """The latency of a hardware entry in ns: at a clock that nobody has closed it is an assumption, and says so."""
    value = entry.get("latency_ns")
    if value is None:
        return UNKNOWN
    if entry["clock_status"] == "met":
        return f"{value:g} ns"
    remark = ", FAILED" if entry["clock_status"] == "failed" else " assumed"
    return f"{value:g} ns at {entry['clock_ns']:g} ns{remark}"


def percentage(share: float | None) -> str:
    """A share as a percentage with two significant digits."""
    if share is None:
        return UNKNOWN
    if share == 0 or share >= 0.1:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.2g} %" if share >= 1e-5 else "< 0.001 %"


def difference(value: float | None, decimals: int = 4) -> str:
    """A signed difference."""
    return UNKNOWN if value is None else _minus(f"{value:+.{decimals}f}")


def difference_with_interval(value: float, low: float, high: float) -> str:
    """A signed difference with its interval, such as −0.0018 [−0.0026, −0.0010]."""
    return f"{difference(value)} [{difference(low)}, {difference(high)}]"


def power_of_ten(value: float) -> str:
    """A power of ten as 10⁻², any other number as it is."""
    exponent = round(math.log10(value))
    return power(10, exponent) if value == float(f"1e{exponent}") else f"{value:g}"


def power(base: int, exponent: int) -> str:
    """A power as plain text, such as 2⁻¹⁰."""
    return f"{base}{str(exponent).translate(_SUPERSCRIPTS)}"


def decimals_of(width: float, least: int, most: int) -> int:
    """How many decimals an interval of this width supports: two digits of it."""
    return least if width <= 0 else min(max(math.ceil(-math.log10(width)) + 1, least), most)


def with_interval(value: float, low: float, high: float, decimals: int) -> str:
    """A value with its interval, such as 0.913 [0.905, 0.921]."""
    return f"{value:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"


def rate_with_interval(value: float, low: float, high: float) -> str:
    """A rate with its interval, with the decimals that the interval supports; small ones as powers of ten."""
    if not 0 < high < 1e-3:
        return with_interval(value, low, high, decimals_of(high - low, 2, 5))
    exponent = math.floor(math.log10(high))
    scale = float(f"1e{exponent}")
    decimals = decimals_of((high - low) / scale, 1, 3)
    return f"{with_interval(value / scale, low / scale, high / scale, decimals)} × {power_of_ten(scale)}"


def listed(value: Any) -> str:
    """A value, a list of them or a mapping in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {listed(item)}" for key, item in value.items()) or UNKNOWN
    if isinstance(value, list | tuple):
        return f"[{', '.join(listed(item) for item in value)}]"
    return text(value)


def bits_of(config: Mapping[str, Any]) -> str:
    """The bits of every group of words that a run's network has, then the exceptions by layer.

    Args:
        config: The run's configuration, as report.json has it.
    """
    quantization, is_student = config["quantization"], config["model"]["architecture"] == "student"
    missing = {"latent"} if is_student else set() if config["score"] in RECONSTRUCTION_SCORES else {"output"}
    groups = ("weights", "biases", "activations", "latent", "output", "score")
    found = {name: quantization[name] for name in groups if name not in missing}
    for layer, exceptions in quantization["layers"].items():
        found |= {f"{layer} {group}": bits for group, bits in exceptions.items()}
    return ", ".join(f"{name} {bits}" for name, bits in found.items() if bits is not None)


def _minus(number: str) -> str:
    return number.replace("-", "−")


def overflow_notes(layers: Sequence[Mapping[str, Any]]) -> list[str]:
    """What to say of each layer whose accumulator did not hold every exact sum: `agreement.layers` of a report."""
    notes = []
    for entry in layers:
        events, corner = entry["overflows"], entry.get("overflows_corner", 0)
        if events or corner:
            kind, missing = entry.get("accumulator") or entry["precision"], entry.get("bits_missing")
            lacks = f", which lacks {missing} bit{'' if missing == 1 else 's'}" if missing else ""
            notes.append(
                f"the accumulator of layer '{entry['layer']}', {kind}{lacks}, overflows in {count(events)} words of "
                f"events and {count(corner)} of corner vectors"
            )
    return notes
