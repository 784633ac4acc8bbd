"""A tokenizer of the words of a `keras.layers.TextVectorization`, in plain Python."""

import re
import string
from collections.abc import Sequence
from typing import Any, Self

from keras_attention.text.plain.given_vocabulary import GivenVocabularyTokenizer
from keras_attention.text.plain.tokenizer import ASCII_BLANKS
from keras_attention.text.vectorization_rules import (
    LOWER,
    PUNCTUATION,
    STANDARDIZATIONS,
    STRIP,
    check_changes,
    unknown_word,
)

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_WORDS = re.compile(f"[^{ASCII_BLANKS}]+")


class VectorizationTokenizer(GivenVocabularyTokenizer):
    """Cuts text as a `keras.layers.TextVectorization` does, into the same ids.

    Args:
        vocabulary: Of the layer: the word of each id, padding first, then the unknown
            one.
        standardize: As of the layer: one of its names, or `None`. A function needs
            TensorFlow.
        split: Likewise.
        start: The word with which a sentence begins; `None` where all are sources,
            which are read without one.
        end: The word with which it ends; likewise.

    Raises:
        ValueError: If `vocabulary` is empty, names a word twice, or lacks `start` or
            `end`, or another argument is none of its values.

    Example:
    >>> words = ["", "[UNK]", "[start]", "[end]", "see", "you"]
    >>> tokenizer = VectorizationTokenizer(words, "lower")
    >>> tokenizer.detokenize(tokenizer.tokenize(["See me"]))
    ['see \u2047']
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        standardize: str | None = STANDARDIZATIONS[1],
        split: str | None = "whitespace",
        *,
        start: str | None = "[start]",
        end: str | None = "[end]",
    ) -> None:
        for name, value in (("standardize", standardize), ("split", split)):
            # a file holds a function as a dictionary
            if callable(value) or isinstance(value, dict):
                raise ValueError(
                    f"`{name}` must be a name or None for a tokenizer of plain Python: "
                    f"a function needs TensorFlow. Received: {name}={value!r}"
                )
        check_changes(standardize, split)
        super().__init__(vocabulary, unknown_word(vocabulary), start, end)
        self._standardize = standardize
        self._split = split
        self._ids = {word: index for index, word in enumerate(self.vocabulary) if index}

    def _to_ids(self, text: str) -> list[int]:
        return [self._ids.get(word, self.unknown_id) for word in self._to_parts(text)]

    def _to_parts(self, text: str) -> list[str]:
        if self._standardize in LOWER:
            text = text.translate(_SMALL)
        if self._standardize in STRIP:
            text = re.sub(PUNCTUATION, "", text)
        if self._split == "whitespace":
            return _WORDS.findall(text)
        if self._split == "character":
            return [*text]
        # To the layer, what is empty is padding.
        return [text] if text else []

    def _join(self, pieces: list[str]) -> str:
        return ("" if self._split == "character" else " ").join(pieces)

    def _content(self) -> dict[str, Any]:
        content = super()._content()
        del content["unknown"]
        return {**content, "standardize": self._standardize, "split": self._split}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        changes = {name: content[name] for name in ("standardize", "split")}
        return cls(**{**content, **changes})
