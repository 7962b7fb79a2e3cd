"""A network knows its ends, and has an output that is a word."""

from __future__ import annotations

import pytest

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Elementwise,
    Input,
    Pooling,
    Reshape,
)

BYTE = FixedPoint(False, 8, 8)


def test_what_is_still_to_be_divided_is_no_output() -> None:
    nodes = (Input("inputs", (3, 2, 1), BYTE), Pooling("sums", "inputs", (3, 1), "average_pooling"))
    with pytest.raises(UserError, match="layer 'sums' has averages of 3 words each"):
        Network(nodes)


def test_a_network_knows_its_ends_and_who_reads_what() -> None:
    square = Elementwise("square", "inputs", "inputs", "multiply")
    network = Network((Input("inputs", (1,), BYTE), square, Reshape("flat", "square", (1,))))
    assert (network.input.name, network.output.name) == ("inputs", "flat")
    assert network.consumers("inputs") == (square,)
    assert network.consumers("flat") == ()
    assert network.type("square") is network.words["square"].type
