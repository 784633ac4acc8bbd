"""English word forms: articles, plurals, and the parts of verbs."""

import re

_VOWELS = tuple("aeiou")
_CONSONANT_Y = re.compile(r"[^aeiou]y$")
_SIBILANT = re.compile(r"(s|x|z|ch|sh|o)$")
_DOUBLING = re.compile(r"^[^aeiou]*[aeiou][bdgmnprt]$")

BE_PRESENT = {"I": "am", "it": "is", "we": "are", "you": "are", "they": "are"}
BE_PAST = {"I": "was", "it": "was", "we": "were", "you": "were", "they": "were"}

_IRREGULAR_PLURALS = {"child": "children"}
_IRREGULAR_PASTS = {
    "build": "built",
    "buy": "bought",
    "choose": "chose",
    "come": "came",
    "draw": "drew",
    "drink": "drank",
    "eat": "ate",
    "give": "gave",
    "go": "went",
    "have": "had",
    "know": "knew",
    "lose": "lost",
    "make": "made",
    "meet": "met",
    "read": "read",
    "ride": "rode",
    "sell": "sold",
    "send": "sent",
    "sing": "sang",
    "sleep": "slept",
    "swim": "swam",
    "teach": "taught",
    "wear": "wore",
    "write": "wrote",
}


def with_article(noun: str) -> str:
    """Puts a or an before a noun or its adjective.

    Args:
        noun: lower-case words.

    >>> with_article("book"), with_article("apple"), with_article("university")
    ('a book', 'an apple', 'a university')
    """
    starts_open = noun.startswith(_VOWELS) and not noun.startswith("uni")
    return ("an " if starts_open else "a ") + noun


def _with_s(word: str) -> str:
    if _CONSONANT_Y.search(word):
        return word[:-1] + "ies"
    return word + ("es" if _SIBILANT.search(word) else "s")


def plural(noun: str) -> str:
    """Gives the plural of a countable noun.

    Args:
        noun: the singular.

    >>> plural("box"), plural("library"), plural("photo"), plural("child")
    ('boxes', 'libraries', 'photos', 'children')
    """
    if noun in ("photo", "radio"):
        return noun + "s"
    return _IRREGULAR_PLURALS.get(noun) or _with_s(noun)


def third_person(verb: str) -> str:
    """Gives the present of a verb after he, she or it.

    Args:
        verb: the base form.

    >>> third_person("go"), third_person("study"), third_person("buy")
    ('goes', 'studies', 'buys')
    """
    return "has" if verb == "have" else _with_s(verb)


def past(verb: str) -> str:
    """Gives the simple past.

    Args:
        verb: the base form.

    >>> past("go"), past("study"), past("arrive"), past("clean")
    ('went', 'studied', 'arrived', 'cleaned')
    """
    if verb in _IRREGULAR_PASTS:
        return _IRREGULAR_PASTS[verb]
    if _CONSONANT_Y.search(verb):
        return verb[:-1] + "ied"
    return verb + ("d" if verb.endswith("e") else "ed")


def participle(verb: str) -> str:
    """Gives the -ing form.

    Args:
        verb: the base form.

    >>> participle("swim"), participle("write"), participle("read")
    ('swimming', 'writing', 'reading')
    """
    if _DOUBLING.match(verb):
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") else verb) + "ing"


def verb_forms(verb: str) -> tuple[str, ...]:
    """Lists every form of a verb, the base form first.

    Args:
        verb: the base form.

    >>> verb_forms("go")
    ('go', 'goes', 'went', 'going')
    """
    return verb, third_person(verb), past(verb), participle(verb)


def verb_group(
    verb: str, tense: str, agreement: str, *, negative: bool, question: bool
) -> tuple[str, str]:
    """Gives the auxiliary with its "not", and the main verb.

    Args:
        verb: the base form; `"be"` takes no do-support.
        tense: `"present"`, `"past"`, `"future"`, `"progressive"`, `"can"`,
            `"must"` or `"want"`.
        agreement: `"I"`, `"we"`, `"you"`, `"it"` or `"they"`.
        negative: whether it negates.
        question: whether the auxiliary comes before the subject.

    >>> verb_group("read", "past", "it", negative=True, question=False)
    ('did not', 'read')
    >>> verb_group("be", "present", "I", negative=False, question=False)
    ('am', '')
    >>> verb_group("swim", "progressive", "they", negative=False, question=True)
    ('are', 'swimming')
    """
    helped = negative or question
    if tense == "progressive":
        first, main = BE_PRESENT[agreement], participle(verb)
    elif tense == "future":
        first, main = "will", verb
    elif tense in ("can", "must"):
        first, main = tense, verb
    elif verb == "be":
        first = (BE_PAST if tense == "past" else BE_PRESENT)[agreement]
        main = ""
    else:
        return _with_do(verb, tense, agreement, negative=negative, helped=helped)
    if negative:
        first = "cannot" if first == "can" else first + " not"
    return first, main


def _with_do(
    verb: str, tense: str, agreement: str, *, negative: bool, helped: bool
) -> tuple[str, str]:
    tail = ""
    if tense == "want":
        verb, tail = "want", f" to {verb}"
    singular = agreement == "it"
    if helped:
        first = "did" if tense == "past" else "does" if singular else "do"
        return first + (" not" if negative else ""), verb + tail
    if tense == "past":
        return "", past(verb)
    return "", (third_person(verb) if singular else verb) + tail
