"""The configuration: what one YAML file may say, its defaults, and how it is read.

Unknown keys, wrong types and impossible values are refused with the key's full path, before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from trigger_ad.errors import UserError

Bits = Annotated[int, Field(ge=2, le=24)]
BackEnd = Literal["vitis", "vivado"]


class Section(BaseModel):
    """A mapping in the configuration; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EventsConfig(Section):
    """The user's own events files, in the ADC2021 layout. Paths are relative to the working directory."""

    background: str
    """The Standard Model background."""
    signals: dict[str, str] = Field(min_length=1)
    """One file for each signal, by a name of the user's choice."""

    @field_validator("signals")
    @classmethod
    def _not_the_background(cls, signals: dict[str, str]) -> dict[str, str]:
        taken = next((name for name in ("background", "validation_background") if name in signals), None)
        if taken:
            raise ValueError(f"a signal cannot be called '{taken}', which is a name of the background")
        return signals


class FeatureConfig(Section):
    """How one feature becomes an integer: see `trigger_ad.events.encoding`."""

    lsb: float = Field(gt=0, allow_inf_nan=False)
    """The physical value of one unit of the trigger word: GeV for pT, radians for phi."""
    width: Bits
    """Bits of the trigger word (unsigned for pT, two's complement for eta and phi)."""
    offset: int = Field(default=0, ge=-(2**23), le=2**23)
    """Subtracted from the word, in units of the word."""
    shift: int = Field(default=0, ge=-24, le=24)
    """The network sees (word - offset) * 2**-shift."""


class InputsConfig(Section):
    """The 57 inputs: pT, eta and phi of the 19 objects."""

    pt: FeatureConfig = FeatureConfig(lsb=1.0, width=8, offset=-64, shift=5)
    eta: FeatureConfig = FeatureConfig(lsb=0.125, width=6, shift=6)
    phi: FeatureConfig = FeatureConfig(lsb=0.125, width=6, shift=6)

    @model_validator(mode="before")
    @classmethod
    def _fill_partial_features(cls, data: Any) -> Any:
        """A feature of which some keys are named keeps its own defaults for the others."""
        if not isinstance(data, dict):
            return data
        defaults = {name: field.default.model_dump() for name, field in cls.model_fields.items()}
        return {
            name: defaults[name] | given if name in defaults and isinstance(given, dict) else given
            for name, given in data.items()
        }


class ModelConfig(Section):
    """The autoencoder: dense layers, mirrored around the latent space."""

    architecture: Literal["dense_autoencoder"] = "dense_autoencoder"
    hidden: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(default=(32, 16), min_length=1, strict=False)
    """Units of the encoder's layers, from the input inwards; the decoder repeats them in reverse."""
    latent: int = Field(default=3, ge=1, le=1024)
    """Dimensions of the latent space."""
    batch_normalization: bool = True
    """Normalise each hidden layer during float training; folded into its weights before quantization."""


class FitConfig(Section):
    """One fit with Adam and early stopping; the best weights on validation background are kept."""

    epochs: int = Field(default=60, ge=1)
    batch_size: int = Field(default=512, ge=1)
    learning_rate: float = Field(default=1e-2, gt=0, allow_inf_nan=False)
    patience: int = Field(default=6, ge=1)
    """Epochs without a better validation loss before the learning rate is halved, and twice that before the end."""


class TrainingConfig(FitConfig):
    """The float fit, and the sample that both fits use."""

    augmentation: int = Field(default=8, ge=1, le=64)
    """Copies of each training event, turned in phi and reflected in eta; pp collisions are symmetric under both."""


class QatConfig(FitConfig):
    """The quantization-aware fit: it starts from trained weights, and only mends what quantization broke."""

    epochs: int = Field(default=20, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    patience: int = Field(default=4, ge=1)


class QuantizationConfig(Section):
    """Bits of each group of words; where the binary point sits is calibrated on training background."""

    weights: Bits = 8
    biases: Bits = 8
    activations: Bits = 8
    latent: Bits = 8
    output: Bits = 8
    """Bits of the reconstructed inputs."""
    ship: Literal["ptq", "qat"] = "qat"
    """Which quantized model becomes firmware: post-training quantization, or quantization-aware training."""
    qat: QatConfig = QatConfig()


class FirmwareConfig(Section):
    """The HLS project."""

    back_ends: tuple[BackEnd, ...] = Field(default=("vitis", "vivado"), min_length=1, strict=False)
    part: str = "xcvu9p-flgb2104-2l-e"
    clock_ns: float = Field(default=5.0, gt=0, le=1000, allow_inf_nan=False)
    reuse_factor: int = Field(default=1, ge=1)
    strategy: Literal["latency", "resource"] = "latency"
    io_type: Literal["io_parallel", "io_stream"] = "io_parallel"

    @field_validator("back_ends")
    @classmethod
    def _once_each(cls, back_ends: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(back_ends)) != len(back_ends):
            raise ValueError("a back end is named twice")
        return back_ends


class Config(Section):
    """One run."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")
    """The name of the run directory, `hls_projects/<name>`."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    events: Literal["sample"] | EventsConfig = "sample"
    """`sample` for the shipped simulation, or the user's files."""
    inputs: InputsConfig = InputsConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    quantization: QuantizationConfig = QuantizationConfig()
    firmware: FirmwareConfig = FirmwareConfig()

    @model_validator(mode="before")
    @classmethod
    def _events_as_written(cls, data: Any) -> Any:
        events = data.get("events", "sample") if isinstance(data, dict) else "sample"
        if not isinstance(events, dict | EventsConfig) and events != "sample":
            raise ValueError(
                f"events: {events!r} is neither 'sample' nor a mapping with 'background' and 'signals'",
            )
        return data

    def to_yaml(self) -> str:
        """The resolved configuration, every default written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, and reads `1e-3` as the number it is in YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key}' stands twice in a mapping", node.start_mark
                )
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+"), list("-+0123456789")
)


def load_config(path: Path) -> Config:
    """Reads and checks a configuration file.

    Raises:
        UserError: If the file cannot be read, is not YAML, or says something that is not allowed; names the key.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", "Name a configuration file such as configs/ffn.yaml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error.__class__.__name__})", "Name a readable YAML file") from None
    except (yaml.YAMLError, ValueError) as error:
        # a ValueError comes from a date that does not exist
        raise UserError(f"{path} is not valid YAML: {_one_line(str(error))}", "Correct the file") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} holds no mapping of keys", "Start from configs/ffn.yaml") from None
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise UserError(
            f"{path}: {_first_problem(error)}", "Correct the key; docs/configuration.md lists them all"
        ) from None


def _first_problem(error: ValidationError) -> str:
    # events that are a mapping are not the word `sample` either, which says nothing
    details = [item for item in error.errors() if "literal['sample']" not in item["loc"]]
    first = next((item for item in details if item["type"] == "extra_forbidden"), details[0])
    key = ".".join(str(part) for part in first["loc"] if part != "EventsConfig")
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'"
    if first["type"] == "string_pattern_mismatch":
        return f"{key}: {first['input']!r} is not a letter followed by up to 63 letters, digits, '-' or '_'"
    given = first["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    message = first["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    return f"{key}: {message}{shown}" if key else message


def _one_line(text: str) -> str:
    return " ".join(text.split())
