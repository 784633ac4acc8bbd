"""A tokenizer of learned subwords.

Glossary: B = batch, T = tokens.
"""

import base64
import hashlib
import io
import os
import re
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
import tensorflow as tf

from keras_attention.extras import needs
from keras_attention.text.arguments import (
    check_boolean,
    check_integer,
    check_lines,
)
from keras_attention.text.segmentation import WordCutter, sample_rows
from keras_attention.text.sentence_piece_model import summarize
from keras_attention.text.strings import check_corpus, cleaned_chunks
from keras_attention.text.tokenizer import END, PAD, START, UNKNOWN, Tokenizer

MODEL_TYPES = ("unigram", "bpe", "char", "word")
NORMALIZATIONS = ("nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity")

_SPECIAL_IDS = {"pad": PAD, "unknown": UNKNOWN, "start": START, "end": END}
# The trainer drops lines that hold NUL or U+2585 and gives a tab a meaning.
_RESERVED = str.maketrans(dict.fromkeys("\0\t\n\r\u2585", " "))
# The trainer drops longer lines without a word; this is its largest number.
_ANY_LENGTH = 2**30


class SentencePieceTokenizer(Tokenizer):
    """Cuts text into subwords that a corpus taught it (Kudo and Richardson, 2018).

    Text is normalized first, by default by Unicode's NFKC with runs of white
    space made one blank.

    Args:
        model: A serialized sentencepiece model whose special ids are 0 for
            padding, 1 for unknown, 2 for the start and 3 for the end.
        lowercase: Whether to lower-case the input.

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
        super().__init__(lowercase)
        self._size = _checked_size(model)
        self._model = model
        # imported here, because the other tokenizers do without it
        with needs("tensorflow_text", extra="text", by="SentencePieceTokenizer"):
            import tensorflow_text
            from tensorflow_text.python.ops import sentencepiece_tokenizer
        try:
            self._processor = tensorflow_text.SentencepieceTokenizer(model)
            # its own resource dies with TensorFlow's next `set_seed`, and is mistaken
            # for that of another model in one SavedModel
            operations = sentencepiece_tokenizer.gen_sentencepiece_tokenizer
            self._processor._model_resource = _NamedModel(
                model, operations.sentencepiece_op
            )
        except tf.errors.OpError as error:
            raise _not_a_model(model, "it cannot be loaded") from error

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
        normalization: str = "nmt_nfkc",
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
            normalization: sentencepiece's rule: `"nmt_nfkc"`, `"nfkc"`, the same
                with `"_cf"` for case folding, or `"identity"`.

        Raises:
            ValueError: If the corpus holds no text, the vocabulary cannot hold
                the corpus' characters, or an argument is out of range.
            ImportError: Without sentencepiece, which
                `keras-attention-layers[text]` installs.
        """
        _check_training(vocabulary_size, model_type, character_coverage, normalization)
        check_boolean("lowercase", lowercase)
        check_boolean("byte_fallback", byte_fallback)
        chunks = cleaned_chunks(check_corpus(lines), lowercase)
        model = _train_model(
            (line.decode() for chunk in chunks for line in chunk.numpy()),
            vocab_size=vocabulary_size,
            model_type=model_type,
            character_coverage=character_coverage,
            byte_fallback=byte_fallback,
            normalization_rule_name=normalization,
        )
        tokenizer = cls(model, lowercase)
        if tokenizer.vocabulary_size < vocabulary_size:
            warnings.warn(
                f"The corpus fills a vocabulary of {tokenizer.vocabulary_size} only. "
                f"Received: vocabulary_size={vocabulary_size}",
                stacklevel=2,
            )
        return tokenizer

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], lowercase: bool = False) -> Self:
        """Takes a `.model` file that sentencepiece wrote.

        Args:
            path: The file.
            lowercase: Whether to lower-case the input.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is no sentencepiece model, or its special ids
                are others than 0 (pad), 1 (unknown), 2 (start) and 3 (end).
        """
        model = Path(path).read_bytes()
        try:
            return cls(model, lowercase)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)!r}: {error}") from error

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""
        return self._size

    @property
    def model(self) -> bytes:
        """The serialized sentencepiece model."""
        return self._model

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
        cutter = WordCutter(_sentencepiece("sample"), self._model, alpha)
        chunks = cleaned_chunks(check_lines("lines", lines), self.lowercase)
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

    def _content(self) -> dict[str, Any]:
        model = base64.b64encode(self._model).decode("ascii")
        return {"model": model, "lowercase": self.lowercase}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        model = base64.b64decode(content["model"], validate=True)
        return cls(model, content["lowercase"])


class _NamedModel(tf.saved_model.experimental.TrackableResource):
    """A loaded model that all tokenizers of the same content share for good."""

    def __init__(self, model: bytes, load: Callable[..., Any]) -> None:
        super().__init__()
        self._model = model
        self._load = load
        # a resource that is not made eagerly lives in one graph only
        _ = self.resource_handle

    def _create_resource(self) -> Any:
        digest = hashlib.sha256(self._model).hexdigest()
        return self._load(model=self._model, shared_name=f"sentencepiece_{digest}")


def _checked_size(model: bytes) -> int:
    if not isinstance(model, bytes):
        raise ValueError(
            "`model` must be the bytes of a sentencepiece model. "
            f"Received: {type(model).__name__}"
        )
    try:
        summary = summarize(model)
    except ValueError as error:
        raise _not_a_model(model, str(error)) from error
    if summary.special_ids != _SPECIAL_IDS:
        found = {name: summary.special_ids[name] for name in _SPECIAL_IDS}
        raise ValueError(
            f"`model` must have the special ids {_SPECIAL_IDS}: train it with "
            "pad_id=0, unk_id=1, bos_id=2, eos_id=3. "
            f"Received: {found}, where -1 means none"
        )
    return summary.size


def _not_a_model(model: bytes, reason: str) -> ValueError:
    return ValueError(
        "`model` must be the bytes of a sentencepiece model. "
        f"Received: {len(model)} bytes, and {reason}"
    )


def _check_training(
    vocabulary_size: Any, model_type: Any, character_coverage: Any, normalization: Any
) -> None:
    check_integer("vocabulary_size", vocabulary_size, len(_SPECIAL_IDS) + 1)
    if model_type not in MODEL_TYPES:
        raise ValueError(
            f"`model_type` must be one of {MODEL_TYPES}. "
            f"Received: model_type={model_type!r}"
        )
    is_number = isinstance(character_coverage, int | float)
    if not is_number or not 0 < character_coverage <= 1:
        raise ValueError(
            "`character_coverage` must be above 0 and at most 1. "
            f"Received: character_coverage={character_coverage!r}"
        )
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {NORMALIZATIONS}. "
            f"Received: normalization={normalization!r}"
        )


def _sentencepiece(method: str) -> ModuleType:
    by = f"SentencePieceTokenizer.{method}"
    with needs("sentencepiece", extra="text", by=by):
        import sentencepiece
    return sentencepiece


def _train_model(sentences: Iterable[str], vocab_size: int, **options: Any) -> bytes:
    sentencepiece = _sentencepiece("train")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(line.translate(_RESERVED) for line in sentences),
            model_writer=model,
            vocab_size=vocab_size,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=START,
            eos_id=END,
            # a corpus too small for the vocabulary is no error
            hard_vocab_limit=False,
            max_sentence_length=_ANY_LENGTH,
            # fixed, because sums over threads depend on their number
            num_threads=16,
            minloglevel=2,
            **options,
        )
    except RuntimeError as error:
        needed = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
        if needed:
            raise ValueError(
                f"`vocabulary_size` must be at least {needed[1]} to hold the "
                "corpus' characters (or lower `character_coverage`). "
                f"Received: vocabulary_size={vocab_size}"
            ) from error
        raise ValueError(
            f"`lines` cannot be trained on; sentencepiece says: {error}"
        ) from error
    return model.getvalue()
