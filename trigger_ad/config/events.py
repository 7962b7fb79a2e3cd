"""The section `events`: the user's files, and what an event in them consists of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from trigger_ad.config.section import Name, Section


class ObjectsConfig(Section):
    """One class of objects of an event, and how many of them the events file has room for."""

    name: Name
    """Trivial scores know `met`, `electron`, `muon` and `jet`; any other name will do as well."""
    count: int = Field(ge=1, le=128)
    """How many slots the class has, filled or not."""
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
    """What is stored of each object, in the order of the file's last axis; `pt` must be there."""

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
