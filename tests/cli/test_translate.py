"""The command that translates, as a filter in a process of its own.

The tests send some hundred hostile rows. To send any number to any saved Translator:

    python -m tests.cli.test_translate FOLDER --rows 3000
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading

import pytest

from keras_attention import Translator
from tests.backends import BACKEND, ROOT
from tests.hostile_texts import KINDS, hostile_texts, lines_of
from tests.translators import ENGLISH, make_translator

COMMAND = [sys.executable, "-m", "keras_attention"]

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translator") / "saved"
    make_translator().save(folder)
    return folder


@contextlib.contextmanager
def command(folder, **variables):
    """A process that translates, which is killed if it takes too long."""
    variables = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2", **variables}
    with subprocess.Popen(
        [*COMMAND, "translate", str(folder)],
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


@pytest.mark.slow
def test_hostile_rows_are_translated_as_by_a_call(folder):
    assert send_hostile_rows(folder, 30 * len(KINDS)) > 30 * len(KINDS)


@pytest.fixture
def _interruptible():
    """A shell has what it runs in the background ignore interrupts, children too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
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
        assert b"keras-attention" not in errors
        assert b"Exception ignored" not in errors


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell closes streams")
def test_closed_streams_are_not_taken_for_others(folder, tmp_path):
    def run(redirections, *arguments):
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirections}', "sh", *COMMAND, *arguments],
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=3000)
    options = parser.parse_args()
    print(send_hostile_rows(options.folder, options.rows), "rows, each as by a call")
