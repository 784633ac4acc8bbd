"""Single steps of recurrent models against one full pass, over a grid of options.

Tests take a part of the grid, and an ordinary run a part of these; this runs all of it:

    python -m tests.layers.recurrent.test_grid
"""

import itertools
from typing import Any

import keras
import numpy as np
import pytest

from keras_attention.layers import Attention
from keras_attention.models import rnn_seq2seq
from tests.backends import BACKEND, to_numpy
from tests.small_models import decode
from tests.tensors import randomize

OPTIONS: dict[str, tuple[Any, ...]] = {
    "cell": ("lstm", "gru", "simple"),
    "score": ("general", "additive"),
    "alignment": ("softmax", "local_m", "local_p", "monotonic"),
    "coverage": (None, "sum", "fertility"),
    "order": ("luong", "bahdanau"),
    "input_feeding": (False, True),
    "bidirectional": (False, True),
    "residual": (False, True),
    "num_layers": (1, 3),
}
GRID = list(itertools.product(*OPTIONS.values()))
# Shares no factor with the number of any option, so all of them occur; fewer times
# where each operation compiles by itself.
STRIDE = 149 if BACKEND == "tensorflow" else 539
SOURCE = np.array([[4, 5, 6, 7, 3], [6, 3, 0, 0, 0]], "int32")
TARGET = np.array([[2, 4, 5], [2, 6, 0]], "int32")


def _difference(values):
    """The largest one between the logits of steps and of a pass, at real ids."""
    options = dict(zip(OPTIONS, values, strict=True))
    score, alignment = options.pop("score"), options.pop("alignment")
    attention = Attention(
        score,
        units=3 if score == "additive" else None,
        alignment=alignment,
        window=2 if "local" in alignment else None,
        coverage=options.pop("coverage"),
    )
    model = rnn_seq2seq(11, 7, embedding_dim=3, units=5, attention=attention, **options)
    logits, _ = decode(randomize(model), SOURCE, TARGET, max_length=3)
    expected = to_numpy(model({"source": SOURCE, "target": TARGET}))
    return np.abs(logits - expected)[TARGET != 0].max()


def _check(combinations):
    for values in combinations:
        difference = _difference(values)
        assert difference < 5e-5, (difference, dict(zip(OPTIONS, values, strict=True)))
        keras.backend.clear_session()


def test_every_option_occurs_in_the_part_that_is_run():
    part = GRID[::STRIDE]
    for index, choices in enumerate(OPTIONS.values()):
        assert {values[index] for values in part} == set(choices)


@pytest.mark.parametrize("values", GRID[::STRIDE], ids=str)
def test_steps_equal_one_full_pass(values):
    _check([values])


if __name__ == "__main__":
    _check(GRID)
    print(f"{len(GRID)} combinations of options")
