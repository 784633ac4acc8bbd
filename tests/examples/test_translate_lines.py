"""`translate.py translate` as a filter: whatever comes in, a line goes out for each.

The tests send some hundred hostile rows. To send any number to any saved Translator:

    python -m tests.examples.test_translate_lines FOLDER --rows 3000
"""

import argparse
import contextlib
import importlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from tests.backends import BACKEND, ROOT
from tests.hostile_texts import KINDS, hostile_texts
from tests.translators import ENGLISH, make_model, make_translator

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
)

# Of which none ends a line.
INSIDE = "\u2028 \u2029 \x0b \x0c \r \x1c \x1d \x1e \x85 \0 \ufeff"


@pytest.fixture(autouse=True)
def _examples_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))


@pytest.fixture(scope="module")
def translator():
    return make_translator()


@pytest.fixture(scope="module")
def folder(translator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("translator") / "saved"
    translator.save(folder)
    return folder


def lines_of(data):
    """The lines that are read from some bytes, by another way."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines[: len(lines) - (not lines[-1])]]


@given(
    pieces=st.lists(st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xe2\x80\xa8"]))),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_lines_come_in_pieces_of_any_size(pieces, mark):
    lines = importlib.import_module("translate_lines")

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
    lines = importlib.import_module("translate_lines")
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
    lines = importlib.import_module("translate_lines")
    chunks = iter([None, b"a\n", None, b"b", b""])
    stream = argparse.Namespace(read=lambda size: next(chunks))
    found = [line for some in lines.arriving(stream, 3) for line in some]
    assert found == [b"a", b"b"]


@pytest.mark.parametrize("error", [OSError("of a disk"), ValueError("closed")])
def test_a_stream_that_fails_says_so_after_what_it_gave(error):
    lines = importlib.import_module("translate_lines")
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
    lines = importlib.import_module("translate_lines")
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
    lines = importlib.import_module("translate_lines")
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
    lines = importlib.import_module("translate_lines")
    translator = make_translator("without attention")
    with pytest.raises(ValueError, match="needs attention"):
        lines.translate_lines(translator, io.BytesIO(b"a"), io.BytesIO(), True)


# --- in a process -----------------------------------------------------------------


@contextlib.contextmanager
def command(folder, **variables):
    """A process that translates, which is killed if it takes too long."""
    variables = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2", **variables}
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / "translate.py"), "translate", str(folder)],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        killer = threading.Timer(300, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def ask(process, line):
    process.stdin.write(line + b"\n")
    process.stdin.flush()
    return process.stdout.readline().decode().removesuffix("\n")


def send_hostile_rows(folder, count):
    """Send rows to a process whose locale has few letters; how many are the same."""
    translator = Translator.load(folder)
    data = b"\n".join(hostile_texts(count))
    rows = lines_of(data)
    with command(folder, PYTHONIOENCODING="cp1252", LC_ALL="C") as process:
        # It answers while its input stays open.
        assert [ask(process, line.encode()) for line in ENGLISH] == translator(ENGLISH)
        output, errors = process.communicate(data)
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors
    found, expected = output.decode().split("\n"), translator(rows)
    assert found.pop() == ""
    assert len(found) == len(rows)
    assert found == expected
    lengths = translator.source_tokenizer.tokenize(rows).row_lengths().numpy()
    cut = (lengths + 1 > translator.source_limit).sum()
    cut += sum(len(line) + 1 > translator.source_limit for line in ENGLISH)
    asked = len(rows) + len(ENGLISH)
    assert f"cut {cut} of {asked} lines, longer than" in errors.decode()
    found = translator.hypotheses([*rows, *ENGLISH])
    cut = sum(not one.is_complete for one, *_ in found)
    assert f"cut {cut} of {asked} translations, longer than" in errors.decode()
    return len(rows)


def test_hostile_rows_are_translated_as_by_a_call(folder):
    assert send_hostile_rows(folder, 30 * len(KINDS)) > 30 * len(KINDS)


@pytest.fixture
def _interruptible():
    """A shell has what it runs in the background ignore interrupts, children too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_the_end_of_reader_or_user_is_quiet(folder):
    with command(folder) as left, command(folder) as interrupted:
        assert ask(left, b"one")
        left.stdout.close()
        for _ in range(3):
            with contextlib.suppress(BrokenPipeError):
                left.stdin.write(b"two\n")
                left.stdin.flush()
        if os.name != "nt":
            assert ask(interrupted, b"one")
            interrupted.send_signal(signal.SIGINT)
            assert interrupted.wait() == -signal.SIGINT
            assert b"Traceback" not in interrupted.stderr.read()
        assert left.wait() == 128 + 13
        errors = left.stderr.read()
        assert b"Traceback" not in errors
        assert b"translate.py" not in errors
        assert b"Exception ignored" not in errors


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell closes streams")
def test_closed_streams_are_not_taken_for_others(folder, tmp_path):
    program = [sys.executable, str(EXAMPLES / "translate.py")]

    def run(redirections, *arguments):
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirections}', "sh", *program, *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"},
            input=b"long " * 50 + b"\none\n",
            capture_output=True,
        )

    done = run("2>&-", "translate", str(folder))
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 2)
    assert b"warning" not in done.stdout
    done = run(">&-", "export", str(folder), "--output", str(tmp_path / "exported"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "exported" / "saved_model.pb").is_file()


@pytest.mark.skipif(os.name == "nt", reason="pipes always wait there")
def test_standard_streams_wait_for_their_readers(monkeypatch):
    messages = importlib.import_module("translate_messages")
    read, write = os.pipe()
    os.set_blocking(write, False)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", None)
        messages.wait_for_readers()
        messages.say("nothing, where nobody reads it")
        assert os.get_blocking(write)
    assert os.read(read, 9) == b""
    os.close(read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=3000)
    options = parser.parse_args()
    print(send_hostile_rows(options.folder, options.rows), "rows, each as by a call")
