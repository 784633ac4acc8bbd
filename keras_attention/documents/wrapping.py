"""Lines that a text was broken into, and back."""

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from keras_attention.documents.segments import PLAIN, Inline, Segment

Span = tuple[int, int]

# A letter, but for those inside of numbers, as in 1e-5 and 640x480.
LETTER = re.compile(r"(?<!\d)[^\W\d_]|[^\W\d_](?![-+]?\d)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


def line_spans(text: str) -> Iterator[Span]:
    """Where lines begin and end, with their line feeds, carriage returns or both."""
    return (match.span() for match in _LINE.finditer(text))


def wrapped_segment(
    document: str,
    spans: Sequence[Span],
    inline: Inline = PLAIN,
    barred: re.Pattern[str] | None = None,
) -> Segment:
    """A segment of the text in some lines, to be broken as it was.

    Args:
        document: the whole.
        spans: where the text of each line begins and ends. What stands between two of
            them, such as a line feed and the sign of a quotation, does so afterwards.
        inline: markup that the text may have.
        barred: what no line but the first may begin with, since it would mean more.
    """
    bodies = [document[start:end] for start, end in spans]
    place = spans[0][0], spans[-1][1]
    if len(spans) == 1:
        return Segment(*place, bodies[0], inline)
    text = " ".join(body.strip() for body in bodies)
    width = max(map(display_width, bodies))
    between = document[spans[0][1] : spans[1][0]]

    def write(translation: str) -> str:
        lines: list[str] = []
        for line in break_lines(translation, width):
            if lines and barred and barred.match(line):
                lines[-1] += f" {line}"
            else:
                lines.append(line)
        return between.join(lines)

    return Segment(*place, text, inline, write)


def break_lines(text: str, width: int) -> list[str]:
    """A text in lines of at most a width, where it has blanks that near."""
    if display_width(text) == len(text):
        wrapper = textwrap.TextWrapper(
            width,
            break_long_words=False,
            break_on_hyphens=False,
            expand_tabs=False,
            replace_whitespace=False,
        )
        return wrapper.wrap(text) or [""]
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and display_width(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def balance_lines(text: str, count: int) -> list[str]:
    """A text in at most so many lines of about equal width."""
    words = text.split()
    if count < 2 or len(words) < 2:
        return [text]
    low, high = max(map(display_width, words)), display_width(text)
    while low < high:  # the least width that is enough
        width = (low + high) // 2
        if len(break_lines(text, width)) <= count:
            high = width
        else:
            low = width + 1
    return break_lines(text, high)


def flowing(bodies: Sequence[str]) -> list[int]:
    """How many lines of a paragraph are one text each, in turn.

    A line continues in the next one if the first word of that would not have fitted: if
    the line were longer with it than all of them.
    """
    width = max(map(display_width, bodies))
    counts = [1]
    for before, line in pairwise(bodies):
        word = line.split(maxsplit=1)[0]
        if display_width(f"{before.rstrip()} {word}") > width:
            counts[-1] += 1
        else:
            counts.append(1)
    return counts


def display_width(text: str) -> int:
    """Columns that a text takes in letters of one width, of which Hangul takes two."""
    return sum(
        0
        if unicodedata.combining(char)
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )
