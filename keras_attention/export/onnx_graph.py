"""Graphs of TensorFlow as models of ONNX."""

import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from tf2onnx import optimizer, tf_loader, tfonnx, utils

OPSET = 18
# Others take sizes that are unknown to be 1, as that of transpositions does.
_OPTIMIZERS = ("fold_constants", "merge_duplication", "remove_identity")


def to_onnx(concrete: Any) -> onnx.ModelProto:
    """A concrete function of named tensors as a model of ONNX.

    Raises:
        ValueError: for operations that ONNX does not have.
    """
    inputs = [tensor.name for tensor in concrete.inputs if tensor.dtype != tf.resource]
    outputs = [tensor.name for tensor in concrete.outputs]
    names = dict(zip(outputs, sorted(concrete.structured_outputs), strict=True))
    names |= {name: name.partition(":")[0] for name in inputs}
    with _quiet(), tf.device("/cpu:0"):
        frozen = tf_loader.from_function(concrete, inputs, outputs)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen, name="")
            converted = tfonnx.process_tf_graph(
                graph,
                continue_on_error=True,
                opset=OPSET,
                custom_op_handlers={
                    "SelectV2": (_select, []),
                    "XlaDynamicUpdateSlice": (_update_slice, []),
                },
                input_names=inputs,
                output_names=outputs,
                tensors_to_rename=names,
            )
        known = optimizer._get_optimizers()
        converted = optimizer.optimize_graph(
            converted,
            catch_errors=False,
            optimizers=OrderedDict((name, known[name]) for name in _OPTIMIZERS),
        )
        model = converted.make_model("translator")
    unknown = sorted({*_operations(model.graph)} - _known_operations())
    if unknown:
        raise ValueError(
            f"ONNX has no {', '.join(unknown)}, which the model or its search needs"
        )
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """The converter warns of what is handled here, and asks NumPy for an old name."""
    logger = logging.getLogger("tf2onnx")
    level, has_object = logger.level, "object" in vars(np)
    logger.setLevel(logging.CRITICAL)
    if not has_object:
        np.object = object  # type: ignore[attr-defined]
    try:
        yield
    finally:
        logger.setLevel(level)
        if not has_object:
            del np.object  # type: ignore[attr-defined]


def _select(context, node, name, arguments):
    """`SelectV2` as `Where`; a sum of products would make NaN of an infinity."""
    node.type = "Where"


def _update_slice(context, node, name, arguments):
    """`XlaDynamicUpdateSlice` of one axis: what is before, the update, what is after.

    As XLA does, it moves an update that would pass the end.
    """
    whole, update, start = node.input
    output = node.output[0]
    shape, dtype = context.get_shape(output), context.get_dtype(output)
    sizes = zip(context.get_shape(whole), context.get_shape(update), strict=True)
    axes = [axis for axis, (size, own) in enumerate(sizes) if size != own]
    if len(axes) != 1:
        raise ValueError(f"ONNX updates one axis at a time. Received: axes={axes}")

    def make(kind, *inputs, **attributes):
        return context.make_node(kind, [*inputs], attr=attributes).output[0]

    def constant(value):
        number = np.array([value], "int64")
        return context.make_const(utils.make_name(name), number).output[0]

    def size_of(tensor):
        return make("Slice", make("Shape", tensor), first, last, constant(0))

    first, last = constant(axes[0]), constant(axes[0] + 1)
    context.remove_node(node.name)
    start = make("Cast", start, to=onnx.TensorProto.INT64)
    start = make("Slice", start, first, last, constant(0))
    most = make("Sub", size_of(whole), size_of(update))
    start = make("Max", make("Min", start, most), constant(0))
    end = make("Add", start, size_of(update))
    before = make("Slice", whole, constant(0), start, first)
    after = make("Slice", whole, end, constant(np.iinfo(np.int64).max), first)
    context.make_node(
        "Concat",
        [before, update, after],
        attr={"axis": axes[0]},
        name=name,
        outputs=[output],
        shapes=[shape],
        dtypes=[dtype],
    )


def _operations(graph):
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _operations(attribute.g)


def _known_operations():
    return {schema.name for schema in onnx.defs.get_all_schemas()}
