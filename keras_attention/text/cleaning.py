"""What happens to text before it is cut: valid UTF-8, normalization, lower case.

Glossary: B = batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from keras_attention.optional_packages import needs
from keras_attention.text.cleaning_rules import (
    NMT,
    NMT_KEPT,
    NUL,
    CleaningRules,
)
from keras_attention.text.cleaning_rules import NORMALIZATIONS as NORMALIZATIONS
from keras_attention.text.strings import to_strings

with needs("tensorflow", extra="text", by="keras_attention.text.cleaning"):
    import tensorflow as tf

CHUNK = 4096
"""How many lines are handed to the tokenizer's graph at a time."""
BORDER = b"\xff"
"""What stands between two parts while text is cut; no valid UTF-8 holds it."""

# What becomes something else in lower case where the process has a Turkish, Azerbaijani
# or Lithuanian locale.
_LOCAL_CAPITALS = dict(zip("İIJĮÌÍĨ", ("i̇", *"ijįìíĩ"), strict=True))

Change = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Cleaning(CleaningRules):
    """Makes valid UTF-8 of text, normalizes it and lower-cases it, as asked for.

    Bytes that are no UTF-8 become U+FFFD. Symbols stay as they are.

    Args:
        lowercase: Whether to lower-case, by Unicode's rules.
        normalization: One of `NORMALIZATIONS`. `"_cf"` folds case by lower-casing.
        symbols: Strings that are neither normalized nor lower-cased.
        nul_is_blank: Whether to replace U+0000 by a blank.

    Raises:
        ValueError: If `lowercase` or `normalization` is none of its values.
        ImportError: Without tensorflow-text, which `normalization` may need.

    Example:
    >>> cleaning = Cleaning(lowercase=True, symbols=("<URL>",))
    >>> cleaning(tf.constant(["ÉTÉ <URL>"])).numpy()[0].decode()
    'été <URL>'
    """

    def __post_init__(self) -> None:
        """Checks the arguments."""
        super().__post_init__()
        if self.normalizes:
            _tensorflow_text(f"normalization={self.normalization!r}")

    def __call__(self, strings: Any) -> tf.Tensor:
        """Returns clean text.

        Args:
            strings: List, array or tensor `(batch,)` of strings.

        Returns:
            String tensor `(batch,)`.

        Raises:
            ValueError: If `strings` is no batch of strings.
        """
        # every operation after this one may rely on valid UTF-8
        text = tf.strings.unicode_transcode(
            to_strings(strings), "UTF-8", "UTF-8", errors="replace"
        )
        if self.nul_is_blank:
            text = tf.strings.regex_replace(text, NUL, " ")
        if self.is_nmt:
            text = _change(text, _normalize_nmt, self.kept(NMT_KEPT))
        elif self.normalizes:
            text = _change(text, _normalize, self.kept())
        if self.lowers:
            text = _change(text, _lower, self.kept(NUL))
        return text

    def chunks(self, lines: Sequence[str]) -> Iterator[tf.Tensor]:
        """Yields the cleaned lines of a corpus, `CHUNK` at a time.

        Args:
            lines: The corpus, as `check_lines` returns it.

        Yields:
            String tensors `(at most CHUNK,)`.

        Example:
        >>> [chunk.shape[0] for chunk in Cleaning().chunks(["a"] * 5000)]
        [4096, 904]
        """
        for start in range(0, len(lines), CHUNK):
            yield self(lines[start : start + CHUNK])


def _change(text: tf.Tensor, change: Change, kept: str) -> tf.Tensor:
    """Changes what does not match the pattern `kept`."""
    if not kept:
        return change(text)
    rewrite = BORDER + rb"\1" + BORDER
    marked = tf.strings.regex_replace(text, f"({kept})", rewrite)
    parts = tf.strings.split(marked, BORDER)  # (B, parts)
    flat = parts.flat_values
    stays = tf.strings.regex_full_match(flat, kept)
    changed = parts.with_flat_values(tf.where(stays, flat, change(flat)))
    return tf.strings.reduce_join(changed, axis=1)


def _lower(text: tf.Tensor) -> tf.Tensor:
    for capital, small in _LOCAL_CAPITALS.items():
        text = tf.strings.regex_replace(text, capital, small)
    return tf.strings.lower(text, encoding="utf-8")


def _normalize(text: tf.Tensor) -> tf.Tensor:
    return _tensorflow_text("normalization").normalize_utf8(text, "NFKC")


def _normalize_nmt(text: tf.Tensor) -> tf.Tensor:
    for pattern, rewrite in NMT:
        text = tf.strings.regex_replace(text, pattern, rewrite)
    return _normalize(text)


def _tensorflow_text(by: str) -> ModuleType:
    # imported where it is needed, because most tokenizers do without it
    with needs("tensorflow_text", extra="text", by=by):
        import tensorflow_text
    return tensorflow_text
