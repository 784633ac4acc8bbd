"""Keys that know how much they were attended to (Tu et al. 2016)."""

from typing import Any

import keras
from keras import ops

from keras_attention.layers.projection import apply_dense, build_dense
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

COVERAGES = ("sum", "fertility")
# A source word is translated by at most as many target words (Tu et al. 2016).
LARGEST_FERTILITY = 2


class Coverage(keras.layers.Layer):
    """The part of `Attention` that adds to projected keys what was attended to.

    Args:
        kind: one of `COVERAGES`.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def build(self, key_shape, projected_width):
        # saved files have it under this name
        self._told = build_dense(
            self, "told", projected_width, (None, 1), use_bias=False
        )
        if self.kind == "fertility":
            self._fertility = build_dense(
                self, "fertility", 1, key_shape, activation="sigmoid"
            )

    def fertility(self, key: Tensor) -> Tensor:
        """How often each key wants to be attended to: `(batch, source)`."""
        fertility = apply_dense(self._fertility, key)[..., 0]
        fertility = ops.cast(fertility, precise(self.compute_dtype))
        return LARGEST_FERTILITY * ops.maximum(fertility, 1e-3)

    def add_coverage(
        self, projected_key: Tensor, covered: Tensor, fertility: Tensor | None
    ) -> Tensor:
        """Keys that know the sum of their weights so far.

        Args:
            projected_key: `(batch, source, dim)`.
            covered: the sum `(batch, source)`.
            fertility: of the method of that name.

        Returns:
            Shaped as `projected_key`.
        """
        share = covered if fertility is None else covered / fertility
        share = ops.cast(ops.expand_dims(share, -1), projected_key.dtype)
        return projected_key + apply_dense(self._told, share)
