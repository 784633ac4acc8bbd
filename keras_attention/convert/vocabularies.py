"""A trained model that reads and writes another vocabulary, to be trained further."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_attention.convert.weights import named_weights
from keras_attention.layers import PositionalEmbedding
from keras_attention.models import LanguageModel, Seq2Seq
from keras_attention.special_ids import PAD, UNKNOWN, SpecialIds
from keras_attention.translation.piece_names import to_names

_BLANK = "\N{LOWER ONE EIGHTH BLOCK}"  # begins a word, as sentencepiece writes it
_UNKNOWN_COST = 1_000  # of a character that is skipped, in pieces


def change_vocabularies(
    model: Any, tokenizers: Sequence[Any], new_tokenizers: Sequence[Any]
) -> Any:
    """A copy of a model whose tables are those of other tokenizers.

    A piece of both vocabularies keeps its vectors, its column of the logits and its
    bias. A new piece begins with the mean of those of its parts: as few pieces of the
    old vocabulary as spell it, and where none do, all of them (Hewitt 2021).

    Args:
        model: a `Seq2Seq`, or a `LanguageModel`; it stays as it is.
        tokenizers: of its source and its target.
        new_tokenizers: likewise. One that is the same object keeps its table.

    Returns:
        A model of the same class, with start and end of the new target tokenizer.

    Raises:
        ValueError: for a model that is quantized or has adapters, an embedding or an
            output layer that is not one of the builders', and for two new tokenizers
            where one table serves both sides.
    """
    _check_model(model)
    config = model.get_config()
    changed = _changed_parts(model, tokenizers, new_tokenizers)
    for name, (_, new) in changed.items():
        size = "units" if name == "output" else "vocabulary_size"
        config[name]["config"][size] = new.vocabulary_size
    special = SpecialIds.of(new_tokenizers[1])
    config |= {"start_id": special.start, "end_id": special.end}
    fresh = type(model).from_config(config)
    old_parts, new_parts = model._parts(), fresh._parts()
    moved = {id(w) for name in changed for w in old_parts[name].weights}
    for weight, copy in zip(model.weights, fresh.weights, strict=True):
        if id(weight) not in moved:
            copy.assign(weight)
    for name, pair in changed.items():
        _fill(new_parts[name], old_parts[name], _find_parts(*pair))
    return fresh


def _check_model(model):
    if not isinstance(model, Seq2Seq | LanguageModel):
        raise ValueError(
            "`model` must be a `Seq2Seq` or a `LanguageModel` for another vocabulary. "
            f"Received: model={model!r}"
        )
    for layer in model._flatten_layers():
        if layer.quantization_mode is not None or getattr(layer, "lora_enabled", False):
            raise ValueError(
                "`model` must be neither quantized nor have adapters that are not "
                f"merged, to take another vocabulary. Received: model with {layer!r}"
            )


def _changed_parts(model, tokenizers, new_tokenizers):
    """The old and the new tokenizer of each part that takes another vocabulary."""
    sides = [*zip(tokenizers, new_tokenizers, strict=True)]
    is_tied = model.source_embedding is model.target_embedding
    one, other = new_tokenizers
    if is_tied and one is not other and _pieces(one) != _pieces(other):
        raise ValueError(
            "`new_tokenizers` must have one vocabulary, since the model has one table "
            f"for both sides. Received: new_tokenizers={new_tokenizers!r}"
        )
    ends = {"source_embedding": sides[0], "target_embedding": sides[1]}
    ends |= {"embedding": sides[1], "output": sides[1]}
    parts = {
        name: part
        for name, part in model._parts().items()
        if name in ends and part is not None and ends[name][0] is not ends[name][1]
    }
    for name, part in parts.items():
        kind = keras.layers.Dense if name == "output" else PositionalEmbedding
        if type(part) is not kind:
            raise ValueError(
                f"`model` must have a {kind.__name__} as its {name}, to take another "
                f"vocabulary. Received: {part!r}"
            )
    return {name: ends[name] for name in parts}


def _fill(new, old, parts):
    """Set the weights of an end of a model from those of the end that it replaces."""
    own = named_weights(new)
    for name, weight in named_weights(old).items():
        value = keras.ops.convert_to_numpy(weight)
        if name == "kernel":  # (dim, vocabulary)
            value = _means(value.T, parts).T
        elif name != "positions/embeddings":
            value = _means(value, parts)
        own[name].assign(value)


def _means(rows, parts):
    fallback = rows.mean(axis=0)
    return np.stack([rows[ids].mean(axis=0) if ids else fallback for ids in parts])


def _find_parts(old: Any, new: Any) -> list[list[int]]:
    """For each id of the new tokenizer, ids of the old one that mean the same.

    None where nothing does.
    """
    special = _special_ids(old)
    by_role = dict(zip(_special_ids(new), special, strict=True))
    pieces = enumerate(_pieces(old))
    ids = {piece: index for index, piece in pieces if index not in special}
    longest = max(map(len, ids), default=0)
    return [
        [by_role[index]] if index in by_role else _spell(piece, ids, longest)
        for index, piece in enumerate(_pieces(new))
    ]


def _special_ids(tokenizer):
    unknown = getattr(tokenizer, "unknown_id", UNKNOWN)
    return (PAD, unknown, *SpecialIds.of(tokenizer))


def _pieces(tokenizer):
    """The piece of each id, as sentencepiece would write it."""
    names = to_names(tokenizer, tokenizer.vocabulary_size, "<pad>")
    kind = type(tokenizer).__name__
    if kind == "CharacterTokenizer":
        return [_BLANK if name == " " else name for name in names]
    if kind == "WordPieceTokenizer":
        return [name[2:] if name.startswith("##") else _BLANK + name for name in names]
    if kind in ("WordTokenizer", "VectorizationTokenizer"):
        return [_BLANK + name for name in names]
    return names


def _spell(piece: str, ids: dict[str, int], longest: int) -> list[int]:
    """The fewest ids that spell a piece; what cannot be spelt is left out."""
    if piece in ids:
        return [ids[piece]]
    best: list[tuple[float, list[int]]] = [(0, [])]
    for end in range(1, len(piece) + 1):
        found = best[end - 1]
        best.append((found[0] + _UNKNOWN_COST, found[1]))
        character = _spell_bytes(piece[end - 1], ids)
        if character:
            best[end] = found[0] + len(character), found[1] + character
        for begin in range(max(0, end - longest), end):
            part = ids.get(piece[begin:end])
            if part is not None and best[begin][0] + 1 < best[end][0]:
                best[end] = best[begin][0] + 1, [*best[begin][1], part]
    return best[-1][1]


def _spell_bytes(character, ids):
    """The ids of its bytes, in a vocabulary that has those."""
    parts = [
        ids.get(f"<0x{byte:02X}>") for byte in character.encode("utf-8", "replace")
    ]
    return [] if None in parts else parts
