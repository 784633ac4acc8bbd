"""Quantization to int8 and low-rank adapters, on all projections of our layers."""

import json
import zipfile
from functools import partial

import keras
import numpy as np
import pytest

from keras_attention import layers
from tests.attention_cases import ALIGNMENTS
from tests.backends import to_numpy
from tests.case import (
    MEMORY,
    QUERY,
    SEQUENCE,
    VALUE,
    VOCABULARY,
    Case,
    ids,
    mask,
    tensor,
)
from tests.recurrent_cases import own_cells
from tests.small_models import build as build_seq2seq
from tests.tensors import randomize, token_ids

pytestmark = [
    pytest.mark.usefixtures("frozen_heap"),
    # Keras warns of every layer that it cannot quantize: inputs, norms and dropouts.
    pytest.mark.filterwarnings(
        r"ignore:Layer \w+ does not have a `quantize` method:UserWarning"
    ),
    pytest.mark.filterwarnings(r"ignore:`model.quantize\(\)`. .* skipped:UserWarning"),
    # It saves kernels with their adapters merged, and an optimizer that knows of both.
    pytest.mark.filterwarnings("ignore:Skipping variable loading for opt:UserWarning"),
]
WITHOUT_PROJECTIONS = {"AlibiBias", "RotaryEmbedding", "SinePositionEncoding"}
WITHOUT_PROJECTIONS |= {"RecurrentEncoder"}
# They stand inside of other layers.
WITHOUT_PROJECTIONS |= {"StackedCells", "RecurrentCell", "NTMCell"}

INPUTS = {"query": QUERY, "value": VALUE}
BLOCK = {"intermediate_dim": 23, "num_heads": 2}
FULL_BLOCK = {
    **BLOCK,
    "gated": True,
    "num_key_value_heads": 1,
    "position": partial(layers.RelativePositionBias, 8, 16),
    "attention_options": {"query_key_norm": True},
}
TABLE = {"vocabulary_size": VOCABULARY, "embedding_dim": 13}
CASES = [
    Case(layers.Attention, {"score": "general"}, INPUTS, QUERY),
    Case(layers.Attention, {"score": "additive", "units": 11}, INPUTS, QUERY),
    Case(
        layers.Attention,
        {"score": "additive", "units": 11, "normalize": True, "alignment": "monotonic"},
        INPUTS,
        QUERY,
    ),
    Case(layers.Attention, {"alignment": "local_p", "window": 2}, INPUTS, QUERY),
    Case(layers.SelfAttention, {"key_dim": 11}, {"inputs": QUERY}, QUERY),
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 6, "key_dim": 5, "num_key_value_heads": 2, "use_gate": True},
        {**INPUTS, "value_mask": mask("batch", "source")},
        QUERY,
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 2,
            "key_dim": 5,
            "position": partial(layers.RelativePositionBias, 8, 16),
        },
        INPUTS,
        QUERY,
    ),
    Case(layers.DifferentialAttention, {"num_heads": 2, "key_dim": 5}, INPUTS, QUERY),
    Case(
        layers.MultiHeadLatentAttention,
        {
            "num_heads": 2,
            "key_dim": 5,
            "latent_dim": 7,
            "rotary_dim": 4,
            "query_latent_dim": 11,
        },
        INPUTS,
        QUERY,
    ),
    Case(layers.LinearAttention, {"num_heads": 2, "key_dim": 5}, INPUTS, QUERY),
    Case(
        layers.RelativePositionBias,
        {"num_buckets": 8, "max_distance": 16},
        {"attention_scores": tensor("batch", 2, "target", "source")},
        tensor("batch", 2, "target", "source"),
    ),
    Case(
        layers.FeedForward,
        {"intermediate_dim": 23, "gated": True, "activation": "silu"},
        {"inputs": SEQUENCE},
        SEQUENCE,
    ),
    Case(layers.TransformerEncoder, FULL_BLOCK, {"inputs": SEQUENCE}, SEQUENCE),
    Case(
        layers.TransformerDecoder,
        FULL_BLOCK,
        {"decoder_sequence": SEQUENCE, "encoder_sequence": MEMORY},
        SEQUENCE,
    ),
    Case(
        layers.PositionalEmbedding,
        {**TABLE, "positions": "learned", "max_length": 7, "mask_zero": False},
        {"inputs": ids("batch", "target")},
        QUERY,
    ),
    Case(
        layers.PositionalEmbedding,
        TABLE,
        {"inputs": QUERY},
        tensor("batch", "target", VOCABULARY),
        {"reverse": True},
    ),
    Case(
        layers.AttentionRNN,
        {
            "cell": partial(keras.layers.GRUCell, 11),
            "attention": partial(layers.Attention, "additive", units=11),
        },
        {"inputs": SEQUENCE, "memory": MEMORY},
        tensor("batch", "target", 11),
    ),
    Case(
        layers.CellRNN,
        {"cell": partial(own_cells)},
        {"inputs": SEQUENCE},
        tensor("batch", "target", 11),
    ),
]
NAMES = [f"{case.cls.__name__}-{index}" for index, case in enumerate(CASES)]
every_case = pytest.mark.parametrize("case", CASES, ids=NAMES)


def model_and_inputs(case):
    """A functional model of one layer, its weights random, biases included."""
    layer, symbols = case.make(), case.symbols("batch", "target", "source")
    outputs = layer(**symbols, **case.call)
    randomize(layer)
    model = keras.Model(keras.tree.flatten(symbols), outputs)
    return model, keras.tree.flatten(case.values())


def projections(model):
    kinds = keras.layers.Dense | keras.layers.EinsumDense | keras.layers.Embedding
    return [layer for layer in model._flatten_layers() if isinstance(layer, kinds)]


def table(projection):
    """What a projection multiplies by, or looks up in."""
    is_embedding = isinstance(projection, keras.layers.Embedding)
    return projection._embeddings if is_embedding else projection._kernel


def float_tables(model):
    """Paths of the weights that could be quantized and are not; Keras has no cells."""
    return [
        weight.path
        for weight in model.weights
        if len(weight.shape) > 1
        and weight.dtype != "int8"
        and "_cell" not in weight.path
    ]


def save_and_load(model, path):
    model.save(path)
    return keras.saving.load_model(path)


def distance(found, expected):
    """Root mean square of the difference, as a share of that of `expected`."""
    found, expected = to_numpy(found), to_numpy(expected)
    return np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2))


def test_every_layer_with_projections_has_a_case():
    covered = {case.cls.__name__ for case in CASES}
    assert covered == set(layers.__all__) - ALIGNMENTS - WITHOUT_PROJECTIONS


@every_case
def test_int8_reaches_all_projections_and_is_loaded(case, tmp_path):
    model, inputs = model_and_inputs(case)
    expected = model(inputs)
    model.quantize("int8")
    assert {table(part).dtype for part in projections(model)} == {"int8"}
    assert float_tables(model) == []
    found = model(inputs)
    # Measured: 0.0004 to 0.016.
    assert 0 < distance(found, expected) < 0.03
    loaded = save_and_load(model, tmp_path / "model.keras")
    assert float_tables(loaded) == []
    np.testing.assert_allclose(to_numpy(loaded(inputs)), to_numpy(found), atol=1e-6)


def test_a_model_quantized_in_part_keeps_the_other_policies(tmp_path):
    inputs = keras.Input((None, 14))
    blocks = [
        layers.TransformerEncoder(**BLOCK, dtype="mixed_bfloat16", name=name)
        for name in ("low", "high")
    ]
    model = keras.Model(inputs, blocks[1](blocks[0](inputs)))
    model.quantize("int8", filters=lambda part: "low/self" in str(part.path))
    loaded = save_and_load(model, tmp_path / "half.keras")
    assert {layer.compute_dtype for layer in loaded.layers[1:]} == {"bfloat16"}
    paths = [part.path for part in projections(model) if part.quantization_mode]
    assert len(paths) == 4
    assert paths == [
        part.path for part in projections(loaded) if part.quantization_mode
    ]
    values = SEQUENCE.value(np.random.default_rng(3))
    found = loaded(values)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_array_equal(to_numpy(found), to_numpy(model(values)))


def test_a_shared_bias_is_quantized_once_and_stays_shared(tmp_path):
    inputs, bias = keras.Input((None, 14)), layers.RelativePositionBias(8, 16)
    hidden = layers.TransformerEncoder(**BLOCK, position=bias)(inputs)
    outputs = layers.TransformerEncoder(**BLOCK, position=bias)(hidden)
    model = keras.Model(inputs, outputs)
    model.quantize("int8")
    loaded = save_and_load(model, tmp_path / "model.keras")
    first, second = loaded.layers[1:]
    assert first.position is second.position
    assert bias.quantization_mode is None
    assert table(first.position._table).dtype == "int8"
    values = SEQUENCE.value(np.random.default_rng(3))
    np.testing.assert_array_equal(to_numpy(loaded(values)), to_numpy(model(values)))


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("transformer", {"positions": "relative", "num_layers": 1}),
        ("rnn", {"bidirectional": True}),
    ],
)
def test_a_whole_model_is_quantized_and_loaded(architecture, options, tmp_path):
    model = build_seq2seq(architecture, **options)
    values = {
        name: token_ids(3, length, vocabulary=VOCABULARY)
        for name, length in (("source", 7), ("target", 5))
    }
    expected = model(values)
    model.quantize("int8")
    assert {table(part).dtype for part in projections(model)} == {"int8"}
    found = model(values)
    assert 0 < distance(found, expected) < 0.03
    loaded = save_and_load(model, tmp_path / "model.keras")
    np.testing.assert_allclose(to_numpy(loaded(values)), to_numpy(found), atol=1e-6)


def policy_maps(config):
    """Configurations of policies by path, wherever they stand."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicyMap":
            yield config
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from policy_maps(part)


def test_policies_of_two_layers_are_not_taken_for_one(tmp_path):
    """Keras knows shared objects by addresses, which what is made in passing reuses."""
    model = build_seq2seq("rnn")
    model.quantize("int8")
    saved, changed = tmp_path / "saved.keras", tmp_path / "changed.keras"
    model.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                maps = [*policy_maps(config)]
                assert len(maps) > 2
                for policies in maps:
                    assert "shared_object_id" not in policies
                    policies["shared_object_id"] = 7
                content = json.dumps(config)
            target.writestr(name, content)
    inputs = {
        "source": token_ids(3, 7, vocabulary=VOCABULARY),
        "target": token_ids(3, 5, vocabulary=VOCABULARY),
    }
    loaded = keras.saving.load_model(changed)
    np.testing.assert_array_equal(to_numpy(loaded(inputs)), to_numpy(model(inputs)))


@every_case
def test_adapters_take_over_the_training(case, tmp_path):
    model, inputs = model_and_inputs(case)
    expected = model(inputs)
    for part in projections(model):
        part.enable_lora(2)
    found = model(inputs)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)
    frozen = [table(part) for part in projections(model)]
    adapters = [weight for weight in model.weights if weight.name.startswith("lora_")]
    assert len(adapters) == 2 * len(frozen)
    before = to_numpy([weight.value for weight in frozen + adapters])
    # Adam moves whatever has a gradient; one half has none while the other is zero.
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    for _ in range(2):
        model.train_on_batch(inputs, np.ones(found.shape, "float32"))
    for weight, old in zip(frozen + adapters, before, strict=True):
        is_frozen = any(weight is part for part in frozen)
        assert np.array_equal(to_numpy(weight.value), old) == is_frozen, weight.path
    trained = model(inputs)
    assert distance(trained, expected) > 1e-3
    loaded = save_and_load(model, tmp_path / "model.keras")
    np.testing.assert_allclose(
        to_numpy(loaded(inputs)), to_numpy(trained), rtol=1e-5, atol=1e-5
    )
