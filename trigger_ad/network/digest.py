"""The digest by which a network is known."""

from __future__ import annotations

import yaml

from trigger_ad.network.graph import Network
from trigger_ad.run_directory import text_digest


def network_digest(network: Network) -> str:
    """The digest that names a network in projects, libraries and reports."""
    return text_digest(yaml.safe_dump(network.to_json()))
