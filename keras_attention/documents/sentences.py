"""Sentences of a text."""

import re
from itertools import accumulate, pairwise

from keras_attention.optional_packages import needs

_HALF = re.compile("[\ud800-\udfff]")  # of a character, which is not UTF-8


def split_sentences(text: str, language: str = "en") -> list[str]:
    """The sentences of a text, each with the blanks after it: together they are it.

    By the rules of sentencex for the language, or for one that is written like it.

    Args:
        text: any.
        language: its code, such as `"en"` or `"ko"`.

    Raises:
        ImportError: without the extra `documents`.
    """
    with needs("sentencex", extra="documents", by="splitting sentences"):
        import sentencex

    readable = _HALF.sub("\ufffd", text)
    sentences: list[str] = sentencex.segment(language, readable)
    if "".join(sentences) != readable:  # it leaves nothing out that we know of
        return [text]
    ends = [0, *accumulate(map(len, sentences))]
    return [text[start:end] for start, end in pairwise(ends) if start < end]


def split_clauses(text: str, anywhere: bool = False) -> list[str]:
    """A sentence in two, near its middle, or a single part where it has no blank.

    After a sign that ends a clause, if there is one between a quarter and three, else
    at a blank.

    Args:
        text: the sentence.
        anywhere: whether it is cut between two characters where it has no blank.
    """
    middle = len(text) / 2
    for signs in (";:\u2014\u3002\uff1b", ",\u3001\uff0c", ""):
        places = [
            place
            for place in range(1, len(text))
            if (text[place].isspace() or text[place - 1] in "\u3002\uff1b\u3001\uff0c")
            and not text[place - 1].isspace()
            and (not signs or text[place - 1] in signs)
            and (not signs or len(text) / 4 < place < 3 * len(text) / 4)
        ]
        if places:
            place = min(places, key=lambda place: abs(place - middle))
            return [text[:place], text[place:]]
    if anywhere and len(text) > 1:
        return [text[: len(text) // 2], text[len(text) // 2 :]]
    return [text]
