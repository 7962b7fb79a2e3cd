"""What the vendor's tools cannot take is refused before anything is trained, with what would make it fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trigger_ad.config import FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.limits import check_limits
from trigger_ad.firmware.reuse import check_reuse_factor
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Convolution, Dense, Input, Upsampling

WORD = FixedPoint(True, 4, 2)


def _ones(*shape: int) -> Constant:
    return Constant(np.ones(shape, dtype=np.int64), WORD)


def _dense(inputs: int, outputs: int) -> Network:
    return Network((Input("inputs", (inputs,), WORD), Dense("layer", "inputs", _ones(inputs, outputs), None)))


def _firmware(**settings: Any) -> FirmwareConfig:
    return FirmwareConfig.model_validate(settings)


def test_the_largest_array_of_products_is_taken() -> None:
    check_limits(_dense(64, 64), _firmware())


def test_one_product_more_is_refused_whatever_the_reuse_factor() -> None:
    for factor in (1, 5, 17):
        with pytest.raises(UserError, match=r"layer 'layer' has 4097 products \(241 x 17\)") as caught:
            check_limits(_dense(241, 17), _firmware(reuse_factor=factor))
        assert "firmware.layers.layer to {strategy: resource, reuse_factor: 241}" in caught.value.remedy


def test_with_resource_the_reuse_factor_counts() -> None:
    network = _dense(128, 128)
    check_limits(network, _firmware(layers={"layer": {"strategy": "resource", "reuse_factor": 4}}))
    with pytest.raises(UserError, match="has 8192 multipliers") as caught:
        check_limits(network, _firmware(strategy="resource", reuse_factor=2))
    assert "reuse_factor: 4}" in caught.value.remedy


@pytest.mark.parametrize(("inputs", "outputs"), [(241, 17), (128, 128), (57, 200), (1000, 64), (4093, 3)])
def test_the_remedy_can_be_followed(inputs: int, outputs: int) -> None:
    network = _dense(inputs, outputs)
    with pytest.raises(UserError) as caught:
        check_limits(network, _firmware())
    factor = int(caught.value.remedy.split("reuse_factor: ")[1].split("}")[0])
    followed = _firmware(layers={"layer": {"strategy": "resource", "reuse_factor": factor}})
    check_limits(network, followed)
    check_reuse_factor(network, followed)


def test_a_layer_that_no_reuse_factor_helps_is_to_be_smaller() -> None:
    network = Network((Input("image", (1, 4, 8), WORD), Convolution("layer", "image", _ones(1, 4, 8, 5000), None)))
    with pytest.raises(UserError, match="has 160000 products") as caught:
        check_limits(network, _firmware())
    assert caught.value.remedy == "Make the layer smaller"


def test_a_convolution_counts_at_one_place_of_its_window() -> None:
    def network(channels: int) -> Network:
        layer = Convolution("layer", "image", _ones(3, 1, channels, 32), None)
        return Network((Input("image", (5, 1, channels), WORD), layer))

    check_limits(network(42), _firmware())
    with pytest.raises(UserError, match="has 4128 products"):
        check_limits(network(43), _firmware())


def test_the_words_of_a_layer_are_registers_in_io_parallel_alone() -> None:
    network = Network((Input("image", (1, 17, 3), WORD), Upsampling("layer", "image", (81, 1))))
    with pytest.raises(UserError, match="layer 'layer' has 4131 words") as caught:
        check_limits(network, _firmware())
    assert "io_stream" in caught.value.remedy
    check_limits(network, _firmware(io_type="io_stream"))
