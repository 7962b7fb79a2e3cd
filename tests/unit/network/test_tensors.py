"""A layer that cannot read the words that it is given is refused by name."""

from __future__ import annotations

import pytest
from support.fixed_points import constant, image_kernel

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    NO_PADDING,
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Pooling,
    Reshape,
    Upsampling,
    ZeroPadding,
)

INT8 = FixedPoint(True, 8, 8)
UINT8 = FixedPoint(False, 8, 8)


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (Dense("layer", "image", constant([[1]] * 6), None), r"\(3, 2, 1\), its weights are for \(6,\)"),
        (Dense("layer", "vector", constant([[1]] * 5), None), r"\(6,\), its weights are for \(5,\)"),
        (Convolution("layer", "vector", image_kernel([[1]]), None), r"\(6,\), which is no image"),
        (Pooling("layer", "vector", (1, 1), "max_pooling"), r"\(6,\), which is no image"),
        (Upsampling("layer", "vector", (1, 1)), r"\(6,\), which is no image"),
        (ZeroPadding("layer", "vector", NO_PADDING), r"\(6,\), which is no image"),
        (Convolution("layer", "wide", image_kernel([[1]]), None), r"\(3, 1, 2\), its weights are for 1 channels"),
        (Convolution("layer", "image", image_kernel([[1, 1, 1]]), None), r"fewer than a window of \(1, 3\)"),
        (Pooling("layer", "image", (4, 1), "average_pooling"), r"fewer than a window of \(4, 1\)"),
        (Reshape("layer", "image", (3, 3)), r"which do not fill \(3, 3\)"),
        (Elementwise("layer", "image", "vector", "subtract"), r"\(3, 2, 1\) and \(6,\)"),
    ],
)
def test_a_layer_that_cannot_read_its_words_is_named(node: Node, problem: str) -> None:
    nodes = (
        Input("vector", (6,), INT8),
        Reshape("image", "vector", (3, 2, 1)),
        Reshape("wide", "vector", (3, 1, 2)),
        node,
    )
    with pytest.raises(UserError, match=f"layer 'layer' reads words of shape .*{problem}") as refusal:
        Network(nodes)
    assert refusal.value.remedy
