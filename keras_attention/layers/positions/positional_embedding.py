"""Token embeddings with positions."""

import math
from typing import Any

import keras
import numpy as np
from keras import backend, ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_axes,
    check_choice,
    check_positive,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.sublayers import quantized_dtype
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

POSITIONS = ("sinusoidal", "learned", None)
# How far each float dtype counts without a gap; the others count all ids.
_WHOLE_NUMBERS = {"float16": 0, "bfloat16": 0, "float32": 2**24, "bool": 0}


@keras.saving.register_keras_serializable("keras_attention", name="PositionalEmbedding")
class PositionalEmbedding(BaseLayer):
    """Token ids to vectors, with their positions added (Vaswani et al. 2017).

    Args:
        vocabulary_size: number of token ids.
        embedding_dim: width of the vectors.
        max_length: number of distinct positions. `"learned"` needs it;
            for the others it is a limit that is checked when given.
        positions: `"sinusoidal"`, `"learned"`, or `None` for token vectors alone.
        scale: whether token vectors are multiplied by `sqrt(embedding_dim)`.
        mask_zero: whether id 0 is padding, which later layers then leave out.
        embeddings_initializer: of the token table; by default normal with a standard
            deviation of `embedding_dim ** -0.5`, so that scaled vectors have
            features of size 1 and tied logits start small.
        logits_bias: whether logits by the token table have a bias.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: integer ids `(batch, length)`; with `reverse=True` vectors
            `(..., embedding_dim)`. Ids may come as float32 or float64, as those of a
            `Sequential` without an input layer do, where these hold every id.
        start_index: position of the first id, an integer or a scalar tensor: a decoder
            that embeds one id a step passes the number of the step.
        positions: of the ids, in place of those that `start_index` counts: integers
            `(batch, length)`, such as those of rows that are padded at their front, or
            `(length,)`.
        reverse: whether to map vectors to logits by the transposed token table (Press
            and Wolf 2017); `logits` is short for it.

    Returns:
        Vectors `(batch, length, embedding_dim)`, or logits `(..., vocabulary_size)`.

    Raises:
        ValueError: for ids that are not integers or not of two axes, or more positions
            than `max_length`.

    Example:
    >>> layer = PositionalEmbedding(vocabulary_size=11, embedding_dim=8)
    >>> vectors = layer(keras.ops.array([[3, 5, 0]]))
    >>> tuple(vectors.shape), tuple(layer.logits(vectors).shape)
    ((1, 3, 8), (1, 3, 11))
    """

    @takes_numpy
    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        max_length: int | None = None,
        positions: str | None = "sinusoidal",
        scale: bool = True,
        mask_zero: bool = True,
        embeddings_initializer: Any = None,
        logits_bias: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim)
        check_choice(POSITIONS, positions=positions)
        if max_length is not None or positions == "learned":
            check_positive(max_length=max_length)
        self.supports_masking = True
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.max_length = max_length
        self.positions = positions
        self.scale = scale
        self.mask_zero = mask_zero
        self.logits_bias = logits_bias
        self.embeddings_initializer = keras.initializers.get(
            embeddings_initializer
            or keras.initializers.RandomNormal(stddev=embedding_dim**-0.5)
        )

    def build(self, inputs_shape):
        self._token_embedding = keras.layers.ReversibleEmbedding(
            self.vocabulary_size,
            self.embedding_dim,
            embeddings_initializer=self.embeddings_initializer,
            # Left to itself it promises this dtype and computes in float32.
            reverse_dtype=self.compute_dtype,
            dtype=self.dtype_policy,
            name="tokens",
        )
        self._token_embedding.build()
        # It handles masks in its call, but says so nowhere and warns in reverse.
        self._token_embedding.supports_masking = True
        if self.logits_bias:
            self._logits_bias = self.add_weight(
                name="logits_bias", shape=(self.vocabulary_size,), initializer="zeros"
            )
        if self.positions == "learned":
            self._position_embedding = keras.layers.Embedding(
                self.max_length,
                self.embedding_dim,
                embeddings_initializer=keras.initializers.RandomNormal(stddev=0.02),
                dtype=self.dtype_policy,
                name="positions",
            )
            self._position_embedding.build()

    def call(self, inputs, start_index=0, reverse=False, positions=None):
        if reverse:
            logits = self._token_embedding(inputs, reverse=True)
            return logits + self._logits_bias if self.logits_bias else logits
        self._check_ids(inputs, start_index, positions)
        if backend.is_int_dtype(inputs.dtype):
            return self._embed(inputs, start_index, positions)
        ids = ops.cast(inputs, "int32")
        vectors = self._embed(ids, start_index, positions)
        if not self.mask_zero:
            return vectors
        # `compute_mask` would take floats for vectors.
        mask = self.compute_mask(ids, functional.implicit_mask(inputs))
        return functional.with_mask(vectors, mask)

    def compute_mask(self, inputs, previous_mask=None):
        if not backend.is_int_dtype(inputs.dtype):
            return previous_mask
        if not self.mask_zero:
            return None
        return functional.combine_masks(ops.not_equal(inputs, 0), previous_mask)

    def compute_output_shape(
        self, inputs_shape, start_index=0, reverse=False, positions_shape=None
    ):
        # Shapes do not say that ids are integers.
        width = self.vocabulary_size if reverse else self.embedding_dim
        outer = inputs_shape[:-1] if reverse else inputs_shape
        return (*outer, width)

    def compute_output_spec(self, inputs, start_index=0, reverse=False, positions=None):
        if not reverse:
            self._check_ids(inputs, start_index, positions)
        shape = self.compute_output_shape(inputs.shape, reverse=reverse)
        return keras.KerasTensor(shape, self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "max_length": self.max_length,
            "positions": self.positions,
            "scale": self.scale,
            "mask_zero": self.mask_zero,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
            "logits_bias": self.logits_bias,
        }

    def logits(self, hidden: Tensor) -> Tensor:
        """Project vectors `(..., embedding_dim)` to logits by the tied token table."""
        return self(hidden, reverse=True)

    def token_vectors(self, ids: Tensor) -> Tensor:
        """The rows of the token table, `ids.shape + (embedding_dim,)`, not scaled."""
        return self._token_embedding(ids)

    def position_vectors(self, positions: Tensor) -> Tensor | None:
        """What is added at integer positions, `positions.shape + (embedding_dim,)`."""
        if self.positions is None:
            return None
        if self.positions == "learned":
            return self._position_embedding(positions)
        waves = functional.sinusoidal_positions(
            positions, self.embedding_dim, precise(self.compute_dtype)
        )
        return ops.cast(waves, self.compute_dtype)

    def logit_biases(self) -> Tensor | None:
        """The bias of the logits `(vocabulary_size,)`, if there is one."""
        return self._logits_bias if self.logits_bias else None

    def _embed(self, ids, start_index, positions):
        vectors = self.token_vectors(ids)
        if self.scale:
            vectors = vectors * self.embedding_dim**0.5
        if positions is None:
            start = functional.as_position(start_index)
            indices = start + ops.arange(ops.shape(ids)[1], dtype="int32")
        else:
            indices = functional.as_positions(positions, "positions")
        added = self.position_vectors(indices)
        return vectors if added is None else vectors + added

    def _check_ids(self, inputs, start_index, positions):
        dtype = backend.standardize_dtype(inputs.dtype)
        if self.vocabulary_size > _WHOLE_NUMBERS.get(dtype, math.inf):
            raise ValueError(
                "`inputs` must be integer token ids; give `keras.Input` an integer "
                "dtype, and let a `Sequential` begin with one. "
                f"Received: dtype={dtype}"
            )
        check_axes("batch, length", inputs=inputs.shape)
        length = inputs.shape[1]
        if positions is not None:
            functional.as_positions(positions, "positions")
            known = functional.visible_values(positions)
            if self.max_length is not None and known is not None and known.size:
                _check_range(self.max_length, known.min(), known.max())
            return
        start = start_index if isinstance(start_index, int | np.integer) else 0
        if None not in (length, self.max_length) and start + length > self.max_length:
            raise ValueError(
                "`inputs` must end before position `max_length`. Received: "
                f"length={length}, start_index={start}, max_length={self.max_length}"
            )


def _check_range(max_length, first, last):
    if not 0 <= first <= last < max_length:
        raise ValueError(
            f"`positions` must lie in 0 to {max_length - 1}. "
            f"Received: positions from {first} to {last}"
        )
