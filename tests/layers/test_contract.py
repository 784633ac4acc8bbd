"""Every row of the table keeps the contract, and every layer has a row."""

import pytest

from keras_attention import layers, models
from tests.attention_cases import ALIGNMENTS
from tests.cases import CASES
from tests.contract import CHECKS, check_compiled, check_saving

CALLABLE_PARTS = {"EncoderStack", "DecoderStack", "RNNEncoder", "RNNDecoder"}


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
def test_layer_keeps_the_contract(case, check, tmp_path):
    if check is check_saving:
        check(case, tmp_path / "model.keras")
    else:
        check(case)


EMPTIED = [
    pytest.param(case, axis, id=f"{case.cls.__name__}-{axis}")
    for case in CASES
    for axis in case.emptied()
]


@pytest.mark.parametrize(("case", "axis"), EMPTIED)
def test_nothing_is_compiled_too(case, axis):
    check_compiled(case.emptied()[axis])


def test_every_public_layer_has_a_row():
    assert set(models.__all__) >= CALLABLE_PARTS
    in_table = {case.cls.__name__ for case in CASES}
    assert in_table == (set(layers.__all__) - ALIGNMENTS) | CALLABLE_PARTS
