"""The ids with a special meaning."""

from typing import Any, NamedTuple, Self

from keras_attention.argument_checks import check_positive

PAD = 0
UNKNOWN = 1
START = 2
END = 3


class SpecialIds(NamedTuple):
    """The ids with which outputs begin and end."""

    start: int
    end: int

    @classmethod
    def of(cls, owner: Any) -> Self:
        """Those of a model or a tokenizer: 2 and 3 where it does not say."""
        return cls(getattr(owner, "start_id", START), getattr(owner, "end_id", END))

    def check(self, vocabulary_size: int | None = None) -> None:
        """Raise for ids that are not two of a vocabulary, beside its padding."""
        check_positive(start_id=self.start, end_id=self.end)
        size = vocabulary_size or max(self) + 1
        if self.start == self.end or max(self) >= size:
            raise ValueError(
                "`start_id` and `end_id` must be two ids of the target vocabulary. "
                f"Received: start_id={self.start}, end_id={self.end}, "
                f"vocabulary of {vocabulary_size} ids"
            )
