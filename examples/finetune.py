"""Train a translator of few pairs, from a trained one and from nothing, for as long.

    python examples/finetune.py --translator FOLDER --pairs FILE.tsv --minutes 5

FOLDER is a saved Translator, of the same languages or of one of them: a vocabulary is
made of the pairs, and pieces that the old one has keep what they know. With `--lora 8`
the vocabulary stays, and so do all weights but for adapters of rank 8, which are merged
in the end.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_attention import Translator, text, training
from keras_attention.decoding import Greedy
from keras_attention.translation import (
    Evaluation,
    compile_model,
    evaluate,
    fit_translator,
    make_batches,
    train_tokenizers,
)


def main(arguments: Sequence[str] | None = None) -> dict[str, Evaluation]:
    """Train both, and return what the test says of each."""
    options = parse(arguments)
    trained = Translator.load(options.translator)
    trained.search = Greedy(min(100, trained.search.max_length))
    keras.utils.set_random_seed(0)
    size = options.tested
    parts = text.split_by_source(
        *text.read_pairs(options.pairs), validation=size, test=size
    )
    tokenizers = trained.source_tokenizer, trained.target_tokenizer
    if options.lora is None:
        is_tied = trained.model.source_embedding is trained.model.target_embedding
        tokenizers = train_tokenizers(
            parts.train,
            shared=is_tied,
            vocabulary_size=options.vocabulary_size,
            model_type="bpe",
        )
    warm = trained.with_tokenizers(*tokenizers)
    cold = Translator(keras.models.clone_model(warm.model), *tokenizers, warm.search)
    print(f"{len(parts.train[0])} pairs, {warm.model.count_params():,} parameters")

    found = {}
    for name, translator in {"from nothing": cold, "fine-tuned": warm}.items():
        adapts = options.lora is not None and translator is warm
        if adapts:
            training.enable_lora(warm.model, options.lora)
        train(translator, parts, options)
        if adapts:
            training.merge_lora(warm.model)
        found[name] = evaluate(translator, *parts.test, tokenize=options.bleu_tokenize)
        print(
            f"{name}: BLEU {found[name].bleu:.1f}, chrF {found[name].chrf:.1f} on "
            f"{len(parts.test[0])} sentences"
        )
    if options.output:
        warm.save(options.output)
    return found


def train(translator: Translator, parts: text.Split, options) -> None:
    """Train for some minutes, and keep the weights that are best by BLEU."""
    batches = make_batches(
        parts.train,
        parts.validation,
        (translator.source_tokenizer, translator.target_tokenizer),
        epochs=options.epochs,
    )
    compile_model(translator.model, batches.steps, learning_rate=options.learning_rate)
    with tempfile.TemporaryDirectory() as folder:
        fit_translator(
            translator,
            batches,
            parts.validation,
            Path(folder) / "run",
            minutes=options.minutes,
            patience=options.epochs,  # to the end, with the best weights
            tokenize=options.bleu_tokenize,
            verbose=2,
        )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--translator", required=True, help="folder of a trained one")
    parser.add_argument("--pairs", required=True, help="file of source TAB target")
    parser.add_argument("--vocabulary-size", type=int, help="by default by the data")
    parser.add_argument("--minutes", type=float, default=5, help="of each training")
    parser.add_argument("--epochs", type=int, default=40, help="at the most")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="at the peak")
    parser.add_argument("--lora", type=int, help="rank of adapters")
    parser.add_argument("--tested", type=int, default=200, help="pairs to test with")
    parser.add_argument("--bleu-tokenize", default="13a", help="`char` for Korean")
    parser.add_argument("--output", help="folder for the fine-tuned Translator")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
