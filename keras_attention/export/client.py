"""Ask a SavedModel, in a process that knows TensorFlow and nothing of this package.

python client.py FOLDER < texts.json > translations.json

In the place of texts there may be lists of vectors.
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
    takes = serve.structured_input_signature[1]
    texts, translations = json.load(sys.stdin), []
    for start in range(0, max(1, len(texts)), BATCH):
        batch = texts[start : start + BATCH]
        if "text" in takes:
            encoded = [text.encode("utf-8", "surrogatepass") for text in batch]
            inputs = {"text": tf.constant(encoded, tf.string)}
        else:
            inputs = _pad(batch, takes["source"].shape[-1])
            inputs = {name: tf.constant(part) for name, part in inputs.items()}
        translations += serve(**inputs)["translation"].numpy().tolist()
    print(json.dumps([translation.decode() for translation in translations]))


def _pad(batch: list, dim: int) -> dict:
    """Lists of vectors as one array, and their mask."""
    import numpy as np

    lengths = np.array([len(vectors) for vectors in batch], "int64")
    source = np.zeros((len(batch), max(lengths, default=0), dim), "float32")
    for row, vectors in zip(source, batch, strict=True):
        row[: len(vectors)] = np.reshape(vectors, (-1, dim))
    mask = np.arange(source.shape[1]) < lengths[:, None]
    return {"source": source, "source_mask": mask}


if __name__ == "__main__":
    main(sys.argv[1])
