"""Models of Keras with layers of ours in them."""

import tempfile
import warnings
from typing import Any

import keras

from keras_attention.convert.keras_layers import convert_layer, fill, in_place


def from_keras(model: Any) -> Any:
    """Take over a layer, or the layers of a model, with their weights.

    Args:
        model: a built layer that `convert_layer` takes; or a functional or sequential
            `keras.Model`, of which every such layer is replaced, in models within it
            too. All others, those of your own among them, are copied as they are; one
            that cannot be made again from its configuration is shared by both models,
            with a warning.

    Returns:
        The layer of ours; or a new model with the same inputs, outputs and weights.
        Its recurrent layers are `keras.layers.RNN`s of our `RecurrentCell`.

    Raises:
        ValueError: for a layer that has no counterpart, a layer or model that is not
            built, or a model that is a subclass, whose calls cannot be seen.

    Example:
    >>> inputs = keras.Input((5, 8))
    >>> attention = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    >>> theirs = keras.Model(inputs, attention(inputs, inputs))
    >>> ours = from_keras(theirs)
    >>> vectors = keras.random.normal((2, 5, 8))
    >>> bool(keras.ops.max(keras.ops.abs(ours(vectors) - theirs(vectors))) < 1e-5)
    True
    """
    if not isinstance(model, keras.Model):
        return convert_layer(model)
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise ValueError(
            "`model` must be functional or sequential: what a subclass calls cannot be "
            f"seen. Convert its layers one by one. Received: model={model!r}"
        )
    if not model.built:
        raise ValueError(
            f"`model` must be built, or it has no weights. Received: model={model!r}"
        )
    copies: dict[int, tuple[Any, Any]] = {}

    def copy(layer):
        if id(layer) not in copies:
            ours = in_place(layer)
            if ours is None:
                ours = _copy(layer)
            else:
                ours.trainable = layer.trainable
            copies[id(layer)] = layer, ours
        return copies[id(layer)][1]

    copied = keras.models.clone_model(model, clone_function=copy, recursive=True)
    for theirs, ours in copies.values():
        if isinstance(ours, keras.layers.RNN | keras.layers.Bidirectional):
            fill(ours, theirs)
        elif type(ours) is type(theirs) and isinstance(ours, keras.layers.Layer):
            _copy_state(ours, theirs)
    return copied


def _copy(layer):
    """A layer of the same configuration; the same one where that says too little."""
    try:
        return type(layer).from_config(layer.get_config())
    except (NotImplementedError, TypeError) as reason:
        warnings.warn(
            f"{layer!r} cannot be made again from its configuration, so both models "
            f"share it: {str(reason).splitlines()[-1]}",
            stacklevel=4,
        )
        return layer


def _copy_state(ours, theirs):
    """Weights, and what some layers keep beside them: tables, and their statistics."""
    if ours is theirs:
        return
    ours.set_weights(theirs.get_weights())
    pairs = zip(ours._flatten_layers(), theirs._flatten_layers(), strict=True)
    for copy, layer in pairs:
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        copy.load_own_variables(store)
        if hasattr(layer, "save_assets"):
            with tempfile.TemporaryDirectory() as folder:
                layer.save_assets(folder)
                copy.load_assets(folder)
