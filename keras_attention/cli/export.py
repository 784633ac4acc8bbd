"""The command that exports a saved Translator."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from keras_attention.cli.options import Parser, add_search, named
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.saved import load


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `export`."""
    parser = Parser("export", description="Write a Translator as a SavedModel.")
    parser.add_argument("folder", type=named, help="a saved Translator")
    parser.add_argument("--output", type=named, required=True, help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="a SavedModel there")
    add_search(parser)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Write the SavedModel of a saved Translator."""
    clean_up_when_interrupted()
    folder = Path(options.output)
    if (folder / "saved_model.pb").is_file() and not options.overwrite:
        raise FileExistsError(
            f"{folder} holds a SavedModel: --overwrite replaces it, --output names "
            "another folder"
        )
    load(options).export(options.output, options.overwrite)
    print(f"SavedModel in {options.output}, tried in a fresh process")
