"""The engines that `decoding.py` measures: a search for each number of beams.

Ours and CTranslate2 have the same weights. Hugging Face's Marian and KerasHub's blocks
have the same sizes, and weights of their own.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = 8000
START = 2
Search = Callable[[np.ndarray], np.ndarray]


def prepare(folder: Path, options: argparse.Namespace) -> None:
    """Write our model as SavedModels, and for CTranslate2 where that is installed."""
    import keras

    from keras_attention.models import transformer

    keras.utils.set_random_seed(0)
    model = transformer(
        VOCABULARY,
        VOCABULARY,
        num_layers=options.layers,
        num_heads=options.heads,
        embedding_dim=options.width,
        intermediate_dim=4 * options.width,
    )
    try:
        import ctranslate2_model
    except ImportError:
        pass
    else:
        ctranslate2_model.convert(model, folder / "ctranslate2")
    _export(model, folder / "float32", options)
    model.quantize("int8")
    _export(model, folder / "int8", options)


def _export(model: Any, folder: Path, options: argparse.Namespace) -> None:
    import tensorflow as tf

    from keras_attention.decoding import BeamSearch, Greedy
    from keras_attention.export import export_saved_model

    spec = [tf.TensorSpec([None, None], tf.int32, name="source")]
    lengths = {"max_length": options.steps, "min_length": options.steps}
    signatures = {}
    for beams in options.beams:
        search = (
            Greedy(**lengths)
            if beams == 1
            else BeamSearch(beams, num_hypotheses=1, length_penalty=0.0, **lengths)
        )
        signatures[f"beams_{beams}"] = tf.function(
            _ids_alone(tf.function(search.search, jit_compile=True), model),
            spec,
            autograph=False,
        )
    variables = [variable.value for variable in model.variables]
    export_saved_model(folder, signatures, [variables])


def _ids_alone(search: Any, model: Any) -> Any:
    return lambda source: {"ids": search(model, source).ids[:, 0]}


def ours(
    folder: Path, options: argparse.Namespace, precision: str = "float32"
) -> dict[int, Search]:
    """The reloaded SavedModel, compiled by XLA."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    loaded = tf.saved_model.load(str(folder / precision))

    def search(signature):
        return lambda source: signature(source=tf.constant(source))["ids"].numpy()

    return {
        beams: search(loaded.signatures[f"beams_{beams}"]) for beams in options.beams
    }


def ctranslate2(
    folder: Path, options: argparse.Namespace, compute_type: str = "float32"
) -> dict[int, Search]:
    """CTranslate2, to which ids are words."""
    import ctranslate2_model

    engine = ctranslate2_model.load(
        folder / "ctranslate2", compute_type, options.threads
    )
    names = ctranslate2_model.tokens(VOCABULARY)
    numbers = {name: number for number, name in enumerate(names)}

    def search(beams):
        def run(source):
            found = engine.translate_batch(
                [[names[number] for number in row] for row in source],
                beam_size=beams,
                length_penalty=0,
                min_decoding_length=options.steps,
                max_decoding_length=options.steps,
                suppress_sequences=[["<blank>"], ["<s>"]],
            )
            return np.array([[numbers[t] for t in row.hypotheses[0]] for row in found])

        return run

    return {beams: search(beams) for beams in options.beams}


def hugging_face(folder: Path, options: argparse.Namespace) -> dict[int, Search]:
    """`generate` of `transformers`, on PyTorch."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    torch.set_num_threads(options.threads)
    sides = ("encoder", "decoder")
    config = MarianConfig(
        vocab_size=VOCABULARY,
        d_model=options.width,
        **{f"{side}_layers": options.layers for side in sides},
        **{f"{side}_attention_heads": options.heads for side in sides},
        **{f"{side}_ffn_dim": 4 * options.width for side in sides},
        pad_token_id=0,
        eos_token_id=3,
        decoder_start_token_id=START,
        forced_eos_token_id=None,
        scale_embedding=True,
    )
    model = MarianMTModel(config).eval()

    def search(beams):
        @torch.inference_mode()
        def run(source):
            return model.generate(
                torch.from_numpy(source).long(),
                num_beams=beams,
                do_sample=False,
                length_penalty=0.0 if beams > 1 else None,
                min_new_tokens=options.steps,
                max_new_tokens=options.steps,
            )[:, 1:].numpy()

        return run

    return {beams: search(beams) for beams in options.beams}


def keras_hub(folder: Path, options: argparse.Namespace) -> dict[int, Search]:
    """KerasHub's blocks with their caches and its samplers, compiled by XLA."""
    import keras
    import tensorflow as tf
    from keras import layers, ops
    from keras_hub.layers import (
        TokenAndPositionEmbedding,
        TransformerDecoder,
        TransformerEncoder,
    )
    from keras_hub.samplers import BeamSampler, GreedySampler

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    width, heads, numbers = options.width, options.heads, range(options.layers)
    longest = options.source + options.steps + 1
    source_embedding, target_embedding = (
        TokenAndPositionEmbedding(VOCABULARY, longest, width) for _ in range(2)
    )
    encoder = [TransformerEncoder(4 * width, heads) for _ in numbers]
    decoder = [TransformerDecoder(4 * width, heads) for _ in numbers]
    project = layers.Dense(VOCABULARY)
    # Built on eager ids, since a graph may not make variables.
    memory, hidden = (
        embedding(np.ones((1, 1), "int32"))
        for embedding in (source_embedding, target_embedding)
    )
    for block in encoder:
        memory = block(memory)
    for block in decoder:
        hidden = block(hidden, memory)
    project(hidden)

    def read(ids, place, memory, caches, crossed):
        """Logits of one more id, and the caches; `crossed` is `None` once they are."""
        hidden = target_embedding(ids, start_index=place)
        written = []
        for block, (own, cross) in zip(decoder, caches, strict=True):
            hidden, own, cross = block(
                hidden,
                memory,
                self_attention_cache=own,
                self_attention_cache_update_index=place,
                cross_attention_cache=cross,
                cross_attention_cache_update_index=crossed,
            )
            written.append((own, cross))
        return project(hidden)[:, 0], written

    def next_logits(prompt, cache, index):
        memory, caches = cache
        ids = ops.slice(prompt, (0, index - 1), (ops.shape(prompt)[0], 1))
        logits, caches = read(ids, index - 1, memory, caches, None)
        return logits, None, (memory, caches)

    def search(beams):
        sampler = GreedySampler() if beams == 1 else BeamSampler(beams)

        @tf.function(jit_compile=True)
        def find(source):
            rows, length = source.shape
            memory = source_embedding(source)
            for block in encoder:
                memory = block(memory)
            sizes = heads, width // heads
            caches = [
                tuple(ops.zeros((rows, 2, n, *sizes)) for n in (options.steps, length))
                for _ in numbers
            ]
            prompt = ops.pad(
                ops.full((rows, 1), START, "int32"), ((0, 0), (0, options.steps))
            )
            _, caches = read(prompt[:, :1], 0, memory, caches, 0)
            found = sampler(next_logits, prompt, (memory, caches), index=1)
            return found[:, 1:]

        return lambda source: keras.ops.convert_to_numpy(find(tf.constant(source)))

    return {beams: search(beams) for beams in options.beams}
