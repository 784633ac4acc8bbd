"""Masks that `mask_zero` leaves on tensors: taken, combined, handed on, left alone."""

import keras
import numpy as np
import pytest

from keras_attention import layers, models
from tests.backends import mask_of, to_numpy
from tests.tensors import normal, real_positions

IDS = np.array([[4, 5, 6, 7, 8], [4, 5, 6, 0, 0], [4, 0, 0, 0, 0]], "int32")
SOURCE = np.array([[4, 5, 6, 7, 8, 9, 4], [4, 5, 6, 0, 0, 0, 0], [4] * 5 + [0] * 2])
EXPLICIT = real_positions([4, 5, 3], 5)
SOURCE_EXPLICIT = real_positions([6, 3, 2], 7)


@pytest.fixture(scope="module")
def embedding():
    return layers.PositionalEmbedding(11, 10)


class Case:
    """A layer, its call with and without explicit masks, and the masks it expects."""

    def __init__(self, layer, inputs, masks, options=None):
        self.layer, self.inputs = layer, inputs
        self.masks, self.options = masks, options or {}

    def __call__(self, tensors, masks):
        return self.layer(
            **{name: tensors[kind] for name, kind in self.inputs.items()},
            **{name: masks[kind] for name, kind in self.masks.items()},
            **self.options,
        )


SCORES = {"return_attention_scores": True}
TWO = {"query": "target", "value": "source"}
TWO_MASKS = {"query_mask": "target", "value_mask": "source"}
CASES = {
    "Attention": lambda: Case(layers.Attention("dot"), TWO, TWO_MASKS, SCORES),
    "MultiHeadAttention": lambda: Case(
        layers.MultiHeadAttention(2, 3), TWO, TWO_MASKS, SCORES
    ),
    "DifferentialAttention": lambda: Case(
        layers.DifferentialAttention(2, 3), TWO, TWO_MASKS, SCORES
    ),
    "MultiHeadLatentAttention": lambda: Case(
        layers.MultiHeadLatentAttention(2, 3, 5, 4), TWO, TWO_MASKS, SCORES
    ),
    "LinearAttention": lambda: Case(
        layers.LinearAttention(2, 3), TWO, TWO_MASKS, SCORES
    ),
    "SelfAttention": lambda: Case(
        layers.SelfAttention(3), {"inputs": "target"}, {"mask": "target"}, SCORES
    ),
    "TransformerEncoder": lambda: Case(
        layers.TransformerEncoder(13, 2),
        {"inputs": "target"},
        {"padding_mask": "target"},
        SCORES,
    ),
    "TransformerEncoder, pre-norm": lambda: Case(
        layers.TransformerEncoder(13, 2, normalize_first=True, normalization="rms"),
        {"inputs": "target"},
        {"padding_mask": "target"},
    ),
    "TransformerDecoder": lambda: Case(
        layers.TransformerDecoder(13, 2),
        {"decoder_sequence": "target", "encoder_sequence": "source"},
        {"decoder_padding_mask": "target", "encoder_padding_mask": "source"},
        SCORES,
    ),
    "TransformerDecoder, pre-norm": lambda: Case(
        layers.TransformerDecoder(13, 2, normalize_first=True, normalization="rms"),
        {"decoder_sequence": "target", "encoder_sequence": "source"},
        {"decoder_padding_mask": "target", "encoder_padding_mask": "source"},
    ),
    "RecurrentEncoder": lambda: Case(
        layers.RecurrentEncoder(3, bidirectional=True),
        {"inputs": "target"},
        {"mask": "target"},
    ),
}
ATTENTION_RNN = {
    "feeding": lambda: layers.AttentionRNN(
        keras.layers.GRUCell(3), layers.Attention("general")
    ),
    "not feeding": lambda: layers.AttentionRNN(
        keras.layers.GRUCell(3), layers.Attention("general"), input_feeding=False
    ),
}
every_case = pytest.mark.parametrize("name", list(CASES))


def _flat(outputs):
    return [to_numpy(part) for part in keras.tree.flatten(outputs)]


def _assert_same(found, expected):
    for part, wanted in zip(_flat(found), _flat(expected), strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


def _bare(tensors):
    """The same numbers without masks."""
    return {kind: to_numpy(tensor) for kind, tensor in tensors.items()}


@every_case
def test_implicit_masks_act_like_explicit_ones(name, embedding):
    case = CASES[name]()
    tensors = {"target": embedding(IDS), "source": embedding(SOURCE)}
    no_masks = dict.fromkeys(("target", "source"))
    found = case(tensors, no_masks)
    expected = case(_bare(tensors), {"target": IDS != 0, "source": SOURCE != 0})
    _assert_same(found, expected)
    without = _flat(case(_bare(tensors), no_masks))
    assert not np.allclose(without[0], _flat(found)[0], atol=1e-3)


@every_case
def test_an_explicit_mask_is_combined_with_the_implicit_one(name, embedding):
    case = CASES[name]()
    tensors = {"target": embedding(IDS), "source": embedding(SOURCE)}
    found = case(tensors, {"target": EXPLICIT, "source": SOURCE_EXPLICIT})
    both = {
        "target": EXPLICIT & (IDS != 0),
        "source": SOURCE_EXPLICIT & (SOURCE != 0),
    }
    _assert_same(found, case(_bare(tensors), both))


@every_case
def test_the_output_alone_carries_the_mask(name, embedding):
    case = CASES[name]()
    tensors = {"target": embedding(IDS), "source": embedding(SOURCE)}
    outputs = case(tensors, dict.fromkeys(("target", "source")))
    output, *others = keras.tree.flatten(outputs)
    np.testing.assert_array_equal(mask_of(output), IDS != 0)
    assert all(mask_of(part) is None for part in others)


@every_case
def test_callers_keep_their_masks_and_a_second_call_gives_the_same(name, embedding):
    case = CASES[name]()
    tensors = {"target": embedding(IDS), "source": embedding(SOURCE)}
    no_masks = dict.fromkeys(("target", "source"))
    first = case(tensors, no_masks)
    np.testing.assert_array_equal(mask_of(tensors["target"]), IDS != 0)
    np.testing.assert_array_equal(mask_of(tensors["source"]), SOURCE != 0)
    _assert_same(case(tensors, no_masks), first)


@every_case
def test_a_functional_model_equals_the_explicit_call(name, embedding):
    case = CASES[name]()
    ids = {
        "target": keras.Input((None,), dtype="int32", name="target"),
        "source": keras.Input((None,), dtype="int32", name="source"),
    }
    symbols = {kind: embedding(tensor) for kind, tensor in ids.items()}
    used = [kind for kind in ids if kind in case.inputs.values()]
    outputs = keras.tree.flatten(case(symbols, dict.fromkeys(ids)))
    model = keras.Model([ids[kind] for kind in used], outputs)
    values = {"target": IDS, "source": SOURCE.astype("int32")}
    found = model.predict([values[kind] for kind in used], verbose=0)
    tensors = {kind: to_numpy(embedding(value)) for kind, value in values.items()}
    _assert_same(found, case(tensors, {kind: values[kind] != 0 for kind in values}))


@pytest.mark.parametrize("name", list(ATTENTION_RNN))
def test_attention_rnn_takes_both_masks(name, embedding):
    layer = ATTENTION_RNN[name]()
    options = {"return_state": True, **SCORES}
    inputs, memory = embedding(IDS), embedding(SOURCE)
    outputs, weights, state = layer(inputs, memory, **options)
    np.testing.assert_array_equal(mask_of(outputs), IDS != 0)
    assert all(mask_of(part) is None for part in [weights, *state])
    np.testing.assert_array_equal(mask_of(memory), SOURCE != 0)
    for row, length in enumerate((IDS != 0).sum(axis=1)):
        source = SOURCE[row : row + 1, : (SOURCE[row] != 0).sum()]
        alone, alone_weights, alone_state = layer(
            to_numpy(embedding(IDS[row : row + 1, :length])),
            to_numpy(embedding(source)),
            **options,
        )
        _assert_same(outputs[row, :length], alone[0])
        _assert_same(weights[row, :length, : source.shape[1]], alone_weights[0])
        _assert_same([part[row] for part in state], [part[0] for part in alone_state])
        assert not to_numpy(weights)[row, :, source.shape[1] :].any()


def test_attention_rnn_combines_memory_masks(embedding):
    layer = ATTENTION_RNN["feeding"]()
    inputs, memory = normal(3, 5, 10), embedding(SOURCE)
    found = layer(inputs, memory, memory_mask=SOURCE_EXPLICIT)
    both = SOURCE_EXPLICIT & (SOURCE != 0)
    _assert_same(found, layer(inputs, to_numpy(memory), memory_mask=both))


def test_feed_forward_hands_the_mask_on(embedding):
    outputs = layers.FeedForward(13)(embedding(IDS))
    np.testing.assert_array_equal(mask_of(outputs), IDS != 0)


def test_embeddings_mark_their_padding_and_logits_keep_it(embedding):
    vectors = embedding(IDS)
    np.testing.assert_array_equal(mask_of(vectors), IDS != 0)
    np.testing.assert_array_equal(mask_of(embedding.logits(vectors)), IDS != 0)
    unmasked = layers.PositionalEmbedding(11, 10, mask_zero=False)(IDS)
    assert mask_of(unmasked) is None


@pytest.mark.parametrize("name", ["SelfAttention", "RecurrentEncoder"])
def test_an_explicit_mask_joins_that_of_the_output(name, embedding):
    case = CASES[name]()
    outputs = case({"target": embedding(IDS)}, {"target": EXPLICIT})
    output = keras.tree.flatten(outputs)[0]
    np.testing.assert_array_equal(mask_of(output), EXPLICIT & (IDS != 0))


def test_stacks_carry_the_mask_of_their_inputs_on_the_sequence(embedding):
    encoder = models.EncoderStack([layers.TransformerEncoder(13, 2)])
    memory = encoder(embedding(SOURCE), padding_mask=SOURCE != 0)
    assert mask_of(memory["mask"]) is None
    np.testing.assert_array_equal(mask_of(memory["sequence"]), SOURCE != 0)
    decoder = models.DecoderStack([layers.TransformerDecoder(13, 2)])
    np.testing.assert_array_equal(mask_of(decoder(embedding(IDS), memory)), IDS != 0)


def test_recurrent_parts_carry_the_mask_of_their_inputs(embedding):
    encoder = models.RNNEncoder(layers.RecurrentEncoder(3, "gru"), [3])
    memory = encoder(embedding(SOURCE), padding_mask=SOURCE != 0)
    np.testing.assert_array_equal(mask_of(memory.pop("sequence")), SOURCE != 0)
    assert all(mask_of(part) is None for part in keras.tree.flatten(memory))
    memory = encoder(embedding(SOURCE), padding_mask=SOURCE != 0)
    decoder = models.RNNDecoder(ATTENTION_RNN["feeding"]())
    np.testing.assert_array_equal(mask_of(decoder(embedding(IDS), memory)), IDS != 0)
