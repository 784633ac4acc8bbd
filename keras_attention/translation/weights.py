"""The variables of a model as few tensors."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class Weights:
    """The variables of a model as graphs read them, by few tensors.

    Each tensor costs time at every call of a program, and a model has more vectors than
    matrices. So those of one axis at most lie in one variable for each dtype, as they
    are now.

    Args:
        variables: of the model; states of seeds are left out.

    Attributes:
        resources: variables of TensorFlow that hold all.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        read = [one for one in variables if "seed_generator_state" not in one.path]
        large = [one for one in read if len(one.shape) > 1]
        small: dict[str, list[Any]] = {}
        for one in read:
            if len(one.shape) < 2:
                small.setdefault(one.dtype, []).append(one)
        self._large, self._small = large, [*small.values()]
        packed = [
            tf.Variable(
                tf.concat([tf.reshape(one.value, [-1]) for one in group], axis=0),
                trainable=False,
            )
            for group in self._small
        ]
        self.resources = [*(one.value for one in large), *packed]

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """Of the tensors."""
        return [tf.TensorSpec(one.shape, one.dtype) for one in self.resources]

    def read(self) -> list[tf.Tensor]:
        """The tensors."""
        return [
            tf.raw_ops.ReadVariableOp(resource=one.handle, dtype=one.dtype)
            for one in self.resources
        ]

    def bundle(self) -> tf.Tensor:
        """One tensor that holds all of them, for graphs within graphs."""
        return tf.raw_ops.OptionalFromValue(components=self.read())

    def unbundle(self, bundle: tf.Tensor) -> list[tf.Tensor]:
        """The tensors that one holds."""
        return tf.raw_ops.OptionalGetValue(
            optional=bundle,
            output_types=[spec.dtype for spec in self.specs],
            output_shapes=[spec.shape for spec in self.specs],
        )

    def by_variable(self, tensors: Sequence[tf.Tensor]) -> list[tuple[Any, tf.Tensor]]:
        """Each variable of the model, and what tensors give for it."""
        count = len(self._large)
        found = [*zip(self._large, tensors[:count], strict=True)]
        for group, packed in zip(self._small, tensors[count:], strict=True):
            sizes = [one.shape.num_elements() for one in group]
            parts = tf.split(packed, sizes)
            found += [
                (one, tf.reshape(part, one.shape))
                for one, part in zip(group, parts, strict=True)
            ]
        return found
