"""Adam in one pass: Keras's own is the reference, whatever it is asked to do."""

import math

import keras
import numpy as np
import pytest

from keras_attention.training import Adam

BACKEND = keras.backend.backend()
CHANCE = np.random.default_rng(3)
# elsewhere Keras's operations round to float32
DTYPE = "float64" if BACKEND == "tensorflow" else "float32"
on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the one pass is TensorFlow's"
)
INPUTS = CHANCE.normal(size=(24, 5)).astype(DTYPE)
LABELS = CHANCE.normal(size=(24, 3)).astype(DTYPE)


def make_model():
    options = {"dtype": DTYPE}
    return keras.Sequential(
        [
            keras.Input((5,), **options),
            keras.layers.Dense(7, "tanh", **options),
            keras.layers.Dense(3, **options),
        ]
    )


def assert_same(found, expected):
    precision = {"rtol": 1e-9} if DTYPE == "float64" else {"rtol": 2e-5, "atol": 2e-6}
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **precision)


def train(optimizer, weights, **options):
    model = make_model()
    model.set_weights(weights)
    model.compile(optimizer, loss="mse", **options)
    model.fit(INPUTS, LABELS, 4, epochs=5, shuffle=False, verbose=0)
    values = [*model.get_weights(), *map(np.array, optimizer.variables)]
    return [np.array(keras.ops.convert_to_numpy(value)) for value in values]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta_1": 0.7, "beta_2": 0.98, "epsilon": 1e-2},
        {"amsgrad": True},
        {"weight_decay": 0.1},
        {"global_clipnorm": 0.1, "use_ema": True, "ema_momentum": 0.1},
        {"clipnorm": 0.1},
        {
            "clipvalue": 0.01,
            "use_ema": True,
            "ema_momentum": 0.1,
            "ema_overwrite_frequency": 7,
        },
        {"gradient_accumulation_steps": 3},
        {"loss_scale_factor": 8.0},
        {"learning_rate": keras.optimizers.schedules.PolynomialDecay(0.1, 20, 0.01)},
    ],
    ids=lambda options: " ".join(options) or "defaults",
)
def test_is_that_of_keras(options):
    options = {"learning_rate": 0.05, **options}
    weights = make_model().get_weights()
    expected = train(keras.optimizers.Adam(**options), weights)
    found = train(Adam(**options), weights)
    assert_same(found, expected)
    moved = zip(found[: len(weights)], weights, strict=True)
    assert all(np.abs(one - two).max() > 0.01 for one, two in moved)


@pytest.mark.parametrize("batches", [None, 4], ids="{} batches a step".format)
def test_averaged_weights_forget_the_first_ones(batches):
    """Of step s there is 9 / (s + 9) * (s + 9 over 9) / (t + 9 over 9) after step t."""
    weight = keras.Variable(np.zeros(3), dtype=DTYPE)
    optimizer = Adam(
        0.5, use_ema=True, ema_momentum=0.999, gradient_accumulation_steps=batches
    )
    steps = []
    for _ in range(40):
        optimizer.apply([CHANCE.normal(size=3).astype(DTYPE)], [weight])
        steps.append(np.array(weight))
    last = len(steps) - 1
    shares = [
        9 / (step + 9) * math.comb(step + 9, 9) / math.comb(last + 9, 9)
        for step in range(len(steps))
    ]
    assert sum(shares) == pytest.approx(1)
    (average,) = optimizer._model_variables_moving_average
    assert_same([np.array(average)], [np.array(shares) @ steps])


def test_averaged_weights_have_the_momentum_asked_for_in_the_end():
    weight = keras.Variable(np.ones(1), dtype=DTYPE)
    optimizer = Adam(0.5, use_ema=True, ema_momentum=0.6)
    for step in range(30):
        before = np.array(optimizer._model_variables_moving_average)[0] if step else 1
        optimizer.apply([np.ones(1, DTYPE)], [weight])
    average = np.array(optimizer._model_variables_moving_average)[0]
    assert_same([average], [0.6 * before + 0.4 * np.array(weight)])


@pytest.mark.parametrize("batches", [None, 2], ids="{} batches a step".format)
def test_a_model_left_with_its_averages_trains_on(batches):
    model = make_model()
    options = {"use_ema": True, "gradient_accumulation_steps": batches}
    model.compile(Adam(0.05, **options), loss="mse")
    model.fit(INPUTS, LABELS, 4, epochs=2, verbose=0)
    averages = [
        keras.ops.convert_to_numpy(average)
        for average in model.optimizer._model_variables_moving_average
    ]
    assert_same(model.get_weights(), averages)
    model.fit(INPUTS, LABELS, 4, verbose=0)
    moved = zip(model.get_weights(), averages, strict=True)
    assert all(np.abs(one - two).max() > 1e-3 for one, two in moved)


@pytest.mark.one_backend
def test_is_that_of_keras_eagerly_and_by_xla():
    weights = make_model().get_weights()
    expected = train(keras.optimizers.Adam(0.05), weights)
    for options in ({"run_eagerly": True}, {"jit_compile": True}):
        assert_same(train(Adam(0.05), weights, **options), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_keeps_the_dtype_of_the_weights(dtype):
    if (BACKEND, dtype) == ("jax", "float64"):
        pytest.skip("JAX has no float64 unless asked to")
    found = []
    for kind in (keras.optimizers.Adam, Adam):
        weight = keras.Variable(np.linspace(-1, 1, 7), dtype=dtype)
        optimizer = kind(0.1, beta_2=0.9, epsilon=1e-3)
        for scale in (1.0, -0.5, 0.25):
            optimizer.apply([keras.ops.cast(scale * np.ones(7), dtype)], [weight])
        assert weight.dtype == dtype
        found.append(keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32")))
    np.testing.assert_allclose(*found, rtol=0.02, atol=0.01)
    assert np.abs(found[0] - np.linspace(-1, 1, 7)).min() > 0.05


@on_tensorflow
def test_goes_through_the_weights_once():
    import tensorflow as tf

    weight, optimizer = keras.Variable(np.ones((5, 2))), Adam(0.1)
    optimizer.build([weight])
    step = tf.function(lambda: optimizer.apply([tf.ones((5, 2))], [weight]))
    graph = step.get_concrete_function().graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("ResourceApplyAdam") == 1
    assert "Sqrt" not in kinds


@on_tensorflow
def test_slices_of_one_row_are_summed_before_they_are_squared():
    import tensorflow as tf

    slices = tf.IndexedSlices(
        tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, -2.5]]),
        tf.constant([1, 3, 1]),
        tf.constant([5, 2]),
    )
    dense = [[0, 0], [1.5, -0.5], [0, 0], [3, -1], [0, 0]]
    found = []
    for kind, gradient in (
        (keras.optimizers.Adam, tf.constant(dense, tf.float32)),
        (Adam, slices),
    ):
        table, optimizer = keras.Variable(np.ones((5, 2), "float32")), kind(0.1)
        for _ in range(3):
            optimizer.apply([gradient], [table])
        found.append(np.array([table, *optimizer.variables[2:]]))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-7)


def test_is_saved_and_loaded_with_its_model(tmp_path):
    model = make_model()
    model.compile(Adam(0.03, beta_2=0.98, use_ema=True), loss="mse")
    model.fit(INPUTS, LABELS, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is Adam
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for one, other in zip(
        again.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(np.array(one), np.array(other))
