"""The ids of tokenizers by name, as other libraries know them."""

from typing import Any

from keras_attention.special_ids import PAD, UNKNOWN, SpecialIds
from keras_attention.translation.list_tokenizer import as_lists

UNKNOWN_NAME, START_NAME, END_NAME = "<unk>", "<s>", "</s>"


def is_sentencepiece(tokenizer: Any) -> bool:
    """Whether `sentencepiece` alone cuts as a tokenizer does."""
    return type(tokenizer).__name__ in ("SentencePieceTokenizer", "MarianTokenizer")


def to_names(tokenizer: Any, size: int, pad: str) -> list[str]:
    """A name for each id, all different.

    Args:
        tokenizer: whose ids they are.
        size: how many ids the model has, of which the tokenizer may have fewer.
        pad: the name of padding. The other special ids have those above.
    """
    special = SpecialIds.of(tokenizer)
    unknown = getattr(tokenizer, "unknown_id", UNKNOWN)
    names = {
        unknown: UNKNOWN_NAME,
        special.start: START_NAME,
        special.end: END_NAME,
        PAD: pad,  # which may stand for a start and an end that there are not
    }
    (pieces,) = as_lists(tokenizer).tokens([[*range(tokenizer.vocabulary_size)]])
    taken = {*names.values()}
    for index in range(size):
        if index in names:
            continue
        piece = pieces[index] if index < len(pieces) else ""
        if not piece or piece in taken:  # a mark with blanks beside it, and without
            piece = f"{piece}#{index}"
        taken.add(piece)
        names[index] = piece
    return [names[index] for index in range(size)]
