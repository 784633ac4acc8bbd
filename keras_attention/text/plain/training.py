"""Training, which TensorFlow does."""

import importlib
from typing import Any

from keras_attention.optional_packages import needs
from keras_attention.text.saved import AnyTokenizer


def train(cls: type[AnyTokenizer], *arguments: Any, **options: Any) -> AnyTokenizer:
    """Trains the tokenizer of TensorFlow graphs of a name, and makes it plain.

    Args:
        cls: The plain class of that name.
        *arguments: Of the `train` of the other.
        **options: Likewise.

    Raises:
        ImportError: Without TensorFlow.
    """
    with needs("tensorflow", extra="text", by=f"{cls.__name__}.train"):
        graphs = importlib.import_module("keras_attention.text.loading")
    named = {graph.__name__: graph for graph in graphs.TOKENIZERS}
    trained = named[cls.__name__].train(*arguments, **options)
    return cls._from_content(trained._content())
