"""What a network's inputs may be: its accumulators are wide enough for the codes that the encoding gives, no more."""

from __future__ import annotations

import numpy as np

from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network


def require_inputs(network: Network, inputs: Codes) -> None:
    """Checks that inputs have no other codes than the network is made for.

    Args:
        network: The frozen network.
        inputs: Codes of shape (events, inputs).

    Raises:
        ValueError: Naming the first event and input that has another.
    """
    word = network.words[network.input.name]
    if inputs.ndim != 2 or inputs.shape[1] != word.size:
        raise ValueError(f"inputs of shape {inputs.shape} are not (events, {word.size})")
    low, high = word.low.reshape(-1), word.high.reshape(-1)
    if len(inputs) and ((inputs.min(axis=0) < low) | (inputs.max(axis=0) > high)).any():
        event, position = map(int, np.argwhere((inputs < low) | (inputs > high))[0])
        raise ValueError(
            f"input {position} of event {event} is {inputs[event, position]}, outside {low[position]} to "
            f"{high[position]} ({network.input.type})"
        )


def require_encoding(network: Network, encoding: InputEncoding) -> None:
    """Checks that an encoding gives what a network takes.

    Args:
        network: The frozen network.
        encoding: Of trigger words.

    Raises:
        ValueError: If the number, the type or the range of the inputs is another.
    """
    word = network.words[network.input.name]
    low, high = np.array(encoding.bounds * encoding.layout.objects).T
    if (encoding.inputs, encoding.network_type) != (word.size, word.type):
        raise ValueError(
            f"the encoding makes {encoding.inputs} inputs of {encoding.network_type}, "
            f"the network takes {word.size} of {word.type}"
        )
    if (low < word.low.reshape(-1)).any() or (high > word.high.reshape(-1)).any():
        raise ValueError("the encoding makes codes beyond those that the network's accumulators are wide enough for")
