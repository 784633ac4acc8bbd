"""What happens to text before it is cut: valid UTF-8, normalization, lower case.

Glossary: B = batch.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import tensorflow as tf

from keras_attention.optional_packages import needs
from keras_attention.text.arguments import check_boolean, check_choice
from keras_attention.text.strings import to_strings

NORMALIZATIONS = ("identity", "nfkc", "nmt_nfkc", "nfkc_cf", "nmt_nfkc_cf")
"""Names of sentencepiece's rules, of which the first keeps text as it is."""
CHUNK = 4096
"""How many lines are handed to the tokenizer's graph at a time."""
BORDER = b"\xff"
"""What stands between two parts while text is cut; no valid UTF-8 holds it."""

# What "nmt" adds to NFKC: control characters are left out, and some that cannot be
# seen are blanks; a full-width tilde stays one.
_NMT = (
    (r"[\x01-\x08\x0b\x0e-\x1f\x7f\x{8f}\x{9f}]", ""),
    (
        r"[\t\n\f\r\x{61c}\x{1680}\x{200b}\x{200c}\x{200e}\x{200f}\x{2028}\x{2029}"
        r"\x{2581}\x{feff}\x{fffd}]",
        " ",
    ),
)
_NMT_KEPT = r"\x{ff5e}"
_NUL = r"\x00"
# What becomes something else in lower case where the process has a Turkish, Azerbaijani
# or Lithuanian locale.
_LOCAL_CAPITALS = dict(zip("İIJĮÌÍĨ", ("i̇", *"ijįìíĩ"), strict=True))

Change = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Cleaning:
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

    lowercase: bool = False
    normalization: str = NORMALIZATIONS[0]
    symbols: tuple[str, ...] = ()
    nul_is_blank: bool = False

    def __post_init__(self) -> None:
        """Checks the arguments."""
        check_boolean("lowercase", self.lowercase)
        check_choice("normalization", self.normalization, NORMALIZATIONS)
        if self._normalizes:
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
            text = tf.strings.regex_replace(text, _NUL, " ")
        if self._normalizes:
            is_nmt = self.normalization.startswith("nmt")
            kept = [_NMT_KEPT] if is_nmt else []
            text = self._change(text, _normalize_nmt if is_nmt else _normalize, kept)
        if self.lowercase or self.normalization.endswith("_cf"):
            # the operation takes NUL for the end of the text
            text = self._change(text, _lower, [_NUL])
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

    @property
    def _normalizes(self) -> bool:
        return self.normalization != NORMALIZATIONS[0]

    def _change(self, text: tf.Tensor, change: Change, kept: list[str]) -> tf.Tensor:
        """Changes what is neither a symbol nor matches a pattern in `kept`."""
        pattern = "|".join([*kept, *any_of(self.symbols)])
        if not pattern:
            return change(text)
        rewrite = BORDER + rb"\1" + BORDER
        marked = tf.strings.regex_replace(text, f"({pattern})", rewrite)
        parts = tf.strings.split(marked, BORDER)  # (B, parts)
        flat = parts.flat_values
        stays = tf.strings.regex_full_match(flat, pattern)
        changed = parts.with_flat_values(tf.where(stays, flat, change(flat)))
        return tf.strings.reduce_join(changed, axis=1)


def any_of(symbols: Sequence[str]) -> list[str]:
    r"""Returns patterns of symbols, longer ones first, since the first match counts.

    Args:
        symbols: Any strings.

    Example:
    >>> any_of(["a", "a+"])
    ['a\\+', 'a']
    """
    return [re.escape(symbol) for symbol in sorted(symbols, key=len, reverse=True)]


def _lower(text: tf.Tensor) -> tf.Tensor:
    for capital, small in _LOCAL_CAPITALS.items():
        text = tf.strings.regex_replace(text, capital, small)
    return tf.strings.lower(text, encoding="utf-8")


def _normalize(text: tf.Tensor) -> tf.Tensor:
    return _tensorflow_text("normalization").normalize_utf8(text, "NFKC")


def _normalize_nmt(text: tf.Tensor) -> tf.Tensor:
    for pattern, rewrite in _NMT:
        text = tf.strings.regex_replace(text, pattern, rewrite)
    return _normalize(text)


def _tensorflow_text(by: str) -> ModuleType:
    # imported where it is needed, because most tokenizers do without it
    with needs("tensorflow_text", extra="text", by=by):
        import tensorflow_text
    return tensorflow_text
