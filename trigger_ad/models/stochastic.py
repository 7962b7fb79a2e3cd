"""What a float model has in training alone: dropout, sampling of the latent space, and penalties on its weights."""

from __future__ import annotations

from typing import Any, Final

from trigger_ad.models.architectures import Architecture, Layer, WeightedLayer
from trigger_ad.models.floating import LATENT, LOG_VARIANCE, normalization_name
from trigger_ad.models.keras import tensorflow, tf_keras
from trigger_ad.models.names import relu_name

_VALIDATION: Final = -1
"""The draw of every validation: the same latent samples each time."""
_MOST_LAYERS: Final = 2**16


class StochasticModel(tf_keras.Model):  # type: ignore[misc]
    """A float model as it is trained; it shares its layers with the one that is saved.

    Random numbers depend on the seed and on a counter that is one of the model's weights, and on nothing else: a fit
    that goes on from saved weights draws what it would have drawn.

    Args:
        model: A model of `build_float`.
        architecture: Its description.
        l2: The weight of the squared kernels in the loss of training.
        kl_weight: The weight of the divergence of a variational latent space in the loss.
        seed: Of dropout and samples.
    """

    def __init__(
        self, model: Any, architecture: Architecture, *, l2: float = 0.0, kl_weight: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(name="stochastic_model")
        self.inference = model
        self._architecture = architecture
        self._l2 = l2
        self._kl_weight = kl_weight
        self._seed = seed
        self.draws = tensorflow.Variable(0, dtype="int64", trainable=False, name="draws")

    @property
    def input_shape(self) -> Any:
        """That of the model that is saved."""
        return self.inference.input_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The reconstruction, or the score of a student; losses besides its error are in `losses`."""
        draw = tensorflow.identity(self.draws) if training else tensorflow.constant(_VALIDATION, "int64")
        values = inputs
        for number, layer in enumerate(self._architecture.layers):
            source, seed = values, tensorflow.stack([self._seed * _MOST_LAYERS + number, draw])
            values = self._apply(layer, values, training)
            if training and isinstance(layer, WeightedLayer) and layer.dropout:
                kept = tensorflow.random.stateless_uniform(tensorflow.shape(values), seed) >= layer.dropout
                values = tensorflow.where(kept, values / (1 - layer.dropout), 0.0)
            if layer.name == LATENT and self._architecture.variational:
                values = self._sample(values, self.inference.get_layer(LOG_VARIANCE)(source), seed)
        if training:
            self.draws.assign_add(1)
            if self._l2:
                self.add_loss(self._l2 * tensorflow.add_n(list(map(_sum_of_squares, self._kernels()))))
        return values

    def _apply(self, layer: Layer, values: Any, training: bool) -> Any:
        values = self.inference.get_layer(layer.name)(values)
        if isinstance(layer, WeightedLayer):
            if layer.batch_normalization:
                values = self.inference.get_layer(normalization_name(layer.name))(values, training=training)
            if layer.activation == "relu":
                values = self.inference.get_layer(relu_name(layer.name))(values)
        return values

    def _sample(self, mean: Any, log_variance: Any, seed: Any) -> Any:
        """Samples of the Gaussians, and their divergence from the unit one as a loss.

        Kingma and Welling, arXiv:1312.6114: the reparametrisation of section 2.4, and appendix B.
        """
        divergence = -0.5 * tensorflow.reduce_sum(
            1 + log_variance - tensorflow.square(mean) - tensorflow.exp(log_variance), axis=-1
        )
        self.add_loss(self._kl_weight * tensorflow.reduce_mean(divergence))
        noise = tensorflow.random.stateless_normal(tensorflow.shape(mean), seed)
        return mean + tensorflow.exp(0.5 * log_variance) * noise

    def _kernels(self) -> list[Any]:
        return [self.inference.get_layer(layer.name).kernel for layer in self._architecture.weighted]


def _sum_of_squares(kernel: Any) -> Any:
    return tensorflow.reduce_sum(tensorflow.square(kernel))
