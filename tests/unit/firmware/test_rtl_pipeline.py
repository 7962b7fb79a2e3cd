"""A program in stages: how many a clock needs, and modules whose names are nobody else's."""

from __future__ import annotations

import re

import pytest
from support.runs import encoding_of, small_config, small_network

from trigger_ad.firmware.rtl import traced
from trigger_ad.firmware.rtl_pipeline import Language, pipelined, sources

NETWORK = small_network()
PROGRAM = traced(NETWORK, encoding_of(small_config(NETWORK)))


def test_a_slower_clock_needs_fewer_stages() -> None:
    cycles = [pipelined(PROGRAM, clock).latency_cycles for clock in (2.5, 5.0, 10.0, 1000.0)]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[0] > cycles[1] > cycles[-1] == 1


def test_the_stages_are_those_of_the_design() -> None:
    pipeline = pipelined(PROGRAM, 5.0)
    stages = pipeline.stages
    assert len(stages) == pipeline.latency_cycles
    assert stages[0].register_bits == sum(bits for _, bits in pipeline.input_bits)
    assert all(stage.delay > 0 and stage.register_bits > 0 and stage.operations > 0 for stage in stages)
    text = sources(pipeline, "pipe", "verilog")["pipe.v"]
    registers = [int(high) + 1 for high in re.findall(r"^ *reg \[(\d+):0\]", text, re.MULTILINE)]
    assert registers == [stage.register_bits for stage in stages[1:]]


def test_a_single_stage_has_no_clock() -> None:
    pipeline = pipelined(PROGRAM, 1000.0)
    assert not pipeline.clocked
    assert "clk" not in sources(pipeline, "pipe", "verilog")["pipe.v"]


@pytest.mark.parametrize(
    ("language", "suffix", "defined", "used"),
    [
        ("verilog", "v", r"^module (\w+)", r"^ *(?:wire \[.*\] \w+; )?(\w+) (?:#\(.*\) )?_?(?:op|inst)_\w+ \("),
        ("vhdl", "vhd", r"^entity (\w+) is", r"entity work\.(\w+)"),
    ],
)
def test_every_module_has_the_prefix_and_is_defined_before_it_is_used(
    language: Language, suffix: str, defined: str, used: str
) -> None:
    known: set[str] = set()
    uses = 0
    for name, text in sources(pipelined(PROGRAM, 5.0), "pipe", language).items():
        assert name.endswith(f".{suffix}")
        known |= set(re.findall(defined, text, re.MULTILINE))
        found = re.findall(used, text, re.MULTILINE)
        assert set(found) <= known
        uses += len(found)
    assert uses > 50
    assert all(name == "pipe" or name.startswith("pipe_") for name in known)
