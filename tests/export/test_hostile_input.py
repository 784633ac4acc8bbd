"""A SavedModel that answers whatever it is sent, in a process without the package.

The test sends some hundred texts. To send any number to any SavedModel:

    python -m tests.export.test_hostile_input FOLDER --rows 20000
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends import BACKEND, ROOT
from tests.hostile_texts import KINDS, hostile_texts
from tests.translators import make_translator

CLIENT = """
import itertools, json, random, resource, sys

import numpy as np
import tensorflow as tf
import tensorflow_text
from tests.hostile_texts import hostile_texts

PROBES = [b"What is your name?", b"one two three", b"you"]

def used():
    pages = open("/proc/self/statm").read().split()[1]
    return int(pages) * resource.getpagesize() / 2**20

def translate(texts):
    found = serve(text=tf.constant(texts, tf.string))
    translations, scores = found["translation"].numpy(), found["score"].numpy()
    assert translations.shape == scores.shape == (len(texts),)
    assert np.isfinite(scores).all(), texts
    for translation in translations:
        translation.decode()
    return translations, scores

folder, rows, settled = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
loaded = tf.saved_model.load(folder)
serve = loaded.signatures["serving_default"]
alone = [translate([probe]) for probe in PROBES]
rng, texts = random.Random(1), hostile_texts(rows)
sent = batches = 0
memory = []
while sent < rows:
    batch = list(itertools.islice(texts, rng.choice([1, 2, 5, 13, 32])))
    sent, batches = sent + len(batch), batches + 1
    # One that is known, somewhere between them, must be translated as it is alone.
    which, place = rng.randrange(len(PROBES)), rng.randint(0, len(batch))
    batch.insert(place, PROBES[which])
    translations, scores = translate(batch)
    assert translations[place] == alone[which][0][0], batch
    np.testing.assert_allclose(scores[place], alone[which][1][0], atol=1e-4)
    if batches % settled == 0:
        memory.append(round(used()))
scores = loaded.signatures["score"](
    text=tf.constant([b"one", b"one"]), reference=tf.constant([b"x " * 30000, b"x"])
)
assert np.isfinite(scores["log_probability"].numpy()).all()
assert not {"keras_attention", "sentencepiece"} & set(sys.modules)
print(json.dumps({"rows": sent, "batches": batches, "memory": memory}))
"""


def ask(folder, rows, settled=200, timeout=None):
    """Send so many hostile rows to a SavedModel; what the client tells of them.

    Its `memory` is in MiB after each `settled` batches.
    """
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(folder), str(rows), str(settled)],
        env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="a Translator runs on TensorFlow")
@pytest.mark.skipif(not Path("/proc").exists(), reason="memory is read there")
@pytest.mark.parametrize(
    ("architecture", "tokenizer"),
    [("transformer", "two sentencepiece models"), ("recurrent", "words")],
)
def test_anything_is_answered(architecture, tokenizer, tmp_path):
    make_translator(architecture, tokenizer).export(tmp_path / "model", check=False)
    rows = 30 * len(KINDS)
    assert ask(tmp_path / "model", rows, timeout=300)["rows"] == rows


def test_the_texts_are_of_all_kinds():
    texts = list(hostile_texts(1000))
    assert len(texts) == 1000
    assert max(map(len, texts)) >= 100_000
    assert b"" in texts
    assert texts == list(hostile_texts(1000))
    invalid = 0
    for text in texts:
        try:
            text.decode()
        except UnicodeDecodeError:
            invalid += 1
    assert 100 < invalid < 500


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    print(ask(options.folder, options.rows))
