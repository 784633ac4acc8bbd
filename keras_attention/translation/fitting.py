"""The training of a translator: its batches, its optimizer, its callbacks."""

import math
import sys
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import keras

from keras_attention import text, training
from keras_attention.argument_checks import check_number, check_positive
from keras_attention.models import Seq2Seq
from keras_attention.translation.translator import Translator

Pairs = tuple[Sequence[str], Sequence[str]]

SAMPLE = 200  # validation sentences that BLEU is measured of after each epoch


class Batches(NamedTuple):
    """What a training sees.

    Attributes:
        phases: datasets, each with the epoch at which it ends.
        validation: a dataset in a fixed order.
    """

    phases: list[tuple[int, Any]]
    validation: Any

    @property
    def steps(self) -> int:
        """How many batches all epochs have."""
        return len(self.phases[0][1]) * self.phases[-1][0]


def make_batches(
    train: Pairs,
    validation: Pairs,
    tokenizers: Sequence[text.Tokenizer],
    *,
    epochs: int,
    batch_tokens: int = 1024,
    max_length: int = 100,
    segmentations: int | None = None,
    alpha: float = 0.1,
    plain_share: float = 0.5,
    shapes: int | None = None,
    seed: int = 0,
) -> Batches:
    """Make batches of both parts, with a warning that counts what is left out.

    With `segmentations`, words are cut at random in the first epochs (Provilkov et al.
    2020) and as usual in the last ones.

    Args:
        train: source lines and target lines.
        validation: likewise.
        tokenizers: of the sources and of the targets.
        epochs: how many the training will have.
        batch_tokens: rows of a batch times its length.
        max_length: the most tokens of either side; longer pairs are left out.
        segmentations: how many ways to cut each pair are drawn; none when left out.
        alpha: share of the merges that these leave out.
        plain_share: share of the epochs in which words are cut as usual.
        shapes: of how many shapes batches may be, where each is compiled.
        seed: of the order and of what is drawn.

    Raises:
        ValueError: for a number out of range, and when no pair is left.
    """
    check_positive(epochs=epochs)
    check_number(0, 1, plain_share=plain_share)

    def batches_of(part, **choices):
        try:
            return text.translation_dataset(
                *part,
                *tokenizers,
                batch_tokens=batch_tokens,
                max_length=max_length,
                bucket=2,  # little padding; without XLA more shapes cost nothing
                shapes=shapes,
                seed=seed,
                **choices,
            )
        except ValueError as error:
            purpose = "train with" if part is train else "validate with"
            raise ValueError(f"the pairs to {purpose}: {error}") from error

    phases, plain = [], epochs
    if segmentations:
        plain = math.floor(round(epochs * plain_share, 6))
        drawn = {"segmentations": segmentations, "alpha": alpha}
        if plain < epochs:
            phases.append((epochs - plain, batches_of(train, **drawn)))
    if plain:
        phases.append((epochs, batches_of(train)))
    return Batches(phases, batches_of(validation, shuffle=False))


def compile_model(
    model: Seq2Seq,
    steps: int,
    *,
    learning_rate: float = 2e-3,
    warmup_steps: int | None = None,
    accumulate: int = 1,
    ema: float = 0.99,
    label_smoothing: float = 0.1,
    jit_compile: bool = False,
) -> None:
    """Compile with label smoothing, a warm-up and a moving average of the weights.

    Args:
        model: to train.
        steps: how many batches it will be trained on, as `Batches.steps`.
        learning_rate: at the peak; then it falls by the inverse square root.
        warmup_steps: updates until the peak; by default 1,000, or a tenth of all.
        accumulate: batches for one update, by their mean gradient.
        ema: momentum of the averaged weights.
        label_smoothing: of the loss.
        jit_compile: whether steps are compiled by XLA.

    Raises:
        ValueError: for a number out of range.
    """
    check_positive(steps=steps, accumulate=accumulate)
    # A schedule counts batches.
    if warmup_steps is None:
        warmup = min(1000 * accumulate, max(1, steps // 10))
    else:
        warmup = warmup_steps * accumulate
    model.compile(
        training.Adam(
            training.InverseSquareRoot(learning_rate, warmup),
            beta_2=0.98,
            epsilon=1e-9,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=ema,
            gradient_accumulation_steps=accumulate if accumulate > 1 else None,
        ),
        loss=training.MaskedCrossEntropy(label_smoothing=label_smoothing),
        metrics=[training.Perplexity(), training.TokenCount()],
        jit_compile=jit_compile,
    )


def fit_translator(
    translator: Translator,
    batches: Batches,
    validation: Pairs,
    folder: str | PathLike[str],
    *,
    patience: int | None = None,
    minutes: float | None = None,
    lowercase: bool = False,
    tokenize: str = "13a",
    tensorboard: bool = False,
    verbose: Any = None,
) -> None:
    """Train the model of a translator, and keep in a folder what is needed to continue.

    A training that was killed continues when the same lines are run again. Once every
    epoch is trained, nothing happens any more.

    Args:
        translator: whose model is compiled, as by `compile_model`.
        batches: as by `make_batches`.
        validation: source lines and target lines, of which the first pair is shown
            after each epoch.
        folder: where to write `history.csv`, the `backup`, and the weights that are
            `best` by BLEU.
        patience: epochs without a better BLEU of 200 validation sentences after which
            the training ends, with its best weights; `None` for all epochs, without
            BLEU. Where words are cut at random, it counts the last, plain epochs.
        minutes: the epoch that passes them is the last; `None` for no limit.
        lowercase: whether BLEU ignores case.
        tokenize: how sacrebleu cuts texts, as `"char"` for Korean.
        tensorboard: whether to write logs for TensorBoard.
        verbose: as of `keras.Model.fit`; when left out, a bar on a terminal, and a
            line for each epoch elsewhere.

    Raises:
        ValueError: for a model that is not compiled, or a backup of another one.
        ImportError: for `patience` without sacrebleu, which
            `keras-attention-layers[bleu]` installs.
    """
    model, folder = translator.model, Path(folder)
    if verbose is None:
        verbose = 1 if sys.stdout is not None and sys.stdout.isatty() else 2
    if not model.compiled:
        raise ValueError(
            "`translator` must have a compiled model: call `compile_model` first. "
            f"Received: translator with model={model!r}"
        )
    backup, history = folder / "backup", folder / "history.csv"
    begun = backup.exists()
    look = training.ShowTranslation(translator, validation[0][0], validation[1][0])
    limits = [] if minutes is None else [training.TimeLimit(minutes)]
    for phase, (until, seen) in enumerate(batches.phases):
        callbacks = [
            # Kept until everything is saved, so that nothing is ever trained twice;
            # the next phase continues with it.
            training.Backup(backup, seen.position),
            training.FiniteLoss(),
            training.TokensPerSecond(),
            keras.callbacks.SwapEMAWeights(),  # validation sees the averaged weights
            look,
            *limits,
            keras.callbacks.CSVLogger(history, append=begun or phase > 0),
        ]
        if patience is not None:
            is_last = phase == len(batches.phases) - 1
            bleu = training.BleuCallback(
                translator,
                *validation,
                folder=folder / "best" if is_last else None,
                patience=patience if is_last else None,
                restore_best_weights=is_last,
                sample=SAMPLE,
                lowercase=lowercase,
                tokenize=tokenize,
            )
            callbacks.insert(4, bleu)
        if tensorboard:
            callbacks.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
        model.fit(
            seen,
            validation_data=batches.validation,
            epochs=until,
            callbacks=callbacks,
            shuffle=False,  # the dataset shuffles itself
            verbose=verbose,
        )
        if model.stop_training:  # for time
            break
