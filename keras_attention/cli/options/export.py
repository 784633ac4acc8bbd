"""The options of `export`."""

import argparse

from keras_attention.cli.options.shared import (
    add_computation,
    add_folder,
    add_search,
)
from keras_attention.cli.parser import named

HELP = "write a Translator for other programs"
DESCRIPTION = """\
Write a saved Translator for TensorFlow Serving, CTranslate2, Hugging Face, ONNX or
LiteRT, and try what was written in a fresh process."""
EXAMPLES = """\
examples:
  keras-attention export run/translator --output served/1 --beams 4
  keras-attention export run/translator --output ct2 --format ctranslate2 \\
      --quantization int8"""

# What each format is called, and the file by which it is known. Nothing is imported
# for the help.
FORMATS = {
    "saved_model": ("SavedModel", "saved_model.pb"),
    "ctranslate2": ("model of CTranslate2", "model.bin"),
    "huggingface": ("model of Hugging Face", "model.safetensors"),
    "onnx": ("model of ONNX", "model.onnx"),
    "litert": ("model of LiteRT", "model.tflite"),
}
QUANTIZATIONS = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int16",
    "float16",
    "float32",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    add_folder(parser)
    add = parser.add_argument
    add("--output", type=named, required=True, metavar="FOLDER", help="to write into")
    add("--overwrite", action="store_true", help="replace a model there")
    add(
        "--format",
        choices=[*FORMATS],
        default="saved_model",
        help="what to write, by default a SavedModel of strings",
    )
    add(
        "--quantization",
        choices=[*QUANTIZATIONS],
        help="of the weights for ctranslate2 and huggingface; by default float32",
    )
    add_computation(parser)
    add_search(parser)
