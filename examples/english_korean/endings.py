"""Endings of Korean sentences and clauses: tense, negation, politeness, mood."""

from .conjugation import (
    Verb,
    formal,
    honored,
    infinitive,
    join_eu,
    past_stem,
    polite,
    suppleted,
)

TENSES = ("present", "past", "future", "progressive", "can", "must", "want")

_EXIST = Verb("있", honorific="계시")
_LACK = Verb("없")
_DO = Verb("하")
_WISH = Verb("싶")
_NOT = Verb("않")


def finish(
    verb: Verb,
    tense: str = "present",
    *,
    honorific: bool = False,
    is_formal: bool = False,
    question: bool = False,
) -> str:
    """Ends a sentence with a verb in the present, past or future.

    Args:
        verb: the last verb.
        tense: `"present"`, `"past"` or `"future"`. Defaults to `"present"`.
        honorific: honours the subject. Defaults to `False`.
        is_formal: 습니다 instead of 아요/어요. Defaults to `False`.
        question: whether it asks. Defaults to `False`.

    >>> finish(Verb("쓰"), "past"), finish(Verb("쓰"), "future", is_formal=True)
    ('썼어요', '쓸 겁니다')
    """
    verb = honored(verb, honorific)
    if tense == "future":
        last = formal("거", question) if is_formal else "거예요"
        return join_eu(verb, "을") + " " + last
    if tense == "past":
        stem = past_stem(verb)
        return formal(stem, question) if is_formal else stem + "어요"
    return formal(verb.stem, question) if is_formal else polite(verb)


def auxiliary(
    verb: Verb,
    tense: str,
    *,
    negative: bool = False,
    honorific: bool = False,
    other: bool = False,
) -> tuple[str, Verb, str, bool]:
    """Reduces a tense to auxiliaries: the words before the last verb, and that verb.

    Args:
        verb: the main verb.
        tense: one of `TENSES`.
        negative: negates, with 지 않다 or with the verb's opposite.
        honorific: honours the subject.
        other: the subject is neither speaker nor hearer, so a wish is 싶어 하다.

    Returns:
        The words before, the last verb, its tense, and whether it still takes 시.

    Raises:
        ValueError: if `tense` is not one of `TENSES`, or is a negated `"must"`.

    >>> auxiliary(Verb("읽"), "progressive")[0], auxiliary(Verb("읽"), "can")[0]
    ('읽고 ', '읽을 수 ')
    """
    if tense not in TENSES or (tense == "must" and negative):
        raise ValueError(
            f"`tense` must be one of {TENSES}, and 'must' affirmative. "
            f"Received: tense={tense!r}, negative={negative}"
        )
    if tense == "can":
        before = join_eu(honored(verb, honorific), "을") + " 수 "
        return before, _LACK if negative else _EXIST, "present", False
    if tense == "must":
        return infinitive(honored(verb, honorific)) + "야 ", _DO, "present", False
    before = ""
    if tense == "progressive":
        before, verb = suppleted(verb, honorific).stem + "고 ", _EXIST
    elif tense == "want":
        before, verb = suppleted(verb, honorific).stem + "고 ", _WISH
        if other:
            before, verb = before + "싶어 ", _DO
    final_tense = tense if tense in ("past", "future") else "present"
    if negative and verb.opposite:
        verb = verb.opposite
    elif negative:
        before += suppleted(verb, honorific).stem + "지 "
        verb = _NOT
    return before, verb, final_tense, honorific


def conjugate(
    verb: Verb,
    tense: str = "present",
    *,
    negative: bool = False,
    honorific: bool = False,
    other: bool = False,
    is_formal: bool = False,
    question: bool = False,
) -> str:
    """Ends a sentence with a verb in any tense, with auxiliaries where needed.

    Args:
        verb: the main verb.
        tense: one of `TENSES`. Defaults to `"present"`.
        negative: see `auxiliary`. Defaults to `False`.
        honorific: see `auxiliary`. Defaults to `False`.
        other: see `auxiliary`. Defaults to `False`.
        is_formal: see `finish`. Defaults to `False`.
        question: see `finish`. Defaults to `False`.

    >>> conjugate(Verb("읽"), "progressive", honorific=True)
    '읽고 계세요'
    >>> conjugate(Verb("사"), "want", other=True, negative=True)
    '사고 싶어 하지 않아요'
    """
    before, last, last_tense, honors = auxiliary(
        verb, tense, negative=negative, honorific=honorific, other=other
    )
    return before + finish(
        last, last_tense, honorific=honors, is_formal=is_formal, question=question
    )


def connect(verb: Verb, tense: str, ending: str, honorific: bool = False) -> str:
    """Ends a clause that another follows.

    Args:
        verb: the verb.
        tense: `"present"` or `"past"`; the past is heard in 지만 alone.
        ending: `"고"` (and), `"지만"` (but), `"아서"` (because), `"으면"` (if) or
            `"으러"` (in order to).
        honorific: honours the subject. Defaults to `False`.

    >>> connect(Verb("먹"), "past", "고"), connect(Verb("먹"), "past", "지만")
    ('먹고', '먹었지만')
    >>> connect(Verb("바쁘"), "past", "아서"), connect(Verb("팔"), "present", "으러")
    ('바빠서', '팔러')
    """
    verb = honored(verb, honorific)
    if ending == "아서":
        return infinitive(verb) + "서"
    if ending.startswith("으"):
        return join_eu(verb, ending)
    if ending == "지만" and tense == "past":
        return past_stem(verb) + ending
    return verb.stem + ending


def request(verb: Verb, *, favor: bool = False, is_formal: bool = False) -> str:
    """Asks somebody to do something, with 으세요/으십시오 or 아/어 주세요/주십시오.

    Args:
        verb: the verb.
        favor: asks to do it for somebody's sake. Defaults to `False`.
        is_formal: 십시오 instead of 세요. Defaults to `False`.

    >>> request(Verb("앉"), is_formal=True), request(Verb("열"), favor=True)
    ('앉으십시오', '열어 주세요')
    """
    if favor:
        # 도와주다 is one word in the dictionary, the others are two
        space = "" if verb.stem == "돕" else " "
        verb = Verb(f"{infinitive(verb)}{space}주")
    return honored(verb).stem[:-1] + ("십시오" if is_formal else "세요")


def forbid(verb: Verb, *, is_formal: bool = False) -> str:
    """Asks somebody not to do something, with 지 마세요/마십시오.

    Args:
        verb: the verb.
        is_formal: 마십시오 instead of 마세요. Defaults to `False`.

    >>> forbid(Verb("먹", honorific="드시"))
    '드시지 마세요'
    """
    return suppleted(verb).stem + "지 " + request(Verb("말"), is_formal=is_formal)


def propose(verb: Verb) -> str:
    """Proposes to do something together, with 읍시다/ㅂ시다.

    Args:
        verb: the verb.

    >>> propose(Verb("먹")), propose(Verb("만들")), propose(Verb("걷", "ㄷ"))
    ('먹읍시다', '만듭시다', '걸읍시다')
    """
    return join_eu(verb, "읍시다")
