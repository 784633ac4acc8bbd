"""Masks that are not boolean, or not of the shape: taken for what they say, or refused.

Never inverted, never ignored.
"""

import keras
import numpy as np
import pytest

from keras_attention import functional, layers
from tests.backends import BACKEND, compiled, to_numpy
from tests.tensors import normal, real_positions

TARGET, SOURCE = normal(3, 5, 8, seed=1), normal(3, 7, 8, seed=2)
OF_TARGET = real_positions([5, 3, 2], 5)
OF_SOURCE = real_positions([4, 7, 1], 7)
PAIRS = np.arange(3 * 5 * 7).reshape(3, 5, 7) % 4 > 0
OWN_PAIRS = np.arange(3 * 5 * 5).reshape(3, 5, 5) % 4 > 0

TWO = {"query": TARGET, "value": SOURCE, "key": SOURCE}
MASKS_OF_TWO = {
    "query_mask": OF_TARGET,
    "value_mask": OF_SOURCE,
    "key_mask": OF_SOURCE,
    "attention_mask": PAIRS,
}


def decoder_rnn():
    return layers.AttentionRNN(layers.RecurrentCell(6), layers.Attention("general"))


LAYERS = {
    "Attention": (lambda: layers.Attention("dot"), TWO, MASKS_OF_TWO),
    "MultiHeadAttention": (
        lambda: layers.MultiHeadAttention(2, 4),
        TWO,
        MASKS_OF_TWO,
    ),
    "chunks": (
        lambda: layers.MultiHeadAttention(2, 4, chunk_size=2),
        TWO,
        MASKS_OF_TWO,
    ),
    "DifferentialAttention": (
        lambda: layers.DifferentialAttention(2, 4),
        TWO,
        MASKS_OF_TWO,
    ),
    "MultiHeadLatentAttention": (
        lambda: layers.MultiHeadLatentAttention(2, 4, 6, 2),
        {"query": TARGET, "value": SOURCE},
        MASKS_OF_TWO,
    ),
    "LinearAttention": (
        lambda: layers.LinearAttention(2, 4),
        TWO,
        {name: MASKS_OF_TWO[name] for name in ("query_mask", "value_mask", "key_mask")},
    ),
    "SelfAttention": (
        lambda: layers.SelfAttention(4),
        {"inputs": TARGET},
        {"mask": OF_TARGET, "attention_mask": OWN_PAIRS},
    ),
    "TransformerEncoder": (
        lambda: layers.TransformerEncoder(16, 2),
        {"inputs": TARGET},
        {"padding_mask": OF_TARGET, "attention_mask": OWN_PAIRS},
    ),
    "TransformerDecoder": (
        lambda: layers.TransformerDecoder(16, 2),
        {"decoder_sequence": TARGET, "encoder_sequence": SOURCE},
        {
            "decoder_padding_mask": OF_TARGET,
            "decoder_attention_mask": OWN_PAIRS,
            "encoder_padding_mask": OF_SOURCE,
            "encoder_attention_mask": PAIRS,
        },
    ),
    "RecurrentEncoder": (
        lambda: layers.RecurrentEncoder(4, bidirectional=True),
        {"inputs": TARGET},
        {"mask": OF_TARGET},
    ),
    "CellRNN": (
        lambda: layers.CellRNN(layers.RecurrentCell(4)),
        {"inputs": TARGET},
        {"mask": OF_TARGET},
    ),
    "AttentionRNN": (
        decoder_rnn,
        {"inputs": TARGET, "memory": SOURCE},
        {"memory_mask": OF_SOURCE},
    ),
}
ROWS = [
    pytest.param(make, inputs, name, mask, id=f"{layer}-{name}")
    for layer, (make, inputs, masks) in LAYERS.items()
    for name, mask in masks.items()
]


def outputs(layer, inputs, **masks):
    """The first output, or all of a list of them, as one array."""
    found = keras.tree.flatten(layer(**inputs, **masks))
    return np.concatenate([to_numpy(part).ravel() for part in found])


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize(("make", "inputs", "name", "mask"), ROWS)
def test_zeros_and_ones_are_what_booleans_are(make, inputs, name, mask):
    layer = make()
    expected = outputs(layer, inputs, **{name: mask})
    assert not np.allclose(expected, outputs(layer, inputs), atol=1e-3)
    for dtype in ("float32", "float64", "float16", "int32", "int64", "uint8"):
        found = outputs(layer, inputs, **{name: mask.astype(dtype)})
        np.testing.assert_array_equal(found, expected)
    as_tensor = keras.ops.convert_to_tensor(mask.astype("float32"))
    found = outputs(layer, inputs, **{name: as_tensor})
    np.testing.assert_array_equal(found, expected)
    found = outputs(layer, inputs, **{name: mask.tolist()})
    np.testing.assert_array_equal(found, expected)


STRANGE = {
    "minus infinity": lambda mask: np.where(mask, 0, -np.inf).astype("float32"),
    "a large negative number": lambda mask: np.where(mask, 0.0, -1e9),
    "a negative integer": lambda mask: np.where(mask, 0, -10_000),
    "a probability": lambda mask: mask * 0.5,
    "not a number": lambda mask: np.where(mask, 1.0, np.nan),
    "counts": lambda mask: np.cumsum(mask, axis=-1),
}


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize(("make", "inputs", "name", "mask"), ROWS)
def test_other_numbers_are_refused_by_name(make, inputs, name, mask):
    layer = make()
    layer(**inputs)
    message = rf"`{name}` must be boolean.*Received: {name} of dtype"
    for change in STRANGE.values():
        with pytest.raises(ValueError, match=message):
            layer(**inputs, **{name: change(mask)})
    # of a model that is compiled, values cannot be seen
    with pytest.raises(Exception, match=f"`{name}` must be boolean"):
        compiled(lambda mask: layer(**inputs, **{name: mask}))(
            STRANGE["minus infinity"](mask)
        )


@pytest.mark.parametrize(("make", "inputs", "name", "mask"), ROWS)
def test_integers_are_taken_inside_a_graph(make, inputs, name, mask):
    layer = make()
    expected = layer(**inputs, **{name: mask})
    found = compiled(lambda mask: layer(**inputs, **{name: mask}))(mask.astype("int32"))
    for one, other in zip(
        keras.tree.flatten(found), keras.tree.flatten(expected), strict=True
    ):
        np.testing.assert_allclose(to_numpy(one), to_numpy(other), atol=1e-5)


@pytest.mark.parametrize(("make", "inputs", "name", "mask"), ROWS)
def test_other_integers_show_inside_a_graph(make, inputs, name, mask):
    layer = make()
    layer(**inputs)
    run = compiled(lambda mask: layer(**inputs, **{name: mask}))
    for change in (
        STRANGE["a negative integer"],
        STRANGE["counts"],
        lambda mask: mask * 255,
    ):
        if BACKEND == "torch":  # where nothing hides them
            with pytest.raises(ValueError, match=f"`{name}` must be boolean"):
                run(change(mask).astype("int32"))
            continue
        for part in keras.tree.flatten(run(change(mask).astype("int32"))):
            assert np.isnan(to_numpy(part)).all()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others know every size")
@pytest.mark.parametrize(
    ("make", "inputs", "name", "mask"),
    [row for row in ROWS if not row.id.endswith("attention_mask")],
)
def test_a_column_is_refused_by_a_graph_of_any_size(make, inputs, name, mask):
    import tensorflow as tf

    layer = make()
    expected = outputs(layer, inputs, **{name: mask})
    specs = {key: tf.TensorSpec([None, None, 8]) for key in inputs}
    for dtype in ("bool", "int32"):
        run = tf.function(
            lambda inputs, mask: layer(**inputs, **{name: mask}),
            input_signature=[specs, tf.TensorSpec([None, None], dtype)],
        )
        found = keras.tree.flatten(run(inputs, mask.astype(dtype)))
        found = np.concatenate([to_numpy(part).ravel() for part in found])
        np.testing.assert_allclose(found, expected, atol=1e-5)
        for strange in (mask[:, :1], np.ones((mask.shape[1], 1), bool)):
            with pytest.raises(tf.errors.InvalidArgumentError):
                run(inputs, strange.astype(dtype))


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize(("make", "inputs", "name", "mask"), ROWS)
def test_another_shape_is_refused_with_both(make, inputs, name, mask):
    layer = make()
    layer(**inputs)
    shapes = {
        "of other rows": (2,),
        "longer": (*mask.shape[:-1], mask.shape[-1] + 1),
        "of another batch": (2, *mask.shape[1:]),
        "of more axes": (1, 1, 1, *mask.shape),
    }
    if mask.ndim == 2:
        shapes["a column"] = (3, 1)
    for shape in shapes.values():
        with pytest.raises(ValueError, match=rf"`{name}` must") as found:
            layer(**inputs, **{name: np.ones(shape, bool)})
        received = str(found.value).replace(",)", ")")
        assert f"{name}.shape={shape}".replace(",)", ")") in received


@pytest.mark.parametrize("lengths", [np.array([5, 3, 2]), np.array([1, 1, 1])])
@pytest.mark.parametrize("name", ["query_mask", "value_mask", "attention_mask"])
def test_lengths_are_refused(name, lengths):
    layer = layers.MultiHeadAttention(2, 4)
    with pytest.raises(ValueError, match=rf"`{name}` must"):
        layer(TARGET, SOURCE, **{name: lengths})


@pytest.mark.parametrize("name", list(LAYERS))
def test_masks_of_rows_and_of_all_rows_broadcast(name):
    make, inputs, masks = LAYERS[name]
    layer = make()
    for argument, mask in masks.items():
        if argument.endswith("attention_mask"):
            continue
        for reduced in (mask[:, 1], mask[1:2]):
            whole = reduced[:, None] if reduced.ndim == 1 else reduced
            whole = np.broadcast_to(whole, mask.shape)
            np.testing.assert_array_equal(
                outputs(layer, inputs, **{argument: reduced}),
                outputs(layer, inputs, **{argument: whole}),
            )


def test_a_mask_of_frames_reaches_layers_of_each_frame():
    """As `TimeDistributed` hands it on: one boolean a row."""
    layer = layers.SelfAttention(4)
    video = functional.with_mask(
        keras.ops.convert_to_tensor(VIDEO), keras.ops.convert_to_tensor(FRAMES)
    )
    found = to_numpy(keras.layers.TimeDistributed(layer)(video))
    expected = np.stack([to_numpy(layer(VIDEO[:, i])) for i in range(4)], axis=1)
    np.testing.assert_allclose(found[FRAMES], expected[FRAMES], atol=1e-5)


def test_a_mask_of_a_memory_that_is_not_there_is_refused():
    block = layers.TransformerDecoder(16, 2)
    for name in ("encoder_padding_mask", "encoder_attention_mask"):
        with pytest.raises(ValueError, match=f"`{name}`.*`encoder_sequence`|`{name}`"):
            block(TARGET, **{name: OF_SOURCE})


FRAMES = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)  # (B, F)
VIDEO = normal(2, 4, 3, 8, seed=5)  # (B, F, P, D)


@pytest.mark.parametrize("axes", [1, 2, (1, 2)])
@pytest.mark.parametrize("is_implicit", [False, True])
def test_a_mask_of_frames_covers_what_lies_within(axes, is_implicit):
    layer = layers.MultiHeadAttention(2, 4, attention_axes=axes)
    places = np.repeat(FRAMES[..., None], 3, axis=2)  # (B, F, P)
    expected = to_numpy(layer(VIDEO, VIDEO, query_mask=places, value_mask=places))
    if is_implicit:
        video = keras.ops.convert_to_tensor(VIDEO)
        video = functional.with_mask(video, keras.ops.convert_to_tensor(FRAMES))
        found = layer(video, video)
    else:
        found = layer(VIDEO, VIDEO, query_mask=FRAMES, value_mask=FRAMES)
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-6)
    assert not np.allclose(to_numpy(layer(VIDEO, VIDEO)), expected, atol=1e-3)


def test_a_mask_of_frames_is_that_of_keras():
    theirs = keras.layers.MultiHeadAttention(2, 4, attention_axes=1)
    theirs.build(VIDEO.shape, VIDEO.shape)
    ours = layers.MultiHeadAttention.from_keras(theirs)
    masks = {"query_mask": FRAMES, "value_mask": FRAMES}
    expected = to_numpy(theirs(VIDEO, VIDEO, **masks))
    found = to_numpy(ours(VIDEO, VIDEO, **masks))
    np.testing.assert_allclose(found[FRAMES], expected[FRAMES], atol=1e-5)


@pytest.mark.parametrize("axes", [(1,), (2,), (1, 2)])
def test_pairs_over_several_axes_broadcast(axes):
    layer = layers.MultiHeadAttention(2, 4, attention_axes=axes)
    _, weights = layer(VIDEO, VIDEO, return_attention_scores=True)
    full = np.random.default_rng(3).random(weights.shape) > 0.4
    for reduced in range(full.ndim):
        mask = full.take([0], axis=reduced)
        expected = layer(VIDEO, VIDEO, attention_mask=np.broadcast_to(mask, full.shape))
        found = layer(VIDEO, VIDEO, attention_mask=mask)
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)
    with pytest.raises(ValueError, match=r"`attention_mask` must broadcast"):
        layer(VIDEO, VIDEO, attention_mask=full[..., :-1])


def test_a_built_layer_keeps_its_number_of_axes():
    layer = layers.MultiHeadAttention(2, 4)
    layer(TARGET, SOURCE)
    with pytest.raises(ValueError, match=r"`query` must have 3 axes.*\(2, 4, 3, 8\)"):
        layer(VIDEO, VIDEO)


def test_query_and_value_of_unlike_ranks_are_refused():
    with pytest.raises(ValueError, match="`query` and `value` must have the same"):
        layers.MultiHeadAttention(2, 4)(VIDEO, SOURCE)
