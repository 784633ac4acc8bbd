"""Models with our layers leave by Keras's own `export`, with any batch and length."""

from functools import partial

import keras
import numpy as np
import pytest

from keras_attention import layers
from tests.attention_cases import ALIGNMENTS, negative_distance
from tests.backends import BACKEND, to_numpy
from tests.case import SIZES, Case, ids, mask, tensor
from tests.recurrent_cases import own_cells, stacked_cells
from tests.tensors import randomize

pytestmark = [
    pytest.mark.skipif(
        BACKEND != "tensorflow", reason="Keras exports sizes unknown on TensorFlow only"
    ),
    # The converter to ONNX uses a name that NumPy had removed.
    pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning"),
]
# Two batches and lengths, of which the model is told nothing.
LENGTHS = [(3, 5, 7), (2, 11, 4)]

SEQUENCE, MEMORY = tensor("batch", "target", 12), tensor("batch", "source", 12)
PAIR = {"query": SEQUENCE, "value": MEMORY}
MASKED_PAIR = {**PAIR, "value_mask": mask("batch", "source")}
DECODED = {"decoder_sequence": SEQUENCE, "encoder_sequence": MEMORY}
SCORES = tensor("batch", 2, "target", "source")
HEADS = {"num_heads": 2, "key_dim": 6}
BLOCK = {"intermediate_dim": 23, "num_heads": 2}
TABLE = {"vocabulary_size": 13, "embedding_dim": 12}
POSITIONS = {
    "rotary": layers.RotaryEmbedding,
    "alibi": layers.AlibiBias,
    "relative": partial(layers.RelativePositionBias, 8, 16),
}
CAUSAL = {"use_causal_mask": True}
attention = partial(Case, layers.Attention, inputs=MASKED_PAIR, outputs=SEQUENCE)
heads = partial(Case, layers.MultiHeadAttention, outputs=SEQUENCE)

# What the other formats are tested with too.
PORTABLE = {
    "heads": heads(HEADS, MASKED_PAIR),
    **{
        f"heads {name}": heads({**HEADS, "position": position}, PAIR, call=CAUSAL)
        for name, position in POSITIONS.items()
    },
    "heads window": heads({**HEADS, "sliding_window": 3}, PAIR),
    "differential": Case(layers.DifferentialAttention, HEADS, MASKED_PAIR, SEQUENCE),
    "linear": Case(layers.LinearAttention, HEADS, MASKED_PAIR, SEQUENCE),
    "linear causal": Case(
        layers.LinearAttention, {**HEADS, "chunk_size": 3}, PAIR, SEQUENCE, CAUSAL
    ),
    "encoder": Case(
        layers.TransformerEncoder,
        BLOCK,
        {"inputs": SEQUENCE, "padding_mask": mask("batch", "target")},
        SEQUENCE,
    ),
    "decoder": Case(layers.TransformerDecoder, BLOCK, DECODED, SEQUENCE),
    "embedding": Case(
        layers.PositionalEmbedding, TABLE, {"inputs": ids("batch", "target")}, SEQUENCE
    ),
    "embedding learned": Case(
        layers.PositionalEmbedding,
        {**TABLE, "positions": "learned", "max_length": 11, "mask_zero": False},
        {"inputs": ids("batch", "target")},
        SEQUENCE,
    ),
}
CHUNKED = {
    "heads chunks": heads({**HEADS, "chunk_size": 2}, PAIR),
    "heads window and chunks": heads(
        {**HEADS, "sliding_window": 3, "chunk_size": 2}, PAIR, call=CAUSAL
    ),
}
CASES = {
    **PORTABLE,
    **CHUNKED,
    **{
        f"attention {score}": attention({"score": score})
        for score in ("dot", "scaled_dot", "general", "cosine")
    },
    "attention own": attention({"score": negative_distance}),
    "attention additive": attention({"score": "additive", "units": 11}),
    "attention normalized": attention(
        {"score": "additive", "units": 11, "normalize": True}
    ),
    "attention local_m": attention({"alignment": "local_m", "window": 2}),
    "attention local_p": attention({"alignment": "local_p", "window": 2}),
    "attention monotonic": attention({"alignment": "monotonic"}),
    "attention monotonic hard": attention({"alignment": "monotonic", "hard": True}),
    "self-attention": Case(
        layers.SelfAttention,
        {"key_dim": 11, "use_causal_mask": True},
        {"inputs": SEQUENCE},
        SEQUENCE,
    ),
    "heads grouped": heads(
        {
            **HEADS,
            "num_heads": 4,
            "num_key_value_heads": 2,
            "use_gate": True,
            "query_key_norm": True,
            "soft_cap": 5.0,
        },
        MASKED_PAIR,
    ),
    "latent": Case(
        layers.MultiHeadLatentAttention,
        {**HEADS, "latent_dim": 5, "rotary_dim": 4},
        MASKED_PAIR,
        SEQUENCE,
        CAUSAL,
    ),
    "encoder gated": Case(
        layers.TransformerEncoder,
        {
            **BLOCK,
            "gated": True,
            "normalization": "rms",
            "normalize_first": True,
            "stochastic_depth": 0.2,
            "position": layers.RotaryEmbedding,
        },
        {"inputs": SEQUENCE},
        SEQUENCE,
    ),
    "decoder alone": Case(
        layers.TransformerDecoder,
        {**BLOCK, "position": layers.AlibiBias},
        {"decoder_sequence": SEQUENCE},
        SEQUENCE,
    ),
    "logits": Case(
        layers.PositionalEmbedding, TABLE, {"inputs": SEQUENCE}, None, {"reverse": True}
    ),
    "feed-forward": Case(
        layers.FeedForward,
        {"intermediate_dim": 23, "gated": True},
        {"inputs": SEQUENCE},
        SEQUENCE,
    ),
    "rotary": Case(layers.RotaryEmbedding, {}, {"inputs": SEQUENCE}, SEQUENCE),
    "alibi": Case(layers.AlibiBias, {}, {"attention_scores": SCORES}, SCORES),
    "sines": Case(layers.SinePositionEncoding, {}, {"inputs": SEQUENCE}, SEQUENCE),
    "relative": Case(
        layers.RelativePositionBias, {}, {"attention_scores": SCORES}, SCORES
    ),
    "recurrent": Case(
        layers.RecurrentEncoder,
        {"units": 5, "num_layers": 2, "bidirectional": True},
        {"inputs": SEQUENCE, "mask": mask("batch", "target")},
        None,
    ),
    "attention rnn": Case(
        layers.AttentionRNN,
        {
            "cell": partial(keras.layers.GRUCell, 11),
            "attention": partial(layers.Attention, "general"),
        },
        {
            "inputs": SEQUENCE,
            "memory": MEMORY,
            "memory_mask": mask("batch", "source"),
        },
        None,
    ),
    "stacked cells": Case(
        layers.AttentionRNN,
        {
            "cell": partial(stacked_cells),
            "attention": partial(layers.Attention, "additive", units=11),
            "input_feeding": False,
        },
        {"inputs": SEQUENCE, "memory": MEMORY},
        None,
    ),
    "own cells": Case(
        layers.CellRNN, {"cell": partial(own_cells)}, {"inputs": SEQUENCE}, None
    ),
    "turing machine": Case(
        layers.CellRNN,
        {"cell": partial(layers.NTMCell, 7, 5, 3, read_heads=2)},
        {"inputs": SEQUENCE},
        None,
    ),
}
# They stand inside of other layers.
CELLS = {"StackedCells", "RecurrentCell", "NTMCell"}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def model_of(case):
    """A functional model of one layer, that knows neither batch nor lengths."""
    layer, symbols = case.make(), case.symbols("batch", "target", "source")
    outputs = layer(**symbols, **case.call)
    randomize(layer)
    return keras.Model(keras.tree.flatten(symbols), keras.tree.flatten(outputs))


def inputs_and_outputs(case, model):
    """For each of the lengths, inputs and what the model makes of them."""
    for batch, target, source in LENGTHS:
        sizes = {"batch": batch, "target": target, "source": source}
        with pytest.MonkeyPatch.context() as patch:
            for name, size in sizes.items():
                patch.setitem(SIZES, name, size)
            inputs = keras.tree.flatten(case.values())
        yield inputs, to_numpy(model(inputs))


def assert_close(found, expected):
    pairs = zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_every_layer_is_exported():
    exported = {case.cls.__name__ for case in CASES.values()}
    assert exported == set(layers.__all__) - ALIGNMENTS - CELLS


@every_case
def test_saved_model(case, tmp_path):
    import tensorflow as tf

    model = model_of(case)
    model.export(tmp_path / "model", format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    for inputs, expected in inputs_and_outputs(case, model):
        tensors = [tf.convert_to_tensor(part) for part in inputs]
        assert_close(to_numpy(loaded.serve(tensors)), expected)


@pytest.mark.formats
@pytest.mark.parametrize(
    "case", [*PORTABLE.values(), *CHUNKED.values()], ids=[*PORTABLE, *CHUNKED]
)
def test_onnx(case, tmp_path):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    model = model_of(case)
    pairs = list(inputs_and_outputs(case, model))
    # Keras exports to this format only models that were called.
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [part.name for part in session.get_inputs()]
    for inputs, expected in pairs:
        feed = dict(zip(names, inputs, strict=True))
        assert_close(session.run(None, feed), expected)


# "Select TensorFlow op(s), included in the given model, is(are) not supported by this
# interpreter. [...] (FlexTensorListReserve) failed to prepare."
loops = pytest.mark.xfail(
    raises=RuntimeError, reason="LiteRT has no loop over chunks of an unknown number"
)


@pytest.mark.formats
@pytest.mark.parametrize(
    "case",
    [
        *PORTABLE.values(),
        *(pytest.param(case, marks=loops) for case in CHUNKED.values()),
    ],
    ids=[*PORTABLE, *CHUNKED],
)
def test_litert(case, tmp_path):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    model = model_of(case)
    path = str(tmp_path / "model.tflite")
    model.export(path, format="litert", verbose=False)
    run = litert.Interpreter(path).get_signature_runner("serving_default")
    for inputs, expected in inputs_and_outputs(case, model):
        feed = dict(zip(run.get_input_details(), inputs, strict=True))
        assert_close(list(run(**feed).values()), expected)
