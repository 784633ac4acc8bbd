"""A tokenizer of learned subwords.

Glossary: B = batch, T = tokens.
"""

import warnings
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import tensorflow as tf

from keras_attention.text.arguments import check_integer, check_lines, check_symbols
from keras_attention.text.cleaning import NORMALIZATIONS, Cleaning
from keras_attention.text.contents import ModelOfSentencePiece
from keras_attention.text.segmentation import WordCutter, sample_rows
from keras_attention.text.sentence_piece_model import check_model
from keras_attention.text.sentence_piece_processor import load_processor
from keras_attention.text.sentence_piece_training import (
    check_training,
    sentencepiece_for,
    train_model,
)
from keras_attention.text.strings import check_corpus
from keras_attention.text.tokenizer import Tokenizer


class SentencePieceTokenizer(ModelOfSentencePiece, Tokenizer):
    """Cuts text into subwords learned from a corpus (Kudo and Richardson, 2018).

    Text that a tokenizer was trained on comes back as it was, but for its blanks,
    unless `train` is asked for a rule of normalization. Blanks are U+0020 and the
    characters before it, tab and line feed among them; each run of them becomes one
    space, and those at the ends are left out. White space that is not in the corpus
    (as may be U+00A0 or U+3000) is read as a blank, and format characters that are not
    in it (soft hyphens, joiners, marks of direction) are left out, unless bytes can
    spell them. U+FDD0 and U+FDD1, which are no characters, come back as U+2581 and
    U+2585.

    Args:
        model: A serialized sentencepiece model. Its special pieces get the ids 0 for
            padding, 1 for unknown, 2 for the start and 3 for the end; the others
            follow in their order. What it lacks of these is added, and everything
            else is as the model says: its normalization, its symbols, its blanks.
        lowercase: Whether to lower-case the input, but for the model's user-defined
            symbols.

    Raises:
        ValueError: If `model` is no such model.
        ImportError: Without tensorflow-text, which `keras-attention-layers[text]`
            installs where it has wheels: Linux and macOS, Python up to 3.13.

    Example:
    >>> lines = ["the cat sat on the mat", "the dog sat on the cat"] * 5
    >>> tokenizer = SentencePieceTokenizer.train(lines, vocabulary_size=18)
    >>> ids = tokenizer.tokenize(["the cat sat", "the mat"])
    >>> [text.decode() for text in tokenizer.detokenize(ids).numpy()]
    ['the cat sat', 'the mat']
    """

    def __init__(self, model: bytes, lowercase: bool = False) -> None:
        self._model, summary = check_model(model)
        self._size = summary.size
        self._rule = summary.normalization
        symbols = tuple(symbol.decode() for symbol in summary.user_defined)
        # the charsmap of a model that gives its corpus back cannot hold NUL
        super().__init__(
            Cleaning(lowercase, symbols=symbols, nul_is_blank=summary.puts_back)
        )
        self._processor = load_processor(self._model, "SentencePieceTokenizer")

    @classmethod
    def train(
        cls,
        lines: Iterable[str],
        vocabulary_size: int = 8000,
        *,
        model_type: str = "unigram",
        character_coverage: float = 1.0,
        lowercase: bool = False,
        byte_fallback: bool = False,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Iterable[str] = (),
    ) -> Self:
        """Learns subwords from a corpus; the same lines give the same model.

        Needs the package `sentencepiece`, which a trained tokenizer needs for `sample`
        alone.

        Args:
            lines: The corpus.
            vocabulary_size: How many ids there are, the four special ones
                included. A corpus too small for that gives the largest
                vocabulary that it can, with a warning.
            model_type: `"unigram"` (Kudo, 2018), `"bpe"` (Sennrich et al., 2016),
                `"char"` or `"word"`.
            character_coverage: The share of the corpus' characters that get an id
                of their own; 0.9995 is usual for scripts of many characters.
            lowercase: Whether to lower-case, now and in `tokenize`.
            byte_fallback: Whether to spell unknown characters as bytes, which
                takes 256 ids, instead of the unknown id.
            normalization: `"identity"`, which keeps text as it is, or another rule of
                sentencepiece: `"nfkc"` is Unicode's NFKC, `"nmt_nfkc"` also replaces
                some characters that cannot be seen by blanks, and `"nfkc_cf"` and
                `"nmt_nfkc_cf"` fold case. Sources may well be normalized; a model
                cannot write what the rule of its targets changes.
            user_symbols: Strings without blanks, such as `"<URL>"`, of which each is
                one id. They are never cut, normalized or lower-cased.

        Raises:
            ValueError: If the corpus holds no text, the vocabulary cannot hold
                the corpus' characters, or an argument is out of range.
            ImportError: Without sentencepiece, which
                `keras-attention-layers[text]` installs.
        """
        symbols = check_symbols("user_symbols", user_symbols)
        options: dict[str, Any] = {
            "vocabulary_size": vocabulary_size,
            "model_type": model_type,
            "character_coverage": character_coverage,
            "byte_fallback": byte_fallback,
            "normalization": normalization,
            "user_symbols": symbols,
        }
        check_training(**options)
        chunks = Cleaning(lowercase, symbols=symbols).chunks(check_corpus(lines))
        cleaned = [line.decode() for chunk in chunks for line in chunk.numpy()]
        model = train_model(cleaned, **options)
        tokenizer = cls(model, lowercase)
        if tokenizer.vocabulary_size < vocabulary_size:
            warnings.warn(
                f"The corpus fills a vocabulary of {tokenizer.vocabulary_size} only. "
                f"Received: vocabulary_size={vocabulary_size}",
                stacklevel=2,
            )
        return tokenizer

    def sample(
        self,
        lines: Iterable[str],
        count: int = 1,
        *,
        alpha: float = 0.1,
        seed: int = 0,
    ) -> tf.RaggedTensor:
        """Cuts each line at random, as training with varied subwords wants.

        A model of type `"bpe"` leaves out merges with probability `alpha`
        (BPE-dropout; Provilkov et al., 2020). One of type `"unigram"` draws from all
        segmentations, by their probabilities to the power of `alpha` (subword
        regularization; Kudo, 2018). Each word is cut 32 times at most, and one of these
        is taken at random wherever it stands. Text without blanks is one word a line,
        which takes longer: some milliseconds a line.

        Needs the package `sentencepiece`, as `train` does.

        Args:
            lines: The lines.
            count: How many times to cut all lines.
            alpha: From 0 to 1. `"bpe"` does what `tokenize` does at 0 and gives
                characters at 1; `"unigram"` gives any segmentation at 0.
            seed: The same arguments give the same ids.

        Returns:
            int32 ragged tensor `(count * lines, tokens)`: all lines, then all again.

        Raises:
            ValueError: If an argument is out of range, or the model is of another
                type.
            ImportError: Without sentencepiece, which
                `keras-attention-layers[text]` installs.

        Example:
        >>> tokenizer = SentencePieceTokenizer.train(
        ...     ["the cat sat"] * 3, vocabulary_size=13, model_type="bpe"
        ... )
        >>> ids = tokenizer.sample(["the cat"], 2, alpha=0.5)
        >>> [text.decode() for text in tokenizer.detokenize(ids).numpy()]
        ['the cat', 'the cat']
        """
        check_integer("count", count, 1)
        check_integer("seed", seed, 0)
        is_number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
        if not is_number or not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must be from 0 to 1. Received: alpha={alpha!r}")
        cutter = WordCutter(sentencepiece_for("sample"), self._model, alpha)
        chunks = self._clean.chunks(check_lines("lines", lines))
        rows = (
            cutter.words(line.decode()) for chunk in chunks for line in chunk.numpy()
        )
        drawn = list(sample_rows(rows, cutter.cut, count, seed))
        ids, lengths = map(np.concatenate, zip(*drawn, strict=True))
        return tf.RaggedTensor.from_row_lengths(ids, lengths)

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        return self._processor.tokenize(text)

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        ids, starts, ends = self._processor.tokenize_with_offsets(text)
        rows = ids.value_rowids()
        parts = tf.strings.substr(
            tf.gather(text, rows),
            starts.flat_values,
            ends.flat_values - starts.flat_values,
        )
        return ids.with_flat_values(tf.strings.strip(parts))

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        return self._processor.detokenize(ids)

    def _pieces(self, ids: tf.Tensor) -> tf.Tensor:
        return self._processor.id_to_string(ids)
