"""A tokenizer of single characters, in plain Python."""

import re
from collections.abc import Sequence

from keras_attention.special_ids import UNKNOWN
from keras_attention.text.cleaning_rules import NORMALIZATIONS, any_of
from keras_attention.text.pieces import check_single
from keras_attention.text.plain.vocabulary import VocabularyTokenizer


class CharacterTokenizer(VocabularyTokenizer):
    """Cuts text into Unicode characters (code points), white space included.

    Args:
        vocabulary: The characters, in the order of their ids, beginning at id 4.
        lowercase: Whether to lower-case the input.
        normalization: How to normalize the input.
        user_symbols: Strings that are pieces of the vocabulary as a whole, and are
            never cut, normalized or lower-cased.

    Raises:
        ValueError: If `vocabulary` is empty, names a character twice, holds a string
            of several characters that is no symbol or lacks a symbol, or another
            argument is none of its values.

    Example:
    >>> tokenizer = CharacterTokenizer(["7", "5", "+"])
    >>> tokenizer.detokenize(tokenizer.tokenize(["75+1"]))
    ['75+⁇']
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lowercase: bool = False,
        *,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Sequence[str] = (),
    ) -> None:
        super().__init__(
            vocabulary,
            lowercase,
            normalization=normalization,
            user_symbols=user_symbols,
        )
        check_single(vocabulary, self.user_symbols)
        self._cuts = re.compile("|".join([*any_of(self.user_symbols), "."]), re.DOTALL)

    def _to_ids(self, text: str) -> list[int]:
        return [self._ids.get(part, UNKNOWN) for part in self._to_parts(text)]

    def _to_parts(self, text: str) -> list[str]:
        return self._cuts.findall(text)

    def _to_text(self, ids: list[int]) -> str:
        return self._join(ids, separator="")
