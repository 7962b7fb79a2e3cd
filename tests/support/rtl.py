"""The RTL project of a small network."""

from __future__ import annotations

from pathlib import Path

from support.runs import encoding_of, network_vectors, small_config, small_network

from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.project import Vectors
from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.firmware.rtl_project import write_rtl_project
from trigger_ad.network.evaluation import outputs

NETWORK = small_network()
CONFIG = small_config(NETWORK)
WORDS = network_vectors(NETWORK)
VECTORS = Vectors(WORDS, outputs(NETWORK, encoding_of(CONFIG).codes_of_words(WORDS)).reshape(len(WORDS), -1))


def write_small_rtl(folder: Path, accept: Accept | None) -> RtlDesign:
    """Writes the RTL project of a small autoencoder."""
    return write_rtl_project(NETWORK, CONFIG, accept, VECTORS, folder)
