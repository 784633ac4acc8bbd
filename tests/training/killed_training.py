"""A short training that may be killed at any moment, and what its weights come to.

    python -m tests.training.killed_training --kills 20

trains once uninterrupted and once killed so many times, and compares bit by bit.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras

from keras_attention import decoding, training
from keras_attention.models import transformer

STEPS = 8
"""Of an epoch."""


def train(folder, epochs, callbacks):
    """Train a small Transformer, from its backup if there is one."""
    # With TensorFlow, which other tests of callbacks do without.
    from keras_attention import Translator, text
    from tests.translators import ENGLISH, KOREAN

    keras.utils.set_random_seed(0)
    sides = [list(side) * 8 for side in (ENGLISH, KOREAN)]
    tokenizers = [text.CharacterTokenizer.train(side) for side in sides]
    model = transformer(
        *(tokenizer.vocabulary_size for tokenizer in tokenizers),
        num_layers=1,
        embedding_dim=16,
        num_heads=2,
        intermediate_dim=32,
        dropout=0.1,
    )
    model.compile(
        training.Adam(
            training.InverseSquareRoot(1e-2, 20), use_ema=True, global_clipnorm=1.0
        ),
        training.MaskedCrossEntropy(0.1),
    )
    batches, validation = (
        text.translation_dataset(*part, *tokenizers, batch_size=4, seed=3)
        for part in (sides, (ENGLISH, KOREAN))
    )
    translate = Translator(model, *tokenizers, decoding.Greedy(20))
    model.fit(
        batches,
        epochs=epochs,
        callbacks=[
            training.Backup(Path(folder) / "backup", batches.position),
            training.BleuCallback(translate, *sides, Path(folder) / "bleu", sample=4),
            keras.callbacks.SwapEMAWeights(),
            *callbacks,
        ],
        validation_data=validation,
        shuffle=False,
        verbose=0,
    )
    return model


def digest(model):
    """A checksum of all weights, and of all that the optimizer keeps."""
    weights = [*model.weights, *model.optimizer.variables]
    arrays = (keras.ops.convert_to_numpy(weight) for weight in weights)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def run(folder, epochs):
    """Train in a process of its own."""
    module = "tests.training.killed_training"
    command = [sys.executable, "-m", module, "--run", folder, "--epochs", str(epochs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_killed(folder, epochs, kills, seed=0):
    """Train, killed at random moments, as often as that; the digest in the end."""
    moment = random.Random(seed)
    for kill in range(kills):
        with run(folder, epochs) as process:
            for _ in range(moment.randint(1, 2 * STEPS)):
                if process.stdout.readline() != "step\n":
                    raise RuntimeError(f"the training was over before kill {kill}")
            time.sleep(moment.uniform(0.0, 0.1))
            process.kill()
        left = sorted(path.name for path in Path(folder, "backup").glob("*"))
        print(f"kill {kill}: {left}", file=sys.stderr)
    return finish(folder, epochs)


def finish(folder, epochs):
    """Train to the end, in a process of its own; the digest."""
    return run(folder, epochs).communicate()[0].split()[-1]


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--run", help="only train, with the backup in this folder")
    options = parser.parse_args()
    if options.run:
        say = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: print("step", flush=True)
        )
        print(digest(train(options.run, options.epochs, [say])), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = finish(f"{folder}/whole", options.epochs)
        killed = run_killed(f"{folder}/killed", options.epochs, options.kills)
    print(f"uninterrupted {whole}\n{options.kills} kills {killed}")
    sys.exit(whole != killed)


if __name__ == "__main__":
    main()
