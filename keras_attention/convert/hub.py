"""Models of the Hugging Face Hub, by their names."""

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from keras_attention.optional_packages import needs

_NAME = r"(?:[\w.-]+/)?[\w.-]+"


def find_folder(
    folder: str | PathLike[str], owner: str, patterns: Sequence[str]
) -> Path:
    """The folder of a model: one that is there, or one that is downloaded.

    Args:
        folder: its path, or the name of a model of the Hub, such as
            `"Helsinki-NLP/opus-mt-en-fr"`.
        owner: of models that are named without one.
        patterns: of the files that are needed, such as `"*.json"`.

    Returns:
        The folder; what was downloaded before is found without a network.

    Raises:
        FileNotFoundError: when there is neither such a folder nor such a model, or the
            Hub cannot be reached.
        ImportError: for a name, without `keras-attention-layers[huggingface]`.
    """
    if Path(folder).exists() or not re.fullmatch(_NAME, str(folder)):
        return Path(folder)
    name = str(folder) if "/" in str(folder) else f"{owner}/{folder}"
    with needs("huggingface_hub", extra="huggingface", by=f"the model {name!r}"):
        import huggingface_hub
    try:
        found = huggingface_hub.snapshot_download(name, allow_patterns=[*patterns])
    except Exception as error:  # of the network, the Hub, or a name it refuses
        raise FileNotFoundError(
            "`folder` is neither a folder nor a model that the Hugging Face Hub gives "
            f"now: {type(error).__name__}: {error}. Received: folder={folder!r}"
        ) from error
    return Path(found)
