"""Batches of any shape through few shapes, and what is compiled ahead for them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("a Translator runs on TensorFlow only", allow_module_level=True)

import tensorflow as tf

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy, Sampling, compiled
from keras_attention.models import transformer
from keras_attention.text import CharacterTokenizer
from keras_attention.translation.buckets import Buckets
from keras_attention.translation.graph_batches import GraphBatches
from tests.translators import ENGLISH, make_translator

MOST, LONGEST, LIMIT = 5, 150, 40
BUCKETS = Buckets(Greedy(LIMIT), MOST, LONGEST)
SEEN = []


def make_totals(rows, length, room):
    """A graph that has enough room for rows whose first id is below it."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            {"more": tf.TensorSpec([], tf.int32)},
        ]
    )
    def totals(ids, limits, options):
        tf.py_function(lambda shape: SEEN.append((room, *shape)), [tf.shape(ids)], [])
        tf.debugging.assert_equal(tf.shape(ids), [rows, length])
        total = tf.reduce_sum(ids, axis=1) + options["more"]
        found = {
            "scores": total[:, None],
            "ids": tf.tile(limits[:, None, None], [1, 1, room]),
        }
        return found, ids[:, 0] < room

    return totals


@given(rows=st.integers(0, 3 * MOST + 1), length=st.integers(1, LONGEST))
def test_padding_is_never_seen(rows, length):
    SEEN.clear()
    drawn = np.random.default_rng(rows)
    lengths = drawn.integers(1, length + 1, rows)
    ids = drawn.integers(1, 37, (rows, length), "int32")
    ids *= np.arange(length) < lengths[:, None]
    limits = np.arange(rows, dtype="int32")
    first = make_totals(1, 8, LIMIT).get_concrete_function().structured_outputs[0]
    make = GraphBatches(make_totals, first, BUCKETS, LIMIT)
    batches = tf.function(make)
    found = batches(
        tf.constant(ids),
        tf.constant(lengths, tf.int32),
        tf.constant(limits),
        {"more": tf.constant(3)},
    )
    np.testing.assert_array_equal(found["scores"][:, 0], ids.sum(axis=1) + 3)
    assert found["ids"].shape == (rows, 1, LIMIT)
    np.testing.assert_array_equal(found["ids"][:, 0, 0], limits)
    # What had room for less is filled up.
    written = np.count_nonzero(found["ids"][:, 0], axis=1)
    assert {*written[limits > 0]} <= {*BUCKETS.rooms, LIMIT}
    shapes = {tuple(map(int, shape)) for shape in SEEN}
    assert {shape[1:] for shape in shapes} <= {*BUCKETS.shapes()}
    allowed = {*zip(BUCKETS.rooms, BUCKETS.lengths, strict=True)}
    assert all(room == LIMIT or (room, width) in allowed for room, _, width in shapes)
    assert len(SEEN) >= max(-(-rows // MOST), 1)
    # They are cut as lists are.
    seen = [(room, tuple(map(int, shape))) for room, *shape in SEEN]
    first = [shape for room, shape in seen if (room, shape[1]) in allowed]
    cut = [shape for _, shape, _ in BUCKETS.batches(lengths.tolist())]
    assert sorted(first) == sorted(cut or first)


def test_the_shapes_are_few():
    assert BUCKETS.lengths == [8, 16, 32, 64, 128, 150]
    assert BUCKETS.rooms == [32, 32, 40, 40, 40, 40]
    assert BUCKETS.rows == [[1, 4]] * 6
    assert len(BUCKETS.shapes()) == 12
    assert BUCKETS.shapes(rows=[1, 3, 99], lengths=[33]) == [(1, 64), (4, 64)]
    assert Buckets(Greedy(5), 1, 7).shapes() == [(1, 7)]
    long = Buckets(BeamSearch(4, 512), 64, 512)
    assert long.rooms == [32, 32, 128, 128, 512, 512, 512]
    assert long.rows == [[1, 4, 16]] * 2 + [[1, 4]] * 2 + [[1]] * 3


def test_batches_of_a_large_model_follow_one_another():
    small, large = (Buckets(Greedy(40), 64, 150, size) for size in (10**6, 10**8))
    assert small.in_parallel
    assert not large.in_parallel
    assert (small.departures(64), large.departures(64)) == (1, 0)
    assert not Buckets(Sampling(5, seed=None), 64, 150).in_parallel


def test_what_is_drawn_by_lot_is_not_cut_into_batches_unasked(monkeypatch):
    monkeypatch.setattr(compiled, "COMPILES", True)
    assert Greedy(5).compiles_batches
    assert not Greedy(5, jit_compile=False).compiles_batches
    for seed in (None, 3):
        assert not Sampling(5, seed=seed).compiles_batches
        assert Sampling(5, seed=seed, jit_compile=True).compiles_batches


def test_batches_of_lists_are_those_of_graphs():
    lengths = [3, 70, 9, 8, 1, 2, 2, 30]
    found = [*BUCKETS.batches(lengths)]
    assert found == [
        ([1], (1, 128), 40),
        ([7], (1, 32), 40),
        ([2, 3, 0], (4, 16), 32),
        ([5, 6, 4], (4, 8), 32),
    ]


def test_sources_of_about_one_length_are_spread_evenly():
    buckets = Buckets(Greedy(40), 64, 150)
    assert buckets.alike == [8, 8, 32, 32, 64, 128]  # another room is another batch

    def cut(*lengths, cores=2):
        found = buckets.batches([*lengths], cores)
        return [(len(rows), shape) for rows, shape, _ in found]

    assert cut(*[12] * 3, *[5] * 200) == [
        (51, (64, 16)),
        *[(51, (64, 8))] * 2,
        (50, (64, 8)),
    ]
    assert cut(30, *[5] * 4) == [(1, (1, 32)), (4, (4, 8))]
    assert cut(*[5] * 3) == [(1, (1, 8))] * 3
    assert cut(*[5] * 3, cores=1) == [(3, (4, 8))]
    assert cut(*[5] * 16) == [(4, (4, 8))] * 4
    assert cut(*[5] * 64) == [(16, (16, 8))] * 4
    assert cut(*[5] * 65) == [(33, (64, 8)), (32, (64, 8))]
    assert cut(*[5] * 128) == [(64, (64, 8))] * 2


@pytest.mark.parametrize("jit_compile", [False, True])
def test_warming_up_traces_once_and_shows_its_progress(jit_compile, capsys):
    search = Greedy(5, jit_compile=jit_compile)
    translate = make_translator("recurrent", "words", search=search, batch_size=2)
    encode, traced = translate.model.encode, []
    translate.model.encode = lambda source: traced.append(1) or encode(source)
    translate.warm_up(rows=[2], lengths=[9])
    assert ("program" in capsys.readouterr().out) == jit_compile
    assert len(traced) == 1
    assert len(translate(list(ENGLISH))) == len(ENGLISH)
    assert len(traced) == 1


@pytest.mark.parametrize("jit_compile", [False, True])
def test_threads_share_a_translator(jit_compile):
    search = Greedy(5, jit_compile=jit_compile)
    translate = make_translator("recurrent", "words", search=search)
    texts = [[*ENGLISH][:count] for count in (1, 2, 4)] * 4
    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(translate, texts)]
    assert found == [*map(translate, texts)]


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
translate.warm_up(lengths=[1, 21])
warm = programs()
for count in (1, 2, 3, 5):
    found = translate(["one two"] * (count - 1) + [" ".join(["six"] * 20)])
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


class Untranslatable(keras.layers.Layer):
    """An attention of one's own with an operation that XLA lacks."""

    def call(self, query, value, **options):
        tf.debugging.assert_type(query, tf.float32)
        return query + 0.0 * tf.cast(
            tf.strings.length(tf.strings.as_string(query)), query.dtype
        )


@pytest.mark.slow
def test_what_cannot_be_compiled_runs_all_the_same(monkeypatch):
    monkeypatch.setattr(compiled, "COMPILES", True)
    tokenizer = CharacterTokenizer.train(["abc"])
    size = tokenizer.vocabulary_size
    sizes = {"num_layers": 1, "num_heads": 2, "embedding_dim": 8}
    model = transformer(size, size, **sizes, attention=Untranslatable)
    translate = Translator(model, tokenizer, tokenizer, Greedy(5))
    plain = Translator(model, tokenizer, tokenizer, Greedy(5, jit_compile=False))
    with pytest.warns(UserWarning, match="XLA does not compile all of this model"):
        found = translate(["ab", "c"])
    assert found == plain(["ab", "c"])
    assert translate(["ab"]) == found[:1]


@pytest.mark.slow
@pytest.mark.parametrize("search", ["greedy", "beams", "coverage"])
def test_batches_find_what_all_at_once_find(search, monkeypatch):
    monkeypatch.setattr(compiled, "COMPILES", True)
    make = {
        "greedy": lambda **options: Greedy(40, **options),
        "beams": lambda **options: BeamSearch(3, 40, **options),
        "coverage": lambda **options: BeamSearch(
            2, 40, coverage_penalty=0.3, finished="replace", **options
        ),
    }[search]
    texts = [" ".join([["one", "two", "six"][n % 3]] * (n % 11)) for n in range(23)]
    found = []
    for options in ({}, {"jit_compile": False}):
        keras.utils.set_random_seed(5)
        translate = make_translator("transformer", "words", search=make(**options))
        assert translate.engine.is_compiled() != bool(options)
        found.append((translate(texts), translate.hypotheses(texts)))
    (fast, fast_ones), (plain, plain_ones) = found
    assert fast == plain
    for ones, others in zip(fast_ones, plain_ones, strict=True):
        assert [one.text for one in ones] == [other.text for other in others]
        for one, other in zip(ones, others, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-4)
            np.testing.assert_allclose(one.attention, other.attention, atol=1e-4)
