"""A `transformer` of this package as a model of CTranslate2, with the same weights."""

from pathlib import Path

import ctranslate2
import keras

from keras_attention.export.ctranslate2_spec import make_spec

SPECIAL = {0: "<blank>", 1: "<unk>", 2: "<s>", 3: "</s>"}


def tokens(size: int) -> list[str]:
    """A vocabulary whose words are the numbers of their ids."""
    return [SPECIAL.get(number, str(number)) for number in range(size)]


def convert(model: keras.Model, path: Path, positions: int = 512) -> None:
    """Write a model into a folder.

    Args:
        model: of `transformer`.
        path: the folder.
        positions: the most positions of either side.
    """
    spec = make_spec(model, positions)
    spec.register_source_vocabulary(tokens(model.source_embedding.vocabulary_size))
    spec.register_target_vocabulary(tokens(model.target_embedding.vocabulary_size))
    spec.config.bos_token, spec.config.eos_token = SPECIAL[2], SPECIAL[3]
    spec.config.unk_token = SPECIAL[1]
    spec.config.add_source_eos = False
    spec.validate()
    spec.optimize(quantization=None)
    path.mkdir()
    spec.save(str(path))


def load(path: Path, compute_type: str, threads: int) -> ctranslate2.Translator:
    """The model with one worker of some threads."""
    return ctranslate2.Translator(
        str(path), compute_type=compute_type, inter_threads=1, intra_threads=threads
    )
