"""Serve an exported SavedModel over HTTP, without Keras.

    python examples/server.py FOLDER [PORT]
    curl localhost:8000 -d '{"text": ["I see the dog."], "max_length": 40}'

It needs `tensorflow` and `tensorflow_text` and nothing else. Beside `text`, a request
holds any options of the search that the model was exported with.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the tokenizers' operations)


def answer(model: Any, request: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The translations of each text of a request, best first, with their scores."""
    text = tf.constant(request.pop("text"), tf.string)
    found = model.translate(text, **request)
    return [
        [
            {"text": text.decode(), "score": score}
            for text, score in zip(*row, strict=True)
            if score > float("-inf")
        ]
        for row in zip(
            found["translation"].numpy().tolist(),
            found["score"].numpy().tolist(),
            strict=True,
        )
    ]


class Handler(BaseHTTPRequestHandler):
    """Answers a request, or says what is wrong with it."""

    def do_POST(self):
        try:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = 200, answer(self.server.model, request)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            status, body = 400, {"error": str(error)}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def make_server(folder: str, port: int = 8000) -> ThreadingHTTPServer:
    """A server of a SavedModel, ready for `serve_forever`."""
    server = ThreadingHTTPServer(("", port), Handler)
    server.model = tf.saved_model.load(folder)
    return server


if __name__ == "__main__":
    make_server(sys.argv[1], *map(int, sys.argv[2:3])).serve_forever()
