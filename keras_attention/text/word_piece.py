"""A tokenizer of the word pieces of BERT."""

from collections.abc import Sequence

import tensorflow as tf

from keras_attention.optional_packages import needs
from keras_attention.text.arguments import check_boolean
from keras_attention.text.contents import CONTINUES, WordPieceVocabulary
from keras_attention.text.given_vocabulary import GivenVocabularyTokenizer


class WordPieceTokenizer(WordPieceVocabulary, GivenVocabularyTokenizer):
    """Cuts text into words and marks, and words into pieces (Devlin et al. 2019).

    The ids are those of `tensorflow_text.FastBertTokenizer` with the same vocabulary: a
    `vocab.txt` of a BERT, one piece a line, or what
    `tensorflow_text.tools.wordpiece_vocab` makes. A model for it is built with its
    `start_id` and `end_id`.

    BERT's cutting forgets blanks, and `lowercase` case and accents: `detokenize` puts a
    blank between words and marks, "don ' t" and "why ?".

    Args:
        vocabulary: The piece of each id, padding first; those that continue a word
            begin with `##`.
        lowercase: Whether to lower-case the input and to strip its accents, as uncased
            BERTs do.
        unknown: The piece for words that the vocabulary cannot make.
        start: The piece with which a sentence begins.
        end: The piece with which it ends.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, or lacks one of the
            special pieces after the padding.
        ImportError: Without tensorflow-text.

    Example:
    >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "on", "##ly", "!"]
    >>> tokenizer = WordPieceTokenizer(pieces)
    >>> ids = tokenizer.tokenize(["only!"])
    >>> ids.to_list(), tokenizer.detokenize(ids).numpy().tolist()
    ([[4, 5, 6]], [b'only !'])
    >>> tokenizer.start_id, tokenizer.end_id
    (2, 3)
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lowercase: bool = False,
        *,
        unknown: str = "[UNK]",
        start: str = "[CLS]",
        end: str = "[SEP]",
    ) -> None:
        check_boolean("lowercase", lowercase)
        with needs("tensorflow_text", extra="text", by="WordPieceTokenizer"):
            import tensorflow_text
        super().__init__(vocabulary, unknown, start, end)
        self._lowercase = lowercase
        self._bert = tensorflow_text.FastBertTokenizer(
            list(vocabulary),
            suffix_indicator=CONTINUES,
            token_out_type=tf.int32,
            unknown_token=unknown,
            lower_case_nfd_strip_accents=lowercase,
        )

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        return self._bert.tokenize(text)

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        _, starts, ends = self._bert.tokenize_with_offsets(text)
        texts = tf.gather(text, starts.value_rowids())
        sizes = ends.flat_values - starts.flat_values
        parts = tf.strings.substr(texts, starts.flat_values, sizes)
        return starts.with_flat_values(parts)

    def _join(self, pieces: tf.RaggedTensor) -> tf.Tensor:
        joined = tf.strings.reduce_join(pieces, axis=1, separator=" ")
        return tf.strings.regex_replace(joined, f" {CONTINUES}", "")
