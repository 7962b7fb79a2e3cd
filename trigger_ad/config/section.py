"""What every section of the configuration is made of."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Bits = Annotated[int, Field(ge=2, le=24)]


class Section(BaseModel):
    """A mapping in the configuration; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


LAYOUT_NAME: Final = r"^[a-z][a-z0-9_]{0,31}$"
RUN_NAME: Final = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
PATTERNS: Final = {
    LAYOUT_NAME: "a lower-case letter followed by up to 31 lower-case letters, digits or '_'",
    RUN_NAME: "a letter followed by up to 63 letters, digits, '-' or '_'",
}
"""What each pattern of a name means."""
Name = Annotated[str, Field(pattern=LAYOUT_NAME)]
"""Of a class of objects, or of a feature."""
