"""Tokenizers of TensorFlow graphs and of plain Python, two of each kind."""

import functools

from keras_attention.text import (
    CharacterTokenizer,
    MarianTokenizer,
    SentencePieceTokenizer,
    VectorizationTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from keras_attention.text.cleaning_rules import NORMALIZATIONS
from keras_attention.text.plain import plain_tokenizer
from keras_attention.text.sentence_piece_model import read_pieces
from keras_attention.text.vectorization_rules import SPLITS, STANDARDIZATIONS
from tests.text.scripts import SCRIPTS
from tests.text.test_sentence_piece_models import train as foreign_model

SYMBOLS = ["<URL>", "don't", "\u2460", "A,B", "'"]
LINES = [*SCRIPTS.values(), "See <URL>: a don't ① A,B ab AB", "aa aaa aaaa 0 00 000"]
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "word", "\u5168", "x" * 97, "가", "e\u0301"),
    *"abcdefghijklmnopqrstuvwxyz0123456789.,!'-éàαβσあカ中한ᄒㅎاबกა",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789éσ나ᅡᆫアा่"),
    *("##⁄", "1⁄", "##ffi", "th", "##he", "##\u0301", "##'", "don", "<s>", "##"),
]
WORDS = ["", "?", "[start]", "[end]", *"aeéx中\x1c가", "see", "See", "dont", "don't"]


def _sentence_piece(model_type, **options):
    size = {"char": 2000, "word": 300}.get(model_type, 700)
    return SentencePieceTokenizer.train(LINES, size, model_type=model_type, **options)


def _foreign(order, model_type="unigram", **options):
    return SentencePieceTokenizer(foreign_model(order, model_type), **options)


def _marian(model_type):
    model = foreign_model("sentencepiece", model_type)
    pieces = read_pieces(model)[3:]
    more = [">>fr<<", "\u2603", "\u2603\u2603", "\n", "\u2581", "\u2581in the target"]
    listed = ["<pad>", *pieces[::2], "<unk>", "</s>", "<s>", *more]
    return MarianTokenizer([*dict.fromkeys(listed)], model)


_SENTENCE_PIECE = {
    "unigram": lambda: _sentence_piece("unigram"),
    "unigram nmt_nfkc_cf": lambda: _sentence_piece(
        "unigram", normalization="nmt_nfkc_cf"
    ),
    "bpe symbols": lambda: _sentence_piece(
        "bpe", lowercase=True, user_symbols=SYMBOLS[:3]
    ),
    "char bytes": lambda: _sentence_piece("char", byte_fallback=True),
    "word bytes": lambda: _sentence_piece("word", byte_fallback=True),
    "foreign gemma": lambda: _foreign("gemma", lowercase=True),
    "foreign blanks": lambda: _foreign("blanks"),
    "foreign suffixes": lambda: _foreign("suffixes", "bpe"),
}
_CHARACTERS = {
    f"characters {rule} {case}": functools.partial(
        CharacterTokenizer.train,
        LINES,
        normalization=rule,
        lowercase=case == "lower",
        user_symbols=SYMBOLS if case == "lower" else (),
    )
    for rule, case in zip(NORMALIZATIONS, ("lower", "as it is") * 3, strict=False)
}
_VECTORIZATION = {
    f"vectorization {standardize} {split}": functools.partial(
        VectorizationTokenizer, WORDS, standardize, split
    )
    for standardize, split in zip(STANDARDIZATIONS, (*SPLITS, SPLITS[1]), strict=True)
}
MAKERS = {
    **_SENTENCE_PIECE,
    **_CHARACTERS,
    **_VECTORIZATION,
    "words": lambda: WordTokenizer.train(LINES),
    "few words": lambda: WordTokenizer(["a", "b\x1e", "\x1e.", "don't", "c\xadd"]),
    "words symbols": lambda: WordTokenizer.train(
        LINES[::3], lowercase=True, normalization="nmt_nfkc", user_symbols=SYMBOLS
    ),
    "pieces": lambda: WordPieceTokenizer(PIECES),
    "pieces lower": lambda: WordPieceTokenizer(PIECES, lowercase=True),
    "marian unigram": lambda: _marian("unigram"),
    "marian bpe": lambda: _marian("bpe"),
}


@functools.cache
def pair(kind):
    """A tokenizer of graphs, and the plain one that does the same."""
    graphs = MAKERS[kind]()
    return graphs, plain_tokenizer(graphs)


def as_text(structure):
    """Bytes in nested lists as `str`."""
    if isinstance(structure, list):
        return [as_text(part) for part in structure]
    return structure.decode()
