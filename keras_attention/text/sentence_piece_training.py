"""Trains sentencepiece models that give back the text that they were trained on."""

import functools
import io
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_attention.optional_packages import needs
from keras_attention.special_ids import END, PAD, START, UNKNOWN
from keras_attention.text.arguments import check_boolean, check_choice, check_integer
from keras_attention.text.cleaning_rules import NORMALIZATIONS
from keras_attention.text.sentence_piece_model import SPECIAL_PIECES, with_rule_name

MODEL_TYPES = ("unigram", "bpe", "char", "word")
IDENTITY = NORMALIZATIONS[0]

# The trainer drops lines that hold NUL or U+2585 and gives a tab a meaning.
_NOT_TRAINED_ON = str.maketrans(dict.fromkeys("\0\t\n\r\u2585", " "))
# The trainer drops longer lines without a word; this is its largest number.
_ANY_LENGTH = 2**30

# "identity": control characters up to the space are blanks. U+2581, which is
# sentencepiece's sign for a blank, and U+2585 are replaced by characters that Unicode
# sets aside for use inside a program, and put back in detokenized text.
_BLANKS = [chr(code) for code in range(0x20)]
_STAND_INS = {"\u2581": "\ufdd0", "\u2585": "\ufdd1"}
_PUT_BACK = {stand_in: sign for sign, stand_in in _STAND_INS.items()} | {"\u2581": " "}
# The charsmap cannot hold NUL, and lines are dropped before it is used.
_IDENTITY_TRAINED_ON = str.maketrans(
    {**dict.fromkeys(_BLANKS, " "), "\u2585": _STAND_INS["\u2585"]}
)


def check_training(
    *,
    vocabulary_size: Any,
    model_type: Any,
    character_coverage: Any,
    byte_fallback: Any,
    normalization: Any,
    user_symbols: Sequence[str],
) -> None:
    """Checks the arguments of `train_model`.

    Raises:
        ValueError: If one is out of range.
    """
    check_integer("vocabulary_size", vocabulary_size, len(SPECIAL_PIECES) + 1)
    check_choice("model_type", model_type, MODEL_TYPES)
    is_number = isinstance(character_coverage, int | float)
    if not is_number or not 0 < character_coverage <= 1:
        raise ValueError(
            "`character_coverage` must be above 0 and at most 1. "
            f"Received: character_coverage={character_coverage!r}"
        )
    check_boolean("byte_fallback", byte_fallback)
    check_choice("normalization", normalization, NORMALIZATIONS)
    if user_symbols and model_type == "word":
        raise ValueError(
            "`user_symbols` needs another `model_type`, or a WordTokenizer: a model of "
            f"type 'word' would cut them. Received: user_symbols={user_symbols!r}"
        )
    reserved = [
        symbol for symbol in user_symbols if {*symbol} & {*_PUT_BACK, *_STAND_INS}
    ]
    if reserved:
        raise ValueError(
            "`user_symbols` must not hold U+2581 or U+2585, which sentencepiece "
            f"uses itself. Received: {reserved[0]!r}"
        )


def train_model(
    lines: Sequence[str],
    *,
    vocabulary_size: int,
    byte_fallback: bool,
    normalization: str,
    user_symbols: Sequence[str],
    **options: Any,
) -> bytes:
    """Returns a serialized model; the same lines give the same.

    Args:
        lines: The corpus, lower-cased if it is to be.
        vocabulary_size: How many ids there are.
        byte_fallback: Whether unknown characters are spelled as bytes.
        normalization: One of `NORMALIZATIONS`.
        user_symbols: Strings that are never cut.
        **options: `model_type` and `character_coverage`.

    Raises:
        ValueError: If sentencepiece cannot train on the lines.
        ImportError: If sentencepiece is not installed.
    """
    options.update(
        vocab_size=vocabulary_size,
        byte_fallback=byte_fallback,
        user_defined_symbols=list(user_symbols),
        **_special_pieces([*lines, *user_symbols]),
    )
    if normalization != IDENTITY:
        trained_on = (line.translate(_NOT_TRAINED_ON) for line in lines)
        return _train(trained_on, normalization_rule_name=normalization, **options)
    # bytes spell what was never seen
    rules = {} if byte_fallback else _never_seen([*lines, *user_symbols])
    rules |= {**dict.fromkeys(_BLANKS[1:], " "), **_STAND_INS}
    with tempfile.TemporaryDirectory() as folder:
        model = _train(
            (line.translate(_IDENTITY_TRAINED_ON) for line in lines),
            normalization_rule_tsv=_write_rules(Path(folder, "in.tsv"), rules),
            denormalization_rule_tsv=_write_rules(Path(folder, "out.tsv"), _PUT_BACK),
            **options,
        )
    return with_rule_name(model, IDENTITY)


def sentencepiece_for(method: str) -> ModuleType:
    """Returns the package, which a trained tokenizer does without.

    Args:
        method: What needs it, for the message.

    Raises:
        ImportError: If it is not installed.
    """
    by = f"SentencePieceTokenizer.{method}"
    with needs("sentencepiece", extra="text", by=by):
        import sentencepiece
    return sentencepiece


def _special_pieces(lines: Sequence[str]) -> dict[str, str]:
    """Names of the special pieces that no line holds, since they would be left out."""
    options = {}
    for option, piece in SPECIAL_PIECES.values():
        while any(piece in line for line in lines):
            piece = f"<{piece}>"
        options[option] = piece
    return options


def _never_seen(lines: Iterable[str]) -> dict[str, str]:
    """Replaces white space and format characters that no line holds.

    White space and control characters are read as a blank, and so is the zero-width
    space; other format characters are left out.
    """
    seen: set[str] = set()
    seen.update(*lines)
    return {
        character: replacement
        for character, replacement in _invisible().items()
        if character not in seen
    }


@functools.cache
def _invisible() -> dict[str, str]:
    """White space and format characters beyond ASCII's, and how they are read."""
    rules = {}
    # between these are planes of Han characters, and of nothing
    for character in map(chr, [*range(0x7F, 0x20000), *range(0xE0000, 0xE0100)]):
        category = unicodedata.category(character)
        if category in ("Zs", "Zl", "Zp", "Cc") or character == "\u200b":
            rules[character] = " "
        elif category == "Cf":
            rules[character] = ""
    return rules


def _write_rules(path: Path, rules: dict[str, str]) -> str:
    """Writes code points and what replaces them, as sentencepiece reads it."""
    lines = (
        "\t".join(
            " ".join(f"{ord(character):X}" for character in side) for side in rule
        )
        for rule in sorted(rules.items())
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return str(path)


def _train(sentences: Iterable[str], vocab_size: int, **options: Any) -> bytes:
    sentencepiece = sentencepiece_for("train")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            vocab_size=vocab_size,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=START,
            eos_id=END,
            # a corpus too small for the vocabulary is no error
            hard_vocab_limit=False,
            max_sentence_length=_ANY_LENGTH,
            # fixed, because sums over threads depend on their number
            num_threads=16,
            minloglevel=2,
            **options,
        )
    except RuntimeError as error:
        needed = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
        if needed:
            raise ValueError(
                f"`vocabulary_size` must be at least {needed[1]} to hold the "
                "corpus' characters (or lower `character_coverage`). "
                f"Received: vocabulary_size={vocab_size}"
            ) from error
        raise ValueError(
            f"`lines` cannot be trained on; sentencepiece says: {error}"
        ) from error
    return model.getvalue()
