"""How large the values of each word are, beside what its type can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.emulation.layer_tally import NONE_SET
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.graph import Network


class ValueRanges:
    """Counts the codes of every node, the input included, by how many bits their magnitude has.

    Args:
        network: The frozen network.
        accumulators: Accumulator types that the user sets, by layer name.
    """

    def __init__(self, network: Network, accumulators: Mapping[str, FixedPoint] = NONE_SET) -> None:
        self._network = network
        self._accumulators = accumulators
        types = {node.name: network.type(node.name) for node in network.nodes}
        # a magnitude of 0 has no bits
        self._counts = {name: np.zeros(kind.width - kind.signed + 1, np.int64) for name, kind in types.items()}
        self._largest = dict.fromkeys(self._counts, 0)

    def add(self, reference: Mapping[str, Codes], kind: str) -> None:
        """Counts one block.

        Args:
            reference: Codes by node name, from `network.evaluation.evaluate`.
            kind: `corner` or `events`: events are counted, corner vectors can only reach farther.
        """
        for name, counts in self._counts.items():
            # the smallest code of a signed type is as large as the type reaches, and counted there
            bits = np.minimum(_bits(reference[name]), len(counts) - 1)
            if kind == "events":
                counts += np.bincount(bits, minlength=len(counts))
            self._largest[name] = max(self._largest[name], int(bits.max(initial=0)))

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each node.

        `magnitudes` counts the codes of events by the bits of their magnitude, from none on; `largest_bits` are those
        of the largest magnitude of any vector, and `divisor` is that of the word.
        """
        return [
            {
                "layer": name,
                "precision": str(self._network.type(name)),
                "accumulator": str(self._accumulators[name]) if name in self._accumulators else None,
                "divisor": self._network.words[name].divisor,
                "magnitudes": counts.tolist(),
                "largest_bits": self._largest[name],
            }
            for name, counts in self._counts.items()
        ]


def _bits(codes: Codes) -> NDArray[np.int64]:
    """The bits of each code's magnitude, in one dimension; float64 holds every code exactly."""
    bits: NDArray[np.int64] = np.frexp(np.abs(codes.reshape(-1)).astype(np.float64))[1].astype(np.int64)
    return bits
