"""Symbols that are one piece wherever they stand, and come back as they were."""

import numpy as np
import pytest

from keras_attention.text import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordTokenizer,
    load_tokenizer,
)

pytestmark = pytest.mark.filterwarnings("ignore:The corpus fills a vocabulary")

SYMBOLS = ["<URL>", ">>FR<<", "<U", "A,B", 'Q"q', "(*)", "\u00c9t\u00e9", "\u2460"]
LINES = [
    "See <URL> or <URL>, THE (*)<U>x A,B",
    '>>FR<< Q"q Q"Q ÉTÉ Étéx',
    "①x<URL> ' 's ② <url>",
]
KINDS = ["unigram", "bpe", "char", "words", "characters"]


def train(kind, lines=LINES, **options):
    options = {"user_symbols": SYMBOLS, **options}
    if kind == "words":
        return WordTokenizer.train(lines, **options)
    if kind == "characters":
        return CharacterTokenizer.train(lines, **options)
    return SentencePieceTokenizer.train(lines, 300, model_type=kind, **options)


def back(tokenizer, lines):
    texts = tokenizer.detokenize(tokenizer.tokenize(lines))
    return [text.decode() for text in texts.numpy()]


def pieces(tokenizer, line):
    names = tokenizer.tokens(tokenizer.tokenize([line])).numpy()[0]
    return [name.decode() for name in names]


def count(names, symbol):
    return names.count(symbol) + names.count("\u2581" + symbol)


@pytest.mark.parametrize("kind", KINDS)
def test_symbols_are_never_cut(kind):
    tokenizer = train(kind)
    assert tokenizer.user_symbols == tuple(SYMBOLS)
    assert back(tokenizer, LINES) == LINES
    first, second, third = (pieces(tokenizer, line) for line in LINES)
    assert [count(first, s) for s in ("<URL>", "<U", "(*)", "A,B")] == [2, 1, 1, 1]
    assert [count(second, s) for s in (">>FR<<", 'Q"q', "Été")] == [1, 1, 1]
    assert [count(third, s) for s in ("①", "<URL>")] == [1, 1]
    parts = [part.decode() for part in tokenizer.split(LINES[:1]).numpy()[0]]
    assert parts.count("<URL>") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_symbols_are_found_while_the_rest_is_lower_cased(kind, tmp_path):
    tokenizer = train(kind, lowercase=True)
    wanted = [
        "see <URL> or <URL>, the (*)<U>x A,B",
        '>>FR<< Q"q q"q été Étéx',
        "①x<URL> ' 's ② <url>",
    ]
    assert back(tokenizer, LINES) == wanted
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert loaded.tokenize(LINES).to_list() == tokenizer.tokenize(LINES).to_list()
    assert loaded.user_symbols == tuple(SYMBOLS)
    if kind in ("unigram", "bpe"):
        ids = tokenizer.sample(LINES, 2, alpha=0.7)
        assert [t.decode() for t in tokenizer.detokenize(ids).numpy()] == 2 * wanted
        rows = [names.tolist() for names in tokenizer.tokens(ids).numpy()]
        assert rows[0].count(b"<URL>") == rows[3].count(b"<URL>") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_symbols_are_not_normalized(kind):
    tokenizer = train(kind, normalization="nfkc", lowercase=True)
    assert back(tokenizer, ["① ②"]) == ["① 2"]


@pytest.mark.parametrize("kind", KINDS)
def test_symbols_that_the_corpus_does_not_hold(kind):
    symbols = ["<NEW>", "\u200dz", "<s>", "</s>"]
    tokenizer = train(kind, ["a b ab."], user_symbols=symbols)
    for line in ("a<NEW>b", "a <NEW> b", "<NEW><s> </s>a<NEW>", "<NEW>.", "a\u200dzb"):
        assert back(tokenizer, [line]) == [line]
    ids = tokenizer.tokenize(["<s></s>"]).to_list()[0]
    assert min(ids) > 3


@pytest.mark.parametrize("kind", KINDS)
def test_nul_does_not_end_a_text_that_is_lower_cased(kind):
    tokenizer = train(kind, ["ab \0 cd"], lowercase=True)
    whole = "ab\0cd" if kind == "characters" else "ab cd"
    assert back(tokenizer, ["AB\0CD"]) == [whole]


def test_an_apostrophe_may_be_a_symbol():
    tokenizer = train("words", ["don't isn't"], user_symbols=["n't"])
    assert pieces(tokenizer, "don't isn't n't") == ["do", "n't", "is", "n't", "n't"]
    tokenizer = train("words", ["don't"], user_symbols=["'"])
    assert pieces(tokenizer, "don't") == ["don", "'", "t"]
    assert back(tokenizer, ["don't 't"]) == ["don't 't"]


def test_words_keep_the_blanks_at_a_symbol():
    tokenizer = train("words", ["x y"], vocabulary_size=4 + 4 * len(SYMBOLS) + 1)
    for line in ("x <URL> x", "x<URL>x", "x<URL> x", "x <URL>x"):
        assert back(tokenizer, [line]) == [line]
    least = 4 + 4 * len(SYMBOLS) + 1
    with pytest.raises(ValueError, match=f"`vocabulary_size`.*at least {least}"):
        train("words", vocabulary_size=least - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_symbols_are_checked(kind):
    for symbols in (["a b"], [""], ["a\0"], ["a", "a"], ["a\u3000"], "<U>", [3], None):
        with pytest.raises(ValueError, match="`user_symbols` must"):
            train(kind, user_symbols=symbols)
    taken = train(kind, user_symbols=np.array(["<U>"])).user_symbols
    assert taken == ("<U>",)


def test_a_vocabulary_holds_its_symbols():
    for cls in (WordTokenizer, CharacterTokenizer):
        with pytest.raises(ValueError, match="`vocabulary` must hold.*'<X>' is none"):
            cls(["a"], user_symbols=["<X>"])
        tokenizer = cls(["a", "<X>"], user_symbols=["<X>"])
        assert tokenizer.tokenize(["a<X>"]).to_list() == [[4, 5]]


def test_what_sentencepiece_cannot_hold_is_refused():
    for symbol in ("a\u2581", "\u2585"):
        with pytest.raises(ValueError, match=r"`user_symbols` must not hold U\+2581"):
            train("bpe", user_symbols=[symbol])
    with pytest.raises(ValueError, match="`user_symbols` needs another `model_type`"):
        train("word")
