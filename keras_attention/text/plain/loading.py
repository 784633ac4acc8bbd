"""Loads a tokenizer of plain Python without knowing its class."""

import os
from typing import Any

from keras_attention.text.plain.character import CharacterTokenizer
from keras_attention.text.plain.marian import MarianTokenizer
from keras_attention.text.plain.sentence_piece import SentencePieceTokenizer
from keras_attention.text.plain.tokenizer import Tokenizer
from keras_attention.text.plain.vectorization import VectorizationTokenizer
from keras_attention.text.plain.word import WordTokenizer
from keras_attention.text.plain.word_piece import WordPieceTokenizer
from keras_attention.text.saved import load_as

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     CharacterTokenizer(["a", "b"]).save(f"{folder}/letters.json")
    ...     load_tokenizer(f"{folder}/letters.json")
    CharacterTokenizer(vocabulary_size=6)
    """
    return load_as(path, TOKENIZERS)


def plain_tokenizer(tokenizer: Any) -> Tokenizer:
    """Returns the tokenizer of plain Python that does what another one does.

    Args:
        tokenizer: Of TensorFlow graphs, or plain already.

    Raises:
        ValueError: If it needs TensorFlow, as a `VectorizationTokenizer` of functions
            does, or is none of this package's.
    """
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    known = {plain.__name__: plain for plain in TOKENIZERS}
    names = [cls.__name__ for cls in type(tokenizer).__mro__]
    plain = next((known[name] for name in names if name in known), None)
    if plain is None:
        raise ValueError(
            f"`tokenizer` must be one of {[*known]}. Received: tokenizer={tokenizer!r}"
        )
    return plain._from_content(tokenizer._content())
