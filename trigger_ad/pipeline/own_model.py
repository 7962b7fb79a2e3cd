"""A QKeras model of the user's own: from its file to a run directory, which `convert` and `emulate` then know."""

from __future__ import annotations

import logging
import math
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

from trigger_ad.config import CodesConfig, Config, OwnModelConfig
from trigger_ad.config.section import PATTERNS, RUN_NAME
from trigger_ad.config_file import load_config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.check import check_firmware
from trigger_ad.pipeline.convert import ENCODING
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import RunDirectory, write_json, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.network.graph import Network

_LOGGER = logging.getLogger(__name__)
MODEL_SUFFIXES: Final = (".h5", ".keras")
_FILES: Final[dict[str, Literal["model.h5", "model.keras"]]] = {".h5": "model.h5", ".keras": "model.keras"}


def is_model_file(target: Path) -> bool:
    """Whether a target's name is that of a Keras model."""
    return target.suffix in MODEL_SUFFIXES and not target.is_dir()


def open_own_model(model: Path, folder: Path, input_type: str | None) -> Run:
    """The run of a model file, new or as it stands in its folder; nothing is written.

    A folder that holds a run of such a model keeps its configuration; the model, and the input type if one is given,
    take the place of its own.

    Args:
        model: The model file.
        folder: The run directory.
        input_type: The type of the inputs, as `FixedPoint.parse` reads it; None for the trigger objects of a
            configuration, or for what the folder's run has.

    Raises:
        UserError: If the model or the type cannot be read, the folder belongs to something else, or without an input
            type the model does not take trigger objects.
    """
    if not model.is_file():
        raise UserError(f"{model} does not exist", "Name an .h5 or .keras file that Keras 2 saved")
    before = _configuration(folder)
    shape = _input_shape(model)
    codes = _codes(input_type, math.prod(shape), before)
    own = OwnModelConfig(file=_FILES[model.suffix], codes=codes)
    kept = {} if before is None else before.model_dump(include={"name", "seed", "events", "inputs", "firmware"})
    run = Run(Config(**({"name": folder.resolve().name} | kept | {"own_model": own})), RunDirectory(folder))
    run.given_model = model
    if codes is None:
        _require_trigger_objects(model, shape, run.encoding)
    if run.config.firmware.flow == "both":
        run.config = _traceable(run)
    return run


def _traceable(run: Run) -> Config:
    """The configuration of a run, of HLS alone if its network cannot become RTL."""
    from trigger_ad.firmware.rtl import no_rtl_of
    from trigger_ad.models.quantized import load_quantized
    from trigger_ad.network.freezing import freeze

    reason = no_rtl_of(freeze(load_quantized(_source(run)), run.encoding.network_type, run.encoding.bounds))
    if reason is None:
        return run.config
    _LOGGER.warning("firmware.flow: hls, as this network cannot become RTL: %s", reason)
    firmware = run.config.firmware.model_copy(update={"flow": "hls"})
    return run.config.model_copy(update={"firmware": firmware})


def _configuration(folder: Path) -> Config | None:
    """That of the run in a folder; None if there is none yet."""
    directory = RunDirectory(folder)
    if directory.config.is_file():
        config = load_config(directory.config)
        if config.own_model is None:
            raise UserError(f"--out: {folder} is the run of a configuration", "Name another folder")
        return config
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"--out: {folder} exists and is no run directory", "Name a new folder, or one of such a run")
    if not re.fullmatch(RUN_NAME, folder.resolve().name):
        raise UserError(
            f"--out: the folder's name, '{folder.resolve().name}', becomes part of names in C++ and is not "
            f"{PATTERNS[RUN_NAME]}",
            "Name another folder",
        )
    return None


def _input_shape(model: Path) -> tuple[int, ...]:
    from trigger_ad.models.quantized import load_quantized

    loaded = load_quantized(model)
    if len(loaded.inputs) != 1:
        raise UserError(f"{model} has {len(loaded.inputs)} inputs", "Give a model of one")
    shape = tuple(loaded.inputs[0].shape[1:])
    if None in shape:
        raise UserError(f"{model} takes inputs of shape {shape}", "Give a model whose inputs have a fixed shape")
    return shape


def _codes(input_type: str | None, count: int, before: Config | None) -> CodesConfig | None:
    if input_type is None:
        kept = before.own_model.codes if before and before.own_model else None
        if kept is None:
            return None
        input_type = kept.type
    try:
        return CodesConfig(type=input_type, count=count)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"--input-type: {reason}", "Write for example --input-type 'fixed<16,6>'") from None


def _require_trigger_objects(model: Path, shape: tuple[int, ...], encoding: InputEncoding) -> None:
    image = (encoding.layout.objects, len(encoding.features), 1)
    if shape not in ((encoding.inputs,), image):
        raise UserError(
            f"{model} takes inputs of shape {shape}, and the trigger objects that are encoded by default are "
            f"{encoding.inputs}, or an image of {image}",
            "Say what its inputs are, for example with --input-type 'fixed<16,6>'",
        )


def _frozen(run: Run) -> Network:
    """The network of the model, after every check that it has to pass."""
    from trigger_ad.firmware.accumulators import check_accumulators
    from trigger_ad.models.quantized import load_quantized
    from trigger_ad.network.freezing import freeze
    from trigger_ad.network.inputs import require_encoding

    model, firmware = _source(run), run.config.firmware
    if not model.is_file():
        raise UserError(f"{model} is missing", f"Run 'convert' of your model with --out {run.directory.path}")
    network = freeze(load_quantized(model), run.encoding.network_type, run.encoding.bounds)
    try:
        require_encoding(network, run.encoding)
    except ValueError as error:
        raise UserError(
            f"{run.directory.config}: {error}", "Correct 'inputs' or 'own_model', which say what the model is given"
        ) from None
    check_firmware(network, firmware)
    check_accumulators(network, firmware)
    return network


def _execute(run: Run) -> None:
    network = _frozen(run)
    with written_whole(run.model_file) as temporary:
        shutil.copyfile(_source(run), temporary)
    write_json(run.network_file, network.to_json())
    for suffix in MODEL_SUFFIXES:
        # a model that this one takes the place of
        other = run.model_file.with_suffix(suffix)
        if other != run.model_file:
            other.unlink(missing_ok=True)


def _source(run: Run) -> Path:
    """The model that is read: the one that the user gave, else the copy."""
    return run.given_model or run.model_file


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"own_model", "inputs", "firmware"})


IMPORT: Final = Stage(
    "import",
    _settings,
    lambda run: [_source(run)],
    lambda run: [run.model_file, run.network_file],
    _execute,
    ("pipeline/own_model.py", *ENCODING, "events/plain_encoding.py", "models", "network", "firmware"),
    check=_frozen,
)
