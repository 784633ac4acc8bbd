"""Random outputs."""

from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import (
    check_count,
    check_number,
    check_positive,
    check_positive_number,
    takes_numpy,
)
from keras_attention.decoding.hypotheses import Decoder, Hypotheses
from keras_attention.decoding.stepwise import StepwiseSearch
from keras_attention.tensor import Tensor

_LEAST_TEMPERATURE, _MOST_TEMPERATURE = 1e-3, 1e6


@keras.saving.register_keras_serializable("keras_attention", name="Sampling")
class Sampling(StepwiseSearch):
    """Draw each id by its probability, of all or of the most probable ones.

    The limits hold one after the other, in the order in which they stand here.

    Args:
        max_length: the most ids of an output, its end id included.
        temperature: what the logits are divided by; below 1 probable ids become more
            probable still.
        top_k: draw of so many most probable ids (Fan et al. 2018).
        top_p: draw of the fewest most probable ids that have this probability together
            (Holtzman et al. 2020).
        seed: integer; each call draws the same then, and so does each batch of a
            `Translator`, though another when compiled by XLA than when not. Without it
            each call draws something else; in a SavedModel, the draws begin again each
            time that it is loaded.
        min_p: draw of the ids that have this share of the highest probability (Nguyen
            et al. 2024).
        num_samples: number of outputs of each source.
        **options: of `Search`.

    Call arguments:
        model: a `Seq2Seq`, or anything with its `encode`, `start` and `step`.
        source: int ids `(batch, source)`, padded with 0.
        prefix: int ids `(batch, prefix)`, padded with 0, with which each output begins.

    Returns:
        `Hypotheses` of NumPy arrays, `num_samples` a row, the most probable first; the
        score is the log-probability, before temperature and limits.

    Raises:
        ValueError: for an option or ids that are out of range.

    Example:
    >>> import numpy as np
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> draw = Sampling(max_length=5, top_p=0.9, num_samples=3, seed=7)
    >>> draw(model, np.array([[4, 5, 3]])).ids.shape
    (1, 3, 5)
    """

    @takes_numpy
    def __init__(
        self,
        max_length: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        *,
        min_p: float = 0.0,
        num_samples: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(max_length, **options)
        check_positive_number(temperature=temperature)
        check_positive(num_samples=num_samples)
        if top_k is not None:
            check_positive(top_k=top_k)
        if top_p is not None:
            check_number(0, 1, top_p=top_p)
            check_positive_number(top_p=top_p)
        check_number(0, 1, min_p=min_p)
        if seed is not None:
            check_count(seed=seed)
        self.temperature: Any = float(temperature)
        self.top_k = top_k
        self.top_p = top_p
        self.min_p: Any = float(min_p)
        self.num_samples = num_samples
        self.seed = seed
        self.seeds = keras.random.SeedGenerator() if seed is None else None

    @property
    def draws(self) -> bool:
        """As of `Search`: each row of a batch has numbers of its own."""
        return True

    @property
    def width(self) -> int:
        """How many hypotheses of a source it follows at a time."""
        return self.num_samples

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "min_p": self.min_p,
            "num_samples": self.num_samples,
            "seed": self.seed,
        }

    def options(self) -> dict[str, Any]:
        """What `with_options` may change, with what holds now."""
        return {
            **super().options(),
            "temperature": self.temperature,
            "min_p": self.min_p,
        }

    def _set_options(
        self, max_length: Any = None, temperature: Any = None, min_p: Any = None
    ) -> None:
        super()._set_options(max_length)
        # What is out of range, or not a number, goes to the nearest that is possible.
        if temperature is not None:
            is_enough = temperature > _LEAST_TEMPERATURE
            bounded = ops.minimum(temperature, _MOST_TEMPERATURE)
            self.temperature = ops.where(is_enough, bounded, _LEAST_TEMPERATURE)
        if min_p is not None:
            self.min_p = ops.where(min_p > 0, ops.minimum(min_p, 1.0), 0.0)

    def search(
        self,
        model: Decoder,
        source: Any,
        prefix: Tensor | None = None,
        given: int | None = None,
    ) -> Hypotheses:
        """The search itself, on tensors; as in `Search`."""
        beginning, limits = self.begin(model, source, prefix, given)
        count = self.num_samples
        rows = ops.shape(beginning.lengths)[0]
        chance = keras.random.uniform(
            (rows * count, self.max_length),
            seed=self.seed if self.seeds is None else self.seeds,
        )
        if count == 1:
            return self.write(model, beginning, limits, chance)[0]
        beginning = beginning.expand(model, count)
        found, _ = self.write(model, beginning, limits.repeat(count), chance)
        _, order = ops.top_k(ops.reshape(found.scores, (-1, count)), count)
        places = ops.reshape(
            order + count * ops.expand_dims(ops.arange(rows, dtype="int32"), 1), (-1,)
        )
        return Hypotheses(
            *(
                part
                if part is None
                else ops.reshape(
                    ops.take(part, places, axis=0), (-1, count, *ops.shape(part)[2:])
                )
                for part in found
            )
        )

    def choose(self, log_probs, chance, index):
        ids = None
        if self.top_k is not None or self.top_p is not None:
            size = ops.shape(log_probs)[-1]
            least = min if isinstance(size, int) else ops.minimum
            log_probs, ids = ops.top_k(log_probs, least(self.top_k or size, size))
        # In shares of the highest. PyTorch's `ops.max` takes no empty batch.
        highest = ops.amax(log_probs, axis=-1, keepdims=True)
        temperature = ops.cast(self.temperature, log_probs.dtype)
        shares = ops.exp((log_probs - highest) / temperature)
        if self.top_p is not None and self.top_p < 1:
            before = ops.cumsum(shares, axis=-1) - shares
            enough = self.top_p * ops.sum(shares, axis=-1, keepdims=True)
            shares = ops.where(before < enough, shares, 0.0)
        shares = ops.where(shares >= ops.cast(self.min_p, shares.dtype), shares, 0.0)
        place = _draw(shares, ops.take(chance, index, axis=1))
        if ids is None:
            return place
        return ops.take_along_axis(ids, ops.expand_dims(place, 1), axis=1)[:, 0]


def _draw(shares, chance):
    """A place in each row by its share of the sum; `chance` is from 0 to 1."""
    reached = ops.cumsum(shares, axis=-1)
    total = reached[:, -1:]
    chance = ops.cast(ops.expand_dims(chance, 1), shares.dtype)
    passed = reached <= chance * total
    # Rounding must not lead past the last place that has a share.
    return ops.minimum(
        ops.sum(ops.cast(passed, "int32"), axis=1),
        ops.sum(ops.cast(reached < total, "int32"), axis=1),
    )
