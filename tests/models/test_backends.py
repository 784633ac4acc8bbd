"""The same weights give the same outputs on every backend that is installed."""

import importlib.util

import keras
import numpy as np
import pytest

from tests.backends import BACKEND, run_in_fresh_process, to_numpy
from tests.cases import CASES
from tests.small_models import INPUTS, build

PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}
# From JAX to TensorFlow would say what the way back says.
OTHERS = [
    name
    for name, package in PACKAGES.items()
    if name != BACKEND != "jax" and importlib.util.find_spec(package)
]
# The first row of each layer that does more than call others.
NAMES = "Attention", "MultiHeadAttention", "PositionalEmbedding", "TransformerDecoder"
NAMES += "RecurrentEncoder", "AttentionRNN", "NTMCell"
FIRST = {
    case.cls.__name__: case for case in reversed(CASES) if case.cls.__name__ in NAMES
}
SCRIPT = """
import sys
from pathlib import Path
import keras
import numpy as np
import keras_attention

folder = Path(sys.argv[1])
for path in sorted(folder.glob("*.keras")):
    model = keras.models.load_model(path)
    inputs = dict(np.load(path.with_suffix(".npz")))
    if "source" not in inputs:
        inputs = list(inputs.values())
    found = keras.tree.flatten(model(inputs))
    found = [keras.ops.convert_to_numpy(keras.ops.cast(f, "float32")) for f in found]
    np.savez(folder / f"{path.stem}.found.npz", *found)
"""


@pytest.mark.slow
@pytest.mark.skipif(not OTHERS, reason="one backend alone is installed")
def test_outputs_agree_with_those_of_other_backends(tmp_path):
    expected = {}

    def save(name, model, inputs):
        model.save(tmp_path / f"{name}.keras")
        is_named = isinstance(inputs, dict)
        np.savez(
            tmp_path / f"{name}.npz",
            *(() if is_named else inputs),
            **(inputs if is_named else {}),
        )
        expected[name] = to_numpy(keras.tree.flatten(model(inputs)))

    for name, case in FIRST.items():
        symbols = case.symbols()
        outputs = case.make()(**symbols, **case.call)
        model = keras.Model(keras.tree.flatten(symbols), keras.tree.flatten(outputs))
        save(name, model, keras.tree.flatten(case.values()))
    for name in ("rnn", "transformer"):
        save(name, build(name), INPUTS)
    for other in OTHERS:
        run_in_fresh_process(SCRIPT, tmp_path, backend=other)
        for name, wanted in expected.items():
            found = np.load(tmp_path / f"{name}.found.npz")
            for part, array in zip(found.values(), wanted, strict=True):
                np.testing.assert_allclose(part, array, atol=1e-4, err_msg=name)
