"""Training a part of a model: frozen weights, and adapters of low rank."""

import gc
from collections.abc import Iterator
from typing import Any

import keras

from keras_attention.argument_checks import check_positive


def freeze(model: keras.Model, *names: str) -> None:
    """Leave weights as they are in a training; call it before `compile`.

    Args:
        model: of which the weights are.
        *names: of layers or weights, alone or with the layers that they are in, such as
            `"encoder"`, `"encoder/block_0"` or `"embeddings"`. Without any, all weights
            are frozen.

    Raises:
        ValueError: for a name that no weight has in its path.

    Example:
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 11, num_layers=1, num_heads=2, embedding_dim=8)
    >>> freeze(model, "encoder", "source_embedding")
    >>> any("encoder/" in weight.path for weight in model.trainable_weights)
    False
    """
    paths = {id(weight): f"/{weight.path}/" for weight in model.weights}
    for name in names:
        if not any(f"/{name}/" in path for path in paths.values()):
            first = dict.fromkeys(path.split("/")[1] for path in paths.values())
            raise ValueError(
                "`names` must be in the paths of weights, which begin with "
                f"{[*first]}. Received: {name!r}"
            )
    for weight in model.weights:
        if not names or any(f"/{name}/" in paths[id(weight)] for name in names):
            weight.trainable = False


def unfreeze(model: keras.Model) -> None:
    """Let all weights be trained again; call it before `compile`."""
    # TensorFlow takes no notice of an attribute that is set to what it is.
    model.trainable = False
    model.trainable = True


def enable_lora(model: keras.Model, rank: int, lora_alpha: float | None = None) -> None:
    """Train adapters of low rank beside all projections, and nothing else (LoRA).

    Every dense layer's kernel is joined by a product of two small matrices, of which
    one begins as zeros (Hu et al. 2022); all other weights are frozen. Call it before
    `compile`, and `merge_lora` after the training.

    Args:
        model: whose dense layers are built.
        rank: of the products.
        lora_alpha: they are scaled by `lora_alpha / rank`; by 1 when left out.

    Raises:
        ValueError: for a model without dense layers, or with adapters already.

    Example:
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 11, num_layers=1, num_heads=2, embedding_dim=8)
    >>> enable_lora(model, rank=2)
    >>> {weight.name for weight in model.trainable_weights} == {
    ...     "lora_kernel_a",
    ...     "lora_kernel_b",
    ... }
    True
    >>> merge_lora(model)
    """
    check_positive(rank=rank)
    projections = [*_projections(model)]
    if not projections:
        raise ValueError(
            f"`model` must have dense layers for adapters. Received: model={model!r}"
        )
    for layer in projections:
        if layer.lora_enabled:
            raise ValueError(
                "`model` must have no adapters yet: merge them first. "
                f"Received: model with adapters of {layer.path!r}"
            )
    freeze(model)
    for layer in projections:
        layer.enable_lora(rank, lora_alpha)


def merge_lora(model: keras.Model) -> None:
    """Add the adapters of all projections to their kernels, and remove them.

    The outputs stay the same, and all weights may be trained again, once the model is
    compiled again: its optimizer, which was that of the adapters, is left out.

    Args:
        model: with adapters, of `enable_lora` here or of Keras's layers.

    Raises:
        ValueError: for a model without adapters, or with quantized ones.
    """
    adapted = [layer for layer in _projections(model) if layer.lora_enabled]
    if not adapted:
        raise ValueError(f"`model` must have adapters. Received: model={model!r}")
    for layer in adapted:
        if layer.quantization_mode is not None:
            raise ValueError(
                "`model` must not be quantized when its adapters are merged. "
                f"Received: {layer.path!r} in {layer.quantization_mode!r}"
            )
    gc.freeze()  # Keras collects garbage for each weight that is deleted
    for layer in adapted:
        merged = keras.ops.convert_to_numpy(layer.kernel)
        layer.lora_enabled = False
        del layer.lora_kernel_a, layer.lora_kernel_b
        layer.lora_rank = layer.lora_alpha = None
        layer.kernel.assign(merged)
    gc.unfreeze()
    unfreeze(model)
    # past what Keras does when attributes are set
    vars(model).update(optimizer=None, compiled=False)


def _projections(model: keras.Model) -> Iterator[Any]:
    kinds = keras.layers.Dense, keras.layers.EinsumDense
    seen = set()
    for layer in model._flatten_layers():
        if isinstance(layer, kinds) and id(layer) not in seen:
            seen.add(id(layer))
            yield layer
