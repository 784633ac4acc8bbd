"""A stream of lines through a Translator: for each that comes in, one goes out."""

import argparse
import io
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.translation import lines
from tests.backends import BACKEND
from tests.hostile_texts import lines_of
from tests.translators import ENGLISH, make_model, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
)

# Of which none ends a line.
INSIDE = "\u2028 \u2029 \x0b \x0c \r \x1c \x1d \x1e \x85 \0 \ufeff"


@pytest.fixture(scope="module")
def translator():
    return make_translator()


@given(
    pieces=st.lists(st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xe2\x80\xa8"]))),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_lines_come_in_pieces_of_any_size(pieces, mark):

    class Stream:
        def __init__(self):
            self.chunks = [*mark.split(), *(b"".join(piece) for piece in pieces)]
            self.chunks = iter([chunk for chunk in self.chunks if chunk])

        def read(self, size):
            return next(self.chunks, b"")

    data = b"".join([mark, *(b"".join(piece) for piece in pieces)])
    found = [line for some in lines.arriving(Stream(), 3) for line in some]
    if data != mark:
        assert found == lines_of(data)


def test_what_has_arrived_does_not_wait_for_more():
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as sender:
        arriving = lines.arriving(stream, 3)
        sender.write(b"a\nb")
        assert next(arriving) == [b"a"]
        sender.write(b"\n")
        assert next(arriving) == [b"b"]
        sender.write(b"c\n" * 7)
        found = []
        while len(found) < 7:
            some = next(arriving)
            assert len(some) <= 3
            found += some
        assert found == [b"c"] * 7
        sender.write(b"the end")
        sender.close()
        assert [*arriving] == [[b"the end"]]


def test_a_stream_that_never_waits_is_waited_for():
    chunks = iter([None, b"a\n", None, b"b", b""])
    stream = argparse.Namespace(read=lambda size: next(chunks))
    found = [line for some in lines.arriving(stream, 3) for line in some]
    assert found == [b"a", b"b"]


@pytest.mark.parametrize("error", [OSError("of a disk"), ValueError("closed")])
def test_a_stream_that_fails_says_so_after_what_it_gave(error):
    chunks = iter([b"a\nb\nc"])

    def read(size):
        for chunk in chunks:
            return chunk
        raise error

    found = []

    def collect():
        for some in lines.arriving(argparse.Namespace(read=read), 3):
            found.extend(some)

    with pytest.raises(type(error), match=str(error)):
        collect()
    assert found == [b"a", b"b"]


@pytest.mark.parametrize("alignments", [False, True])
def test_a_line_goes_out_for_each(translator, alignments):
    data = b"one\r\n\n" + INSIDE.encode() + b"\n \n\xff\xc3(\n" + b"two " * 25_000
    output = io.BytesIO()
    counts = lines.translate_lines(
        translator, io.BytesIO(data), output, alignments=alignments
    )
    cut = sum(not one.is_complete for one, *_ in translator.hypotheses(lines_of(data)))
    assert counts == {"texts": 6, "cut_texts": 2, "cut_translations": cut}
    found = output.getvalue().decode().split("\n")
    assert len(found) == 7
    assert found.pop() == ""
    if not alignments:
        assert found == translator(lines_of(data))
        return
    for line in found:
        source, target, pairs = (side.split() for side in line.split(" ||| "))
        assert {int(pair.split("-")[0]) for pair in pairs} <= {*range(len(source))}
        assert [int(pair.split("-")[1]) for pair in pairs] == [*range(len(target))]


@pytest.mark.parametrize("mark", ["\n", "\r"], ids=ascii)
def test_a_translation_cannot_end_a_line(mark):
    source, target = (
        text.CharacterTokenizer.train(ENGLISH),
        text.CharacterTokenizer([mark]),
    )
    model = make_model("transformer", source.vocabulary_size, target.vocabulary_size)
    search = Greedy(5, min_length=5, suppressed_ids=[text.UNKNOWN])
    writer = Translator(model, source, target, search, 17)
    assert set(writer(list(ENGLISH))) <= {mark * 4, mark * 5}
    for alignments, expected in (
        (False, r" {4,5}"),
        (True, r".* \|\|\| (\u2581 ?){4,5} .*"),
    ):
        output = io.BytesIO()
        data = "\n".join(ENGLISH).encode()
        lines.translate_lines(writer, io.BytesIO(data), output, alignments=alignments)
        found = output.getvalue().decode().split("\n")
        assert found.pop() == ""
        assert len(found) == len(ENGLISH)
        assert all(re.fullmatch(expected, line) for line in found)


def test_alignments_need_attention():
    translator = make_translator("without attention")
    with pytest.raises(ValueError, match="needs attention"):
        lines.translate_lines(translator, io.BytesIO(b"a"), io.BytesIO(), True)
