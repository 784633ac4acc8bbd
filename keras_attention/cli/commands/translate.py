"""The command that translates lines."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keras_attention.cli.messages import say, say_counts
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.progress import Progress
from keras_attention.cli.saved import load
from keras_attention.cli.streams import (
    Input,
    Job,
    open_input,
    open_output,
    plan_jobs,
    total_size,
)
from keras_attention.documents import format_of
from keras_attention.translation.glossary import Glossary
from keras_attention.translation.line_forms import (
    Aligned,
    Columns,
    JsonLines,
    LineForm,
    Plain,
    Ranked,
    Wishes,
)
from keras_attention.translation.lines import BYTE_ORDER_MARK, translate_lines


def run(options: argparse.Namespace) -> None:
    """Translate files or standard input: a line at a time, or as documents."""
    if options.input is None and sys.stdin is None:
        raise ValueError("translate needs a standard input, or --input")
    if options.output is None and sys.stdout is None:
        raise ValueError("translate needs a standard output, or --output")
    jobs = plan_jobs(options.input, options.output, options.overwrite)
    size = total_size(options.input)
    wishes = _read_wishes(options)
    if options.document is None:
        translate: Translation = _Lines(options, size, wishes)
    else:
        translate = _Documents(options, size, jobs, wishes)
    if options.output is not None:
        clean_up_when_interrupted()
    translator = load(options)
    counts: Counter[str] = Counter()
    for sources, target in jobs:
        own: Counter[str] = Counter()  # lines are numbered within an output
        with open_output(target, options.overwrite) as output:
            for source in sources:
                with open_input(source) as lines:
                    translate(translator, lines, output, own)
                    translate.progress.end_part(lines.done())
        counts += own
    translate.progress.end()
    say_counts(counts, translator, translate.name)
    if counts["missing_terms"]:
        missing, asked = counts["missing_terms"], counts["terms"]
        say(f"warning: {missing} of {asked} terms could not be placed")
    if counts["unsure"]:
        say(
            f"{counts['unsure']:,} of {counts['texts']:,} {translate.name} are below "
            f"--min-confidence {options.min_confidence:g}"
        )


def _read_wishes(options):
    """What translations have to be, as the options say."""
    if options.withhold and options.min_confidence is None:
        raise ValueError("--withhold needs --min-confidence")
    terms = None if options.terms is None else Glossary.read(options.terms)
    if terms is not None and options.engine == "ctranslate2":
        raise ValueError("--terms is not for --engine ctranslate2")
    return Wishes(
        terms, options.min_confidence, options.withhold, options.with_prefixes
    )


class _Lines:
    """Translates a line to a line, or what else is written of one."""

    name = "lines"

    def __init__(
        self, options: argparse.Namespace, size: int | None, wishes: Wishes
    ) -> None:
        if options.mask is not None or options.language is not None:
            raise ValueError("--mask and --language are for --document")
        self.progress = Progress(self.name, size, options.output is None)
        self._form = choose_form(options, wishes)

    def __call__(
        self, translator: Any, source: Input, output: Any, counts: Counter[str]
    ) -> None:
        translate_lines(
            translator,
            source.stream,
            output,
            form=self._form,
            counts=counts,
            report=self.progress.counting(source.done),
        )


class _Documents:
    """Translates whole documents."""

    name = "sentences"

    def __init__(
        self,
        options: argparse.Namespace,
        size: int | None,
        jobs: Sequence[Job],
        wishes: Wishes,
    ) -> None:
        self._wishes = wishes
        self.progress = Progress(self.name, size, options.output is None)
        self._options = options
        given = options.output_format != "text" or options.n_best or options.alignments
        if given or options.with_prefixes:
            raise ValueError(
                "--document writes documents: leave out --output-format, --n-best, "
                "--alignments and --with-prefixes"
            )
        if any(len(sources) > 1 for sources, _ in jobs):
            raise ValueError(
                "--document needs an --output that is a directory, for several inputs"
            )
        if options.mask is not None:
            _check_mask(options.mask)
        for name in options.input or [None]:
            self._format(name)

    def __call__(
        self, translator: Any, source: Input, output: Any, counts: Counter[str]
    ) -> None:
        data = source.stream.read()
        name = "standard input" if source.file is None else source.file.name
        mark = BYTE_ORDER_MARK if data.startswith(BYTE_ORDER_MARK) else b""
        try:
            text = data.removeprefix(mark).decode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name!r} must be UTF-8. Received: byte 0x{data[error.start]:02x}"
            ) from error
        before = counts["sentences"]
        try:
            written = translator.document(
                text,
                self._format(None if source.file is None else name),
                language=self._options.language or "en",
                mask=self._options.mask,
                terms=self._wishes.terms,
                min_confidence=self._wishes.min_confidence,
                counts=counts,
            )
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        counts["texts"] = counts["sentences"]
        output.write(mark + written.encode())
        output.flush()
        self.progress.add(counts["sentences"] - before, source.done)

    def _format(self, name):
        """The format of a file, as asked for or by its name."""
        if self._options.document != "auto":
            return self._options.document
        if name is None:
            raise ValueError(
                "--document auto goes by names, and standard input has none"
            )
        found = format_of(name)
        if found is None:
            raise ValueError(
                f"--document auto: cannot tell the format from the name {name!r}"
            )
        return found


Translation = _Lines | _Documents


def _check_mask(mask):
    try:
        is_numbered = mask.format(0) != mask.format(1)
    except (ValueError, LookupError, AttributeError):
        is_numbered = False
    if not is_numbered:
        raise ValueError(
            "--mask must have one {} where its number stands, as in '<x{}>'. "
            f"Received: --mask {mask!r}"
        )


def choose_form(options: argparse.Namespace, wishes: Wishes) -> LineForm:
    """What is written of a line, as the options say."""
    if options.output_format == "json":
        return JsonLines(wishes, options.alignments)
    if wishes.min_confidence is not None and (
        options.n_best or options.alignments or options.output_format == "tsv"
    ):
        raise ValueError(
            "--min-confidence with --n-best or --alignments needs --output-format json"
        )
    if options.alignments and (options.n_best or options.output_format == "tsv"):
        raise ValueError(
            "--alignments of more than the best translation need --output-format json"
        )
    if options.alignments:
        return Aligned(wishes)
    if options.output_format == "tsv":
        return Columns(wishes)
    return Ranked(wishes) if options.n_best else Plain(wishes)
