"""The C++ of each step: its tables, what it does to one code, and the call that does it to a block of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.native.numbers import bits_for, integer, table
from trigger_ad.native.plan import Rows, Step, Tensor, gathered
from trigger_ad.native.quantizing import function_object, quantizer
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Dense, Elementwise, Pooling, Quantize
from trigger_ad.network.tensors import matrix
from trigger_ad.network.words import weighted_fraction

TERMS: Final = 8
"""Products that are added to a sum at a time: the weights of each sum are a multiple of them, filled up with zeros."""


@dataclass(frozen=True)
class Code:
    """The C++ of a step.

    Args:
        title: What it computes, for a comment.
        definitions: Lines outside any function.
        call: One statement.
    """

    title: str
    definitions: list[str]
    call: str


def code_of(step: Step, network: Network) -> Code:
    """The C++ of a step."""
    match step.node:
        case Dense() | Convolution():
            definitions, call = _weighted(step, step.node, network)
        case Quantize():
            definitions, call = _mapped(step, step.node, network)
        case Pooling():
            definitions, call = _pooled(step, step.node, network)
        case Elementwise():
            definitions, call = _elementwise(step, step.node, network)
    nodes = [step.node] if step.quantize is None else [step.node, step.quantize]
    return Code(", ".join(f"{node.name} ({node.kind})" for node in nodes), definitions, call)


@dataclass(frozen=True)
class _Weights:
    """The weights of a sum in the units of its result.

    Args:
        codes: int64 of shape (words that are read, sums), modulo 2**64.
        bias: int64 of shape (sums,), modulo 2**64.
        bits: Of the integers that hold every sum, in part or as a whole; in 64 bits sums are computed modulo 2**64,
            and the whole ones fit.
    """

    codes: Rows
    bias: Rows
    bits: int


def _weights(node: Dense | Convolution, network: Network) -> _Weights:
    word = network.words[node.source]
    fraction = weighted_fraction(node, word.type)
    kernel = matrix(node).astype(object) << (fraction - word.type.fraction - node.kernel.type.fraction)
    bias = np.zeros(kernel.shape[1], dtype=object)
    if node.bias is not None:
        bias = node.bias.codes.astype(object) << (fraction - node.bias.type.fraction)
    largest = int((word.largest * np.abs(kernel).sum(axis=0) + np.abs(bias)).max())
    # of weights too large even for 64 bits the words that they multiply are all zero, or cancel
    bits = bits_for(-largest, largest) if largest < 1 << 63 else 64
    return _Weights(_modulo(kernel), _modulo(bias), bits)


def _modulo(numbers: NDArray[Any]) -> Rows:
    """Python's integers as those of 64 bits that equal them modulo 2**64."""
    half = 1 << 63
    result: Rows = ((numbers + half) % (1 << 64) - half).astype(np.int64)
    return result


def _weighted(step: Step, node: Dense | Convolution, network: Network) -> tuple[list[str], str]:
    weights = _weights(node, network)
    starts, terms, values = _sparse(weights.codes)
    windows = gathered(step)
    positions, words = windows.shape
    sums, name = integer(weights.bits), step.name
    value = integer(bits_for(int(values.min(initial=0)), int(values.max(initial=0))))
    finish = _finish(step, sums, network)
    definitions = [
        *table("std::uint32_t", f"{name}_rows", windows),
        *table("std::uint32_t", f"{name}_starts", starts),
        *table("std::uint32_t", f"{name}_terms", terms),
        *table(value, f"{name}_weights", values),
        *table(sums, f"{name}_bias", weights.bias),
        *finish,
    ]
    tables = ", ".join(f"{name}_{what}" for what in ("rows", "starts", "terms", "weights", "bias"))
    call = (
        f"add_up<{positions}, {words}, {len(weights.bias)}>(space.{step.sources[0].buffer.name}, {tables}, "
        f"space.{step.target.name}, {name}_finish())"
    )
    return definitions, call


def _finish(step: Step, sums: str, network: Network) -> list[str]:
    name = f"{step.name}_finish"
    if step.quantize is None:
        result = f"static_cast<{step.target.kind}>(sum)"
        return function_object(name, [f"{sums} sum"], [], result, step.target.kind)
    return quantizer(name, step.quantize, network.words[step.node.name], step.target.kind)


def _sparse(codes: Rows) -> tuple[list[int], Rows, Rows]:
    """Where the weights of each sum begin, which word each multiplies, and the weights, without those that are 0."""
    starts, terms, values = [0], [], []
    for column in codes.T:
        chosen = np.flatnonzero(column)
        spare = -len(chosen) % TERMS
        terms.append(np.concatenate([chosen, np.repeat(chosen[-1:], spare)]))
        values.append(np.concatenate([column[chosen], np.zeros(spare, dtype=np.int64)]))
        starts.append(starts[-1] + len(terms[-1]))
    return starts, np.concatenate(terms), np.concatenate(values)


def _mapped(step: Step, node: Quantize, network: Network) -> tuple[list[str], str]:
    name, (source,) = step.name, step.sources
    definitions = [
        *table("std::uint32_t", f"{name}_rows", gathered(step)),
        *quantizer(f"{name}_finish", node, network.words[node.source], step.target.kind),
    ]
    call = (
        f"change<{step.target.size}>(space.{source.buffer.name}, {name}_rows, "
        f"space.{step.target.name}, {name}_finish())"
    )
    return definitions, call


def _pooled(step: Step, node: Pooling, network: Network) -> tuple[list[str], str]:
    name, (source,) = step.name, step.sources
    windows = gathered(step)
    positions, words = windows.shape
    # sums in part may be larger than the whole ones
    largest = network.words[node.source].largest * (1 if node.kind == "max_pooling" else words)
    number = integer(bits_for(-largest, largest))
    result = "left > right ? left : right" if node.kind == "max_pooling" else "left + right"
    arguments = [f"{number} left", f"{number} right"]
    definitions = [
        *table("std::uint32_t", f"{name}_rows", windows),
        *function_object(f"{name}_join", arguments, [], f"static_cast<{number}>({result})", number),
    ]
    call = (
        f"pool<{number}, {positions}, {words}>(space.{source.buffer.name}, {name}_rows, "
        f"space.{step.target.name}, {name}_join())"
    )
    return definitions, call


def _elementwise(step: Step, node: Elementwise, network: Network) -> tuple[list[str], str]:
    name, (left, right) = step.name, step.sources
    arguments = [f"{left.buffer.kind} left", f"{right.buffer.kind} right"]
    target = step.target.kind
    definitions = [
        *_both_rows(name, left, right),
        *function_object(f"{name}_join", arguments, [], f"static_cast<{target}>({_joined(node, network)})", target),
    ]
    call = (
        f"combine<{step.target.size}>(space.{left.buffer.name}, {name}_left, space.{right.buffer.name}, "
        f"{name}_right, space.{step.target.name}, {name}_join())"
    )
    return definitions, call


def _joined(node: Elementwise, network: Network) -> str:
    """The C++ expression of a difference or a product of `left` and `right`."""
    words = [network.words[node.left], network.words[node.right]]
    factors = [1, 1]
    if node.kind == "subtract":
        fraction = network.type(node.name).fraction
        factors = [1 << (fraction - word.type.fraction) for word in words]
    parts = [word.largest * factor for word, factor in zip(words, factors, strict=True)]
    largest = max(*parts, *factors, network.words[node.name].largest)
    # where constants that cancel leave the integers, the difference, which does not, is right modulo 2**64
    modulo = largest >= 1 << 63
    kind = "std::uint64_t" if modulo else integer(bits_for(-largest, largest, 32))
    operands = []
    for side, factor in zip(("left", "right"), factors, strict=True):
        factor_text = f"{factor % (1 << 64)}u" if modulo else str(factor)
        operands.append(f"static_cast<{kind}>({side})" + (f" * {factor_text}" if factor != 1 else ""))
    result = f" {'*' if node.kind == 'multiply' else '-'} ".join(operands)
    return f"static_cast<std::int64_t>({result})" if modulo else result


def _both_rows(name: str, left: Tensor, right: Tensor) -> list[str]:
    rows = [("left", left), ("right", right)]
    return [line for side, tensor in rows for line in table("std::uint32_t", f"{name}_{side}", tensor.table)]
