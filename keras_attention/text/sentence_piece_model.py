"""Reads and rewrites sentencepiece models, without `sentencepiece`.

A model is a protocol buffer: its pieces, the settings that it was trained with, and
its rules of normalization. Where a field stands twice the later one counts, and two
messages are merged, so that what is appended to a model changes its settings.
"""

from collections.abc import Iterator
from typing import NamedTuple

from keras_attention.special_ids import END, PAD, START, UNKNOWN

SPECIAL_PIECES = {
    "pad": ("pad_piece", "<pad>"),
    "unknown": ("unk_piece", "<unk>"),
    "start": ("bos_piece", "<s>"),
    "end": ("eos_piece", "</s>"),
}
"""The trainer's option that names each special piece, and its name by default."""
SPECIAL_IDS = {"pad": PAD, "unknown": UNKNOWN, "start": START, "end": END}

_PIECE, _TRAINER, _NORMALIZER, _DENORMALIZER = 1, 2, 3, 5
_PIECE_TEXT, _PIECE_TYPE = 1, 3
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED = 1, 2, 3, 4
_RULE_NAME, _RULES, _RULES_PATH = 1, 2, 6
# field of the trainer's settings that names the type, and the names
_MODEL_TYPE = 3
_MODEL_TYPES: dict[int | bytes, str] = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_SIZE = 4
# fields of the trainer's settings with the ids and names of control pieces
_ID_FIELDS = {"pad": 43, "unknown": 40, "start": 41, "end": 42}
_NAME_FIELDS = {"pad": 48, "start": 46, "end": 47}
_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5

Value = int | bytes


class ModelSummary(NamedTuple):
    """The settings of a model that a tokenizer needs."""

    size: int
    special_ids: dict[str, int]
    """Of each special piece, -1 where it has none."""
    model_type: str
    user_defined: list[bytes]
    """Symbols that are never cut."""
    normalization: str
    """The name of its rule."""
    puts_back: bool
    """Whether detokenized text undoes some of the normalization."""


class _Content(NamedTuple):
    """A model's pieces, the merged settings, and the bytes of all but the pieces."""

    pieces: list[bytes]
    trainer: dict[int, Value]
    normalizer: dict[int, Value]
    denormalizer: dict[int, Value]
    others: bytes


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
    content = _read(model)
    pieces = [dict(_fields(piece)) for piece in content.pieces]
    types = [piece.get(_PIECE_TYPE, _NORMAL) for piece in pieces]
    texts = [piece.get(_PIECE_TEXT, b"") for piece in pieces]
    if _UNKNOWN not in types:
        raise ValueError("it has no unknown piece, so it is no sentencepiece model")
    controls = {
        text: index for index, text in enumerate(texts) if types[index] == _CONTROL
    }
    special_ids = {"unknown": types.index(_UNKNOWN)}
    for name, field in _NAME_FIELDS.items():
        default = SPECIAL_PIECES[name][1].encode()
        special_ids[name] = controls.get(content.trainer.get(field, default), -1)
    rule = content.normalizer.get(_RULE_NAME, b"")
    return ModelSummary(
        len(pieces),
        special_ids,
        _MODEL_TYPES.get(content.trainer.get(_MODEL_TYPE, 1), "unknown"),
        [
            text
            for text, kind in zip(texts, types, strict=True)
            if kind == _USER_DEFINED and isinstance(text, bytes)
        ],
        rule.decode("utf-8", "replace") if isinstance(rule, bytes) else "",
        bool(content.denormalizer.get(_RULES)),
    )


def read_pieces(model: bytes) -> list[str]:
    """Returns the piece of each id.

    Args:
        model: The content of a `.model` file.

    Raises:
        ValueError: If `model` is no sentencepiece model.
    """
    pieces = [dict(_fields(piece)) for piece in _read(model).pieces]
    texts = [piece.get(_PIECE_TEXT, b"") for piece in pieces]
    return [text.decode() for text in texts if isinstance(text, bytes)]


def with_special_ids(model: bytes) -> bytes:
    """Returns the model with 0 to 3 for padding, unknown, the start and the end.

    The other pieces follow in their order. Control pieces that the model lacks are
    added; its rules, scores and types of pieces stay as they are.

    Args:
        model: The content of a `.model` file.

    Raises:
        ValueError: If `model` is no sentencepiece model.
    """
    found = summarize(model).special_ids
    if found == SPECIAL_IDS:
        return model
    content = _read(model)
    texts = {dict(_fields(piece)).get(_PIECE_TEXT) for piece in content.pieces}
    special: dict[int, None] = {}
    pieces, settings = [], b""
    for name, special_id in SPECIAL_IDS.items():
        index = found[name]
        # one piece may serve as both start and end
        if index >= 0 and index not in special:
            special[index] = None
            pieces.append(content.pieces[index])
        else:
            text = _unused_name(SPECIAL_PIECES[name][1].encode(), texts)
            pieces.append(_encode(_PIECE_TEXT, text) + _encode(_PIECE_TYPE, _CONTROL))
            settings += _encode(_NAME_FIELDS[name], text)
        settings += _encode(_ID_FIELDS[name], special_id)
    pieces += [
        piece for index, piece in enumerate(content.pieces) if index not in special
    ]
    settings += _encode(_SIZE, len(pieces))
    return b"".join(
        [
            *(_encode(_PIECE, piece) for piece in pieces),
            content.others,
            _encode(_TRAINER, settings),
        ]
    )


def with_rule_name(model: bytes, name: str) -> bytes:
    """Returns the model with another name for its rule of normalization.

    The paths of files that rules were read from are left out.

    Args:
        model: The content of a `.model` file.
        name: The name.
    """
    named = []
    for field, value in _fields(model):
        if field in (_NORMALIZER, _DENORMALIZER):
            kept = [pair for pair in _fields(value) if pair[0] != _RULES_PATH]
            value = b"".join(_encode(*pair) for pair in kept)
        named.append(_encode(field, value))
    rule_name = _encode(_RULE_NAME, name.encode())
    return b"".join([*named, _encode(_NORMALIZER, rule_name)])


def check_model(model: bytes) -> tuple[bytes, ModelSummary]:
    """Returns a model with this package's special ids, and its summary.

    Args:
        model: The content of a `.model` file.

    Raises:
        ValueError: If it is something else.
    """
    if not isinstance(model, bytes):
        raise ValueError(
            "`model` must be the bytes of a sentencepiece model. "
            f"Received: {type(model).__name__}"
        )
    try:
        renumbered = with_special_ids(model)
        return renumbered, summarize(renumbered)
    except ValueError as error:
        raise not_a_model(model, str(error)) from error


def not_a_model(model: bytes, reason: str) -> ValueError:
    """Returns the error for bytes that are no sentencepiece model.

    Args:
        model: The bytes.
        reason: What is wrong with them.
    """
    return ValueError(
        "`model` must be the bytes of a sentencepiece model. "
        f"Received: {len(model)} bytes, and {reason}"
    )


def _read(model: bytes) -> _Content:
    content = _Content([], {}, {}, {}, b"")
    settings = {
        _TRAINER: content.trainer,
        _NORMALIZER: content.normalizer,
        _DENORMALIZER: content.denormalizer,
    }
    others = []
    for field, value in _fields(model):
        if field == _PIECE and isinstance(value, bytes):
            content.pieces.append(value)
            continue
        if field in settings:
            settings[field].update(_fields(value))
        others.append(_encode(field, value))
    return content._replace(others=b"".join(others))


def _unused_name(name: bytes, used: set[Value | None]) -> bytes:
    while name in used:
        name = b"<%b>" % name
    used.add(name)
    return name


def _encode(field: int, value: Value) -> bytes:
    """The bytes of a field: a number, or anything with its length before it."""
    if isinstance(value, int):
        return _encode_varint(field << 3 | _VARINT) + _encode_varint(value)
    tag = _encode_varint(field << 3 | _LENGTH_DELIMITED)
    return tag + _encode_varint(len(value)) + value


def _encode_varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


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
