"""What all tokenizers share, with or without TensorFlow: special ids, save and load."""

import abc
import os
from collections.abc import Sequence
from typing import Any, Self, TypeVar

from keras_attention.special_ids import END, PAD, START, UNKNOWN
from keras_attention.text.cleaning_rules import CleaningRules
from keras_attention.text.storage import (
    checksum,
    damaged,
    read_tokenizer,
    write_tokenizer,
)


class SavedTokenizer(abc.ABC):
    """A tokenizer that a JSON file describes.

    Two classes of one name read and write the same files: one of TensorFlow graphs, in
    `keras_attention.text`, and one of plain Python, in `keras_attention.text.plain`.
    """

    pad_id = PAD
    unknown_id = UNKNOWN
    start_id = START
    end_id = END

    _clean: CleaningRules

    @property
    def lowercase(self) -> bool:
        """Whether `tokenize` lower-cases its input."""
        return self._clean.lowercase

    @property
    def normalization(self) -> str:
        """The rule by which `tokenize` normalizes its input."""
        return self._clean.normalization

    @property
    def user_symbols(self) -> tuple[str, ...]:
        """Strings that are never cut, normalized or lower-cased."""
        return self._clean.symbols

    @property
    @abc.abstractmethod
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""

    def checksum(self) -> str:
        """Returns what two tokenizers have in common if they do the same."""
        return checksum(type(self).__name__, self._content())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the tokenizer as one JSON file.

        Args:
            path: The file; its folder must exist. A file that stands there is
                replaced only once the new one is complete.

        Raises:
            ValueError: If the folder does not exist, or `path` is a folder.
        """
        write_tokenizer(path, type(self).__name__, self._content())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a tokenizer of this class from the file that `save` wrote.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is truncated, altered, or holds something
                other than a tokenizer of this class.
        """
        kind, content = read_tokenizer(path)
        if kind != cls.__name__:
            raise damaged(path, f"it holds a {kind}, not a {cls.__name__}")
        return cls.from_content(content, path)

    @classmethod
    def from_content(
        cls, content: dict[str, Any], path: str | os.PathLike[str]
    ) -> Self:
        """Makes a tokenizer from the content of a file that was read already.

        Args:
            content: What `read_tokenizer` returned.
            path: The file, for the message.

        Raises:
            ValueError: If the content does not make a tokenizer.
        """
        try:
            return cls._from_content(content)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, f"its content is unusable ({error})") from error

    def __repr__(self) -> str:
        """Shows the class and the vocabulary's size."""
        return f"{type(self).__name__}(vocabulary_size={self.vocabulary_size})"

    @abc.abstractmethod
    def _content(self) -> dict[str, Any]:
        """What `save` writes, as JSON's own types."""

    @classmethod
    @abc.abstractmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        """The tokenizer that `_content` describes."""


AnyTokenizer = TypeVar("AnyTokenizer", bound=SavedTokenizer)


def load_as(
    path: str | os.PathLike[str], classes: Sequence[type[AnyTokenizer]]
) -> AnyTokenizer:
    """Reads a tokenizer of that of some classes which its file names.

    Args:
        path: The file.
        classes: Of different names.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, altered, or holds something other
            than a tokenizer of one of the classes.
    """
    kind, content = read_tokenizer(path)
    known = {tokenizer.__name__: tokenizer for tokenizer in classes}
    if kind not in known:
        raise damaged(path, f"its `type` is {kind!r}, not one of {[*known]}")
    return known[kind].from_content(content, path)
