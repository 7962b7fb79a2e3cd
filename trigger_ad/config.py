"""The configuration: what one YAML file may say, and its defaults; `config_file` reads it.

Unknown keys, wrong types and impossible values are refused with the key's full path, before anything runs.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Bits = Annotated[int, Field(ge=2, le=24)]
BackEnd = Literal["vitis", "vivado"]


class Section(BaseModel):
    """A mapping in the configuration; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_LAYOUT_NAME: Final = r"^[a-z][a-z0-9_]{0,31}$"
_RUN_NAME: Final = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
PATTERNS: Final = {
    _LAYOUT_NAME: "a lower-case letter followed by up to 31 lower-case letters, digits or '_'",
    _RUN_NAME: "a letter followed by up to 63 letters, digits, '-' or '_'",
}
"""What each pattern of a name means."""
Name = Annotated[str, Field(pattern=_LAYOUT_NAME)]
"""Of a class of objects, or of a feature."""


class ObjectsConfig(Section):
    """One class of objects of an event, and how many of them the events file has room for."""

    name: Name
    """Trivial scores know `met`, `electron`, `muon` and `jet`; any other name will do as well."""
    count: int = Field(ge=1, le=128)
    max_abs_eta: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The largest |eta| of the selection: objects beyond it are counted and reported."""


class LayoutConfig(Section):
    """What an event consists of. `Particles` in the file has the shape (events, all objects, features)."""

    objects: tuple[ObjectsConfig, ...] = Field(
        default=(
            ObjectsConfig(name="met", count=1),
            ObjectsConfig(name="electron", count=4, max_abs_eta=3.0),
            ObjectsConfig(name="muon", count=4, max_abs_eta=2.1),
            ObjectsConfig(name="jet", count=10, max_abs_eta=4.0),
        ),
        min_length=1,
        strict=False,
    )
    """The classes in the order of their slots; within a class pT falls."""
    features: tuple[Name, ...] = Field(default=("pt", "eta", "phi", "class"), min_length=1, strict=False)
    """What is stored of each object, in the order of the file's last axis."""

    @model_validator(mode="after")
    def _names_once(self) -> LayoutConfig:
        names = [item.name for item in self.objects]
        for kind, given in (("objects", names), ("features", list(self.features))):
            twice = next((name for index, name in enumerate(given) if name in given[:index]), None)
            if twice:
                raise ValueError(f"{kind}: '{twice}' is named twice")
        if "pt" not in self.features:
            raise ValueError("features: 'pt' is missing, and without it no object is known to be present")
        limited = next((item.name for item in self.objects if item.max_abs_eta is not None), None)
        if limited and "eta" not in self.features:
            raise ValueError(f"objects: '{limited}' has a max_abs_eta, but 'eta' is not among the features")
        return self


FileNames = Annotated[tuple[str, ...], Field(min_length=1, strict=False)]


class EventsConfig(Section):
    """The user's own events files. Paths are relative to the working directory."""

    background: FileNames
    """The Standard Model background: a file, a pattern such as `data/background_*.h5`, or a list of either."""
    signals: dict[str, FileNames] = Field(min_length=1)
    """The files of each signal, in the same way, by a name of the user's choice, which reports show as it is."""
    layout: LayoutConfig = LayoutConfig()
    """What the events consist of, where it is not the ADC2021 layout."""

    @model_validator(mode="before")
    @classmethod
    def _lists_of_files(cls, data: Any) -> Any:
        """A file that stands alone is a list of one."""
        if not isinstance(data, dict):
            return data
        listed = dict(data)
        if isinstance(listed.get("background"), str):
            listed["background"] = [listed["background"]]
        if isinstance(listed.get("signals"), dict):
            listed["signals"] = {
                name: [files] if isinstance(files, str) else files for name, files in listed["signals"].items()
            }
        return listed

    @field_validator("signals")
    @classmethod
    def _names_that_can_be_shown(cls, signals: dict[str, FileNames]) -> dict[str, FileNames]:
        taken = next((name for name in ("background", "validation_background") if name in signals), None)
        if taken:
            raise ValueError(f"a signal cannot be called '{taken}', which is a name of the background")
        odd = next((name for name in signals if not name.strip() or not name.isprintable()), None)
        if odd is not None:
            raise ValueError(f"{odd!r} is no name of a signal: it has nothing, or something, that cannot be shown")
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


class TransverseMomentumConfig(FeatureConfig):
    """The same for pT, whose word may pass through a table of logarithms first."""

    logarithm: int | None = Field(default=None, ge=0, le=12)
    """With k given, a lookup table replaces the word w by 2**k log2(w), rounded to an integer, before the offset,
    which is then in units of the logarithm."""

    @model_validator(mode="after")
    def _table_of_a_sensible_size(self) -> TransverseMomentumConfig:
        if self.logarithm is not None and self.width > 14:
            raise ValueError(f"logarithm: a table for {self.width}-bit words is too large; give a width of at most 14")
        return self


class OtherFeatureConfig(FeatureConfig):
    """The same for any other quantity."""

    signed: bool = False
    """Whether the trigger word is in two's complement."""


class InputsConfig(Section):
    """Which features of every object enter the network, and how they become integers."""

    pt: TransverseMomentumConfig = TransverseMomentumConfig(lsb=1.0, width=8, offset=-64, shift=5)
    eta: FeatureConfig | None = FeatureConfig(lsb=0.125, width=6, shift=6)
    phi: FeatureConfig | None = FeatureConfig(lsb=0.125, width=6, shift=6)
    """`null` leaves eta or phi out."""
    other: dict[Name, OtherFeatureConfig] = {}
    """Further features of the events' layout, by name."""

    @model_validator(mode="before")
    @classmethod
    def _fill_partial_features(cls, data: Any) -> Any:
        """A feature of which some keys are named keeps its own defaults for the others."""
        if not isinstance(data, dict):
            return data
        defaults = {name: cls.model_fields[name].default.model_dump() for name in ("pt", "eta", "phi")}
        return {
            name: defaults[name] | given if name in defaults and isinstance(given, dict) else given
            for name, given in data.items()
        }

    @field_validator("other")
    @classmethod
    def _not_a_kinematic_feature(cls, other: dict[str, OtherFeatureConfig]) -> dict[str, OtherFeatureConfig]:
        taken = next((name for name in ("pt", "eta", "phi") if name in other), None)
        if taken:
            raise ValueError(f"'{taken}' has a key of its own beside 'other'")
        return other


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

    augmentation: int = Field(default=2, ge=1, le=64)
    """Copies of each training event, turned in phi and reflected in eta; pp collisions are symmetric under both. For
    a detector that is not, or objects whose phi is no angle of the event, 1."""


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

    name: str = Field(pattern=_RUN_NAME)
    """The name of the run directory, `hls_projects/<name>`."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    events: Literal["sample"] | EventsConfig = "sample"
    """`sample` for the shipped simulation, or the user's files."""
    inputs: InputsConfig = InputsConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    quantization: QuantizationConfig = QuantizationConfig()
    firmware: FirmwareConfig = FirmwareConfig()

    @property
    def layout(self) -> LayoutConfig:
        """What the run's events consist of."""
        return self.events.layout if isinstance(self.events, EventsConfig) else LayoutConfig()

    @model_validator(mode="after")
    def _inputs_are_in_the_events(self) -> Config:
        angles = [name for name in ("eta", "phi") if getattr(self.inputs, name) is not None]
        missing = next((name for name in (*angles, *self.inputs.other) if name not in self.layout.features), None)
        if missing:
            remedy = f"; `{missing}: null` leaves it out" if missing in angles else ""
            raise ValueError(
                f"inputs: '{missing}' is not among the features of the events' layout "
                f"({', '.join(self.layout.features)}){remedy}"
            )
        if not angles and self.training.augmentation > 1:
            raise ValueError(
                "training.augmentation: with neither eta nor phi among the inputs, the copies of an event would all be "
                "equal; set it to 1"
            )
        return self

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
