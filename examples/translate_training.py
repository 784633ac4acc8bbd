"""The training of a translator: what `translate.py` fits, and what it keeps of it."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras

from keras_attention import Translator, text, training
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer
from keras_attention.visualization import plot_training

SHAPES = 12  # of batches, where each is compiled
SAMPLE = 200  # validation sentences that are translated after each epoch
FIRST_LOOK = 15  # seconds of training before the first translation is shown

Part = tuple[Sequence[str], Sequence[str]]


def build_model(
    options: argparse.Namespace, tokenizers: Sequence[text.Tokenizer]
) -> Seq2Seq:
    """The architecture that was asked for, in the sizes that were asked for."""
    sizes = [tokenizer.vocabulary_size for tokenizer in tokenizers]
    attention_dropout = options.attention_dropout
    if attention_dropout is None:
        attention_dropout = options.dropout
    if options.architecture == "transformer":
        return transformer(
            *sizes,
            num_layers=options.num_layers or 3,
            num_heads=options.num_heads,
            embedding_dim=options.embedding_dim or 128,
            intermediate_dim=options.intermediate_dim,
            normalize_first=not options.post_norm,
            positions=options.positions,
            dropout=options.dropout,
            attention_options={"dropout": attention_dropout},
            tie_embeddings=options.tie_embeddings,
        )
    return rnn_seq2seq(
        *sizes,
        num_layers=options.num_layers or 1,
        embedding_dim=options.embedding_dim or 256,
        units=options.units,
        cell=options.cell,
        attention=None if options.attention == "none" else options.attention,
        order=options.order,
        peeky=options.peeky,
        bidirectional=options.bidirectional,
        input_feeding=options.input_feeding,
        dropout=options.dropout,
        recurrent_dropout=options.recurrent_dropout,
        tie_embeddings=options.tie_embeddings,
    )


class Batches(NamedTuple):
    """What a training sees.

    Attributes:
        phases: batches, each with the epoch at which it ends.
        validation: batches in a fixed order.
    """

    phases: list[tuple[int, Any]]
    validation: Any


def make_batches(
    options: argparse.Namespace,
    train: Part,
    validation: Part,
    tokenizers: Sequence[text.Tokenizer],
) -> Batches:
    """Make batches of both parts, with a warning that counts what is left out.

    Where words are cut at random, the last epochs are trained on plain ones.

    Raises:
        ValueError: when nothing is left.
    """

    def batches_of(part, **choices):
        try:
            return text.translation_dataset(
                *part,
                *tokenizers,
                batch_tokens=options.batch_tokens,
                max_length=options.max_length,
                bucket=2,  # little padding; without XLA more shapes cost nothing
                shapes=SHAPES if options.xla else None,
                seed=options.seed,
                **choices,
            )
        except ValueError as error:
            purpose = "train with" if part is train else "validate with"
            raise ValueError(f"the pairs to {purpose}: {error}") from error

    phases, plain = [], options.epochs
    if options.segmentations:
        plain = math.floor(round(options.epochs * options.plain_share, 6))
        drawn = {"segmentations": options.segmentations, "alpha": options.alpha}
        if plain < options.epochs:
            phases.append((options.epochs - plain, batches_of(train, **drawn)))
    if plain:
        phases.append((options.epochs, batches_of(train)))
    return Batches(phases, batches_of(validation, shuffle=False))


def fit(
    options: argparse.Namespace,
    model: Seq2Seq,
    batches: Batches,
    validation: Part,
    tokenizers: Sequence[text.Tokenizer],
    folder: Path,
) -> None:
    """Train with label smoothing and a moving average of the weights.

    Where words are cut at random, patience counts the plain epochs alone; with
    `--plain-share 0` it counts all.
    """
    phases, to_validate = batches
    # A schedule counts batches.
    tenth = max(1, len(phases[0][1]) * options.epochs // 10)
    warmup_steps = (options.warmup_steps or 1000) * options.accumulate
    if options.warmup_steps is None:
        warmup_steps = min(warmup_steps, tenth)
    model.compile(
        training.Adam(
            training.InverseSquareRoot(options.learning_rate, warmup_steps),
            beta_2=0.98,
            epsilon=1e-9,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=options.ema,
            gradient_accumulation_steps=(
                options.accumulate if options.accumulate > 1 else None
            ),
        ),
        loss=training.MaskedCrossEntropy(label_smoothing=options.label_smoothing),
        metrics=[training.Perplexity(), training.TokenCount()],
        jit_compile=options.xla,
    )
    history = folder / "history.csv"
    limit = TimeLimit(options.minutes or math.inf)
    look = Look(Translator(model, *tokenizers, Greedy(options.max_length)), validation)
    started = time.time()
    for phase, (until, seen) in enumerate(phases):
        callbacks = [
            # Kept until everything is saved, so that nothing is ever trained twice;
            # the next phase goes on with it.
            training.Backup(folder / "backup", seen.position),
            training.FiniteLoss(),
            training.TokensPerSecond(),
            keras.callbacks.SwapEMAWeights(),  # validation sees the averaged weights
            look,
            limit,
            keras.callbacks.CSVLogger(history, append=options.resume or phase > 0),
        ]
        if options.patience:
            translator = look.translator
            best = folder / "best" if phase == len(phases) - 1 else None
            callbacks.insert(4, bleu_callback(options, translator, validation, best))
        if options.tensorboard:
            callbacks.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
        model.fit(
            seen,
            validation_data=to_validate,
            epochs=until,
            callbacks=callbacks,
            shuffle=False,  # the dataset shuffles itself
            verbose="auto" if sys.stdout and sys.stdout.isatty() else 2,
        )
        if model.stop_training:  # for time
            break
    print(f"Trained for {(time.time() - started) / 60:.1f} minutes")
    plot_training(history, path=folder / "training.png")


def bleu_callback(
    options: argparse.Namespace,
    translator: Translator,
    validation: Part,
    folder: Path | None,
) -> training.BleuCallback:
    """What measures BLEU after each epoch.

    With a folder it stops a training that does not get better, and keeps its best
    weights.
    """
    return training.BleuCallback(
        translator,
        *validation,
        folder=folder,
        patience=options.patience if folder else None,
        restore_best_weights=folder is not None,
        sample=SAMPLE,
        lowercase=options.lowercase,
        tokenize=options.bleu_tokenize,
    )


class Look(keras.callbacks.Callback):
    """Shows what becomes of a sentence: soon after the start, and after each epoch."""

    def __init__(self, translator: Translator, validation: Part) -> None:
        super().__init__()
        self.translator = translator
        self._pair = [side[0] for side in validation]
        self._started: float | None = None

    def on_train_batch_end(self, batch, logs=None):
        if self._started is None:  # after the first batch, in which the model is traced
            self._started = time.time()
        if time.time() - self._started > FIRST_LOOK:
            self._started = math.inf
            self._show(f"after {batch + 1} batches")

    def on_epoch_end(self, epoch, logs=None):
        self._started = math.inf
        self._show(f"after epoch {epoch + 1}")

    def _show(self, when):
        source, reference = self._pair
        (output,) = self.translator([source])
        print(
            f"\n  {when}: {source}\n  translation {output}\n  reference   {reference}"
        )


class TimeLimit(keras.callbacks.Callback):
    """Ends the training after the first epoch that passes a number of minutes."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self.minutes = minutes
        self._started = math.inf

    def on_train_begin(self, logs=None):
        self._started = min(self._started, time.time())

    def on_epoch_end(self, epoch, logs=None):
        if time.time() - self._started > 60 * self.minutes:
            self.model.stop_training = True
