"""Float and quantization-aware fits: blocks of events, early stopping, pruning, and fits that go on where they were."""

from trigger_ad.training.anomalies import Anomalies
from trigger_ad.training.blocks import Rows
from trigger_ad.training.fitting import FitResult, fit, make_deterministic

__all__ = ["Anomalies", "FitResult", "Rows", "fit", "make_deterministic"]
