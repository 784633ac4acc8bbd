"""The command that translates lines."""

import argparse
import sys
from collections import Counter
from typing import Any

from keras_attention.cli.messages import say_counts
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.progress import Progress
from keras_attention.cli.saved import load
from keras_attention.cli.streams import Input, open_input, open_output, plan_jobs
from keras_attention.documents import format_of
from keras_attention.translation.line_forms import (
    Aligned,
    Columns,
    JsonLines,
    LineForm,
    Plain,
    Ranked,
)
from keras_attention.translation.lines import BYTE_ORDER_MARK, translate_lines


def run(options: argparse.Namespace) -> None:
    """Translate files or standard input: a line at a time, or as documents."""
    if options.input is None and sys.stdin is None:
        raise ValueError("translate needs a standard input, or --input")
    if options.output is None and sys.stdout is None:
        raise ValueError("translate needs a standard output, or --output")
    if options.document is None:
        translate: Translation = _Lines(choose_form(options))
    else:
        translate = _Documents(options)
    jobs = plan_jobs(options.input, options.output, options.overwrite)
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
        counts += own
    translate.progress.end()
    say_counts(counts, translator, "lines")


class _Lines:
    """Translates a line to a line, or what else is written of one."""

    def __init__(self, form: LineForm) -> None:
        self.progress = Progress("lines")
        self._form = form

    def __call__(
        self, translator: Any, source: Input, output: Any, counts: Counter[str]
    ) -> None:
        translate_lines(
            translator,
            source.stream,
            output,
            form=self._form,
            counts=counts,
            report=self.progress.counting(source.share),
        )


class _Documents:
    """Translates whole documents."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.progress = Progress("sentences")
        self._options = options
        given = options.output_format != "text" or options.n_best or options.alignments
        if given:
            raise ValueError(
                "--document writes documents: leave out --output-format, --n-best and "
                "--alignments"
            )
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
        found: Counter[str] = Counter()
        written = translator.document(
            text,
            self._format(None if source.file is None else name),
            language=self._options.language,
            mask=self._options.mask,
            counts=found,
        )
        output.write(mark + written.encode())
        output.flush()
        self.progress.add(found["sentences"], source.share)

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
            raise ValueError(f"--document auto: the name {name!r} says no known format")
        return found


Translation = _Lines | _Documents


def choose_form(options: argparse.Namespace) -> LineForm:
    """What is written of a line, as the options say."""
    if options.output_format == "json":
        return JsonLines(options.alignments)
    if options.alignments and (options.n_best or options.output_format == "tsv"):
        raise ValueError(
            "--alignments of more than the best translation need --output-format json"
        )
    if options.alignments:
        return Aligned()
    if options.output_format == "tsv":
        return Columns()
    return Ranked() if options.n_best else Plain()
