"""What a run's repetitions with other seeds gave, kept beside the results of its stages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trigger_ad.pipeline.stage import Run, manifest_of, read_results
from trigger_ad.run_directory import write_json


def write_repeats(run: Run, spread: Mapping[str, Any]) -> None:
    """Writes them, with what names the models of the run that they are repetitions of.

    Args:
        run: The run, the first of the repetitions.
        spread: What `spread_over_seeds` gives.
    """
    write_json(_path(run), {"models": _models(run), **spread})


def repeats_of(run: Run) -> dict[str, Any] | None:
    """What `write_repeats` has written; None where nothing was repeated, or the models are others by now.

    Raises:
        UserError: If the file is damaged.
    """
    if not _path(run).exists():
        return None
    repeats = read_results(run, "repeats", ("models", "seeds", "fpr_target", "spread"))
    return repeats if repeats["models"] == _models(run) else None


def repeats_files(run: Run) -> list[Path]:
    """The file that `repeats_of` would read, if there is one."""
    return [_path(run)] if _path(run).exists() else []


def _path(run: Run) -> Path:
    return run.directory.results("repeats")


def _models(run: Run) -> str | None:
    """What the models were made of."""
    digest: str | None = manifest_of(run)["stages"].get("quantize", {}).get("inputs")
    return digest
