"""What a `Translator` is made of: what does not fit."""

from typing import Any

from keras_attention.decoding import Search
from keras_attention.special_ids import SpecialIds
from keras_attention.translation.short_list import ShortList


def check_vocabulary(name: str, tokenizer: Any, embedding: Any) -> None:
    """Raise for a tokenizer with more ids than the model."""
    if tokenizer.vocabulary_size > embedding.vocabulary_size:
        raise ValueError(
            f"`{name}` must not have more ids than the model. Received: {name} with "
            f"{tokenizer.vocabulary_size} ids, model with {embedding.vocabulary_size}"
        )


def check_source(tokenizer: Any, model: Any) -> None:
    """Raise for a model that does not read the ids of a tokenizer, or has none."""
    dim = getattr(model, "source_dim", None)
    if (tokenizer is None) != (dim is not None):
        raise ValueError(
            "`source_tokenizer` must be None for a model with a `source_dim`, which "
            f"reads vectors, and a tokenizer for any other. Received: source_tokenizer="
            f"{tokenizer!r}, model with source_dim={dim}"
        )
    if tokenizer is not None:
        check_vocabulary("source_tokenizer", tokenizer, model.source_embedding)


def check_special_ids(tokenizer: Any, model: Any) -> None:
    """Raise where a model does not begin and end as its target tokenizer does."""
    own, found = SpecialIds.of(tokenizer), SpecialIds.of(model)
    if own != found:
        raise ValueError(
            "`target_tokenizer` must have the start and end id of the model: build it "
            f"with start_id={own.start}, end_id={own.end}. Received: model with "
            f"start_id={found.start}, end_id={found.end}"
        )


def check_lists_ids(model: Any) -> None:
    """Raise for a model whose logits cannot be of a few ids alone."""
    if not getattr(model, "has_output_rows", False) or model.source_dim is not None:
        raise ValueError(
            "`model` must be a `Seq2Seq` or an `Ensemble` that reads ids, with a "
            "dense layer or an embedding for its logits, to have a short list. "
            f"Received: model={model!r}"
        )


def check_short_list(short_list: Any, model: Any) -> None:
    """Raise for a short list that is none, or not of a model."""
    if short_list is None:
        return
    if not isinstance(short_list, ShortList):
        raise ValueError(
            f"`short_list` must be a `ShortList`. Received: short_list={short_list!r}"
        )
    check_lists_ids(model)
    ends = model.source_embedding, model.target_embedding
    sizes = tuple(end.vocabulary_size for end in ends)
    listed = short_list.vocabulary_sizes
    if any(own > size for own, size in zip(listed, sizes, strict=True)):
        raise ValueError(
            "`short_list` must be of the vocabularies of the model. Received: ids up "
            f"to {listed} of source and target, model with {sizes}"
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
