"""Serve an exported SavedModel over HTTP, without Keras.

    python examples/server.py FOLDER [PORT]
    curl localhost:8000 -d '{"text": ["I see the dog."], "max_length": 40}'

It needs `tensorflow` and `tensorflow_text` and nothing else. Beside `text`, a request
holds any options of the search that the model was exported with.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the tokenizers' operations)


class Handler(BaseHTTPRequestHandler):
    """Answers a request with the best translations of each text, and their scores."""

    def do_POST(self):
        try:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = tf.constant(request.pop("text"), tf.string, shape=[None])
            found = self.server.model.translate(text, **request)
            status, answer = (
                200,
                {
                    "translation": [
                        [text.decode() for text in row]
                        for row in found["translation"].numpy().tolist()
                    ],
                    "score": found["score"].numpy().tolist(),
                },
            )
        except (KeyError, TypeError, ValueError) as error:
            status, answer = 400, {"error": str(error)}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


def make_server(folder: str, port: int = 8000) -> ThreadingHTTPServer:
    """A server of a SavedModel, ready for `serve_forever`."""
    server = ThreadingHTTPServer(("", port), Handler)
    server.model = tf.saved_model.load(folder)
    return server


if __name__ == "__main__":
    make_server(sys.argv[1], *map(int, sys.argv[2:3])).serve_forever()
