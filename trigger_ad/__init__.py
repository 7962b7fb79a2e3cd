"""Autoencoder anomaly detection for Level-1 triggers, from events to verified firmware."""

import os
from importlib.metadata import version

# Before anything imports TensorFlow: QKeras needs tf_keras behind the name tensorflow.keras, and TensorFlow's start-up
# messages about CPU features are not for our users.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = version("trigger-ad")
