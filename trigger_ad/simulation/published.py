"""Published distributions of the ADC2021 files, and how simulated events compare with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trigger_ad.events import layout, sample, writer

Events = npt.NDArray[np.float64]

JETS_MEAN: Final = "jets per event, mean"
JETS_WITH_ELECTRONS: Final = "jets per event if electrons were jets too, mean"
JETS_SD: Final = "jets per event, standard deviation"
MET_MEAN: Final = "MET, mean, GeV"
MET_QUARTILES: Final = ("MET, lower quartile, GeV", "MET, median, GeV", "MET, upper quartile, GeV")
SMALLEST: Final = {
    f"smallest {item.name} pT, GeV": item.slots for item in layout.ADC2021.classes if item.name in layout.SMALLEST_PT
}

_OCCUPANCIES = {
    "electron": (layout.ELECTRONS, (0.545, 0.041, 0.0008)),
    "muon": (layout.MUONS, (0.477, 0.032, 0.0006)),
    "jet": (layout.JETS, (0.622, 0.325, 0.141, 0.053, 0.018, 0.006)),
}

AIMS: Final[Mapping[str, float]] = {
    "electron slot 1, occupancy": 0.10,
    "muon slot 1, occupancy": 0.10,
    "jet slot 1, occupancy": 0.10,
    JETS_MEAN: 0.15,
    **dict.fromkeys(MET_QUARTILES, 0.05),
}
"""How far from one the ratio of simulated to published may be, where something is aimed at."""

PUBLISHED: Final[Mapping[str, Mapping[str, float]]] = {
    "background": {
        **{
            f"{name} slot {number}, occupancy": value
            for name, (_, values) in _OCCUPANCIES.items()
            for number, value in enumerate(values, start=1)
        },
        JETS_MEAN: 1.17,
        JETS_WITH_ELECTRONS: 1.17,
        JETS_SD: 1.25,
        MET_MEAN: 35.2,
        **dict(zip(MET_QUARTILES, (19.9, 32.7, 46.3), strict=True)),
        **{f"smallest {name} pT, GeV": value for name, value in layout.SMALLEST_PT.items()},
    },
    "ato4l": {JETS_MEAN: 2.72, JETS_WITH_ELECTRONS: 2.72, MET_MEAN: 27.9},
    "leptoquark": {JETS_MEAN: 3.24, JETS_WITH_ELECTRONS: 3.24, MET_MEAN: 43.1},
    "htotautau": {JETS_MEAN: 2.48, JETS_WITH_ELECTRONS: 2.48, MET_MEAN: 52.7},
    "hchtotaunu": {
        JETS_MEAN: 3.44,
        JETS_WITH_ELECTRONS: 3.44,
        MET_MEAN: 93.7,
        **dict(zip(MET_QUARTILES, (48.0, 78.0, 119.0), strict=True)),
    },
}
"""For each file the quantities known of the public one (arXiv:2107.02157 and public studies of the files)."""


@dataclass(frozen=True)
class Comparison:
    """One quantity of one file.

    Attributes:
        file: A key of `PUBLISHED`.
        quantity: What is compared, with its unit.
        published: Its value in the public file.
        simulated: Its value in the simulated events, or None where they hold no such object.
    """

    file: str
    quantity: str
    published: float
    simulated: float | None

    @property
    def ratio(self) -> float | None:
        """Simulated over published, or None where there is nothing simulated."""
        return None if self.simulated is None else self.simulated / self.published

    @property
    def within_aim(self) -> bool | None:
        """Whether the ratio is as close to one as it should be, or None where nothing is aimed at."""
        aim = AIMS.get(self.quantity)
        return None if aim is None else self.ratio is not None and abs(self.ratio - 1) <= aim


def quantities(events: Events) -> dict[str, float | None]:
    """All quantities that `PUBLISHED` may name.

    Args:
        events: (n, 19, 4) with n at least 1.
    """
    pt = events[:, :, layout.PT]
    present = pt > 0
    jets = present[:, layout.JETS].sum(axis=1)
    met = pt[:, layout.MET.start]
    found: dict[str, float | None] = {
        f"{name} slot {number + 1}, occupancy": float(present[:, slots.start + number].mean())
        for name, (slots, values) in _OCCUPANCIES.items()
        for number in range(len(values))
    }
    electrons = (pt[:, layout.ELECTRONS] > layout.SMALLEST_PT["jet"]).sum(axis=1)
    found |= {JETS_MEAN: float(jets.mean()), JETS_WITH_ELECTRONS: float((jets + electrons).mean())}
    found |= {JETS_SD: float(jets.std()), MET_MEAN: float(met.mean())}
    found |= dict(zip(MET_QUARTILES, np.percentile(met, [25, 50, 75]).tolist(), strict=True))
    for quantity, slots in SMALLEST.items():
        values = pt[:, slots][present[:, slots]]
        found[quantity] = float(values.min()) if len(values) else None
    return found


def compare(file: str, events: Events) -> list[Comparison]:
    """Compares events with what is published of one file.

    Args:
        file: A key of `PUBLISHED`.
        events: (n, 19, 4) with n at least 1.
    """
    found = quantities(events)
    return [Comparison(file, quantity, value, found[quantity]) for quantity, value in PUBLISHED[file].items()]


def markdown(comparisons: Iterable[Comparison]) -> str:
    """The comparisons as a table in Markdown, ending in a line break."""
    lines = [
        "| file | quantity | published | simulated | ratio | aim |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in comparisons:
        simulated = "none" if row.simulated is None else f"{row.simulated:.4g}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.file} | {row.quantity} | {row.published:g} | {simulated} | {ratio} | {_aim(row)} |")
    return "\n".join(lines) + "\n"


def _aim(row: Comparison) -> str:
    if row.within_aim is None:
        return ""
    return f"{AIMS[row.quantity]:.0%}: {'met' if row.within_aim else '**missed**'}"


def sample_table() -> str:
    """The shipped sample against the public files: the table of docs/simulation.md.

    Raises:
        UserError: The sample is not installed.
    """
    shipped = sample.sample_paths()
    comparisons: list[Comparison] = []
    for file, paths in shipped.samples.items():
        events = np.concatenate([writer.read_events(path)[0] for path in paths])
        comparisons += compare(file, events)
    return markdown(comparisons)
