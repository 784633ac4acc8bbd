"""Clauses, and how each is said in English and in Korean.

A `Clause` is the meaning; `say_english` and `say_korean` put its phrases into the
order of their language.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from . import endings, english
from .conjugation import Verb
from .hangul import attach

ENGLISH_ORDER = (
    "complement",
    "object",
    "recipient",
    "goal",
    "means",
    "companion",
    "place",
    "location",
    "scene",
    "purpose",
    "time",
    "reason",
)
KOREAN_ORDER = (
    "setting",
    "subject",
    "time",
    "reason",
    "companion",
    "means",
    "purpose",
    "scene",
    "place",
    "location",
    "goal",
    "recipient",
    "object",
)
WHO = "누구"
# the words for the speaker: plain, and humble towards somebody addressed formally
SPEAKER = {
    False: {"I": "나", "my": "내", "our": "우리", "we": "우리"},
    True: {"I": "저", "my": "제", "our": "저희", "we": "저희"},
}


class Relation(NamedTuple):
    """A content word that says something of another, such as (object, read, book)."""

    kind: str
    head: str
    argument: str


@dataclass(frozen=True)
class NounPhrase:
    """A noun with what stands before it.

    Args:
        english: its English words.
        korean: its Korean words without a particle; `{I}`, `{my}`, `{our}` and
            `{we}` stand for the speaker. Empty where Korean says nothing.
        words: its nouns, as content words.
        pairs: relations inside it, such as an adjective and its noun.
        agreement: a key of `english.BE_PRESENT`. Defaults to `"it"`.
        honored: verbs honour it as their subject. Defaults to `False`.
        particle: what marks it as a subject: `"은/는"`, `"이/가"` or `"께서는"`.
    """

    english: str
    korean: str
    words: tuple[str, ...] = ()
    pairs: tuple[Relation, ...] = ()
    agreement: str = "it"
    honored: bool = False
    particle: str = "은/는"


@dataclass(frozen=True)
class Phrase:
    """A part of a clause other than subject and verb, ready to be said.

    Args:
        role: an entry of `ENGLISH_ORDER` or `KOREAN_ORDER`.
        english: its English words, preposition included.
        korean: its Korean words, particle included.
        words: the content words it brings to the predicate.
        pairs: relations inside it, such as an adjective and its noun.
        position: of the English words: `""` by role, `"front"` for question words
            and conditions, `"middle"` for adverbs before the main verb.
    """

    role: str
    english: str
    korean: str
    words: tuple[str, ...] = ()
    pairs: tuple[Relation, ...] = ()
    position: str = ""


@dataclass(frozen=True)
class Head:
    """A predicate in both languages.

    Args:
        word: its content word, for the split; empty if it has none.
        korean: the Korean verb, adjective or copula.
        english: the English verb. Defaults to `"be"`.
        preposition: between the English verb and its object.
        favor: a request asks for a favour, with 아/어 주세요.
    """

    word: str
    korean: Verb
    english: str = "be"
    preposition: str = ""
    favor: bool = False


@dataclass(frozen=True)
class Clause:
    """One subject and one predicate with their phrases.

    Args:
        head: the predicate.
        subject: the subject; `None` in requests and proposals. `WHO` as its Korean
            asks for it.
        tense: one of `endings.TENSES`, `"please"` or `"propose"`.
        negative: whether it negates.
        question: whether it asks.
        phrases: the other parts, in any order.
    """

    head: Head
    subject: NounPhrase | None
    tense: str = "present"
    negative: bool = False
    question: bool = False
    phrases: tuple[Phrase, ...] = ()

    def having(self, *phrases: Phrase) -> "Clause":
        """Adds phrases.

        Args:
            *phrases: the parts to add.
        """
        return replace(self, phrases=self.phrases + phrases)


def subject_korean(subject: NounPhrase) -> str:
    """Marks a noun phrase as the subject.

    Args:
        subject: the noun phrase; without Korean words the result is empty.

    >>> subject_korean(NounPhrase("the student", "학생"))
    '학생은'
    >>> subject_korean(NounPhrase("I", "{I}"))
    '{I}는'
    """
    if not subject.korean:
        return ""
    if subject.korean == WHO:
        return "누가"
    if subject.korean.endswith("}"):
        return subject.korean + "는"
    if subject.particle == "께서는":
        return subject.korean + "께서는"
    return attach(subject.korean, subject.particle)


def _joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


def say_english(clause: Clause) -> str:
    """Says a clause in English, without capital and full stop.

    Args:
        clause: the clause.

    >>> read = Head("read", Verb("읽"), "read")
    >>> book = Phrase("object", "a book", "책을", ("book",))
    >>> student = NounPhrase("the student", "학생", ("student",))
    >>> say_english(Clause(read, student, "past", question=True, phrases=(book,)))
    'did the student read a book'
    """
    front, middle = (
        [phrase.english for phrase in clause.phrases if phrase.position == position]
        for position in ("front", "middle")
    )
    rest = [
        phrase.english
        for role in ENGLISH_ORDER
        for phrase in clause.phrases
        if phrase.role == role and not phrase.position
    ]
    if clause.subject is None:
        opening = "let's" if clause.tense == "propose" else "please"
        opening += " do not" if clause.negative else ""
        verb = [clause.head.english, clause.head.preposition]
        return _joined([opening, *verb, *rest])
    inverted = clause.question and clause.subject.korean != WHO
    first, main = english.verb_group(
        clause.head.english,
        clause.tense,
        clause.subject.agreement,
        negative=clause.negative,
        question=inverted,
    )
    start = [clause.subject.english, first]
    start = start[::-1] if inverted else start
    return _joined([*front, *start, *middle, main, clause.head.preposition, *rest])


def korean_verb(clause: Clause, *, formal: bool, ending: str = "") -> str:
    """Conjugates the Korean verb of a clause.

    Args:
        clause: the clause.
        formal: 습니다 instead of 아요/어요.
        ending: the connective of `endings.connect`; empty ends the sentence.
    """
    verb, subject = clause.head.korean, clause.subject
    if subject is None:
        if clause.tense == "propose":
            return endings.propose(verb)
        if clause.negative:
            return endings.forbid(verb, is_formal=formal)
        return endings.request(verb, favor=clause.head.favor, is_formal=formal)
    # somebody addressed formally is honoured as the subject of a question
    honorific = subject.honored or (formal and subject.agreement == "you")
    if ending:
        return endings.connect(verb, clause.tense, ending, honorific)
    return endings.conjugate(
        verb,
        clause.tense,
        negative=clause.negative,
        honorific=honorific,
        other=subject.agreement in ("it", "they"),
        is_formal=formal,
        question=clause.question,
    )


def say_korean(
    clause: Clause, *, formal: bool = False, humble: bool = False, ending: str = ""
) -> str:
    """Says a clause in Korean, without full stop.

    Args:
        clause: the clause.
        formal: 습니다 instead of 아요/어요. Defaults to `False`.
        humble: humble words for the speaker. Defaults to `False`.
        ending: a connective, see `endings.connect`; empty ends the sentence.

    >>> read = Head("read", Verb("읽"), "read")
    >>> book = Phrase("object", "a book", "책을", ("book",))
    >>> student = NounPhrase("the student", "학생", ("student",))
    >>> say_korean(Clause(read, student, "past", phrases=(book,)))
    '학생은 책을 읽었어요'
    """
    parts = []
    for role in KOREAN_ORDER:
        if role == "subject" and clause.subject:
            parts.append(subject_korean(clause.subject))
        parts += [phrase.korean for phrase in clause.phrases if phrase.role == role]
    parts.append(korean_verb(clause, formal=formal, ending=ending))
    return _joined(parts).format(**SPEAKER[humble])
