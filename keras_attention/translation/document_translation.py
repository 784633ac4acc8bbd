"""Whole documents: translated sentence by sentence, in the form that they have."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from keras_attention.argument_checks import check_choice
from keras_attention.documents import FORMATS, fill
from keras_attention.documents.inline import put_marks
from keras_attention.documents.markup import BREAK
from keras_attention.documents.protected import has_same_numbers, keeps_protected
from keras_attention.documents.segments import Inline
from keras_attention.documents.sentences import split_clauses, split_sentences
from keras_attention.documents.unmarked import UnmarkedText, take_marks, write_marks
from keras_attention.documents.wrapping import LETTER
from keras_attention.translation.alignments import Alignment, find_words
from keras_attention.translation.glossary import Glossary
from keras_attention.translation.results import Hypothesis


class Settings(NamedTuple):
    """How a document is translated; as of `BaseTranslator.document`."""

    language: str
    mask: str | None
    terms: Glossary | None
    min_confidence: float | None


class _Sentence(NamedTuple):
    """What is translated at once: a sentence, or a part of one."""

    unmarked: UnmarkedText
    inline: Inline
    is_part: bool = False


# What divides texts: lines, columns.
_GAP = re.compile(r"\s*[\n\r\t]\s*|\s{3,}")
_STOP = re.compile(r"\s*[.!?\u2026\u3002\uff01\uff1f]+$")  # of a sentence
# What is written as it is, and what is to be translated, in turn.
_Parts = list[str | _Sentence]


def translate_document(
    translator: Any,
    text: str,
    format: str,
    settings: Settings,
    counts: Counter[str],
) -> str:
    """What `BaseTranslator.document` does, with its arguments."""
    check_choice(FORMATS, format=format)
    segments = [*FORMATS[format](text)]
    cut = [
        [
            *_cut(
                take_marks(segment.text, segment.inline),
                segment.inline,
                settings.language,
            )
        ]
        for segment in segments
    ]
    counts["sentences"] += sum(
        isinstance(part, _Sentence) for own in cut for part in own
    )
    written = _Sentences(translator, settings, counts).write(cut)
    return fill(text, segments, written)


class _Sentences:
    """Translates sentences, each in one piece or, where that fails, in smaller ones."""

    def __init__(
        self, translator: Any, settings: Settings, counts: Counter[str]
    ) -> None:
        self._translator = translator
        self._settings = settings
        self._counts = counts

    def write(self, texts: Sequence[_Parts]) -> list[str]:
        """Texts of parts, each as it is to be written."""
        sentences = [
            part for text in texts for part in text if isinstance(part, _Sentence)
        ]
        found = iter(self._translate(sentences))
        return [
            "".join(part if isinstance(part, str) else next(found) for part in text)
            for text in texts
        ]

    def _translate(self, sentences):
        """Each as it is written; in smaller parts where it is too long, or fails."""
        if not sentences:
            return []
        fits = self._translator.source.lengths([one.unmarked.text for one in sentences])
        fits = fits <= self._translator.source_limit
        written: list[str | None] = [None] * len(sentences)
        smaller: dict[int, _Parts] = {}
        for place, one in enumerate(sentences):
            if not fits[place] and (parts := _halves(one, anywhere=True)):
                smaller[place] = parts
                self._counts["in_parts"] += 1
        texts: dict[int, str] = {}
        whole = [place for place in range(len(sentences)) if place not in smaller]
        for place, hypotheses in zip(
            whole, self._find([sentences[place] for place in whole]), strict=True
        ):
            one = sentences[place]
            written[place], text = self._choose(one, hypotheses)
            if written[place] is None:
                self._counts["in_parts"] += 1
                parts = _pieces(one) if _has_marks(one) else _halves(one)
                if not parts:  # what cannot be cut is as the model has it
                    self._counts["cut_translations"] += 1
                    text = hypotheses[0].text
                    parts = [one.inline.encode(text)]
                smaller[place] = parts
            if text is not None:
                texts[place] = text
                if self._settings.terms is not None:
                    self._settings.terms.count(one.unmarked.text, text, self._counts)
        self._withhold(sentences, written, texts)
        for place, text in zip(smaller, self.write([*smaller.values()]), strict=True):
            written[place] = text
        return written

    def _withhold(self, sentences, written, texts):
        """Put sentences back of whose translations the model is not sure enough."""
        least = self._settings.min_confidence
        places = [place for place in texts if written[place] is not None]
        if least is None or not places:
            return
        confidences = self._translator.confidence(
            [self._masked(sentences[place]).text for place in places],
            [texts[place] for place in places],
        )
        for place, confidence in zip(places, confidences, strict=True):
            if confidence.share < least:
                one = sentences[place]
                written[place] = write_marks(one.unmarked, one.inline)
                self._counts["unsure"] += 1

    def _find(self, sentences):
        """The hypotheses of each, with attention where there is markup to place."""
        found: dict[int, list[Hypothesis]] = {}
        for needs_attention in (True, False):
            places = [
                place
                for place, one in enumerate(sentences)
                if bool(one.unmarked.marks) == needs_attention
            ]
            texts = [self._masked(sentences[place]).text for place in places]
            if texts:
                hypotheses = self._translator.hypotheses(
                    texts, needs_attention, self._settings.terms
                )
                found.update(zip(places, hypotheses, strict=True))
        return [found[place] for place in range(len(sentences))]

    def _choose(self, sentence, hypotheses):
        """The best hypothesis that keeps all there is, numbers too if one does.

        With its markup and as it is, or twice `None`.
        """
        unmarked = self._masked(sentence)
        chosen: tuple[str | None, str | None] = None, None
        for one in hypotheses:
            text = one.text.strip()
            if sentence.is_part and not _STOP.search(unmarked.text):
                text = _STOP.sub("", text)
            if not one.is_complete or not text:
                continue
            if text == unmarked.text:
                return write_marks(sentence.unmarked, sentence.inline), text
            words = _words(unmarked.text, one) if unmarked.marks else []
            written = put_marks(unmarked, text, words, sentence.inline)
            if written is None or not keeps_protected(unmarked.text, text):
                continue
            if has_same_numbers(unmarked.text, text):
                return written, text
            chosen = (written, text) if chosen[0] is None else chosen
        return chosen

    def _masked(self, sentence):
        """The text that the model reads, with its markup."""
        unmarked = sentence.unmarked
        mask = self._settings.mask
        if mask is None:
            return unmarked
        return unmarked.with_protected(
            [mask.format(number) for number in range(len(unmarked.protected))]
        )


def _cut(
    unmarked: UnmarkedText, inline: Inline, language: str
) -> Iterator[str | _Sentence]:
    """The sentences of a text, and what stands between them."""
    breaks = [mark.start for mark in unmarked.marks if BREAK.match(mark.raw)]
    gaps = [place for match in _GAP.finditer(unmarked.text) for place in match.span()]
    for line in unmarked.cut(_outside(unmarked, [*breaks, *gaps])):
        # A full stop in an address ends no sentence.
        lengths = map(len, split_sentences(line.masked(), language))
        for sentence in line.cut([*accumulate(lengths)][:-1]):
            yield from _without_surroundings(sentence, inline)


def _outside(unmarked, places):
    """Places in order, each once, that are in nothing protected and at no end."""
    spans = [(one.start, one.start + len(one.text)) for one in unmarked.protected]
    return [
        place
        for place in sorted({*places} - {0, len(unmarked.text)})
        if not any(start < place < end for start, end in spans)
    ]


def _without_surroundings(unmarked, inline, is_part=False, is_bare=(False, False)):
    """A text to translate, and what stands before and after it."""
    before, body, after = unmarked.around(is_bare)
    yield write_marks(before, inline)
    is_text = LETTER.search(body.with_protected([""] * len(body.protected)).text)
    yield _Sentence(body, inline, is_part) if is_text else write_marks(body, inline)
    yield write_marks(after, inline)


def _has_marks(sentence):
    return bool(sentence.unmarked.marks or sentence.unmarked.protected)


def _pieces(sentence):
    """What stands between marks and what is protected, each by itself."""
    parts: _Parts = []
    pieces = sentence.unmarked.pieces()
    for number, piece in enumerate(pieces):
        if isinstance(piece, str):
            parts.append(piece)
        else:
            # A bracket before an address belongs to the address.
            is_bare = number > 0, number + 1 < len(pieces)
            parts += _without_surroundings(piece, sentence.inline, True, is_bare)
    return parts


def _halves(sentence, anywhere=False):
    """A sentence in two, or nothing where it cannot be cut."""
    unmarked = sentence.unmarked
    first, *rest = split_clauses(unmarked.masked(), anywhere)
    if not rest or not _outside(unmarked, [len(first)]):
        return []
    halves = unmarked.cut([len(first)])
    return [
        part
        for half in halves
        for part in _without_surroundings(half, sentence.inline, is_part=True)
    ]


def _words(text: str, hypothesis: Hypothesis) -> list[tuple[int, int]]:
    """Which words of a text and its translation belong together."""
    if hypothesis.attention is None:
        return []
    source = hypothesis.source_tokens[:-1]
    target = hypothesis.target_tokens[: hypothesis.size]
    return Alignment(
        source,
        target,
        find_words(text, [*map(_read, source)]),
        find_words(hypothesis.text.strip(), [*map(_read, target)]),
        hypothesis.attention[: len(target), : len(source)],
    ).words()


def _read(token):
    return token.replace("\u2581", " ")
