"""A Transformer block assembled of Keras's built-in layers, with copied weights."""

from collections.abc import Callable
from typing import Any

import keras

from keras_attention.layers.transformer.block import TransformerBlock


class KerasBlock:
    """The sublayers of one of our blocks, computed by layers of Keras."""

    def __init__(self, ours: TransformerBlock) -> None:
        self._ours = ours
        self._weights = {
            weight.path.split("/", 1)[1]: keras.ops.convert_to_numpy(weight)
            for weight in ours.weights
        }

    def attention(
        self, name: str, value: Any = None, **options: Any
    ) -> Callable[[Any], Any]:
        """An attention sublayer as a function of its query."""
        ours = self._ours

        def attend(query):
            memory = query if value is None else value
            width = query.shape[-1]
            theirs = keras.layers.GroupQueryAttention(
                width // ours.num_heads,
                ours.num_heads,
                ours.num_key_value_heads or ours.num_heads,
            )
            theirs.build(query.shape, memory.shape)
            for projection in ("query", "key", "value", "output"):
                dense = getattr(theirs, f"_{projection}_dense")
                for kind in ("kernel", "bias"):
                    variable = getattr(dense, kind)
                    copied = self._weights[f"{name}/{projection}/{kind}"]
                    variable.assign(copied.reshape(variable.shape))
            return theirs(query, memory, **options)

        return attend

    def feed_forward(self, inputs: Any) -> Any:
        """The feed-forward sublayer."""
        hidden = self._dense("hidden", inputs, self._ours.activation)
        if self._ours.gated:
            hidden = hidden * self._dense("gate", inputs, None)
        return self._dense("output", hidden, None)

    def sublayer(self, name: str, inputs: Any, function: Callable[[Any], Any]) -> Any:
        """Normalization and residual around a sublayer."""
        inputs = keras.ops.convert_to_tensor(inputs)
        if self._ours.normalize_first:
            return inputs + function(self._normalize(name, inputs))
        return self._normalize(name, inputs + function(inputs))

    def _normalize(self, name, inputs):
        make = {
            "layer": keras.layers.LayerNormalization,
            "rms": keras.layers.RMSNormalization,
        }[self._ours.normalization]
        layer = make(epsilon=self._ours.layer_norm_epsilon)
        layer.build(inputs.shape)
        for variable in layer.weights:
            kind = variable.path.rsplit("/", 1)[1]
            variable.assign(self._weights[f"{name}/normalization/{kind}"])
        return layer(inputs)

    def _dense(self, name, inputs, activation):
        kernel = self._weights[f"feed_forward/{name}/kernel"]
        layer = keras.layers.Dense(kernel.shape[-1], activation=activation)
        layer.build(inputs.shape)
        layer.set_weights([kernel, self._weights[f"feed_forward/{name}/bias"]])
        return layer(inputs)
