"""A model that writes words of its vocabulary, or copies those of its source.

    python examples/own_models/pointer_generator.py

The pointer-generator of See et al. (2017). A word of the source that the vocabulary
lacks has an id all the same, which holds for that source alone: the size of the
vocabulary plus the word's place among the unknown ones. So an output can hold names
that were in no training data, and the search needs no change for it.
"""

import random
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from letters import END, UNKNOWN, compare_searches, fit, pad, parse

from keras_attention.layers import Attention

SENTENCES = (
    ("{0} was {1} by {2} {3}", "{2} {1} {0} {3}"),
    ("{3} {0} was {1} by {2}", "{3} {2} {1} {0}"),
    ("{0} , {1} by {2} , left {3}", "{3} {0} left , whom {2} {1}"),
    ("{0} and {2} were {1} {3}", "{3} somebody {1} {0} and {2}"),
)
VERBS = ("called", "helped", "invited", "found", "praised", "followed", "visited")
TIMES = ("yesterday", "today", "early", "late", "twice", "again")


@keras.saving.register_keras_serializable("own_models")
class PointerGenerator(keras.Model):
    """From source ids and target ids to logits, and the steps of a search.

    Ids from `vocabulary_size` on are unknown words of the source. A target has those
    of its source.

    Args:
        vocabulary_size: number of ids that have a word, on both sides.
        num_unknown: the most unknown words of a source; so many ids more there are.
        dim: width of all vectors.
        **kwargs: of `keras.Model`.
    """

    start_id, end_id = 2, 3

    def __init__(
        self, vocabulary_size: int, num_unknown: int, dim: int = 64, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size, self.num_unknown = vocabulary_size, num_unknown
        self.dim = dim
        self.embedding = layers.Embedding(vocabulary_size, dim)
        self.encoder = layers.Bidirectional(
            layers.LSTM(dim, return_sequences=True, return_state=True)
        )
        self.bridges = [layers.Dense(dim, activation="relu") for _ in range(2)]
        self.decoder = layers.LSTM(dim, return_sequences=True, return_state=True)
        self.attention = Attention("additive", units=dim)
        self.readout = layers.Dense(dim)
        self.output_dense = layers.Dense(vocabulary_size, dtype="float32")
        self.gate_dense = layers.Dense(1, activation="sigmoid", dtype="float32")

    def call(self, inputs):
        target = inputs["target"]
        state = self.start(self.encode(inputs["source"]), ops.shape(target)[1])
        logits, _, _ = self.step(target, state, 0)
        return logits

    def encode(self, source):
        """Vectors of the source, its ids, which are copied, and the first state."""
        # When Keras loads a model, it builds it with ids that are floats.
        source = ops.cast(source, "int32")
        mask = ops.not_equal(source, 0)
        vectors, *ends = self.encoder(self._embed(source), mask=mask)
        # The hidden vector and the cell of each direction.
        hidden, cell = (
            bridge(ops.concatenate(both, axis=-1))
            for bridge, both in zip(self.bridges, (ends[::2], ends[1::2]), strict=True)
        )
        memory = {"vectors": vectors, "mask": mask, "ids": source}
        return {**memory, "first": [hidden, cell]}

    def start(self, memory, max_length):
        """What is read of the source, and the state of the LSTM."""
        source = {name: memory[name] for name in ("vectors", "mask", "ids")}
        return {"source": source, "lstm": memory["first"]}

    def step(self, ids, state, index):
        """Logits after ids `(rows,)` or `(rows, length)`, and attention.

        They are logarithms of probabilities, -inf for words that are not there.
        """
        if len(ids.shape) == 1:
            logits, state, weights = self.step(ids[:, None], state, index)
            return logits[:, 0], state, weights[:, 0]
        source, embedded = state["source"], self._embed(ids)
        hidden, *lstm = self.decoder(embedded, initial_state=state["lstm"])
        context, weights = self.attention(
            hidden,
            source["vectors"],
            value_mask=source["mask"],
            return_attention_scores=True,
        )
        seen = ops.concatenate([hidden, context], axis=-1)
        written = ops.softmax(self.output_dense(self.readout(seen)))
        gate = self.gate_dense(ops.concatenate([seen, embedded], axis=-1))
        mixture = mix(written, weights, source["ids"], gate, self.num_unknown)
        return log_or_impossible(mixture), {**state, "lstm": lstm}, weights

    def _embed(self, ids):
        """All words without a vector of their own have one in common."""
        return self.embedding(ops.where(ids < self.vocabulary_size, ids, UNKNOWN))

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_unknown": self.num_unknown,
            "dim": self.dim,
        }


def mix(written, weights, source, gate, num_unknown):
    """Probabilities of what is written or copied, in float32.

    Args:
        written: of the vocabulary, `(rows, length, vocabulary)`.
        weights: of attention, `(rows, length, source)`: what is copied from where.
        source: ids `(rows, source)`, of the vocabulary or above it.
        gate: the probability to write and not to copy, `(rows, length, 1)`.
        num_unknown: number of ids above the vocabulary.

    Returns:
        `(rows, length, vocabulary + num_unknown)`.
    """
    size = written.shape[-1] + num_unknown
    # A word that stands twice in the source is copied from both places.
    copied = ops.matmul(
        ops.cast(weights, "float32"), ops.one_hot(source, size, dtype="float32")
    )
    written = ops.pad(written, ((0, 0), (0, 0), (0, num_unknown)))
    return gate * written + (1 - gate) * copied


def log_or_impossible(probabilities):
    """Logarithms; -inf, with a gradient of zero, for what cannot be."""
    logs = ops.log(ops.maximum(probabilities, 1e-30))
    return ops.where(probabilities > 0, logs, -np.inf)


class Words:
    """Ids of words, and of those that have none, by their source.

    Args:
        words: of the vocabulary, which get the ids from 4 on.
        num_unknown: the most words of a source that get ids above these.
    """

    def __init__(self, words: Sequence[str], num_unknown: int) -> None:
        self.words, self.num_unknown = ["", "?", "", "", *words], num_unknown
        self.ids = {word: number for number, word in enumerate(self.words)}

    def unknown(self, source: str) -> list[str]:
        """The words of a source that only it has ids for, each once."""
        words = [word for word in dict.fromkeys(source.split()) if word not in self.ids]
        return words[: self.num_unknown]

    def read(self, sources: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        """Ids of texts, each with the unknown words of its source."""
        rows = []
        for source, text in zip(sources, texts, strict=True):
            own = {word: n for n, word in enumerate(self.unknown(source))}
            ids = {**self.ids, **{word: len(self.words) + n for word, n in own.items()}}
            rows.append([*(ids.get(word, UNKNOWN) for word in text.split()), END])
        return pad(rows)

    def write(self, source: str, ids: np.ndarray) -> str:
        """The words of ids, some of them of the source."""
        words = [*self.words, *self.unknown(source)]
        return " ".join(words[number] for number in ids if words[number])


def make_sentences(count: int, seed: int) -> list[tuple[str, str]]:
    """What was done to people, and who did it; names that are made up."""
    numbers = random.Random(seed)

    def name():
        return "".join(
            numbers.choice("bdfgklmnprst") + numbers.choice("aeiou") for _ in range(3)
        )

    pairs = []
    for _ in range(count):
        parts = name(), numbers.choice(VERBS), name(), numbers.choice(TIMES)
        source, target = numbers.choice(SENTENCES)
        pairs.append((source.format(*parts), target.format(*parts)))
    return pairs


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train on sentences; return the share that each search gets right."""
    options = parse(arguments, __doc__, pairs=8_000)
    keras.utils.set_random_seed(options.seed)
    pairs = make_sentences(options.pairs + options.tested, options.seed)
    sources, targets = zip(*pairs, strict=True)
    known = " ".join(part for pair in SENTENCES for part in pair).format(*[""] * 4)
    words = Words(sorted({*known.split(), *VERBS, *TIMES}), num_unknown=2)
    model = PointerGenerator(len(words.words), words.num_unknown, options.dim)
    source, target = words.read(sources, sources), words.read(sources, targets)
    fit(model, source[: options.pairs], target[: options.pairs], options)
    tested = sources[options.pairs :]
    shares = compare_searches(
        model,
        source[options.pairs :],
        targets[options.pairs :],
        lambda row, ids: words.write(tested[row], ids),
        max_length=target.shape[1],
    )
    print(f"The first source is {tested[0]!r}; none of its names is in the vocabulary")
    return shares


if __name__ == "__main__":
    main()
