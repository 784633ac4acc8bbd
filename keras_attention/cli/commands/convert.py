"""The command that makes a Translator of a pretrained model."""

import argparse
from pathlib import Path

from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.translation.file_names import MARKER
from keras_attention.translation.translator import Translator


def run(options: argparse.Namespace) -> None:
    """Read a model of Marian's, and save it as a Translator."""
    clean_up_when_interrupted()
    folder = Path(options.output)
    if (folder / MARKER).is_file() and not options.overwrite:
        raise FileExistsError(
            f"{folder} holds a Translator: --overwrite replaces it, --output names "
            "another folder"
        )
    Translator.check_free(folder, options.overwrite)
    translator = Translator.from_marian(options.model)
    translator.save(folder, options.overwrite, quantization=options.quantization)
    print(
        f"Translator in {folder}: {translator.model.count_params():,} parameters, "
        f"{translator.source_tokenizer} to {translator.target_tokenizer}"
    )
