"""Layer names that C++ or a file system could not tell apart are refused by name."""

from __future__ import annotations

import pytest
from support.runs import small_network

from trigger_ad.errors import UserError
from trigger_ad.firmware.naming import check_names
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Input, Quantize

WORD = FixedPoint(True, 8, 4)


def _network(*names: str) -> Network:
    """Quantizers of these names, one after the other."""
    sources = ("inputs", *names)
    chain = (Quantize(name, source, WORD, "linear") for source, name in zip(sources, names, strict=False))
    return Network((Input("inputs", (2,), WORD), *chain))


def test_the_names_of_our_own_networks_are_accepted() -> None:
    check_names(small_network())


@pytest.mark.parametrize("name", ["dense-1", "dense/relu", "2nd", "_x", "dense.1", "größe", "", "double", "nnet"])
def test_a_name_that_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"layer '{name}' has a name that C\\+\\+ does not allow"):
        check_names(_network(name))


@pytest.mark.parametrize("name", ["layer2", "layer2_out", "config3", "w2", "b10", "clone_x", "zp2d_x", "result_t"])
def test_a_name_of_hls4mls_own_variables_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"layer '{name}' has a name that hls4ml gives"):
        check_names(_network(name))


@pytest.mark.parametrize("name", ["layers", "layer_2", "bias", "weights", "w", "b", "config", "results_t"])
def test_a_name_that_only_begins_like_one_is_accepted(name: str) -> None:
    check_names(_network(name))


def test_names_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(UserError, match="layers 'Dense' and 'dense' differ in upper and lower case alone"):
        check_names(_network("Dense", "relu", "dense"))


def test_a_network_with_two_layers_of_one_name_is_refused() -> None:
    with pytest.raises(UserError, match="two layers are called 'dense'"):
        _network("dense", "relu", "dense")
