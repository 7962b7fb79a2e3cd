"""Stage `rtl`: the RTL project of the network, with the vectors and the threshold of the run."""

from __future__ import annotations

import shutil
from typing import Any, Final

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.convert import ENCODING, keep_vendor_reports, read_vectors, shipped_network, shipped_vectors
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.pipeline.trigger_menu import menu_file
from trigger_ad.run_directory import written_whole

REMEDY: Final = "Set 'firmware.flow: hls' in the configuration, or make the network smaller"
"""What helps against a network that has no RTL."""


def require_rtl(network: Network, kept: float = 1.0) -> None:
    """Refuses a network that is not traced, as far as its nodes and words show it.

    Args:
        network: The network.
        kept: The share of its weights that will not be 0.

    Raises:
        UserError: Saying why, and that HLS alone can be written of it.
    """
    from trigger_ad.firmware.rtl import no_rtl_of

    reason = no_rtl_of(network, kept)
    if reason:
        raise UserError(f"firmware.flow: the network cannot become RTL: {reason}", REMEDY)


def _execute(run: Run) -> None:
    from trigger_ad.firmware.rtl_project import write_rtl_project

    project = run.directory.rtl_project
    if not run.config.firmware.has_rtl:
        # one of an earlier flow holds an older network
        keep_vendor_reports(project)
        shutil.rmtree(project, ignore_errors=True)
        return
    network = shipped_network(run)
    require_rtl(network)
    vectors = read_vectors(run.directory.vectors)
    keep_vendor_reports(project)
    with written_whole(project) as temporary:
        try:
            write_rtl_project(network, run.config, vectors.accept, shipped_vectors(vectors), temporary)
        except UserError as error:
            raise UserError(f"firmware.flow: the network cannot become RTL: {error.what}", REMEDY) from error
        for menu in menu_file(run):
            shutil.copyfile(menu, temporary / menu.name)


def _settings(config: Config) -> dict[str, Any]:
    if not config.firmware.has_rtl:
        return {"flow": config.firmware.flow}
    parts = config.model_dump(mode="json", include={"name", "events", "inputs", "own_model", "score"})
    firmware = config.firmware.model_dump(mode="json", include={"flow", "accept", "part", "clock_ns"})
    return parts | {"firmware": firmware, "ship": config.quantization.ship}


RTL = Stage(
    "rtl",
    _settings,
    # the threshold goes with the vectors
    lambda run: [run.network_file, run.directory.vectors] if run.config.firmware.has_rtl else [],
    lambda run: [run.directory.rtl_project] if run.config.firmware.has_rtl else [],
    _execute,
    ("pipeline/rtl.py", *ENCODING, "events/plain_encoding.py", "network", "firmware"),
    later_inputs=lambda run: menu_file(run) if run.config.firmware.has_rtl else [],
)
