"""HTML: the text of its blocks, with its markup."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from keras_attention.documents.markup import COMMENT, TAG
from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import LETTER

# Elements inside of a text; any other one ends it.
_INLINE = frozenset(
    {
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data"),
        *("del", "dfn", "em", "font", "i", "img", "ins", "kbd", "mark", "math", "q"),
        *("rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub"),
        *("sup", "svg", "time", "tt", "u", "var", "wbr"),
    }
)
_CODE = ("code", "kbd", "math", "samp", "svg", "tt", "var")
_KEPT = frozenset({*_CODE, "pre", "script", "style", "textarea"})
_VOID = frozenset({"img", "wbr"})
_ENDED_BY_THE_NEXT = frozenset({"dd", "dt", "li", "option", "p", "td", "th", "tr"})
_BLANKS = re.compile(r"\s+")


def _encode(text: str) -> str:
    return html.escape(text, quote=False)


INLINE = Inline(
    marks=re.compile(rf"{TAG}|{COMMENT}|<[!?][^<>]*>", re.S),
    protected=re.compile(
        r"""
        <(?P<code>code|kbd|math|samp|svg|tt|var)\b[^<>]*>
            (?:(?!</?(?P=code)\b).)*?</(?P=code)\s*>
        | <(?P<kept>\w+)\b[^<>]*\btranslate\s*=\s*["']?no\b[^<>]*>
            (?: (?!</?(?P=kept)\b).
              | <(?P=kept)\b[^<>]*>(?:(?!</?(?P=kept)\b).)*?</(?P=kept)\s*> )*?
            </(?P=kept)\s*>
        """,
        re.S | re.I | re.X,
    ),
    decode=html.unescape,
    encode=_encode,
)


def parse(document: str) -> Iterator[Segment]:
    """The segments of a page: the text of its blocks, the title among them.

    Scripts, styles, code, and what is marked `translate="no"` stay.
    """
    reader = _Reader(document)
    try:
        reader.feed(document)
        reader.close()
    except AssertionError as error:  # of a declaration that it does not know
        raise ValueError(f"The document is not HTML: {error}") from error
    reader.end_text(len(document))
    for start, end in reader.found:
        text = document[start:end]
        stripped = text.strip()
        start += text.index(stripped)
        one_line = _BLANKS.sub(" ", stripped)
        yield Segment(start, start + len(stripped), one_line, INLINE)


class _Reader(HTMLParser):
    """Where texts begin and end."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, int]] = []
        self._lines = [0]
        for match in re.finditer("\n", document):
            self._lines.append(match.end())
        self._begun: int | None = None
        self._has_letters = False
        self._kept: list[str] = []  # open elements whose content stays

    def end_text(self, place: int) -> None:
        """End the text that has begun, if any."""
        if self._begun is not None and self._has_letters:
            self.found.append((self._begun, place))
        self._begun, self._has_letters = None, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_kept = tag in _KEPT or ("translate", "no") in attrs
        if self._kept and self._ends_kept(tag):
            self._kept.clear()
            self.end_text(self._place())
        if self._kept:
            if tag == self._kept[-1]:
                self._kept.append(tag)
            return
        if tag not in _INLINE:
            self.end_text(self._place())
        elif self._begun is None and tag not in _VOID:
            self._begun = self._place()
        if is_kept and tag not in _VOID:
            self._kept.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE and not self._kept:
            self.end_text(self._place())

    def handle_endtag(self, tag: str) -> None:
        if self._kept:
            if tag == self._kept[-1]:
                self._kept.pop()
            return
        if tag not in _INLINE:
            self.end_text(self._place())

    def handle_data(self, data: str) -> None:
        if self._kept or not data.strip():
            return
        if self._begun is None:
            self._begun = self._place()
        self._has_letters = self._has_letters or bool(LETTER.search(data))

    def handle_entityref(self, name: str) -> None:
        self._reference()

    def handle_charref(self, name: str) -> None:
        self._reference()

    def handle_pi(self, data: str) -> None:
        self._markup()

    def handle_decl(self, decl: str) -> None:
        self._markup()

    def _ends_kept(self, tag):
        """Whether an element ends what stays, though that was not closed."""
        kept = self._kept[-1]
        if kept in _ENDED_BY_THE_NEXT:
            return tag == kept and len(self._kept) == 1
        return kept in _CODE and kept not in ("math", "svg") and tag not in _INLINE

    def _reference(self):
        if not self._kept and self._begun is None:
            self._begun = self._place()

    def _markup(self):
        if not self._kept:
            self.end_text(self._place())

    def _place(self):
        line, column = self.getpos()
        return self._lines[line - 1] + column
