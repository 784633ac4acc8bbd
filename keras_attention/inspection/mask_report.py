"""Where a model loses its masks."""

import inspect
from typing import Any, NamedTuple

import keras

from keras_attention.functional import implicit_mask
from keras_attention.inspection.watching import (
    check_model,
    layers_of,
    path_of,
    returns_attention_scores,
    watched,
)
from keras_attention.tensor import Tensor


class MaskRow(NamedTuple):
    """What one call of a layer did with masks.

    Attributes:
        layer: path of the layer, or name of an operation between layers.
        kind: its class.
        inputs: number of its input tensors.
        masked_inputs: number of those that carried a mask.
        masks_output: whether its output carries one.
        finding: `"made"` (inputs had no mask, the output has), `"kept"`, `"lost"`,
            `"used"` (the output has no such positions any more, as after pooling),
            `"none"`, or `"attends unmasked"` of an attention layer that had no mask but
            a causal one.
    """

    layer: str
    kind: str
    inputs: int
    masked_inputs: int
    masks_output: bool
    finding: str


def mask_report(model: keras.Model, batch: Any) -> list[MaskRow]:
    """Tell at which layers masks are made, kept and lost, and print it as a table.

    The model is called once on the batch, as it is. A mask is lost where a tensor with
    one goes in and one with the same positions comes out without: mostly at operations
    between layers, such as `x + y`, and in layers without `supports_masking`. Attention
    layers are looked at wherever they are, other layers where a model calls them.

    Args:
        model: any built Keras model.
        batch: what the model is called on.

    Returns:
        A row per call, in order.

    Raises:
        ValueError: if `model` is not a built Keras model.

    Example:
    >>> ids = keras.Input((None,), dtype="int32")
    >>> words = keras.layers.Embedding(10, 4, mask_zero=True, name="words")(ids)
    >>> doubled = keras.layers.Dense(4, name="dense")(words * 2)
    >>> model = keras.Model(ids, doubled)
    >>> batch = keras.ops.array([[3, 5, 0]])
    >>> rows = mask_report(model, batch)  # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
    layer        kind       masked inputs  masks output  finding
    words        Embedding  0 of 1         yes           made
    multiply...  Multiply   1 of 1         no            lost
    dense        Dense      0 of 1         no            none
    >>> [row.kind for row in rows if row.finding == "lost"]
    ['Multiply']
    """
    check_model(model)
    calls: list[_Call] = []

    def record(operation, call, args, kwargs):
        seen = _Call(operation, inspect.signature(call).bind(*args, **kwargs))
        for known in calls:
            known.look_at_outputs(seen.inputs)
        calls.append(seen)
        outputs = call(*args, **kwargs)
        seen.outputs = _tensors(outputs)
        return outputs

    with watched(_watched_parts(model), record):
        model(batch, training=False)
    for call in calls:
        call.look_at_outputs(call.outputs)
    rows = [call.row() for call in calls if not call.makes_masks]
    _print(rows)
    return rows


class _Call:
    """One call, with its tensors kept alive so that no two have the same identity."""

    def __init__(self, operation: Any, bound: inspect.BoundArguments) -> None:
        self.operation = operation
        arguments = dict(bound.arguments)
        explicit = [name for name in arguments if name.endswith("mask")]
        masks = [arguments.pop(name) for name in explicit]
        self.has_explicit_mask = bool(_tensors(masks))
        self.inputs = _tensors(list(arguments.values()))
        self.input_masks = [implicit_mask(tensor) for tensor in self.inputs]
        self.outputs: list[Tensor] = []
        self.output_masks: dict[int, bool] = {}

    def look_at_outputs(self, tensors):
        """Note which outputs among some tensors carry masks, when first met.

        Later is too late: a layer may take the mask off a tensor that it is called on.
        """
        for output in self.outputs:
            if any(output is tensor for tensor in tensors):
                is_masked = implicit_mask(output) is not None
                self.output_masks.setdefault(id(output), is_masked)

    @property
    def makes_masks(self):
        """Whether it is an operation by which Keras computes the masks themselves."""
        return not isinstance(self.operation, keras.layers.Layer) and all(
            keras.backend.standardize_dtype(output.dtype) == "bool"
            for output in self.outputs
        )

    def row(self):
        masks = [mask for mask in self.input_masks if mask is not None]
        keeps = any(self.output_masks.values())
        return MaskRow(
            path_of(self.operation),
            type(self.operation).__name__,
            len(self.inputs),
            len(masks),
            keeps,
            self._finding(masks, keeps),
        )

    def _finding(self, masks, keeps):
        attends = returns_attention_scores(self.operation)
        if attends and not masks and not self.has_explicit_mask:
            return "attends unmasked"
        if not masks:
            return "made" if keeps else "none"
        if keeps:
            return "kept"
        # Attention has outputs for its queries; it uses the masks of the others.
        at_stake = self.input_masks[:1] if attends else masks
        still_there = any(
            len(output.shape) > len(mask.shape)
            and tuple(output.shape[: len(mask.shape)]) == tuple(mask.shape)
            for output in self.outputs
            for mask in at_stake
            if mask is not None
        )
        return "lost" if still_there else "used"


def _tensors(structure):
    return [part for part in keras.tree.flatten(structure) if keras.ops.is_tensor(part)]


def _watched_parts(model):
    """What a model calls, and the attention layers inside of that."""
    parts = getattr(model, "operations", None) or model.layers
    found = []
    for part in parts:
        if isinstance(part, keras.Model):
            found += _watched_parts(part)
        elif not isinstance(part, keras.layers.InputLayer):
            found.append(part)
            if isinstance(part, keras.layers.Layer):
                found += filter(returns_attention_scores, layers_of(part))
    return list({id(part): part for part in found}.values())


def _print(rows):
    titles = ("layer", "kind", "masked inputs", "masks output", "finding")
    table = [
        (
            row.layer,
            row.kind,
            f"{row.masked_inputs} of {row.inputs}",
            "yes" if row.masks_output else "no",
            row.finding,
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(titles, *table, strict=True)]
    for line in (titles, *table):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
