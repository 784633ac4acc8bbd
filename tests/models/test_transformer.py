"""The `transformer` builder: its arguments, and its stacks by themselves."""

import keras
import numpy as np
import pytest

from keras_attention.layers import TransformerDecoder, TransformerEncoder
from keras_attention.models import DecoderStack, EncoderStack, transformer
from tests.backends import to_numpy
from tests.small_models import INPUTS, build
from tests.tensors import normal, randomize, real_positions


@pytest.mark.parametrize("normalize_first", [True, False])
@pytest.mark.parametrize("normalization", ["layer", "rms"])
def test_a_stack_is_its_blocks_and_a_last_normalization(normalize_first, normalization):
    inputs, memory = normal(3, 5, 10), normal(3, 7, 11, seed=1)
    masks = real_positions([5, 3, 1], 5), real_positions([7, 2, 5], 7)
    options = {"normalize_first": normalize_first, "normalization": normalization}
    encoder = EncoderStack([TransformerEncoder(13, 2, **options) for _ in range(2)])
    decoder = DecoderStack([TransformerDecoder(13, 2, **options) for _ in range(2)])
    encoder.build(inputs.shape)
    decoder.build(inputs.shape, {"sequence": memory.shape, "mask": memory.shape[:2]})
    randomize(encoder)
    randomize(decoder)
    encoded = decoded = inputs
    for block in encoder.blocks:
        encoded = block(encoded, padding_mask=masks[0])
    for block in decoder.blocks:
        decoded = block(decoded, memory, encoder_padding_mask=masks[1])
    found = encoder(inputs, padding_mask=masks[0])
    np.testing.assert_array_equal(to_numpy(found["mask"]), masks[0])
    pairs = [
        (encoder, encoded, found["sequence"]),
        (decoder, decoded, decoder(inputs, {"sequence": memory, "mask": masks[1]})),
    ]
    for stack, expected, outputs in pairs:
        expected = to_numpy(expected)
        scale = [w for w in stack.weights if "final_normalization" in w.path]
        assert bool(scale) == normalize_first
        if normalize_first:
            if normalization == "layer":
                expected = expected - expected.mean(axis=-1, keepdims=True)
            power = (expected**2).mean(axis=-1, keepdims=True)
            expected = expected / np.sqrt(power + 1e-5) * to_numpy(scale[0].value)
            if normalization == "layer":
                expected = expected + to_numpy(scale[1].value)
        np.testing.assert_allclose(to_numpy(outputs), expected, atol=5e-5)


def test_attention_of_a_step_is_the_mean_of_the_last_blocks_heads():
    model = build("transformer")
    source, target = INPUTS["source"], INPUTS["target"][:, :1]
    memory = model.encode(source)
    hidden = model.target_embedding(target)
    for block in model.decoder.blocks:
        hidden, weights = block(
            hidden,
            memory["sequence"],
            encoder_padding_mask=memory["mask"],
            return_attention_scores=True,
        )
    expected = to_numpy(weights["cross_attention"])[:, :, 0].mean(axis=1)
    state = model.start(memory, 3)
    _, _, attention = model.step(target[:, 0], state, 0)
    np.testing.assert_allclose(to_numpy(attention), expected, atol=1e-6)


@pytest.mark.one_backend
def test_the_defaults_are_the_published_base_size():
    model = transformer(37, 41)
    blocks = [*model.encoder.blocks, *model.decoder.blocks]
    assert len(blocks) == 12
    attention, feed_forward = 4 * (512 * 512 + 512), 2 * 512 * 2048 + 2048 + 512
    norm = 2 * 512
    encoder = 6 * (attention + feed_forward + 2 * norm) + norm
    decoder = 6 * (2 * attention + feed_forward + 3 * norm) + norm
    ends = 37 * 512 + 41 * 512 + (512 * 41 + 41)
    assert model.count_params() == encoder + decoder + ends


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source_vocabulary_size": 0}, "`source_vocabulary_size` .*size=0"),
        ({"target_vocabulary_size": None}, "`target_vocabulary_size` .*size=None"),
        ({"num_layers": 0}, "`num_layers` must be .* Received: num_layers=0"),
        ({"num_heads": 3}, "`num_heads` must divide.*num_heads=3, embedding_dim=10"),
        ({"embedding_dim": -2}, "`embedding_dim` .* Received: embedding_dim=-2"),
        ({"intermediate_dim": 2.5}, "`intermediate_dim` .*intermediate_dim=2.5"),
        ({"dropout": 1}, "`dropout` must be .* Received: dropout=1"),
        ({"positions": "learned"}, "`max_length` must be .*max_length=None"),
        ({"positions": "spiral"}, "`positions` .* Received: positions='spiral'"),
        ({"max_length": 0}, "`max_length` must be .* Received: max_length=0"),
        ({"normalization": "none"}, "`normalization` .*normalization='none'"),
        (
            {"num_key_value_heads": 3},
            "must divide `num_heads`.*num_key_value_heads=3, num_heads=2",
        ),
        (
            {"tie_embeddings": True},
            "`tie_embeddings=True` .*source_vocabulary_size=11, "
            "target_vocabulary_size=13",
        ),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build("transformer", **options)


@pytest.mark.parametrize("stack", [EncoderStack, DecoderStack])
def test_a_stack_needs_blocks(stack):
    with pytest.raises(ValueError, match=r"`blocks` must .* Received: blocks=\[\]"):
        stack([])


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_more_steps_than_positions_are_refused(positions):
    model = build("transformer", positions=positions, max_length=7)
    memory = model.encode(INPUTS["source"])
    model.start(memory, 7)
    with pytest.raises(ValueError, match=r"`max_length` .* Received: max_length=8"):
        model.start(memory, 8)


def test_longer_sources_than_positions_are_refused():
    model = build("transformer", max_length=5)
    with pytest.raises(
        ValueError, match=r"`max_length`.*length=7, start_index=0, max_length=5"
    ):
        model.encode(INPUTS["source"])


def test_layers_of_one_block_are_initialized_apart():
    keras.utils.set_random_seed(3)
    model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    kernels = [w for w in model.weights if w.path.endswith("kernel")]
    for index, kernel in enumerate(kernels):
        for other in kernels[:index]:
            if kernel.shape == other.shape:
                assert not np.allclose(to_numpy(kernel.value), to_numpy(other.value))
