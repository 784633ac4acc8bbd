"""Tokenizers that several tests share, trained once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_attention
from keras_attention.text import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordTokenizer,
)

CORPUS = [
    "My name is Dooli.",
    "내 이름은 둘리입니다.",
    'He said: "no, thanks!" (twice).',
    "don't you know? I don't; they do.",
    "안녕하세요, 여러분! 만나서 반갑습니다.",
    "one two three four five six seven",
]


def _sentence_piece():
    return SentencePieceTokenizer.train(CORPUS * 3, vocabulary_size=71)


TRAINERS = {
    "sentencepiece": _sentence_piece,
    "word": lambda: WordTokenizer.train(CORPUS),
    "character": lambda: CharacterTokenizer.train(CORPUS),
}


@pytest.fixture(scope="session")
def corpus():
    return list(CORPUS)


@pytest.fixture(scope="session", params=TRAINERS)
def tokenizer(request):
    """Each kind of tokenizer in turn."""
    return TRAINERS[request.param]()


@pytest.fixture(scope="session")
def sentence_piece():
    return _sentence_piece()


@pytest.fixture
def fresh_process(tmp_path):
    """Runs a script in a new interpreter and returns what it printed."""

    def run(script, *arguments, importable=True, backend="tensorflow"):
        root = Path(keras_attention.__file__).parents[1]
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONPATH": str(root) if importable else "",
        }
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
