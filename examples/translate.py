"""Train a translator, measure it, save it, and export it: the whole path.

    python examples/translate.py

It translates from English to Korean, learned from the sentence pairs in
`english_korean/`. A run that was killed continues when it is started again. For text of
your own there is a command with many options: `keras-attention --help`.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.models import transformer
from keras_attention.translation import (
    Evaluation,
    compile_model,
    evaluate,
    fit_translator,
    make_batches,
    train_tokenizers,
)
from keras_attention.visualization import plot_attention, plot_training

DATA = Path(__file__).with_name("english_korean")


def main(arguments: Sequence[str] | None = None) -> Evaluation:
    """Train, measure, draw, save and export; return what the test says."""
    options = parse(arguments)
    folder = Path(options.output)
    Translator.check_free(folder / "translator", options.overwrite)
    keras.utils.set_random_seed(0)
    train, validation, test = (
        [side[: options.limit] for side in text.read_pairs(DATA / f"{part}.tsv")]
        for part in ("train", "validation", "test")
    )

    source, target = train_tokenizers(train, "sentencepiece", model_type="bpe")
    model = transformer(
        source.vocabulary_size,
        target.vocabulary_size,
        num_layers=3,
        num_heads=4,
        embedding_dim=128,
        intermediate_dim=512,
        positions="rotary",
        dropout=0.0,  # the sentences have no noise
    )
    print(f"{len(train[0])} pairs, {model.count_params():,} parameters", flush=True)
    batches = make_batches(
        train, validation, (source, target), epochs=options.epochs, batch_tokens=512
    )
    compile_model(model, batches.steps, learning_rate=3e-3)
    translator = Translator(model, source, target, Greedy(max_length=100))
    fit_translator(translator, batches, validation, folder)
    plot_training(folder / "history.csv", path=folder / "training.png")

    found = evaluate(translator, *test)
    for row in [*zip(*test, found.translations, strict=True)][:5]:
        print("\n  source      {}\n  reference   {}\n  translation {}".format(*row))
    print(
        f"\n{len(test[0])} test sentences: exact match {found.exact_match:.1f} %, "
        f"BLEU {found.bleu:.1f}, chrF {found.chrf:.1f}"
    )
    best = translator.hypotheses(test[0][:1])[0][0]
    tokens = best.source_tokens, best.target_tokens
    plot_attention(best.attention, *tokens, path=folder / "attention.png")
    scores = translator.score(test[0][:1], test[1][:1])
    print(f"Log-probability of its reference {scores[0].log_probability:.2f}")

    translator.save(folder / "translator", options.overwrite)
    checked = test[0][:20]  # translated in a fresh process too, which must agree
    translator.export(folder / "saved_model", options.overwrite, check=checked)
    print(
        f"Translator, SavedModel and pictures in {folder}; in a fresh process the "
        f"SavedModel gives the same for {len(checked)} of {len(checked)} sentences"
    )
    shutil.rmtree(folder / "backup")
    return found


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=int, help="use only this many pairs")
    parser.add_argument("--output", default="translation-run", help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="a run there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
