"""How deep the FIFOs are that go round a part of the network, such as the inputs that wait for their reconstruction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Elementwise
from trigger_ad.pipeline.hardware import estimated
from trigger_ad.pipeline.stage import Run

if TYPE_CHECKING:
    from trigger_ad.synthesis.estimates import ProjectEstimate


@dataclass(frozen=True)
class Bypass:
    """A FIFO whose reader waits for another, slower path.

    Args:
        source: The node whose words wait.
        reader: The node that reads them together with those of the slower path.
        transfers: What one event puts into it: with less room than that the design stops for ever.
        events: How many events must have room for the design to keep its interval, by the estimated latency.
    """

    source: str
    reader: str
    transfers: int
    events: int

    @property
    def depth(self) -> int:
        """The FIFO's depth in transfers."""
        return self.transfers * self.events


def bypasses(network: Network, estimate: ProjectEstimate) -> list[Bypass]:
    """Every FIFO that waits for a slower path, with the depth that it needs.

    While the slower path works on an event, the next ones enter both paths: until its first words come out, the faster
    one's must have room. How long that is, is estimated.

    Args:
        network: The frozen network, or one with layers of the same sizes.
        estimate: Of its latency, layer by layer.
    """
    cycles = {layer.name: layer.cycles for layer in estimate.layers}
    arrival: dict[str, int] = {}
    found, latest = [], 0
    for node in network.nodes:
        # an input in the middle of a worst case stands for the words of the node before it
        latest = max((arrival[name] for name in node.sources), default=latest) + cycles.get(node.name, 0)
        arrival[node.name] = latest
        if isinstance(node, Elementwise) and node.left != node.right:
            early, late = sorted(node.sources, key=lambda name: arrival[name])
            events = 1 + math.ceil((arrival[late] - arrival[early]) / estimate.ii_cycles)
            found.append(Bypass(early, node.name, math.prod(network.words[early].shape[:-1]), events))
    return found


def stream_depths(run: Run, network: Network) -> dict[tuple[str, str], int]:
    """The depths that a project of a run needs, by source and reader; none in io_parallel, which has no FIFOs."""
    if run.config.firmware.io_type != "io_stream":
        return {}
    found = bypasses(network, estimated(run, network, run.config.firmware.back_ends[0]))
    return {(bypass.source, bypass.reader): bypass.depth for bypass in found}
