"""Translate standard input with an exported SavedModel.

    python examples/saved_model_client.py FOLDER < lines

It needs `tensorflow` and `tensorflow_text` and nothing else.
"""

import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the tokenizers' operations)


def main(folder: str) -> None:
    """Translate each line of standard input."""
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    assert "keras_attention" not in sys.modules
    lines = [line.rstrip("\n") for line in sys.stdin]
    for translation in serve(text=tf.constant(lines, tf.string))["translation"]:
        print(translation.numpy().decode())


if __name__ == "__main__":
    main(sys.argv[1])
