"""The corpus: training, validation and held-out pairs that combine words anew."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain, combinations, islice
from typing import NamedTuple

from .compounds import Utterance
from .descriptions import name_is
from .grammar import Relation
from .noun_phrases import Sampler
from .sentences import Sentence, compose, draw

Pair = tuple[str, str]

VALIDATION_PAIRS = 500
SMALLEST_TRAINING = 1_000
# a word of a held-out pair stands in its role so often in this many training pairs
FAMILIARITY, FAMILIAR_PAIRS = 50, 22_000
# so many repetitions in a row tell that there is hardly anything left to say
PATIENCE = 300
# few sentences would not show enough of the pairs there are
SMALLEST_SURVEY = 10_000
RESERVED_SHARE = 0.07
# pairs that a larger share of all sentences holds would fill the held-out ones
COMMON_SHARE = 1 / 300
RESERVED_KINDS = (
    "adjective",
    "subject",
    "object",
    "place",
    "location",
    "goal",
    "recipient",
)


class Corpus(NamedTuple):
    """English-Korean sentence pairs in three disjoint lists.

    Args:
        training: (English, Korean) pairs to train on.
        validation: pairs to choose a model by, drawn like `held_out`.
        held_out: pairs to judge a model by.
        reserved: the pairs of content words, such as `("read", "novel")`, that no
            training sentence holds together.
    """

    training: list[Pair]
    validation: list[Pair]
    held_out: list[Pair]
    reserved: frozenset[Pair]


def _distinct(sampler: Sampler, counts: dict[str, int]) -> Iterator[Sentence]:
    """Draws sentences for as long as new ones come, each once."""
    first = compose(Utterance((name_is("Dooli"),)), formal=True)
    drawn = {first.english}
    yield first
    repeated = 0
    while repeated < PATIENCE:
        sentence = draw(sampler)
        repeated = repeated + 1 if sentence.english in drawn else 0
        if not repeated:
            drawn.add(sentence.english)
            yield sentence
    received = ", ".join(f"{name}={value}" for name, value in counts.items())
    raise ValueError(
        "`training_pairs` and `held_out_pairs` must not exceed what the grammar says. "
        f"Received: {received}"
    )


def corpus(
    seed: int = 0, training_pairs: int = 22_000, held_out_pairs: int = 1_000
) -> Corpus:
    """Generates the corpus, the same one for the same arguments.

    Every English sentence occurs once in the whole corpus, and has one
    translation. What is held out is the combination of words: some pairs of a
    predicate and its subject, object, place, goal or receiver, and of an adjective
    and its noun, are reserved. No training sentence holds both words of a reserved
    pair, in whatever form and relation; each validation and held-out sentence holds
    at least one pair in its relation. Yet each of its content words occurs in the
    same role at least 50 times in 22,000 training pairs (and in proportion in fewer).

    Args:
        seed: of the pseudo-random numbers. Defaults to 0.
        training_pairs: how many pairs to train on, at least 1,000. The first is "My
            name is Dooli." Defaults to 22,000.
        held_out_pairs: how many pairs to judge by; there are 500 more for
            validation. Defaults to 1,000.

    Raises:
        ValueError: if a count is too small, or larger than the language allows.

    >>> pairs = corpus(training_pairs=1_000, held_out_pairs=50)
    >>> pairs.training[0]
    ('My name is Dooli.', '내 이름은 둘리입니다.')
    >>> len(pairs.training), len(pairs.validation), len(pairs.held_out)
    (1000, 500, 50)
    """
    if training_pairs < SMALLEST_TRAINING:
        raise ValueError(
            f"`training_pairs` must be at least {SMALLEST_TRAINING}. "
            f"Received: training_pairs={training_pairs}"
        )
    if held_out_pairs < 1:
        raise ValueError(
            "`held_out_pairs` must be positive. "
            f"Received: held_out_pairs={held_out_pairs}"
        )
    sampler = Sampler(seed)
    counts = {"training_pairs": training_pairs, "held_out_pairs": held_out_pairs}
    fresh = _distinct(sampler, counts)
    survey = list(islice(fresh, max(training_pairs, SMALLEST_SURVEY)))
    reserved = _reserve(sampler, survey)
    training, judged = _divide(
        chain(survey, fresh),
        reserved,
        training_pairs,
        held_out_pairs + VALIDATION_PAIRS,
    )
    return Corpus(
        [sentence[:2] for sentence in training],
        [sentence[:2] for sentence in judged[:VALIDATION_PAIRS]],
        [sentence[:2] for sentence in judged[VALIDATION_PAIRS:]],
        reserved,
    )


def _reserve(sampler: Sampler, sentences: list[Sentence]) -> frozenset[Pair]:
    """Chooses word pairs, a share of each kind, with few of any one word."""
    # sorted, since the order of a set of strings differs between processes
    frequencies = Counter(
        relation
        for sentence in sentences
        for relation in sorted(sentence.relations)
        if relation.kind in RESERVED_KINDS
    )
    most = COMMON_SHARE * len(sentences)
    partners: Counter[tuple[str, str]] = Counter()
    by_kind: dict[str, list[Relation]] = defaultdict(list)
    for relation, frequency in frequencies.items():
        partners.update(_ends(relation))
        if frequency <= most:
            by_kind[relation.kind].append(relation)
    taken: Counter[tuple[str, str]] = Counter()
    reserved: dict[Pair, None] = {}
    for candidates in by_kind.values():
        wanted = round(RESERVED_SHARE * len(candidates))
        for relation in sampler.shuffled(candidates):
            if wanted == 0:
                break
            if any(6 * (taken[end] + 1) > partners[end] for end in _ends(relation)):
                continue
            taken.update(_ends(relation))
            reserved[relation[1:]] = None
            wanted -= 1
    return frozenset(reserved)


def _ends(relation: Relation) -> tuple[tuple[str, str], tuple[str, str]]:
    return (
        (relation.kind + " of", relation.head),
        (relation.kind, relation.argument),
    )


def _is_free_of(sentence: Sentence, reserved: frozenset[Pair]) -> bool:
    words = {word for _, word in sentence.roles}
    return not any(
        pair in reserved or pair[::-1] in reserved for pair in combinations(words, 2)
    )


def _divide(
    sentences: Iterator[Sentence],
    reserved: frozenset[Pair],
    training_pairs: int,
    judged_pairs: int,
) -> tuple[list[Sentence], list[Sentence]]:
    """Takes sentences until there are enough to train on and enough to judge by."""
    training: list[Sentence] = []
    candidates: list[Sentence] = []
    while len(training) < training_pairs:
        sentence = next(sentences)
        if _is_free_of(sentence, reserved):
            training.append(sentence)
        else:
            candidates.append(sentence)
    known = Counter(role for sentence in training for role in sentence.roles)
    least = max(1, FAMILIARITY * training_pairs // FAMILIAR_PAIRS)

    def judges(sentence: Sentence) -> bool:
        related = any(relation[1:] in reserved for relation in sentence.relations)
        return related and all(known[role] >= least for role in sentence.roles)

    judged = [sentence for sentence in candidates if judges(sentence)]
    while len(judged) < judged_pairs:
        sentence = next(sentences)
        if judges(sentence):
            judged.append(sentence)
    return training, judged[:judged_pairs]
