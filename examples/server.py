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


def to_bytes(text: Any) -> Any:
    """A text as UTF-8, also with half a character, as JavaScript may cut one."""
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def read(model: Any, request: dict[str, Any]) -> dict[str, tf.Tensor]:
    """The inputs of a request, or an error that says what does not fit.

    TensorFlow 2.21 never gives back a restored function's lock once a call's arguments
    did not fit, and all other threads wait: so no such call may be made.
    """
    _, specs = model.signatures["search"].structured_input_signature
    if not isinstance(request, dict) or not isinstance(request.get("text"), list):
        raise ValueError('send {"text": ["a sentence", "another"]}, and options beside')
    if unknown := sorted(request.keys() - specs.keys()):
        raise ValueError(f"{unknown} are not among the options {sorted(specs)}")
    inputs = {}
    for name, value in request.items():
        dtype = specs[name].dtype
        if dtype == tf.int32 and isinstance(value, int):
            value = min(max(value, dtype.min), dtype.max)
        if name == "text":
            value = [to_bytes(text) for text in value]
        inputs[name] = tf.constant(value, dtype)
        if not specs[name].is_compatible_with(inputs[name]):
            raise ValueError(f"{name} must be of shape {specs[name].shape}: {value!r}")
    return inputs


def answer(model: Any, request: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The translations of each text of a request, best first, with their scores."""
    found = model.translate(**read(model, request))
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
            length = int(self.headers["Content-Length"])
            if length < 0:
                raise ValueError("Content-Length must not be negative")
            request = json.loads(self.rfile.read(length))
            status, body = 200, answer(self.server.model, request)
        except (KeyError, RecursionError, TypeError, ValueError) as error:
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
