"""The HTTP server of an exported SavedModel."""

import importlib
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.backends import BACKEND
from tests.translators import ENGLISH, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a SavedModel runs on TensorFlow only"
)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """A translator, and a function that sends a body to a server of its SavedModel."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    translate = make_translator("beam")
    translate.export(tmp_path / "model", check=False)
    server = importlib.import_module("server").make_server(str(tmp_path / "model"), 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def send(body):
        url = f"http://localhost:{server.server_address[1]}"
        with urllib.request.urlopen(url, body.encode(), timeout=60) as answer:
            return json.load(answer)

    yield translate, send
    server.shutdown()
    server.server_close()


def test_it_answers_as_the_translator(ask):
    translate, send = ask
    found = send(json.dumps({"text": ENGLISH, "num_beams": 3}))
    for row, expected in zip(found, translate.hypotheses(ENGLISH), strict=True):
        assert [one["text"] for one in row] == [one.text for one in expected]
        scores = [one.score for one in expected]
        assert [one["score"] for one in row] == pytest.approx(scores, abs=1e-4)
    assert len(send(json.dumps({"text": ["one"], "num_beams": 1}))[0]) == 1
    for body in ("{", "[]", "{}", '{"text": "one"}', '{"text": ["one"], "beam": 3}'):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            send(body)
    assert len(send('{"text": []}')) == 0
