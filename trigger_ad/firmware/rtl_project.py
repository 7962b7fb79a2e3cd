"""The RTL project as it is handed over: Verilog, VHDL, constraints, build, test bench, vectors, README."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.plain_encoding import input_encoding
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.hls import top_function
from trigger_ad.firmware.project import Vectors, write_vectors
from trigger_ad.firmware.rendering import render
from trigger_ad.firmware.rtl import traced
from trigger_ad.firmware.rtl_design import RtlDesign, RtlPort
from trigger_ad.firmware.rtl_pipeline import (
    DELAY_UNITS_PER_NS,
    LANGUAGES,
    Pipeline,
    Stage,
    comparison_delay,
    pipelined,
    sources,
)
from trigger_ad.firmware.top import require_threshold
from trigger_ad.firmware.vendor_files import write_vendor_files
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.digest import network_digest
from trigger_ad.network.graph import Network


def write_rtl_project(
    network: Network, config: Config, accept: Accept | None, vectors: Vectors, folder: Path
) -> RtlDesign:
    """Writes the RTL project of a network behind its encoding.

    Args:
        network: The frozen network.
        config: The run's configuration.
        accept: How events are accepted, by the network's only output word; None for no accept bit.
        vectors: Go into the project with the words expected for them.
        folder: Where to; must not exist.

    Returns:
        What was written, its latency in clocks included.

    Raises:
        ValueError: If the threshold is no code of the score, or there are several output words.
        UserError: If the network cannot be written exactly, or its output is always the same; names the layer.
    """
    encoding = input_encoding(config)
    program = traced(network, encoding)
    require_threshold(network, accept)
    output = network.words[network.output.name]
    if (output.low == output.high).all():
        raise UserError(f"layer '{network.output.name}' gives the same for every event", "Train the model again")
    pipeline = pipelined(program, config.firmware.clock_ns)
    design = RtlDesign(
        top=top_function(config.name),
        digest=network_digest(network),
        part=config.firmware.part,
        clock_ns=config.firmware.clock_ns,
        latency_cycles=pipeline.latency_cycles,
        accept=accept,
        ports=_ports(encoding),
        output=RtlPort("score", output.size, output.type.width, output.type.signed),
        stages=_stages(pipeline, accept, output.type.width),
        lut_estimate=pipeline.lut_estimate,
    )
    _write(design, pipeline, output.type, config, vectors, folder)
    return design


def _stages(pipeline: Pipeline, accept: Accept | None, width: int) -> tuple[Stage, ...]:
    """Those of the pipeline; where there is an accept bit, with the comparison that the top level adds to the last."""
    *others, last = pipeline.stages
    if accept is not None:
        last = replace(last, delay=last.delay + comparison_delay(width))
    return (*others, last)


def _ports(encoding: InputEncoding) -> tuple[RtlPort, ...]:
    objects = encoding.layout.objects
    return tuple(
        RtlPort(feature.name, objects, feature.word.width, feature.word.signed) for feature in encoding.features
    )


def _write(
    design: RtlDesign, pipeline: Pipeline, kind: FixedPoint, config: Config, vectors: Vectors, folder: Path
) -> None:
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True)
        for name, text in sources(pipeline, f"{design.top}_pipeline", language).items():
            (folder / language / name).write_text(text, encoding="utf-8")
    facts = _facts(design, pipeline, kind) | {
        "name": config.name,
        "own_model": config.own_model,
        "vectors": vectors.words,
    }
    for template, target in (
        ("rtl_top.v.j2", f"verilog/{design.top}.v"),
        ("rtl_top.vhd.j2", f"vhdl/{design.top}.vhd"),
        ("rtl_test_bench.v.j2", f"{design.top}_test.v"),
        ("rtl_readme.md.j2", "README.md"),
    ):
        (folder / target).write_text(render(template, facts), encoding="utf-8")
    write_vendor_files(facts, folder, is_hls=False)
    write_vectors(folder / "tb_data", vectors)
    design.write(folder)


def _facts(design: RtlDesign, pipeline: Pipeline, kind: FixedPoint) -> dict[str, Any]:
    return {
        "top": design.top,
        "digest": design.digest,
        "digest_bits": 4 * len(design.digest),
        "part": design.part,
        "clock_ns": design.clock_ns,
        "latency_cycles": design.latency_cycles,
        "clocked": pipeline.clocked,
        "accepts": design.accept is not None,
        "has_register": design.has_register,
        "threshold": design.accept.code if design.accept else None,
        "threshold_bits": _bits(design.accept, kind),
        "ports": design.ports,
        "objects": design.ports[0].words,
        "inputs": design.inputs,
        "output": design.output,
        "output_type": kind,
        "stages": design.stages,
        "units_per_ns": DELAY_UNITS_PER_NS,
        "input_slices": _input_slices(design.ports, pipeline),
        "pipeline_inputs": sum(bits for _, bits in pipeline.input_bits),
        "output_pieces": _output_pieces(design.output.width, kind.fraction, pipeline),
        "pipeline_outputs": sum(bits for *_, bits in pipeline.output_bits),
    }


def _bits(accept: Accept | None, kind: FixedPoint) -> str | None:
    """A threshold in two's complement: the smallest code has no positive counterpart that could be negated."""
    return None if accept is None else f"{accept.code % (1 << kind.width):0{kind.width}b}"


def _input_slices(ports: tuple[RtlPort, ...], pipeline: Pipeline) -> list[dict[str, Any]]:
    """Which bits of which port the pipeline takes, by the place where it takes them."""
    slices, at = [], 0
    for index, (lowest, bits) in enumerate(pipeline.input_bits):
        item, port = divmod(index, len(ports))
        start = item * ports[port].width + lowest
        if bits:
            place = {"low": at, "high": at + bits - 1, "port_low": start, "port_high": start + bits - 1}
            slices.append({"port": ports[port].name, **place})
        at += bits
    return slices


def _output_pieces(width: int, fraction: int, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Each output word in all bits of its type: the pipeline leaves out those that are always the same.

    Returns:
        For each run of bits of the words side by side `low` and `high`, and the `source` bit of the pipeline's results
        at which it begins, or which is `repeated`; None for zeros.
    """
    pieces, at = [], 0
    for index, (signed, own_fraction, bits) in enumerate(pipeline.output_bits):
        zeros = fraction - own_fraction if bits else width
        sign = at + bits - 1 if signed and bits else None
        low = index * width
        for source, repeated, length in (
            (None, False, zeros),
            (at, False, bits),
            (sign, True, width - zeros - bits),
        ):
            if length:
                pieces.append({"low": low, "high": low + length - 1, "source": source, "repeated": repeated})
            low += length
        at += bits
    return pieces
