"""Models as Keras's published examples build them come over with all they learned."""

import importlib

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_attention.convert import fill_block
from keras_attention.layers import TransformerEncoder
from tests.backends import BACKEND, ROOT, to_numpy

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="TextVectorization needs TensorFlow"
)
LENGTH, WIDTH, HIDDEN, HEADS = 20, 16, 32, 4
PAIRS = {
    "I see you.": "te veo",
    "You see me!": "me ves",
    "we go home": "vamos a casa",
    "They go": "van",
    "I go home": "voy a casa",
}
TEXTS = [*PAIRS, "home you go", "see see see we", "zzz I", "go"]


class Places(layers.Layer):
    def __init__(self, size):
        super().__init__()
        self.token_embeddings = layers.Embedding(size, WIDTH)
        self.position_embeddings = layers.Embedding(LENGTH, WIDTH)

    def call(self, ids):
        places = self.position_embeddings(ops.arange(ops.shape(ids)[-1]))
        return self.token_embeddings(ids) + places

    def compute_mask(self, ids, mask=None):
        return ops.not_equal(ids, 0)


class Block(layers.Layer):
    def __init__(self, norms):
        super().__init__()
        self.supports_masking = True
        self.dense_proj = keras.Sequential(
            [layers.Dense(HIDDEN, "relu"), layers.Dense(WIDTH)]
        )
        for number in range(1, norms + 1):
            setattr(self, f"layernorm_{number}", layers.LayerNormalization())


class Encoder(Block):
    def __init__(self):
        super().__init__(norms=2)
        self.attention = layers.MultiHeadAttention(HEADS, WIDTH)

    def call(self, x, mask=None):
        mask = None if mask is None else mask[:, None, :]
        x = self.layernorm_1(x + self.attention(x, x, attention_mask=mask))
        return self.layernorm_2(x + self.dense_proj(x))


class Decoder(Block):
    def __init__(self):
        super().__init__(norms=3)
        self.attention_1 = layers.MultiHeadAttention(HEADS, WIDTH)
        self.attention_2 = layers.MultiHeadAttention(HEADS, WIDTH)

    def call(self, inputs, mask=None):
        x, memory = inputs
        x = self.layernorm_1(x + self.attention_1(x, x, use_causal_mask=True))
        mask = None if mask is None or mask[1] is None else mask[1][:, None, :]
        seen = self.attention_2(x, memory, attention_mask=mask)
        x = self.layernorm_2(x + seen)
        return self.layernorm_3(x + self.dense_proj(x))


@pytest.fixture(scope="module")
def trained():
    """A model, its two vectorizations, and the ids that it was trained on."""
    import tensorflow as tf

    def plain(texts):
        return tf.strings.regex_replace(tf.strings.lower(texts), "[!?.,]", "")

    english = layers.TextVectorization(max_tokens=50, output_sequence_length=LENGTH)
    spanish = layers.TextVectorization(
        max_tokens=50, output_sequence_length=LENGTH + 1, standardize=plain
    )
    targets = [f"[start] {text} [end]" for text in PAIRS.values()]
    english.adapt([*PAIRS])
    spanish.adapt(targets)
    keras.utils.set_random_seed(1)
    source, target = (keras.Input((None,), dtype="int64") for _ in range(2))
    memory = Encoder()(Places(50)(source))
    hidden = Decoder()([Places(50)(target), memory])
    probabilities = layers.Dense(50, "softmax")(layers.Dropout(0.5)(hidden))
    model = keras.Model([source, target], probabilities)
    read, written = english([*PAIRS]), spanish(targets)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    counts = tf.cast(written[:, 1:] != 0, "float32")
    inputs = [read, written[:, :-1]]
    model.fit(inputs, written[:, 1:], sample_weight=counts, epochs=60, verbose=0)
    return model, english, spanish, inputs


def decode(model, english, spanish, text):
    """What the example's own loop writes."""
    words, written = spanish.get_vocabulary(), "[start]"
    for index in range(LENGTH - 1):
        given = [english([text]), spanish([written])[:, :-1]]
        best = int(np.argmax(to_numpy(model(given))[0, index]))
        written += f" {words[best]}"
        if words[best] == "[end]":
            break
    return written.removeprefix("[start]").removesuffix("[end]").strip()


@pytest.mark.slow
def test_the_transformer_comes_over_and_leaves_as_strings(
    trained, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    carry_over = importlib.import_module("from_keras_transformer").carry_over
    model, english, spanish, inputs = trained
    translate = carry_over(model, english, spanish)
    logits = translate.model(dict(zip(("source", "target"), inputs, strict=True)))
    is_real = to_numpy(inputs[1]) != 0
    found = to_numpy(ops.softmax(logits))[is_real]
    np.testing.assert_allclose(found, to_numpy(model(inputs))[is_real], atol=1e-5)
    expected = [decode(model, english, spanish, text) for text in TEXTS]
    assert expected[: len(PAIRS)] == [*PAIRS.values()]
    assert translate(TEXTS) == expected
    assert translate([""]) == [""]
    translate.export(tmp_path / "out", check=TEXTS)


def make_lstms():
    """The recurrent example on the same pairs, and the loop that decodes it."""
    ends = [f"\t{text}\n" for text in PAIRS.values()]
    sources, targets = sorted({*"".join(PAIRS)} | {" "}), sorted({*"".join(ends)})
    longest = max(map(len, PAIRS)), max(map(len, ends))

    def one_hot(text, characters, length):
        found = [characters.index(c) for c in text.ljust(length)]
        return np.eye(len(characters), dtype="float32")[found]

    keras.utils.set_random_seed(1)
    given = [keras.Input((None, len(side))) for side in (sources, targets)]
    encoder = layers.LSTM(64, return_state=True)
    decoder = layers.LSTM(64, return_sequences=True, return_state=True)
    _, *states = encoder(given[0])
    hidden, _, _ = decoder(given[1], initial_state=states)
    dense = layers.Dense(len(targets), "softmax")
    model = keras.Model(given, dense(hidden))
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    read = np.stack([one_hot(text, sources, longest[0]) for text in PAIRS])
    written = np.stack([one_hot(text, targets, longest[1] + 1) for text in ends])
    model.fit([read, written[:, :-1]], written[:, 1:], epochs=150, verbose=0)

    def decode(text):
        _, *states = encoder(one_hot(text, sources, longest[0])[None])
        last, found = one_hot("\t", targets, 1), ""
        while not found.endswith("\n") and len(found) <= longest[1]:
            hidden, *states = decoder(last[None], initial_state=states)
            found += targets[int(np.argmax(to_numpy(dense(hidden))))]
            last = one_hot(found[-1], targets, 1)
        return found.removesuffix("\n")

    return (model, sources, targets, *longest), decode


@pytest.mark.slow
def test_the_lstms_come_over_and_leave_as_strings(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    carry_over = importlib.import_module("from_keras_characters").carry_over
    trained, decode = make_lstms()
    translate = carry_over(*trained)
    texts = [*PAIRS, "You go home", "They see me", "we", "I"]
    expected = [decode(text) for text in texts]
    assert expected[: len(PAIRS)] == [*PAIRS.values()]
    assert translate(texts) == expected
    translate.export(tmp_path / "out", check=texts)


def test_parts_of_another_number_or_form_are_refused():
    block = TransformerEncoder(HIDDEN, HEADS)
    block.build((None, None, WIDTH))
    dense, norm = layers.Dense(3), layers.LayerNormalization()
    for layer in (dense, norm):
        layer.build((None, WIDTH))
    with pytest.raises(ValueError, match=r"\['self_attention', 'feed_forward'\]"):
        fill_block(block, [(dense, norm)])
    with pytest.raises(ValueError, match="was expecting 8 weights"):
        fill_block(block, [(dense, norm), (dense, norm)])
