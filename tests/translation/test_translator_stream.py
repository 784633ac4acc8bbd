"""Streams of texts: in order, lazily, in batches of so many tokens."""

import pytest

from tests.backends import BACKEND
from tests.translators import ENGLISH, make_translator, translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)
TEXTS = [*ENGLISH, "", "you\0", "둘리", "one " * 97, "What?", "a"]


@pytest.mark.parametrize(("batch_tokens", "window"), [(1, 3), (40, 4), (4096, 4096)])
def test_a_stream_is_translated_in_its_order(batch_tokens, window):
    translate = translator()
    expected = translate(TEXTS)
    assert list(translate.stream(iter(TEXTS), batch_tokens, window)) == expected
    assert list(translate.stream([])) == []


def test_a_stream_is_read_no_further_than_its_window():
    read = []

    def lines():
        for number in range(1000):
            read.append(number)
            yield "one two"

    stream = translator().stream(lines(), window=7)
    assert read == []
    next(stream)
    assert len(read) == 7
    with pytest.raises(ValueError, match=r"`texts` must be .*texts\[1\]=3"):
        list(translator().stream(["one", 3]))
    with pytest.raises(ValueError, match="`texts` must be an iterable .*: texts='one'"):
        translator().stream("one")


def test_batches_of_a_stream_keep_to_their_tokens(monkeypatch):
    translate, seen = make_translator(), []
    found = translate.engine.translate
    monkeypatch.setattr(
        translate.engine, "translate", lambda texts: seen.append(texts) or found(texts)
    )
    texts = [letters * number for letters in "ab" for number in (1, 3, 9, 27)]
    list(translate.stream(texts, batch_tokens=34))
    sizes = [(len(batch), max(len(text) + 1 for text in batch)) for batch in seen]
    # Characters are tokens, an end stands behind each text; what is read of it counts
    # 16 at least and 17 at most.
    assert sizes == [(2, 2), (2, 4), (2, 10), (2, 28)]
