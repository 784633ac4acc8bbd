"""The command that exports a saved Translator."""

import argparse
from pathlib import Path

from keras_attention.cli.options.export import FORMATS
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.saved import load

QUANTIZED = ("ctranslate2", "huggingface")


def run(options: argparse.Namespace) -> None:
    """Write a saved Translator in another format."""
    clean_up_when_interrupted()
    name, marker = FORMATS[options.format]
    if options.quantization and options.format not in QUANTIZED:
        raise ValueError(
            "--quantization is for --format ctranslate2 and huggingface. "
            f"Received: --format {options.format}"
        )
    folder = Path(options.output)
    if (folder / marker).is_file() and not options.overwrite:
        raise FileExistsError(
            f"{folder} holds a {name}: --overwrite replaces it, --output names another "
            "folder"
        )
    load(options).export(
        options.output,
        options.overwrite,
        format=options.format,
        quantization=options.quantization,
    )
    print(f"{name} in {options.output}, tried in a fresh process")
