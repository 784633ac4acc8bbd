"""A trained model that computes in another precision."""

from typing import Any

import keras

from keras_attention.models import LanguageModel, Seq2Seq

_POLICIES = ("DTypePolicy", "FloatDTypePolicy")


def change_precision(model: Any, dtype: Any) -> Any:
    """A copy of a model that computes in another precision, with the same weights.

    What was trained in `"mixed_bfloat16"` computes in it for good, also on a processor
    that has no products of bfloat16.

    Args:
        model: a `Seq2Seq`, or a `LanguageModel`; it stays as it is. Layers of it that
            have a policy of their own take the new one too.
        dtype: a policy of floats, such as `"float32"` or `"mixed_bfloat16"`.

    Returns:
        A model of the same class, which is not compiled and of which no weight is
        frozen by itself.

    Raises:
        ValueError: for a model of another class or one that is quantized, and for a
            policy that quantizes.

    Example:
    >>> from keras_attention.models import transformer
    >>> model = transformer(9, 9, num_layers=1, num_heads=2, embedding_dim=8)
    >>> faster = change_precision(model, "mixed_bfloat16")
    >>> faster.encoder.compute_dtype
    'bfloat16'
    """
    if not isinstance(model, Seq2Seq | LanguageModel):
        raise ValueError(
            "`model` must be a `Seq2Seq` or a `LanguageModel` for another precision. "
            f"Received: model={model!r}"
        )
    policy = keras.dtype_policies.get(dtype)
    is_quantized = isinstance(policy, keras.dtype_policies.DTypePolicyMap) or (
        policy.quantization_mode is not None
    )
    if is_quantized:
        raise ValueError(
            "`dtype` must be a policy of floats; `quantize` stores integers. "
            f"Received: dtype={dtype!r}"
        )
    for layer in model._flatten_layers():
        if layer.quantization_mode is not None:
            raise ValueError(
                "`model` must not be quantized, to compute in another precision. "
                f"Received: model with {layer!r}"
            )
    config = _replace(model.get_config(), keras.dtype_policies.serialize(policy))
    changed = type(model).from_config(config)
    for weight, copy in zip(model.weights, changed.weights, strict=True):
        copy.assign(weight)
    return changed


def _replace(part, policy):
    """A configuration whose policies are all the same."""
    if isinstance(part, dict):
        if part.get("class_name") in _POLICIES:
            return policy
        return {name: _replace(value, policy) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(_replace(value, policy) for value in part)
    return part
