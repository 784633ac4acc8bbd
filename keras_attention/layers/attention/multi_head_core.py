"""Attention of several heads to keys and values, over one axis or several."""

from keras import ops

from keras_attention import functional
from keras_attention.layers.attention.multi_head_projections import (
    Cache,
    HeadProjections,
)
from keras_attention.layers.positions.distance_bias import DistanceBias
from keras_attention.tensor import Tensor


class HeadAttention(HeadProjections):
    """The computation of `MultiHeadAttention`, on arguments that it has checked."""

    def _attend(
        self,
        query,
        value,
        key,
        query_mask,
        key_mask,
        pair_mask,
        return_attention_scores,
        training,
        use_causal_mask,
        cache=None,
        cache_index=None,
        positions=(None, None),
    ):
        """Attend within sequences, `(batch, length, dim)`."""
        if self.flash_attention and return_attention_scores:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Received: return_attention_scores=True, flash_attention=True"
            )
        if cache_index is not None:
            cache_index = functional.as_position(cache_index, "cache_index")
        start = 0 if cache_index is None else cache_index
        query_positions, key_positions = positions
        memory = self._memory(value, key, cache, cache_index, key_positions)
        is_counted = query_positions is None and key_positions is None
        weighs_all = return_attention_scores or not (
            is_counted or self._distance_bias is None
        )
        context, weights = self._attend_to(
            memory,
            self._project_query(query, start, query_positions),
            rules=functional.PairRules(
                use_causal_mask or cache_index is not None,
                self.sliding_window,
                self.soft_cap,
                self.dropout,
            ),
            query_mask=query_mask,
            key_mask=key_mask,
            pair_mask=pair_mask,
            distance_bias=self._bias_of(query, memory, start, is_counted),
            query_start=start,
            query_positions=query_positions,
            key_positions=key_positions,
            seeds=self._draw_seeds(query, memory, training),
            chunk_size=None if weighs_all else self.chunk_size,
            fused=bool(self.flash_attention),
            compute_weights=self.compute_attention_weights,
            is_cached=cache is not None,
        )
        output = self._project_context(context, query)
        results = (output, weights) if return_attention_scores else (output,)
        if cache_index is not None:
            results = (*results, memory)
        return results if len(results) > 1 else output

    def _attend_to(self, memory, query, is_cached, **options):
        """Context and weights of queries by heads: what depends on what is cached."""
        return functional.dot_product_attention(
            query, memory["key"], memory["value"], **options
        )

    def _attend_over_axes(
        self, query, value, key, query_mask, key_mask, pair_mask, **options
    ):
        """Attend as over sequences, with the other axes as part of the batch."""
        tensors = {"query": query, "value": value, "key": key}
        masks = {"query_mask": query_mask, "key_mask": key_mask}
        folded = {
            name: None if part is None else functional.fold(part, self._axes, trailing)
            for parts, trailing in ((tensors, 1), (masks, 0))
            for name, part in parts.items()
        }
        if pair_mask is not None:
            pair_mask = functional.fold_pairs(pair_mask, query, value, self._axes)
        results = self._attend(**folded, pair_mask=pair_mask, **options)
        if not options["return_attention_scores"]:
            return functional.unfold(results, query, self._axes)
        output, weights = results
        return (
            functional.unfold(output, query, self._axes),
            functional.unfold_weights(weights, query, value, self._axes),
        )

    def _memory(self, value, key, cache, cache_index, positions):
        """Projected keys and values: of the arguments, a cache, or both."""
        if cache is None:
            return self.project_memory(value, key, positions=positions)
        if cache_index is None:
            return cache
        if positions is not None:
            count = ops.shape(value)[1]
            written = cache_index + ops.arange(count, dtype="int32")
            positions = ops.take(positions, written, axis=-1)
        new = self.project_memory(value, key, cache_index, positions)
        return {
            name: functional.write_at(
                part, ops.cast(new[name], part.dtype), cache_index, 2
            )
            for name, part in cache.items()
        }

    @property
    def _distance_bias(self):
        return self.position if isinstance(self.position, DistanceBias) else None

    def _bias_of(self, query, memory, start, is_counted):
        """The bias of scores, by a table of distances where these are known."""
        if self._distance_bias is None:
            return None
        if not is_counted:
            return self._distance_bias.bias
        target, source = ops.shape(query)[1], ops.shape(memory["key"])[2]
        count = functional.at_least_one(target + source - 1)
        first = 1 - target - start
        distances = ops.arange(count, dtype="int32") + first
        return functional.DistanceTable(self._distance_bias.bias(distances), first)

    def _draw_seeds(self, query, memory, training):
        if not training or not self.dropout:
            return None
        batch, target, _ = ops.shape(query)
        source = ops.shape(memory["key"])[2]
        return functional.pair_seeds(batch, self.num_heads, target, source, self._seeds)

    def _weights_shape(self, query, value, cache):
        if cache is not None:
            sources = [cache["key"].shape[2]]
        else:
            sources = [value.shape[axis] for axis in self._axes]
        outer = [
            size for axis, size in enumerate(query.shape[:-1]) if axis not in self._axes
        ]
        targets = [query.shape[axis] for axis in self._axes]
        return (*outer, self.num_heads, *targets, *sources)


def source_mask(
    cache: Cache | None,
    value: Tensor | None,
    key: Tensor | None,
    value_mask: Tensor | None,
    key_mask: Tensor | None,
) -> Tensor | None:
    """A mask as long as what is attended to: the values, or a cache in their place."""
    key = value if key is None else key
    if cache is None:
        return functional.combine_masks(
            functional.position_mask(value, value_mask=value_mask),
            functional.position_mask(key, key_mask=key_mask),
        )
    # Keras puts an implicit mask into an argument left out; it covers no past.
    masks = {
        name: None if mask is functional.implicit_mask(source) else mask
        for name, mask, source in (
            ("value_mask", value_mask, value),
            ("key_mask", key_mask, key),
        )
    }
    batch, _, length, _ = cache["key"].shape
    return functional.sequence_mask((batch, length), **masks)
