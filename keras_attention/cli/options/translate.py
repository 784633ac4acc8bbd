"""The options of `translate`."""

import argparse

from keras_attention.cli.options.shared import (
    add_engine,
    add_folder,
    add_language,
    add_search,
)
from keras_attention.cli.parser import named, positive, share

HELP = "translate lines of text, or documents"
DESCRIPTION = """\
Translate each line of some files, or of standard input, to a line; or whole documents.

A line is answered as soon as it is read, in UTF-8 whatever the locale, so that a
program may keep the command open; lines that are there already go in batches. Names
that end in .gz or .xz are unpacked and packed."""
EXAMPLES = """\
examples:
  keras-attention translate tatoeba_en_fr < lines.en > lines.fr
  keras-attention translate run/translator --input a.txt b.txt.gz --output translated/
  keras-attention translate run/translator --beams 4 --n-best 4 --output-format tsv
  keras-attention translate run/translator --document auto --input a.md --output fr/"""

FORMATS = ("text", "tsv", "json")
FORMATS_OF_DOCUMENTS = (
    *("text", "markdown", "html", "srt", "vtt"),
    *("po", "xliff", "json", "properties"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    add_folder(parser)
    add_language(parser)
    group = parser.add_argument_group("files")
    group.add_argument(
        "--input",
        type=named,
        nargs="+",
        help="to translate; by default, or for -, standard input",
    )
    group.add_argument(
        "--output",
        type=named,
        help="by default standard output; created only once it is complete. A "
        "directory, or a name that ends in /, gets a file of the same name for each "
        "input",
    )
    group.add_argument(
        "--overwrite", action="store_true", help="overwrite existing output files"
    )
    group.add_argument(
        "--output-format",
        choices=FORMATS,
        default="text",
        help="text: translations alone (default), or with --n-best: line number ||| "
        "translation ||| score; tsv: line number, rank, score and translation; json: "
        "an object a line, with the source",
    )
    group.add_argument(
        "--n-best",
        type=positive,
        help="the N best translations of each line, best first",
    )
    group.add_argument(
        "--alignments",
        action="store_true",
        help="print source tokens ||| target tokens ||| which belong together: 0-0 1-2",
    )
    group.add_argument(
        "--terms",
        type=named,
        help="terms and how they are to be translated: in each line a term and its "
        "forms in the target language, with tabs between them; by 4 beams, if not "
        "otherwise said",
    )
    group.add_argument(
        "--with-prefixes",
        action="store_true",
        help="lines have, after a tab, the words that their translation begins with",
    )
    group.add_argument(
        "--min-confidence",
        type=share,
        metavar="SHARE",
        help="mark translations of whose words fewer are to be expected right, as "
        "[0.42] before them; in documents such a sentence stays as it is",
    )
    group.add_argument(
        "--withhold",
        action="store_true",
        help="leave the lines of such translations empty",
    )
    _add_documents(parser)
    add_search(parser)
    add_engine(parser)


def _add_documents(parser):
    add = parser.add_argument_group("documents").add_argument
    add(
        "--document",
        choices=("auto", *FORMATS_OF_DOCUMENTS),
        metavar="FORMAT",
        help="translate each input as a whole, keeping its structure: "
        f"{', '.join(FORMATS_OF_DOCUMENTS)}; or auto, by the names of the files. Of po "
        "and xliff what has no translation yet, which is marked as to be reviewed",
    )
    add(
        "--language",
        metavar="CODE",
        help="of the documents, by whose rules sentences end; by default en",
    )
    add(
        "--mask",
        metavar="TEXT",
        help="what the model reads in place of placeholders, addresses and code, such "
        "as '<x{}>' for user symbols <x0>, <x1> ... that it was trained with",
    )
