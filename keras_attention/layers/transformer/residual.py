"""The frame around each sublayer of a Transformer block."""

from typing import Any

import keras
from keras import ops

from keras_attention.layers.dropout import FeatureDropout
from keras_attention.layers.transformer.normalization import Normalization
from keras_attention.tensor import Tensor


class Residual(keras.layers.Layer):
    """Normalization, dropout and the residual sum around one sublayer.

    Post-norm is `normalize(x + dropout(sublayer(x)))` (Vaswani et al. 2017), pre-norm
    `x + dropout(sublayer(normalize(x)))` (Xiong et al. 2020). `sublayer_input`
    and `add` are what comes before and after the sublayer. With stochastic depth, whole
    rows skip the sublayer in training (Huang et al. 2016).
    """

    def __init__(
        self,
        dropout: float,
        normalize_first: bool,
        normalization: Normalization,
        epsilon: float,
        stochastic_depth: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.normalize_first = normalize_first
        self._make_normalization = normalization.build
        self.epsilon = epsilon
        self._dropout = FeatureDropout(dropout, dtype=self.dtype_policy)
        # A whole row of the batch goes without the sublayer, or all of it has it.
        self._row_dropout = keras.layers.Dropout(
            stochastic_depth, noise_shape=(None, 1, 1), dtype=self.dtype_policy
        )

    def build(self, inputs_shape):
        self._normalization = self._make_normalization(
            self, self.epsilon, inputs_shape, "normalization"
        )
        self.built = True

    @property
    def normalization(self) -> keras.layers.Layer:
        """The normalization, once it is built."""
        return self._normalization

    def sublayer_input(self, inputs: Tensor) -> Tensor:
        """What the sublayer is called on."""
        return self._normalize(inputs) if self.normalize_first else inputs

    def add(self, inputs: Tensor, update: Tensor, training: bool | None) -> Tensor:
        """Add what the sublayer made of its input."""
        update = self._dropout(update, training=training)
        outputs = inputs + self._row_dropout(update, training=training)
        return outputs if self.normalize_first else self._normalize(outputs)

    def _normalize(self, inputs):
        return ops.cast(self._normalization(inputs), self.compute_dtype)
