"""Ask a SavedModel, in a process that knows TensorFlow and nothing of this package.

python client.py FOLDER < texts.json > translations.json
"""

import json
import sys

BATCH = 64  # texts at once


def main(folder: str) -> None:
    """Translate a JSON list of texts from standard input to one on standard output."""
    sys.modules["keras_attention"] = None  # type: ignore[assignment]  # Must not serve.
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  (registers the tokenizers' operations)

    serve = tf.saved_model.load(folder).signatures["serving_default"]
    texts = [text.encode("utf-8", "surrogatepass") for text in json.load(sys.stdin)]
    translations = []
    for start in range(0, max(1, len(texts)), BATCH):
        batch = tf.constant(texts[start : start + BATCH], tf.string)
        translations += serve(text=batch)["translation"].numpy().tolist()
    print(json.dumps([translation.decode() for translation in translations]))


if __name__ == "__main__":
    main(sys.argv[1])
