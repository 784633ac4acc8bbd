"""Every row of the table keeps the contract, and every layer has a row."""

import pytest

from keras_attention import layers, models
from tests.cases import CASES
from tests.contract import CHECKS, check_saving

CALLABLE_PARTS = {"EncoderStack", "DecoderStack", "RNNEncoder", "RNNDecoder"}


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
def test_layer_keeps_the_contract(case, check, tmp_path):
    if check is check_saving:
        check(case, tmp_path / "model.keras")
    else:
        check(case)


def test_every_public_layer_has_a_row():
    assert set(models.__all__) >= CALLABLE_PARTS
    in_table = {case.cls.__name__ for case in CASES}
    assert in_table == set(layers.__all__) | CALLABLE_PARTS
