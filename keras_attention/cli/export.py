"""The command that exports a saved Translator."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from keras_attention.cli.options import Parser, add_search, named
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.saved import load

# What each format is called, and the file by which it is known. Nothing is imported
# for the help.
FORMATS = {
    "saved_model": ("SavedModel", "saved_model.pb"),
    "ctranslate2": ("model of CTranslate2", "model.bin"),
    "huggingface": ("model of Hugging Face", "model.safetensors"),
    "onnx": ("model of ONNX", "model.onnx"),
    "litert": ("model of LiteRT", "model.tflite"),
}
QUANTIZED = ("ctranslate2", "huggingface")
QUANTIZATIONS = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int16",
    "float16",
    "float32",
)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `export`."""
    parser = Parser("export", description="Write a Translator for other programs.")
    parser.add_argument("folder", type=named, help="a saved Translator")
    parser.add_argument("--output", type=named, required=True, help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="a model there")
    parser.add_argument(
        "--format",
        choices=[*FORMATS],
        default="saved_model",
        help="what to write, by default a SavedModel of strings",
    )
    parser.add_argument(
        "--quantization",
        choices=[*QUANTIZATIONS],
        help="of the weights for ctranslate2 and huggingface; by default float32",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        help="to compute in, by default the one of the training",
    )
    add_search(parser)
    return parser.parse_args(arguments)


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
