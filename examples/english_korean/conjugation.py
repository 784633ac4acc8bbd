"""Stems of Korean verbs and adjectives, and how endings join them.

Three junctions make every form: an ending that begins with a consonant follows
the bare stem (`읽고`), one that begins with 으 merges with it (`읽으면`, `가면`), and
아/어 contracts with it (`읽어`, `가`, `봐`). The irregular classes change the stem
before the second and third.
"""

import dataclasses
from dataclasses import dataclass

from . import hangul

IRREGULAR = ("", "ㄷ", "ㅂ", "ㅅ", "ㅎ", "르", "시", "이")
_BRIGHT = "ㅏㅑㅗ"
_CONTRACTIONS = {
    "ㅏ": "ㅏ",
    "ㅓ": "ㅓ",
    "ㅐ": "ㅐ",
    "ㅔ": "ㅔ",
    "ㅕ": "ㅕ",
    "ㅗ": "ㅘ",
    "ㅜ": "ㅝ",
    "ㅣ": "ㅕ",
    "ㅚ": "ㅙ",
}
# these take ㅐ where the vowel harmony of 누렇다 → 누레 would give ㅔ
_POINTING = ("이렇", "그렇", "저렇", "어떻")
_H_CONTRACTIONS = {"ㅏ": "ㅐ", "ㅑ": "ㅒ", "ㅓ": "ㅔ", "ㅕ": "ㅖ"}


@dataclass(frozen=True)
class Verb:
    """A verb, an adjective or the copula, by its stem.

    Args:
        stem: the dictionary form without 다; objects may stand before it
            (`춤을 추`).
        irregular: the class, one of `IRREGULAR`: empty for a regular verb, which
            includes 하다, ㅡ and ㄹ stems, since their changes follow from the sound;
            `"시"` for an honorific stem, `"이"` for the copula 이다 and 아니다.
        honorific: a stem that replaces stem and 시 (`드시` for `먹`); empty for a
            regular honorific.
        humble: a stem used towards an honoured receiver (`드리` for `주`).
        opposite: a verb that stands for the negation (`없` for `있`).

    Raises:
        ValueError: if `irregular` is no such class or `stem` does not end in Hangul.
    """

    stem: str
    irregular: str = ""
    honorific: str = ""
    humble: str = ""
    opposite: "Verb | None" = None

    def __post_init__(self):
        """Checks the class and the stem."""
        if self.irregular not in IRREGULAR:
            raise ValueError(
                f"`irregular` must be one of {IRREGULAR}. "
                f"Received: irregular={self.irregular!r}"
            )
        hangul.final(self.stem)


def copula(noun: str) -> Verb:
    """Makes the predicate `noun` 이다, whose negation is `noun` 이/가 아니다.

    Args:
        noun: a noun that ends in a Hangul syllable.

    >>> polite(copula("의사")), polite(copula("학생"))
    ('의사예요', '학생이에요')
    """
    negative = Verb(hangul.attach(noun, "이/가") + " 아니", "이")
    return Verb(noun + "이", "이", opposite=negative)


def join_eu(verb: Verb, ending: str) -> str:
    """Joins a stem and an ending that begins with 으, 을, 은 or 읍.

    Args:
        verb: the verb.
        ending: such as `"으면"`, `"으시"`, `"을"`, `"은"`, `"읍시다"`.

    >>> eat, go, make = Verb("먹"), Verb("가"), Verb("만들")
    >>> [join_eu(verb, "으면") for verb in (eat, go, make)]
    ['먹으면', '가면', '만들면']
    >>> [join_eu(verb, "은") for verb in (eat, go, make)]
    ['먹은', '간', '만든']
    >>> join_eu(Verb("듣", "ㄷ"), "을"), join_eu(Verb("춥", "ㅂ"), "을")
    ('들을', '추울')
    """
    stem = verb.stem
    consonant, rest = hangul.final(ending[0]), ending[1:]
    if verb.irregular == "ㄷ":
        return hangul.with_final(stem, "ㄹ") + ending
    if verb.irregular == "ㅅ":
        return hangul.with_final(stem, "") + ending
    if verb.irregular == "ㅂ":
        stem = hangul.with_final(stem, "") + "우"
    elif verb.irregular == "ㅎ":
        stem = hangul.with_final(stem, "")
    elif hangul.final(stem) == "ㄹ":
        if not consonant and rest[0] in "면러":
            return stem + rest
        stem = hangul.with_final(stem, "")
    elif hangul.final(stem):
        return stem + ending
    return (hangul.with_final(stem, consonant) if consonant else stem) + rest


def infinitive(verb: Verb) -> str:
    """Gives the 아/어 form, to which 요, 서, 야 and the past ㅆ are added.

    Args:
        verb: the verb.

    >>> [infinitive(Verb(stem)) for stem in ("가", "보", "마시", "하", "쓰", "바쁘")]
    ['가', '봐', '마셔', '해', '써', '바빠']
    >>> infinitive(Verb("돕", "ㅂ")), infinitive(Verb("부르", "르"))
    ('도와', '불러')
    """
    stem, before = verb.stem, verb.stem[:-1]
    lead, vowel, consonant = hangul.split(stem[-1])
    if verb.irregular == "ㅂ":
        harmony = "와" if stem.endswith(("돕", "곱")) else "워"
        return hangul.with_final(stem, "") + harmony
    if verb.irregular == "ㅎ":
        contracted = "ㅐ" if stem.endswith(_POINTING) else _H_CONTRACTIONS[vowel]
        return before + hangul.join(lead, contracted)
    if verb.irregular == "ㄷ":
        return hangul.with_final(stem, "ㄹ") + ("아" if vowel in _BRIGHT else "어")
    if verb.irregular == "ㅅ":
        return hangul.with_final(stem, "") + ("아" if vowel in _BRIGHT else "어")
    if verb.irregular == "르":
        return hangul.with_final(before, "ㄹ") + ("라" if _is_bright(before) else "러")
    if verb.irregular == "이":
        return before + "여" if stem[-1] == "이" and _is_open(before) else stem + "어"
    if consonant:
        return stem + ("아" if vowel in _BRIGHT else "어")
    if stem[-1] == "하":
        return before + "해"
    if vowel == "ㅡ":
        return before + hangul.join(lead, "ㅏ" if _is_bright(before) else "ㅓ")
    if vowel in _CONTRACTIONS:
        return before + hangul.join(lead, _CONTRACTIONS[vowel])
    return stem + "어"


def _is_bright(text: str) -> bool:
    # the vowel harmony of 크 in 키가 크 ends at the space
    word = text.rpartition(" ")[2]
    return bool(word) and hangul.split(word[-1]).vowel in _BRIGHT


def _is_open(text: str) -> bool:
    return not hangul.final(text)


def polite(verb: Verb) -> str:
    """Gives the polite present in 아요/어요, with 세요 and 이에요/예요.

    Args:
        verb: the verb.

    >>> polite(Verb("듣", "ㄷ")), polite(Verb("읽으시", "시"))
    ('들어요', '읽으세요')
    """
    if verb.irregular == "시":
        return verb.stem[:-1] + "세요"
    if verb.irregular == "이":
        short = verb.stem[-1] == "이" and _is_open(verb.stem[:-1])
        return verb.stem[:-1] + "예요" if short else verb.stem + "에요"
    return infinitive(verb) + "요"


def past_stem(verb: Verb) -> str:
    """Gives the stem of the past, to which 어요, 습니다 and 지만 are added.

    Args:
        verb: the verb.

    >>> past_stem(Verb("짓", "ㅅ")), past_stem(copula("의사")), past_stem(Verb("오"))
    ('지었', '의사였', '왔')
    """
    return hangul.with_final(infinitive(verb), "ㅆ")


def formal(stem: str, question: bool = False) -> str:
    """Adds the formal ending 습니다/ㅂ니다, or 습니까/ㅂ니까.

    Args:
        stem: a stem, of the present or of the past.
        question: asks with 까. Defaults to `False`.

    >>> formal("읽"), formal("만들"), formal("가", question=True)
    ('읽습니다', '만듭니다', '갑니까')
    """
    ending = "니까" if question else "니다"
    if hangul.final(stem) in ("", "ㄹ"):
        return hangul.with_final(stem, "ㅂ") + ending
    return stem + "습" + ending


def suppleted(verb: Verb, honorific: bool = True) -> Verb:
    """Replaces a verb by its separate honorific word, if there is one.

    Args:
        verb: the verb.
        honorific: does nothing when `False`. Defaults to `True`.

    >>> suppleted(Verb("먹", honorific="드시")).stem, suppleted(Verb("읽")).stem
    ('드시', '읽')
    """
    return Verb(verb.honorific, "시") if honorific and verb.honorific else verb


def honored(verb: Verb, honorific: bool = True) -> Verb:
    """Adds the honorific 시, or takes the verb's separate honorific word.

    Args:
        verb: the verb.
        honorific: does nothing when `False`. Defaults to `True`.

    >>> honored(Verb("걷", "ㄷ")).stem, honored(Verb("자", honorific="주무시")).stem
    ('걸으시', '주무시')
    """
    if not honorific or verb.irregular == "시":
        return verb
    if verb.honorific:
        return suppleted(verb)
    if verb.irregular == "이" and verb.stem[-1] == "이" and _is_open(verb.stem[:-1]):
        return Verb(verb.stem[:-1] + "시", "시")
    return Verb(join_eu(verb, "으시"), "시")


def humbled(verb: Verb) -> Verb:
    """Turns a verb to its form towards an honoured receiver, if it has one.

    Args:
        verb: the verb.

    >>> polite(humbled(Verb("주", humble="드리")))
    '드려요'
    """
    return dataclasses.replace(verb, stem=verb.humble) if verb.humble else verb


def adnominal(verb: Verb) -> str:
    """Gives the form of an adjective before its noun.

    Args:
        verb: the adjective.

    >>> [adnominal(Verb(stem)) for stem in ("작", "예쁘", "길", "재미있")]
    ['작은', '예쁜', '긴', '재미있는']
    >>> adnominal(Verb("무겁", "ㅂ")), adnominal(Verb("빨갛", "ㅎ"))
    ('무거운', '빨간')
    """
    if verb.stem[-1] in "있없":
        return verb.stem + "는"
    return join_eu(verb, "은")
