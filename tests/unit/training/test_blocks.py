"""Blocks hold every event of an epoch once, in an order of its own; those of validation are always the same."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trigger_ad.config import AnomaliesConfig, InputsConfig
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.training import Anomalies, Rows
from trigger_ad.training import blocks as module
from trigger_ad.training.blocks import Block, Blocks


def float32(array: NDArray[Any]) -> NDArray[np.float32]:
    return array.astype(np.float32)


def numbered(events: int, **more: Any) -> Rows:
    """Rows whose entries are their numbers."""
    return Rows(np.repeat(np.arange(events)[:, None], 3, axis=1), float32, **more)


def numbers(block: Block) -> list[int]:
    assert block.inputs.dtype == np.float32
    assert (block.inputs == block.inputs[:, :1]).all()
    return [int(value) for value in block.inputs[:, 0]]


def epochs(rows: Rows, count: int, seed: int = 3, *, validation: bool = False) -> list[list[list[int]]]:
    """The numbers of the events of each block of some epochs."""
    with Blocks(rows, 16, seed, validation=validation) as blocks:
        found = [[numbers(block) for block in blocks.epoch(number)] for number in range(count)]
        assert all(sorted(map(len, epoch)) == sorted(blocks.sizes) for epoch in found)
    return found


def flat(epoch: list[list[int]]) -> list[int]:
    return [number for block in epoch for number in block]


BLOCKS = [2**18, 64, 48, 20, 16, 1]
"""Rows of a block: all, some, a few that are no whole number of batches, one batch, less than that."""


@pytest.mark.parametrize("block_rows", BLOCKS)
@pytest.mark.parametrize("events", [1, 15, 16, 17, 64, 100, 161])
def test_every_event_is_in_every_epoch_once(monkeypatch: pytest.MonkeyPatch, block_rows: int, events: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    found = epochs(numbered(events), 4)
    for epoch in found:
        assert sorted(flat(epoch)) == list(range(events))
        # one batch may be shorter than the others
        assert sum(len(block) % 16 > 0 for block in epoch) <= 1
    if events > 15:
        assert len({tuple(flat(epoch)) for epoch in found}) == 4


@pytest.mark.parametrize("block_rows", BLOCKS)
def test_the_order_follows_from_seed_and_epoch_alone(monkeypatch: pytest.MonkeyPatch, block_rows: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    one, other = epochs(numbered(100), 3, seed=3), epochs(numbered(100), 3, seed=4)
    assert all(flat(first) != flat(second) for first, second in zip(one, other, strict=True))
    with Blocks(numbered(100), 16, 3) as blocks:
        # as a fit does that goes on
        assert [numbers(block) for block in blocks.epoch(2)] == one[2]
        assert [numbers(block) for block in blocks.epoch(0)] == one[0]


def test_blocks_come_in_another_order_in_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 32)
    orders = []
    for epoch in epochs(numbered(320), 4):
        blocks = [{number // 32 for number in block} for block in epoch]
        assert all(len(block) == 1 for block in blocks)
        orders.append(tuple(block.pop() for block in blocks))
        assert sorted(orders[-1]) == list(range(10))
    assert len(set(orders)) == 4


def test_a_block_is_spread_over_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files follow each other in the rows: a block of one file alone would be no sample of the events."""
    monkeypatch.setattr(module, "BLOCK_ROWS", 64)
    monkeypatch.setattr(module, "SEGMENT_ROWS", 16)
    (epoch,) = epochs(numbered(320), 1)
    assert sorted(flat(epoch)) == list(range(320))
    for block in epoch:
        assert [sum(first <= number < first + 80 for number in block) for first in (0, 80, 160, 240)] == [16] * 4


@pytest.mark.parametrize("block_rows", BLOCKS)
def test_validation_is_in_the_order_of_the_rows(monkeypatch: pytest.MonkeyPatch, block_rows: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    for epoch in epochs(numbered(100), 2, validation=True):
        assert flat(epoch) == list(range(100))


@pytest.mark.parametrize("block_rows", [2**18, 32])
@pytest.mark.parametrize("validation", [True, False])
def test_targets_belong_to_their_events(monkeypatch: pytest.MonkeyPatch, block_rows: int, validation: bool) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    rows = numbered(100, targets=lambda inputs: (inputs[:, :1] * 2)[:, None])
    with Blocks(rows, 16, 3, validation=validation) as blocks:
        for number in range(3):
            for block in blocks.epoch(number):
                assert block.targets.tolist() == (block.inputs[:, :1] * 2).tolist()


def test_inputs_are_their_own_targets_otherwise() -> None:
    with Blocks(numbered(100), 16, 3) as blocks:
        assert all(block.targets is block.inputs for block in blocks.epoch(0))


def test_a_block_is_read_once_in_an_epoch_and_the_only_one_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for block_rows, expected in ((32, [4, 32, 32, 32] * 2), (2**18, [100])):
        monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
        read: list[int] = []

        def values(rows: NDArray[Any], read: list[int] = read) -> NDArray[np.float32]:
            read.append(len(rows))
            return float32(rows)

        with Blocks(Rows(np.zeros((100, 3)), values), 16, 3) as blocks:
            for number in range(2):
                list(blocks.epoch(number))
        # the first of the next epoch may have been made already
        assert sorted(read[: len(expected)]) == sorted(expected)
        assert len(read) <= len(expected) + 1


def test_the_next_block_is_made_while_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 32)
    made = threading.Semaphore(0)

    def values(rows: NDArray[Any]) -> NDArray[np.float32]:
        made.release()
        return float32(rows)

    with Blocks(Rows(np.zeros((64, 3)), values), 16, 3) as blocks:
        for _ in blocks.epoch(0):
            # this block, and the one after it: without the second it would wait for ever
            assert made.acquire(timeout=60)
        assert made.acquire(timeout=60)


def test_what_goes_wrong_in_the_other_thread_is_raised() -> None:
    def values(rows: NDArray[Any]) -> NDArray[np.float32]:
        raise OSError("the disk is gone")

    with Blocks(Rows(np.zeros((64, 3)), values), 16, 3) as blocks, pytest.raises(OSError, match="the disk is gone"):
        list(blocks.epoch(0))


# Anomalies among the rows

ENCODING = InputEncoding(InputsConfig())


def with_anomalies(events: int, share: float = 0.5) -> Rows:
    random = np.random.default_rng(1)
    words = np.sort(random.integers(1, 200, (events, ENCODING.inputs)), axis=1)[:, ::-1].astype(np.int16)
    return Rows(
        words,
        float32,
        targets=lambda inputs: inputs.sum(axis=1),
        anomalies=Anomalies(AnomaliesConfig(share=share, largest_scale=1, mixing=1), ENCODING),
    )


@pytest.mark.parametrize("block_rows", [2**18, 32])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.75])
def test_anomalies_are_their_share_of_every_block(
    monkeypatch: pytest.MonkeyPatch, block_rows: int, share: float
) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    rows = with_anomalies(96, share)
    background = {tuple(row) for row in rows.array.tolist()}
    with Blocks(rows, 16, 3) as blocks:
        for block in blocks.epoch(0):
            own = sum(tuple(row) in background for row in block.inputs.astype(int).tolist())
            assert own == round(len(block.inputs) * (1 - share))
            assert block.targets[:, 0].tolist() == block.inputs.sum(axis=1).tolist()


def test_anomalies_differ_between_epochs_in_training_and_not_in_validation() -> None:
    def made(validation: bool) -> list[set[tuple[int, ...]]]:
        rows = with_anomalies(64)
        background = {tuple(row) for row in rows.array.tolist()}
        with Blocks(rows, 16, 3, validation=validation) as blocks:
            epochs = [list(blocks.epoch(number)) for number in range(2)]
        return [
            {tuple(row) for block in epoch for row in block.inputs.astype(int).tolist()} - background
            for epoch in epochs
        ]

    first, second = made(False)
    assert len(first) == len(second) == 64
    assert not first & second
    first, second = made(True)
    assert first == second
    assert len(first) == 64
