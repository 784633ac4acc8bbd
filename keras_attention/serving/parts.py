"""What a `Translator` is made of: what does not fit, and how it is loaded."""

from pathlib import Path
from typing import Any

import keras

from keras_attention.decoding import Search
from keras_attention.text import Tokenizer
from keras_attention.text.loading import TOKENIZERS


def check_ids(name: str, tokenizer: Tokenizer, embedding: Any) -> None:
    """Raise for a tokenizer that has ids which the model has not."""
    if tokenizer.vocabulary_size > embedding.vocabulary_size:
        raise ValueError(
            f"`{name}` must not have more ids than the model. Received: {name} with "
            f"{tokenizer.vocabulary_size} ids, model with {embedding.vocabulary_size}"
        )


def check_search(search: Any, limit: int | None) -> None:
    """Raise for what is no search, or for one that writes beyond a limit."""
    if not isinstance(search, Search):
        raise ValueError(
            f"`search` must be one of `decoding`. Received: search={search!r}"
        )
    if search.has_options:
        raise ValueError(
            "`search` must not be one of `with_options`: make one with these "
            f"arguments. Received: search={search!r}"
        )
    if limit is not None and search.max_length > limit:
        raise ValueError(
            "`search` must not write more ids than the model has positions for. "
            f"Received: search={search!r}, model with max_length={limit}"
        )


def check_saved(name: str, tokenizer: Tokenizer) -> None:
    """Raise for a tokenizer whose file no one could read."""
    if type(tokenizer) not in TOKENIZERS:
        kinds = [kind.__name__ for kind in TOKENIZERS]
        raise ValueError(
            f"`{name}` must be one of {kinds} for a `Translator` to be saved and "
            f"loaded. Received: {name}={tokenizer!r}"
        )


def load_search(path: Path, config: dict[str, Any]) -> Any:
    """The search of a configuration that was read from `path`."""
    try:
        return keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{str(path)!r} names an unknown search: {error}") from error


def load_model(path: Path) -> Any:
    """The model of a `.keras` file, without what it was trained by.

    Its loss may be a function that only its training knew.
    """
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its readers raise.
        raise ValueError(
            f"{str(path)!r} is not a usable Keras model: {error}"
        ) from error
