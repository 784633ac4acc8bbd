"""A fixed list of pieces, and what the tokenizers made of one share.

All lookups are tables and tensors that export with a SavedModel.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import tensorflow as tf

from keras_attention.special_ids import UNKNOWN
from keras_attention.text.arguments import check_integer, check_symbols
from keras_attention.text.cleaning import NORMALIZATIONS, Cleaning
from keras_attention.text.contents import OwnVocabulary
from keras_attention.text.pieces import (
    FIRST,
    SPECIAL_PIECES,
    UNKNOWN_TEXT,
    check_held,
    encode_pieces,
)
from keras_attention.text.strings import string_constant
from keras_attention.text.tokenizer import Tokenizer


class Vocabulary(tf.Module):
    """Pieces of text and their ids, which begin at 4, after the special ids.

    Args:
        pieces: The pieces, in the order of their ids.

    Raises:
        ValueError: If there is no piece, a piece is empty or no string, or one
            stands twice.

    Example:
    >>> Vocabulary(["a", "b"]).ids(tf.constant(["b", "c"])).numpy().tolist()
    [5, 1]
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        super().__init__()
        encoded = encode_pieces(pieces)
        self.size = FIRST + len(encoded)
        special = [piece.encode() for piece in SPECIAL_PIECES]
        self._names = string_constant(special + encoded)
        self._table = lookup_table(encoded, range(FIRST, self.size))

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces, in the order of their ids, beginning at id 4."""
        return tuple(piece.decode() for piece in self._names[FIRST:].numpy())

    def ids(self, pieces: tf.Tensor) -> tf.Tensor:
        """Returns the int32 id of each piece, 1 for those not in the vocabulary.

        Args:
            pieces: String tensor of any shape.
        """
        return self._table.lookup(pieces)

    def names(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the piece of each id.

        Args:
            ids: int32 tensor of any shape, ids inside the vocabulary.
        """
        return tf.gather(self._names, ids)

    def join(self, ids: tf.RaggedTensor, separator: str) -> tf.Tensor:
        """Returns each row's pieces as one string, U+2047 for unknown ones.

        Args:
            ids: int32 ragged tensor `(batch, tokens)`.
            separator: What stands between two pieces.
        """
        flat = ids.flat_values
        shown = tf.where(flat == UNKNOWN, UNKNOWN_TEXT, self.names(flat))
        pieces = ids.with_flat_values(shown)
        return tf.strings.reduce_join(pieces, axis=1, separator=separator)


class VocabularyTokenizer(OwnVocabulary, Tokenizer):
    """A tokenizer that is made of a list of pieces.

    Args:
        vocabulary: The pieces, in the order of their ids, beginning at id 4.
        lowercase: Whether to lower-case the input.
        normalization: How to normalize the input.
        user_symbols: Pieces that are never cut, normalized or lower-cased.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, holds an empty
            string or lacks a symbol, or another argument is none of its values.
        ImportError: Without tensorflow-text, which `normalization` may need.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lowercase: bool = False,
        *,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Sequence[str] = (),
    ) -> None:
        symbols = check_symbols("user_symbols", user_symbols)
        super().__init__(Cleaning(lowercase, normalization, symbols))
        self._vocabulary = Vocabulary(vocabulary)
        check_held(symbols, vocabulary)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The pieces, in the order of their ids, beginning at id 4."""
        return self._vocabulary.pieces

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""
        return self._vocabulary.size

    def _pieces(self, ids: tf.Tensor) -> tf.Tensor:
        return self._vocabulary.names(ids)


def lookup_table(
    pieces: Sequence[bytes], ids: Iterable[int], unknown: int = UNKNOWN
) -> tf.lookup.StaticHashTable:
    """Returns a table from pieces to int32 ids.

    Args:
        pieces: The keys, without duplicates.
        ids: Their ids.
        unknown: The id where there is none.

    Example:
    >>> table = lookup_table([b"a"], [4])
    >>> table.lookup(tf.constant(["a", "z"])).numpy().tolist()
    [4, 1]
    """
    entries = tf.lookup.KeyValueTensorInitializer(
        string_constant(pieces),
        tf.constant(list(ids), tf.int32),
    )
    return tf.lookup.StaticHashTable(entries, default_value=unknown)


def frequent_pieces(
    chunks: Iterable[tf.RaggedTensor],
    vocabulary_size: int | None,
    minimum_count: int,
    symbols: Sequence[str] = (),
) -> list[str]:
    """Returns the pieces of a corpus, the most frequent first.

    Args:
        chunks: Ragged string tensors `(lines, pieces)`.
        vocabulary_size: How many ids the vocabulary may have, the four special
            ones included; `None` for no limit.
        minimum_count: How often a piece must occur.
        symbols: Pieces that come first, however rare they are.

    Returns:
        Pieces by falling frequency, equally frequent ones by code point.

    Raises:
        ValueError: If the arguments leave no piece.
    """
    limit = None
    if vocabulary_size is not None:
        minimum = FIRST + len(symbols) + 1
        limit = check_integer("vocabulary_size", vocabulary_size, minimum) - FIRST
    check_integer("minimum_count", minimum_count, 1)
    counts: Counter[bytes] = Counter()
    for chunk in chunks:
        counts.update(chunk.flat_values.numpy().tolist())
    # UTF-8 sorts by code point
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    frequent = [piece.decode() for piece, count in ranked if count >= minimum_count]
    pieces = list(dict.fromkeys([*symbols, *frequent]))
    if not pieces:
        raise ValueError(
            "`minimum_count` must leave at least one piece of the corpus. "
            f"Received: minimum_count={minimum_count}, with {len(ranked)} different "
            f"pieces of which the most frequent occurs "
            f"{ranked[0][1] if ranked else 0} times"
        )
    return pieces[:limit]
