"""Hangul syllables taken apart and put together, and particles chosen by sound.

A precomposed syllable of Unicode (AC00 to D7A3) is numbered
``(lead * 21 + vowel) * 28 + final``, so its letters follow by division.
"""

from typing import NamedTuple

LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")

_FIRST = ord("가")
_LAST = ord("힣")

PARTICLES = {
    "은/는": ("은", "는"),
    "이/가": ("이", "가"),
    "을/를": ("을", "를"),
    "과/와": ("과", "와"),
    "으로/로": ("으로", "로"),
}


class Syllable(NamedTuple):
    """The letters of one syllable; `final` is empty for an open syllable."""

    lead: str
    vowel: str
    final: str


def split(syllable: str) -> Syllable:
    """Takes one syllable apart.

    Args:
        syllable: a single precomposed Hangul syllable.

    Raises:
        ValueError: if it is anything else.

    >>> split("둘")
    Syllable(lead='ㄷ', vowel='ㅜ', final='ㄹ')
    """
    if len(syllable) != 1 or not _FIRST <= ord(syllable) <= _LAST:
        raise ValueError(
            f"`syllable` must be one Hangul syllable. Received: syllable={syllable!r}"
        )
    number, final = divmod(ord(syllable) - _FIRST, len(FINALS))
    lead, vowel = divmod(number, len(VOWELS))
    return Syllable(LEADS[lead], VOWELS[vowel], FINALS[final])


def join(lead: str, vowel: str, final: str = "") -> str:
    """Puts letters together to a syllable, the inverse of `split`.

    Args:
        lead: the first consonant, one of `LEADS`.
        vowel: one of `VOWELS`.
        final: the final consonant, one of `FINALS`; empty for none.

    Raises:
        ValueError: if a letter is not one of its table.

    >>> join("ㄷ", "ㅜ", "ㄹ")
    '둘'
    """
    try:
        number = LEADS.index(lead) * len(VOWELS) + VOWELS.index(vowel)
        number = number * len(FINALS) + FINALS.index(final)
    except ValueError:
        raise ValueError(
            "`lead`, `vowel` and `final` must be Hangul letters of their place. "
            f"Received: lead={lead!r}, vowel={vowel!r}, final={final!r}"
        ) from None
    return chr(_FIRST + number)


def final(word: str) -> str:
    """Gives the final consonant of a word's last syllable, or an empty string.

    Args:
        word: a word that ends in a Hangul syllable.

    >>> final("책"), final("학교")
    ('ㄱ', '')
    """
    return split(word[-1:]).final


def with_final(word: str, consonant: str) -> str:
    """Replaces the final consonant of the last syllable.

    Args:
        word: a word that ends in a Hangul syllable.
        consonant: one of `FINALS`; empty removes the final consonant.

    >>> with_final("가", "ㅆ"), with_final("만들", "")
    ('갔', '만드')
    """
    lead, vowel, _ = split(word[-1:])
    return word[:-1] + join(lead, vowel, consonant)


def attach(noun: str, particle: str) -> str:
    """Attaches the form of a particle that fits the noun's last sound.

    Args:
        noun: a noun that ends in a Hangul syllable.
        particle: a key of `PARTICLES`, the form after a consonant first.

    Raises:
        ValueError: if `particle` is not such a key.

    >>> [attach(noun, "을/를") for noun in ("책", "커피")]
    ['책을', '커피를']
    >>> [attach(noun, "으로/로") for noun in ("손", "버스", "연필")]
    ['손으로', '버스로', '연필로']
    """
    if particle not in PARTICLES:
        raise ValueError(
            f"`particle` must be one of {sorted(PARTICLES)}. "
            f"Received: particle={particle!r}"
        )
    closed, opened = PARTICLES[particle]
    consonant = final(noun)
    # 로 treats a final ㄹ as it treats a vowel: 연필로, not 연필으로.
    is_open = not consonant or (consonant == "ㄹ" and particle == "으로/로")
    return noun + (opened if is_open else closed)
