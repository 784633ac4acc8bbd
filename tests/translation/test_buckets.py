"""Batches of any shape through few shapes, and what is compiled ahead for them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("a Translator runs on TensorFlow only", allow_module_level=True)

import tensorflow as tf

from keras_attention.decoding import Greedy
from keras_attention.translation.graph_buckets import GraphBuckets
from tests.translators import ENGLISH, make_translator

MOST, LONGEST = 5, 150
BUCKETS = GraphBuckets(MOST, LONGEST)
SEEN = []


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None], tf.int32),
        {"more": tf.TensorSpec([], tf.int32)},
    ]
)
def totals(ids, limits, options):
    tf.py_function(SEEN.append, [tf.shape(ids)], [])
    total = tf.reduce_sum(ids, axis=1) + options["more"]
    return {"total": total, "pairs": tf.stack([total, limits], axis=1)[:, None]}


@given(rows=st.integers(0, 3 * MOST + 1), length=st.integers(1, LONGEST))
def test_padding_is_never_seen(rows, length):
    SEEN.clear()
    ids = np.random.default_rng(rows).integers(1, 9, (rows, length), "int32")
    limits = np.arange(rows, dtype="int32")
    more = {"more": tf.constant(3)}
    found = BUCKETS.apply(totals, tf.constant(ids), tf.constant(limits), more)
    total = ids.sum(axis=1) + 3
    np.testing.assert_array_equal(found["total"], total)
    pairs = np.stack([total, limits], axis=1)[:, None]
    np.testing.assert_array_equal(found["pairs"], pairs)
    shapes = {tuple(shape.numpy().tolist()) for shape in SEEN}
    assert len(shapes) == 1
    ((padded, width),) = shapes
    assert (padded, width) in BUCKETS.shapes()
    assert len(SEEN) == max(-(-rows // MOST), 1)
    # No more than half of the rows are padding, where there are rows.
    assert padded * len(SEEN) < max(2 * rows, 2) or rows > MOST


def test_the_shapes_are_few():
    assert BUCKETS.rows == [1, 2, 4, 5]
    assert BUCKETS.lengths == [32, 128, 150]
    assert len(BUCKETS.shapes()) == 12
    assert BUCKETS.shapes(rows=[1, 3, 99], lengths=[33]) == [
        (1, 128),
        (4, 128),
        (5, 128),
    ]
    assert GraphBuckets(1, 7).shapes() == [(1, 7)]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_warming_up_traces_once_and_shows_its_progress(jit_compile, capsys):
    search = Greedy(5, jit_compile=jit_compile)
    translate = make_translator("recurrent", "words", search=search, batch_size=2)
    translate.warm_up(rows=[2], lengths=[9])
    assert ("program" in capsys.readouterr().out) == jit_compile
    traced = translate.engine.serving._find.experimental_get_tracing_count()
    assert traced == 1
    assert len(translate(list(ENGLISH))) == len(ENGLISH)
    assert translate.engine.serving._find.experimental_get_tracing_count() == traced


@pytest.mark.slow
def test_nothing_is_compiled_after_warming_up(tmp_path):
    # XLA writes a file for each program that it compiles.
    script = """
import sys
from pathlib import Path
from keras_attention.decoding import BeamSearch
from tests.translators import make_translator

def programs():
    return len([*Path(sys.argv[1]).glob("*.before_optimizations.txt")])

search = BeamSearch(2, 5, jit_compile=True)
translate = make_translator("recurrent", "words", search=search, batch_size=2)
translate.warm_up(lengths=[1])
warm = programs()
for count in (1, 2, 3, 5):
    found = translate.hypotheses(["one two"] * (count - 1) + [" ".join(["six"] * 20)])
    assert len(found) == count
print(warm, programs())
"""
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=True,
    )
    warm, after = map(int, run.stdout.split()[-2:])
    assert warm == after == 2
