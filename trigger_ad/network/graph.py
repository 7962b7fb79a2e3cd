"""The exact integer graph: every word has a fixed-point type, and every operation is integer arithmetic.

Results of layers, differences and products have the narrowest type that holds every value that they can take for any
input code: their interval bounds are computed exactly, in unbounded integers, so no accumulator can overflow. Only a
`Quantize` node rounds or saturates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.nodes import Input, Node, node_from_json, node_to_json
from trigger_ad.network.words import Word, undivided, word_of


@dataclass(frozen=True)
class Network:
    """A network of integer words, its nodes in the order of the data.

    Args:
        nodes: One input first; each node reads nodes before it; the last is the output.

    Raises:
        UserError: If two nodes have one name, if a node's exact result needs more than 53 bits, if a node cannot read
            the words that it is given, or if the output is the average of words that are no power of two in number;
            names the layer.
    """

    nodes: tuple[Node, ...]
    words: Mapping[str, Word] = field(init=False)

    def __post_init__(self) -> None:
        words: dict[str, Word] = {}
        for node in self.nodes:
            if node.name in words:
                raise UserError(f"two layers are called '{node.name}'", "Rename one of them")
            words[node.name] = word_of(node, words)
        last = self.nodes[-1].name
        if words[last].divisor != 1:
            raise undivided(last, words[last].divisor)
        object.__setattr__(self, "words", words)

    @property
    def input(self) -> Input:
        """The input node."""
        first = self.nodes[0]
        assert isinstance(first, Input)
        return first

    @property
    def output(self) -> Node:
        """The last node: the score."""
        return self.nodes[-1]

    def type(self, name: str) -> FixedPoint:
        """The type of a node's output."""
        return self.words[name].type

    def consumers(self, name: str) -> tuple[Node, ...]:
        """The nodes that read a node."""
        return tuple(node for node in self.nodes if name in node.sources)

    def to_json(self) -> dict[str, Any]:
        """A JSON form that `from_json` reads back."""
        return {"nodes": [node_to_json(node) for node in self.nodes]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Network:
        """Reads what `to_json` wrote."""
        return cls(tuple(node_from_json(item) for item in data["nodes"]))
