"""Noun phrases drawn at random: people, things with their determiners, places."""

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeVar

from .conjugation import adnominal
from .english import plural, with_article
from .grammar import NounPhrase, Phrase, Relation
from .hangul import attach
from .lexicon import DEMONSTRATIVES, NUMBERS, PEOPLE, PLACES, THINGS
from .predicates import ADJECTIVES, SUBJECT_OBJECTS

Option = TypeVar("Option", bound=Hashable)

PRONOUNS = {
    "I": NounPhrase("I", "{I}", agreement="I"),
    "we": NounPhrase("we", "{we}", agreement="we"),
    "you": NounPhrase("you", "", agreement="you"),
}
HONORED = tuple(word for word, person in PEOPLE.items() if person.honored)
NAMES = tuple(word for word, person in PEOPLE.items() if person.kind == "name")
CLOSE = (*NAMES, "friend", "cousin", "child")
OTHERS = tuple(word for word in PEOPLE if word not in HONORED and word not in NAMES)
ADJECTIVES_OF = {
    thing: [word for word in ADJECTIVES if thing in ADJECTIVES[word].nouns.split()]
    for thing in THINGS
}


class Sampler:
    """A source of random choices that evens out how often each is taken.

    Args:
        seed: of the pseudo-random numbers.
    """

    def __init__(self, seed: int):
        """Starts with nothing taken."""
        self._random = random.Random(seed)
        self._taken: Counter[Hashable] = Counter()

    def chance(self, probability: float) -> bool:
        """Says yes with a probability.

        Args:
            probability: from 0 to 1.
        """
        return self._random.random() < probability

    def pick(self, options: Sequence[Option]) -> Option:
        """Picks one of two random options, the one that was picked less so far.

        Args:
            options: at least one option.
        """
        first = options[int(self._random.random() * len(options))]
        second = options[int(self._random.random() * len(options))]
        picked = second if self._taken[second] < self._taken[first] else first
        self._taken[picked] += 1
        return picked

    def weighted(self, weights: dict[Option, float]) -> Option:
        """Picks an option in proportion to its weight.

        Args:
            weights: a positive weight for each option.
        """
        return self._random.choices(list(weights), list(weights.values()))[0]

    def shuffled(self, options: Sequence[Option]) -> list[Option]:
        """Gives the options in random order.

        Args:
            options: any number of options.
        """
        return self._random.sample(options, len(options))


def person(word: str, form: str = "") -> NounPhrase:
    """Makes the noun phrase of a person.

    Args:
        word: a key of `PEOPLE` or `PRONOUNS`.
        form: `"indefinite"` (a student), `"plural"` (the students) or neither.

    >>> person("grandmother").english, person("student", "plural").korean
    ('my grandmother', '학생들')
    """
    if word in PRONOUNS:
        return PRONOUNS[word]
    entry, words = PEOPLE[word], (word,)
    particle = "께서는" if entry.honored else "은/는"
    if entry.kind == "name":
        return NounPhrase(word, entry.korean, words)
    if form == "plural":
        name = "the " + plural(word)
        return NounPhrase(name, entry.korean + "들", words, agreement="they")
    if form == "indefinite":
        name = with_article(word)
        return NounPhrase(name, entry.korean, words, particle="이/가")
    owner = {"mine": "{my} ", "elder": "{our} "}.get(entry.kind, "")
    name = f"my {word}" if owner else f"the {word}"
    return NounPhrase(
        name, owner + entry.korean, words, honored=entry.honored, particle=particle
    )


def doer(
    sampler: Sampler, allowed: str, *, question: bool = False, varied: bool = False
) -> NounPhrase:
    """Draws the subject of a clause.

    Args:
        sampler: the source of chance.
        allowed: `""` for anybody, `"adults"`, or words separated by spaces.
        question: the speaker is not asked about, the hearer may be.
        varied: allows "a student" and "the students".
    """
    pronouns = ("you",) if question else ("I", "we")
    anybody = (*pronouns, *PEOPLE)
    if allowed == "adults":
        words = [word for word in anybody if word != "child"]
    else:
        words = allowed.split() or list(anybody)
    groups: dict[tuple[str, ...], float] = {}
    for group, weight in ((pronouns, 4), (HONORED, 6), (NAMES, 5), (OTHERS, 7)):
        members = tuple(word for word in group if word in words)
        if members:
            groups[members] = weight
    drawn = sampler.weighted(groups)
    word = sampler.pick(drawn)
    form = ""
    if varied and word in OTHERS and PEOPLE[word].kind == "role":
        form = sampler.weighted({"": 6.0, "plural": 2.0, "indefinite": 2.0})
    return person(word, form)


def other_person(
    sampler: Sampler,
    subject: NounPhrase | None,
    *,
    honored: bool,
    group: tuple[str, ...] = (),
) -> NounPhrase:
    """Draws somebody who is not the subject, to be met, helped or given to.

    Args:
        sampler: the source of chance.
        subject: the subject; two honoured people do not meet, since each would
            have to be humbled before the other, and neither does the hearer.
        honored: whether an honoured person may be drawn at all.
        group: who else may be drawn. Defaults to everybody.
    """
    taken = subject.words if subject else ()
    if subject and (subject.honored or subject.agreement == "you"):
        honored = False
    if honored and sampler.chance(0.3):
        return person(sampler.pick(HONORED))
    group = group or (NAMES if sampler.chance(0.3) else OTHERS)
    return person(sampler.pick([word for word in group if word not in taken]))


def _determiners(word: str, article: str, mood: str) -> dict[str, float]:
    """Weighs the ways to determine a countable noun."""
    thing = THINGS[word]
    if article == "a":
        return {"a": 3}
    if article == "the":
        own = {"my": 2.0} if thing.own else {}
        return {"the": 4, "demonstrative": 1} | own
    if article == "generic":
        return {"plural": 3, "demonstrative": 1}
    described = {"adjective": 2.0} if ADJECTIVES_OF[word] else {}
    if article == "own":
        return {"a": 3, "the": 2} | ({"my": 2.0} if thing.own else {}) | described
    if mood == "habit":
        return {"plural": 5} | described
    counted = {"number": 1.5} if thing.counter and not mood else {}
    known = {"the": 2.0, "demonstrative": 1.0} if article == "any" else {}
    return {"a": 3} | known | counted | described


class Determined(NamedTuple):
    """A thing with the words before it.

    Args:
        english: the English words.
        korean: the Korean words before a particle.
        counter: the Korean words after the particle, for counted things.
        pairs: the relation of an adjective, if there is one.
    """

    english: str
    korean: str
    counter: str = ""
    pairs: tuple[Relation, ...] = ()


def described(sampler: Sampler, word: str, many: str = "") -> Determined:
    """Draws an adjective before a thing.

    Args:
        sampler: the source of chance.
        word: a key of `THINGS` that has an adjective.
        many: the plural or mass noun to describe; empty for "a" and the singular.
    """
    adjective = sampler.pick(ADJECTIVES_OF[word])
    entry = ADJECTIVES[adjective]
    name = f"{adjective} {many}" if many else with_article(f"{adjective} {word}")
    before = entry.adnominal or adnominal(entry.korean)
    pairs = (Relation("adjective", adjective, word),)
    return Determined(name, f"{before} {THINGS[word].korean}", pairs=pairs)


def determined(
    sampler: Sampler, word: str, article: str = "any", *, mood: str = ""
) -> Determined:
    """Draws the words before a thing.

    Args:
        sampler: the source of chance.
        word: a key of `THINGS`.
        article: one of `Action.article`, or `"generic"` (the kind as a whole).
        mood: `"habit"` for what is done by habit, that is to books, not to a book;
            `"negative"` for what is not done, that is not to two books.
    """
    thing = THINGS[word]
    korean = thing.korean
    if thing.kind in ("bare", "the"):
        return Determined("the " * (thing.kind == "the") + word, korean)
    if thing.kind != "count":
        if ADJECTIVES_OF[word] and sampler.chance(0.3):
            return described(sampler, word, word)
        known = article in ("any", "the") and mood != "habit" and sampler.chance(0.3)
        return Determined("the " * known + word, korean)
    choice = sampler.weighted(_determiners(word, article, mood))
    if choice == "adjective":
        many = mood == "habit" and article != "own"
        return described(sampler, word, plural(word) if many else "")
    if choice == "number":
        number = sampler.pick(tuple(NUMBERS))
        counter = f" {NUMBERS[number]} {thing.counter}"
        return Determined(f"{number} {plural(word)}", korean, counter)
    if choice == "demonstrative":
        which = sampler.pick(tuple(DEMONSTRATIVES))
        return Determined(f"{which} {word}", f"{DEMONSTRATIVES[which]} {korean}")
    plain = {"plural": plural(word), "a": with_article(word)}
    before = "{my} " * (choice == "my")
    return Determined(plain.get(choice, f"{choice} {word}"), before + korean)


def known_thing(word: str) -> NounPhrase:
    """Makes the noun phrase of a thing or place that is spoken of, as a subject.

    Args:
        word: a key of `THINGS` or `PLACES`.

    >>> known_thing("bus").english, known_thing("history").particle
    ('the bus', '은/는')
    """
    if word in THINGS and THINGS[word].kind == "bare":
        return NounPhrase(word, THINGS[word].korean, (word,))
    entry = THINGS[word] if word in THINGS else PLACES[word]
    many = word in THINGS and THINGS[word].kind == "plural"
    return NounPhrase(
        f"the {word}",
        entry.korean,
        (word,),
        agreement="they" if many else "it",
        particle="이/가",
    )


def object_particle(verb: str) -> str:
    """Gives the particle of a verb's object.

    Args:
        verb: a key of `VERBS`.
    """
    return "이/가" if verb in SUBJECT_OBJECTS else "을/를"


def thing_object(
    sampler: Sampler,
    verb: str,
    word: str,
    article: str = "any",
    *,
    mood: str = "",
) -> Phrase:
    """Draws an object phrase about a thing.

    Args:
        sampler: the source of chance.
        verb: the verb, for the particle.
        word: a key of `THINGS`.
        article: see `determined`.
        mood: see `determined`.
    """
    thing = determined(sampler, word, article, mood=mood)
    korean = attach(thing.korean, object_particle(verb)) + thing.counter
    return Phrase("object", thing.english, korean, (word,), thing.pairs)


def thing_pair(verb: str, words: tuple[str, str]) -> Phrase:
    """Makes an object phrase of two things, joined by and.

    Args:
        verb: the verb, for the particle.
        words: two keys of `THINGS`.
    """
    names = [
        with_article(word) if THINGS[word].kind == "count" else word for word in words
    ]
    first, second = (THINGS[word].korean for word in words)
    korean = f"{attach(first, '과/와')} {attach(second, object_particle(verb))}"
    return Phrase("object", " and ".join(names), korean, words)


def place_phrase(word: str, role: str = "place", preposition: str = "") -> Phrase:
    """Makes the phrase of a place.

    Args:
        word: a key of `PLACES`.
        role: `"place"` where something is done (에서), `"goal"` where somebody goes
            (에, to), or `"location"` where something is (에).
        preposition: instead of the place's own.

    >>> place_phrase("library").korean, place_phrase("home", "goal").english
    ('도서관에서', 'home')
    """
    place = PLACES[word]
    preposition = preposition or ("to" if role == "goal" else place.preposition)
    noun = word if place.city or word == "home" else f"the {word}"
    name = noun if word == "home" and role == "goal" else f"{preposition} {noun}"
    korean = place.korean + ("에서" if role == "place" else "에")
    return Phrase(role, name, korean, (word,))
