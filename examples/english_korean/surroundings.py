"""Random clauses about where somebody or something is, and about the weather."""

from dataclasses import replace

from .conjugation import Verb
from .descriptions import HOW, SO, complement, thing_subject, with_mood
from .english import plural, with_article
from .grammar import Clause, Head, NounPhrase, Phrase, Relation
from .hangul import attach
from .lexicon import CITIES, NUMBERS, PEOPLE, PLACES, SPOTS, THINGS
from .moods import ASKED, draw_mood, draw_tense, time_phrase
from .noun_phrases import Sampler, doer, place_phrase
from .predicates import VERBS, WEATHER

BEING = Verb("있", honorific="계시", opposite=Verb("없", honorific="안 계시"))
SPOTTED = {
    ("desk", "on"): "book key wallet umbrella letter phone photo newspaper magazine",
    ("desk", "under"): "bag box cat umbrella wallet key",
    ("chair", "on"): "bag coat sweater shirt dictionary newspaper cat",
    ("chair", "under"): "dog cat bag ticket umbrella",
    ("box", "in"): "clock picture gift apple egg cat dictionary shirt novel",
    ("bag", "in"): "book wallet key phone ticket letter magazine money sandwich",
}
PEOPLED = {
    "student": "library school university classroom museum park",
    "doctor": "hospital airport hotel cafe",
    "nurse": "hospital school station",
    "singer": "theater hotel cafe restaurant",
    "writer": "library cafe bookstore museum",
    "farmer": "farm market village bank",
    "chef": "kitchen restaurant market hotel",
    "lawyer": "office bank cafe restaurant",
    "soldier": "station airport village stadium",
    "actor": "theater hotel beach restaurant",
    "child": "park garden school beach home bakery",
    "tourist": "hotel museum airport beach market Seoul Busan Daegu",
    "computer": "office library classroom school",
    "tree": "garden park farm school",
    "horse": "farm village",
}
WHEREABOUTS = (
    "home library school office hospital kitchen restaurant cafe market store bank "
    "museum theater station airport hotel park garden beach farm Seoul Busan Daegu"
)
WEATHER_TIMES = {
    "present": ("today", "now"),
    "progressive": ("now",),
    "past": ("yesterday", "last week", "last month", "this morning"),
    "future": ("tomorrow", "next week", "this weekend", "this evening"),
}


def _counted(sampler: Sampler, word: str, korean: str) -> tuple[str, str]:
    """Draws "a book" or "three books" and the counted Korean subject."""
    counter = THINGS[word].counter if word in THINGS else "명"
    if not counter or sampler.chance(0.6):
        return with_article(word), attach(korean, "이/가")
    number = sampler.pick(tuple(NUMBERS))
    return (
        f"{number} {plural(word)}",
        f"{attach(korean, '이/가')} {NUMBERS[number]} {counter}",
    )


def there_is(sampler: Sampler) -> Clause:
    """Draws a clause that says that there is something or somebody somewhere.

    Args:
        sampler: the source of chance.
    """
    if sampler.chance(0.5):
        container, spot = sampler.pick(tuple(SPOTTED))
        word = sampler.pick(SPOTTED[container, spot].split())
        place = spot_phrase(container, spot)
    else:
        word = sampler.pick(tuple(PEOPLED))
        place = place_phrase(sampler.pick(PEOPLED[word].split()), "location")
    korean = THINGS[word].korean if word in THINGS else PEOPLE[word].korean
    tense = draw_tense(sampler, "", "present past")
    negative, question = draw_mood(sampler, tense)
    name, counted = _counted(sampler, word, korean)
    if word in THINGS and THINGS[word].kind == "mass":
        name = word
    if negative:
        name, counted = f"no {word}", attach(korean, "이/가")
    there = NounPhrase(
        "there", "", agreement="they" if name.split()[0] in NUMBERS else "it"
    )
    # English negates the noun, so the clause itself is affirmative
    verb = Verb("없") if negative else Verb("있")
    clause = Clause(Head("", verb), there, tense, question=question)
    pairs = (Relation("location", word, place.words[0]),)
    return clause.having(Phrase("object", name, counted, (word,), pairs), place)


def spot_phrase(container: str, spot: str) -> Phrase:
    """Makes the phrase of a place on, under or in a thing.

    Args:
        container: a key of `THINGS`.
        spot: a key of `SPOTS`.

    >>> spot_phrase("desk", "under").korean
    '책상 아래에'
    """
    korean = f"{THINGS[container].korean} {SPOTS[spot]}"
    return Phrase("location", f"{spot} the {container}", korean, (container,))


def located(sampler: Sampler) -> Clause:
    """Draws a clause about where somebody or something is.

    Args:
        sampler: the source of chance.
    """
    tense = draw_tense(sampler, "", "present past")
    clause = with_mood(sampler, Clause(Head("", BEING), None, tense))
    if sampler.chance(0.35):
        container, spot = sampler.pick(tuple(SPOTTED))
        word = sampler.pick(SPOTTED[container, spot].split())
        place, subject = spot_phrase(container, spot), thing_subject(sampler, word)
    else:
        place = place_phrase(sampler.pick(WHEREABOUTS.split()), "location")
        subject = doer(sampler, "", question=clause.question, varied=True)
    clause = replace(clause, subject=subject)
    if clause.question and sampler.chance(0.4):
        return clause.having(ASKED["where in"])
    if tense == "past" and subject.words and sampler.chance(0.5):
        clause = clause.having(time_phrase(sampler.pick(("yesterday", "last week"))))
    pairs = tuple(Relation("location", word, place.words[0]) for word in subject.words)
    return clause.having(replace(place, pairs=pairs))


def city_phrase(city: str, *, topic: bool) -> Phrase:
    """Makes the phrase of the city whose weather is spoken of.

    Args:
        city: an entry of `CITIES`.
        topic: 은/는, as adjectives take it, not 에.
    """
    korean = PLACES[city].korean
    korean = attach(korean, "은/는") if topic else korean + "에"
    role = "scene" if topic else "location"
    return Phrase(role, f"in {city}", korean, (city,))


def weather(sampler: Sampler) -> Clause:
    """Draws a clause about the weather.

    Args:
        sampler: the source of chance.
    """
    word = sampler.pick((*WEATHER, "rain", "snow"))
    city = sampler.pick((*CITIES, ""))
    subject = NounPhrase("it", "")
    if word in WEATHER:
        tense = draw_tense(sampler, "", "present past future")
        clause = Clause(Head(word, WEATHER[word]), subject, tense)
        clause = clause.having(complement(word))
    else:
        tense = draw_tense(sampler, "", "progressive past future")
        clause = Clause(Head(word, VERBS[word], word), subject, tense)
    if city:
        clause = clause.having(city_phrase(city, topic=word in WEATHER))
    if not city or sampler.chance(0.8):
        clause = clause.having(time_phrase(sampler.pick(WEATHER_TIMES[tense])))
    return with_mood(sampler, clause)


def how_weather_is(sampler: Sampler) -> Clause:
    """Draws a question about the weather.

    Args:
        sampler: the source of chance.
    """
    tense = draw_tense(sampler, "", "present past")
    head = Head("", Verb("날씨가 " + HOW.stem, "ㅎ"))
    subject = NounPhrase("the weather", "")
    clause = Clause(head, subject, tense, question=True, phrases=(SO,))
    if city := sampler.pick((*CITIES, "")):
        clause = clause.having(city_phrase(city, topic=True))
    if time := sampler.pick((*WEATHER_TIMES[tense], "")):
        clause = clause.having(time_phrase(time))
    return clause
