"""Fills in the templates of the library's source."""

from __future__ import annotations

from functools import partial
from typing import Final

from trigger_ad import templating

render: Final = partial(templating.render, "trigger_ad.native")
"""The text of a template of this room."""
