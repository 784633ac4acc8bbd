"""The package below the text runs where TensorFlow cannot be imported."""

import pytest

from tests.backends import BACKEND, run_in_fresh_process

SCRIPT = """
import sys
from importlib.abc import MetaPathFinder
import keras  # PyTorch asks whether there is a TensorFlow, and does not import it.

class NoTensorFlow(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorflow_text"):
            raise ImportError(name)

sys.meta_path.insert(0, NoTensorFlow())
import numpy as np
import keras_attention
from keras_attention import decoding, functional, layers, models, training
model = models.transformer(
    11, 13, num_layers=1, num_heads=2, embedding_dim=8, intermediate_dim=16
)
found = decoding.Greedy(max_length=3)(model, np.array([[4, 5, 3]]))
print(found.ids.shape, any(name.startswith("tensorflow") for name in sys.modules))
"""


@pytest.mark.skipif(BACKEND == "tensorflow", reason="Keras itself runs on it here")
def test_everything_below_the_text_runs_without_tensorflow():
    assert run_in_fresh_process(SCRIPT).strip() == "(1, 1, 3) False"


IMPORTS = """
import sys
import keras_attention
from keras_attention import decoding, functional, layers, models, training
print([name for name in sys.modules if name.startswith("tensorflow_text")])
"""


def test_importing_the_package_leaves_its_text_alone():
    assert run_in_fresh_process(IMPORTS).strip() == "[]"
