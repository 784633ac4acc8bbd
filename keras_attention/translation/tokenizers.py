"""Tokenizers of both sides of a parallel text, sized by it."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from keras_attention.argument_checks import check_choice
from keras_attention.text import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    Tokenizer,
    WordTokenizer,
)

KINDS: dict[str, Any] = {
    "sentencepiece": SentencePieceTokenizer,
    "word": WordTokenizer,
    "character": CharacterTokenizer,
}


def train_tokenizers(
    pairs: tuple[Sequence[str], Sequence[str]],
    kind: str = "sentencepiece",
    *,
    shared: bool = False,
    vocabulary_size: int | None = None,
    normalizations: tuple[str | None, str | None] = (None, None),
    **options: Any,
) -> tuple[Tokenizer, Tokenizer]:
    """Train the tokenizers of both sides of a parallel text.

    Args:
        pairs: the source lines and the target lines.
        kind: `"sentencepiece"`, `"word"` or `"character"`.
        shared: whether both sides have one tokenizer, as tied embeddings need.
        vocabulary_size: of each side. By default half as many as the target side has
            words, from 1,000 to 8,000, so that each is met four times or more; with
            room for every character too, of which some scripts have thousands.
        normalizations: of the sources and of the targets, one of sentencepiece's rules
            each. By default targets are kept as they are, so that translations come
            out as they were written; sources too, but for those of `"sentencepiece"`,
            which has `"nmt_nfkc"`. One tokenizer has one normalization.
        options: others of the tokenizer's `train`, such as `lowercase`.

    Returns:
        The tokenizer of the sources and that of the targets.

    Raises:
        ValueError: for an unknown kind, for two normalizations of one tokenizer, and
            for what `train` refuses.

    Example:
    >>> pairs = ["one", "two"], ["eins", "zwei"]
    >>> train_tokenizers(pairs, "character")
    (CharacterTokenizer(vocabulary_size=9), CharacterTokenizer(vocabulary_size=10))
    """
    check_choice(KINDS, kind=kind)
    source_lines, target_lines = (list(side) for side in pairs)
    sides = [source_lines, target_lines]
    if shared:
        sides = [source_lines + target_lines]
    tokenizers = [
        KINDS[kind].train(
            lines,
            vocabulary_size=vocabulary_size
            or _default_size(target_lines, _count_characters(lines, normalization)),
            normalization=normalization,
            **options,
        )
        for lines, normalization in zip(
            sides, _choose_normalizations(*normalizations, kind, shared), strict=True
        )
    ]
    return tokenizers[0], tokenizers[-1]


def _choose_normalizations(
    source: str | None, target: str | None, kind: str, shared: bool
) -> list[str]:
    if not shared:
        usual = "nmt_nfkc" if kind == "sentencepiece" else "identity"
        return [source or usual, target or "identity"]
    if source and target and source != target:
        raise ValueError(
            "One tokenizer of both sides has one normalization: those of sources and "
            f"targets must be the same. Received: {source} and {target}"
        )
    return [source or target or "identity"]


def _default_size(target_lines: Sequence[str], characters: int) -> int:
    words = len({word for line in target_lines for word in line.split()})
    wanted = min(8000, words // 2, len(target_lines) // 4)
    return max(1000, wanted, characters + 200)


def _count_characters(lines: Sequence[str], normalization: str) -> int:
    """How many characters there are, in the form in which they become pieces."""
    if normalization == "identity":
        return len({char for line in lines for char in line})
    return len({char for line in lines for char in unicodedata.normalize("NFKC", line)})
