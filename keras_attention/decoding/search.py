"""What all searches have in common."""

import copy
import math
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_count,
    check_number,
    check_positive,
    check_positive_number,
    takes_numpy,
)
from keras_attention.decoding import compiled
from keras_attention.decoding.beginning import (
    Beginning,
    read_beginning,
    unread_beginning,
)
from keras_attention.decoding.constraints import Constraints
from keras_attention.decoding.hypotheses import Decoder, Hypotheses
from keras_attention.decoding.row_limits import (
    RowLimits,
    count_given,
    source_lengths,
)
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor


class Search:
    """A search over any model that encodes, starts and steps.

    A subclass has a `search` on tensors, and names its own arguments in `get_config`.
    What a search was made with stays, because what is compiled of it does.

    Args:
        max_length: the most ids of an output, its end id included.
        min_length: the fewest, likewise; a limit from above goes first.
        max_length_ratio: a limit beside `max_length`, in ids or vectors of the source.
        min_length_ratio: beside `min_length`, likewise.
        no_repeat_ngram_size: length of the runs of ids that no output holds twice; 0
            allows all.
        repetition_penalty: what the log-probability of an id is multiplied by that the
            output holds already (Keskar et al. 2019).
        suppressed_ids: ids that are never written, such as the unknown one.
        renormalize: whether what the rules leave has probabilities that sum to one, as
            where rules come before the softmax (CTranslate2); else they are those of
            the whole vocabulary (Hugging Face).
        jit_compile: whether calls are compiled by XLA, once for each shape of `source`.
            When left out, those of a `Translator` are, for few shapes, and others are
            not. Without effect on PyTorch, which has no XLA.
    """

    _prefix: Tensor | None = None  # of `with_prefix`

    @takes_numpy
    def __init__(
        self,
        max_length: int,
        *,
        min_length: int = 0,
        max_length_ratio: float | None = None,
        min_length_ratio: float = 0.0,
        no_repeat_ngram_size: int = 0,
        repetition_penalty: float = 1.0,
        suppressed_ids: Any = (),
        renormalize: bool = False,
        jit_compile: bool | None = None,
    ) -> None:
        check_positive(max_length=max_length)
        check_count(min_length=min_length)
        if max_length_ratio is not None:
            check_positive_number(max_length_ratio=max_length_ratio)
        check_number(0, math.inf, min_length_ratio=min_length_ratio)
        self.max_length = max_length
        self.min_length = min_length
        self.max_length_ratio = max_length_ratio
        self.min_length_ratio = min_length_ratio
        self.constraints = Constraints(
            no_repeat_ngram_size,
            repetition_penalty,
            _to_ids(suppressed_ids),
            renormalize,
        )
        self.constraints.check()
        self.jit_compile = jit_compile
        self._has_options = False
        self._max_length = max_length
        self._compiled = compiled.CompiledSearch(self, bool(jit_compile))

    def __setattr__(self, name: str, value: Any) -> None:
        is_set = name in vars(self) and not name.startswith("_")
        if is_set and not self.has_options:
            raise AttributeError(
                f"`{name}` of a search cannot be changed: make another "
                f"search. Received: {name}={value!r}"
            )
        super().__setattr__(name, value)

    def __call__(self, model: Any, source: Any, prefix: Any = None) -> Hypotheses:
        """Find outputs of a model.

        Args:
            model: has `encode`, `start` and `step`, as `Decoder` says.
            source: what the model encodes: int ids `(batch, source)`, padded with 0; or
                any nested structure of arrays whose first axis counts rows, such as
                `{"source": vectors, "source_mask": mask}`.
            prefix: int ids `(batch, prefix)`, padded with 0, with which outputs begin.

        Raises:
            ValueError: for ids that the model does not have, or arrays of rows that do
                not match.
        """
        return self._compiled(model, source, prefix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_length={self.max_length})"

    @property
    def has_options(self) -> bool:
        """Whether it is one of `with_options`."""
        return self._has_options

    @property
    def draws(self) -> bool:
        """Whether what it finds in a row depends on the rows beside it, by lot."""
        return False

    @property
    def is_random(self) -> bool:
        """Whether it finds something else each time."""
        return getattr(self, "seeds", None) is not None

    @property
    def width(self) -> int:
        """How many hypotheses of a source it follows at a time."""
        return 1

    @property
    def compiles_batches(self) -> bool:
        """Whether XLA is to compile it for batches of few shapes."""
        if self.jit_compile is None:
            return compiled.COMPILES and not self.draws
        return self.jit_compile

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Raises:
            ValueError: for a search of `with_options`, which has other ones.
        """
        if self.has_options:
            raise ValueError(
                "A search of `with_options` is for calls alone: to keep it, make one "
                f"with these arguments. Received: {self!r}"
            )
        return {
            "max_length": self.max_length,
            "min_length": self.min_length,
            "max_length_ratio": self.max_length_ratio,
            "min_length_ratio": self.min_length_ratio,
            **self.constraints._asdict(),
            "suppressed_ids": list(self.constraints.suppressed_ids),
            "jit_compile": self.jit_compile,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The search of that configuration."""
        return cls(**config)

    def options(self) -> dict[str, Any]:
        """What `with_options` may change, with what holds now."""
        return {"max_length": self._max_length}

    def with_options(self, **options: Any) -> Self:
        """The same search with other `options`.

        They are numbers or scalar tensors, `max_length` also one for each row. A graph
        can take them as inputs, and then serves for all of them. Its room stays that
        of this search: a larger `max_length` or `num_beams` counts as its own, and
        whatever else is out of range as the nearest possible. It is for calls alone:
        it has no configuration, and no `Translator` takes it.

        Raises:
            ValueError: for an option that is not among `options()`.
        """
        unknown = options.keys() - self.options().keys()
        if unknown:
            raise ValueError(
                f"{type(self).__name__} may be asked for {sorted(self.options())}. "
                f"Received: {sorted(unknown)}"
            )
        other = copy.copy(self)
        other._has_options = True
        other._compiled = compiled.CompiledSearch(other, bool(self.jit_compile))
        other._set_options(**options)
        return other

    def with_prefix(self, prefix: Tensor) -> Self:
        """The same search for outputs that begin with given ids; for calls alone.

        Args:
            prefix: int ids `(rows, prefix)`, padded with 0, as of the call; here
                `search_in_room` begins with them.
        """
        other = self.with_options()
        other._prefix = prefix
        return other

    def without_suppressed_ids(self) -> Self:
        """The same search, for calls with a model that never writes them anyway."""
        other = self.with_options()
        other.constraints = self.constraints._replace(suppressed_ids=())
        return other

    def _set_options(self, max_length: Any = None) -> None:
        if max_length is not None:
            self._max_length = clip(max_length, 1, self.max_length)

    def search(
        self,
        model: Decoder,
        source: Any,
        prefix: Tensor | None = None,
        given: int | None = None,
    ) -> Hypotheses:
        """The search itself, on tensors: call this inside a function of your own.

        Args:
            model: as in the call, likewise the next two.
            source: as in the call, of tensors.
            prefix: int ids `(batch, prefix)`, padded with 0.
            given: how many ids of prefix or prompt every row has at least, to be read
                in one pass; to be counted when left out, where a graph can.
        """
        raise NotImplementedError

    def search_in_room(
        self, model: Decoder, source: Any, room: int, departures: int = 0
    ) -> tuple[Hypotheses, Tensor]:
        """What `search` finds with caches for `room` ids, where these are enough.

        Attention is not recorded; `attend_to_outputs` computes it afterwards.

        Args:
            model: as in the call.
            source: as in the call, of tensors.
            room: how many ids outputs have here, at most `max_length`.
            departures: how often the rows that have ended leave; see
                `step_until_ended`.

        Returns:
            Outputs of `room` ids, and which rows `(batch,)` are those of `search`; the
            others need more room. A search that knows no rooms uses all.
        """
        found = self.search(model, source)._replace(attention=None)
        return found, ops.ones_like(found.lengths[:, 0], dtype="bool")

    def begin_in_room(
        self, model: Decoder, source: Any, room: int, with_attention: bool = False
    ) -> tuple[Beginning, RowLimits]:
        """What `search_in_room` begins with.

        The width of the attention is known after the first step alone. Without
        attention that step is one of the loop's, and half as much is to be compiled.
        """
        if with_attention or hasattr(model, "prompt"):
            beginning, limits = self.begin(model, source, self._prefix, room=room)
            if not with_attention:
                beginning = beginning._replace(attention=None)
            return beginning, limits
        limits = RowLimits(*self.limits(source), self._prefix, None)
        state = model.start(model.encode(source), room)
        rows = functional.size(limits.max_length, 0)
        return unread_beginning(model, state, rows, room), limits

    def limits(self, source: Any) -> tuple[Tensor | None, Tensor]:
        """The fewest and the most ids of each row, `(rows,)`; `None` for any."""
        size = ops.cast(source_lengths(source), "float32")
        max_length = ops.ones_like(size) * ops.cast(self._max_length, size.dtype)
        if self.max_length_ratio is not None:
            relative = ops.maximum(_up(self.max_length_ratio * size), 1)
            max_length = ops.minimum(max_length, relative)
        min_length = None
        if self.min_length > 1 or self.min_length_ratio:
            relative = _up(self.min_length_ratio * size)
            min_length = ops.cast(ops.maximum(relative, self.min_length), "int32")
        return min_length, ops.cast(max_length, "int32")

    def begin(
        self,
        model: Decoder,
        source: Any,
        prefix: Tensor | None = None,
        given: int | None = None,
        room: int | None = None,
    ) -> tuple[Beginning, RowLimits]:
        """Encode the source, and read what outputs are given to begin with.

        There is room for as many ids, or for `max_length`.
        """
        room = self.max_length if room is None else room
        memory = model.encode(source)
        state = model.start(memory, room)
        prompt = model.prompt(memory) if hasattr(model, "prompt") else None
        limits = RowLimits(*self.limits(source), prefix, prompt)
        if given is None:
            given = self._count_given(limits, room)
        if given is not None:
            least = min if isinstance(given, int) else ops.minimum
            given = least(given, room - 1)
        return read_beginning(model, state, limits, room, given), limits

    def _count_given(self, limits, room):
        given = limits.given(room)
        if given is None:
            return None
        known = functional.visible_values(given)
        if known is not None:
            return int(np.cumprod((known != PAD).all(axis=0)).sum())
        # Of a graph of TensorFlow, what it reads may have a size that it finds out;
        # that is asked of models with prompts alone.
        is_found_out = keras.backend.backend() == "tensorflow" and not self.jit_compile
        if limits.prompt is None or not is_found_out:
            return None
        return count_given(given)

    def allow(
        self,
        log_probs: Tensor,
        ids: Tensor,
        index: int | Tensor,
        limits: RowLimits,
        special: SpecialIds,
    ) -> Tensor:
        """Make impossible what may not follow.

        Args:
            log_probs: `(rows, vocabulary)`, of what may follow.
            ids: `(rows, length)`, what was written, then anything.
            index: how many ids were written.
            limits: of the rows.
            special: the ids of the model.
        """
        log_probs = self.constraints.apply(
            log_probs, ids, index, special, limits.min_length, limits.forced(index)
        )
        if (certain := limits.certain(index)) is not None:
            log_probs = _force(log_probs, ops.expand_dims(certain, 1))
        return log_probs


def _to_ids(suppressed_ids):
    if not np.iterable(suppressed_ids):
        raise ValueError(
            "`suppressed_ids` must be a list of ids. "
            f"Received: suppressed_ids={suppressed_ids!r}"
        )
    return tuple(np.asarray([*suppressed_ids]).tolist())


def _up(lengths):
    """The next whole number, but for what rounding has put above one."""
    return ops.ceil(lengths - 1e-4)


def _force(log_probs, ids):
    """Give ids `(rows, 1)` a probability of one, where there is one."""
    vocabulary = ops.arange(ops.shape(log_probs)[-1], dtype="int32")
    alone = ops.where(ops.equal(vocabulary, ids), 0.0, -np.inf)
    alone = ops.cast(alone, log_probs.dtype)
    return ops.where(ops.equal(ids, PAD), log_probs, alone)


def clip(value: Any, least: int, most: Any) -> Tensor:
    """A number, or a tensor, as the nearest integer tensor between two bounds."""
    return ops.clip(ops.convert_to_tensor(value, "int32"), least, most)
