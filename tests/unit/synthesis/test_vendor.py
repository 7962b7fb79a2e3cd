"""Vendors' tools are found on PATH or where the configuration says, in versions whose reports are known."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.vendor_tools import FakeTools

from trigger_ad.config import VendorToolName
from trigger_ad.errors import UserError
from trigger_ad.synthesis.vendor import SUPPORTED, find_vendor_tool, programs_of, release_text


@pytest.mark.parametrize("name", list(SUPPORTED))
@pytest.mark.parametrize("end", [0, 1])
def test_the_first_and_the_last_release_are_supported(tools: FakeTools, name: VendorToolName, end: int) -> None:
    version = release_text(SUPPORTED[name][end])
    path = tools.install(name, version)
    tool = find_vendor_tool((name,), {})
    assert tool is not None
    assert (tool.path, tool.version, str(tool)) == (path, version, f"{name} {version}")


def test_an_update_of_a_release_is_that_release(tools: FakeTools) -> None:
    tools.install("vivado", "2024.1.2")
    tool = find_vendor_tool(("vivado",), {})
    assert tool is not None
    assert tool.release == (2024, 1)


@pytest.mark.parametrize(
    ("name", "version", "supported"),
    [
        ("vivado_hls", "2018.3", "2019.2 to 2020.1"),
        ("vitis_hls", "2025.1", "2020.2 to 2024.2"),
        ("vitis-run", "2025.2", "2023.1 to 2024.2"),
        ("vivado", "2019.1", "2019.2 to 2025.2"),
        ("vivado", "2026.1", "2019.2 to 2025.2"),
    ],
)
def test_another_release_is_refused_by_name(
    tools: FakeTools, name: VendorToolName, version: str, supported: str
) -> None:
    tools.install(name, version)
    with pytest.raises(UserError) as error:
        find_vendor_tool((name,), {})
    assert error.value.what.startswith(f"{name} {version} (")
    assert f"Use {supported}, the structure of whose reports is known" in error.value.remedy


def test_nothing_installed_is_none(tools: FakeTools) -> None:
    assert find_vendor_tool(programs_of("vitis", "csynth"), {}) is None


def test_vitis_hls_comes_before_vitis_run(tools: FakeTools) -> None:
    tools.install("vitis-run")
    run = find_vendor_tool(programs_of("vitis", "cosim"), {})
    tools.install("vitis_hls")
    hls = find_vendor_tool(programs_of("vitis", "cosim"), {})
    assert [tool and tool.name for tool in (run, hls)] == ["vitis-run", "vitis_hls"]


def test_the_configuration_comes_before_path(tools: FakeTools, tmp_path: Path) -> None:
    tools.install("vitis_hls")
    elsewhere = FakeTools(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    path = elsewhere.install("vitis-run", "2023.2")
    tool = find_vendor_tool(programs_of("vitis", "csynth"), {"vitis-run": str(path)})
    assert tool is not None
    assert (tool.path, tool.version) == (path, "2023.2")


def test_a_configured_path_that_is_no_program_is_not_replaced_silently(tools: FakeTools, tmp_path: Path) -> None:
    tools.install("vivado")
    with pytest.raises(UserError, match=r"synthesis\.tools\.vivado: .*nowhere/vivado is no program"):
        find_vendor_tool(("vivado",), {"vivado": str(tmp_path / "nowhere" / "vivado")})


def test_a_tool_that_does_not_start_is_named(tools: FakeTools) -> None:
    (tools.folder / "vivado").write_text("#!/bin/sh\nexit 3\n")
    (tools.folder / "vivado").chmod(0o755)
    with pytest.raises(UserError, match="does not say which version of vivado it is: ended with status 3"):
        find_vendor_tool(("vivado",), {})


@pytest.mark.parametrize(
    ("back_end", "step", "names"),
    [
        ("vitis", "csynth", ("vitis_hls", "vitis-run")),
        ("vivado", "cosim", ("vivado_hls",)),
        ("vivado", "synth", ("vivado",)),
        ("rtl", "implement", ("vivado",)),
    ],
)
def test_each_step_has_its_programs(back_end: str, step: str, names: tuple[str, ...]) -> None:
    assert programs_of(back_end, step) == names  # type: ignore[arg-type]
