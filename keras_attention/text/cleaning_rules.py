"""How text is cleaned before it is cut, for the graphs and for plain Python.

The patterns mean the same to RE2 and to Python's `re`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from keras_attention.text.arguments import check_boolean, check_choice

NORMALIZATIONS = ("identity", "nfkc", "nmt_nfkc", "nfkc_cf", "nmt_nfkc_cf")
"""Names of sentencepiece's rules, of which the first keeps text as it is."""
NUL = r"\x00"
"""A pattern; lower-casing in a graph takes it for the end of the text."""

# What "nmt" adds to NFKC: control characters are left out, and some that cannot be
# seen are blanks; a full-width tilde stays one.
NMT = (
    ("[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]", ""),
    (
        "[\t\n\f\r\u061c\u1680\u200b\u200c\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd]",
        " ",
    ),
)
"""Patterns, and what replaces them before NFKC."""
NMT_KEPT = "\uff5e"
"""What "nmt" leaves as it is."""


@dataclass(frozen=True)
class CleaningRules:
    """What happens to text before it is cut.

    Args:
        lowercase: Whether to lower-case, by Unicode's rules.
        normalization: One of `NORMALIZATIONS`. `"_cf"` folds case by lower-casing.
        symbols: Strings that are neither normalized nor lower-cased.
        nul_is_blank: Whether to replace U+0000 by a blank.

    Raises:
        ValueError: If `lowercase` or `normalization` is none of its values.
    """

    lowercase: bool = False
    normalization: str = NORMALIZATIONS[0]
    symbols: tuple[str, ...] = ()
    nul_is_blank: bool = False

    def __post_init__(self) -> None:
        """Checks the arguments."""
        check_boolean("lowercase", self.lowercase)
        check_choice("normalization", self.normalization, NORMALIZATIONS)

    @property
    def normalizes(self) -> bool:
        """Whether text is normalized."""
        return self.normalization != NORMALIZATIONS[0]

    @property
    def is_nmt(self) -> bool:
        """Whether characters that cannot be seen are replaced first."""
        return self.normalization.startswith("nmt")

    @property
    def lowers(self) -> bool:
        """Whether text is lower-cased, if only to fold case."""
        return self.lowercase or self.normalization.endswith("_cf")

    def kept(self, *patterns: str) -> str:
        """Returns a pattern of what does not change: symbols, and what is given.

        Args:
            *patterns: Of what else does not.

        Example:
        >>> CleaningRules(symbols=("<s>", "<unk>")).kept("a")
        'a|<unk>|<s>'
        """
        return "|".join([*patterns, *any_of(self.symbols)])


def any_of(symbols: Sequence[str]) -> list[str]:
    r"""Returns patterns of symbols, longer ones first, since the first match counts.

    Args:
        symbols: Any strings.

    Example:
    >>> any_of(["a", "a+"])
    ['a\\+', 'a']
    """
    return [re.escape(symbol) for symbol in sorted(symbols, key=len, reverse=True)]
