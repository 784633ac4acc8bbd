"""The options of `convert`."""

import argparse

from keras_attention.cli.parser import named

HELP = "make a Translator of a pretrained model"
DESCRIPTION = """\
Make a saved Translator of a folder of Marian's models in the form of Hugging Face, such
as those of OPUS-MT, or of the name of one, which is downloaded."""
EXAMPLES = """\
example:
  keras-attention convert opus-mt-en-fr --output en-fr"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    parser.add_argument(
        "model", type=named, help="its folder, or its name such as opus-mt-en-fr"
    )
    add = parser.add_argument
    add("--output", type=named, required=True, metavar="FOLDER", help="to write into")
    add("--overwrite", action="store_true", help="replace a Translator there")
    add(
        "--quantization",
        choices=["float16"],
        help="store the weights in half the space",
    )
