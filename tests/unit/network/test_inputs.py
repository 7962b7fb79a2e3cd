"""A network takes the codes that it was made for, and says which other one it was given."""

from __future__ import annotations

import numpy as np
import pytest
from support.runs import encoding_of, small_config, small_network

from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import EventLayout
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.inputs import require_encoding, require_inputs
from trigger_ad.network.nodes import Input, Reshape

WORD = FixedPoint(True, 6, 6)
NETWORK = Network((Input("inputs", (4,), WORD, ((-3, 2), (0, 20))), Reshape("same", "inputs", (4,))))
"""Two objects of two features."""


def test_every_code_within_the_bounds_is_taken() -> None:
    require_inputs(NETWORK, np.array([[-3, 0, -3, 0], [2, 20, 2, 20], [0, 7, -1, 19]]))
    require_inputs(NETWORK, np.zeros((0, 4), dtype=np.int64))


@pytest.mark.parametrize(("position", "code"), [(0, -4), (0, 3), (1, -1), (1, 21), (2, -4), (3, 21)])
def test_a_code_beyond_those_of_its_feature_is_refused_by_event_and_input(position: int, code: int) -> None:
    inputs = np.zeros((3, 4), dtype=np.int64)
    inputs[1, position] = code
    with pytest.raises(ValueError, match=f"input {position} of event 1 is {code}, outside"):
        require_inputs(NETWORK, inputs)


@pytest.mark.parametrize("shape", [(3, 3), (12,), (1, 2, 2)])
def test_inputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"are not \(events, 4\)"):
        require_inputs(NETWORK, np.zeros(shape, dtype=np.int64))


def test_a_network_without_bounds_takes_every_code_of_its_type() -> None:
    network = Network((Input("inputs", (1,), WORD), Reshape("same", "inputs", (1,))))
    require_inputs(network, np.array([[-32], [31]]))
    with pytest.raises(ValueError, match="is 32, outside -32 to 31"):
        require_inputs(network, np.array([[32]]))


def _bounded(*bounds: tuple[int, int]) -> Network:
    network = small_network()
    first = network.input
    return Network((Input(first.name, first.shape, first.type, bounds), *network.nodes[1:]))


def test_an_encoding_is_taken_whose_codes_stay_within_the_bounds() -> None:
    encoding = encoding_of(small_config(small_network()))
    for network in (small_network(), _bounded(*encoding.bounds)):
        require_encoding(network, encoding)


def test_an_encoding_that_gives_a_code_beyond_them_is_refused() -> None:
    encoding = encoding_of(small_config(small_network()))
    (low, high), *others = encoding.bounds
    for narrower in ((low + 1, high), (low, high - 1)):
        with pytest.raises(ValueError, match="codes beyond those"):
            require_encoding(_bounded(narrower, *others), encoding)


def test_an_encoding_of_another_type_is_refused() -> None:
    config = small_config(small_network())
    wider = config.inputs.model_copy(update={"pt": config.inputs.pt.model_copy(update={"width": 12})})
    with pytest.raises(ValueError, match="the encoding makes 6 inputs of"):
        require_encoding(small_network(), InputEncoding(wider, EventLayout(config.layout)))
