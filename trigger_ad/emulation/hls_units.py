"""The layers of an HLS project one by one: what stands in its source between a shown layer and those that it reads.

hls4ml writes a network as one function: declarations of arrays or streams, then one call for each layer. Copies of that
function that hold the calls of a single layer alone take the codes of what it reads from outside. They are cut out of
the project's own source, so what is driven is what is synthesised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trigger_ad.firmware.hls_types import hls_layer_name, shown_nodes
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Node
from trigger_ad.templating import render

ENTRY: Final = "project_main"
"""What the project's own `main` is compiled as."""

_PARAMETERS: Final = re.compile(r"^void \w+\(\n(?P<list>[^{]*?)\n\) \{", re.MULTILINE)
_ARRAY: Final = re.compile(r"^\s*(?P<type>\w+) (?P<name>\w+)\[(?P<size>[\d*]+)\](?=[;,\n]|$)", re.MULTILINE)
_STREAM: Final = re.compile(r"^\s*hls::stream<(?P<type>\w+)> &?(?P<name>\w+)", re.MULTILINE)
_ALIAS: Final = re.compile(r"^\s*auto& (?P<name>\w+) = (?P<of>\w+);", re.MULTILINE)
_CALL: Final = re.compile(r"^\s*nnet::(?P<call>\w+<[^>]*>\((?P<arguments>[^)]*)\)); // (?P<layer>\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """One shown layer, and the statements that compute it from what it reads.

    Args:
        node: The layer's node.
        sources: The nodes whose words it is given, each once.
        declarations: Of the variables.
        filled: The variable and the number of words of each source.
        statements: In order.
        result: The variable and the number of words of the layer.
        streams: Every variable that is a stream.
    """

    node: str
    sources: tuple[str, ...]
    declarations: tuple[str, ...]
    filled: tuple[tuple[str, int], ...]
    statements: tuple[str, ...]
    result: tuple[str, int]
    streams: tuple[str, ...]


@dataclass(frozen=True)
class _Statement:
    """A call, or a second name, with the variables that it reads and gives."""

    text: str
    reads: tuple[str, ...]
    gives: tuple[str, ...]


def layer_units(source: Path, network: Network) -> list[Unit]:
    """The units of the shown layers; one that the source does not compute has none.

    Args:
        source: The file in which hls4ml wrote the network.
        network: The frozen network.
    """
    function = _Function(source.read_text(encoding="utf-8"))
    variables = {function.input: network.input.name}
    units = []
    for node in driven_nodes(network):
        with suppress(KeyError):
            result = function.result_of(hls_layer_name(node, network))
            units.append(function.unit(node.name, result, variables, network))
            variables[result] = node.name
    return units


def driven_nodes(network: Network) -> list[Node]:
    """The nodes whose layers can be driven alone: those that HLS shows, each layer of HLS once."""
    layers: dict[str, Node] = {}
    for node in shown_nodes(network):
        layers.setdefault(hls_layer_name(node, network), node)
    return [node for node in layers.values() if node is not network.input]


def driver(units: list[Unit]) -> str:
    """C++ that goes after the network's source: a `main` that runs units, or else the project's own test bench."""
    return render("trigger_ad.emulation", "layer_driver.cpp.j2", {"units": units, "entry": ENTRY})


class _Function:
    """What hls4ml wrote, taken apart."""

    def __init__(self, text: str) -> None:
        found = _PARAMETERS.search(text)
        parameters, body = (found["list"], text[found.end() :]) if found else ("", "")
        self.declared: dict[str, str] = {}
        self.streams: set[str] = set()
        for part in (parameters, body):
            for match in _ARRAY.finditer(part):
                self.declared[match["name"]] = f"{match['type']} {match['name']}[{match['size']}]"
            for match in _STREAM.finditer(part):
                self.declared[match["name"]] = f'hls::stream<{match["type"]}> {match["name"]}("{match["name"]}")'
                self.streams.add(match["name"])
        self.input = next(iter(self.declared), "")
        self._layers: dict[str, _Statement] = {}
        self._givers: dict[str, _Statement] = {}
        self._order: list[_Statement] = []
        for statement, layer in self._statements(body):
            self._order.append(statement)
            self._givers |= dict.fromkeys(statement.gives, statement)
            if layer:
                self._layers[layer] = statement

    def _statements(self, body: str) -> Iterator[tuple[_Statement, str | None]]:
        """Second names first, as in the source, where they stand among the declarations."""
        given = {self.input}
        for match in _ALIAS.finditer(body):
            given.add(match["name"])
            yield _Statement(f"auto &{match['name']} = {match['of']}", (match["of"],), (match["name"],)), None
        aliases = set(given)
        for match in _CALL.finditer(body):
            arguments = [item.strip() for item in match["arguments"].split(",")]
            variables = [item for item in arguments if item in self.declared or item in aliases]
            reads = tuple(item for item in variables if item in given)
            gives = tuple(item for item in variables if item not in given)
            given |= set(gives)
            yield _Statement(f"nnet::{match['call']}", reads, gives), match["layer"]

    def result_of(self, layer: str) -> str:
        """The variable that holds what a layer gives; a layer whose inputs nothing gives seems to give them too."""
        variables = self._layers[layer].gives
        if len(variables) != 1:
            raise KeyError(layer)
        return variables[0]

    def unit(self, node: str, result: str, known: dict[str, str], network: Network) -> Unit:
        """What computes a variable from those that are known."""
        needed: list[_Statement] = []
        filled: dict[str, str] = {}
        waiting = [result]
        while waiting:
            variable = waiting.pop()
            if variable in known:
                filled[variable] = known[variable]
                continue
            statement = self._givers[variable]
            if statement not in needed:
                needed.append(statement)
                waiting += statement.reads
        ordered = [statement for statement in self._order if statement in needed]
        used = {name for statement in ordered for name in (*statement.reads, *statement.gives)}
        declared = [name for name in self.declared if name in used]
        return Unit(
            node=node,
            sources=tuple(filled.values()),
            declarations=tuple(self.declared[name] for name in declared),
            filled=tuple((variable, network.words[source].size) for variable, source in filled.items()),
            statements=tuple(statement.text for statement in ordered),
            result=(result, network.words[node].size),
            streams=tuple(name for name in declared if name in self.streams),
        )
