"""Any tokenizer as one of lists and strings."""

from typing import Any

from keras_attention.text.plain import plain_tokenizer


class ListTokenizer:
    """A tokenizer that is a graph and nothing else, with the calls of `text.plain`.

    Args:
        tokenizer: with the methods of `text.Tokenizer`.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def tokenize(self, strings: Any) -> list[list[int]]:
        """The ids of each string."""
        return self._tokenizer.tokenize(strings).to_list()

    def split(self, strings: Any) -> list[list[str]]:
        """The part of each string that each id stands for."""
        return _decoded(self._tokenizer.split(strings).to_list())

    def detokenize(self, ids: list[list[int]]) -> list[str]:
        """The strings of ids."""
        return _decoded(self._tokenizer.detokenize(ids).numpy().tolist())

    def tokens(self, ids: list[list[int]]) -> list[list[str]]:
        """The piece of each id."""
        return [_decoded(self._tokenizer.tokens(row).numpy().tolist()) for row in ids]


def as_lists(tokenizer: Any) -> Any:
    """The plain tokenizer that does the same, or else this one with lists around it."""
    try:
        return plain_tokenizer(tokenizer)
    except ValueError:
        return ListTokenizer(tokenizer)


def _decoded(strings: Any) -> Any:
    if isinstance(strings, bytes):
        return strings.decode()
    return [*map(_decoded, strings)]
