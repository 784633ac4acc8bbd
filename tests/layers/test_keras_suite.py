"""Keras's own tests of `MultiHeadAttention`, which its wheel ships, run on ours."""

import keras
import pytest
from keras.src.layers.attention import multi_head_attention_test as theirs

from keras_attention.layers import MultiHeadAttention

# Tests of what is not part of the public interface, and why each is left out.
LEFT_OUT = {
    "test_causal_only_skipped_for_subclass": "overrides the private _compute_attention",
    "test_compute_attention_combines_causal_and_explicit_mask": (
        "calls the private _compute_attention"
    ),
    "test_sliding_window_serialization": "reads the private _sliding_window",
    "test_flash_attention_with_errors": "reads the private _flash_attention",
}


class _Layers:
    """Keras's layers, with our class in place of theirs."""

    MultiHeadAttention = MultiHeadAttention

    def __getattr__(self, name):
        return getattr(keras.layers, name)


# What their own models and optimizers warn of.
@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
class TestKerasSuite(theirs.MultiHeadAttentionTest):
    @pytest.fixture(autouse=True)
    def _replace(self, monkeypatch):
        monkeypatch.setattr(theirs, "layers", _Layers())

    def setUp(self):
        for name, reason in LEFT_OUT.items():
            if self._testMethodName.startswith(name):
                self.skipTest(reason)
        super().setUp()
