"""What Keras reports when it trains with the loss and the metrics."""

import keras
import numpy as np
import pytest

from keras_attention.training import (
    InverseSquareRoot,
    MaskedAccuracy,
    MaskedCrossEntropy,
    Perplexity,
)
from tests.backends import BACKEND, run_in_fresh_process
from tests.training import reference

INPUTS, _ = reference.some_batch(rows=7, length=5, seed=19)
LABELS = np.where(INPUTS == 0, 0, (INPUTS + 2) % reference.VOCABULARY)
WEIGHTS = np.random.default_rng(23).uniform(0.1, 2, INPUTS.shape)

# PyTorch's compiler warns of what Keras's trainer does, and warnings are errors here.
COMPILED = [False] if BACKEND == "torch" else [False, True]


def make_model(**options):
    """A model whose predictions carry the mask of its inputs."""
    model = keras.Sequential(
        [
            keras.layers.Embedding(reference.VOCABULARY, 3, mask_zero=True),
            keras.layers.Dense(reference.VOCABULARY),
        ]
    )
    model.build((None, None))
    model.compile(
        keras.optimizers.SGD(1.0),
        MaskedCrossEntropy(),
        metrics=[MaskedAccuracy(), Perplexity()],
        **options,
    )
    return model


def predictions(model):
    return np.asarray(model.predict(INPUTS, verbose=0), "float32")


@pytest.mark.parametrize("weights", [None, WEIGHTS[:, 0], WEIGHTS])
@pytest.mark.parametrize("jit_compile", COMPILED)
def test_fit_and_evaluate_report_the_mean_over_real_tokens(jit_compile, weights):
    model = make_model(jit_compile=jit_compile)
    logits = predictions(model)
    expected = {
        "loss": reference.cross_entropy(LABELS, logits, weights),
        "masked_accuracy": reference.accuracy(LABELS, logits),
        "perplexity": np.exp(reference.cross_entropy(LABELS, logits)),
    }
    options = {"batch_size": 7, "sample_weight": weights, "verbose": 0}
    evaluated = model.evaluate(INPUTS, LABELS, return_dict=True, **options)
    assert evaluated == pytest.approx(expected, rel=1e-5)
    # The only batch of the epoch is measured before the weights change.
    fitted = model.fit(INPUTS, LABELS, **options).history
    assert {name: values[0] for name, values in fitted.items()} == pytest.approx(
        expected, rel=1e-5
    )


def test_metrics_of_several_batches_count_tokens_and_the_loss_counts_batches():
    model = make_model()
    logits = predictions(model)
    found = model.evaluate(INPUTS, LABELS, batch_size=5, return_dict=True, verbose=0)
    parts = [
        reference.cross_entropy(LABELS[rows], logits[rows])
        for rows in (slice(0, 5), slice(5, 7))
    ]
    assert found["loss"] == pytest.approx((5 * parts[0] + 2 * parts[1]) / 7, rel=1e-5)
    whole = np.exp(reference.cross_entropy(LABELS, logits))
    assert found["perplexity"] == pytest.approx(whole, rel=1e-5)


def test_weighted_metrics_count_tokens_by_their_weights():
    model = make_model(weighted_metrics=[Perplexity(name="weighted")])
    logits = predictions(model)
    found = model.evaluate(INPUTS, LABELS, 3, 0, WEIGHTS, return_dict=True)
    weighted = np.exp(reference.cross_entropy(LABELS, logits, WEIGHTS))
    assert found["weighted"] == pytest.approx(weighted, rel=1e-5)
    assert abs(found["perplexity"] - weighted) > 1e-3


def test_padding_teaches_nothing():
    rows, padded = make_model(), make_model()
    padded.set_weights(rows.get_weights())
    rows.fit(INPUTS, LABELS, batch_size=7, verbose=0)
    wide = [(0, 0), (0, 4)]
    padded.fit(np.pad(INPUTS, wide), np.pad(LABELS, wide), batch_size=7, verbose=0)
    for one, other in zip(rows.get_weights(), padded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_model_learns():
    model = make_model()
    history = model.fit(INPUTS, LABELS, batch_size=7, epochs=40, verbose=0).history
    assert history["perplexity"][-1] < 2 < 7 < history["perplexity"][0]
    assert history["masked_accuracy"][-1] > 0.8


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_reports_the_loss_of_its_logits(policy):
    keras.config.set_dtype_policy(policy)
    model = make_model()
    logits = predictions(model)
    found = model.fit(INPUTS, LABELS, batch_size=7, verbose=0).history
    expected = reference.cross_entropy(LABELS, logits)
    assert found["loss"][0] == pytest.approx(expected, rel=1e-3)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_compiled_model_is_saved_and_loaded(tmp_path):
    model = make_model()
    model.compile(
        keras.optimizers.Adam(InverseSquareRoot(0.01, 3)),
        MaskedCrossEntropy(0.1),
        metrics=[MaskedAccuracy(), Perplexity()],
    )
    model.fit(INPUTS, LABELS, batch_size=7, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", inputs=INPUTS, labels=LABELS)
    script = """
import sys
import keras, numpy as np
import keras_attention
folder = sys.argv[1]
model = keras.models.load_model(folder + "/model.keras")
data = np.load(folder + "/data.npz")
values = model.evaluate(data["inputs"], data["labels"], verbose=0)
print(*values, model.optimizer.get_config()["learning_rate"]["class_name"])
"""
    *values, schedule = run_in_fresh_process(script, tmp_path).split()[-4:]
    expected = model.evaluate(INPUTS, LABELS, verbose=0)
    assert [float(value) for value in values] == pytest.approx(expected, rel=1e-5)
    assert schedule == "InverseSquareRoot"


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute is TensorFlow's")
def test_two_replicas_take_the_step_of_one(tmp_path):
    labels = np.array([[2, 3, 0], [4, 2, 0], [6, 3, 0], [3, 3, 0]])
    np.savez(tmp_path / "data.npz", inputs=np.roll(labels, 1, axis=0), labels=labels)
    script = """
import sys
import numpy as np, tensorflow as tf
two = [tf.config.LogicalDeviceConfiguration()] * 2
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, two)
import keras
from keras_attention.training import (
    Adam, FiniteLoss, MaskedAccuracy, MaskedCrossEntropy, Perplexity
)
data = np.load(sys.argv[1] + "/data.npz")

def run(strategy, make_optimizer):
    with strategy.scope():
        keras.utils.set_random_seed(3)
        layers = [keras.layers.Embedding(7, 5, mask_zero=True), keras.layers.Dense(7)]
        model = keras.Sequential(layers)
        model.build((None, None))
        metrics = [MaskedAccuracy(), Perplexity()]
        model.compile(make_optimizer(), MaskedCrossEntropy(), metrics=metrics)
    history = model.fit(data["inputs"], data["labels"], batch_size=4, verbose=0).history
    assert len(history) == 3
    return [np.array(value) for value in (*history.values(), *model.get_weights())]

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
for make in (lambda: keras.optimizers.SGD(1.0), lambda: Adam(0.1, epsilon=0.01)):
    for one, other in zip(run(tf.distribute.get_strategy(), make), run(strategy, make)):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
print("equal")

with strategy.scope():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
lost = np.array([[1.0]] * 4 + [[np.nan]] * 4)
try:
    model.fit(lost, lost, 4, shuffle=False, verbose=0, callbacks=[FiniteLoss()])
except FloatingPointError as error:
    print(error)
"""
    printed = run_in_fresh_process(script, tmp_path)
    assert "equal" in printed
    assert "at step 2, in batch 1 of epoch 0" in printed
