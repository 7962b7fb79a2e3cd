"""Writes the table of docs/hardware.md that holds the estimate against what others have published.

    python docs/refresh_estimates.py

The published figures, each with its source, are in docs/published.json. None of their trained weights is published
with them, so that kernels are drawn: normal ones of the widths given there, with five seeds each, of which the table
gives the range.
"""

from __future__ import annotations

import json
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pages import ROOT, between

from trigger_ad.synthesis.estimates import LayerWork, ProjectEstimate, estimate_project

PAGE = ROOT / "docs" / "hardware.md"
DATA = ROOT / "docs" / "published.json"
SEEDS: Final = range(5)

Entry = dict[str, Any]


def kernel(
    shape: tuple[int, int], weights: Entry, sigma: float | str, random: np.random.Generator
) -> NDArray[np.int64]:
    """A drawn kernel as integers; `he_normal` is that of Keras, cut off at two standard deviations."""
    values = random.normal(0, 1, shape)
    if sigma == "he_normal":
        while (far := np.abs(values) > 2).any():
            values[far] = random.normal(0, 1, int(far.sum()))
        # the width of a normal distribution once it is cut off
        values *= np.sqrt(2 / shape[0]) / 0.87962566103423978
    else:
        values *= float(sigma)
    end = 1 << (weights["bits"] - 1)
    codes = np.clip(np.rint(values * 2 ** weights["fraction"]), -end, end - 1).astype(np.int64)
    codes[random.random(shape) < weights["zeros"]] = 0
    return codes


def estimated(item: Entry, sigma: float | str, input_bits: int, seed: int) -> ProjectEstimate:
    """The estimate of a published design with drawn weights."""
    random = np.random.default_rng(seed)
    layers: list[LayerWork] = []
    bits, sum_bits = input_bits, item["accumulator_bits"]
    factors = item["reuse_factors"] or [1] * len(item["layers"])
    for number, ((inputs, outputs), factor) in enumerate(zip(item["layers"], factors, strict=True)):
        codes = kernel((inputs, outputs), item["weights"], sigma, random)
        layers.append(
            LayerWork(f"dense_{number}", "dense", bits, sum_bits, codes, sum_bits, outputs, reuse_factor=factor)
        )
        if item["activation_bits"] is not None and number < len(item["layers"]) - 1:
            bits = item["activation_bits"]
            layers.append(LayerWork(f"activation_{number}", "activation", sum_bits, bits, None, sum_bits, outputs))
    settings = {key: item[key] for key in ("strategy", "clock_ns", "part", "back_end")}
    return estimate_project(layers, reuse_factor=1, io_type="io_parallel", **settings)


def rows(item: Entry) -> list[str]:
    """A published design's rows: one for each figure."""
    sizes = [size for before, after in pairwise(item["layers"]) if before[1] != after[0] for size in before]
    if sizes:
        raise ValueError(f"the layers of '{item['design']}' do not follow one another")
    ways = product(item["weights"]["sigmas"], item["input_bits"], SEEDS)
    estimates = [estimated(item, sigma, bits, seed) for sigma, bits, seed in ways]
    link = f"[{item['tool']}]({item['source']})" if " " not in item["source"] else f"{item['tool']} ({item['source']})"
    lines = []
    for number, (quantity, published) in enumerate(item["published"]):
        key = {"LUT": "lut", "DSP": "dsp"}.get(quantity.partition(",")[0], "latency_cycles")
        values = sorted({int(getattr(estimate, key)) for estimate in estimates})
        design = (
            f"{item['design']}; {link}, {item['part'].partition('-')[0]}, {item['clock_ns']:g} ns" if not number else ""
        )
        lines.append(
            f"| {design} | {quantity} | {published:,} | {_range([f'{value:,}' for value in values])} "
            f"| {_error(values, published)} |"
        )
    return lines


def _error(values: list[int], published: int) -> str:
    if published == 0:
        return "-" if values == [0] else "not in %"
    return _range([f"{value / published - 1:+.0%}" for value in values])


def _range(texts: list[str]) -> str:
    return " to ".join(dict.fromkeys((texts[0], texts[-1])))


def table(data: list[Entry]) -> str:
    """Published figures, the estimate of each, and how far it is off."""
    head = ["| design, source | quantity | published | this estimate | error |", "| --- | --- | ---: | ---: | ---: |"]
    return "\n".join([*head, *(line for item in data for line in rows(item))]) + "\n"


def with_table(page: str, data: list[Entry]) -> str:
    """The page with the table of the data."""
    return between(page, "published", table(data))


def main() -> None:
    """Writes the page."""
    data: list[Entry] = json.loads(DATA.read_text(encoding="utf-8"))
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), data), encoding="utf-8")


if __name__ == "__main__":
    main()
