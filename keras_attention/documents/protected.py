"""What stands for something in a text, and must come through a translation."""

import re
from collections.abc import Sequence

# Placeholders of programs: {name}, {{ name }}, ${NAME}, %(name)s, %s, %1$d, %-5.2f, %@,
# %1 and %n of Qt, %%.
_PLACEHOLDERS = r"""
    \{\{[^{}]{0,60}\}\} | \$?\{[^{}\s][^{}\n]{0,60}\} | \{\} | \$t\([^()\s]{1,60}\)
    | %\([^()\s]{1,60}\)[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]
    | (?<![\d%])%(?:\d+\$)?[-+\#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z)?
        [sdiufFgGeExXocpr@]
    | (?<![\d%])%(?:L?\d{1,2}|L?n(?!\w)|%)
"""
_ADDRESSES = r"""
    (?:https?|ftps?|file|mailto|ssh|git)://?[^\s<>"'\u3000-\u303f\uac00-\ud7a3]*
        [^\s<>"'\u3000-\u303f\uac00-\ud7a3.,;:!?)\]]
    | \bwww\.[^\s<>"']*[^\s<>"'.,;:!?)\]]
    | (?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}
"""
PROTECTED = re.compile(f"{_PLACEHOLDERS} | {_ADDRESSES}", re.X)
NUMBERS = re.compile(r"(?<![\w.,])\d+(?:[.,:]\d+)*(?![\w])")
_BY_PLACE = re.compile(r"%[^(%]*[^\W\d_@]|%@")  # which value it takes, its place says


def keeps_protected(text: str, translation: str) -> bool:
    """Whether a translation has the placeholders and addresses of a text, and no more.

    Those that take their values by their place must be in the same order.
    """
    found, expected = PROTECTED.findall(translation), PROTECTED.findall(text)
    by_place = [one for one in expected if _takes_by_place(one)]
    return sorted(found) == sorted(expected) and by_place == [
        one for one in found if _takes_by_place(one)
    ]


def _takes_by_place(placeholder: str) -> bool:
    return "$" not in placeholder and bool(_BY_PLACE.fullmatch(placeholder))


def has_same_numbers(text: str, translation: str) -> bool:
    """Whether the numbers of a text and of its translation are the same."""
    numbers: Sequence[list[str]] = [NUMBERS.findall(one) for one in (text, translation)]
    return sorted(numbers[0]) == sorted(numbers[1])
