"""Layers of Keras and KerasHub, as layers of ours with the same weights."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.convert.weights import assign_weights
from keras_attention.layers import (
    MultiHeadAttention,
    PositionalEmbedding,
    RecurrentCell,
    RecurrentEncoder,
    SinePositionEncoding,
    TransformerDecoder,
    TransformerEncoder,
)

_CELLS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple"}
# What our cells compute with, and Keras's by default.
_RECURRENT = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "reset_after": True,
}
_BLOCK = (
    "intermediate_dim",
    "num_heads",
    "dropout",
    "activation",
    "layer_norm_epsilon",
    "normalize_first",
)


def convert_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Our layer in the place of one of Keras's or KerasHub's.

    Args:
        layer: built; one of `keras.layers.MultiHeadAttention`, `GroupQueryAttention`,
            `LSTM`, `GRU`, `SimpleRNN` and `Bidirectional` of these, and of KerasHub's
            `TransformerEncoder`, `TransformerDecoder`, `TokenAndPositionEmbedding`,
            `SinePositionEncoding`.

    Returns:
        A built layer of the same name, with the same weights and the same outputs; of a
        recurrent layer a `RecurrentEncoder`, which returns all outputs and all states.

    Raises:
        ValueError: for another layer, one that is not built, or what ours lacks.
    """
    find = _CONVERSIONS.get(_name(layer))
    if find is None:
        raise ValueError(
            f"`layer` must be one of {sorted(_CONVERSIONS)}. Received: layer={layer!r}"
        )
    if not layer.built:
        raise ValueError(
            f"`layer` must be built, or it has no weights. Received: layer={layer!r}"
        )
    return find(layer)


def in_place(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    """Our layer that takes the same calls, for a copy of a model; or `None`.

    Recurrent layers become a `keras.layers.RNN` of a `RecurrentCell`, which gets its
    weights by `fill` once it is built.
    """
    if _is_recurrent(layer):
        return _rnn(layer)
    if _name(layer) == "keras.Bidirectional":
        sides = layer.forward_layer, layer.backward_layer
        if not all(map(_is_recurrent, sides)):
            return None
        forward, backward = map(_rnn, sides)
        return keras.layers.Bidirectional(
            forward, layer.merge_mode, backward_layer=backward, name=layer.name
        )
    return convert_layer(layer) if _name(layer) in _CONVERSIONS else None


def fill(ours: keras.layers.Layer, layer: keras.layers.Layer) -> None:
    """Set the weights of a recurrent layer, or of one that reads in both directions."""
    if isinstance(ours, keras.layers.Bidirectional):
        fill(ours.forward_layer, layer.forward_layer)
        fill(ours.backward_layer, layer.backward_layer)
    elif _is_recurrent(layer):
        assign_weights(ours.cell, _cell_values(layer), layer.name)
    else:
        ours.set_weights(layer.get_weights())


def fill_block(
    block: TransformerEncoder | TransformerDecoder,
    parts: Sequence[tuple[keras.layers.Layer, keras.layers.Layer]],
) -> None:
    """Set the weights of a Transformer block from the parts of another one.

    Args:
        block: that is built, as those of a model are.
        parts: the layer and the normalization of each of its sublayers, in their order:
            self-attention, cross-attention where there is one, and the feed-forward
            network, a layer with the weights of its two dense layers.

    Raises:
        ValueError: for too few or too many parts, and for weights of other shapes.
    """
    own = block.sublayers()
    if len(own) != len(parts):
        raise ValueError(
            f"`parts` must be one for each of {[*own]}. Received: {len(parts)} parts"
        )
    for (layer, residual), (part, normalization) in zip(
        own.values(), parts, strict=True
    ):
        layer.set_weights(part.get_weights())
        residual.normalization.set_weights(normalization.get_weights())


def _is_recurrent(layer):
    return _name(layer).removeprefix("keras.") in _CELLS


def _name(layer):
    """The class, with the package that it is of; of a subclass its own."""
    return f"{type(layer).__module__.partition('.')[0]}.{type(layer).__name__}"


def _attention(layer):
    return MultiHeadAttention.from_keras(layer)


def _check_cell(layer):
    for name, expected in _RECURRENT.items():
        value = getattr(layer, name, expected)
        if callable(value):
            value = keras.activations.serialize(value)
        if value != expected:
            raise ValueError(
                f"`layer` must have {name}={expected!r} for a cell of ours. "
                f"Received: {name}={value!r}"
            )


def _cell_values(layer):
    """The weights of a cell of ours, by name."""
    weights = {weight.name: ops.convert_to_numpy(weight) for weight in layer.weights}
    values = {
        "input/kernel": weights["kernel"],
        "recurrent/kernel": weights["recurrent_kernel"],
    }
    bias = weights["bias"]
    if bias.ndim == 2:  # a GRU, whose gates tell one bias from the other
        values |= {"input/bias": bias[0], "recurrent/bias": bias[1]}
    else:
        values["input/bias"] = bias
    return values


def _encoder(layer):
    is_both = _name(layer) == "keras.Bidirectional"
    sides = [layer.forward_layer, layer.backward_layer] if is_both else [layer]
    if is_both and layer.merge_mode != "concat":
        raise ValueError(
            "`layer` must have merge_mode='concat' for a RecurrentEncoder. "
            f"Received: merge_mode={layer.merge_mode!r}"
        )
    for side, backwards in zip(sides, (False, True), strict=False):
        if not _is_recurrent(side):
            raise ValueError(
                f"`layer` must hold a recurrent layer of Keras. Received: {side!r}"
            )
        _check_cell(side)
        if side.go_backwards != backwards or side.stateful:
            raise ValueError(
                "`layer` must read forwards and keep no state between calls. Received: "
                f"go_backwards={side.go_backwards}, stateful={side.stateful}"
            )
    first = sides[0]
    encoder = RecurrentEncoder(
        first.units,
        _CELLS[type(first).__name__],
        bidirectional=is_both,
        dropout=first.dropout,
        recurrent_dropout=first.recurrent_dropout,
        variational=True,
        name=layer.name,
    )
    (kernel,) = (w for w in first.weights if w.name == "kernel")
    encoder.build((None, None, kernel.shape[0]))
    values = {
        f"{direction}_0/{name}": value
        for direction, side in zip(("forward", "backward"), sides, strict=False)
        for name, value in _cell_values(side).items()
    }
    assign_weights(encoder, values, layer.name)
    return encoder


def _rnn(layer):
    """A `keras.layers.RNN` of a cell of ours, with the calls of a recurrent layer."""
    _check_cell(layer)
    cell = RecurrentCell(layer.units, _CELLS[type(layer).__name__])
    return keras.layers.RNN(
        cell,
        return_sequences=layer.return_sequences,
        return_state=layer.return_state,
        go_backwards=layer.go_backwards,
        stateful=layer.stateful,
        name=layer.name,
    )


def _block(make: Callable[..., Any]) -> Callable[[Any], Any]:
    def convert(layer):
        options = {name: getattr(layer, name) for name in _BLOCK}
        ours = make(**options, name=layer.name)
        network = [
            layer._feedforward_intermediate_dense,
            layer._feedforward_output_dense,
        ]
        sequence = keras.KerasTensor((None, None, network[-1].units))
        theirs = {"self_attention": layer._self_attention_layer}
        cross = getattr(layer, "_cross_attention_layer", None)
        if cross is None:
            ours(sequence)
        else:
            theirs["cross_attention"] = cross
            ours(sequence, keras.KerasTensor((None, None, _width_of_memory(cross))))
        theirs["feed_forward"] = keras.Sequential(network)
        norms = (getattr(layer, _NORMS[name]) for name in theirs)
        fill_block(ours, [*zip(theirs.values(), norms, strict=True)])
        return ours

    return convert


_NORMS = {
    "self_attention": "_self_attention_layer_norm",
    "cross_attention": "_cross_attention_layer_norm",
    "feed_forward": "_feedforward_layer_norm",
}


def _width_of_memory(attention):
    return attention._value_dense.kernel.shape[0]


def _embedding(layer):
    tokens, positions = layer.token_embedding, layer.position_embedding
    embedding = PositionalEmbedding(
        layer.vocabulary_size,
        layer.embedding_dim,
        layer.sequence_length,
        "learned",
        scale=False,
        mask_zero=tokens.mask_zero,
        name=layer.name,
    )
    embedding.build((None, None))
    if not tokens.tie_weights:
        raise ValueError(
            "`layer` must have tie_weights=True: a table of logits alone is a dense "
            "layer here. Received: tie_weights=False"
        )
    (table,), (places,) = tokens.get_weights(), positions.get_weights()
    values = {"tokens/embeddings": table, "positions/embeddings": places}
    assign_weights(embedding, values, layer.name)
    return embedding


def _sines(layer):
    return SinePositionEncoding(layer.max_wavelength, name=layer.name)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "keras.MultiHeadAttention": _attention,
    f"keras.{keras.layers.GroupQueryAttention.__name__}": _attention,
    "keras.LSTM": _encoder,
    "keras.GRU": _encoder,
    "keras.SimpleRNN": _encoder,
    "keras.Bidirectional": _encoder,
    "keras_hub.TransformerEncoder": _block(TransformerEncoder),
    "keras_hub.TransformerDecoder": _block(TransformerDecoder),
    "keras_hub.TokenAndPositionEmbedding": _embedding,
    "keras_hub.SinePositionEncoding": _sines,
}
