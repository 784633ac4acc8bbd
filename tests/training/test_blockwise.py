"""The loss of bfloat16 logits, in blocks on a graph: eagerly it takes all at once."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention.models import transformer
from keras_attention.training import MaskedCrossEntropy, Perplexity, blockwise
from tests.training import reference

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="blocks are TensorFlow's"
)
BLOCK = 40  # logits: five rows of eight


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blockwise, "_ELEMENTS", BLOCK)


def value_and_slopes(loss, labels, logits, weights=None, dtype="bfloat16", scale=1.0):
    labels, logits = tf.convert_to_tensor(labels), tf.cast(logits, dtype)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(labels, tf.cast(logits, "float32"), weights) * scale
    return value, tape.gradient(value, logits)


def in_graph(*arguments, **options):
    """The same in a graph, and whether it was in blocks there."""
    slope_of = tf.function(value_and_slopes, autograph=False)
    found = slope_of(*arguments, **options)
    graph = slope_of.get_concrete_function(*arguments, **options).graph
    kinds = {operation.type for operation in graph.get_operations()}
    return *found, any("While" in kind for kind in kinds)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "shape", [(5, 7), (1, 1), (1, 11), (4, 10), (0, 3)], ids=lambda shape: f"{shape}"
)
def test_is_what_all_at_once_is(shape, weighted, scale, smoothing, dtype):
    chance = np.random.default_rng(5)
    labels = chance.integers(0, 8, shape)
    logits = chance.normal(size=(*shape, 8)) * 3
    weights = chance.uniform(0, 2, shape) if weighted else None
    arguments = MaskedCrossEntropy(smoothing), labels, logits, weights, dtype, scale
    value, slopes, blocks = in_graph(*arguments)
    expected = value_and_slopes(*arguments)
    np.testing.assert_allclose(value, expected[0], rtol=1e-5, atol=1e-7)
    assert slopes.dtype == dtype
    assert blocks == (dtype == "bfloat16")
    few_digits = {"float32": 1e-5, "bfloat16": 1e-2, "float16": 1e-3}[dtype]
    np.testing.assert_allclose(
        tf.cast(slopes, "float32"),
        tf.cast(expected[1], "float32"),
        rtol=few_digits,
        atol=1e-7,
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_probabilities_that_float32_loses_have_a_loss(smoothing):
    labels = np.array([[3, 1, 0], [2, 2, 1]])
    logits = np.zeros((2, 3, 4), "float32")
    logits[:, :, 0] = [[300, 5e4, 3e38], [0, 150, 0]]
    found, slopes, blocks = in_graph(MaskedCrossEntropy(smoothing), labels, logits)
    rounded = tf.cast(tf.cast(logits, "bfloat16"), "float32").numpy()
    expected = reference.cross_entropy(labels, rounded, smoothing=smoothing)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    slopes = tf.cast(slopes, "float32").numpy()
    assert blocks
    assert np.isfinite(slopes).all()
    assert (slopes[labels == 0] == 0).all()


def test_padding_alone_has_no_loss_and_no_slope():
    logits = np.random.default_rng(7).normal(size=(3, 4, 8))
    loss, padding = MaskedCrossEntropy(0.1), np.zeros((3, 4), int)
    found, slopes, blocks = in_graph(loss, padding, logits)
    assert blocks
    assert found == 0
    assert not tf.math.count_nonzero(slopes)


@pytest.mark.parametrize("ignore_id", [-1, 0, 97])
def test_any_id_may_pad(ignore_id):
    labels, logits = reference.some_batch(rows=5, length=7, seed=3)
    labels = np.where(labels == 0, ignore_id, labels)
    arguments = MaskedCrossEntropy(0.1, ignore_id), labels, logits
    found, _, blocks = in_graph(*arguments)
    assert blocks
    np.testing.assert_allclose(found, value_and_slopes(*arguments)[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("count", "most", "blocks"),
    [(12, 5, 3), (12, 12, 1), (12, 99, 1), (13, 5, 13), (0, 5, 1), (7, 1, 7)],
)
def test_blocks_have_as_many_rows_each(count, most, blocks):
    assert blockwise._blocks(count, most) == blocks


@pytest.mark.parametrize("ignore_id", [0, 5])
def test_perplexity_is_in_blocks_too(ignore_id):
    labels, logits = reference.some_batch(rows=5, length=7, seed=3)
    logits[labels == ignore_id, :] = [np.inf, *logits[0, 0, 1:]]  # counts for nothing
    metric = Perplexity(ignore_id)

    @tf.function(autograph=False)
    def update(labels, logits):
        metric.update_state(labels, tf.cast(tf.cast(logits, "bfloat16"), "float32"))

    arguments = tf.cast(labels, "int32"), tf.cast(logits, "float32")
    update(*arguments)
    operations = update.get_concrete_function(*arguments).graph.get_operations()
    assert any("While" in operation.type for operation in operations)
    rounded = tf.cast(tf.cast(logits, "bfloat16"), "float32").numpy()
    expected = reference.cross_entropy(labels, rounded, ignore_id=ignore_id)
    np.testing.assert_allclose(metric.result(), np.exp(expected), rtol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_training_is_eager_training(jit_compile, monkeypatch):
    in_blocks = []
    compute = blockwise.mean_cross_entropy
    monkeypatch.setattr(
        blockwise,
        "mean_cross_entropy",
        lambda *given: in_blocks.append(1) or compute(*given),
    )
    keras.config.set_dtype_policy("mixed_bfloat16")  # reset after each test
    chance = np.random.default_rng(11)
    ids = chance.integers(1, 30, (12, 9)).astype("int32")
    ids[:4, 6:] = 0
    weights = []
    for eagerly in (False, True):
        keras.utils.set_random_seed(2)
        model = transformer(
            30,
            30,
            num_layers=1,
            num_heads=2,
            embedding_dim=8,
            intermediate_dim=16,
            dropout=0,
            tie_embeddings=True,
        )
        model.compile(
            keras.optimizers.SGD(0.1),
            MaskedCrossEntropy(0.1),
            metrics=[Perplexity()],
            run_eagerly=eagerly,
            jit_compile=jit_compile and not eagerly,
        )
        model.fit(
            {"source": ids, "target": ids}, ids, 6, epochs=2, shuffle=False, verbose=0
        )
        weights.append([*model.get_weights(), model.get_metrics_result()["perplexity"]])
    assert bool(in_blocks) != jit_compile
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)
