"""What is new in models written outside of the package, against plain loops."""

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.backends import input_gradient, to_numpy, to_tensors
from tests.examples.test_own_models import SOURCE, load, make
from tests.tensors import normal, randomize

UNKNOWN, END = 1, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_gated_convolution_sees_its_width_and_no_more(width):
    layer = load("convolutional").GatedConvolution(3, width)
    inputs = normal(2, 4 + width, 3)
    found = to_numpy(layer(inputs))
    kernel, bias = (to_numpy(weight.value) for weight in layer.weights)
    assert kernel.shape == (width, 3, 6)
    expected = np.empty((2, 5, 3))
    for row in range(2):
        for place in range(5):
            halves = bias + sum(
                inputs[row, place + offset] @ kernel[offset] for offset in range(width)
            )
            expected[row, place] = halves[:3] * sigmoid(halves[3:])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_past_of_a_convolution_is_its_last_inputs():
    layer = load("convolutional").DecoderLayer(4, 3)
    inputs, embedded = normal(2, 5, 4), normal(2, 5, 4, seed=1)
    memory = {
        "keys": normal(2, 3, 4, seed=2),
        "values": normal(2, 3, 4, seed=3),
        "mask": np.array([[True, True, False], [True, False, False]]),
    }
    past = np.zeros((2, 2, 4), "float32")
    layer(inputs, past, embedded, memory)
    randomize(layer)
    expected, last, _ = to_numpy(layer(inputs, past, embedded, memory))
    np.testing.assert_array_equal(last, inputs[:, 3:])
    for place in range(5):
        here = slice(place, place + 1)
        found, past, weights = to_numpy(
            layer(inputs[:, here], past, embedded[:, here], memory)
        )
        np.testing.assert_allclose(found[:, 0], expected[:, place], atol=1e-5)
        read = np.pad(inputs, ((0, 0), (2, 0), (0, 0)))[:, place + 1 : place + 3]
        np.testing.assert_array_equal(past, read)
        np.testing.assert_allclose(weights[1, 0], [1, 0, 0], atol=1e-6)


def test_a_mixture_writes_and_copies():
    mix = load("pointer_generator").mix
    written, weights = (
        np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        for scores in (normal(2, 3, 5), normal(2, 3, 4, seed=1))
    )
    source = np.array([[4, 6, 4, 5], [1, 1, 0, 0]], "int32")
    weights[1, :, 2:] = 0
    gate = sigmoid(normal(2, 3, 1, seed=2))
    expected = np.zeros((2, 3, 7))
    for row in range(2):
        for place in range(3):
            for number in range(5):
                expected[row, place, number] += (
                    gate[row, place, 0] * written[row, place, number]
                )
            for position in range(4):
                expected[row, place, source[row, position]] += (
                    1 - gate[row, place, 0]
                ) * weights[row, place, position]
    found = to_numpy(mix(*to_tensors((written, weights, source, gate)), 2))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_cannot_be_has_no_gradient():
    log = load("pointer_generator").log_or_impossible
    values = np.array([0.0, 0.25, 0.75], "float32")
    found = to_numpy(log(to_tensors(values)))
    np.testing.assert_allclose(found, [-np.inf, np.log(0.25), np.log(0.75)])

    def loss(probabilities):
        logits = log(probabilities)
        return ops.logsumexp(logits) - logits[1]

    np.testing.assert_allclose(input_gradient(loss, values), [0, -3, 1], atol=1e-5)


@pytest.mark.slow
def test_a_pointer_model_copies_words_without_an_id():
    module = load("pointer_generator")
    words = module.Words(["saw", "the", "was"], num_unknown=2)
    source, target = "dodo saw the lulu dodo", "the lulu was dodo ?"
    size = len(words.words)
    assert words.read([source], [source]).tolist() == [
        [size, words.ids["saw"], words.ids["the"], size + 1, size, END]
    ]
    ids = words.read([source], [target])[0]
    assert ids.tolist()[-2:] == [UNKNOWN, END]
    assert words.write(source, ids) == target
    # A third such word is one too many.
    assert words.read(["dodo lulu momo"], ["momo lulu"])[0].tolist() == [1, size + 1, 3]
    # Where the gate is shut, outputs are of the source alone.
    model = make("pointer_generator")
    kernel, bias = model.gate_dense.get_weights()
    model.gate_dense.set_weights([0 * kernel, 0 * bias - 99])
    copied = np.array([[6, 7, 6, 7], [6, 6, 0, 0], [4, 7, 5, 3]], "int32")
    for search in (Greedy(4), BeamSearch(3, 4), Sampling(4, seed=1)):
        names, name, mixed = search(model, copied).ids[:, 0]
        assert {*names} <= {6, 7}
        assert {*name} == {6}
        assert {*mixed} <= {4, 7, 5, 3, 0}


@pytest.mark.slow
def test_a_pointer_model_learns_to_copy_names_it_has_never_seen():
    module = load("pointer_generator")
    options = ["--pairs", "1500", "--tested", "40", "--epochs", "6", "--dim", "48"]
    shares = module.main([*options, "--learning-rate", "0.01"])
    assert min(shares.values()) > 0.5


def _retained(query, key, value, decays):
    """By one position after the other: `S = d S + k v`, `o = q S`."""
    output = np.zeros_like(value)
    for row in range(query.shape[0]):
        for head, decay in enumerate(decays):
            kept = np.zeros((key.shape[-1], value.shape[-1]))
            for place in range(query.shape[2]):
                at = row, head, place
                kept = decay * kept + np.outer(key[at], value[at])
                output[at] = query[at] @ kept
    return output


def test_retention_is_a_recurrence():
    retain = load("retention").retain
    query, key, value = (normal(2, 3, 7, 4, seed=seed) for seed in range(3))
    decays = [0.5, 0.9, 0.97]
    expected = _retained(query, key, value, decays)
    # The parallel form: a sum over all positions before.
    place = np.arange(7)
    for head, decay in enumerate(decays):
        faded = np.tril(decay ** (place[:, None] - place).clip(0))
        scores = np.einsum("bth,bsh->bts", query[:, head], key[:, head]) * faded
        found = scores @ value[:, head]
        np.testing.assert_allclose(found, expected[:, head], atol=1e-4)
    for sizes in ([7], [1] * 7, [3, 4], [1, 5, 1]):
        kept, read, outputs = ops.zeros((2, 3, 4, 4)), 0, []
        for size in sizes:
            parts = (part[:, :, read : read + size] for part in (query, key, value))
            output, kept = retain(*to_tensors([*parts]), kept, np.log(decays))
            outputs.append(to_numpy(output))
            read += size
        found = np.concatenate(outputs, axis=2)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_retention_layer_turns_weighs_and_gates():
    layer = load("retention").Retention(2, 4)
    inputs = normal(3, 5, 8)
    layer(inputs, inputs, use_causal_mask=True)
    randomize(layer)
    found = to_numpy(layer(inputs, inputs, use_causal_mask=True))

    def by_head(dense):
        kernel = to_numpy(dense.kernel.value)
        return (inputs @ kernel).reshape(3, 5, 2, 4).transpose(0, 2, 1, 3)

    query, key, value = map(by_head, layer.denses)
    turn = np.exp(1j * np.arange(5)[:, None] * 10_000.0 ** -np.array([0, 0.5]))
    query, key = ((part[..., :2] + 1j * part[..., 2:]) * turn for part in (query, key))
    products = np.einsum("bnth,bnsh->bnts", query, key.conj()).real / 2
    distance = np.arange(5)[:, None] - np.arange(5)
    decays = np.array([1 - 1 / 32, 1 - 1 / 64])[:, None, None]
    output = np.tril(products * decays ** distance.clip(0)) @ value
    centered = output - output.mean(axis=-1, keepdims=True)
    output = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + 1e-3)
    output = output.transpose(0, 2, 1, 3).reshape(3, 5, 8)
    kernel, bias = (to_numpy(weight.value) for weight in layer.gate_dense.weights)
    gate = inputs @ kernel + bias
    kernel, bias = (to_numpy(weight.value) for weight in layer.output_dense.weights)
    expected = (gate * sigmoid(gate) * output) @ kernel + bias
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_attention_that_is_always_causal_says_so_elsewhere():
    from keras_attention.layers import TransformerEncoder

    block = TransformerEncoder(11, attention=load("retention").Retention(2, 4))
    with pytest.raises(TypeError, match="use_causal_mask"):
        block(normal(2, 5, 8))


def test_a_convolutional_model_has_so_many_positions():
    model = make("convolutional")
    with pytest.raises(ValueError, match="`max_length` must be .*: max_length=12"):
        Greedy(12)(model, SOURCE)
