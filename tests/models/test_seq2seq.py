"""`Seq2Seq` as a Keras model: inputs, outputs, training, files, precision."""

import keras
import numpy as np
import pytest

from keras_attention.layers import PositionalEmbedding
from keras_attention.models import Seq2Seq
from tests.backends import BACKEND, mask_of, run_in_fresh_process, to_numpy
from tests.small_models import INPUTS, IS_REAL, SOURCE, TARGET, build, decode

TIED = {"tie_embeddings": True, "target_vocabulary_size": 11, "num_layers": 1}
CASES = {
    "transformer": ("transformer", {"dropout": 0.2, "num_layers": 1}),
    "tied transformer": ("transformer", TIED),
    "rnn": ("rnn", {"dropout": 0.2, "bidirectional": True}),
    "tied rnn": ("rnn", {**TIED, "embedding_dim": 5}),
}
every_model = pytest.mark.parametrize("name", list(CASES))
LABELS = np.array([[4, 5, 6, 7, 3], [8, 9, 10, 3, 0], [5, 3, 0, 0, 0]], "int32")
LOAD_AND_CALL = """
import sys
import numpy as np
import keras
import keras_attention
path, inputs, outputs = sys.argv[1:]
model = keras.saving.load_model(path)
np.save(outputs, model.predict(dict(np.load(inputs)), verbose=0))
print(type(model).__name__)
"""


def _make(name, **options):
    architecture, given = CASES[name]
    return build(architecture, **given, **options)


def _compile(model, **options):
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        # On TensorFlow XLA would take longer than all of these few steps.
        **{"jit_compile": BACKEND == "jax", **options},
    )


@every_model
def test_it_is_a_functional_model_of_ids_to_logits(name):
    model = _make(name)
    assert isinstance(model, Seq2Seq)
    assert {part: tuple(t.shape) for part, t in model.input.items()} == {
        "source": (None, None),
        "target": (None, None),
    }
    assert {t.dtype for t in model.input.values()} == {"int32"}
    vocabulary = 13 if "tied" not in name else 11
    assert tuple(model.output.shape) == (None, None, vocabulary)
    assert model.output.dtype == "float32"
    logits = model(INPUTS)
    assert tuple(logits.shape) == (3, 5, vocabulary)


@every_model
def test_logits_carry_the_mask_of_the_target(name):
    np.testing.assert_array_equal(mask_of(_make(name)(INPUTS)), IS_REAL)


@pytest.mark.slow
@every_model
def test_it_learns_by_fit(name):
    model = _make(name)
    _compile(model)
    before = [np.copy(weight) for weight in model.get_weights()]
    history = model.fit(INPUTS, LABELS, epochs=8, batch_size=3, verbose=0)
    losses = history.history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    trained = [
        not np.allclose(old, new)
        for old, new in zip(before, model.get_weights(), strict=True)
    ]
    assert np.mean(trained) > 0.9


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_keras_losses_leave_padding_out(policy):
    keras.config.set_dtype_policy(policy)
    model = _make("transformer")
    _compile(model)
    expected = model.evaluate(INPUTS, LABELS, verbose=0)
    other_padding = np.where(IS_REAL, LABELS, 7)
    assert model.evaluate(INPUTS, other_padding, verbose=0) == expected
    other_label = np.where(np.arange(5) < 1, 12, LABELS)
    assert model.evaluate(INPUTS, other_label, verbose=0) != expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tied transformer", "rnn"])
def test_a_saved_file_loads_in_a_fresh_process(name, tmp_path):
    model = _make(name)
    expected = model.predict(INPUTS, verbose=0)
    path, inputs = tmp_path / "model.keras", tmp_path / "inputs.npz"
    outputs = tmp_path / "outputs.npy"
    model.save(path)
    np.savez(inputs, **INPUTS)
    printed = run_in_fresh_process(LOAD_AND_CALL, path, inputs, outputs)
    assert printed.split()[-1] == "Seq2Seq"
    np.testing.assert_allclose(np.load(outputs), expected, atol=1e-5)


@pytest.mark.one_backend
@every_model
def test_a_loaded_model_decodes_and_trains(name, tmp_path):
    model = _make(name)
    _compile(model, run_eagerly=BACKEND == "tensorflow")
    model.train_on_batch(INPUTS, LABELS)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected, _ = decode(model, SOURCE, TARGET, 5)
    logits, _ = decode(loaded, SOURCE, TARGET, 5)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert len(loaded.weights) == len(model.weights)
    assert np.isfinite(loaded.train_on_batch(INPUTS, LABELS))


@every_model
def test_weights_can_be_saved_alone(name, tmp_path):
    model = _make(name)
    expected = to_numpy(model(INPUTS))
    model.save_weights(tmp_path / "model.weights.h5")
    other = _make(name)
    other.set_weights([np.zeros_like(weight) for weight in other.get_weights()])
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(to_numpy(other(INPUTS)), expected, atol=1e-6)


@every_model
def test_the_configuration_gives_the_same_model(name):
    model = _make(name)
    other = Seq2Seq.from_config(model.get_config())
    assert other.get_config() == model.get_config()
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(
        to_numpy(other(INPUTS)), to_numpy(model(INPUTS)), atol=1e-6
    )


def test_the_configuration_says_which_blocks_share_positions():
    model = build("transformer", positions="relative", num_layers=2)
    other = Seq2Seq.from_config(model.get_config())
    assert other.count_params() == model.count_params()
    for stack in (other.encoder, other.decoder):
        assert stack.blocks[0].position is stack.blocks[1].position
    assert other.encoder.blocks[0].position is not other.decoder.blocks[0].position


@pytest.mark.one_backend
@every_model
def test_predictions_follow_set_weights(name):
    model, other = _make(name), _make(name)
    before = model.predict(INPUTS, verbose=0)
    weights = [0.5 * weight for weight in model.get_weights()]
    model.set_weights(weights)
    other.set_weights(weights)
    after = model.predict(INPUTS, verbose=0)
    assert not np.allclose(before, after, atol=1e-3)
    np.testing.assert_allclose(after, to_numpy(other(INPUTS)), atol=1e-5)
    logits, _ = decode(model, SOURCE, TARGET, 5)
    np.testing.assert_allclose(logits[IS_REAL], after[IS_REAL], atol=5e-5)


@pytest.mark.one_backend
@every_model
def test_summary_names_every_part(name):
    lines = []
    _make(name).summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    for part in ("encoder", "decoder", "embedding"):
        assert part in text


@every_model
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_in_half_precision(name, policy):
    model = _make(name)
    # The usual size of weights: rounding is relative to the size of sums.
    model.set_weights([0.5 * weight for weight in model.get_weights()])
    expected = to_numpy(model(INPUTS))
    keras.config.set_dtype_policy(policy)
    half = _make(name)
    half.set_weights(model.get_weights())
    logits = half(INPUTS)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert half.output.dtype == "float32"
    tolerance = {"mixed_float16": 0.05, "mixed_bfloat16": 0.3}[policy]
    np.testing.assert_allclose(
        to_numpy(logits)[IS_REAL], expected[IS_REAL], atol=tolerance
    )
    steps, attention = decode(half, SOURCE, TARGET, 5)
    assert steps.dtype == attention.dtype == np.float32
    np.testing.assert_allclose(steps[IS_REAL], expected[IS_REAL], atol=tolerance)


def test_tied_embeddings_are_one_table():
    tied, untied = _make("tied transformer"), build("transformer")
    assert tied.source_embedding is tied.target_embedding
    tables = [w for w in tied.weights if "embeddings" in w.path]
    assert [tuple(table.shape) for table in tables] == [(11, 10)]
    assert untied.source_embedding is not untied.target_embedding


def test_tied_embeddings_survive_a_file(tmp_path):
    model = _make("tied transformer")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.source_embedding is loaded.target_embedding
    assert isinstance(loaded.source_embedding, PositionalEmbedding)


def test_training_varies_with_dropout_and_inference_does_not():
    model = _make("transformer")
    still = [to_numpy(model(INPUTS)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    drops = [to_numpy(model(INPUTS, training=True)) for _ in range(2)]
    assert not np.allclose(*drops, atol=1e-3)


@pytest.mark.parametrize("name", ["transformer", "rnn"])
def test_encode_and_step_take_arrays(name):
    model = _make(name)
    state = model.start(model.encode(SOURCE.astype("int64")), max_length=3)
    logits, _, _ = model.step(np.array([2, 2, 2]), state, 0)
    assert tuple(logits.shape) == (3, 13)


@pytest.mark.parametrize("name", ["transformer", "rnn"])
def test_an_embedding_for_which_no_id_is_padding(name):
    model = _make(name)
    embedding = PositionalEmbedding.from_config(
        {**model.source_embedding.get_config(), "mask_zero": False}
    )
    unmasked = Seq2Seq(
        embedding,
        model.encoder,
        model.decoder,
        model.target_embedding,
        model.output_projection,
    )
    embedding.set_weights(model.source_embedding.get_weights())
    full, padded = {}, {}
    for found, source in ((full, SOURCE[:1]), (padded, SOURCE[1:2])):
        for kind, one in (("masked", model), ("unmasked", unmasked)):
            found[kind] = to_numpy(one({"source": source, "target": TARGET[:1]}))
    np.testing.assert_allclose(full["masked"], full["unmasked"], atol=1e-5)
    assert np.abs(padded["masked"] - padded["unmasked"]).max() > 1e-3
