"""Every row of the table survives what Keras wraps around layers."""

import keras
import numpy as np
import pytest

from keras_attention import layers
from tests.cases import CASES
from tests.wrapping import (
    CHECKS,
    ONE_TENSOR_CHECKS,
    ONE_TENSOR_IS_NOT_ENOUGH,
    check_plain_configuration,
    takes_one_tensor,
)

ONE_TENSOR_CASES = [case for case in CASES if takes_one_tensor(case)]


def name_of(part):
    return getattr(part, "__name__", None) or part.cls.__name__


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_layer_survives(case, check, tmp_path):
    check(case, tmp_path / "model.keras")


@pytest.mark.whole
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_configuration_holds_pythons_numbers(case):
    check_plain_configuration(case)


@pytest.mark.parametrize("check", ONE_TENSOR_CHECKS, ids=name_of)
@pytest.mark.parametrize("case", ONE_TENSOR_CASES, ids=name_of)
def test_layer_of_one_tensor_survives(case, check, tmp_path):
    check(case, tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("layer", "missing"),
    [
        (layers.Attention("dot"), "value"),
        (layers.MultiHeadAttention(2, 4), "value"),
        (layers.DifferentialAttention(2, 4), "value"),
        (layers.MultiHeadLatentAttention(2, 4, 6, 2), "value"),
        (layers.LinearAttention(2, 4), "value"),
        (layers.AttentionRNN(layers.RecurrentCell(4), layers.Attention()), "memory"),
    ],
)
def test_what_one_tensor_lacks_is_named(layer, missing):
    wrapped = keras.layers.TimeDistributed(layer)
    for frames in (np.ones((2, 3, 5, 8)), keras.Input((3, 5, 8))):
        with pytest.raises(ValueError, match=f"`{missing}` is missing.*TimeDistribu"):
            wrapped(frames)


def test_every_layer_is_wrapped_or_has_a_reason():
    wrapped = {name_of(case) for case in ONE_TENSOR_CASES}
    assert wrapped | set(ONE_TENSOR_IS_NOT_ENOUGH) == {name_of(case) for case in CASES}
    assert not wrapped & set(ONE_TENSOR_IS_NOT_ENOUGH)
