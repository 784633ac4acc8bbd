"""Describe pictures in words: a model that reads vectors in place of ids.

    python examples/describe_images.py

The pictures are drawn here: two coloured shapes, one beside or above the other, of
random sizes at random places. A picture is cut into patches, and a Transformer writes
"a red circle above a blue cross". Some descriptions are in no training picture; after
training, pictures of these are described. With the pictures shuffled among their
descriptions almost none may be right, or the model would not have looked.
"""

import argparse
import itertools
import tempfile
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_attention import Translator, layers, text, training
from keras_attention.decoding import BeamSearch
from keras_attention.models import DecoderStack, EncoderStack, Seq2Seq

SIZE, PATCH = 32, 4  # pixels
COLORS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
}
# What lies inside, by the distances from the center as shares of half the width.
SHAPES = {
    "circle": lambda x, y: x**2 + y**2 <= 1,
    "square": lambda x, y: np.maximum(abs(x), abs(y)) <= 0.85,
    "cross": lambda x, y: (abs(x) <= 0.3) | (abs(y) <= 0.3),
    "ring": lambda x, y: (x**2 + y**2 <= 1) & (x**2 + y**2 >= 0.4),
}
# Rows and columns of the two centers, as shares of the size. Each picture has one
# description: none of what is below or to the right of the other.
RELATIONS = {
    "above": ((0.25, None), (0.75, None)),
    "left of": ((None, 0.25), (None, 0.75)),
}
DESCRIPTIONS = [
    f"a {' '.join(first)} {relation} a {' '.join(second)}"
    for first in itertools.product(COLORS, SHAPES)
    for relation in RELATIONS
    for second in itertools.product(COLORS, SHAPES)
]


@keras.saving.register_keras_serializable("describe_images")
class PatchEmbedding(keras.layers.Layer):
    """Patches `(batch, patches, values)` to vectors that know their places."""

    def __init__(self, dim, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.dense = keras.layers.Dense(dim)

    def build(self, inputs_shape):
        self.dense.build(inputs_shape)
        self.places = self.add_weight(
            shape=((SIZE // PATCH) ** 2, self.dim), initializer="random_normal"
        )

    def call(self, inputs):
        return self.dense(inputs) + self.places[: ops.shape(inputs)[1]]

    def get_config(self):
        return {**super().get_config(), "dim": self.dim}


def draw(description: str, random: np.random.Generator) -> np.ndarray:
    """Draw two shapes on noise: `(SIZE, SIZE, 3)`."""
    picture = random.uniform(0, 0.3, size=(SIZE, SIZE, 3))
    relation = next(name for name in RELATIONS if f" {name} a " in description)
    for part, center in zip(
        description.split(f" {relation} "), RELATIONS[relation], strict=True
    ):
        _, color, shape = part.split()
        half = random.uniform(4.0, 6.5)
        row, column = (
            SIZE * (random.uniform(0.25, 0.75) if share is None else share)
            + random.uniform(-1.0, 1.0)
            for share in center
        )
        y, x = np.mgrid[:SIZE, :SIZE] + 0.5
        is_inside = SHAPES[shape]((x - column) / half, (y - row) / half)
        is_inside &= np.maximum(abs(x - column), abs(y - row)) <= half
        picture[is_inside] = random.uniform(0.7, 1.0) * np.array(COLORS[color])
    return picture


def cut(picture: np.ndarray) -> np.ndarray:
    """The patches of a picture, row by row: `(patches, PATCH * PATCH * 3)`."""
    count = SIZE // PATCH
    blocks = picture.reshape(count, PATCH, count, PATCH, 3).swapaxes(1, 2)
    return blocks.reshape(count * count, -1).astype("float32")


def make_pictures(
    descriptions: Sequence[str], count: int, random: np.random.Generator
) -> tuple[np.ndarray, list[str]]:
    """Patches of pictures of some of these descriptions, and what each is of."""
    chosen = random.choice(descriptions, count).tolist()
    return np.stack([cut(draw(one, random)) for one in chosen]), chosen


def build_model(vocabulary_size: int, dim: int) -> Seq2Seq:
    """A small Transformer from patches to words."""
    blocks = {"intermediate_dim": 2 * dim, "num_heads": 4}
    return Seq2Seq(
        PatchEmbedding(dim),
        EncoderStack([layers.TransformerEncoder(**blocks) for _ in range(2)]),
        DecoderStack([layers.TransformerDecoder(**blocks) for _ in range(2)]),
        layers.PositionalEmbedding(vocabulary_size, dim),
        source_dim=PATCH * PATCH * 3,
    )


def to_targets(words: text.WordTokenizer, descriptions: Sequence[str]) -> np.ndarray:
    """Ids of descriptions between a start and an end, padded with 0."""
    ids = words.tokenize(descriptions).to_list()
    rows = [[words.start_id, *row, words.end_id] for row in ids]
    return keras.utils.pad_sequences(rows, padding="post")


def main(arguments: Sequence[str] | None = None) -> tuple[float, float]:
    """Train and export; return the shares right, of pictures and of shuffled ones."""
    options = parse(arguments)
    keras.utils.set_random_seed(options.seed)
    random = np.random.default_rng(options.seed)
    shuffled = random.permutation(DESCRIPTIONS).tolist()
    unseen, seen = shuffled[:50], shuffled[50:]
    pictures, descriptions = make_pictures(seen, options.pictures, random)
    words = text.WordTokenizer.train(seen)
    targets = to_targets(words, descriptions)
    model = build_model(words.vocabulary_size, options.dim)
    steps = options.epochs * -(-options.pictures // 64)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(training.Adam(rate), training.MaskedCrossEntropy())
    inputs = {
        "source": pictures,
        "source_mask": np.ones(pictures.shape[:2], "bool"),
        # What is read at each place, and what is to be written there.
        "target": np.where(targets[:, :-1] == words.end_id, 0, targets[:, :-1]),
    }
    model.fit(inputs, targets[:, 1:], batch_size=64, epochs=options.epochs, verbose=2)
    describe = Translator(model, None, words, BeamSearch(3, max_length=12))
    pictures, descriptions = make_pictures(unseen, options.tested, random)
    found = describe([*pictures])
    share = sum(map(str.__eq__, found, descriptions)) / len(found)
    others = describe([*random.permutation(pictures)])
    chance = sum(map(str.__eq__, others, descriptions)) / len(others)
    with tempfile.TemporaryDirectory() as folder:
        # Some pictures are described in a fresh process, without this package.
        describe.export(f"{folder}/saved_model", check=[*pictures[:10]])
    print(f"{descriptions[0]!r} is described as {found[0]!r}")
    print(f"{share:.1%} of {len(found)} unseen descriptions are right")
    print(f"{chance:.1%} of them with the pictures shuffled")
    return share, chance


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--pictures", type=int, default=20_000, help="that are drawn to train on")
    add("--tested", type=int, default=500, help="pictures that are tried afterwards")
    add("--epochs", type=int, default=8)
    add("--dim", type=int, default=64, help="width of the model")
    add("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
