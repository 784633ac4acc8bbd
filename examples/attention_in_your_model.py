"""Our layers in an ordinary Keras model: a text classifier that shows its reasons.

    python examples/attention_in_your_model.py

Told in English, will the sentence be formal in Korean? That hangs on whether a
professor, a sir or an audience is spoken to, and the weights of the attention should
say so. The classifier is a plain functional model; `SelfAttention` and `Attention` are
two lines of it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_attention.layers import Attention, SelfAttention
from keras_attention.text import WordTokenizer, read_pairs
from keras_attention.visualization import plot_attention

DATA = Path(__file__).with_name("english_korean")
FORMAL_ENDINGS = ("니다.", "니까?", "시다.", "시오.")


def main(arguments: Sequence[str] | None = None) -> float:
    """Train, save, load and draw; return the accuracy on held-out sentences."""
    options = parse(arguments)
    keras.utils.set_random_seed(options.seed)
    training, test = (read_pairs(DATA / f"{part}.tsv") for part in ("train", "test"))
    tokenizer = WordTokenizer.train(training[0], lowercase=True)
    inputs, labels = encode(tokenizer, [side[: options.sentences] for side in training])
    held_out = encode(tokenizer, test)

    model = build(tokenizer.vocabulary_size)
    model.summary()
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(inputs, labels, batch_size=128, epochs=options.epochs, verbose=2)

    path = Path(options.output)
    model.save(path)
    model = keras.models.load_model(path)
    _, accuracy = model.evaluate(*held_out, verbose=0)
    print(f"\nAfter saving and loading, on held-out sentences: {accuracy:.2%} right")
    draw(model, tokenizer, test[0], path.with_suffix(".png"))
    return accuracy


def encode(tokenizer, pairs) -> tuple[np.ndarray, np.ndarray]:
    """Ids of the English side padded with 0, and whether the Korean is formal."""
    english, korean = pairs
    ids = tokenizer.tokenize(english).to_tensor().numpy()
    formal = [sentence.endswith(FORMAL_ENDINGS) for sentence in korean]
    return ids, np.array(formal, "float32")


def build(vocabulary_size: int, dim: int = 32) -> keras.Model:
    """Embedding, self-attention, and a mean weighted by attention."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    words = keras.layers.Embedding(vocabulary_size, dim, mask_zero=True)(ids)
    words = SelfAttention(key_dim=dim, name="self_attention")(words)
    # The mean of the words asks which words matter; padding is left out by the mask.
    question = keras.layers.GlobalAveragePooling1D(keepdims=True)(words)
    answer = Attention("additive", units=dim, name="attention")(question, words)
    formal = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(answer))
    return keras.Model(ids, formal, name="register_classifier")


def draw(model, tokenizer, english, path: Path, count: int = 6) -> None:
    """Draw the weights that decided a few sentences, one row each."""
    sentences = [sentence for sentence in english if "," in sentence][:count]
    ids = tokenizer.tokenize(sentences).to_tensor()
    layer = model.get_layer("attention")
    question, words = (keras.Model(model.input, part) for part in layer.input)
    _, weights = layer(question(ids), words(ids), return_attention_scores=True)
    for sentence, row in zip(sentences, np.asarray(weights)[:, 0], strict=True):
        words = token_names(tokenizer, sentence)
        best = int(np.argmax(row))
        print(f"{words[best]:>12} has {row[best]:.0%} of the weight in: {sentence}")
    words = token_names(tokenizer, sentences[0])
    plot_attention(
        np.asarray(weights)[0, :, : len(words)],
        words,
        ["formal?"],
        title=sentences[0],
        path=path,
    )
    print(f"Picture in {path}, model in {path.with_suffix('.keras')}")


def token_names(tokenizer, sentence: str) -> list[str]:
    """The words of a sentence as the model sees them."""
    names = tokenizer.tokens(tokenizer.tokenize([sentence])).values.numpy()
    return [name.decode() for name in names]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--epochs", type=int, default=3)
    add("--sentences", type=int, help="use only this many training sentences")
    add("--output", default="register_classifier.keras", help="the saved model")
    add("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
