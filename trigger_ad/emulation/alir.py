"""alkaid's interpreter as an emulator: the program of which RTL can be written, from raw trigger words to output words.

Nothing of it is shared with the HLS project, and its arithmetic is not the reference's: sums of products are the shifts
and additions that become logic.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware.rtl import Program, traced
from trigger_ad.fixed_point import Codes, Values
from trigger_ad.network.graph import Network
from trigger_ad.network.vectors import require_words

BLOCK_WORDS: Final = 1 << 20
"""Trigger words and output words that are in memory as floats at a time."""


def output_words(program: Program, words: NDArray[np.integer[Any]]) -> Codes:
    """The output words of each vector, shape (vectors, *shape of the output), in bounded memory.

    Args:
        program: The traced network, which gives the words of one node.
        words: Trigger words, shape (vectors, inputs).

    Raises:
        ValueError: Naming the first vector and word that is none of its type.
    """
    require_words(program.inputs, 1, words)
    ((name, word),) = program.outputs.items()
    result = np.empty((len(words), *word.shape), dtype=np.int64)
    step = max(1, BLOCK_WORDS // (len(program.inputs) + word.size))
    for start in range(0, len(words), step):
        result[start : start + step] = program.run(words[start : start + step])[name]
    return result


def layers(network: Network, encoding: InputEncoding, words: NDArray[np.integer[Any]]) -> dict[str, Values]:
    """The values inside for some trigger words: the encoded inputs, then every node.

    The network is traced anew, with every word of it an output.

    Args:
        network: The frozen network.
        encoding: Makes its inputs from trigger words.
        words: Few vectors of trigger words, shape (vectors, inputs).

    Returns:
        Values of shape (vectors, *shape of the node) by node name; averages that no word holds exactly are what
        float64 division makes of them.
    """
    program = traced(network, encoding, [node.name for node in network.nodes])
    require_words(program.inputs, 1, words)
    found = program.run(words)
    return {name: word.type.values(found[name]) / word.divisor for name, word in program.outputs.items()}
