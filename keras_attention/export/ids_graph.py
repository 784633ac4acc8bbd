"""A search and its model as one graph of TensorFlow, from ids to ids."""

from typing import Any

import tensorflow as tf

from keras_attention.decoding import Sampling

OUTPUTS = ("ids", "lengths", "scores")


def make_graph(translator: Any, rows: int | None = None) -> Any:
    """The search of a `Translator`, with its model, as a concrete function.

    It takes `source`, int32 ids `(batch, source)` with their ends, padded with 0; or,
    of a model that reads vectors, `source` and `source_mask`. It gives `ids (batch,
    hypotheses, length)`, `lengths` and `scores (batch, hypotheses)`, best first.

    Args:
        translator: whose model and search they are.
        rows: of each batch; any number when left out.

    Raises:
        ValueError: for a search that draws.
    """
    if isinstance(translator.search, Sampling):
        raise ValueError(
            "A graph of ids finds the same each time: greedily or by beams. "
            f"Received: search={translator.search!r}"
        )
    dim = getattr(translator.model, "source_dim", None)
    if dim is None:
        specs = {"source": tf.TensorSpec([rows, None], tf.int32, "source")}
    else:
        specs = {
            "source": tf.TensorSpec([rows, None, dim], tf.float32, "source"),
            "source_mask": tf.TensorSpec([rows, None], tf.bool, "source_mask"),
        }

    def find(*inputs):
        source = inputs[0] if dim is None else dict(zip(specs, inputs, strict=True))
        found = translator.search.search(translator.model, source)._asdict()
        return {name: found[name] for name in OUTPUTS}

    graph = tf.function(find, [*specs.values()], autograph=False)
    return graph.get_concrete_function()
