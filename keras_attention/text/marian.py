"""A tokenizer of the vocabularies of Marian, such as those of OPUS-MT.

Glossary: B = batch, T = tokens.
"""

from collections.abc import Sequence

import tensorflow as tf

from keras_attention.text.contents import BLANK, LANGUAGE, MarianVocabulary
from keras_attention.text.given_vocabulary import GivenVocabularyTokenizer
from keras_attention.text.sentence_piece_processor import load_processor
from keras_attention.text.vocabulary import lookup_table


class MarianTokenizer(MarianVocabulary, GivenVocabularyTokenizer):
    """Cuts text by a sentencepiece model, and finds its pieces in a list of ids.

    Marian trains one sentencepiece model for each side, and one vocabulary of the
    pieces of both (Junczys-Dowmunt et al. 2018): the ids of the models mean nothing.
    What begins with a name of a language between `>>` and `<<`, by which models of
    several languages are told what to write, has that as its first piece.

    The pieces are those of Hugging Face's `MarianTokenizer`, but for text that looks
    like a special piece, `</s>` or `<pad>`: it is text here. What follows an end does
    not belong to the sentence, and unknown pieces are left out of it.

    Args:
        vocabulary: The piece of each id: padding, then the others.
        model: The serialized sentencepiece model of this side.
        unknown: The piece for what is not in the vocabulary.
        start: The piece with which a sentence begins.
        end: The piece with which it ends.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, or lacks one of the
            special pieces after the padding, or `model` is no such model.
        ImportError: Without tensorflow-text.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        model: bytes,
        *,
        unknown: str = "<unk>",
        start: str = "<s>",
        end: str = "</s>",
    ) -> None:
        super().__init__(vocabulary, unknown, start, end)
        self._model = model
        self._processor = load_processor(model, "MarianTokenizer", tf.string)
        spoken = self._spoken()
        pieces = [piece.encode() for piece in spoken]
        self._table = lookup_table(pieces, spoken.values(), self.unknown_id)

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        language, rest = _split_language(text)
        pieces = tf.concat([language, self._processor.tokenize(rest)], axis=1)
        return pieces.with_flat_values(self._table.lookup(pieces.flat_values))

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        language, rest = _split_language(text)
        pieces, starts, ends = self._processor.tokenize_with_offsets(rest)
        parts = tf.strings.substr(
            tf.gather(rest, pieces.value_rowids()),
            starts.flat_values,
            ends.flat_values - starts.flat_values,
        )
        parts = pieces.with_flat_values(tf.strings.strip(parts))
        return tf.concat([language, parts], axis=1)

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        known = tf.ragged.boolean_mask(ids, ids != self.unknown_id)
        return self._join(known.with_flat_values(self._pieces(known.flat_values)))

    def _join(self, pieces: tf.RaggedTensor) -> tf.Tensor:
        joined = self._processor.detokenize(pieces)
        return tf.strings.strip(tf.strings.regex_replace(joined, BLANK, " "))


def _split_language(text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """The name of a language `(B, 0 or 1)`, and the text after it `(B,)`."""
    named = tf.strings.regex_full_match(text, f"(?s){LANGUAGE}.*")
    language = tf.strings.regex_replace(text, f"(?s)^({LANGUAGE}).*", r"\1")
    rest = tf.strings.regex_replace(text, f"^{LANGUAGE}", "", replace_global=False)
    return tf.ragged.boolean_mask(language[:, None], named[:, None]), rest
