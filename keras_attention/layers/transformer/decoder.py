"""One block of a Transformer decoder."""

from typing import Any

import keras

from keras_attention import functional
from keras_attention.argument_checks import SEQUENCE, check_axes, takes_numpy
from keras_attention.layers.transformer.decoder_steps import DecoderSteps


@keras.saving.register_keras_serializable("keras_attention", name="TransformerDecoder")
class TransformerDecoder(DecoderSteps):
    """Causal self-attention, attention to a memory, feed-forward (Vaswani et al. 2017).

    Called without `encoder_sequence` it is a block of a decoder-only model; a block is
    built, by its first call, with the attention to a memory or without it.

    Args:
        intermediate_dim: width of the hidden layer of the feed-forward network; not
            needed beside a `feed_forward`.
        num_heads: number of attention heads; not needed beside a `self_attention` and
            a `cross_attention`.
        dropout: rate in training, of attention weights and of each sublayer's output.
        activation: of the feed-forward network.
        layer_norm_epsilon: added to the variance in normalizations.
        kernel_initializer: of all kernels.
        bias_initializer: of all biases.
        normalize_first: whether sublayers are normalized before (pre-norm, Xiong et al.
            2020) or after (post-norm).
        normalization: `"layer"`, `"rms"` (Zhang and Sennrich 2019), or a layer, such as
            `keras.layers.UnitNormalization()`, which each sublayer has a copy of.
        gated: whether the feed-forward network is gated (Shazeer 2020).
        num_key_value_heads: number of key and value heads, shared by groups of query
            heads; `num_heads` when left out.
        position: `RotaryEmbedding`, `AlibiBias` or `RelativePositionBias`, for the
            self-attention.
        stochastic_depth: rate at which rows skip a sublayer in training (Huang et al.
            2016).
        attention_options: `sliding_window` (self-attention alone), `query_key_norm`,
            `soft_cap`, `chunk_size`, and a `dropout` of the weights other than that of
            the block, as `MultiHeadAttention` takes them.
        key_dim: width of one head of queries and keys; that of `decoder_sequence`
            divided by `num_heads` when left out.
        value_dim: width of one head of values; `key_dim` when left out.
        self_attention: a layer in place of the `MultiHeadAttention` that a block makes
            by the arguments above; called as that is, with `query` and `value`, and
            with the further arguments of its calling form where they are needed. Its
            `start` and `step`, if it has them, are those of `MultiHeadAttention`.
        cross_attention: likewise, of the attention to the memory.
        feed_forward: a layer from `(batch, length, dim)` to the same, in place of a
            `FeedForward`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        decoder_sequence: `(batch, target, dim)`.
        encoder_sequence: the memory, `(batch, source, encoder_dim)`.
        decoder_padding_mask: boolean `(batch, target)`, `True` for real positions.
        decoder_attention_mask: boolean, broadcasting to `(batch, target, target)`.
        encoder_padding_mask: boolean `(batch, source)`.
        encoder_attention_mask: boolean, broadcasting to `(batch, target, source)`.
        training: whether to drop.
        return_attention_scores: whether to return the weights too.
        cache: from `init_cache`, for `decoder_sequence` to be the next positions of a
            sequence whose past it holds; `encoder_sequence` is not needed then, but its
            `encoder_padding_mask` is.
        cache_index: number of positions already in `cache`, an integer or a scalar.
        use_causal_mask: whether a position sees only those up to itself. A decoder
            without has no steps, as what it reads changes what it read before.
        mask: as `decoder_padding_mask`, by the name that wrappers such as
            `keras.layers.TimeDistributed` give it.

    Masks given here are combined with those on the sequences. With a cache, those of
    the decoder are of its queries; the padding of the past is given by a
    `decoder_attention_mask`, `(batch, 1, length of the cache)`.

    Returns:
        Shaped as `decoder_sequence`; with `return_attention_scores` followed by a
        dictionary of the weights, `"self_attention"` `(batch, heads, target, target)`
        and, with a memory, `"cross_attention"` `(batch, heads, target, source)`; with a
        `cache` followed by the new cache.

    Raises:
        ValueError: for a memory at some calls only, a cache without its index, tensors
            of another number of axes, or a mask that is not boolean or does not fit.

    Example:
    >>> block = TransformerDecoder(intermediate_dim=32, num_heads=2)
    >>> target, memory = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> tuple(block(target, memory).shape)
    (2, 3, 8)
    """

    @takes_numpy
    def __init__(
        self,
        intermediate_dim: int | None = None,
        num_heads: int | None = None,
        dropout: float = 0,
        activation: Any = "relu",
        layer_norm_epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        normalize_first: bool = False,
        normalization: Any = "layer",
        gated: bool = False,
        num_key_value_heads: int | None = None,
        position: Any = None,
        stochastic_depth: float = 0,
        attention_options: dict[str, Any] | None = None,
        *,
        key_dim: int | None = None,
        value_dim: int | None = None,
        self_attention: Any = None,
        cross_attention: Any = None,
        feed_forward: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep_arguments(
            intermediate_dim=intermediate_dim,
            num_heads=num_heads,
            dropout=dropout,
            activation=activation,
            layer_norm_epsilon=layer_norm_epsilon,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            normalize_first=normalize_first,
            normalization=normalization,
            gated=gated,
            num_key_value_heads=num_key_value_heads,
            position=position,
            stochastic_depth=stochastic_depth,
            attention_options=attention_options,
            key_dim=key_dim,
            value_dim=value_dim,
            self_attention=self_attention,
            cross_attention=cross_attention,
            feed_forward=feed_forward,
        )

    def build(self, decoder_sequence_shape, encoder_sequence_shape=None):
        _check_axes(decoder_sequence_shape, encoder_sequence_shape)
        shape = decoder_sequence_shape
        self._self_attention = self.build_attention(
            "self_attention",
            self.self_attention,
            shape,
            shape,
            use_causal_mask=True,
            position=self.position,
        )
        self._width = shape[-1]
        self._self_residual = self.build_residual("self_attention_residual", shape)
        self._has_memory = encoder_sequence_shape is not None
        if self._has_memory:
            self._cross_attention = self.build_attention(
                "cross_attention",
                self.cross_attention,
                shape,
                encoder_sequence_shape,
                sliding_window=None,
            )
            self._cross_residual = self.build_residual(
                "cross_attention_residual", shape
            )
        self._feed_forward = self.build_feed_forward(shape)
        self._feed_forward_residual = self.build_residual(
            "feed_forward_residual", shape
        )

    def sublayers(self):
        found = {"self_attention": (self._self_attention, self._self_residual)}
        if self._has_memory:
            found["cross_attention"] = (self._cross_attention, self._cross_residual)
        return {
            **found,
            "feed_forward": (self._feed_forward, self._feed_forward_residual),
        }

    def call(
        self,
        decoder_sequence,
        encoder_sequence=None,
        decoder_padding_mask=None,
        decoder_attention_mask=None,
        encoder_padding_mask=None,
        encoder_attention_mask=None,
        training=None,
        return_attention_scores=False,
        cache=None,
        cache_index=None,
        mask=None,
        use_causal_mask=True,
    ):
        self._check_inputs(decoder_sequence, encoder_sequence, cache, cache_index)
        if cache is not None and not use_causal_mask:
            raise ValueError(
                "`cache` holds what earlier positions have seen, and needs a causal "
                "decoder. Received: a cache, use_causal_mask=False"
            )
        self._check_pair_masks(
            decoder_sequence,
            encoder_sequence,
            cache,
            decoder_attention_mask=decoder_attention_mask,
            encoder_attention_mask=encoder_attention_mask,
        )
        weights = {}
        hidden, weights["self_attention"], self_cache = self._attend_to_self(
            decoder_sequence,
            functional.position_mask(
                decoder_sequence, decoder_padding_mask=decoder_padding_mask, mask=mask
            ),
            decoder_attention_mask,
            return_attention_scores,
            training,
            cache,
            cache_index,
            use_causal_mask,
        )
        if self._has_memory:
            hidden, weights["cross_attention"] = self._attend_to_memory(
                hidden,
                encoder_sequence,
                _memory_mask(encoder_sequence, encoder_padding_mask, cache),
                encoder_attention_mask,
                return_attention_scores,
                training,
                cache,
            )
        elif encoder_padding_mask is not None or encoder_attention_mask is not None:
            raise ValueError(
                "`encoder_padding_mask` and `encoder_attention_mask` are of an "
                "`encoder_sequence`, which this block was built without. Received: "
                f"encoder_padding_mask={encoder_padding_mask}, "
                f"encoder_attention_mask={encoder_attention_mask}"
            )
        update = self._feed_forward(self._feed_forward_residual.sublayer_input(hidden))
        outputs = self._feed_forward_residual.add(hidden, update, training)
        results = (outputs, weights) if return_attention_scores else (outputs,)
        if cache is not None:
            results = (*results, {**cache, "self_attention": self_cache})
        return results if len(results) > 1 else outputs

    def compute_mask(self, decoder_sequence, previous_mask=None):
        # Keras hands over the mask given to the call in place of the implicit one.
        return functional.position_mask(decoder_sequence, mask=previous_mask)

    def compute_output_spec(
        self,
        decoder_sequence,
        encoder_sequence=None,
        *args,
        return_attention_scores=False,
        cache=None,
        **kwargs,
    ):
        def spec(shape):
            return keras.KerasTensor(shape, self.compute_dtype)

        _check_axes(
            decoder_sequence.shape,
            None if encoder_sequence is None else encoder_sequence.shape,
        )
        results = [spec(decoder_sequence.shape)]
        if return_attention_scores:
            shapes = self._value_shapes(decoder_sequence, encoder_sequence, cache)
            results.append(
                {
                    name: self.weights_spec(
                        self._attention_of(name), decoder_sequence.shape, shape
                    )
                    for name, shape in shapes.items()
                }
            )
        if cache is not None:
            results.append(
                keras.tree.map_structure(
                    lambda part: keras.KerasTensor(part.shape, part.dtype), cache
                )
            )
        return tuple(results) if len(results) > 1 else results[0]

    def _attend_to_self(
        self,
        inputs,
        mask,
        attention_mask,
        with_weights,
        training,
        cache,
        index,
        use_causal_mask,
    ):
        normalized = self._self_residual.sublayer_input(inputs)
        attended, weights, new_cache = self.attend(
            self._self_attention,
            normalized,
            normalized,
            query_mask=mask,
            value_mask=mask if cache is None else None,
            attention_mask=attention_mask,
            return_attention_scores=with_weights,
            training=training,
            use_causal_mask=use_causal_mask,
            cache=None if cache is None else cache["self_attention"],
            cache_index=index,
        )
        outputs = self._self_residual.add(inputs, attended, training)
        return outputs, weights, new_cache

    def _attend_to_memory(
        self, inputs, memory, mask, attention_mask, with_weights, training, cache
    ):
        attended, weights, _ = self.attend(
            self._cross_attention,
            self._cross_residual.sublayer_input(inputs),
            memory if cache is None else None,
            value_mask=mask,
            attention_mask=attention_mask,
            return_attention_scores=with_weights,
            training=training,
            cache=None if cache is None else cache["cross_attention"],
        )
        return self._cross_residual.add(inputs, attended, training), weights

    def _value_shapes(self, decoder_sequence, encoder_sequence, cache):
        """Shapes of what each attention attends to, by its name."""
        if cache is not None:
            # Of projections by heads; the weights have the length alone of it.
            return {
                name: (*decoder_sequence.shape[:1], part["key"].shape[2], self._width)
                for name, part in cache.items()
            }
        shapes = {"self_attention": decoder_sequence.shape}
        if self._has_memory:
            shapes["cross_attention"] = encoder_sequence.shape
        return shapes

    def _check_pair_masks(self, decoder_sequence, encoder_sequence, cache, **masks):
        shapes = self._value_shapes(decoder_sequence, encoder_sequence, cache)
        batch, target, _ = decoder_sequence.shape
        for (name, mask), shape in zip(masks.items(), shapes.values(), strict=False):
            pairs = batch, self.num_heads, target, shape[1]
            functional.pair_mask(pairs, **{name: mask})

    def _check_inputs(self, decoder_sequence, encoder_sequence, cache, cache_index):
        _check_axes(
            decoder_sequence.shape,
            None if encoder_sequence is None else encoder_sequence.shape,
        )
        if (cache is None) != (cache_index is None):
            raise ValueError(
                "`cache` and `cache_index` belong together. "
                f"Received: cache={cache}, cache_index={cache_index}"
            )
        if cache is None and (encoder_sequence is not None) != self._has_memory:
            raise ValueError(
                "`encoder_sequence` must be given at every call or at none: this block "
                f"was built {'with' if self._has_memory else 'without'} it. "
                f"Received: encoder_sequence={encoder_sequence}"
            )


def _check_axes(decoder_sequence_shape, encoder_sequence_shape):
    check_axes(
        SEQUENCE,
        decoder_sequence=decoder_sequence_shape,
        encoder_sequence=encoder_sequence_shape,
    )


def _memory_mask(encoder_sequence, encoder_padding_mask, cache):
    """A mask of the memory's positions, or of those whose projections are cached."""
    if encoder_sequence is not None:
        return functional.position_mask(
            encoder_sequence, encoder_padding_mask=encoder_padding_mask
        )
    batch, _, source, _ = cache["cross_attention"]["key"].shape
    return functional.sequence_mask(
        (batch, source), encoder_padding_mask=encoder_padding_mask
    )
