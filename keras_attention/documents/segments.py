"""Which parts of a document are to be translated, and where they stand."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


def _same(text: str) -> str:
    return text


class Inline(NamedTuple):
    """What stands inside of text, and is no text.

    Attributes:
        marks: what matches is markup, such as `<b>`, which belongs to a place between
            words.
        protected: what matches stands for a word, such as `` `code` ``, and stays as it
            is.
        decode: from what is written to what is read, such as `&amp;` to `&`.
        encode: back.
    """

    marks: re.Pattern[str] | None = None
    protected: re.Pattern[str] | None = None
    decode: Callable[[str], str] = _same
    encode: Callable[[str], str] = _same


PLAIN = Inline()


class Segment(NamedTuple):
    """A part of a document that is to be translated, such as a paragraph.

    Attributes:
        start: where it begins in the document, in characters.
        end: where it ends.
        text: to translate, with its markup, in one line.
        inline: what markup it may have.
        write: from the translation, with its markup, to what will stand there.
        is_new: whether the text itself stands elsewhere, and no translation here yet.
    """

    start: int
    end: int
    text: str
    inline: Inline = PLAIN
    write: Callable[[str], str] = _same
    is_new: bool = False


def fill(
    document: str, segments: Sequence[Segment], translations: Sequence[str | None]
) -> str:
    """A document with translations in their places.

    Args:
        document: the whole.
        segments: of it, in their order.
        translations: of each; `None` leaves what is there, as does the text itself.
    """
    written, place = [], 0
    for segment, translation in zip(segments, translations, strict=True):
        is_same = translation == segment.text and not segment.is_new
        if translation is None or is_same:
            continue
        written += [document[place : segment.start], segment.write(translation)]
        place = segment.end
    return "".join([*written, document[place:]])
