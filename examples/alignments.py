"""What a recurrent decoder and the heads of a Transformer look at, side by side.

    python examples/alignments.py                      # English to Korean, shipped
    python examples/alignments.py --sentence "I see a big dog in the park."

Both models are trained on the same pairs, then shown one sentence with its translation.
Korean puts the verb last, so the maps turn. The recurrent decoder has one map; the last
block of the Transformer has one for each head, and their mean.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.inspection import attention_maps
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer
from keras_attention.translation import (
    compile_model,
    fit_translator,
    make_batches,
    train_tokenizers,
)
from keras_attention.visualization import plot_attention

DATA = Path(__file__).with_name("english_korean")
Pairs = tuple[Sequence[str], Sequence[str]]


def main(arguments: Sequence[str] | None = None) -> np.ndarray:
    """Train both, draw their maps; return them, `(maps, target, source)`."""
    options = parse(arguments)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    training, validation, test = (
        tuple(side[: options.limit] for side in text.read_pairs(DATA / f"{part}.tsv"))
        for part in ("train", "validation", "test")
    )
    translators = {
        name: train(name, training, validation, folder / name, options)
        for name in ("rnn", "transformer")
    }
    sentence = options.sentence or longest(test[0])
    for name, translator in translators.items():
        print(f"{name}: {sentence} -> {translator(sentence)}")
    # Both are shown one translation, so that their maps have the same rows.
    best = translators["transformer"].hypotheses([sentence])[0][0]
    recurrent = translators["rnn"]
    single = maps_of(recurrent, sentence, best.text, "rnn")
    heads = maps_of(translators["transformer"], sentence, best.text, "cross_attention")
    maps = np.concatenate([single, heads.mean(axis=0, keepdims=True), heads])
    maps = maps[:, : len(best.target_tokens)]
    names = ["recurrent", "Transformer, mean"]
    names += [f"head {index + 1}" for index in range(len(heads))]
    path = folder / "alignments.png"
    plot_attention(
        maps, best.source_tokens, best.target_tokens, head_names=names, path=path
    )
    print(f"Picture in {path}")
    return maps


def train(
    name: str,
    pairs: Pairs,
    validation: Pairs,
    folder: Path,
    options: argparse.Namespace,
) -> Translator:
    """One of the two models, trained."""
    keras.utils.set_random_seed(options.seed)
    folder.mkdir(exist_ok=True)
    # Words, so that the rows and columns of both maps are the same.
    tokenizers = train_tokenizers(pairs, "word")
    sizes = (tokenizer.vocabulary_size for tokenizer in tokenizers)
    model = build(name, *sizes, options=options)
    print(f"{name}: {model.count_params():,} parameters", flush=True)
    translator = Translator(model, *tokenizers, search=Greedy(max_length=100))
    epochs, seed = options.epochs, options.seed
    batches = make_batches(pairs, validation, tokenizers, epochs=epochs, seed=seed)
    compile_model(model, batches.steps)
    fit_translator(translator, batches, validation, folder)
    return translator


def build(name: str, *vocabulary_sizes: int, options: argparse.Namespace) -> Seq2Seq:
    """The recurrent model or the Transformer, in the sizes that were asked for."""
    if name == "rnn":
        return rnn_seq2seq(
            *vocabulary_sizes,
            embedding_dim=options.units,
            units=options.units,
            cell="gru",
            bidirectional=True,
            attention="additive",
            dropout=0.1,
        )
    return transformer(
        *vocabulary_sizes,
        num_layers=options.num_layers,
        num_heads=options.num_heads,
        embedding_dim=options.embedding_dim,
        intermediate_dim=4 * options.embedding_dim,
        dropout=0.1,
    )


def maps_of(
    translator: Translator, sentence: str, translation: str, ending: str
) -> np.ndarray:
    """The maps of the last attention layer whose path ends so: `(maps, T, S)`."""
    source = translator.source_tokenizer.tokenize([sentence]).to_list()[0]
    target = translator.target_tokenizer.tokenize([translation]).to_list()[0]
    inputs = {
        "source": np.array([[*source, text.END]]),
        "target": np.array([[text.START, *target]]),
    }
    found = attention_maps(translator.model, inputs)
    chosen = [maps for path, maps in found.items() if path.endswith(ending)][-1][0]
    return chosen if chosen.ndim == 3 else chosen[None]


def longest(sentences: Sequence[str]) -> str:
    """The sentence with the most words."""
    return max(sentences, key=lambda sentence: len(sentence.split()))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sentence", help="what to translate; the longest test sentence by default")
    add("--epochs", type=int, default=6)
    add("--limit", type=int, help="use only this many pairs")
    add("--units", type=int, default=256, help="of the recurrent model")
    add("--num-layers", type=int, default=3, help="of the Transformer, as below")
    add("--num-heads", type=int, default=4)
    add("--embedding-dim", type=int, default=128)
    add("--output", default="alignments", help="folder to write")
    add("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
