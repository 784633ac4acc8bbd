"""`mask_report` on models whose masks are known."""

import keras
import numpy as np
import pytest

from keras_attention import layers
from keras_attention.inspection import MaskRow, mask_report
from tests.backends import to_numpy

IDS = np.array([[3, 5, 0, 0], [4, 1, 2, 0]])


def _embedded(name="words", mask_zero=True):
    ids = keras.Input((None,), dtype="int32")
    return ids, keras.layers.Embedding(7, 6, mask_zero=mask_zero, name=name)(ids)


def _findings(model, batch=IDS):
    return {row.layer: row.finding for row in mask_report(model, batch)}


def test_masks_made_kept_used_and_lost():
    ids, words = _embedded()
    hidden = keras.layers.Dense(5, name="kept")(words)
    pooled = keras.layers.GlobalAveragePooling1D(name="pooled")(hidden)
    doubled = keras.layers.Dense(3, name="after")(hidden + 1.0)
    found = _findings(keras.Model(ids, [pooled, doubled]))
    assert found == {
        "words": "made",
        "kept": "kept",
        "pooled": "used",
        "add": "lost",
        "after": "none",
    }


def test_rows_and_table(capsys):
    ids, words = _embedded()
    other = keras.layers.Embedding(7, 6, name="unmasked")(ids)
    joined = keras.layers.Concatenate(name="joined")([words, other])
    rows = mask_report(keras.Model(ids, joined), IDS)
    assert rows[-1] == MaskRow("joined", "Concatenate", 2, 1, True, "kept")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split("  ")[0] == "layer"
    assert printed[-1].split() == [
        "joined",
        "Concatenate",
        "1",
        "of",
        "2",
        "yes",
        "kept",
    ]
    assert len(printed) == 1 + len(rows)


def test_attention_without_a_mask():
    ids, words = _embedded(mask_zero=False)
    outputs = layers.MultiHeadAttention(2, 3, name="heads")(words, words)
    assert _findings(keras.Model(ids, outputs))["heads"] == "attends unmasked"
    ids, words = _embedded()
    outputs = layers.MultiHeadAttention(2, 3, name="heads")(words, words)
    assert _findings(keras.Model(ids, outputs))["heads"] == "kept"


def test_attention_uses_the_mask_of_a_memory_as_long_as_its_queries():
    ids, words = _embedded()
    other, queries = _embedded("queries", mask_zero=False)
    heads = layers.MultiHeadAttention(2, 3, name="heads")(queries, words)
    attention = layers.Attention(name="attention")(queries, words)
    found = _findings(keras.Model([ids, other], [heads, attention]), [IDS, IDS])
    assert (found["heads"], found["attention"]) == ("used", "used")


def test_attention_with_an_explicit_mask_or_a_causal_one_alone():
    ids, words = _embedded(mask_zero=False)
    mask = keras.Input((None,), dtype="bool")
    masked = layers.MultiHeadAttention(2, 3, name="masked")(
        words, words, value_mask=mask
    )
    causal = layers.MultiHeadAttention(2, 3, name="causal")(
        words, words, use_causal_mask=True
    )
    found = _findings(keras.Model([ids, mask], [masked, causal]), [IDS, IDS != 0])
    assert found["masked"] == "none"
    assert found["causal"] == "attends unmasked"


def test_a_layer_that_takes_the_mask_off_its_input_is_not_blamed_on_the_one_before():
    """Keras's own attention does, when it runs eagerly."""
    ids, words = _embedded()
    hidden = keras.layers.Dense(6, name="before")(words)
    outputs = keras.layers.MultiHeadAttention(2, 3, name="theirs")(hidden, hidden)
    found = _findings(keras.Model(ids, outputs))
    assert found["before"] == "kept"


# Keras warns where a model is called on a mask that it does pass on.
@pytest.mark.filterwarnings("ignore:Layer 'inner'")
def test_models_within_models_and_attention_within_blocks():
    inner_inputs = keras.Input((None, 6))
    inner = keras.Model(
        inner_inputs, keras.layers.Dense(6, name="inside")(inner_inputs), name="inner"
    )
    ids, words = _embedded()
    outputs = layers.TransformerEncoder(7, 2, name="block")(inner(words))
    found = _findings(keras.Model(ids, outputs))
    assert found["inside"] == "kept"
    assert found["block"] == "kept"
    assert "block/self_attention" in found


def test_the_model_is_left_as_it_was():
    ids, words = _embedded()
    model = keras.Model(ids, layers.SelfAttention(3)(words))
    expected = to_numpy(model(IDS))
    attributes = [dict(vars(layer)) for layer in model.layers]
    mask_report(model, IDS)
    np.testing.assert_array_equal(to_numpy(model(IDS)), expected)
    for layer, before in zip(model.layers, attributes, strict=True):
        assert "call" not in vars(layer)
        assert set(vars(layer)) == set(before)


def test_what_fails_within_the_model_leaves_it_as_it_was():
    ids, words = _embedded()
    model = keras.Model(ids, layers.SelfAttention(3)(words))
    with pytest.raises(ValueError, match="incompatible"):
        mask_report(model, np.ones((2, 3, 4)))
    assert all("call" not in vars(layer) for layer in model.layers)


def test_other_things_are_refused():
    with pytest.raises(ValueError, match="`model` must be a built .*model=3"):
        mask_report(3, IDS)
    with pytest.raises(ValueError, match="`model` must be a built"):
        mask_report(keras.Sequential([keras.layers.Dense(3)]), IDS)
