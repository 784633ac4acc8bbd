"""Random clauses about what or how somebody or something is."""

from dataclasses import replace

from .conjugation import Verb, copula
from .endings import connect
from .english import with_article
from .grammar import Clause, Head, NounPhrase, Phrase, Relation
from .lexicon import (
    CITIES,
    DEMONSTRATIVES,
    PEOPLE,
    PROFESSIONS,
    THINGS,
)
from .moods import ASKER, draw_mood, draw_tense, time_phrase
from .noun_phrases import (
    HONORED,
    NAMES,
    OTHERS,
    Sampler,
    doer,
    known_thing,
    person,
)
from .predicates import ADJECTIVES

JUDGED = (
    "coffee tea soup pizza cake bread fish lunch dinner book novel movie song hotel "
    "museum park beach cafe"
)
SO = Phrase("complement", "how", "", position="front")
HOW = Verb("어떻", "ㅎ")
PERSONAL = tuple(word for word in ADJECTIVES if ADJECTIVES[word].nouns == "people")
FAMOUS = "singer writer actor doctor lawyer chef Dooli Minji Jihun Sumin Yuna Hyejin"
IMPERSONAL = tuple(
    word
    for word, adjective in ADJECTIVES.items()
    if word not in PERSONAL and not adjective.adnominal
)
ADJECTIVE_PAIRS = (
    ("small", "but", "expensive"),
    ("big", "but", "light"),
    ("pretty", "but", "heavy"),
    ("beautiful", "but", "difficult"),
    ("difficult", "but", "interesting"),
    ("long", "but", "interesting"),
    ("short", "but", "beautiful"),
    ("fast", "but", "expensive"),
    ("big", "but", "quiet"),
    ("white", "and", "pretty"),
    ("red", "and", "big"),
    ("cheap", "and", "delicious"),
    ("cheap", "and", "light"),
    ("small", "and", "quiet"),
    ("big", "and", "heavy"),
    ("long", "and", "beautiful"),
    ("short", "and", "easy"),
)
TENSES = dict.fromkeys(("busy", "famous", "healthy"), "present past future")
TENSES["tall"] = "present"
CHANGING = ("busy", "tired", "sick", "hungry")


def with_mood(sampler: Sampler, clause: Clause) -> Clause:
    """Draws whether a clause negates or asks.

    Args:
        sampler: the source of chance.
        clause: the clause.
    """
    negative, question = draw_mood(sampler, clause.tense)
    return replace(clause, negative=negative, question=question)


def complement(english: str) -> Phrase:
    """Makes the English words after be that the Korean predicate holds already.

    Args:
        english: the words.
    """
    return Phrase("complement", english, "")


def somebody_is(sampler: Sampler) -> Clause:
    """Draws a clause about how somebody is.

    Args:
        sampler: the source of chance.
    """
    word = sampler.pick(PERSONAL)
    tense = draw_tense(sampler, "", TENSES.get(word, "present past"))
    clause = with_mood(
        sampler,
        Clause(Head(word, ADJECTIVES[word].korean), None, tense),
    )
    allowed = FAMOUS if word == "famous" else ""
    subject = doer(sampler, allowed, question=clause.question, varied=False)
    if clause.question and sampler.chance(0.3):
        subject = ASKER
    clause = replace(clause, subject=subject).having(complement(word))
    times = {
        "present": ("today", "now"),
        "past": ("yesterday", "last week"),
        "future": ("tomorrow", "next week"),
    }[clause.tense]
    if word in CHANGING and sampler.chance(0.6):
        clause = clause.having(time_phrase(sampler.pick(times)))
    return clause


def thing_subject(sampler: Sampler, word: str) -> NounPhrase:
    """Draws the words before a thing or place that something is said of.

    Args:
        sampler: the source of chance.
        word: a key of `THINGS` or `PLACES`.
    """
    subject = known_thing(word)
    if word in CITIES or (word in THINGS and THINGS[word].kind == "bare"):
        return subject
    determiners = {"the": 4.0, "this": 1.5, "that": 1.5}
    if word in THINGS and THINGS[word].own:
        determiners["my"] = 2.0
    chosen = sampler.weighted(determiners)
    if chosen == "the" or (word in THINGS and THINGS[word].kind == "plural"):
        return subject
    before = DEMONSTRATIVES.get(chosen, "{my}")
    korean = f"{before} {subject.korean}"
    return NounPhrase(f"{chosen} {word}", korean, (word,))


def something_is(sampler: Sampler) -> Clause:
    """Draws a clause about how something is.

    Args:
        sampler: the source of chance.
    """
    word = sampler.pick(IMPERSONAL)
    thing = sampler.pick(ADJECTIVES[word].nouns.split())
    tense = draw_tense(sampler, "", "present past")
    subject = thing_subject(sampler, thing)
    clause = Clause(Head(word, ADJECTIVES[word].korean), subject, tense)
    return with_mood(sampler, clause).having(complement(word))


def how_is(sampler: Sampler) -> Clause:
    """Draws a question about how something is.

    Args:
        sampler: the source of chance.
    """
    tense = draw_tense(sampler, "", "present past")
    word = sampler.pick(JUDGED.split())
    subject = thing_subject(sampler, word)
    return Clause(Head("", HOW), subject, tense, question=True, phrases=(SO,))


def something_is_both(sampler: Sampler) -> Clause:
    """Draws a clause with two adjectives, joined by and or but.

    Args:
        sampler: the source of chance.
    """
    first, joint, second = sampler.pick(ADJECTIVE_PAIRS)
    others = ADJECTIVES[second].nouns.split()
    thing = sampler.pick(
        [noun for noun in ADJECTIVES[first].nouns.split() if noun in others]
    )
    tense = draw_tense(sampler, "", "present past")
    subject = thing_subject(sampler, thing)
    ending = {"and": "고", "but": "지만"}[joint]
    korean = connect(ADJECTIVES[first].korean, tense, ending)
    # the first adjective stands where an object would, before the last one
    before = Phrase("object", "", korean, pairs=(Relation("subject", first, thing),))
    clause = Clause(Head(second, ADJECTIVES[second].korean), subject, tense)
    return clause.having(complement(f"{first} {joint} {second}"), before)


def profession(sampler: Sampler) -> Clause:
    """Draws a clause about somebody's profession.

    Args:
        sampler: the source of chance.
    """
    word = sampler.pick(PROFESSIONS.split())
    clause = with_mood(
        sampler,
        Clause(
            Head(word, copula(PEOPLE[word].korean)),
            None,
            draw_tense(sampler, "", "present past"),
        ),
    )
    allowed = " ".join((*NAMES, *HONORED[:4], "friend", "cousin", "I", "you"))
    subject = doer(sampler, allowed, question=clause.question)
    return replace(clause, subject=subject).having(complement(with_article(word)))


def identity(sampler: Sampler) -> Clause:
    """Draws a clause about what this or that is.

    Args:
        sampler: the source of chance.
    """
    which = sampler.pick(tuple(DEMONSTRATIVES))
    subject = NounPhrase(which, DEMONSTRATIVES[which] + "것")
    countable = [word for word, thing in THINGS.items() if thing.kind == "count"]
    word = sampler.pick(countable)
    mine = THINGS[word].own and sampler.chance(0.5)
    korean = ("{my} " if mine else "") + THINGS[word].korean
    clause = Clause(Head(word, copula(korean)), subject)
    name = f"my {word}" if mine else with_article(word)
    return with_mood(sampler, clause).having(complement(name))


def name_is(name: str, owner: str = "") -> Clause:
    """Makes a clause that tells somebody's name.

    Args:
        name: a name of `PEOPLE`.
        owner: a role or relative of `PEOPLE`. Defaults to the speaker.

    >>> from .grammar import say_english
    >>> say_english(name_is("Dooli")), say_english(name_is("Yuna", "nurse"))
    ('my name is Dooli', "the nurse's name is Yuna")
    """
    subject = NounPhrase("my name", "{my} 이름")
    if owner:
        who = person(owner)
        korean = f"{who.korean}의 이름"
        subject = NounPhrase(f"{who.english}'s name", korean, who.words)
    clause = Clause(Head(name, copula(PEOPLE[name].korean)), subject)
    return clause.having(complement(name))


def naming(sampler: Sampler) -> Clause:
    """Draws a clause that tells somebody's name.

    Args:
        sampler: the source of chance.
    """
    name = sampler.pick(NAMES)
    if sampler.chance(0.2):
        return name_is(name)
    return with_mood(sampler, name_is(name, sampler.pick(OTHERS)))
