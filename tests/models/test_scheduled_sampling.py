"""Training a decoder on its own ids, against passes over ids that are known."""

import keras
import numpy as np
import pytest

from keras_attention.functional import StepState
from keras_attention.layers import Attention, PositionalEmbedding
from keras_attention.models import Seq2Seq, gnmt
from keras_attention.models.scheduled_sampling import ScheduledSampling
from keras_attention.training import InverseSigmoidDecay, MaskedCrossEntropy
from tests.backends import BACKEND, mask_of, run_in_fresh_process, to_numpy
from tests.small_models import INPUTS, IS_REAL, SOURCE, build
from tests.tensors import randomize, token_ids

FULL = {"source": SOURCE, "target": token_ids(3, 5, vocabulary=13)}
FULL["target"][:, 0] = 2
LABELS = np.array([[4, 5, 6, 7, 3], [8, 9, 10, 3, 0], [5, 3, 0, 0, 0]], "int32")
MODELS = {
    "rnn": {},
    "without attention": {"attention": None, "cell": "gru", "peeky": True},
    "bahdanau": {
        "attention": "additive",
        "order": "bahdanau",
        "readout": "maxout",
        "input_feeding": False,
        "num_layers": 2,
        "bidirectional": "lowest",
        "layer_normalization": True,
    },
    "covered": {
        "attention": Attention("general", coverage="fertility", name="attention"),
        "reverse_source": True,
    },
}
every_model = pytest.mark.parametrize("name", [*MODELS, "gnmt"])
# True ids at the first three steps of training, none from the fourth on.
THREE_TRUE = {"boundaries": [2], "values": [1.0, 0.0]}
LOAD_AND_TRAIN = """
import sys
import numpy as np
import keras
import keras_attention
model = keras.saving.load_model(sys.argv[1])
inputs = dict(np.load(sys.argv[2]))
read = [keras.ops.convert_to_numpy(model(inputs, training=t)) for t in (False, True)]
print(type(model.scheduled_sampling).__name__, model.scheduled_sampling.get_config())
print(np.allclose(*read, atol=1e-3))
"""


def _make(name, probability=None):
    """A model with random weights that trains on true ids at a probability."""
    if name == "gnmt":
        sizes = {"embedding_dim": 7, "units": 5, "num_layers": 3, "attention_units": 2}
        return randomize(
            gnmt(11, 13, **sizes, dropout=0.0, scheduled_sampling=probability)
        )
    return build("rnn", **MODELS[name], scheduled_sampling=probability)


def _trained(model, inputs=INPUTS):
    return to_numpy(model(inputs, training=True))


@every_model
def test_true_ids_alone_give_the_ordinary_pass(name):
    model = _make(name, 1.0)
    expected = to_numpy(_make(name)(INPUTS))
    np.testing.assert_allclose(_trained(model)[IS_REAL], expected[IS_REAL], atol=5e-5)


@every_model
def test_own_ids_alone_give_the_pass_over_what_it_prefers(name):
    model, ordinary = _make(name, 0.0), _make(name)
    for one in (model, ordinary):
        kernel, bias = one.output_projection.weights
        # So sure of every id that chance has no say, and never of padding.
        kernel.assign(1e6 * kernel)
        bias.assign(-1e9 * (np.arange(13) == 0))
    target = FULL["target"].copy()
    for t in range(4):
        logits = to_numpy(ordinary({"source": SOURCE, "target": target}))
        best, second = np.sort(logits[:, t], axis=-1)[:, :-3:-1].T
        assert (best - second > 30).all()
        target[:, t + 1] = logits[:, t].argmax(axis=-1)
    assert (target != FULL["target"]).any()
    expected = to_numpy(ordinary({"source": SOURCE, "target": target}))
    scale = np.abs(expected[..., 1:]).max()
    np.testing.assert_allclose(_trained(model, FULL), expected, atol=1e-4 * scale)


def _read_ids(probability, target, logits, **options):
    """The ids that a decoder of fixed logits is given."""
    width = len(logits) + 1
    sampling = ScheduledSampling(probability, **options)

    def step(ids, state, index):
        ids = keras.ops.cast(ids, "float32")[:, None]
        # Past the logits there is room to write down what was read.
        fixed = keras.ops.broadcast_to(
            keras.ops.convert_to_tensor(logits, "float32"), (len(target), width - 1)
        )
        count = keras.ops.cast(state.recurrent[0], "float32") * 0
        return keras.ops.concatenate([fixed, ids / 1e3 - 99 + count], -1), state, None

    state = StepState({}, [keras.ops.zeros((len(target), 1))])
    found = to_numpy(sampling.read(step, state, target))
    return np.round((found[..., -1] + 99) * 1e3).astype(int)


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.75, 1.0])
def test_the_share_of_true_ids_is_the_probability(probability):
    target = np.full((101, 47), 2)
    # Nothing is as likely to be drawn as id 1.
    read = _read_ids(probability, target, [0.0, 99.0, 0.0], seed=5)
    assert (read[:, 0] == 2).all()
    assert set(np.unique(read)) <= {1, 2}
    # 4646 independent ids, so the share is within four deviations.
    assert abs((read[:, 1:] == 2).mean() - probability) < 0.03
    for axis in (0, 1):
        shares = (read[:, 1:] == 2).mean(axis=axis)
        assert abs(shares - probability).max() < 0.35


def test_ids_are_drawn_by_their_probabilities():
    logits = np.log([0.1, 0.2, 0.4, 0.3])
    read = _read_ids(0.0, np.full((101, 47), 7), logits, seed=5)
    assert (read[:, 0] == 7).all()
    shares = [(read[:, 1:] == drawn).mean() for drawn in range(4)]
    # Padding is never drawn.
    np.testing.assert_allclose(shares, [0, 2 / 9, 4 / 9, 3 / 9], atol=0.03)


def test_draws_vary_from_call_to_call():
    model = _make("rnn", 0.5)
    assert not np.allclose(_trained(model), _trained(model), atol=1e-3)


@pytest.mark.whole
@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.3, "recurrent_dropout": 0.2},
        {"dropout": 0.3, "attention": None},
        {"attention": Attention("general", alignment="monotonic", noise=1.0)},
    ],
    ids=str,
)
def test_it_is_trained_with_whatever_is_random(options):
    model = build("rnn", **options, scheduled_sampling=0.5)
    state = model.decoder.start(model.encode(SOURCE), 5, training=True)
    drawn = {"inputs": state.constant["inputs"]}
    for name in {"outputs", "noise"} & set(state.constant["rnn"]):
        drawn[name] = state.constant["rnn"][name]
    for name, part in drawn.items():
        first, second = to_numpy(part)[:, :2].swapaxes(0, 1)
        is_random = name == "noise" or "dropout" in options
        assert (first != second).any() == is_random
    model.compile("sgd", MaskedCrossEntropy())
    losses = model.fit(FULL, LABELS, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert np.isfinite(to_numpy(model(FULL))).all()


def test_inputs_may_come_in_their_order():
    keras.utils.set_random_seed(5)
    named = _trained(_make("rnn", 0.5))
    keras.utils.set_random_seed(5)
    listed = _trained(_make("rnn", 0.5), [*INPUTS.values()])
    np.testing.assert_array_equal(listed, named)


def test_a_schedule_advances_in_training_alone():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(**THREE_TRUE)
    model = _make("rnn", schedule)
    expected = to_numpy(_make("rnn")(FULL))
    for _ in range(3):
        np.testing.assert_allclose(_trained(model, FULL), expected, atol=5e-5)
        for training in (False, None):
            model(FULL, training=training)
        model.predict(FULL, verbose=0)
    assert not np.allclose(_trained(model, FULL), expected, atol=1e-3)


@every_model
def test_inference_knows_nothing_of_it(name):
    model, ordinary = _make(name, 0.0), _make(name)
    expected = to_numpy(ordinary(INPUTS))
    np.testing.assert_allclose(to_numpy(model(INPUTS)), expected, atol=1e-6)
    assert tuple(model.output.shape) == (None, None, 13)
    assert model.count_params() - ordinary.count_params() in (0, 1)


@every_model
def test_logits_of_training_carry_the_mask_of_the_target(name):
    logits = _make(name, 0.5)(INPUTS, training=True)
    np.testing.assert_array_equal(mask_of(logits), IS_REAL)


@pytest.mark.one_backend
def test_rows_drop_what_they_drop_in_every_step_of_a_pass():
    options = {"recurrent_dropout": 0.4, "dropout": 0.4, "num_layers": 2}
    model = build("rnn", **options, scheduled_sampling=1.0)
    still = to_numpy(model(INPUTS))
    drops = [_trained(model) for _ in range(2)]
    assert not np.allclose(*drops, atol=1e-3)
    assert not np.allclose(drops[0], still, atol=1e-3)
    assert np.isfinite(drops).all()


def _compile(model):
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        # On TensorFlow XLA would take longer than all of these few steps.
        jit_compile=BACKEND == "jax",
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "gnmt"])
def test_it_learns_by_fit(name):
    model = _make(name, InverseSigmoidDecay(k=3))
    _compile(model)
    before = model.evaluate(INPUTS, LABELS, verbose=0)
    history = model.fit(INPUTS, LABELS, epochs=9, batch_size=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert model.evaluate(INPUTS, LABELS, verbose=0) < before


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_saved_file_goes_on_with_the_schedule_in_a_fresh_process(tmp_path):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(**THREE_TRUE)
    model = _make("without attention", schedule)
    _compile(model)
    model.fit(FULL, LABELS, epochs=3, batch_size=3, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **FULL)
    printed = run_in_fresh_process(
        LOAD_AND_TRAIN, tmp_path / "model.keras", tmp_path / "inputs.npz"
    )
    *_, config, is_ordinary = printed.strip().splitlines()
    assert config == f"PiecewiseConstantDecay {schedule.get_config()}"
    assert is_ordinary == "False"


@pytest.mark.parametrize("probability", [0.5, InverseSigmoidDecay(k=3)])
def test_the_configuration_gives_the_same_model(probability):
    model = _make("rnn", probability)
    other = Seq2Seq.from_config(model.get_config())
    assert other.get_config() == model.get_config()
    assert type(other.scheduled_sampling) is type(probability)


@pytest.mark.parametrize("probability", [-0.1, 1.5, float("nan")])
def test_a_wrong_probability_is_named(probability):
    message = f"`scheduled_sampling` must .* scheduled_sampling={probability}"
    with pytest.raises(ValueError, match=message):
        _make("rnn", probability)


@pytest.mark.parametrize("probability", ["0.5", [0.5]])
def test_something_else_than_a_probability_is_named(probability):
    with pytest.raises(ValueError, match="`scheduled_sampling` must be"):
        _make("rnn", probability)


def test_a_transformer_is_refused():
    config = build("transformer", num_layers=1).get_config()
    message = "`scheduled_sampling` needs a decoder .* Received: decoder=<DecoderStack"
    with pytest.raises(ValueError, match=message):
        Seq2Seq.from_config({**config, "scheduled_sampling": 0.5})


class Averages(keras.layers.Layer):
    """A decoder whose state is one tensor: the sum of what it read, and of a source."""

    supports_masking = True

    def call(self, inputs, memory):
        count = 1 + keras.ops.arange(keras.ops.shape(inputs)[1], dtype="float32")
        total = keras.ops.cumsum(inputs, axis=1) / keras.ops.reshape(count, (1, -1, 1))
        return total + keras.ops.expand_dims(memory, 1)

    def start(self, memory, max_length, training=False):
        return keras.ops.stack([memory, keras.ops.zeros_like(memory)], axis=1)

    def step(self, inputs, state, index, training=False):
        memory, total = state[:, 0], state[:, 1] + inputs[:, 0]
        count = keras.ops.cast(index + 1, total.dtype)
        hidden = keras.ops.expand_dims(memory + total / count, 1)
        return hidden, keras.ops.stack([memory, total], axis=1), None


class LastVector(keras.layers.Layer):
    def call(self, inputs, padding_mask=None):
        return inputs[:, -1]


def _own(decoder, probability):
    return Seq2Seq(
        keras.layers.Embedding(11, 6),
        LastVector(),
        decoder,
        PositionalEmbedding(13, 6),
        scheduled_sampling=probability,
    )


def test_a_decoder_of_ones_own_is_trained_on_its_ids():
    decoder = Averages()
    always, never = (_own(decoder, probability) for probability in (1.0, 0.0))
    never.set_weights(always.get_weights())
    expected = to_numpy(always(FULL))
    np.testing.assert_allclose(_trained(always, FULL), expected, atol=1e-5)
    found = _trained(never, FULL)
    np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=1e-5)
    assert not np.allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("methods", [{}, {"start": 1, "step": 1}], ids=str)
def test_a_decoder_that_cannot_be_trained_by_steps_is_refused(methods):
    class Other(keras.layers.Layer):
        supports_masking = True

        def call(self, inputs, memory):
            return inputs

    for name in methods:
        setattr(Other, name, lambda self, *args: None)
    with pytest.raises(ValueError, match="`start` and `step` take `training`.*Other"):
        _own(Other(), 0.5)
