"""Copies of models: what is shared stays shared, and a model stays what it is."""

import copy
import pickle

import keras
import numpy as np
import pytest

from keras_attention import layers, models
from keras_attention.decoding import Greedy
from tests.backends import to_numpy
from tests.small_models import SOURCE, TARGET, build
from tests.tensors import normal

COPIES = {
    "clone_model": keras.models.clone_model,
    "clone_model_recursive": lambda model: keras.models.clone_model(
        model, recursive=True
    ),
    "from_config": lambda model: type(model).from_config(model.get_config()),
    "json": lambda model: keras.models.model_from_json(model.to_json()),
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}
every_copy = pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)


def encoder(position):
    return layers.TransformerEncoder(9, 2, position=position)


def with_one_position():
    """Two blocks share a position; a third has another of the same name."""
    inputs, position = keras.Input((None, 8)), layers.RelativePositionBias(8, 16)
    other = layers.RelativePositionBias(8, 16, name=position.name)
    hidden = encoder(other)(encoder(position)(inputs))
    return keras.Model(inputs, encoder(position)(hidden)), [0, 2]


def in_a_sequential():
    position = layers.RelativePositionBias(8, 16)
    model = keras.Sequential(
        [keras.Input((None, 8)), encoder(position), encoder(position)]
    )
    return model, [0, 1]


def in_a_nested_model():
    inputs, position = keras.Input((None, 8)), layers.RelativePositionBias(8, 16)
    inner = keras.Model(inputs, encoder(position)(inputs))
    outer = keras.Input((None, 8))
    return keras.Model(outer, encoder(position)(inner(outer))), None


def with_one_cell_and_one_attention():
    inputs = keras.Input((None, 8))
    cell, attention = layers.RecurrentCell(8), layers.Attention("general")
    hidden = layers.CellRNN(cell)(inputs)
    stack = layers.StackedCells([cell, layers.RecurrentCell(8)])
    for cells in (cell, stack):
        rnn = layers.AttentionRNN(cells, attention, input_feeding=False)
        hidden = rnn(hidden, inputs)
    return keras.Model(inputs, hidden), None


@every_copy
@pytest.mark.parametrize(
    "make",
    [
        with_one_position,
        in_a_sequential,
        in_a_nested_model,
        with_one_cell_and_one_attention,
    ],
)
def test_what_layers_share_is_shared_in_a_copy(make, make_copy):
    (model, _), values = make(), normal(3, 5, 8)
    expected = to_numpy(model(values))
    seen = {id(weight) for weight in model.weights}
    for other in make_copy(model), make_copy(model):
        assert len(other.weights) == len(model.weights)
        assert not seen & {id(weight) for weight in other.weights}
        seen |= {id(weight) for weight in other.weights}
        other.set_weights(model.get_weights())
        np.testing.assert_allclose(to_numpy(other(values)), expected, atol=1e-6)


@pytest.mark.parametrize("make", [with_one_position, in_a_sequential])
def test_the_very_layers_that_shared_still_do(make):
    model, (first, second) = make()
    blocks = [
        layer
        for layer in keras.models.clone_model(model).layers
        if isinstance(layer, layers.TransformerEncoder)
    ]
    assert blocks[first].position is blocks[second].position
    assert len({id(block.position) for block in blocks}) == len(blocks) - 1


def test_layers_copied_one_by_one_share_nothing():
    position = layers.RelativePositionBias(8, 16)
    one, other = (
        layers.TransformerEncoder.from_config(encoder(position).get_config())
        for _ in range(2)
    )
    assert one.position is not other.position


def make_ensemble():
    return models.Ensemble([build("transformer"), build("rnn")])


def make_language_model(*architecture, **options):
    return models.language_model(11, *architecture, embedding_dim=8, **options)


@every_copy
@pytest.mark.parametrize(
    "make",
    [
        lambda: build("transformer", positions="relative"),
        lambda: build("transformer", tie_embeddings=True, target_vocabulary_size=11),
        lambda: build("rnn", scheduled_sampling=0.5),
        lambda: make_language_model("rnn", units=8, tie_embeddings=True),
        lambda: make_language_model(num_heads=2, intermediate_dim=9),
        make_ensemble,
    ],
    ids=["relative", "tied", "sampled", "language_rnn", "language", "ensemble"],
)
def test_a_copy_decodes_as_its_model(make, make_copy):
    model = make()
    other = make_copy(model)
    assert type(other) is type(model)
    assert other.name == model.name
    assert len(other.weights) == len(model.weights)
    other.set_weights(model.get_weights())
    search = Greedy(4)
    expected = search(model, SOURCE)
    np.testing.assert_array_equal(search(other, SOURCE).ids, expected.ids)
    sampled = getattr(model, "scheduled_sampling", None)
    assert getattr(other, "scheduled_sampling", None) == sampled


def test_a_clone_is_compiled_as_its_model():
    model = build("transformer")
    model.compile("sgd", "mse")
    clone = keras.models.clone_model(model)
    assert clone.compiled
    assert type(clone.optimizer) is type(model.optimizer)


@pytest.mark.parametrize(
    "options",
    [
        {"input_tensors": {"source": keras.Input((7,)), "target": keras.Input((5,))}},
        {"call_function": lambda layer, *args, **kwargs: layer(*args, **kwargs)},
    ],
    ids=["input_tensors", "call_function"],
)
def test_a_clone_of_another_graph_is_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"A Seq2Seq is copied .* Received: {name}="):
        keras.models.clone_model(build("rnn"), **options)


def test_a_model_is_not_made_of_tensors():
    inputs = keras.Input((None,))
    with pytest.raises(ValueError, match="made of layers, not of tensors"):
        models.Seq2Seq(inputs, inputs)


class Reader(keras.Model):
    """A model of one's own, with layers of ours in a list and a dictionary."""

    def __init__(self, blocks=None, **kwargs):
        super().__init__(**kwargs)
        self.embedding = layers.PositionalEmbedding(11, 8)
        self.blocks = [layers.TransformerEncoder(9, 2) for _ in range(2)]
        self.ends = {"rnn": layers.CellRNN(layers.RecurrentCell(5))}

    def call(self, ids):
        hidden = self.embedding(ids)
        for block in self.blocks:
            hidden = block(hidden)
        return self.ends["rnn"](hidden)


def test_a_model_of_ones_own_keeps_its_weights(tmp_path):
    model = Reader()
    expected = to_numpy(model(TARGET))
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = keras.saving.load_model(
        tmp_path / "model.keras", custom_objects={"Reader": Reader}
    )
    np.testing.assert_allclose(to_numpy(loaded(TARGET)), expected, atol=1e-6)
    other = Reader()
    other(TARGET)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(to_numpy(other(TARGET)), expected, atol=1e-6)


def test_layers_and_models_in_several_models():
    ids = keras.Input((None,), dtype="int32")
    embedding, block = layers.PositionalEmbedding(11, 8), encoder(None)
    inner = keras.Model(ids, block(embedding(ids)))
    outer = keras.Model(ids, keras.layers.Dense(3)(block(inner(ids))))
    assert len(outer.weights) == len(inner.weights) + 2
    before = to_numpy(outer(TARGET))
    block.set_weights([weight + 0.1 for weight in block.get_weights()])
    assert np.abs(to_numpy(outer(TARGET)) - before).max() > 1e-3


def test_a_model_in_a_model_is_saved(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    hidden = layers.PositionalEmbedding(11, 8)(ids)
    inner = keras.Model(ids, encoder(layers.RelativePositionBias(8, 16))(hidden))
    outer = keras.Model(ids, encoder(layers.AlibiBias())(inner(ids)))
    expected = to_numpy(outer(TARGET))
    outer.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(to_numpy(loaded(TARGET)), expected, atol=1e-6)
