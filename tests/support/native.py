"""Libraries of small networks, compiled fast rather than fast to run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from support.runs import encoding_of

from trigger_ad.config import Config
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.native.build import REQUIRED_FLAGS, build_library
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, LibrarySource, library_source
from trigger_ad.network.graph import Network
from trigger_ad.tools import require_compiler

FAST = ("-O1",)
SMALL = LibraryNames("small")


def compiled(
    network: Network,
    encoding: InputEncoding,
    folder: Path,
    names: LibraryNames = SMALL,
    flags: tuple[str, ...] = FAST,
) -> NativeEmulator:
    """Compiles and loads the library of a network."""
    source = library_source(network, encoding, names)
    library = folder / f"{names.namespace}.so"
    build_library(source, library, flags)
    return NativeEmulator(library, source)


def encoding_for(kind: FixedPoint, objects: int) -> InputEncoding:
    """An encoding of one feature, pT, whose codes are of a type: the first object's word may be anything."""
    layout = {"objects": [{"name": "jet", "count": objects}], "features": ("pt", "eta", "phi")}
    config = Config.model_validate(
        {
            "name": "small",
            "events": {"background": "background.h5", "signals": {"signal": "signal.h5"}, "layout": layout},
            "inputs": {
                "pt": {"lsb": 0.5, "width": kind.width, "shift": kind.fraction, "offset": -kind.code_min},
                "eta": None,
                "phi": None,
            },
            "training": {"augmentation": 1},
        }
    )
    return encoding_of(config)


def random_words(encoding: InputEncoding, events: int, seed: int = 1) -> Codes:
    """Trigger words over their whole range, many at its ends, some objects absent."""
    random = np.random.default_rng(seed)
    shape = (events, encoding.layout.objects)
    columns = []
    for feature in encoding.features:
        low, high = feature.word.code_min, feature.word.code_max
        ends = np.where(random.random(shape) < 0.5, low, high)
        columns.append(np.where(random.random(shape) < 0.4, ends, random.integers(low, high + 1, shape)))
    columns[0] = np.where(random.random(shape) < 0.2, 0, columns[0])
    return np.stack(columns, axis=-1).reshape(events, encoding.inputs)


def compiled_together(sources: list[LibrarySource], library: Path, flags: tuple[str, ...] = FAST) -> None:
    """Links several libraries into one, every name of each beside those of the others."""
    for source in sources:
        source.write(library.parent)
    names = [source.code_name for source in sources]
    command = [str(require_compiler()), *REQUIRED_FLAGS, *flags, "-o", str(library), *names]
    subprocess.run(command, cwd=library.parent, check=True)
