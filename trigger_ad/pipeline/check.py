"""What can be refused in seconds, before anything is trained."""

from __future__ import annotations

from trigger_ad.errors import UserError
from trigger_ad.pipeline.stage import Run


def check_run(run: Run) -> list[str]:
    """Refuses what could not be converted exactly, or whose tools or files are missing.

    Returns:
        What was checked, a line each.

    Raises:
        UserError: Naming the key, file or tool, and the remedy.
    """
    from trigger_ad.events.files import EventsFile
    from trigger_ad.synthesis.devices import check_part
    from trigger_ad.tools import require_compiler

    files, layout = run.event_files(), run.encoding.layout
    for path in files:
        _require_events(path.exists(), str(path))
        with EventsFile(path, layout):
            # opening it checks its layout; its values are read when a stage needs them
            pass
    check_part(run.config.firmware.part)
    require_compiler()
    widest = _check_widths_and_reuse(run)
    return [
        f"events: {len(files)} files",
        f"input words: {run.encoding.network_type}",
        f"widest word, every weight extreme (where binary points end up apart, a word may be wider): {widest} bits",
        f"reuse factor {run.config.firmware.reuse_factor}: valid for every layer",
        f"part {run.config.firmware.part}, C++ compiler: found",
    ]


def _require_events(present: bool, path: str) -> None:
    if not present:
        raise UserError(
            f"the events file {path} does not exist", "Correct the path under 'events', or say 'events: sample'"
        )


def _check_widths_and_reuse(run: Run) -> int:
    from trigger_ad.firmware.hls import check_reuse_factor
    from trigger_ad.models.architectures import dense_autoencoder
    from trigger_ad.network.worst_case import worst_case_network

    architecture = dense_autoencoder(run.config.model, run.encoding.inputs)
    network = worst_case_network(architecture, run.config.quantization, run.encoding.network_type)
    check_reuse_factor(network, run.config.firmware)
    return max(word.type.width for word in network.words.values())
