"""QKeras, imported here alone and in silence."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # it warns of its own dependencies' deprecations while it is imported
    warnings.simplefilter("ignore")
    import qkeras

__all__ = ["qkeras"]
