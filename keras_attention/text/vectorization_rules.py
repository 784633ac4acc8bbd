"""How a `keras.layers.TextVectorization` cuts text, by the names that it knows."""

from typing import Any

LOWER = "lower_and_strip_punctuation", "lower"
"""Standardizations that lower-case, A to Z alone."""
STRIP = "lower_and_strip_punctuation", "strip_punctuation"
"""Standardizations that leave out punctuation marks, those of ASCII alone."""
PUNCTUATION = r"""[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']"""
"""A pattern of them."""
STANDARDIZATIONS = (None, *LOWER, "strip_punctuation")
"""The names, and `None`."""
SPLITS = (None, "whitespace", "character")
"""The names of ways to split, and `None`."""


def check_changes(standardize: Any, split: Any) -> None:
    """Checks the arguments of the layer that say how to cut.

    Args:
        standardize: One of its names, `None`, or a function.
        split: Likewise.

    Raises:
        ValueError: If an argument is none of its values.
    """
    for name, value, names in (
        ("standardize", standardize, STANDARDIZATIONS),
        ("split", split, SPLITS),
    ):
        if not callable(value) and value not in names:
            raise ValueError(
                f"`{name}` must be one of {names} or a function. "
                f"Received: {name}={value!r}"
            )


def unknown_word(vocabulary: Any) -> str:
    """Returns the word of a layer's vocabulary that stands for all others.

    Args:
        vocabulary: Of the layer.

    Example:
    >>> unknown_word(["", "[UNK]", "a"])
    '[UNK]'
    """
    return vocabulary[1] if len(vocabulary) > 1 else ""
