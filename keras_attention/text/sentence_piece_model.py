"""Reads from a sentencepiece model what a tokenizer must know of it.

A model is a protocol buffer: its pieces, and the settings that it was trained
with. Only a few of its fields are read, so that a trained model can be checked
where `sentencepiece` is not installed.
"""

from collections.abc import Iterator
from typing import NamedTuple

_PIECE, _TRAINER = 1, 2
_PIECE_TEXT, _PIECE_TYPE = 1, 3
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED = 1, 2, 3, 4
# field of the trainer's settings that names the type, and the names
_MODEL_TYPE = 3
_MODEL_TYPES: dict[int | bytes, str] = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
# field of the trainer's settings that names the piece, and the name by default
_CONTROL_PIECES = {
    "pad": (48, b"<pad>"),
    "start": (46, b"<s>"),
    "end": (47, b"</s>"),
}
_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5

Value = int | bytes


class ModelSummary(NamedTuple):
    """What a model says of itself."""

    size: int
    special_ids: dict[str, int]
    """Of each special piece, -1 where it has none."""
    model_type: str
    user_defined: list[bytes]
    """Symbols that are never cut."""


def summarize(model: bytes) -> ModelSummary:
    """Reads what a tokenizer must know of a serialized model.

    Args:
        model: The content of a `.model` file.

    Returns:
        Among others the ids named pad, unknown, start and end, and the type of
        `SentencePieceTokenizer.train`.

    Raises:
        ValueError: If `model` is no sentencepiece model.
    """
    pieces: list[dict[int, Value]] = []
    trainer: dict[int, Value] = {}
    for field, value in _fields(model):
        if field == _PIECE:
            pieces.append(dict(_fields(value)))
        elif field == _TRAINER:
            trainer = dict(_fields(value))
    types = [piece.get(_PIECE_TYPE, _NORMAL) for piece in pieces]
    if _UNKNOWN not in types:
        raise ValueError("it has no unknown piece, so it is no sentencepiece model")
    controls = {
        piece.get(_PIECE_TEXT): index
        for index, piece in enumerate(pieces)
        if types[index] == _CONTROL
    }
    special_ids = {
        name: controls.get(trainer.get(field, default), -1)
        for name, (field, default) in _CONTROL_PIECES.items()
    }
    special_ids["unknown"] = types.index(_UNKNOWN)
    return ModelSummary(
        len(pieces),
        special_ids,
        _MODEL_TYPES.get(trainer.get(_MODEL_TYPE, 1), "unknown"),
        [
            text
            for piece, kind in zip(pieces, types, strict=True)
            if kind == _USER_DEFINED
            and isinstance(text := piece.get(_PIECE_TEXT), bytes)
        ],
    )


def _fields(message: Value) -> Iterator[tuple[int, Value]]:
    """Yields number and value of the fields of a protocol buffer message."""
    if isinstance(message, int):
        raise ValueError("it is no sentencepiece model")
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        wire_type = tag & 7
        if wire_type == _VARINT:
            number, position = _varint(message, position)
            yield tag >> 3, number
            continue
        if wire_type == _LENGTH_DELIMITED:
            length, position = _varint(message, position)
        elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire_type == _EIGHT_BYTES else 4
        else:
            raise ValueError("it is no sentencepiece model")
        if position + length > len(message):
            raise ValueError("it is truncated, or no sentencepiece model")
        yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Returns a number of variable length, and the position after it."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("it is truncated, or no sentencepiece model")
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise ValueError("it is no sentencepiece model")
