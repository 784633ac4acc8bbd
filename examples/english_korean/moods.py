"""Random tenses, moods, times and questions: what every clause pattern needs."""

from dataclasses import replace

from .grammar import WHO, Clause, Head, NounPhrase, Phrase
from .hangul import attach
from .lexicon import MEALS, THINGS, TIMES
from .noun_phrases import CLOSE, Sampler, doer, other_person
from .predicates import MODAL, SLOW, SUBJECT_OBJECTS

TENSE_WEIGHTS = {
    "daily": 13.0,
    "weekly": 13.0,
    "progressive": 5.0,
    "past": 7.0,
    "future": 4.0,
    "can": 2.0,
    "must": 2.0,
    "want": 3.0,
    "present": 8.0,
    "please": 1.5,
    "propose": 1.5,
}
HABITS = ("daily", "weekly")
ASKER = NounPhrase("who", WHO)
ASKED = {
    "where": Phrase("place", "where", "어디에서", position="front"),
    "where in": Phrase("location", "where", "어디에", position="front"),
    "where to": Phrase("goal", "where", "어디에", position="front"),
    "when": Phrase("time", "when", "언제", position="front"),
    "why": Phrase("reason", "why", "왜", position="front"),
    "how": Phrase("means", "how", "어떻게", position="front"),
    "what": Phrase("object", "what", "무엇을", position="front"),
    "whom": Phrase("object", "who", "누구를", position="front"),
}
# 하다 alone would ask what somebody did, not what somebody played
NOT_ASKED_WHAT = ("play", "clean")


def draw_tense(sampler: Sampler, rhythm: str, tenses: str = MODAL) -> str:
    """Draws a tense, a habit counting as the tense of its rhythm.

    Args:
        sampler: the source of chance.
        rhythm: `"daily"`, `"weekly"` or `""`.
        tenses: the others, separated by spaces.
    """
    allowed = [*tenses.split(), rhythm]
    return sampler.weighted(
        {tense: TENSE_WEIGHTS[tense] for tense in allowed if tense in TENSE_WEIGHTS}
    )


def draw_mood(sampler: Sampler, tense: str) -> tuple[bool, bool]:
    """Draws whether a clause negates and whether it asks.

    Args:
        sampler: the source of chance.
        tense: the tense.
    """
    if tense in ("must", "propose"):
        return False, False
    negative = sampler.chance(0.22)
    can_ask = tense != "please" and not negative
    return negative, can_ask and sampler.chance(0.3)


def time_phrase(word: str) -> Phrase:
    """Makes the phrase of a time.

    Args:
        word: a key of `TIMES`.
    """
    position = "middle" if TIMES[word].middle else ""
    return Phrase("time", word, TIMES[word].korean, position=position)


def draw_time(sampler: Sampler, clause: Clause, tense: str) -> tuple[Phrase, ...]:
    """Draws a time that fits the tense, mood and objects; habits always have one.

    Args:
        sampler: the source of chance.
        clause: the clause.
        tense: its tense, or the rhythm of its habit.
    """
    words = {word for phrase in clause.phrases for word in phrase.words}
    words |= {pair.argument for phrase in clause.phrases for pair in phrase.pairs}
    meal = not words.isdisjoint(MEALS)
    fitting = [
        word
        for word, time in TIMES.items()
        if tense in time.tenses.split()
        and not (meal and time.part_of_day)
        and (clause.head.word not in SLOW.split() or word in ("now", "last month"))
        and (time.negative or not clause.negative)
        and (time.question or not clause.question)
    ]
    if not fitting or not (tense in HABITS or sampler.chance(0.5)):
        return ()
    return (time_phrase(sampler.pick(fitting)),)


def draw_subject(
    sampler: Sampler, allowed: str, tense: str, *, question: bool, varied: bool
) -> NounPhrase | None:
    """Draws the subject that a tense and a mood allow.

    Args:
        sampler: the source of chance.
        allowed: see `noun_phrases.doer`.
        tense: the tense, or the rhythm of a habit.
        question: whether the clause asks.
        varied: see `noun_phrases.doer`.
    """
    if tense in ("please", "propose"):
        return None
    return doer(sampler, allowed, question=question, varied=varied)


def companion(
    sampler: Sampler, subject: NounPhrase | None, *, close: bool = True
) -> Phrase:
    """Draws somebody who takes part.

    Args:
        sampler: the source of chance.
        subject: the subject.
        close: a friend or relative, or somebody known by name. Defaults to `True`.
    """
    group = CLOSE if close else ()
    somebody = other_person(sampler, subject, honored=True, group=group)
    name, korean = f"with {somebody.english}", attach(somebody.korean, "과/와")
    return Phrase("companion", name, korean, somebody.words)


def ask(sampler: Sampler, clause: Clause) -> Clause:
    """Turns a yes-no question into a question about one of its parts.

    Args:
        sampler: the source of chance.
        clause: an affirmative question.
    """
    roles = {phrase.role: phrase for phrase in clause.phrases}
    verb = clause.head.word
    askable = {"who": ""}
    thing = roles.get("object")
    if thing and not thing.pairs and verb not in NOT_ASKED_WHAT:
        askable["what" if set(thing.words) <= set(THINGS) else "whom"] = "object"
    if "place" in roles and verb != "borrow":
        askable["where"] = "place"
    if "location" in roles:
        askable["where in"] = "location"
    if "goal" in roles and verb == "go":
        askable["where to"] = "goal"
    if clause.tense in ("past", "future"):
        askable |= {"when": "time"} | ({"how": "means"} if "goal" in roles else {})
    if clause.tense in ("past", "progressive"):
        askable["why"] = "reason"
    # English tells "who" the object from "who" the subject by order alone
    asked = "whom" if "whom" in askable else sampler.pick(tuple(askable))
    if asked == "whom" and sampler.chance(0.3):
        asked = "who"
    if asked == "who":
        return replace(clause, subject=ASKER)
    kept = tuple(part for part in clause.phrases if part.role != askable[asked])
    return replace(clause, phrases=(*kept, ASKED[asked]))


def begin(
    sampler: Sampler, head: Head, subjects: str, tense: str
) -> tuple[Clause, bool]:
    """Draws the mood and the subject of a clause.

    Args:
        sampler: the source of chance.
        head: the predicate.
        subjects: see `noun_phrases.doer`.
        tense: the tense, or the rhythm of a habit.

    Returns:
        The clause, and whether a part of it is to be asked for.
    """
    negative, question = draw_mood(sampler, tense)
    varied = tense in ("past", "progressive") and not (
        # two nouns in 이/가 would follow one another
        negative or question or head.word in SUBJECT_OBJECTS
    )
    subject = draw_subject(sampler, subjects, tense, question=question, varied=varied)
    clause = Clause(
        head, subject, "present" if tense in HABITS else tense, negative, question
    )
    return clause, question and sampler.chance(0.4)


def complete(
    sampler: Sampler, clause: Clause, tense: str, asks: bool, together: bool
) -> Clause:
    """Asks for a part of a clause, and draws a companion and a time.

    Args:
        sampler: the source of chance.
        clause: the clause.
        tense: its tense, or the rhythm of its habit.
        asks: whether a part is asked for.
        together: whether there may be a companion.
    """
    if asks:
        clause = ask(sampler, clause)
    if together and sampler.chance(0.12):
        clause = clause.having(companion(sampler, clause.subject))
    if not any(phrase.role == "time" for phrase in clause.phrases):
        clause = clause.having(*draw_time(sampler, clause, tense))
    return clause
