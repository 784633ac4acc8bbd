"""Layers of Keras and KerasHub and ours in their place give the same."""

import keras
import numpy as np
import pytest

from keras_attention import layers
from keras_attention.convert import from_keras
from tests.backends import BACKEND, to_numpy

# KerasHub's layers say nothing of the masks that they pass on.
pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")

VECTORS = np.random.default_rng(0).normal(size=(3, 7, 8)).astype("float32")
MEMORY = np.random.default_rng(1).normal(size=(3, 5, 6)).astype("float32")
MASK = np.arange(7) < np.array([[7], [4], [1]])
IDS = np.array([[3, 4, 5, 0], [7, 1, 0, 0]], "int32")
RECURRENT = {
    "LSTM": keras.layers.LSTM,
    "GRU": keras.layers.GRU,
    "SimpleRNN": keras.layers.SimpleRNN,
}


def _shake(layer):
    """Weights of which none is zero or one."""
    random = np.random.default_rng(3)
    layer.set_weights(
        [w + random.normal(size=w.shape, scale=0.3) for w in layer.get_weights()]
    )


def _close(ours, theirs, atol=1e-5):
    flat = [*map(to_numpy, keras.tree.flatten(ours))]
    expected = [*map(to_numpy, keras.tree.flatten(theirs))]
    for one, other in zip(flat, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("is_both", [False, True])
def test_a_recurrent_layer_is_an_encoder(kind, is_both):
    theirs = RECURRENT[kind](4, return_sequences=True, return_state=True)
    if is_both:
        theirs = keras.layers.Bidirectional(theirs)
    theirs(VECTORS)
    _shake(theirs)
    ours = from_keras(theirs)
    assert isinstance(ours, layers.RecurrentEncoder)
    outputs, (states,) = ours(VECTORS, mask=MASK)
    expected, *finals = theirs(VECTORS, mask=MASK)
    # Keras repeats outputs where ours are zeros.
    real = MASK[:, :, None]
    _close(to_numpy(outputs) * real, to_numpy(expected) * real)
    if is_both:
        half = len(finals) // 2
        finals = [
            np.concatenate([to_numpy(finals[i]), to_numpy(finals[half + i])], -1)
            for i in range(half)
        ]
    _close(states, finals)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda: keras.layers.MultiHeadAttention(2, 3, value_dim=5),
            marks=pytest.mark.skipif(
                BACKEND == "jax", reason="Keras on JAX wants values as wide as keys"
            ),
        ),
        lambda: keras.layers.MultiHeadAttention(2, 3, use_bias=False, output_shape=4),
        lambda: keras.layers.GroupQueryAttention(3, 4, 2),
    ],
)
def test_an_attention_takes_the_same_calls(make):
    theirs = make()
    theirs(VECTORS, MEMORY)
    _shake(theirs)
    ours = from_keras(theirs)
    assert isinstance(ours, layers.MultiHeadAttention)
    options = {"return_attention_scores": True, "use_causal_mask": True}
    _close(ours(VECTORS, MEMORY, **options), theirs(VECTORS, MEMORY, **options))


@pytest.fixture(scope="module")
def hub():
    # It does not run on every Keras that we run on.
    return pytest.importorskip("keras_hub", exc_type=ImportError).layers


@pytest.mark.parametrize("normalize_first", [False, True])
def test_a_block_of_kerashub_is_one_of_ours(hub, normalize_first):
    options = {
        "normalize_first": normalize_first,
        "activation": "gelu",
        "layer_norm_epsilon": 1e-3,
        "dropout": 0.1,
    }
    theirs = hub.TransformerEncoder(10, 2, **options)
    theirs(VECTORS)
    _shake(theirs)
    ours = from_keras(theirs)
    assert isinstance(ours, layers.TransformerEncoder)
    real = MASK[:, :, None]
    found, expected = (one(VECTORS, padding_mask=MASK) for one in (ours, theirs))
    _close(to_numpy(found) * real, to_numpy(expected) * real)
    for arguments in ((VECTORS, MEMORY), (VECTORS,)):
        theirs = hub.TransformerDecoder(10, 2, **options)
        theirs(*arguments)
        _shake(theirs)
        ours = from_keras(theirs)
        assert isinstance(ours, layers.TransformerDecoder)
        _close(ours(*arguments), theirs(*arguments))


def test_embeddings_of_kerashub_are_ours(hub):
    theirs = hub.TokenAndPositionEmbedding(9, 6, 8, mask_zero=True)
    theirs(IDS)
    _shake(theirs)
    ours = from_keras(theirs)
    _close(ours(IDS), theirs(IDS))
    _close(ours.logits(VECTORS), theirs.token_embedding(VECTORS, reverse=True))
    sines = hub.SinePositionEncoding(max_wavelength=500)
    _close(from_keras(sines)(VECTORS, start_index=3), sines(VECTORS, start_index=3))
    loose = hub.TokenAndPositionEmbedding(9, 6, 8, tie_weights=False)
    loose(IDS)
    with pytest.raises(ValueError, match="tie_weights=True"):
        from_keras(loose)


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.Layer):
    """A layer of one's own, with a weight."""

    def build(self, shape):
        self.factor = self.add_weight(name="factor", initializer="ones")

    def call(self, inputs):
        return 2 * self.factor * inputs


def _functional(hub):
    ids, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    embed = keras.layers.Embedding(9, 8, mask_zero=True)
    source = embed(ids) + hub.SinePositionEncoding()(embed(ids))
    memory = hub.TransformerEncoder(10, 2)(source)
    memory, *states = keras.layers.LSTM(8, return_sequences=True, return_state=True)(
        memory
    )
    memory = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))(
        memory
    )
    inner = keras.Input((None, 8))
    block = keras.Model(inner, Doubled()(keras.layers.Dense(8)(inner)))
    hidden = keras.layers.LSTM(8, return_sequences=True)(
        block(embed(target)), initial_state=states
    )
    hidden = hub.TransformerDecoder(10, 2)(hidden, memory)
    attended = keras.layers.MultiHeadAttention(2, 4)(hidden, block(memory))
    return keras.Model([ids, target], keras.layers.Dense(9)(hidden + attended))


def test_the_layers_of_a_whole_model_are_replaced(hub, tmp_path):
    theirs = _functional(hub)
    _shake(theirs)
    theirs.layers[-1].trainable = False
    ours = from_keras(theirs)
    kinds = {type(layer).__name__ for layer in ours._flatten_layers()}
    assert {"SinePositionEncoding", "RecurrentCell", "Doubled"} <= kinds
    modules = {type(layer).__module__.partition(".")[0] for layer in ours.layers}
    assert "keras_hub" not in modules
    target = IDS[:, ::-1].copy()
    target[target == 0] = 2
    _close(ours([IDS, target]), theirs([IDS, target]))
    assert ours.count_params() == theirs.count_params()
    assert [layer.trainable for layer in ours.layers] == [
        layer.trainable for layer in theirs.layers
    ]
    ours.save(tmp_path / "model.keras")
    _close(
        keras.models.load_model(tmp_path / "model.keras")([IDS, target]),
        theirs([IDS, target]),
    )


def test_a_sequential_model_is_copied():
    theirs = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(9, 8, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(4)),
            keras.layers.Dense(1),
        ]
    )
    _shake(theirs)
    ours = from_keras(theirs)
    _close(ours(IDS), theirs(IDS))


class _Own(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.layers.Dense(3), "`layer` must be one of .*Dense"),
        (lambda: keras.layers.LSTM(3), "`layer` must be built"),
        (lambda: _built(keras.layers.LSTM(3, activation="relu")), "activation='tanh'"),
        (lambda: _built(keras.layers.GRU(3, reset_after=False)), "reset_after=True"),
        (lambda: _built(keras.layers.LSTM(3, go_backwards=True)), "read forwards"),
        (
            lambda: _built(
                keras.layers.Bidirectional(keras.layers.GRU(3), merge_mode="sum")
            ),
            "merge_mode='concat'",
        ),
        (lambda: _Own(), "`model` must be functional or sequential"),
        (
            lambda: keras.Sequential([keras.layers.Dense(2)]),
            "`model` must be built",
        ),
    ],
)
def test_what_has_no_counterpart_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        from_keras(make())


def _built(layer):
    layer(VECTORS)
    return layer
