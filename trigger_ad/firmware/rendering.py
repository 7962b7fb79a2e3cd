"""Fills in the templates of what is handed over."""

from __future__ import annotations

from functools import partial
from typing import Final

from trigger_ad import templating

render: Final = partial(templating.render, "trigger_ad.firmware", trim=False)
"""The text of a template of this room; its blocks say themselves which lines they leave."""
