"""The layers of a frozen network that have parameters: weights that a fit, or data, chose."""

from __future__ import annotations

from trigger_ad.models.names import OBJECT_PT
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Dense


def weighted_nodes(network: Network) -> list[Dense | Convolution]:
    """Dense layers and convolutions, but for the sum of a score and the copies that tell what is present."""
    return [
        node
        for node in network.nodes
        if isinstance(node, Convolution) or (isinstance(node, Dense) and not node.is_sum and node.name != OBJECT_PT)
    ]
