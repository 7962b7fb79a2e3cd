"""Steps of gradient descent, many in one call of a compiled function.

With networks as small as a trigger's, most of the time of Keras's own `fit` is Python's, between steps: this is two to
three times as fast (`benchmarks/training.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.models.keras import tensorflow, tf_keras
from trigger_ad.training.blocks import Block
from trigger_ad.training.pruning import Masks

STEPS_IN_A_CALL: Final = 64
"""Between calls an interruption is noticed, and weights are pruned."""

VALIDATION_BATCH: Final = 8192


class Steps:
    """The compiled steps of one model: mean squared error, and what the model itself adds as `losses`; Adam.

    Args:
        model: A `tf_keras.Model`.
        batch_size: Events of a step.
        masks: Which weights are trained; None for all.
    """

    def __init__(self, model: Any, batch_size: int, masks: Masks | None) -> None:
        self._model = model
        self._batch_size = batch_size
        self._masks = masks
        self._shape = tuple(model.input_shape[1:])
        # the one of `legacy` updates a variable in a single operation
        self._optimizer = tf_keras.optimizers.legacy.Adam()
        self._weights = model.trainable_weights
        self._make_moments()
        vectors = tensorflow.TensorSpec((None, None), "float32")
        self._train = tensorflow.function(self._many_steps, input_signature=[vectors, vectors])
        self._validate = tensorflow.function(self._sum_of_losses, input_signature=[vectors, vectors])

    def _make_moments(self) -> None:
        """Adam makes its variables in its first step: one that changes nothing, and is not counted."""
        self._optimizer.apply_gradients([(tensorflow.zeros_like(weight), weight) for weight in self._weights])
        self.optimizer_weights = [np.zeros_like(array) for array in self._optimizer.get_weights()]

    @property
    def optimizer_weights(self) -> list[NDArray[Any]]:
        """The moments of Adam, and the number of its steps."""
        weights: list[NDArray[Any]] = self._optimizer.get_weights()
        return weights

    @optimizer_weights.setter
    def optimizer_weights(self, weights: list[NDArray[Any]]) -> None:
        self._optimizer.set_weights(weights)

    def set_learning_rate(self, rate: float) -> None:
        """Of the next steps."""
        self._optimizer.learning_rate = rate

    @property
    def events_in_a_call(self) -> int:
        """How many events `train` is given at a time."""
        return STEPS_IN_A_CALL * self._batch_size

    def train(self, block: Block, start: int) -> float:
        """The steps of one call, on the events of a block from some one on; the sum of their losses over events."""
        return self._called(self._train, block, start, start + self.events_in_a_call)

    def validate(self, block: Block) -> float:
        """The sum over a block's events of their losses, without training."""
        return self._called(self._validate, block, 0, len(block.inputs))

    def _called(self, function: Any, block: Block, start: int, stop: int) -> float:
        inputs = tensorflow.constant(block.inputs[start:stop])
        same = block.targets is block.inputs
        return float(function(inputs, inputs if same else tensorflow.constant(block.targets[start:stop])))

    def _many_steps(self, inputs: Any, targets: Any) -> Any:
        total = tensorflow.zeros(())
        for start in tensorflow.range(0, tensorflow.shape(inputs)[0], self._batch_size):
            batch = inputs[start : start + self._batch_size]
            with tensorflow.GradientTape() as tape:
                loss = self._loss(batch, targets[start : start + self._batch_size], training=True)
            gradients = tape.gradient(loss, self._weights)
            self._optimizer.apply_gradients(zip(gradients, self._weights, strict=True))
            if self._masks is not None:
                self._masks.apply()
            total += loss * tensorflow.cast(tensorflow.shape(batch)[0], total.dtype)
        return total

    def _sum_of_losses(self, inputs: Any, targets: Any) -> Any:
        total = tensorflow.zeros(())
        for start in tensorflow.range(0, tensorflow.shape(inputs)[0], VALIDATION_BATCH):
            batch = inputs[start : start + VALIDATION_BATCH]
            loss = self._loss(batch, targets[start : start + VALIDATION_BATCH], training=False)
            total += loss * tensorflow.cast(tensorflow.shape(batch)[0], total.dtype)
        return total

    def _loss(self, inputs: Any, targets: Any, *, training: bool) -> Any:
        """The mean over events and outputs of the squared error, and the losses that the model adds."""
        outputs = self._model(tensorflow.reshape(inputs, (-1, *self._shape)), training=training)
        error = tensorflow.reshape(outputs, tensorflow.shape(targets)) - targets
        added = [tensorflow.cast(loss, error.dtype) for loss in self._model.losses]
        return tensorflow.add_n([tensorflow.reduce_mean(tensorflow.square(error)), *added])
