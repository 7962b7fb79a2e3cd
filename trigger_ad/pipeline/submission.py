"""The file that participants of the Anomaly Detection Data Challenge 2021 were asked for.

Its definition is the organisers' page (https://mpp-hep.github.io/ADC2021, "How to submit a contribution") and their
example, `upload-your-data.py` of https://github.com/mpp-hep/ADC2021-results: a dataset `Result` with the identification
numbers of the selected events, a fraction of 1e-5 of the black box, and the attributes `FLOPs`, `Device`, `Latency` in
microseconds, and `DSP`, `LUT`, `FF` and `BRAM` in percent, which are zero if no HLS implementation has run.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.evaluation.working_points import threshold_for
from trigger_ad.events.layout import EVENT_ID
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Elementwise
from trigger_ad.pipeline.convert import shipped_network
from trigger_ad.pipeline.parameters import weighted_nodes
from trigger_ad.pipeline.score import RESULT, accepted_events, provenance, scores_written_whole, summary
from trigger_ad.pipeline.scored_events import SCORE_WORD, InputFile, score_events
from trigger_ad.pipeline.scoring import Scoring, Threshold, threshold_at
from trigger_ad.pipeline.stage import Run

FRACTION: Final = 1e-5
"""The fraction of the black box's events that the challenge asks for."""

ESTIMATE: Final = "estimate"
_CYCLES: Final = ("cosim", "verilator", "csynth", ESTIMATE)
_RESOURCES: Final = ("vivado", "yosys", "csynth", ESTIMATE)
SOURCES: Final[Mapping[str, Sequence[str]]] = {
    "latency_ns": _CYCLES,
    "ii_cycles": _CYCLES,
    "dsp": _RESOURCES,
    "lut": _RESOURCES,
    "ff": _RESOURCES,
    "bram": _RESOURCES,
}
"""For each hardware figure the sources that it may come from, the best first."""

_REMEDY: Final = "Choose the events with a working point of the run: --fpr RATE"


def write_submission(
    run: Run, file: InputFile, report: Mapping[str, Any], threshold: Threshold | None, out: Path
) -> Scoring:
    """Scores one black box and writes the events that the challenge asks for, most anomalous first, whole.

    Memory: 50 bytes for each event of the black box at most, beside what `score_events` takes.

    Args:
        run: A run that is up to date.
        file: The black box.
        report: The run's report.
        threshold: Selects the events; None for the challenge's fraction of the black box.
        out: The file to write; one that was made by the same command is replaced.

    Raises:
        UserError: No event would be selected; the black box cannot be read; `out` cannot be written or is somebody's.
    """
    if threshold is None:
        require_enough(file)
    network = shipped_network(run)
    with scores_written_whole(out) as written:
        with h5py.File(io.BytesIO(), "w") as scored:
            streamed = score_events([file], network, run.encoding, scored)
            words = scored[SCORE_WORD][:]
            threshold = threshold or threshold_at(int(threshold_for(words, FRACTION)), report)
            scoring = summary(run, report, threshold, streamed, scored)
            selected = _selected(scored, threshold.code)
        if not len(selected):
            raise UserError(f"{file.path}: no event is selected, the largest score word is {words.max()}", _REMEDY)
        result = written.create_dataset(RESULT, data=selected, compression="gzip", track_times=False)
        for name, value in deployment(network, report["hardware"]).items():
            written.attrs[name] = value
        for name, value in _described(scoring, network, report["hardware"]).items():
            result.attrs[name] = value
    return scoring


def require_enough(file: InputFile) -> None:
    """Refuses a black box of which the challenge's fraction is less than one event.

    Raises:
        UserError: It has fewer than 100,000 events.
    """
    if 1 / file.events > FRACTION:
        raise UserError(f"{file.path}: {FRACTION:g} of {file.events:,} events is less than one event", _REMEDY)


def _selected(scored: h5py.Group, code: int) -> NDArray[np.int64]:
    """The ids of the events above a threshold, most anomalous first, those of equal words in their order."""
    rows = np.flatnonzero(accepted_events(scored, slice(0, len(scored[SCORE_WORD])), code))
    order = np.argsort(-scored[SCORE_WORD][:][rows], kind="stable")
    identifiers: NDArray[np.int64] = scored[EVENT_ID][:][rows[order]]
    return identifiers


def deployment(network: Network, hardware: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes that the challenge asks for; a figure that the reports do not have is left out.

    Args:
        network: The frozen network.
        hardware: The hardware entries of the run's report.
    """
    operations = {"FLOPs": floating_point_operations(network)}
    entries = _entries(hardware)
    if all(entry["source"] == ESTIMATE for entry in entries):
        # the challenge's way to say that there is no HLS implementation whose figures a tool reported
        return operations | dict.fromkeys(("Device", "Latency", "DSP", "LUT", "FF", "BRAM"), 0)
    reported = [entry for entry in entries if entry["source"] != ESTIMATE]
    figures: dict[str, Any] = {"Device": reported[0]["part"]}
    latency = _best(reported, "latency_ns")
    if latency is not None:
        figures["Latency"] = latency["latency_ns"] / 1000
    for name in ("dsp", "lut", "ff", "bram"):
        entry = _best(reported, name)
        share = None if entry is None else (entry["utilisation"] or {}).get(name)
        if share is not None:
            figures[name.upper()] = 100 * share
    return operations | figures


def floating_point_operations(network: Network) -> int:
    """Operations of the autoencoder as the organisers count them: 2 for each weight and 1 for each bias.

    Those of a convolution count at every place of its window.

    Source: `computeFLOPs_keras.ipynb` of the challenge's example code, which counts dense layers and neither
    activations nor the score.
    """
    total = 0
    for node in weighted_nodes(network):
        filters = node.kernel.codes.shape[-1]
        once = 2 * node.kernel.codes.size + (0 if node.bias is None else node.bias.codes.size)
        total += once * (network.words[node.name].size // filters)
    return total


def score_operations(network: Network) -> int:
    """Operations of the score, counted in the same way: differences, products, and a sum's weights of 1."""
    total = 0
    for node in network.nodes:
        if isinstance(node, Elementwise):
            total += network.words[node.name].size
        elif isinstance(node, Dense) and node.is_sum:
            total += node.kernel.codes.size
    return total


def _entries(hardware: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries of one flow: the first of which a tool has reported something, else the first."""
    flows = [entry["flow"] for entry in hardware if entry["source"] != ESTIMATE] or [hardware[0]["flow"]]
    return [entry for entry in hardware if entry["flow"] == flows[0]]


def _best(entries: Sequence[Mapping[str, Any]], figure: str) -> Mapping[str, Any] | None:
    """The entry with the best source of a figure; None where none has it."""
    order = SOURCES[figure]
    known = [entry for entry in entries if entry[figure] is not None and entry["source"] in order]
    # what was routed comes before what was only mapped
    return min(known, key=lambda entry: (order.index(entry["source"]), entry.get("step") != "implement"), default=None)


def _described(scoring: Scoring, network: Network, hardware: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes of the dataset: where the selection and the figures come from."""
    (file,) = scoring.files
    chosen = f"the largest fraction up to {FRACTION:g} of the events, by score word"
    described = provenance(scoring) | {
        "file": file.file,
        "file_sha256": file.sha256,
        "file_events": file.events,
        "event_id": file.event_id,
        "training_background": file.training_background,
        "selection": chosen if scoring.threshold.background is None else "the events above the run's working point",
        "score_operations": score_operations(network),
    }
    return described | hardware_figures(hardware)


def hardware_figures(hardware: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every hardware figure that is known, with its source, estimates included; unknown ones are left out."""
    entries = _entries(hardware)
    clocked = next((entry for entry in entries if entry.get("step") == "implement"), entries[0])
    figures: dict[str, Any] = {key: clocked[key] for key in ("flow", "part", "clock_ns", "clock_status")}
    for name in SOURCES:
        entry = _best(entries, name)
        if entry is not None:
            figures[name] = entry[name]
            figures[f"{name}_source"] = f"{entry['source']} ({entry['tool'] or 'tool not known'})"
    return figures
