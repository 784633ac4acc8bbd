"""Where words begin and end, on whichever backend Keras runs."""

import re

import keras
import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch
from keras_attention.models import transformer
from keras_attention.text.plain import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from keras_attention.translation.word_bounds import (
    as_word,
    find_forms,
    is_spaced,
    read_words,
)

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LINES = ["l'école et les écoles (l'école)", "un chat et des chats", "고양이가 길고양이"]
SIZES = {"bpe": 60, "unigram": 29}


def named(tokenizer):
    """The pieces that continue words, and those that end in one."""
    size = tokenizer.vocabulary_size
    words = read_words(tokenizer, size)
    pieces = [tokenizer.tokens([[index]])[0][0] for index in range(size)]
    assert words.goes_on.shape == words.is_open.shape == (size,)
    return tuple(
        {piece for piece, flag in zip(pieces, flags, strict=True) if flag}
        for flags in words
    )


def test_letters_continue_words():
    tokenizer = CharacterTokenizer(list(" aé\u0301가-ก1"))
    assert named(tokenizer) == ({"a", "é", "\u0301", "1"},) * 2


def test_words_do_not():
    goes_on, is_open = named(WordTokenizer(["cat", "cats", "고양이", "!"]))
    assert not goes_on
    assert is_open == {"cat", "cats"}


def test_pieces_of_words_do():
    pieces = [*SPECIAL, "cat", "##s", "##'", "-", "가", "##를"]
    assert named(WordPieceTokenizer(pieces)) == ({"##s"}, {"cat", "##s"})


@pytest.mark.parametrize("model_type", SIZES)
def test_pieces_without_a_blank_do(model_type):
    tokenizer = SentencePieceTokenizer.train(
        LINES, SIZES[model_type], model_type=model_type
    )
    goes_on, is_open = named(tokenizer)
    assert goes_on
    assert all(piece[0].isalpha() and piece[0] < "가" for piece in goes_on)
    assert all(piece[-1].isalpha() and piece[-1] < "가" for piece in is_open)
    assert "'" not in is_open
    assert any(piece[0] == "▁" for piece in is_open)


def test_forms_stand_after_a_blank_and_after_a_sign():
    tokenizer = SentencePieceTokenizer.train(LINES, 60, model_type="bpe")
    first, second = find_forms(tokenizer, ["école"], tokenizer.unknown_id)
    (opening,) = tokenizer.tokenize(["les"])
    assert tokenizer.detokenize([opening + first]) == ["les école"]
    assert tokenizer.detokenize([opening + second]) == ["lesécole"]
    # Of letters and words there is one way alone, and none where some are unknown.
    letters = CharacterTokenizer(list("'abc"))
    assert find_forms(letters, ["ab", "abd"], letters.unknown_id) == [[5, 6]]


@pytest.mark.parametrize("seed", range(3))
def test_a_term_is_a_word_of_its_own(seed):
    keras.utils.set_random_seed(seed)
    tokenizer = CharacterTokenizer(list(" abc-"))
    sizes = {"embedding_dim": 8, "num_layers": 1, "num_heads": 2}
    model = transformer(*[tokenizer.vocabulary_size] * 2, intermediate_dim=8, **sizes)
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + random.normal(size=weight.shape, scale=0.4))
    translate = Translator(model, tokenizer, tokenizer, BeamSearch(4, 12), 12, 4)
    terms = [[("ab",), ("c",)], [("ca", "cab")], [("b-",)]]
    found = translate.hypotheses(["abc", "a b c", "ca-b"], terms=terms)
    for ranked, own in zip(found, terms, strict=True):
        for forms in own:
            patterns = "|".join(map(as_word, forms))
            assert re.search(patterns, ranked[0].text), (ranked[0].text, forms)


@pytest.mark.parametrize("char", "aéßжλ1ếאबो\u0301")
def test_scripts_with_blanks(char):
    assert is_spaced(char)


@pytest.mark.parametrize("char", "가か中กမ-'_ ")
def test_scripts_without_and_signs(char):
    assert not is_spaced(char)
