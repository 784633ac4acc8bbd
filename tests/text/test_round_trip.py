"""What a tokenizer was trained on comes back as it was, in every script."""

import functools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.text import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordTokenizer,
)
from tests.text.scripts import SCRIPTS, single_spaced

pytestmark = pytest.mark.filterwarnings("ignore:The corpus fills a vocabulary")

LINES = list(SCRIPTS.values())
MODEL_TYPES = ["unigram", "bpe", "char", "word"]
KINDS = [*MODEL_TYPES, "bytes", "words", "characters"]


@functools.cache
def train(kind, lines=tuple(LINES), **options):
    lines = list(lines)
    if kind == "words":
        return WordTokenizer.train(lines, **options)
    if kind == "characters":
        return CharacterTokenizer.train(lines, **options)
    options["byte_fallback"] = kind == "bytes"
    options["model_type"] = "unigram" if kind == "bytes" else kind
    return SentencePieceTokenizer.train(lines, 5000, **options)


def back(tokenizer, lines):
    texts = tokenizer.detokenize(tokenizer.tokenize(lines))
    return [text.decode() for text in texts.numpy()]


def expected(kind, line):
    return line if kind == "characters" else single_spaced(line)


@pytest.mark.parametrize("kind", KINDS)
def test_every_script_comes_back(kind):
    tokenizer = train(kind)
    for line, text in zip(LINES, back(tokenizer, LINES), strict=True):
        assert ascii(text) == ascii(expected(kind, line))
    assert tokenizer.normalization == "identity"


@pytest.mark.parametrize("kind", KINDS)
def test_lower_case_comes_back(kind):
    tokenizer = train(kind, lowercase=True)
    for line, text in zip(LINES, back(tokenizer, LINES), strict=True):
        assert ascii(text) == ascii(expected(kind, line.lower()))


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_what_is_cut_at_random_comes_back(kind):
    tokenizer = train(kind)
    texts = tokenizer.detokenize(tokenizer.sample(LINES, 2, alpha=0.5)).numpy()
    whole = [single_spaced(line) for line in LINES] * 2
    assert [text.decode() for text in texts] == whole
    plain = tokenizer.sample(LINES, alpha=0) if kind == "bpe" else None
    assert plain is None or plain.to_list() == tokenizer.tokenize(LINES).to_list()


@pytest.mark.parametrize("kind", KINDS)
def test_runs_of_blanks_become_one_space(kind):
    blanks = ["\t", "\n", "\r\n", "\0", " \x1e\x1f\v", "\x01"]
    lines = [f" {blank}a{blank} b{blank}c\u3000{blank}" for blank in blanks]
    tokenizer = train(kind)
    seen = back(tokenizer, lines)
    if kind == "characters":
        assert seen[0] == "\u2047".join(lines[0].split("\t"))
    else:
        assert seen == back(tokenizer, ["a b c\u3000"] * len(lines))
        assert not any("\u2047" in text for text in seen) or kind == "word"


@pytest.mark.parametrize("kind", [*MODEL_TYPES, "words"])
def test_blanks_and_format_characters_that_were_never_seen(kind):
    words = ["hello", "world", "ab\u1780c"]
    tokenizer = train(kind, tuple(words))
    for line in (
        "\ufeffhello world",
        "\u200fhello\u200f world",
        "hel\u00adlo wor\u200dld",
        "hello\u2060 world",
        "hello\u200bworld",
        "hello\u00a0world",
        "\u3000hello\u2028\u0085world\u202f",
    ):
        assert back(tokenizer, [line]) == ["hello world"]


def test_bytes_spell_what_was_never_seen():
    lines = ["hel\u00adlo\u00a0wor\u200bld", "\ufeffhello", "\u2581hello \u2585"]
    tokenizer = SentencePieceTokenizer.train(["hello world"], 275, byte_fallback=True)
    assert back(tokenizer, lines) == lines
    words = SentencePieceTokenizer.train(
        ["hello world"], 262, model_type="word", byte_fallback=True
    )
    assert back(words, ["hello new world"]) == ["hello new world"]


def test_a_word_is_known_without_its_format_characters():
    tokenizer = WordTokenizer.train(["می\u200cخواهم so\u00adft", "hello\u200bworld"])
    assert back(tokenizer, ["hel\u00adlo\u200bwo\u200crld"]) == ["hello\u200bworld"]
    assert back(tokenizer, ["so\u00adft soft"]) == ["so\u00adft \u2047"]


def test_words_that_hold_a_zero_width_space_stay_whole():
    tokenizer = WordTokenizer(["a\u200bb", "c"])
    assert tokenizer.tokenize(["a\u200bb c\u00a0c\u3000"]).to_list() == [[4, 5, 5]]


@functools.cache
def characters():
    """Characters that Unicode assigns, a few of each category and block."""
    seen, some = set(), []
    for code in range(0x21, 0x20000):
        character = chr(code)
        key = unicodedata.category(character), code // 0x200
        if key[0] not in ("Cs", "Cn") and key not in seen:
            seen.add(key)
            some.append(character)
    return some


@pytest.mark.parametrize("kind", ["bpe", "words", "characters"])
def test_characters_of_every_block_come_back(kind):
    lines = [f"a{c}b {c}a b{c} {c}" for c in characters()]
    tokenizer = train(kind, tuple(lines))
    assert list(map(ascii, back(tokenizer, lines))) == list(map(ascii, lines))


@given(parts=st.lists(st.sampled_from([*LINES, " ", "\u200b", "\u2581", "<s>"])))
def test_lines_of_known_text_come_back(parts):
    line = "".join(parts)
    for kind in ("unigram", "bpe"):
        assert back(train(kind), [line]) == [single_spaced(line)]
