"""Where words begin and end, in texts and by the ids of a vocabulary."""

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from keras_attention.decoding.phrases import Words

# Scripts whose words have blanks around them: up to those of India, Georgian, Ethiopic
# to Runic, and what is added to Latin and Greek. Korean has blanks too, but for what is
# added to a word.
_SPACED = re.compile("[\0-\u0dff\u10a0-\u10ff\u1200-\u16ff\u1e00-\u1fff\u2c00-\u2dff]")
_OPENINGS = "(", "'", "-", '"'  # after which a word begins without a blank


def is_spaced(char: str) -> bool:
    """Whether a character is of a word that has blanks around it."""
    is_of_word = char.isalnum() or unicodedata.category(char)[0] == "M"
    return is_of_word and _SPACED.match(char) is not None


def as_word(term: str) -> str:
    """A pattern for a term that is a word of its own, where its script has blanks."""
    before = r"(?<!\w)" if is_spaced(term[0]) else ""
    after = r"(?!\w)" if is_spaced(term[-1]) else ""
    return f"{before}{re.escape(term)}{after}"


def read_words(tokenizer: Any, size: int) -> "Words":
    """Which ids continue words, and which may be continued.

    Args:
        tokenizer: of lists, as of `text.plain`.
        size: number of ids.
    """
    from keras_attention.decoding.phrases import Words  # which imports Keras

    ids = range(size)
    alone = tokenizer.detokenize([[index] for index in ids])
    is_open = [text != "" and is_spaced(text[-1]) for text in alone]
    goes_on = [False] * len(ids)
    if any(is_open):
        word = is_open.index(True)
        both = tokenizer.detokenize([[word, index] for index in ids])
        added = [text.removeprefix(alone[word]) for text in both]
        goes_on = [text != "" and is_spaced(text[0]) for text in added]
    return Words(np.array(goes_on), np.array(is_open))


def find_forms(tokenizer: Any, forms: Sequence[str], unknown: int) -> list[list[int]]:
    """The ids of forms of a term, also as they follow a sign without a blank.

    A form with a piece that the vocabulary lacks is left out.
    """
    found = [tokenizer.tokenize([*forms])]
    for opening in _OPENINGS:
        first, *joined = tokenizer.tokenize(
            [opening, *(f"{opening}{form}" for form in forms)]
        )
        if unknown not in first:
            size = len(first)
            found.append([ids[size:] for ids in joined if ids[:size] == first])
            break
    every = dict.fromkeys(tuple(ids) for kind in found for ids in kind)
    return [[*ids] for ids in every if ids and unknown not in ids]
