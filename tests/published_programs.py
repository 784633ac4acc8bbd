"""Architectures of Keras's published examples, in small, with inputs for each.

Each is named by its page under https://keras.io/examples/.
"""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_attention.layers import (
    MultiHeadAttention,
    PositionalEmbedding,
    RecurrentCell,
    TransformerDecoder,
    TransformerEncoder,
)
from tests.tensors import normal, real_positions, token_ids

ROWS, LENGTH, WIDTH, WORDS = 3, 6, 8, 20
LETTERS = 11


def attention(**options):
    return layers.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.1, **options)


def dense_block(x, widths, activation="gelu"):
    for width in widths:
        x = layers.Dropout(0.1)(layers.Dense(width, activation)(x))
    return x


def pre_norm_block(x):
    normal_x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.Add()([attention()(normal_x, normal_x), x])
    hidden = layers.LayerNormalization(epsilon=1e-6)(x)
    return layers.Add()([dense_block(hidden, [2 * WIDTH, x.shape[-1]]), x])


def lstm_seq2seq():
    letters = [keras.Input((None, LETTERS)) for _ in range(2)]
    _, *states = layers.LSTM(WIDTH, return_state=True)(letters[0])
    write = layers.LSTM(WIDTH, return_sequences=True, return_state=True)
    hidden, _, _ = write(letters[1], initial_state=states)
    return keras.Model(letters, layers.Dense(LETTERS, "softmax")(hidden))


def addition_rnn():
    return keras.Sequential(
        [
            keras.Input((LENGTH, LETTERS)),
            layers.LSTM(WIDTH),
            layers.RepeatVector(4),
            layers.LSTM(WIDTH, return_sequences=True),
            layers.Dense(LETTERS, "softmax"),
        ]
    )


def bidirectional_lstm_imdb():
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(WORDS, WIDTH)(ids)
    words = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(words)
    words = layers.Bidirectional(layers.LSTM(4))(words)
    return keras.Model(ids, layers.Dense(1, "sigmoid")(words))


class Endpoint(layers.Layer):
    """Adds a loss to what passes through it."""

    def call(self, labels, outputs):
        self.add_loss(ops.mean(ops.square(ops.mean(labels) - outputs)))
        return outputs


def captcha_ocr():
    image, labels = keras.Input((8, 4, 1)), keras.Input((None,))
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="Conv1")(image)
    x = layers.Reshape((4, 10), name="reshape")(layers.MaxPooling2D(2)(x))
    x = layers.Dropout(0.2)(layers.Dense(WIDTH, "relu", name="dense1")(x))
    for units in (8, 4):
        lstm = layers.LSTM(units, return_sequences=True, dropout=0.25)
        x = layers.Bidirectional(lstm)(x)
    x = layers.Dense(LETTERS, "softmax", name="dense2")(x)
    return keras.Model([image, labels], Endpoint(name="ctc_loss")(labels, x))


def video_classification():
    frames = keras.Input((LENGTH, WIDTH))
    mask = keras.Input((LENGTH,), dtype="bool")
    x = layers.GRU(16, return_sequences=True)(frames, mask=mask)
    x = layers.Dense(8, "relu")(layers.Dropout(0.4)(layers.GRU(8)(x)))
    return keras.Model([frames, mask], layers.Dense(5, "softmax")(x))


def timeseries_classification_transformer():
    inputs = x = keras.Input((LENGTH, 1))
    for _ in range(2):
        seen = layers.LayerNormalization(epsilon=1e-6)(
            layers.Dropout(0.25)(attention()(x, x))
        )
        summed = seen + x
        hidden = layers.Conv1D(4, 1, activation="relu")(summed)
        hidden = layers.Conv1D(x.shape[-1], 1)(layers.Dropout(0.25)(hidden))
        x = layers.LayerNormalization(epsilon=1e-6)(hidden) + summed
    x = layers.GlobalAveragePooling1D(data_format="channels_last")(x)
    return keras.Model(inputs, layers.Dense(2, "softmax")(dense_block(x, [8], "relu")))


class Patches(layers.Layer):
    def __init__(self, patch_size):
        super().__init__()
        self.patch_size = patch_size

    def call(self, images):
        size = self.patch_size
        _, height, width, channels = images.shape
        patches = ops.image.extract_patches(images, size=size)
        count = (height // size) * (width // size)
        return ops.reshape(patches, (-1, count, size * size * channels))

    def get_config(self):
        return {**super().get_config(), "patch_size": self.patch_size}


class PatchEncoder(layers.Layer):
    """As published, its configuration lacks the width of the projection."""

    def __init__(self, num_patches, projection_dim):
        super().__init__()
        self.num_patches = num_patches
        self.projection = layers.Dense(projection_dim)
        self.position_embedding = layers.Embedding(num_patches, projection_dim)

    def call(self, patch):
        places = ops.arange(self.num_patches)[None]
        return self.projection(patch) + self.position_embedding(places)

    def get_config(self):
        return {**super().get_config(), "num_patches": self.num_patches}


def image_classification_with_vision_transformer():
    images = keras.Input((8, 8, 3))
    augment = keras.Sequential(
        [
            layers.Normalization(),
            layers.Resizing(12, 12),
            layers.RandomFlip("horizontal"),
            layers.RandomZoom(0.2, 0.2),
        ],
        name="data_augmentation",
    )
    augment.layers[0].adapt(normal(16, 8, 8, 3, seed=4) * 3 + 1)
    x = PatchEncoder(9, WIDTH)(Patches(4)(augment(images)))
    for _ in range(2):
        x = pre_norm_block(x)
    x = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(x))
    return keras.Model(images, layers.Dense(10)(dense_block(x, [16, 8])))


class ConvolutionalTokenizer(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.conv_model = keras.Sequential()
        for width in (4, WIDTH):
            self.conv_model.add(layers.Conv2D(width, 3, use_bias=False))
            self.conv_model.add(layers.ZeroPadding2D(1))
            self.conv_model.add(layers.MaxPooling2D(3, 2, "same"))

    def call(self, images):
        return ops.reshape(self.conv_model(images), (-1, 4, WIDTH))


class StochasticDepth(layers.Layer):
    def __init__(self, drop_prop, **options):
        super().__init__(**options)
        self.drop_prob = drop_prop

    def call(self, x, training=False):
        keep = 1 - self.drop_prob
        return x * keras.random.uniform((1, 1, 1)) / keep if training else x


def cct():
    images = keras.Input((8, 8, 3))
    x = ConvolutionalTokenizer()(layers.Rescaling(1 / 255)(images))
    for rate in (0.0, 0.1):
        normal_x = layers.LayerNormalization(epsilon=1e-5)(x)
        seen = StochasticDepth(rate)(attention()(normal_x, normal_x))
        x = layers.Add()([seen, x])
        hidden = dense_block(layers.LayerNormalization(epsilon=1e-5)(x), [WIDTH] * 2)
        x = layers.Add()([StochasticDepth(rate)(hidden), x])
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    shares = ops.softmax(layers.Dense(1)(x), axis=1)
    pooled = ops.squeeze(ops.matmul(ops.transpose(shares, (0, 2, 1)), x), axis=1)
    return keras.Model(images, layers.Dense(10)(pooled))


def tabtransformer():
    names = ["education", "occupation", "gender"]
    inputs = {name: keras.Input((), name=name) for name in [*names, "age"]}
    columns = [layers.Embedding(5, WIDTH)(inputs[name]) for name in names]
    x = ops.stack(columns, axis=1)
    x = x + layers.Embedding(len(names), WIDTH)(ops.arange(len(names)))
    for block in range(2):
        seen = attention(name=f"multihead_attention_{block}")(x, x)
        x = layers.LayerNormalization()(layers.Add()([seen, x]))
        forward = keras.Sequential(
            [layers.LayerNormalization(), layers.Dense(WIDTH, "gelu")],
            name=f"feedforward_{block}",
        )
        x = layers.LayerNormalization()(layers.Add()([forward(x), x]))
    ages = layers.LayerNormalization()(ops.expand_dims(inputs["age"], -1))
    x = layers.concatenate([layers.Flatten()(x), ages])
    head = keras.Sequential(
        [layers.BatchNormalization(), layers.Dense(WIDTH, "selu")], name="MLP"
    )
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(head(x)))


def movielens_recommendations_transformers():
    films = keras.Input((LENGTH,), dtype="int32")
    wanted = keras.Input((1,), dtype="int32")
    ratings, other = keras.Input((LENGTH,)), keras.Input((3,))
    embed, mix = layers.Embedding(WORDS, WIDTH), layers.Dense(WIDTH, "relu")
    genres = layers.Embedding(WORDS, 4, trainable=False)
    encoded = [mix(layers.concatenate([embed(i), genres(i)])) for i in (films, wanted)]
    places = layers.Embedding(LENGTH, WIDTH)(ops.arange(LENGTH))
    seen = (encoded[0] + places) * ops.expand_dims(ratings, -1)
    x = layers.concatenate([seen, encoded[1]], axis=1)
    attended = layers.Dropout(0.1)(attention()(x, x))
    first = layers.LayerNormalization()(layers.Add()([x, attended]))
    forward = layers.Dense(WIDTH)(layers.LeakyReLU()(first))
    x = layers.LayerNormalization()(layers.Add()([first, layers.Dropout(0.1)(forward)]))
    x = layers.concatenate([layers.Flatten()(x), other])
    x = layers.LeakyReLU()(layers.BatchNormalization()(layers.Dense(16)(x)))
    return keras.Model([films, wanted, ratings, other], layers.Dense(1)(x))


class MaskedLanguageModel(keras.Model):
    """A functional model of a class of its own."""


def masked_language_modeling():
    ids = keras.Input((LENGTH,), dtype="int32")
    words = layers.Embedding(WORDS, WIDTH, name="word_embedding")(ids)
    places = layers.Embedding(LENGTH, WIDTH)(ops.arange(LENGTH))
    x = words + places
    seen = attention(name="encoder_0_multiheadattention")(x, x, x)
    x = layers.LayerNormalization(epsilon=1e-6)(x + seen)
    forward = keras.Sequential([layers.Dense(16, "relu"), layers.Dense(WIDTH)])
    x = layers.LayerNormalization(epsilon=1e-6)(x + forward(x))
    output = layers.Dense(WORDS, "softmax", name="mlm_cls")(x)
    return MaskedLanguageModel(ids, output, name="masked_bert_model")


def hub():
    return pytest.importorskip("keras_hub", exc_type=ImportError).layers


def places_and_words(**options):
    return hub().TokenAndPositionEmbedding(WORDS, LENGTH, WIDTH, **options)


def neural_machine_translation_with_keras_hub():
    source = keras.Input((None,), name="encoder_inputs")
    memory = hub().TransformerEncoder(16, 2)(inputs=places_and_words()(source))
    target = keras.Input((None,), name="decoder_inputs")
    given = keras.Input((None, WIDTH), name="decoder_state_inputs")
    x = hub().TransformerDecoder(16, 2)(
        decoder_sequence=places_and_words()(target), encoder_sequence=given
    )
    output = layers.Dense(WORDS, "softmax")(layers.Dropout(0.5)(x))
    decoder = keras.Model([target, given], output)
    return keras.Model([source, target], decoder([target, memory]), name="transformer")


def text_generation_gpt():
    ids = keras.Input((None,), dtype="int32")
    x = places_and_words(mask_zero=True)(ids)
    for _ in range(2):
        x = hub().TransformerDecoder(num_heads=2, intermediate_dim=16)(x)
    return keras.Model(ids, layers.Dense(WORDS)(x))


WORD_IDS = token_ids(ROWS, LENGTH, vocabulary=WORDS)
LETTER_VECTORS = np.eye(LETTERS, dtype="float32")[
    token_ids(2, ROWS, LENGTH, vocabulary=LETTERS)
]
IMAGES = 100 * normal(ROWS, 8, 8, 3)
# Of each: the inputs, and which of our layers it gets, how often.
PROGRAMS = {
    lstm_seq2seq: ([*LETTER_VECTORS], {RecurrentCell: 2}),
    addition_rnn: (LETTER_VECTORS[0], {RecurrentCell: 2}),
    bidirectional_lstm_imdb: (WORD_IDS, {RecurrentCell: 4}),
    captcha_ocr: ([normal(ROWS, 8, 4, 1), normal(ROWS, 5)], {RecurrentCell: 4}),
    video_classification: (
        [normal(ROWS, LENGTH, WIDTH), real_positions([6, 1, 4], LENGTH)],
        {RecurrentCell: 2},
    ),
    timeseries_classification_transformer: (
        normal(ROWS, LENGTH, 1),
        {MultiHeadAttention: 2},
    ),
    image_classification_with_vision_transformer: (IMAGES, {MultiHeadAttention: 2}),
    cct: (IMAGES, {MultiHeadAttention: 2}),
    tabtransformer: (
        {
            "education": np.array([0.0, 4.0, 2.0]),
            "occupation": np.array([1.0, 3.0, 2.0]),
            "gender": np.array([0.0, 1.0, 1.0]),
            "age": np.array([-0.3, 0.2, 1.5], "float32"),
        },
        {MultiHeadAttention: 2},
    ),
    movielens_recommendations_transformers: (
        [WORD_IDS, WORD_IDS[:, :1], normal(ROWS, LENGTH), normal(ROWS, 3)],
        {MultiHeadAttention: 1},
    ),
    masked_language_modeling: (WORD_IDS, {MultiHeadAttention: 1}),
    neural_machine_translation_with_keras_hub: (
        [WORD_IDS, WORD_IDS[:, ::-1]],
        {TransformerEncoder: 1, TransformerDecoder: 1, PositionalEmbedding: 2},
    ),
    text_generation_gpt: (
        WORD_IDS,
        {TransformerDecoder: 2, PositionalEmbedding: 1},
    ),
}
