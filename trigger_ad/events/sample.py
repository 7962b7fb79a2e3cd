"""The events that are shipped with the package: simulation by this project, not the public dataset."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from trigger_ad.errors import UserError
from trigger_ad.events.layout import SIGNALS


@dataclass(frozen=True)
class EventFiles:
    """The files that a study reads.

    Attributes:
        background: Files of background events.
        signals: Files of each signal, by its name.
    """

    background: tuple[Path, ...]
    signals: dict[str, tuple[Path, ...]]

    @property
    def samples(self) -> dict[str, tuple[Path, ...]]:
        """The files of every sample by its name, `background` first."""
        return {"background": self.background} | self.signals


def sample_paths() -> EventFiles:
    """Return the files of the shipped sample.

    Raises:
        UserError: The installed package lacks one of them.
    """
    return EventFiles(
        background=(_shipped("background"),),
        signals={signal: (_shipped(signal),) for signal in SIGNALS},
    )


def _shipped(name: str) -> Path:
    # HDF5 opens files of the file system only, so a package that is imported from a zip file has no sample
    path = Path(str(resources.files("trigger_ad.events").joinpath("data", f"{name}.h5")))
    if not path.is_file():
        raise UserError(f"the shipped sample lacks {path.name}", "Install trigger-ad again, unpacked, from its source")
    return path
