"""What an RTL project says of itself to programs: the ports of its top level, its latency, its stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.rtl_pipeline import SUFFIXES, Language, Stage
from trigger_ad.run_directory import read_json, write_json

DESIGN_FILE: Final = "design.json"
_SCHEMA: Final = 1


@dataclass(frozen=True)
class RtlPort:
    """A port of words that are side by side, the first in the lowest bits.

    Args:
        name: Of the feature, or of the output.
        words: How many.
        width: Bits of each.
        signed: Whether they are in two's complement.
    """

    name: str
    words: int
    width: int
    signed: bool

    @property
    def bits(self) -> int:
        """Of the whole port."""
        return self.words * self.width


@dataclass(frozen=True)
class RtlDesign:
    """An RTL project.

    Args:
        top: The name of the top level.
        digest: Of the network.
        part: The device it is built for.
        clock_ns: The clock it was cut into stages for; assumed until a vendor's tool has met it.
        latency_cycles: Clocks from words to score.
        accept: How events are accepted, or None without an accept bit.
        ports: Of trigger words: the words of an event are those of all ports for object 0, then for object 1, ...
        output: Of the output words.
        stages: Of the pipeline.
        lut_estimate: Look-up tables, by alkaid's sum over its operations; None where an earlier version wrote it.
    """

    top: str
    digest: str
    part: str
    clock_ns: float
    latency_cycles: int
    accept: Accept | None
    ports: tuple[RtlPort, ...]
    output: RtlPort
    stages: tuple[Stage, ...]
    lut_estimate: int | None = None

    @property
    def inputs(self) -> int:
        """Trigger words of an event."""
        return sum(port.words for port in self.ports)

    @property
    def has_register(self) -> bool:
        """Whether the threshold is a port."""
        return self.accept is not None and self.accept.threshold == "register"

    def write(self, folder: Path) -> None:
        """Writes it into a project."""
        write_json(folder / DESIGN_FILE, {"schema": _SCHEMA} | asdict(self))

    @classmethod
    def read(cls, folder: Path) -> RtlDesign:
        """Reads it from a project.

        Raises:
            UserError: If the folder is no RTL project that this version knows.
        """
        path = folder / DESIGN_FILE
        if not path.is_file():
            raise UserError(f"{folder} is no RTL project: it has no {DESIGN_FILE}", remedy(folder))
        found = read_json(path)
        try:
            return cls._of(found)
        except (KeyError, TypeError):
            raise UserError(f"{path} is in another form than this version writes", remedy(folder)) from None

    @classmethod
    def _of(cls, found: dict[str, Any]) -> RtlDesign:
        if found.pop("schema") != _SCHEMA:
            raise KeyError("schema")
        return cls(
            **found
            | {
                "accept": None if found["accept"] is None else Accept(**found["accept"]),
                "ports": tuple(RtlPort(**port) for port in found["ports"]),
                "output": RtlPort(**found["output"]),
                "stages": tuple(Stage(**stage) for stage in found["stages"]),
            }
        )


def sources(folder: Path, language: Language = "verilog") -> list[Path]:
    """The files of a project in a language, without its test bench.

    Raises:
        UserError: If there are none.
    """
    found = sorted((folder / language).glob(f"*.{SUFFIXES[language]}"))
    if not found:
        raise UserError(f"{folder} has no files in the folder {language}", remedy(folder))
    return found


def remedy(folder: Path) -> str:
    """What helps against a project that is not whole."""
    return f"Delete the folder {folder} and run 'convert'"
