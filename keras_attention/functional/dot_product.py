"""Scaled dot-product attention of several heads, at once or in chunks of queries.

Further axes: `P` chunks, `C` target positions of a chunk, `R` source positions that it
can reach.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.functional.attend import attend, masked_softmax
from keras_attention.functional.dropout import Seeds, drop_pairs
from keras_attention.functional.masks import combine_masks
from keras_attention.functional.scores import grouped_scores
from keras_attention.functional.sequences import at_least_one, pad_to_one
from keras_attention.functional.shapes import size
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

ComputeWeights = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class PairRules:
    """What positions and scores decide about a pair of a query and a key.

    Attributes:
        causal: whether a query sees only keys at its own position and before it.
        window: how far a query sees: keys at less than this distance; `None` for any.
        soft_cap: bound that scores approach by a hyperbolic tangent (Gemma Team 2024);
            `None` for none.
        dropout: rate at which weights are dropped, where there are seeds.
    """

    causal: bool = False
    window: int | None = None
    soft_cap: float | None = None
    dropout: float = 0.0

    @property
    def bounded(self) -> bool:
        """Whether positions forbid some pairs."""
        return self.causal or self.window is not None

    def visible(self, distance: Tensor) -> Tensor:
        """Whether a key may be seen at a distance, its position minus the query's."""
        return combine_masks(
            ops.less_equal(distance, 0) if self.causal else None,
            None if self.window is None else ops.less(ops.abs(distance), self.window),
        )

    def cap(self, scores: Tensor) -> Tensor:
        """Keep scores below the bound."""
        if self.soft_cap is None:
            return scores
        return self.soft_cap * ops.tanh(scores / self.soft_cap)

    @property
    def reach(self) -> tuple[int, int] | None:
        """How many positions a query sees behind and ahead of its own, if bounded."""
        if self.window is None:
            return None
        return self.window - 1, 0 if self.causal else self.window - 1


class DistanceTable(NamedTuple):
    """A bias of scores for each distance, a key's position minus the query's.

    Attributes:
        values: `(heads, distances)`, for distances that follow one another.
        first: the first of them.
    """

    values: Tensor
    first: Any


def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rules: PairRules = PairRules(),
    *,
    query_mask: Tensor | None = None,
    key_mask: Tensor | None = None,
    pair_mask: Tensor | None = None,
    distance_bias: DistanceTable | Callable[[Tensor], Tensor] | None = None,
    query_start: Any = 0,
    query_positions: Tensor | None = None,
    key_positions: Tensor | None = None,
    seeds: Seeds | None = None,
    chunk_size: int | None = None,
    fused: bool = False,
    compute_weights: ComputeWeights = masked_softmax,
) -> tuple[Tensor, Tensor | None]:
    """Attention of each query to the keys that masks and rules leave to it.

    With a `chunk_size`, that many queries are weighed at a time, and weighed once more
    for the gradients instead of keeping the weights (Rabe and Staats 2021): memory
    grows linearly with the length. With a window as well, a chunk is weighed against
    the keys in its reach only, and so time grows linearly too.

    Args:
        query: `(batch, heads, target, dim)`.
        key: `(batch, key_value_heads, source, dim)`.
        value: `(batch, key_value_heads, source, value_dim)`.
        rules: about positions, scores and dropout.
        query_mask: boolean `(batch, target)`.
        key_mask: boolean `(batch, source)`.
        pair_mask: boolean, four axes that broadcast to
            `(batch, heads, target, source)`.
        distance_bias: added to scores: a table that holds every distance which is not
            masked; or, without chunks, a function from distances to `(heads, ...)`.
        query_start: position of the first query.
        query_positions: integers `(target,)` or `(batch, target)`; counted from
            `query_start` when left out.
        key_positions: integers `(source,)` or `(batch, source)`; counted from 0 when
            left out.
        seeds: of the dropout, from `pair_seeds`; `None` drops nothing.
        chunk_size: number of queries weighed at a time; all when left out.
        fused: whether to use the backend's fused attention, which takes no bias, cap
            or dropout, no chunks and no `compute_weights`.
        compute_weights: from scores `(batch, heads, target, source)`, float32 or
            float64, and a boolean mask that broadcasts to them, or `None`, to the
            weights.

    Returns:
        Context `(batch, heads, target, value_dim)`; the weights
        `(batch, heads, target, source)`, `None` with a `chunk_size` or `fused`.
    """
    pairs = _Pairs(
        target=size(query, 2),
        source=size(key, 2),
        query_start=query_start,
        query_positions=_as_int32(query_positions),
        key_positions=_as_int32(key_positions),
        rules=rules,
        query_mask=query_mask,
        key_mask=key_mask,
        pair_mask=pair_mask,
        distance_bias=distance_bias,
        compute_weights=compute_weights,
    )
    if fused:
        return _attend_fused(query, key, value, pairs), None
    bias = distance_bias.values if isinstance(distance_bias, DistanceTable) else None
    if chunk_size is None:
        return _attend(query, key, value, bias, pairs, seeds)
    return _attend_in_chunks(query, key, value, bias, pairs, seeds, chunk_size), None


@dataclass(frozen=True)
class _Pairs:
    """What masks and rules say of all pairs, or of some rows and columns of them.

    `row` and `column` are indices of queries `(C,)` and of keys `(R,)`; `None` stands
    for all of them.
    """

    target: int | Tensor
    source: int | Tensor
    query_start: Any
    query_positions: Tensor | None
    key_positions: Tensor | None
    rules: PairRules
    query_mask: Tensor | None
    key_mask: Tensor | None
    pair_mask: Tensor | None
    distance_bias: DistanceTable | Callable[[Tensor], Tensor] | None
    compute_weights: ComputeWeights

    def distance(self, row: Tensor | None, column: Tensor | None) -> Tensor:
        """Position of the key minus that of the query, `(C, R)` or `(B, 1, C, R)`."""
        query = self.query_positions
        if query is None:
            row = ops.arange(self.target, dtype="int32") if row is None else row
            query = row + self.query_start
        else:
            query = _select(query, row, -1)
        key = self.key_positions
        if key is None:
            key = ops.arange(self.source, dtype="int32") if column is None else column
        else:
            key = _select(key, column, -1)
        distance = ops.expand_dims(key, -2) - ops.expand_dims(query, -1)
        return distance if len(distance.shape) == 2 else ops.expand_dims(distance, 1)

    def mask(self, row: Tensor | None, column: Tensor | None) -> Tensor | None:
        """What may be attended to, broadcasting to `(B, N, C, R)`."""
        query_mask = _select(self.query_mask, row, 1)
        key_mask = _select(self.key_mask, column, 1)
        by_position = None
        if self.rules.bounded:
            by_position = self.rules.visible(self.distance(row, column))
        return combine_masks(
            by_position,
            None if column is None else self._exists(column),
            # Slicing with `None` is no operation of LiteRT's own.
            None if query_mask is None else ops.expand_dims(query_mask, (1, 3)),
            None if key_mask is None else ops.expand_dims(key_mask, (1, 2)),
            _select(_select(self.pair_mask, row, 2), column, 3),
        )

    def bias(
        self, values: Tensor | None, row: Tensor | None, column: Tensor | None
    ) -> Tensor | None:
        """What is added to scores, broadcasting to `(B, N, C, R)`, or `None`.

        The values of a table are handed over, as they have gradients.
        """
        if self.distance_bias is None:
            return None
        distance = self.distance(row, column)
        if isinstance(self.distance_bias, DistanceTable):
            # Outside of the table are only pairs that are masked or cut off.
            found = _take(values, distance - self.distance_bias.first, 1)
        else:
            found = self.distance_bias(distance)
        if len(distance.shape) == 2:
            return found  # (N, C, R)
        return ops.moveaxis(ops.squeeze(found, 2), 0, 1)

    @property
    def reach(self) -> tuple[int, int] | None:
        """As of the rules, where positions follow one another as keys do."""
        is_counted = self.query_positions is None and self.key_positions is None
        return self.rules.reach if is_counted else None

    def _exists(self, column: Tensor) -> Tensor:
        return ops.logical_and(column >= 0, column < self.source)


def _attend(query, key, value, table, pairs, seeds, row=None, column=None):
    """Context and weights of all pairs, or of some rows and columns."""
    scores = ops.cast(grouped_scores(query, key), precise(query.dtype))
    scores = pairs.rules.cap(scores)  # (B, N, C, R)
    bias = pairs.bias(table, row, column)
    if bias is not None:
        scores = scores + ops.cast(bias, scores.dtype)
    weights = pairs.compute_weights(scores, pairs.mask(row, column))
    weights = ops.cast(weights, value.dtype)
    if seeds is None:
        return attend(weights, value), weights
    seeds = _select(seeds[0], row, 2), _select(seeds[1], column, 2)
    rate = pairs.rules.dropout
    context = attend(drop_pairs(weights, seeds, rate), value)
    # Scaled are not the weights: there are more of them.
    return context * (1 / (1 - rate)), weights


def _attend_fused(query, key, value, pairs):
    """Context, by the kernel of the backend."""
    mask = pairs.mask(None, None)
    heads_last = (ops.swapaxes(tensor, 1, 2) for tensor in (query, key, value))
    context = ops.dot_product_attention(*heads_last, mask=mask, flash_attention=True)
    context = ops.swapaxes(context, 1, 2)
    if mask is None:
        return context
    return ops.where(ops.any(mask, axis=-1, keepdims=True), context, 0)


def _attend_in_chunks(query, key, value, bias, pairs, seeds, size):
    """Context, from one chunk of rows after another."""
    # With no query, a chunk all the same: a loop needs a first step.
    starts = _starts(at_least_one(pairs.target), size)
    row = starts + ops.arange(size, dtype="int32")  # (P, C)
    chunks = {"row": row, "query": _gather(query, row)}
    reach = pairs.reach
    if reach is not None:
        behind, ahead = reach
        reached = ops.arange(-behind, size + ahead, dtype="int32")
        column = row[:, :1] + pairs.query_start + reached  # (P, R)
        chunks |= {
            "column": column,
            "key": _gather(key, column),
            "value": _gather(value, column),
        }

    def run(chunk):
        row, column = chunk["row"], chunk.get("column")

        # Only what has gradients is an argument, as TensorFlow's way of computing
        # again takes no boolean.
        @keras.remat
        def attend_once(*tensors):
            query, key, value, *rest = tensors
            bias = rest[0] if rest else None
            return _attend(query, key, value, bias, pairs, seeds, row, column)[0]

        tensors = chunk["query"], chunk.get("key", key), chunk.get("value", value)
        return attend_once(*tensors, *(() if bias is None else (bias,)))

    contexts = ops.map(run, chunks)  # (P, B, N, C, H)
    contexts = ops.transpose(contexts, (1, 2, 0, 3, 4))
    batch, heads, count, _, dim = ops.shape(contexts)
    joined = ops.reshape(contexts, (batch, heads, count * size, dim))
    return joined[:, :, : pairs.target]


def _as_int32(positions: Tensor | None) -> Tensor | None:
    return None if positions is None else ops.cast(positions, "int32")


def _starts(length: int | Tensor, size: int) -> Tensor:
    return ops.expand_dims(ops.arange(0, length, size, dtype="int32"), 1)


def _gather(tensor: Tensor, index: Tensor) -> Tensor:
    """Positions of `(B, N, L, H)` by an index `(P, C)`: `(P, B, N, C, H)`."""
    return ops.transpose(_take(tensor, index, 2), (2, 0, 1, 3, 4))


def _select(mask: Tensor | None, index: Tensor | None, axis: int) -> Tensor | None:
    """Entries of a mask along an axis, of all that there are if the index is `None`."""
    if mask is None or index is None or mask.shape[axis] == 1:
        return mask
    return _take(mask, index, axis)


def _take(tensor: Tensor, index: Tensor, axis: int) -> Tensor:
    """Entries along an axis, the nearest ones to an index beyond its ends."""
    tensor = pad_to_one(tensor, axis)
    return ops.take(tensor, ops.clip(index, 0, size(tensor, axis) - 1), axis=axis)
