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

import english_korean
import keras
import numpy as np
import translate
from translate_options import train_parser
from translate_training import build_model, fit, make_batches

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.inspection import attention_maps
from keras_attention.visualization import plot_attention


def main(arguments: Sequence[str] | None = None) -> np.ndarray:
    """Train both, draw their maps; return them, `(maps, target, source)`."""
    options = parse(arguments)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    shipped = english_korean.corpus()
    corpus = translate.Corpus(
        *(
            tuple(zip(*part[: options.limit], strict=True))
            for part in (shipped.training, shipped.validation, shipped.held_out)
        )
    )
    translators = {
        name: train(name, corpus, folder / name, options)
        for name in ("rnn", "transformer")
    }
    sentence = options.sentence or longest(corpus.test[0])
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
    name: str, corpus: translate.Corpus, folder: Path, options: argparse.Namespace
) -> Translator:
    """One of the two models, trained as `translate.py` trains."""
    keras.utils.set_random_seed(options.seed)
    settings = train_parser("").parse_args(
        [
            f"--architecture={name}",
            f"--epochs={options.epochs}",
            f"--seed={options.seed}",
            "--tokenizer=word",
            "--positions=sinusoidal",
            *options.sizes,
        ]
    )
    folder.mkdir(exist_ok=True)
    # One tokenizer for both, so that the rows and columns of their maps are the same.
    tokenizers = translate.make_tokenizers(settings, corpus)
    model = build_model(settings, tokenizers)
    print(f"{name}: {model.count_params():,} parameters", flush=True)
    batches = make_batches(settings, corpus.train, corpus.validation, tokenizers)
    fit(settings, model, batches, corpus.validation, tokenizers, folder)
    return Translator(model, *tokenizers, search=Greedy(settings.max_length))


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
    """Read the command line; what it does not know are sizes for `translate.py`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sentence", help="what to translate; the longest test sentence by default")
    add("--epochs", type=int, default=6)
    add("--limit", type=int, help="use only so many pairs")
    add("--output", default="alignments", help="folder to write")
    add("--seed", type=int, default=0)
    options, options.sizes = parser.parse_known_args(arguments)
    return options


if __name__ == "__main__":
    main()
