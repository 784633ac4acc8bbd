"""The models of papers: their published sizes, their files and their steps."""

import json
import re

import keras
import numpy as np
import pytest

from keras_attention import models
from tests.backends import run_in_fresh_process, to_numpy
from tests.small_models import INPUTS, IS_REAL, SOURCE, TARGET, decode
from tests.tensors import randomize

RECURRENT = {"embedding_dim": 7, "units": 5}
TRANSFORMER = {"num_heads": 2, "embedding_dim": 10, "intermediate_dim": 17}
# Options that make each of them small, and the vocabulary of its targets.
SMALL = {
    "sutskever2014": (RECURRENT, 13),
    "bahdanau2015": ({**RECURRENT, "readout_units": 3}, 13),
    "luong2015": (RECURRENT, 13),
    "gnmt": ({**RECURRENT, "num_layers": 4, "attention_units": 3}, 13),
    "transformer_base": ({**TRANSFORMER, "num_layers": 2}, 11),
    "transformer_big": ({**TRANSFORMER, "num_layers": 1}, 11),
    "transformer_tiny": ({**TRANSFORMER, "num_layers": 2}, 11),
}
every_preset = pytest.mark.parametrize("name", SMALL)
LOAD_AND_CALL = """
import json, sys
import numpy as np
import keras
import keras_attention
folder, names = sys.argv[1:]
inputs = dict(np.load(f"{folder}/inputs.npz"))
for name in json.loads(names):
    model = keras.saving.load_model(f"{folder}/{name}.keras")
    np.save(f"{folder}/{name}.npy", keras.ops.convert_to_numpy(model(inputs)))
    print(type(model).__name__, model.name)
"""


def _make(name):
    options, vocabulary = SMALL[name]
    return getattr(models, name)(11, vocabulary, **options)


def _count(build, *arguments):
    """Parameters of a model whose variables never come to be."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            return build(*arguments).count_params()
    finally:
        # Or the next such scope would make them all.
        keras.backend.clear_session()


@every_preset
def test_it_is_as_large_as_it_says(name):
    assert _count(_make, name) == _make(name).count_params()
    preset = getattr(models, name)
    (said,) = re.findall(r"([\d,]+)\s+parameters", preset.__doc__)
    assert said == f"{_count(preset):,}"


def test_sizes_follow_from_the_widths_of_the_papers():
    width, ids = 1000, 160_000 + 80_000
    lstm = 4 * width * (2 * width + 1)
    logits = 80_000 * (width + 1)
    assert _count(models.sutskever2014) == ids * width + 8 * lstm + logits
    width, hidden = 512, 2048
    attention = 4 * width * (width + 1)
    feed_forward = 2 * width * hidden + hidden + width
    norm = 2 * width
    encoder = attention + feed_forward + 2 * norm
    decoder = 2 * attention + feed_forward + 3 * norm
    assert _count(models.transformer_base) == 37_000 * width + 6 * (encoder + decoder)
    width, layers = 1024, 8
    # The second encoder layer reads two directions; decoder layers read the context.
    lstm = {parts: 4 * width * ((parts + 1) * width + 1) for parts in (1, 2)}
    encoder = 2 * lstm[1] + lstm[2] + (layers - 2) * lstm[1]
    bridges = 2 * width * (2 * width + 1)
    attention = 2 * width * width + width + width
    ends = 2 * 32_000 * width + 32_000 * (width + 1)
    expected = encoder + bridges + layers * lstm[2] + attention + ends
    assert _count(models.gnmt) == expected


@every_preset
def test_steps_equal_one_full_pass(name):
    model = randomize(_make(name))
    logits, attention = decode(model, SOURCE, TARGET, max_length=7)
    expected = to_numpy(model(INPUTS))
    np.testing.assert_allclose(logits[IS_REAL], expected[IS_REAL], atol=5e-5)
    if name == "sutskever2014":
        assert attention is None
        return
    total = attention[IS_REAL].sum(axis=-1)
    # Local predictive weights lie under a bell.
    assert (total <= 1 + 1e-5).all() if name == "luong2015" else np.allclose(total, 1)


@pytest.mark.slow
def test_saved_files_load_in_a_fresh_process(tmp_path):
    np.savez(tmp_path / "inputs.npz", **INPUTS)
    expected = {}
    for name in SMALL:
        model = randomize(_make(name))
        model.save(tmp_path / f"{name}.keras")
        expected[name] = to_numpy(model(INPUTS))
    printed = run_in_fresh_process(LOAD_AND_CALL, tmp_path, json.dumps([*SMALL]))
    assert printed.splitlines()[-len(SMALL) :] == [f"Seq2Seq {name}" for name in SMALL]
    for name, logits in expected.items():
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(found, logits, atol=1e-5)


@every_preset
def test_every_option_may_be_replaced(name):
    options, vocabulary = SMALL[name]
    model = getattr(models, name)(11, vocabulary, **options, dropout=0.0, name="other")
    assert model.name == "other"
    expected = to_numpy(model(INPUTS, training=True))
    np.testing.assert_allclose(to_numpy(model(INPUTS)), expected, atol=1e-5)


def test_the_options_of_a_builder_that_knows_them_not_are_refused():
    with pytest.raises(TypeError, match="widht"):
        models.luong2015(11, 13, **RECURRENT, widht=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "`units` must be .* Received: units=0"),
        ({"num_layers": 0}, "`num_layers` must be .* Received: num_layers=0"),
        ({"attention_units": 0}, "`attention_units` must .*: attention_units=0"),
        ({"dropout": 1.0}, "`dropout` must be .* Received: dropout=1.0"),
        (
            {"tie_embeddings": True},
            "`tie_embeddings=True` needs .*: embedding_dim=7, units=5",
        ),
        (
            {"tie_embeddings": True, "units": 7},
            "`tie_embeddings=True` needs one vocabulary.*=11, .*=13",
        ),
    ],
)
def test_wrong_arguments_of_gnmt_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        models.gnmt(11, 13, **{**SMALL["gnmt"][0], **options})


def test_a_gnmt_of_one_layer_has_nothing_to_bridge():
    options = {**SMALL["gnmt"][0], "num_layers": 1}
    model = randomize(models.gnmt(11, 13, **options))
    logits, _ = decode(model, SOURCE, TARGET, max_length=7)
    expected = to_numpy(model(INPUTS))
    np.testing.assert_allclose(logits[IS_REAL], expected[IS_REAL], atol=5e-5)


def test_embeddings_of_a_gnmt_may_be_tied():
    options = {**SMALL["gnmt"][0], "units": 7, "tie_embeddings": True}
    model = models.gnmt(11, 11, **options)
    assert model.source_embedding is model.target_embedding
    assert tuple(model(INPUTS).shape) == (3, 5, 11)
