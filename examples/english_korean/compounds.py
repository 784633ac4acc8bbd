"""Random sentences of two clauses: and, but, because, if."""

from dataclasses import replace
from typing import NamedTuple

from .actions import head_of, objects
from .conjugation import Verb
from .endings import connect
from .english import BE_PAST, BE_PRESENT
from .grammar import Clause, Phrase
from .lexicon import MEALS, PLACES, TIMES
from .moods import time_phrase
from .noun_phrases import Sampler, doer, person, place_phrase, thing_object
from .predicates import (
    ACTIONS,
    ADJECTIVES,
    EVERYDAY,
    INDOORS,
    OUTDOORS,
    VERBS,
    WEATHER,
    Action,
)


class Utterance(NamedTuple):
    """One clause or two, and what joins them.

    Args:
        clauses: the clauses in order.
        joint: the English word between them.
        ending: the Korean ending of the first, see `endings.connect`.
    """

    clauses: tuple[Clause, ...]
    joint: str = ""
    ending: str = ""


PASTS = ("yesterday", "last week", "this morning")
FUTURES = ("tomorrow", "this weekend")
OWN_REASONS = ("busy", "tired", "sick")
PUT_OFF = [
    action
    for action in ACTIONS
    if action.verb not in ("lose", "rest", "sleep", "work", "wait", "wear")
    and not action.subjects
]


def _has_meal(action: Action) -> bool:
    return any(word in MEALS for word in action.objects.split())


def one_after_another(sampler: Sampler) -> Utterance:
    """Draws two things that somebody did, joined by and.

    Args:
        sampler: the source of chance.
    """
    everyday = [action for action in ACTIONS if action.verb in EVERYDAY.split()]
    first = sampler.pick(everyday)
    second = sampler.pick(
        [
            action
            for action in everyday
            if action.verb != first.verb
            and not (_has_meal(action) and _has_meal(first))
        ]
    )
    subject = doer(sampler, "adults", varied=True)
    unsaid = replace(subject, english="", korean="", words=(), particle="은/는")
    clauses = [
        Clause(
            head_of(action.verb),
            who,
            "past",
            phrases=objects(sampler, action, who, pairs=False),
        )
        for action, who in ((first, subject), (second, unsaid))
    ]
    meals = _has_meal(first) or _has_meal(second)
    if sampler.chance(0.5):
        # the time stands last in English and before both objects in Korean
        time = time_phrase(sampler.pick(PASTS[:2] if meals else PASTS))
        clauses[0] = clauses[0].having(replace(time, english=""))
        clauses[1] = clauses[1].having(replace(time, korean=""))
    return Utterance(tuple(clauses), " and ", "고")


def contrast(sampler: Sampler) -> Utterance:
    """Draws what one did and another did not, joined by but.

    Args:
        sampler: the source of chance.
    """
    action = sampler.pick(
        [
            action
            for action in ACTIONS
            if action.verb
            in (*EVERYDAY.split(), "like", "wear", "play", "choose", "send")
            and len(action.objects.split()) > 2
        ]
    )
    words = action.objects.split()
    first = sampler.pick(words)
    second = sampler.pick([word for word in words if word != first])
    subject = doer(sampler, action.subjects)
    other = subject
    while other.words == subject.words:
        other = doer(sampler, action.subjects)
    clauses = tuple(
        Clause(
            head_of(action.verb),
            who,
            "past",
            phrases=(thing_object(sampler, action.verb, word, action.article),),
        )
        for who, word in ((subject, first), (other, second))
    )
    return Utterance(clauses, ", but ", "지만")


class Occasion(NamedTuple):
    """Weather as a reason or a condition.

    Args:
        korean: the Korean predicate.
        good: whether it draws people out.
        past: in English, as a past reason.
        present: in English, as a present reason or a condition.
    """

    korean: Verb
    good: bool
    past: str
    present: str


OCCASIONS = {
    "rain": Occasion(VERBS["rain"], False, "it rained", "it rains"),
    "snow": Occasion(VERBS["snow"], False, "it snowed", "it snows"),
    "cold": Occasion(WEATHER["cold"], False, "it was cold", "it is cold"),
    "hot": Occasion(WEATHER["hot"], False, "it was hot", "it is hot"),
    "warm": Occasion(WEATHER["warm"], True, "it was warm", "it is warm"),
}


def _weather_decides(sampler: Sampler, tense: str, good: bool) -> Clause:
    """Draws an activity indoors in bad weather and outdoors in good weather."""
    places = {
        action: tuple(
            word for word in action.places.split() if PLACES[word].outdoors == good
        )
        for action in ACTIONS
        if action.verb in (OUTDOORS if good else INDOORS).split()
    }
    action = sampler.pick([action for action in places if places[action]])
    subject = doer(sampler, action.subjects, varied=tense == "past")
    place = place_phrase(sampler.pick(places[action]))
    clause = Clause(head_of(action.verb), subject, tense)
    return clause.having(*objects(sampler, action, subject, pairs=False), place)


def because_of_weather(sampler: Sampler) -> Utterance:
    """Draws what somebody did because of the weather.

    Args:
        sampler: the source of chance.
    """
    word = sampler.pick(tuple(OCCASIONS))
    occasion = OCCASIONS[word]
    clause = _weather_decides(sampler, "past", occasion.good)
    korean = connect(occasion.korean, "past", "아서")
    clause = clause.having(
        Phrase("reason", f"because {occasion.past}", "", (word,)),
        Phrase("setting", "", korean),
    )
    return Utterance((clause,))


def because_of_oneself(sampler: Sampler) -> Utterance:
    """Draws what the speaker leaves undone because of being busy, tired or sick.

    Args:
        sampler: the source of chance.
    """
    word = sampler.pick(OWN_REASONS)
    action = sampler.pick(PUT_OFF)
    tense = sampler.pick(("past", "can"))
    subject = person(sampler.pick(("I", "we")))
    being = (BE_PAST if tense == "past" else BE_PRESENT)[subject.agreement]
    reason = Phrase(
        "reason",
        f"because {subject.english} {being} {word}",
        connect(ADJECTIVES[word].korean, "present", "아서"),
        (word,),
    )
    clause = Clause(head_of(action.verb), subject, tense, negative=True)
    undone = objects(sampler, action, subject, mood="negative")
    clause = clause.having(*undone, reason)
    if sampler.chance(0.4):
        time = sampler.pick(
            ("yesterday", "last week") if tense == "past" else ("today",)
        )
        clause = clause.having(time_phrase(time))
    return Utterance((clause,))


def if_weather(sampler: Sampler) -> Utterance:
    """Draws what somebody will do if the weather is so.

    Args:
        sampler: the source of chance.
    """
    word, time = sampler.pick(tuple(OCCASIONS)), sampler.pick(FUTURES)
    occasion = OCCASIONS[word]
    clause = _weather_decides(sampler, "future", occasion.good)
    korean = connect(occasion.korean, "present", "으면")
    condition = Phrase(
        "setting",
        f"if {occasion.present} {time},",
        f"{TIMES[time].korean} {korean}",
        (word,),
        position="front",
    )
    return Utterance((clause.having(condition),))
