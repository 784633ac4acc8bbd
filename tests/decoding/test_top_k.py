"""The largest entries found block by block are those of a stable sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention.decoding.top_k import top_k


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(2,), (1, 3)]),
    size=st.integers(1, 1000),
    k=st.integers(1, 6),
    values=st.integers(1, 400),
    impossible=st.floats(0, 1),
)
def test_largest_first_and_among_equals_the_first(
    seed, shape, size, k, values, impossible
):
    random = np.random.default_rng(seed)
    rows = random.integers(0, values, (*shape, size)).astype("float32")
    rows[random.random(rows.shape) < impossible] = -np.inf
    expected = np.argsort(-rows, axis=-1, kind="stable")[..., :k]

    found, places = (ops.convert_to_numpy(part) for part in top_k(rows, k))

    np.testing.assert_array_equal(places, expected)
    np.testing.assert_array_equal(found, np.take_along_axis(rows, expected, axis=-1))
