"""The command that translates lines."""

import argparse
import sys
from collections import Counter

from keras_attention.cli.messages import say_counts
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.progress import Progress
from keras_attention.cli.saved import load
from keras_attention.cli.streams import open_input, open_output, plan_jobs
from keras_attention.translation.line_forms import (
    Aligned,
    Columns,
    JsonLines,
    LineForm,
    Plain,
    Ranked,
)
from keras_attention.translation.lines import translate_lines


def run(options: argparse.Namespace) -> None:
    """Translate files or standard input, a line at a time."""
    if options.input is None and sys.stdin is None:
        raise ValueError("translate needs a standard input, or --input")
    if options.output is None and sys.stdout is None:
        raise ValueError("translate needs a standard output, or --output")
    form = choose_form(options)
    jobs = plan_jobs(options.input, options.output, options.overwrite)
    if options.output is not None:
        clean_up_when_interrupted()
    translator = load(options)
    counts: Counter[str] = Counter()
    progress = Progress("lines")
    for sources, target in jobs:
        own: Counter[str] = Counter()  # lines are numbered within an output
        with open_output(target, options.overwrite) as output:
            for source in sources:
                with open_input(source) as lines:
                    translate_lines(
                        translator,
                        lines.stream,
                        output,
                        form=form,
                        counts=own,
                        report=progress.counting(lines.share),
                    )
        counts += own
    progress.end()
    say_counts(counts, translator, "lines")


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
