"""Networks whose output is the logarithm of their score: what learns another network's score is trained as such."""

from __future__ import annotations

from typing import Any

from trigger_ad.config import ScoreName
from trigger_ad.models.keras import tensorflow, tf_keras
from trigger_ad.models.scores import LOG_OFFSET


class LogScoreModel(tf_keras.Model):  # type: ignore[misc]
    """The logarithm of the score of a network that ends in a reconstruction, for training; shares its weights.

    Args:
        part: A model of `models.quantized.build_quantized`.
        score: `squared_error` or `squared_error_present`.
        features: Inputs of each object, pT first.
    """

    def __init__(self, part: Any, score: ScoreName, features: int) -> None:
        super().__init__(name="log_score_model")
        self.part = part
        self._present = score == "squared_error_present"
        self._features = features

    @property
    def input_shape(self) -> Any:
        """That of the network."""
        return self.part.input_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        """`models.scores.log_of_score`, in the tensor arithmetic of Keras; shape (events, 1)."""
        difference = inputs - self.part(inputs, training=training)
        by_object = tensorflow.reshape(
            difference, (-1, difference.shape[1:].num_elements() // self._features, self._features)
        )
        if self._present:
            pt = tensorflow.reshape(inputs, tensorflow.shape(by_object))[:, :, :1]
            by_object *= tensorflow.cast(pt > 0, by_object.dtype)
        score = tensorflow.reduce_sum(tensorflow.square(by_object), axis=(1, 2))
        return tensorflow.math.log(score + LOG_OFFSET)[:, None]
