"""Whole sentences: the patterns of the corpus, said in both languages."""

from collections.abc import Callable
from typing import NamedTuple

from . import actions, compounds, descriptions, surroundings
from .compounds import Utterance
from .english import plural, verb_forms
from .grammar import Clause, Relation, say_english, say_korean
from .lexicon import PEOPLE, PLACES, THINGS, VOCATIVES
from .noun_phrases import Sampler
from .predicates import ADJECTIVES, VERBS, WEATHER

SHORTEST, LONGEST = 3, 12

PATTERNS: dict[Callable[[Sampler], Clause | Utterance], float] = {
    actions.do: 50,
    actions.give: 7,
    actions.move: 7,
    actions.move_to_do: 5,
    actions.arrive: 2,
    actions.live: 2,
    actions.state: 8,
    descriptions.somebody_is: 7,
    descriptions.something_is: 10,
    descriptions.something_is_both: 2,
    descriptions.how_is: 0.6,
    descriptions.profession: 3,
    descriptions.identity: 2,
    descriptions.naming: 2,
    surroundings.there_is: 4,
    surroundings.located: 4,
    surroundings.weather: 3,
    surroundings.how_weather_is: 2.2,
    compounds.one_after_another: 4,
    compounds.contrast: 3,
    compounds.because_of_weather: 3,
    compounds.because_of_oneself: 2,
    compounds.if_weather: 3,
}
# what predicates take as arguments; other phrases only stand beside them
ARGUMENTS = (
    "object",
    "recipient",
    "goal",
    "place",
    "location",
    "scene",
    "means",
    "companion",
)


class Sentence(NamedTuple):
    """A pair of sentences, and what the split needs to know of it.

    Args:
        english: the English sentence.
        korean: its translation.
        relations: which content word says what of which other.
        roles: each content word with its role.
    """

    english: str
    korean: str
    relations: frozenset[Relation]
    roles: frozenset[tuple[str, str]]


def _relations(clause: Clause) -> set[Relation]:
    head, relations = clause.head.word, set()
    if clause.subject:
        relations |= set(clause.subject.pairs)
        relations |= {Relation("subject", head, word) for word in clause.subject.words}
    for phrase in clause.phrases:
        relations |= set(phrase.pairs)
        if phrase.role in ARGUMENTS:
            relations |= {Relation(phrase.role, head, word) for word in phrase.words}
    return {relation for relation in relations if relation.head}


def _roles(clause: Clause) -> set[tuple[str, str]]:
    roles = {("predicate", clause.head.word)} if clause.head.word else set()
    if clause.subject:
        roles |= {("subject", word) for word in clause.subject.words}
    for phrase in clause.phrases:
        roles |= {(phrase.role, word) for word in phrase.words}
        for pair in phrase.pairs:
            roles.add((f"{pair.kind} head", pair.head))
            roles.add((f"{pair.kind}", pair.argument))
    return roles


def compose(utterance: Utterance, vocative: str = "", formal: bool = False) -> Sentence:
    """Says an utterance in both languages.

    Args:
        utterance: the clauses.
        vocative: a key of `VOCATIVES`: who is addressed, and so formally. Defaults
            to nobody.
        formal: formal endings without a vocative, as in introductions.

    >>> name = Utterance((descriptions.name_is("Dooli"),))
    >>> compose(name, formal=True)[:2]
    ('My name is Dooli.', '내 이름은 둘리입니다.')
    >>> compose(name, "Professor").korean
    '교수님, 제 이름은 둘리입니다.'
    """
    clauses = utterance.clauses
    english = utterance.joint.join(say_english(clause) for clause in clauses)
    english = f"{vocative}, {english}" if vocative else english[0].upper() + english[1:]
    endings = (utterance.ending,) * (len(clauses) - 1) + ("",)
    humble = bool(vocative)
    korean = " ".join(
        say_korean(clause, formal=formal or humble, humble=humble, ending=ending)
        for clause, ending in zip(clauses, endings, strict=True)
    )
    korean = f"{VOCATIVES[vocative]}, {korean}" if vocative else korean
    mark = "?" if clauses[-1].question else "."
    return Sentence(
        english + mark,
        korean + mark,
        frozenset().union(*map(_relations, clauses)),
        frozenset().union(*map(_roles, clauses)),
    )


def draw(sampler: Sampler) -> Sentence:
    """Draws one sentence of 3 to 12 English words.

    Args:
        sampler: the source of chance.
    """
    while True:
        pattern = sampler.weighted(PATTERNS)
        drawn = pattern(sampler)
        utterance = Utterance((drawn,)) if isinstance(drawn, Clause) else drawn
        vocative = sampler.pick(tuple(VOCATIVES)) if sampler.chance(0.3) else ""
        if vocative != "Everyone" and any(
            clause.tense == "propose" for clause in utterance.clauses
        ):
            vocative = ""
        sentence = compose(utterance, vocative, pattern is descriptions.naming)
        names_teacher = any(word == "teacher" for _, word in sentence.roles)
        # 선생님 would be both the teacher and the sir
        if vocative == "Sir" and names_teacher:
            continue
        if SHORTEST <= len(sentence.english.split()) <= LONGEST:
            return sentence


def content_forms() -> dict[str, frozenset[str]]:
    """Lists every content word with all its spellings in the corpus.

    >>> sorted(content_forms()["study"])
    ['studied', 'studies', 'study', 'studying']
    """
    forms = {verb: frozenset(verb_forms(verb)) for verb in VERBS}
    for word in (*ADJECTIVES, *WEATHER):
        forms[word] = frozenset({word})
    for word in (*PEOPLE, *THINGS, *PLACES):
        forms[word] = frozenset({word, plural(word)})
    return forms
