"""Text to ids and back, parallel files, and batches of translation pairs.

Where TensorFlow is not installed, the tokenizers are those of
`keras_attention.text.plain`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from keras_attention.optional_packages import is_installed, needs

if TYPE_CHECKING:
    from keras_attention.special_ids import END, PAD, START, UNKNOWN
    from keras_attention.text.batching import language_dataset, translation_dataset
    from keras_attention.text.character import CharacterTokenizer
    from keras_attention.text.files import read_lines, read_pairs, read_parallel
    from keras_attention.text.loading import load_tokenizer
    from keras_attention.text.marian import MarianTokenizer
    from keras_attention.text.sentence_piece import SentencePieceTokenizer
    from keras_attention.text.splitting import Split, split_by_source
    from keras_attention.text.tokenizer import Tokenizer
    from keras_attention.text.vectorization import VectorizationTokenizer
    from keras_attention.text.word import WordTokenizer
    from keras_attention.text.word_piece import WordPieceTokenizer

__all__ = [
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "CharacterTokenizer",
    "MarianTokenizer",
    "SentencePieceTokenizer",
    "Split",
    "Tokenizer",
    "VectorizationTokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "load_tokenizer",
    "read_lines",
    "read_pairs",
    "read_parallel",
    "split_by_source",
]
# `import *` brings what this installation has.
if is_installed("tensorflow"):
    __all__ += ["language_dataset", "translation_dataset"]

# What needs TensorFlow, by its module.
_DATASETS = dict.fromkeys(("language_dataset", "translation_dataset"), "batching")
# What is of plain Python where TensorFlow is not installed.
_TOKENIZERS = {
    "CharacterTokenizer": "character",
    "MarianTokenizer": "marian",
    "SentencePieceTokenizer": "sentence_piece",
    "Tokenizer": "tokenizer",
    "VectorizationTokenizer": "vectorization",
    "WordPieceTokenizer": "word_piece",
    "WordTokenizer": "word",
    "load_tokenizer": "loading",
}
_OTHERS = {
    **dict.fromkeys(("END", "PAD", "START", "UNKNOWN"), "saved"),
    **dict.fromkeys(("read_lines", "read_pairs", "read_parallel"), "files"),
    **dict.fromkeys(("Split", "split_by_source"), "splitting"),
}


def __getattr__(name: str) -> Any:
    if name in _DATASETS:
        with needs("tensorflow", extra="text", by=f"{__name__}.{name}"):
            module = importlib.import_module(f"{__name__}.{_DATASETS[name]}")
    elif name in _TOKENIZERS:
        folder = __name__ if is_installed("tensorflow") else f"{__name__}.plain"
        module = importlib.import_module(f"{folder}.{_TOKENIZERS[name]}")
    elif name in _OTHERS:
        module = importlib.import_module(f"{__name__}.{_OTHERS[name]}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_DATASETS, *_TOKENIZERS, *_OTHERS})
