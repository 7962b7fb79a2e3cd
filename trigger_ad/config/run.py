"""The configuration of one run."""

from __future__ import annotations

from typing import Any, Final, Literal

import yaml
from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from trigger_ad.config.budget import BudgetConfig
from trigger_ad.config.events import EventsConfig, LayoutConfig
from trigger_ad.config.firmware import FirmwareConfig
from trigger_ad.config.inputs import InputsConfig
from trigger_ad.config.model import (
    RECONSTRUCTION_SCORES,
    DenseAutoencoderConfig,
    ModelConfig,
    ScoreName,
    default_score,
    dense_unless_named,
    meaningful_scores,
)
from trigger_ad.config.own_model import OwnModelConfig
from trigger_ad.config.section import RUN_NAME, Section
from trigger_ad.config.synthesis import SynthesisConfig
from trigger_ad.config.training import QuantizationConfig, TrainingConfig
from trigger_ad.config.trigger import TriggerConfig


class Config(Section):
    """One run."""

    name: str = Field(pattern=RUN_NAME)
    """Of the run directory, `hls_projects/<name>`."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of every random number: augmentation, initial weights, shuffling, random test vectors."""
    events: Literal["sample"] | EventsConfig = "sample"
    """`sample` for the shipped simulation, or the user's own files."""
    inputs: InputsConfig = InputsConfig()
    own_model: OwnModelConfig | None = None
    """A model of the user's own, which `convert MODEL --out DIR` has put into the run directory; the sections `model`,
    `score`, `training` and `quantization` are left out then."""
    model: ModelConfig = DenseAutoencoderConfig()
    """The network that is trained; a dense autoencoder, unless `architecture` names another."""
    score: ScoreName = "squared_error"
    """The anomaly score that ships: `mu_squared` for a variational model and `network_output` for a student, unless
    another is named."""
    training: TrainingConfig = TrainingConfig()
    quantization: QuantizationConfig = QuantizationConfig()
    trigger: TriggerConfig | None = None
    """The rates of a trigger menu, and the input rate that they are shares of."""
    firmware: FirmwareConfig = FirmwareConfig()
    budget: BudgetConfig = BudgetConfig()
    synthesis: SynthesisConfig = SynthesisConfig()

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

    @field_validator("model", mode="before")
    @classmethod
    def _dense_model(cls, model: Any) -> Any:
        return dense_unless_named(model)

    @model_validator(mode="after")
    def _score_has_a_meaning(self) -> Config:
        scores = meaningful_scores(self.model)
        if self.score not in scores:
            raise ValueError(
                f"score: '{self.score}' has no meaning for this {self.model.architecture}; it has {', '.join(scores)}"
            )
        if self.score == "squared_error_present" and self.inputs.pt.offset > 0:
            raise ValueError(
                "score: 'squared_error_present' tells present objects by a positive pT code, and inputs.pt.offset "
                f"({self.inputs.pt.offset}) gives some of them another; give an offset of at most 0"
            )
        if self.quantization.qat.distillation != "none" and self.score not in RECONSTRUCTION_SCORES:
            raise ValueError(
                f"quantization.qat.distillation: with the score '{self.score}' the quantized network has no "
                "reconstruction, and learns from the float model anyway; set it to none"
            )
        return self

    @model_validator(mode="after")
    def _rate_is_in_the_menu(self) -> Config:
        rate = self.firmware.accept.rate_hz
        if rate is None:
            return self
        if self.trigger is None:
            raise ValueError(
                f"firmware.accept.rate_hz: {rate:g} Hz is a share of trigger.input_rate_hz, which is not given; give "
                "the section trigger, or firmware.accept.fpr instead"
            )
        if rate not in self.trigger.rates_hz:
            raise ValueError(
                f"firmware.accept.rate_hz: {rate:g} Hz is none of trigger.rates_hz "
                f"({', '.join(f'{each:g}' for each in self.trigger.rates_hz)}); name one of them, or add it there"
            )
        return self

    @property
    def accept_fpr(self) -> float:
        """The share of validation background that the firmware's threshold may accept."""
        accept = self.firmware.accept
        if accept.rate_hz is None or self.trigger is None:
            assert accept.fpr is not None
            return accept.fpr
        return self.trigger.fpr_of(accept.rate_hz)

    @model_validator(mode="before")
    @classmethod
    def _first_rate_ships(cls, data: Any) -> Any:
        """The first rate of the menu sets the threshold, unless the configuration says what does."""
        rates = (
            trigger.get("rates_hz")
            if isinstance(data, dict) and isinstance(trigger := data.get("trigger"), dict)
            else None
        )
        if not isinstance(rates, list | tuple) or not rates:
            return data
        firmware = data.get("firmware", {})
        accept = firmware.get("accept", {}) if isinstance(firmware, dict) else None
        if not isinstance(accept, dict) or any(accept.get(name) is not None for name in ("fpr", "rate_hz")):
            return data
        return data | {"firmware": firmware | {"accept": accept | {"rate_hz": rates[0]}}}

    @model_validator(mode="before")
    @classmethod
    def _own_score(cls, data: Any) -> Any:
        """The score of a model, unless the configuration names one."""
        if not isinstance(data, dict) or "score" in data:
            return data
        model = data.get("model")
        return data | {"score": default_score(model)} if isinstance(model, dict) else data

    @model_validator(mode="before")
    @classmethod
    def _events_as_written(cls, data: Any) -> Any:
        events = data.get("events", "sample") if isinstance(data, dict) else "sample"
        if not isinstance(events, dict | EventsConfig) and events != "sample":
            raise ValueError(
                f"events: {events!r} is neither 'sample' nor a mapping with 'background' and 'signals'",
            )
        return data

    @model_validator(mode="before")
    @classmethod
    def _own_model_is_not_trained(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("own_model") is not None:
            if data.get("trigger") is not None:
                raise ValueError(
                    "trigger: a model of one's own has no background that would set thresholds; leave it out"
                )
            given = next((name for name in _OF_TRAINED_MODELS if name in data), None)
            if given:
                raise ValueError(f"{given}: a model of one's own is not trained; leave it out, or leave out own_model")
        return data

    @model_validator(mode="before")
    @classmethod
    def _own_model_has_a_register(cls, data: Any) -> Any:
        """A model of the user's own has no validation background to set a constant with."""
        if not isinstance(data, dict) or data.get("own_model") is None:
            return data
        firmware = data.get("firmware", {})
        accept = firmware.get("accept", {}) if isinstance(firmware, dict) else None
        if not isinstance(accept, dict):
            return data
        if accept.get("threshold", "register") != "register":
            raise ValueError(
                "firmware.accept.threshold: a model of one's own has no validation background that would set a "
                "constant; set it to register"
            )
        return data | {"firmware": firmware | {"accept": accept | {"threshold": "register"}}}

    @model_serializer(mode="wrap")
    def _without_what_has_no_meaning(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dropped: set[str] = {"own_model"}
        if self.own_model:
            dropped = {*_OF_TRAINED_MODELS, *(("events", "inputs") if self.own_model.codes else ())}
        if not self.synthesis.tools:
            dropped.add("synthesis")
        if not self.trigger:
            dropped.add("trigger")
        return {name: value for name, value in serialize(self).items() if name not in dropped}

    def to_yaml(self) -> str:
        """The resolved configuration, every default written out that has a meaning for the run."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


_OF_TRAINED_MODELS: Final = ("model", "score", "training", "quantization")
