"""Loads a tokenizer without knowing its class."""

import os

from keras_attention.text.character import CharacterTokenizer
from keras_attention.text.marian import MarianTokenizer
from keras_attention.text.saved import load_as
from keras_attention.text.sentence_piece import SentencePieceTokenizer
from keras_attention.text.tokenizer import Tokenizer
from keras_attention.text.vectorization import VectorizationTokenizer
from keras_attention.text.word import WordTokenizer
from keras_attention.text.word_piece import WordPieceTokenizer

TOKENIZERS: tuple[type[Tokenizer], ...] = (
    SentencePieceTokenizer,
    WordTokenizer,
    CharacterTokenizer,
    WordPieceTokenizer,
    VectorizationTokenizer,
    MarianTokenizer,
)


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """Reads the tokenizer, of whichever class, that `save` wrote.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, altered, or holds something other
            than a tokenizer.

    Example:
    >>> import tempfile
    >>> from keras_attention.text import CharacterTokenizer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     CharacterTokenizer(["a", "b"]).save(f"{folder}/letters.json")
    ...     load_tokenizer(f"{folder}/letters.json")
    CharacterTokenizer(vocabulary_size=6)
    """
    return load_as(path, TOKENIZERS)
