"""Train one translator in several processes, on one machine or many.

    python examples/distributed.py --processes 2 --process 0 &
    python examples/distributed.py --processes 2 --process 1

Each command is a process with its own devices; on several machines `--address` names
the first. It runs on Keras's JAX backend and `keras.distribution`: each device gets its
rows of every batch, and with `--model-axis 2` two devices share a copy of the model,
whose embeddings and feed-forward networks are cut in two. The first process saves the
Translator, and exports the SavedModel, which is TensorFlow's.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
import jax
import keras
import numpy as np
import tensorflow as tf
from jax.experimental import multihost_utils

from keras_attention import Translator, text, training
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq, transformer
from keras_attention.saved_folders import check_free

DATA = Path(__file__).with_name("english_korean")


def main(arguments: Sequence[str] | None = None) -> None:
    """Join the other processes, train with them, and save what came out."""
    options = parse(arguments)
    if options.process == 0:
        prepare_folder(options)
    tf.config.set_visible_devices([], "GPU")  # they are JAX's
    if options.processes > 1:
        # The collectives of CPUs; those of GPUs and TPUs need no choice.
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        keras.distribution.initialize(
            options.address, options.processes, options.process
        )
    keras.utils.set_random_seed(options.seed)
    keras.distribution.set_distribution(distribution(options.model_axis))
    lines = read(options)
    tokenizers = [
        text.SentencePieceTokenizer.train(side, options.vocabulary_size)
        for side in lines
    ]
    model = build(options, tokenizers)
    fit(options, model, lines, tokenizers)
    weights = [whole(weight) for weight in model.weights]
    keras.distribution.set_distribution(None)
    if options.process == 0:
        save(options, weights, tokenizers, lines[0][:3])


def prepare_folder(options: argparse.Namespace) -> None:
    """Make the folder now, and stop at what may not be replaced in the end."""
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    Translator.check_free(folder / "translator", options.overwrite)
    if options.export:
        check_free(folder / "saved_model", "saved_model.pb", options.overwrite)


def distribution(model_axis: int) -> Any:
    """All devices of all processes: so many to a model, the others side by side."""
    devices = keras.distribution.list_devices()
    if model_axis == 1:
        return keras.distribution.DataParallel(
            devices=devices, auto_shard_dataset=False
        )
    mesh = keras.distribution.DeviceMesh(
        (len(devices) // model_axis, model_axis), ("batch", "model"), devices
    )
    layouts = keras.distribution.LayoutMap(mesh)
    # A product by a kernel cut along its columns gives columns, which one cut along
    # its rows takes; between the two no device needs to know of another.
    layouts[".*embedding/.*embeddings"] = (None, "model")
    layouts[".*feed_forward/hidden/kernel"] = (None, "model")
    layouts[".*feed_forward/hidden/bias"] = ("model",)
    layouts[".*feed_forward/output/kernel"] = ("model", None)
    return keras.distribution.ModelParallel(
        layout_map=layouts, auto_shard_dataset=False
    )


def read(options: argparse.Namespace) -> list[list[str]]:
    """Two files of lines, or the shipped corpus."""
    if options.source:
        sides = text.read_parallel(options.source, options.target)
    else:
        sides = text.read_pairs(DATA / "train.tsv")
    return [side[: options.limit] for side in sides]


def build(options: argparse.Namespace, tokenizers: Sequence[Any]) -> Seq2Seq:
    """A Transformer of the size that was asked for."""
    return transformer(
        *(tokenizer.vocabulary_size for tokenizer in tokenizers),
        num_layers=options.num_layers,
        num_heads=4,
        embedding_dim=options.embedding_dim,
        intermediate_dim=4 * options.embedding_dim,
        dropout=options.dropout,
    )


def fit(
    options: argparse.Namespace,
    model: Seq2Seq,
    lines: Sequence[list[str]],
    tokenizers: Sequence[Any],
) -> None:
    """Train on this process's rows of the batches that all processes make."""
    batches = text.translation_dataset(
        *lines,
        *tokenizers,
        batch_tokens=options.batch_tokens,
        shapes=options.shapes,
        seed=options.seed,
    )
    steps = len(batches) * options.epochs
    model.compile(
        training.Adam(
            training.InverseSquareRoot(2e-3, max(1, steps // 10)), global_clipnorm=1.0
        ),
        training.MaskedCrossEntropy(label_smoothing=0.1),
        metrics=[training.TokenCount()],
    )
    started = time.time()
    model.fit(
        share(batches, options),
        epochs=options.epochs,
        shuffle=False,
        callbacks=[training.TokensPerSecond()],
        verbose=2 if options.process == 0 else 0,
    )
    print(f"process {options.process}: {steps} steps in {time.time() - started:.1f} s")


def share(batches: tf.data.Dataset, options: argparse.Namespace) -> tf.data.Dataset:
    """This process's rows of each batch, after empty ones that make shares equal."""
    rows_of_mesh = jax.device_count() // options.model_axis
    shares = min(options.processes, rows_of_mesh)
    mine = options.process * shares // options.processes

    def cut(ids):
        missing = -tf.shape(ids)[0] % rows_of_mesh
        return tf.split(tf.pad(ids, [[0, missing], [0, 0]]), shares)[mine]

    return batches.map(lambda *batch: tf.nest.map_structure(cut, batch))


def whole(weight: Any) -> np.ndarray:
    """A weight with the parts that other processes hold."""
    value = weight.value
    if value.is_fully_addressable or value.is_fully_replicated:
        return np.asarray(value)
    return np.asarray(multihost_utils.process_allgather(value, tiled=True))


def save(
    options: argparse.Namespace,
    weights: Sequence[np.ndarray],
    tokenizers: Sequence[Any],
    texts: Sequence[str],
) -> None:
    """Write the Translator and its SavedModel."""
    model = build(options, tokenizers)
    model.set_weights(weights)
    translator = Translator(model, *tokenizers, Greedy(max_length=60))
    folder = Path(options.output)
    translator.save(folder / "translator", options.overwrite)
    if options.export:
        translator.export(folder / "saved_model", options.overwrite, check=texts)
    print(f"Saved in {folder}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--processes", type=int, default=1, help="how many there are")
    add("--process", type=int, default=0, help="which of them this is, from 0 on")
    add("--address", default="localhost:12355", help="of the first, with a free port")
    add("--model-axis", type=int, default=1, help="devices that share one model")
    add("--source", help="file of source lines; without it the shipped corpus")
    add("--target", help="their translations, in the same order")
    add("--limit", type=int, help="use only this many pairs")
    add("--epochs", type=int, default=8)
    add("--batch-tokens", type=int, default=2048, help="of all processes together")
    add("--shapes", type=int, default=8, help="of batches, each of which is compiled")
    add("--vocabulary-size", type=int, default=1000)
    add("--num-layers", type=int, default=3)
    add("--embedding-dim", type=int, default=128)
    add("--dropout", type=float, default=0.1)
    add("--output", default="distributed-run", help="folder to write")
    add("--overwrite", action="store_true", help="what an earlier run left there")
    add("--export", action=argparse.BooleanOptionalAction, default=True)
    add("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not 0 <= options.process < options.processes:
        parser.error("--process must be one of 0 to --processes - 1")
    if bool(options.source) != bool(options.target):
        parser.error("--source and --target belong together")
    return options


if __name__ == "__main__":
    main()
