"""What tests of callbacks share."""

import pytest

from tests.training.small_training import linear_model


@pytest.fixture
def begin():
    """Make the same model each time."""
    initial = linear_model().get_weights()

    def make(**options):
        model = linear_model(**options)
        model.set_weights(initial)
        return model

    return make
