"""The HTTP server of an exported SavedModel."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.backends import BACKEND
from tests.translators import ENGLISH, make_translator

SERVER = Path(__file__).parents[2] / "examples" / "server.py"
BAD = [
    "{",
    "[]",
    "{}",
    '{"text": null}',
    '{"text": "one"}',
    '{"text": [["one"]]}',
    '{"text": ["one", 2]}',
    '{"text": ["one"], "beam": 3}',
    '{"text": ["one"], "num_beams": [3]}',
    '{"text": ["one"], "num_beams": "3"}',
    "[" * 100_000,
]
pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a SavedModel runs on TensorFlow only"
)


@pytest.fixture
def ask(tmp_path):
    """A translator, and a function that sends a body to a server of its SavedModel."""
    translate = make_translator("beam")
    translate.export(tmp_path / "model", check=False)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, str(SERVER), str(tmp_path / "model"), str(port)],
        stderr=subprocess.DEVNULL,
    )

    def send(body):
        url = f"http://localhost:{port}"
        with urllib.request.urlopen(url, body.encode(), timeout=60) as answer:
            return json.load(answer)

    begun = time.monotonic()
    while time.monotonic() - begun < 60 and server.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("localhost", port)),
        ):
            break
        time.sleep(0.1)
    yield translate, send
    server.terminate()
    server.wait()


@pytest.mark.slow
def test_it_answers_as_the_translator(ask):
    translate, send = ask
    found = send(json.dumps({"text": ENGLISH, "num_beams": 3}))
    for row, expected in zip(found, translate.hypotheses(ENGLISH), strict=True):
        assert [one["text"] for one in row] == [one.text for one in expected]
        scores = [one.score for one in expected]
        assert [one["score"] for one in row] == pytest.approx(scores, abs=1e-4)
    assert len(send(json.dumps({"text": ["one"], "num_beams": 1}))[0]) == 1
    assert len(send('{"text": ["one"], "max_length": 3000000000}')[0]) == 3
    halves = ["one", "\ud83d"]  # of a character, as JavaScript may cut one
    for row, expected in zip(
        send(json.dumps({"text": halves})), translate.hypotheses(halves), strict=True
    ):
        assert [one["text"] for one in row] == [one.text for one in expected]
    for body in BAD:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            send(body)
    assert len(send('{"text": []}')) == 0
