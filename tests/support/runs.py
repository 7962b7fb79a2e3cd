"""Small networks, HLS projects, and studies of a few events: everything that a run needs, in little time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from support.events import make_particles, write_events

from trigger_ad.config import BackEnd, Config, ThresholdKind
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import EventLayout
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.project import Vectors, write_project
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Elementwise, Input, Node, Quantize
from trigger_ad.network.vectors import corner_vectors

SIGNALS = ("heavy", "heavier")
LAYERS = ("encoder_1", "latent", "decoder_1", "reconstruction")
WIDTHS = (6, 4, 2, 4, 6)


@dataclass(frozen=True)
class Types:
    """The types of a small autoencoder's words."""

    input: str = "fixed<8,3>"
    weight: str = "fixed<7,1>"
    bias: str | None = "fixed<6,0>"
    activation: str = "ufixed<6,2,RND_CONV,SAT>"
    linear: str = "fixed<7,3,RND_CONV,SAT>"


def small_network(types: Types = Types(), seed: int = 1) -> Network:
    """An autoencoder 6-4-2-4-6 with its score, of random weights that reach both ends of their type."""
    random = np.random.default_rng(seed)
    nodes: list[Node] = [Input("inputs", (WIDTHS[0],), FixedPoint.parse(types.input))]
    for name, inputs, units in zip(LAYERS, WIDTHS, WIDTHS[1:], strict=False):
        kernel = _constant(types.weight, (inputs, units), random)
        bias = None if types.bias is None else _constant(types.bias, (units,), random)
        relu = name in ("encoder_1", "decoder_1")
        kind = FixedPoint.parse(types.activation if relu else types.linear)
        dense = Dense(name, nodes[-1].name, kernel, bias)
        nodes += [dense, Quantize(f"{name}_output", name, kind, "relu" if relu else "linear")]
    ones = Constant.narrowest(np.ones((WIDTHS[-1], 1), dtype=np.int64), 0)
    nodes += [
        Elementwise("difference", "inputs", nodes[-1].name, "subtract"),
        Elementwise("square", "difference", "difference", "multiply"),
        Dense("score", "square", ones, None),
    ]
    return Network(tuple(nodes))


def _constant(text: str, shape: tuple[int, ...], random: np.random.Generator) -> Constant:
    kind = FixedPoint.parse(text)
    codes = random.integers(kind.code_min, kind.code_max + 1, shape)
    # both ends of the type, so that it is the narrowest that holds them
    codes.flat[:2] = kind.code_min, kind.code_max
    return Constant(codes, kind)


def small_config(network: Network, **firmware: Any) -> Config:
    """A configuration whose two objects of three features become the inputs of a small network, code for code."""
    kind = network.input.type
    feature = {"lsb": 0.5, "width": kind.width, "shift": kind.fraction}
    angles = ("eta", "phi") if kind.signed else ("energy", "quality")
    others = dict.fromkeys(angles, feature)
    inputs = others if kind.signed else {"eta": None, "phi": None, "other": others}
    return Config.model_validate(
        {
            "name": "small",
            "events": _two_objects("pt", *angles),
            "inputs": {"pt": feature | {"offset": -kind.code_min}} | inputs,
            # nothing is trained; copies turned in phi would need a phi
            "training": {"augmentation": 1},
            "firmware": firmware,
        }
    )


def logarithmic_config(**firmware: Any) -> Config:
    """A configuration of two objects whose pT passes through a table; its network's inputs are fixed<10,4>."""
    pt = {"lsb": 0.5, "width": 10, "logarithm": 4, "offset": 0, "shift": 5}
    return Config.model_validate(
        {"name": "small", "events": _two_objects("pt", "eta", "phi"), "inputs": {"pt": pt}, "firmware": firmware}
    )


def _two_objects(*features: str) -> dict[str, Any]:
    layout = {"objects": [{"name": "met", "count": 1}, {"name": "jet", "count": 1}], "features": features}
    return {"background": "background.h5", "signals": {"signal": "signal.h5"}, "layout": layout}


def encoding_of(config: Config) -> InputEncoding:
    """What makes the inputs of a configuration's network."""
    return InputEncoding(config.inputs, EventLayout(config.layout))


def network_vectors(network: Network) -> Codes:
    """Corner vectors of `small_config`, and those that drive a unit of the first layer to the ends of its sums."""
    encoding = encoding_of(small_config(network))
    kind, first = network.input.type, network.nodes[1]
    assert isinstance(first, Dense)
    largest = np.where(first.kernel.codes.T > 0, kind.code_max, kind.code_min)
    smallest = np.where(first.kernel.codes.T > 0, kind.code_min, kind.code_max)
    ends = np.concatenate([largest, smallest])
    # the code of a pT word of 0 would be that of an absent object
    ends[:, ::3] = np.maximum(ends[:, ::3] - kind.code_min, 1)
    return np.concatenate([ends, *corners(encoding).values()])


def network_codes(network: Network) -> Codes:
    """What the firmware makes of `network_vectors`: the inputs of the network."""
    return encoding_of(small_config(network)).codes_of_words(network_vectors(network))


def corners(encoding: InputEncoding) -> dict[str, Codes]:
    """The corner vectors of an encoding."""
    return corner_vectors({item.name: item.word for item in encoding.features}, encoding.layout.objects, seed=1)


def write_small_project(
    network: Network,
    folder: Path,
    back_end: BackEnd = "vitis",
    words: Codes | None = None,
    config: Config | None = None,
    accept: Accept | None = None,
) -> Path:
    """Writes the HLS project of a network, with its vectors and the score words that the reference expects.

    The accept bit is that of `middle_threshold`, if nothing is said.
    """
    words = network_vectors(network) if words is None else words
    config = config or small_config(network)
    expected = evaluate(network, encoding_of(config).codes_of_words(words))[network.output.name]
    write_project(network, config, back_end, accept or middle_threshold(expected), Vectors(words, expected), folder)
    return folder


def middle_threshold(expected: Codes, kind: ThresholdKind = "constant") -> Accept | None:
    """The accept bit of a network of one output word, whose threshold is a word that half of the vectors are above."""
    if expected.shape[1] != 1:
        return None
    return Accept(kind, int(np.sort(expected[:, 0])[len(expected) // 2]))


STUDY: dict[str, Any] = {
    "name": "study",
    "events": {"background": "background.h5", "signals": {name: f"{name}.h5" for name in SIGNALS}},
    "model": {"hidden": [4], "latent": 2},
    "training": {"epochs": 2, "augmentation": 2},
    "quantization": {"qat": {"epochs": 2}},
    # RTL takes a minute to simulate and synthesize: `test_rtl_run.py` does, with a network that is smaller
    "firmware": {"flow": "hls"},
}


SMALLEST: dict[str, Any] = {
    "inputs": {"eta": None, "phi": None},
    "model": {
        "architecture": "student",
        "hidden": [4, 3],
        "teacher": {"architecture": "dense_autoencoder", "hidden": [4], "latent": 2},
    },
    "score": "network_output",
    "training": {"epochs": 2, "augmentation": 1},
    "quantization": {"score": 12, "qat": {"epochs": 1}},
    "firmware": {"flow": "both", "back_ends": ["vitis"]},
}
"""What makes a student 19-4-3-1 of the study: RTL of it is simulated and synthesized in seconds."""


def write_study(folder: Path, background: int = 1500, signal: int = 300, **changes: Any) -> Path:
    """Writes events files and the configuration of a small study into a folder; returns the configuration's path."""
    write_events(folder / "background.h5", make_particles(background, seed=1))
    for index, name in enumerate(SIGNALS):
        particles = make_particles(signal, seed=2 + index) * [1.5 + index, 1, 1, 1]
        write_events(folder / f"{name}.h5", particles, group_id=np.arange(signal) // 2)
    return write_config(folder / "study.yaml", **changes)


def write_config(path: Path, **changes: Any) -> Path:
    """Writes the study's configuration with changes, given by keys with `__` for each level."""
    path.write_text(yaml.safe_dump(changed(STUDY, changes)), encoding="utf-8")
    return path


def changed(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of nested mappings with changes, such as `firmware__clock_ns=3.0`."""
    result = dict(data)
    for key, value in changes.items():
        section, _, rest = key.partition("__")
        result[section] = changed(result.get(section, {}), {rest: value}) if rest else value
    return result


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code, standard output, and the lines on standard error."""

    code: int
    stdout: str
    stderr: list[str]

    @property
    def error(self) -> str:
        """The one line on standard error besides those that announce stages or say how they go."""
        announced = rf"|{'|'.join(STAGES)}|.*: [\d,]+ of [\d,]+ (epochs|events|files|vectors|steps)\b.*"
        (line,) = [line for line in self.stderr if not re.fullmatch(announced, line)]
        return line


Command = Callable[..., Outcome]
"""Takes the arguments as typed, without the program's name."""

STAGES = ("train", "quantize", "convert", "rtl", "emulate", "synthesize", "report")


def tree_digest(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder, by its relative path; folders are there too, ending in a slash."""
    return {
        child.relative_to(folder).as_posix() + "/" * child.is_dir(): (
            "" if child.is_dir() else hashlib.sha256(child.read_bytes()).hexdigest()
        )
        for child in folder.rglob("*")
    }
