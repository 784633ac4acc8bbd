"""Training a decoder on what it writes itself (Bengio et al. 2015)."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

Step = Callable[[Tensor, Any, Any], tuple[Tensor, Any, Tensor | None]]


class ScheduledSampling(keras.layers.Layer):
    """Reads a target id by id, some of them replaced by what the model draws.

    Args:
        probability: of reading the true id; a number, or a schedule over the number of
            calls.
        seed: of the draws.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: for a probability that is none.
    """

    def __init__(
        self, probability: Any, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        is_number = isinstance(probability, int | float)
        if not callable(probability) and not (is_number and 0 <= probability <= 1):
            raise ValueError(
                "`scheduled_sampling` must be a probability or a schedule. "
                f"Received: scheduled_sampling={probability!r}"
            )
        self.probability = probability
        self._seeds = keras.random.SeedGenerator(seed)
        self._calls = self.add_weight(
            name="calls",
            shape=(),
            initializer="zeros",
            dtype="int32",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.built = True

    def read(self, step: Step, state: Any, target: Tensor) -> Tensor:
        """Run the steps of a decoder.

        Args:
            step: as of `Seq2Seq`.
            state: of its `start`; of a `StepState`, the constant part stays outside of
                the loop.
            target: ids `(batch, target)`; the first one is always the true one.

        Returns:
            Logits `(batch, target, vocabulary)`.
        """
        target = ops.cast(target, "int32")
        shape = ops.shape(target)
        constant, recurrent = None, state
        if isinstance(state, functional.StepState):
            constant, recurrent = state
        draws, chances = (
            keras.random.uniform(shape, dtype=precise(), seed=self._seeds)
            for _ in range(2)
        )
        reads_true = ops.less(chances, self._current_probability())
        first = ops.equal(ops.arange(shape[1], dtype="int32"), 0)
        reads_true = ops.logical_or(reads_true, first)  # (B, T)

        def advance(inputs, states):
            index, drawn, *tensors = states
            true, reads_true, draw = (part[:, 0] for part in inputs)
            ids = ops.where(reads_true, true, drawn)
            before = keras.tree.pack_sequence_as(recurrent, tensors)
            if constant is not None:
                before = functional.StepState(constant, before)
            logits, after, _ = step(ids, before, index)
            if constant is not None:
                after = after.recurrent
            tensors = keras.tree.flatten(after)
            return logits, [index + 1, _draw(logits, draw), *tensors]

        logits, _ = functional.run_recurrence(
            advance,
            [ops.expand_dims(part, -1) for part in (target, reads_true, draws)],
            [
                ops.convert_to_tensor(0, "int32"),
                target[:, 0],
                *keras.tree.flatten(recurrent),
            ],
        )
        return logits

    def _current_probability(self):
        if not callable(self.probability):
            return self.probability
        current = self.probability(self._calls)
        self._calls.assign_add(1)
        return ops.cast(current, precise())


def check_decoder(decoder: keras.layers.Layer) -> None:
    """Raise unless a decoder is trained by steps."""
    methods = [getattr(decoder, name, None) for name in ("start", "step")]
    takes_training = all(
        callable(method) and "training" in inspect.signature(method).parameters
        for method in methods
    )
    if not takes_training:
        raise ValueError(
            "`scheduled_sampling` needs a decoder whose `start` and `step` take "
            f"`training`, such as a recurrent one. Received: decoder={decoder!r}"
        )


def _draw(logits: Tensor, chance: Tensor) -> Tensor:
    """Ids `(B,)` by their probabilities, from one uniform number a row."""
    # Never padding, which is the first id.
    probabilities = ops.softmax(logits[:, 1:])
    chance = ops.cast(ops.expand_dims(chance, -1), probabilities.dtype)
    passed = ops.cumsum(probabilities, axis=-1) < chance
    drawn = ops.cast(1 + ops.sum(ops.cast(passed, "int32"), axis=-1), "int32")
    return ops.minimum(drawn, logits.shape[-1] - 1)
