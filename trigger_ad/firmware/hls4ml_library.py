"""hls4ml's back ends and its graph. It imports TensorFlow, which only our own module does in silence."""

from __future__ import annotations

from typing import Any


def hls4ml_library() -> tuple[Any, Any]:
    """`hls4ml.backends.get_backend` and `hls4ml.model.ModelGraph`."""
    import trigger_ad.models.keras  # noqa: F401

    from hls4ml.backends import get_backend  # isort: skip
    from hls4ml.model import ModelGraph  # isort: skip

    return get_backend, ModelGraph
