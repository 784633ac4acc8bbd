"""Random clauses about what somebody does, gives, or where somebody goes."""

from dataclasses import replace

from .conjugation import humbled, suppleted
from .endings import connect
from .grammar import Clause, Head, NounPhrase, Phrase, Relation
from .hangul import attach
from .lexicon import MEALS, MEANS
from .moods import (
    ASKED,
    ASKER,
    HABITS,
    begin,
    companion,
    complete,
    draw_tense,
    draw_time,
)
from .noun_phrases import (
    Sampler,
    known_thing,
    other_person,
    place_phrase,
    thing_object,
    thing_pair,
)
from .predicates import (
    ACTIONS,
    ARRIVALS,
    DESTINATIONS,
    FAVORS,
    GIFTS,
    HOMES,
    MODAL,
    STATES,
    STATIC,
    TEACHERS,
    VERB_PREPOSITIONS,
    VERBS,
    Action,
)

TOGETHER = (
    "read eat drink buy make watch listen sing study learn clean draw play fix "
    "build rest walk swim dance"
)
PURPOSEFUL = "read eat drink buy watch study meet borrow draw"
PURPOSES = [
    action
    for action in ACTIONS
    if action.verb in PURPOSEFUL.split()
    and set(action.places.split()) & set(DESTINATIONS.split())
]
USES = {
    verb: [action for action in ACTIONS if action.verb == verb]
    for verb in dict.fromkeys(action.verb for action in ACTIONS)
}
VEHICLES = {
    "bus": "station airport hotel school museum",
    "train": "station Seoul Busan Daegu",
    "plane": "airport Seoul Busan Daegu",
}


def head_of(verb: str) -> Head:
    """Makes the predicate of an English verb.

    Args:
        verb: a key of `VERBS`.
    """
    favor = verb in FAVORS.split()
    return Head(verb, VERBS[verb], verb, VERB_PREPOSITIONS.get(verb, ""), favor)


def objects(
    sampler: Sampler,
    action: Action,
    subject: NounPhrase | None,
    *,
    mood: str = "",
    pairs: bool = True,
) -> tuple[Phrase, ...]:
    """Draws what an action is done to, if anything.

    Args:
        sampler: the source of chance.
        action: the action.
        subject: its subject.
        mood: see `noun_phrases.determined`.
        pairs: allows two things joined by and. Defaults to `True`.
    """
    words = action.objects.split()
    if action.verb == "talk":
        return (companion(sampler, subject, close=False),)
    if words == ["people"]:
        somebody = other_person(sampler, subject, honored=action.verb == "wait")
        korean = attach(somebody.korean, "을/를")
        return (Phrase("object", somebody.english, korean, somebody.words),)
    if not words:
        return ()
    first = sampler.pick(words)
    if pairs and action.article == "any" and not mood and sampler.chance(0.1):
        rest = [word for word in words if word != first and word not in MEALS]
        if rest and first not in MEALS:
            return (thing_pair(action.verb, (first, sampler.pick(rest))),)
    return (thing_object(sampler, action.verb, first, action.article, mood=mood),)


def do(sampler: Sampler) -> Clause:
    """Draws a clause about doing something.

    Args:
        sampler: the source of chance.
    """
    # half by verb, half by use: neither verbs nor their objects become rare
    verb = sampler.pick(tuple(USES)) if sampler.chance(0.5) else ""
    action = sampler.pick(USES.get(verb, ACTIONS))
    tense = draw_tense(sampler, action.rhythm, action.tenses)
    clause, asks = begin(sampler, head_of(action.verb), action.subjects, tense)
    asks = asks or (clause.question and action.objects == "people")
    mood = "habit" if tense in HABITS else "negative" if clause.negative else ""
    clause = clause.having(*objects(sampler, action, clause.subject, mood=mood))
    if action.places and sampler.chance(0.5 if action.objects else 0.9):
        clause = clause.having(draw_place(sampler, action))
    # with two objects, the companion would seem to be a third
    single = all(len(phrase.words) < 2 for phrase in clause.phrases)
    together = single and action.verb in TOGETHER.split()
    return complete(sampler, clause, tense, asks, together)


def draw_place(sampler: Sampler, action: Action) -> Phrase:
    """Draws a place where an action happens.

    Args:
        sampler: the source of chance.
        action: an action with places.
    """
    word = sampler.pick(action.places.split())
    role = "location" if action.verb in STATIC.split() else "place"
    return place_phrase(word, role, action.preposition)


def give(sampler: Sampler) -> Clause:
    """Draws a clause about giving, sending, showing, teaching or calling somebody.

    Args:
        sampler: the source of chance.
    """
    verb = sampler.pick(tuple(GIFTS))
    tense = draw_tense(sampler, "")
    subjects = TEACHERS if verb == "teach" else ""
    clause, asks = begin(sampler, head_of(verb), subjects, tense)
    somebody = other_person(sampler, clause.subject, honored=verb != "teach")
    if somebody.honored:
        korean_verb = humbled(clause.head.korean)
        humble = replace(clause.head, korean=korean_verb, favor=False)
        clause = replace(clause, head=humble)
    name = somebody.english if verb == "call" else f"to {somebody.english}"
    korean = somebody.korean + ("께" if somebody.honored else "에게")
    clause = clause.having(Phrase("recipient", name, korean, somebody.words))
    if GIFTS[verb]:
        word = sampler.pick(GIFTS[verb].split())
        mood = "negative" if clause.negative else ""
        clause = clause.having(thing_object(sampler, verb, word, mood=mood))
    return complete(sampler, clause, tense, asks, together=False)


def _means(sampler: Sampler, place: str) -> tuple[Phrase, ...]:
    fitting = [word for word, (places, _) in MEANS.items() if place in places.split()]
    if not fitting or not sampler.chance(0.45):
        return ()
    word = sampler.pick(fitting)
    korean = attach(MEANS[word][1], "으로/로")
    return (Phrase("means", f"by {word}", korean, (word,)),)


def move(sampler: Sampler) -> Clause:
    """Draws a clause about going or coming somewhere.

    Args:
        sampler: the source of chance.
    """
    verb, word = sampler.pick(("go", "come")), sampler.pick(DESTINATIONS.split())
    tenses = MODAL if verb == "go" else MODAL.replace("propose", "")
    tense = draw_tense(sampler, "weekly", tenses)
    clause, asks = begin(sampler, head_of(verb), "", tense)
    clause = clause.having(place_phrase(word, "goal"), *_means(sampler, word))
    return complete(sampler, clause, tense, asks, together=True)


def move_to_do(sampler: Sampler) -> Clause:
    """Draws a clause about going somewhere in order to do something there.

    Args:
        sampler: the source of chance.
    """
    action = sampler.pick(PURPOSES)
    word = sampler.pick(
        [place for place in action.places.split() if place in DESTINATIONS.split()]
    )
    tense = draw_tense(sampler, "")
    clause, _ = begin(sampler, head_of("go"), action.subjects, tense)
    clause = replace(clause, negative=False)
    thing = objects(sampler, replace(action, article="a"), clause.subject)[0]
    verb, subject = VERBS[action.verb], clause.subject
    politely = suppleted(verb, subject is None or subject.honored)
    korean = f"{thing.korean} {connect(politely, 'present', '으러')}"
    pairs = (Relation("object", action.verb, thing.words[-1]), *thing.pairs)
    purpose = Phrase(
        "purpose", f"to {action.verb} {thing.english}", korean, pairs=pairs
    )
    clause = clause.having(place_phrase(word, "goal"), purpose)
    return clause.having(*draw_time(sampler, clause, tense))


def arrive(sampler: Sampler) -> Clause:
    """Draws a clause about somebody or a vehicle arriving.

    Args:
        sampler: the source of chance.
    """
    tense = draw_tense(sampler, "", "past future")
    clause, asks = begin(sampler, head_of("arrive"), "", tense)
    word = sampler.pick(ARRIVALS.split())
    if sampler.chance(0.4):
        vehicle = sampler.pick(tuple(VEHICLES))
        word = sampler.pick(VEHICLES[vehicle].split())
        clause = replace(clause, subject=known_thing(vehicle))
    clause = clause.having(place_phrase(word, "location"))
    clause = clause.having(*draw_time(sampler, clause, tense))
    if asks and not any(phrase.role == "time" for phrase in clause.phrases):
        clause = clause.having(ASKED["when"])
    return clause


def live(sampler: Sampler) -> Clause:
    """Draws a clause about where somebody lives.

    Args:
        sampler: the source of chance.
    """
    tense = draw_tense(sampler, "", "present past future want")
    clause, asks = begin(sampler, head_of("live"), "", tense)
    if asks and sampler.chance(0.5):
        return clause.having(ASKED["where in"])
    if asks:
        clause = replace(clause, subject=ASKER)
    return clause.having(place_phrase(sampler.pick(HOMES.split()), "location"))


def state(sampler: Sampler) -> Clause:
    """Draws a clause about what somebody likes, needs, has or knows.

    Args:
        sampler: the source of chance.
    """
    verb = sampler.pick(tuple(STATES))
    # 알았어요 would say that somebody has just understood
    tenses = "present" if verb == "know" else "present past"
    clause, asks = begin(sampler, head_of(verb), "", draw_tense(sampler, "", tenses))
    if asks:
        clause = replace(clause, subject=ASKER)
    if verb == "know":
        return clause.having(*objects(sampler, Action(verb, "people"), clause.subject))
    article = "generic" if verb == "like" else "some"
    word = sampler.pick(STATES[verb].split())
    mood = "negative" if clause.negative else ""
    return clause.having(thing_object(sampler, verb, word, article, mood=mood))
