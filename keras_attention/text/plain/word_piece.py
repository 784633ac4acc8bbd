"""A tokenizer of the word pieces of BERT, in plain Python."""

from collections.abc import Iterator, Sequence

from keras_attention.text.arguments import check_boolean
from keras_attention.text.contents import CONTINUES, WordPieceVocabulary
from keras_attention.text.plain.bert import Bert
from keras_attention.text.plain.given_vocabulary import GivenVocabularyTokenizer

_LONGEST = 100  # bytes of a word that is cut


class WordPieceTokenizer(WordPieceVocabulary, GivenVocabularyTokenizer):
    """Cuts text into words and marks, and words into pieces (Devlin et al. 2019).

    A piece that holds white space is never found.

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
        ImportError: Without the package `regex`.

    Example:
    >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "on", "##ly", "!"]
    >>> tokenizer = WordPieceTokenizer(pieces)
    >>> ids = tokenizer.tokenize(["only!"])
    >>> ids, tokenizer.detokenize(ids)
    ([[4, 5, 6]], ['only !'])
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
        super().__init__(vocabulary, unknown, start, end)
        self._lowercase = lowercase
        self._bert = Bert(lowercase, "WordPieceTokenizer")
        self._ids = {piece: index for index, piece in enumerate(self.vocabulary)}
        self._longest = max(map(len, self.vocabulary))

    def _to_ids(self, text: str) -> list[int]:
        return [index for index, _, _ in self._cut(self._bert.clean(text).text)]

    def _to_parts(self, text: str) -> list[str]:
        cleaned, origins = self._bert.clean(text)
        return [
            text[origins[start] : origins[end]] for _, start, end in self._cut(cleaned)
        ]

    def _join(self, pieces: list[str]) -> str:
        return " ".join(pieces).replace(f" {CONTINUES}", "")

    def _cut(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Ids, and where each piece begins and ends."""
        for start, end in self._bert.words(text):
            for index, size in self._cut_word(text[start:end]):
                yield index, start, start + size
                start += size

    def _cut_word(self, word: str) -> list[tuple[int, int]]:
        """Ids and sizes of the longest pieces, one after the other."""
        unknown = [(self.unknown_id, len(word))]
        if len(word.encode()) > _LONGEST:
            return unknown
        pieces: list[tuple[int, int]] = []
        start = 0
        while start < len(word):
            prefix = CONTINUES if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                index = self._ids.get(prefix + word[start:end])
                if index is not None:
                    break
            else:
                return unknown
            pieces.append((index, end - start))
            start = end
        return pieces
