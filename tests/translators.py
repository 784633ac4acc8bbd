"""Small translators with random weights, for the tests of what is built on them."""

import functools
from types import MappingProxyType

import numpy as np

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.layers import Attention
from keras_attention.models import rnn_seq2seq, transformer
from keras_attention.text import (
    END,
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordTokenizer,
)

ENGLISH = (
    "My name is Dooli.",
    "What is your name?",
    "I do not know, do you?",
    "one two three four five",
)
KOREAN = (
    "내 이름은 둘리입니다.",
    "이름이 무엇입니까?",
    "저는 모릅니다. 당신은요?",
    "하나 둘 셋 넷 다섯",
)
MAX_LENGTH = 11
"""The most tokens of a translation."""


def _pieces(lines):
    # As many ids as the corpus has letters, and a few more.
    size = len(set("".join(lines))) + 7
    return SentencePieceTokenizer.train(list(lines) * 3, vocabulary_size=size)


def _two(train):
    return train(list(ENGLISH)), train(list(KOREAN))


def _one(train):
    tokenizer = train([*ENGLISH, *KOREAN])
    return tokenizer, tokenizer


TOKENIZERS = MappingProxyType(
    {
        "two sentencepiece models": lambda: _two(_pieces),
        "one shared sentencepiece model": lambda: _one(_pieces),
        "words": lambda: _two(WordTokenizer.train),
        "characters": lambda: _two(CharacterTokenizer.train),
        "characters and sentencepiece": lambda: (
            CharacterTokenizer.train(ENGLISH),
            _pieces(KOREAN),
        ),
    }
)
MODELS = MappingProxyType(
    {
        "transformer": functools.partial(
            transformer,
            num_layers=1,
            num_heads=2,
            embedding_dim=8,
            intermediate_dim=16,
        ),
        "beam": lambda *sizes: MODELS["transformer"](*sizes),
        "compiled beam": lambda *sizes: MODELS["transformer"](*sizes),
        "recurrent": functools.partial(rnn_seq2seq, embedding_dim=8, units=8),
        "attending in turn": lambda *sizes: rnn_seq2seq(
            *sizes,
            embedding_dim=8,
            units=8,
            num_layers=2,
            bidirectional=True,
            attention=Attention(
                "additive", units=5, coverage="fertility", alignment="monotonic"
            ),
            order="bahdanau",
            readout="maxout",
            layer_normalization=True,
        ),
        "without attention": functools.partial(
            rnn_seq2seq, embedding_dim=8, units=8, attention=None
        ),
    }
)


def make_model(architecture, source_size, target_size, **options):
    """A model whose outputs depend on its inputs and end now and then."""
    model = MODELS[architecture](source_size, target_size, **options)
    random = np.random.default_rng(29)
    weights = [
        random.normal(0, 0.8, weight.shape) if weight.ndim > 1 else weight
        for weight in model.get_weights()
    ]
    model.set_weights(weights)
    if model.output_projection is not None:
        kernel, bias = model.output_projection.get_weights()
        bias[END] += 1
        model.output_projection.set_weights([kernel, bias])
    return model


SEARCHES = MappingProxyType(
    {
        "beam": lambda: BeamSearch(3, MAX_LENGTH),
        "compiled beam": lambda: BeamSearch(3, MAX_LENGTH, jit_compile=True),
    }
)


def make_translator(
    architecture="transformer", kind="characters", search=None, batch_size=5
):
    """A translator that writes up to `MAX_LENGTH` tokens and reads up to 17."""
    source, target = TOKENIZERS[kind]()
    model = make_model(architecture, source.vocabulary_size, target.vocabulary_size)
    if search is None:
        search = SEARCHES.get(architecture, lambda: Greedy(MAX_LENGTH))()
    return Translator(model, source, target, search, 17, batch_size)


@functools.cache
def translator(architecture="transformer"):
    """A translator that tests share; they must not change it."""
    return make_translator(architecture)
