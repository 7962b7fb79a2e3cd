"""What runs have in common is made once: a run takes over what another has made of the very same inputs."""

from __future__ import annotations

import json
import shutil

from trigger_ad.pipeline.stage import Run, Stage, manifest_of, source_digest
from trigger_ad.run_directory import (
    RunDirectory,
    remove_leftovers,
    text_digest,
    write_json,
    written_together,
    written_whole,
)


def adopt(stage: Stage, run: Run, source: RunDirectory) -> bool:
    """Takes over what a stage of another run has made: its files, and what the manifest says of them.

    Args:
        stage: The stage.
        run: The run, on which nobody else works.
        source: The other run's directory; it may be worked on meanwhile, as long as this stage of it is not.

    Returns:
        Whether it did: not where the run has it already, nor where the other has not made it of the same inputs.

    Raises:
        UserError: If a file cannot be written.
    """
    wanted = stage.inputs_digest(run)
    other = Run(run.config, source)
    if stage.has_made(run, wanted) or not stage.has_made(other, wanted):
        return False
    with written_together():
        remove_leftovers(run.directory.path)
        stage.forget(run)
        run.write_config()
        for made, own in zip(stage.outputs(other), stage.outputs(run), strict=True):
            with written_whole(own) as temporary:
                (shutil.copytree if made.is_dir() else shutil.copyfile)(made, temporary)
    manifest = manifest_of(run)
    manifest["stages"][stage.name] = manifest_of(other)["stages"][stage.name]
    write_json(run.directory.manifest, manifest)
    return True


def made_from(stage: Stage, run: Run, before: str) -> str:
    """Names what a stage would make in a run where the stage before it is still to come.

    Args:
        stage: The stage.
        run: The run.
        before: What names what the stage before it makes.

    Returns:
        A digest, equal for two runs only if they would make the same.
    """
    own = [stage.settings_of(run.config, run), source_digest(tuple(stage.rooms))]
    return text_digest(json.dumps([before, *own], sort_keys=True))
