"""What a `Translator` reads: texts, or sequences of vectors."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.translation.batches import check_strings


class TextSource:
    """Texts, as the ids of a tokenizer.

    Args:
        tokenizer: of the texts, one of `text.plain`.
        limit: the most ids that are read, the end included.
    """

    def __init__(self, tokenizer: Any, limit: int) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._end = SpecialIds.of(tokenizer).end

    def check(self, name: str, texts: Any) -> None:
        """Raise unless an argument is a list of texts."""
        check_strings(name, texts)

    def lengths(self, texts: Sequence[Any]) -> np.ndarray:
        """How many ids each text has, the end included, before any is cut."""
        return count_tokens(self._tokenizer, texts) + 1

    def rows(self, texts: Sequence[Any]) -> list[list[int]]:
        """The ids of each text that are read, with an end."""
        ids = self._tokenizer.tokenize(texts)
        return [[*row[: self._limit - 1], self._end] for row in ids]

    def arrays(self, rows: Sequence[Any], count: int = 0, width: int = 1) -> Any:
        """Rows as a model encodes them: so many at least, and of this length."""
        return pad_rows(rows, count, width)

    def is_empty(self, row: Sequence[int]) -> bool:
        """Whether a row has an end alone."""
        return len(row) < 2

    def examples(self) -> list[Any]:
        """Some texts to be compared."""
        return ["", "a", "A b. C?", "가나", "\u00e9 \U0001f600", "a " * 20]

    def of_length(self, above: int, up_to: int) -> Any:
        """A text of `up_to` tokens at most, and more than `above` where possible."""
        texts = ["a " * count for count in range(1, up_to + 1)]
        return texts[int(np.argmax(self.lengths(texts) > above))]

    def as_json(self, texts: Iterable[Any]) -> list[Any]:
        """Texts as JSON holds them."""
        return [
            text if isinstance(text, str) else text.decode("utf-8", "replace")
            for text in texts
        ]


class VectorSource:
    """Sequences of vectors, such as the frames of a spectrogram.

    Args:
        dim: width of a vector.
        limit: the most vectors that are read.

    Attributes:
        limit: as given.
    """

    def __init__(self, dim: int, limit: int) -> None:
        self._dim = dim
        self.limit = limit

    def check(self, name: str, sources: Any) -> None:
        """Raise unless an argument is a list of arrays of vectors."""
        if isinstance(sources, str | bytes) or not np.iterable(sources):
            raise ValueError(
                f"`{name}` must be a list of arrays (length, {self._dim}). "
                f"Received: {name}={sources!r}"
            )
        for index, source in enumerate(sources):
            array = np.asarray(source)
            # A list of nothing has no width.
            is_wide = array.shape[1:] == (self._dim,) or array.shape == (0,)
            if array.dtype.kind not in "fiu" or not is_wide:
                raise ValueError(
                    f"`{name}` must be a list of arrays (length, {self._dim}). "
                    f"Received: {name}[{index}] with shape={array.shape}, "
                    f"dtype={array.dtype}"
                )

    def lengths(self, sources: Sequence[Any]) -> np.ndarray:
        """How many vectors each has, before any is cut."""
        return np.array([len(source) for source in sources], "int64")

    def batch(self, sources: Sequence[Any]) -> tuple[Any, ...]:
        """The inputs of a graph: vectors, padded, and their mask."""
        lengths = self.lengths(sources)
        longest = max(lengths, default=0)
        vectors = np.zeros((len(sources), longest, self._dim), "float32")
        for row, source in zip(vectors, sources, strict=True):
            row[: len(source)] = np.reshape(source, (-1, self._dim))
        return vectors, np.arange(longest) < lengths[:, None]

    def rows(self, sources: Sequence[Any]) -> list[Any]:
        """The vectors of each source that are read."""
        return [source[: self.limit] for source in sources]

    def arrays(self, rows: Sequence[Any], count: int = 0, width: int = 1) -> Any:
        """Rows as a model encodes them: so many at least, and of this length."""
        source, mask = self.batch(rows)
        sizes = zip((count, width), mask.shape, strict=True)
        missing = [(0, max(0, least - size)) for least, size in sizes]
        return {
            "source": np.pad(source, [*missing, (0, 0)]),
            "source_mask": np.pad(mask, missing),
        }

    def is_empty(self, row: Sequence[Any]) -> bool:
        """Whether a row has no vector."""
        return not len(row)

    def examples(self) -> list[Any]:
        """Some sources to be compared."""
        drawn = np.random.default_rng(0).normal(size=(20, self._dim))
        return [drawn[:length].astype("float32") for length in (1, 0, 2, 5, 20)]

    def of_length(self, above: int, up_to: int) -> Any:
        """A source of `up_to` vectors."""
        return np.zeros((up_to, self._dim), "float32")

    def as_json(self, sources: Iterable[Any]) -> list[Any]:
        """Sources as JSON holds them."""
        return [np.asarray(source).tolist() for source in sources]


def count_tokens(tokenizer: Any, texts: Sequence[Any]) -> np.ndarray:
    """How many ids a tokenizer, of graphs or of Python, makes of each text."""
    ids = tokenizer.tokenize(texts)
    if hasattr(ids, "row_lengths"):
        return ids.row_lengths().numpy()
    return np.array([*map(len, ids)], "int64")


def pad_rows(
    rows: Sequence[Sequence[int]], count: int = 0, width: int = 1
) -> np.ndarray:
    """Int32 ids `(count, width)` of rows of any length, or more, padded with 0."""
    shape = max(count, len(rows)), max(width, *map(len, rows), 0)
    padded = np.full(shape, PAD, "int32")
    for padded_row, row in zip(padded, rows, strict=False):
        padded_row[: len(row)] = row
    return padded
