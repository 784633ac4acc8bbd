"""Blocks whose parts are given as layers."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import layers, models
from keras_attention.decoding import BeamSearch, Greedy
from tests.backends import to_numpy
from tests.own_layers import OwnAttention, Retention, best_by_enumeration
from tests.small_models import INPUTS, IS_REAL, SOURCE, TARGET, decode
from tests.tensors import normal, randomize, real_positions

DECODER, MEMORY = normal(3, 5, 8), normal(3, 7, 8, seed=1)
MASK = real_positions([7, 4, 1], 7)
SMALL = {"num_layers": 2, "num_heads": 2, "embedding_dim": 8, "intermediate_dim": 11}
OWN = {
    "attention": lambda: OwnAttention(5),
    "cross_attention": lambda: OwnAttention(6),
}
FEED_FORWARD = {
    "feed_forward": lambda: keras.Sequential(
        [keras.layers.Dense(9, activation="gelu"), keras.layers.Dense(8)]
    )
}
MODELS = {
    "attention": OWN,
    "feed forward": FEED_FORWARD,
    "heads of another width": {"key_dim": 3, "value_dim": 7},
    "multi-head attention": {
        "attention": lambda: layers.MultiHeadAttention(
            4, 6, position=layers.RotaryEmbedding(), num_key_value_heads=1
        )
    },
    "differential attention": {
        "attention": lambda: layers.DifferentialAttention(2, 3),
        "cross_attention": lambda: layers.DifferentialAttention(2, 3, depth=1),
    },
    "latent attention": {
        "attention": lambda: layers.MultiHeadLatentAttention(2, 4, 6, 2),
        "cross_attention": lambda: layers.MultiHeadLatentAttention(2, 4, 6, 0),
    },
    "linear attention": {
        "attention": lambda: layers.LinearAttention(2, 4, chunk_size=2),
        "cross_attention": lambda: layers.LinearAttention(2, 3),
    },
    "attention with alignments": {
        "cross_attention": lambda: layers.Attention("additive", units=5)
    },
    "blocks": {"block": lambda: Retention(8)},
}
every_model = pytest.mark.parametrize("name", MODELS)


def make(name, **options):
    keras.utils.set_random_seed(3)
    return randomize(models.transformer(11, 9, **SMALL, **MODELS[name], **options))


@every_model
def test_steps_equal_one_full_pass(name):
    model, target = make(name), np.minimum(TARGET, 8)
    expected = to_numpy(model({**INPUTS, "target": target}))
    logits, _ = decode(model, SOURCE, target, max_length=6)
    np.testing.assert_allclose(logits[IS_REAL], expected[IS_REAL], atol=1e-4)
    state = model.start(model.encode(SOURCE), 6)
    found, _, _ = model.step(ops.convert_to_tensor(target), state, 0)
    np.testing.assert_allclose(to_numpy(found)[IS_REAL], expected[IS_REAL], atol=1e-4)


@every_model
def test_beams_find_what_enumeration_finds(name):
    model = randomize(models.transformer(11, 6, **SMALL, **MODELS[name]), seed=5)
    found = BeamSearch(64, max_length=3, length_penalty=0.0)(model, SOURCE)
    expected = best_by_enumeration(model, SOURCE, 3, 5)
    for row, best in enumerate(expected):
        for place, (ids, score) in enumerate(best):
            own = found.ids[row, place, : found.lengths[row, place]].tolist()
            assert own == ids
            np.testing.assert_allclose(found.scores[row, place], score, atol=1e-4)
    greedy, one = Greedy(3)(model, SOURCE), BeamSearch(1, 3)(model, SOURCE)
    np.testing.assert_array_equal(greedy.ids, one.ids)


@every_model
def test_it_is_saved_loaded_and_cloned(name, tmp_path):
    model = make(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    inputs = {**INPUTS, "target": np.minimum(TARGET, 8)}
    for other in (loaded, clone):
        np.testing.assert_allclose(
            to_numpy(other(inputs)), to_numpy(model(inputs)), atol=1e-5
        )
    assert len(clone.trainable_weights) == len(model.trainable_weights)


@pytest.mark.slow
@every_model
def test_it_learns(name):
    model = models.transformer(11, 9, **SMALL, **MODELS[name])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    inputs, labels = {**INPUTS, "target": np.minimum(TARGET, 8)}, np.minimum(TARGET, 8)
    history = model.fit(inputs, labels, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]


def test_a_block_with_its_own_attention_given_is_the_same():
    given = layers.TransformerEncoder(
        11, attention=layers.MultiHeadAttention(2, 4, name="self_attention")
    )
    default = layers.TransformerEncoder(11, 2)
    for block in (given, default):
        block.build(DECODER.shape)
    given.set_weights(randomize(default).get_weights())
    mask = real_positions([5, 3, 1], 5)
    for found, expected in zip(
        given(DECODER, padding_mask=mask, return_attention_scores=True),
        default(DECODER, padding_mask=mask, return_attention_scores=True),
        strict=True,
    ):
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)


def test_weights_and_masks_of_attentions_of_ones_own():
    block = layers.TransformerDecoder(
        11, self_attention=OwnAttention(5), cross_attention=OwnAttention(6)
    )
    output, weights = block(
        DECODER, MEMORY, encoder_padding_mask=MASK, return_attention_scores=True
    )
    assert tuple(output.shape) == DECODER.shape
    cross, own = (to_numpy(weights[f"{name}_attention"]) for name in ("cross", "self"))
    np.testing.assert_array_equal(cross > 0, np.repeat(MASK[:, None], 5, axis=1))
    assert not np.triu(own, 1).any()
    symbols = [keras.Input((None, 8)) for _ in range(2)]
    described = block(*symbols, return_attention_scores=True)
    assert tuple(described[1]["cross_attention"].shape) == (None, None, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key_dim": 0}, "`key_dim` must be .*: key_dim=0"),
        ({"value_dim": 1.5}, "`value_dim` must be .*: value_dim=1.5"),
        ({"num_heads": None}, "`num_heads` must be .*: num_heads=None"),
        ({"intermediate_dim": None}, "`intermediate_dim` must be .*=None"),
        (
            {"self_attention": OwnAttention(3), "position": layers.AlibiBias()},
            "`position` is for the attention .* Received: position=",
        ),
        (
            {
                "self_attention": OwnAttention(3),
                "cross_attention": OwnAttention(3),
                "key_dim": 3,
            },
            "`key_dim` is for the attention .* Received: key_dim=3",
        ),
    ],
)
def test_what_does_not_go_together_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        layers.TransformerDecoder(**{"intermediate_dim": 11, "num_heads": 2, **options})
