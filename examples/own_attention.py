"""An attention of your own, in a translation model: trained, searched, exported.

    python examples/own_attention.py
    python examples/own_attention.py --attention differential  # one of the package's

The attention is any Keras layer with the calling form of
`keras.layers.MultiHeadAttention`. It need not know how to decode step by step: what it
has read is kept and read again. With a `start` and a `step`, as the attentions of the
package have them, it would be faster.
"""

import argparse
import tempfile
from collections.abc import Sequence

import keras
from date_format import DATE_LENGTH, make_dates
from keras import ops

from keras_attention import Translator, functional, text, training
from keras_attention.decoding import BeamSearch
from keras_attention.layers import (
    DifferentialAttention,
    LinearAttention,
    MultiHeadAttention,
    MultiHeadLatentAttention,
)
from keras_attention.models import transformer


@keras.saving.register_keras_serializable("own_attention")
class CosineAttention(keras.layers.Layer):
    """Heads that compare by an angle and not by a product (Henry et al. 2020)."""

    def __init__(self, num_heads, head_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.head_dim = num_heads, head_dim
        self.projections = [keras.layers.Dense(num_heads * head_dim) for _ in range(3)]

    def build(self, query_shape, value_shape):
        self.scale = self.add_weight(shape=(), initializer="ones")
        self.merge = keras.layers.Dense(query_shape[-1])

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        query, key, value = (
            functional.split_heads(dense(part), self.num_heads)
            for dense, part in zip(self.projections, (query, value, value), strict=True)
        )
        angles = ops.matmul(
            ops.normalize(query), ops.swapaxes(ops.normalize(key), 2, 3)
        )
        mask = functional.pairwise_mask(
            query_mask, value_mask, attention_mask=attention_mask
        )
        if use_causal_mask:
            lengths = ops.shape(query)[2], ops.shape(key)[2]
            mask = functional.combine_masks(mask, functional.causal_mask(*lengths))
        if mask is not None:
            mask = ops.expand_dims(mask, -3)  # the same for all heads
        weights = functional.masked_softmax(10 * self.scale * angles, mask)
        output = self.merge(functional.merge_heads(ops.matmul(weights, value)))
        return (output, weights) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
        }


# What makes the self-attention of a block, and its attention to the source.
ATTENTIONS = {
    "own": [lambda: CosineAttention(4, 16)] * 2,
    "multi-head": [lambda: MultiHeadAttention(4, 16)] * 2,
    "differential": [lambda: DifferentialAttention(4, 8)] * 2,
    "latent": [
        lambda: MultiHeadLatentAttention(4, 16, latent_dim=32, rotary_dim=8),
        lambda: MultiHeadLatentAttention(4, 16, latent_dim=32, rotary_dim=0),
    ],
    "linear": [lambda: LinearAttention(4, 16)] * 2,
}


def main(arguments: Sequence[str] | None = None) -> float:
    """Train, save, load and export; return the share of dates that are right."""
    options = parse(arguments)
    keras.utils.set_random_seed(options.seed)
    (spelled, dates), (test_spelled, test_dates) = (
        zip(*pairs, strict=True) for pairs in make_dates(options.pairs, options.seed)
    )
    letters = text.CharacterTokenizer.train([*spelled, *dates])
    attention, cross_attention = ATTENTIONS[options.attention]
    model = transformer(
        letters.vocabulary_size,
        letters.vocabulary_size,
        num_layers=2,
        num_heads=4,
        embedding_dim=64,
        intermediate_dim=128,
        attention=attention,
        cross_attention=cross_attention,
    )
    model.compile(training.Adam(2e-3), training.MaskedCrossEntropy())
    batches = text.translation_dataset(
        spelled, dates, letters, letters, batch_size=64, seed=options.seed
    )
    model.fit(batches, epochs=options.epochs, shuffle=False, verbose=2)
    search = BeamSearch(4, max_length=DATE_LENGTH + 1)
    translator = Translator(model, letters, letters, search)
    with tempfile.TemporaryDirectory() as folder:
        translator.save(f"{folder}/translator")
        translator = Translator.load(f"{folder}/translator")
        # Some translations are compared in a fresh process, without this package.
        translator.export(f"{folder}/saved_model", check=test_spelled[:20])
    found = translator(test_spelled[: options.tested])
    right = [*map(str.__eq__, found, test_dates)]
    share = sum(right) / len(right)
    print(f"{share:.1%} of {len(right)} dates are right: {test_spelled[0]} {found[0]}")
    return share


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--attention", choices=ATTENTIONS, default="own")
    add("--pairs", type=int, default=20_000, help="dates that are made")
    add("--epochs", type=int, default=6)
    add("--tested", type=int, default=500, help="dates that are tried after training")
    add("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
