"""The smallest weights become zero, more and more of them, and stay so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.architectures import randomise, small
from support.networks import small_part

from trigger_ad.config import PruningConfig
from trigger_ad.models.floating import build_float
from trigger_ad.training.pruning import Masks, sparsity_at

CONFIG = PruningConfig(sparsity=0.5, begin=0.2, end=0.6)


@pytest.mark.parametrize(
    ("progress", "share"), [(0.0, 0.0), (0.2, 0.0), (0.4, 0.5 * 7 / 8), (0.6, 0.5), (0.8, 0.5), (1.0, 0.5)]
)
def test_the_share_of_zeros_grows_by_the_polynomial(progress: float, share: float) -> None:
    np.testing.assert_allclose(sparsity_at(CONFIG, progress), share, rtol=1e-12)


def kernels(model: Any) -> dict[str, Any]:
    return {weight.name: weight for weight in model.weights if "kernel" in weight.name}


@pytest.mark.parametrize("name", ["dense", "average"])
def test_the_smallest_weights_of_every_kernel_become_zero(name: str) -> None:
    model = randomise(build_float(small(name)))
    before = {key: weight.numpy() for key, weight in kernels(model).items()}
    others = [weight.numpy() for weight in model.weights if "kernel" not in weight.name]
    Masks(model, keep_zeros=False).prune(0.4)
    for key, weight in kernels(model).items():
        found, count = weight.numpy(), -(-before[key].size * 2 // 5)
        assert (found == 0).sum() == count
        threshold = np.sort(np.abs(before[key]), axis=None)[count - 1]
        assert (found == np.where(np.abs(before[key]) > threshold, before[key], 0)).all()
    for one, other in zip(others, [w.numpy() for w in model.weights if "kernel" not in w.name], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_zero_stays_zero_as_more_become_so() -> None:
    model = randomise(build_float(small("dense")))
    masks = Masks(model, keep_zeros=False)
    kernel = kernels(model)["encoder_1/kernel:0"]
    zeros = np.zeros(kernel.shape, dtype=bool)
    for share in (0.1, 0.3, 0.3, 0.6):
        masks.prune(share)
        assert (kernel.numpy()[zeros] == 0).all()
        zeros = kernel.numpy() == 0
        # a step of the fit moves every weight
        kernel.assign_add(np.random.default_rng(1).normal(size=kernel.shape))
        masks.apply()
        assert ((kernel.numpy() == 0) == zeros).all()


def test_zeros_are_kept_from_the_start() -> None:
    part = small_part(1)
    kernel = kernels(part)["encoder_1/kernel:0"]
    start = kernel.numpy()
    start[:2] = 0
    kernel.assign(start)
    masks = Masks(part, keep_zeros=True)
    kernel.assign(np.ones(kernel.shape))
    masks.apply()
    assert kernel.numpy().tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2


def test_masks_are_taken_from_an_earlier_fit() -> None:
    model = randomise(build_float(small("dense")))
    masks, others = (Masks(model, keep_zeros=False) for _ in range(2))
    masks.prune(0.5)
    others.set(masks.get())
    for one, other in zip(masks.get(), others.get(), strict=True):
        np.testing.assert_array_equal(one, other)
