"""`RelativePositionBias`: a learned bias for each distance, and what it refuses."""

import numpy as np
import pytest

from keras_attention import functional
from keras_attention.layers import RelativePositionBias
from tests.backends import to_numpy
from tests.tensors import randomize


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_distance_has_the_bias_of_its_bucket(bidirectional):
    layer = RelativePositionBias(8, 16, bidirectional)
    layer.build((None, 3, None, 4))
    randomize(layer)
    distances = np.arange(-20, 21)
    buckets = to_numpy(functional.relative_buckets(distances, 8, 16, bidirectional))
    (table,) = layer.get_weights()
    np.testing.assert_array_equal(to_numpy(layer.bias(distances)), table[buckets].T)


@pytest.mark.whole
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_buckets": 6}, "multiple of 4: .* num_buckets=6, bidirectional=True"),
        ({"num_buckets": 3, "bidirectional": False}, "multiple of 2: .*=3, bid.*False"),
        ({"num_buckets": 32, "max_distance": 8}, "bucket each, 8. .*max_distance=8"),
        (
            {"num_buckets": 32, "max_distance": 16, "bidirectional": False},
            "bucket each, 16. .*max_distance=16",
        ),
        ({"num_buckets": 0}, "`num_buckets` must be a positive .*num_buckets=0"),
    ],
)
def test_buckets_that_do_not_add_up_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RelativePositionBias(**arguments)


def test_one_more_distance_is_enough():
    assert RelativePositionBias(32, 9).max_distance == 9
    assert RelativePositionBias(32, 17, bidirectional=False).max_distance == 17
