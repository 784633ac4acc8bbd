"""Two processes train to what one trains to."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.backends import BACKEND

EXAMPLE = Path(__file__).parents[2] / "examples" / "distributed.py"
OPTIONS = ["--limit=60", "--epochs=1", "--num-layers=1", "--embedding-dim=8"]
OPTIONS += ["--vocabulary-size=250", "--batch-tokens=256", "--dropout=0"]

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="it starts JAX itself")


def weights(folder, processes, *options):
    """What so many processes have trained."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, str(EXAMPLE), f"--output={folder}", *OPTIONS, *options]
    command += [f"--processes={processes}", f"--address={address}"]
    started = [
        subprocess.Popen(
            [*command, f"--process={process}"],
            env={**os.environ, "KERAS_BACKEND": "jax"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for process in range(processes)
    ]
    try:
        printed = [process.communicate(timeout=300)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert all(process.returncode == 0 for process in started), printed
    return keras.models.load_model(folder / "translator" / "model.keras").get_weights()


def test_two_processes_train_to_the_weights_of_one(tmp_path):
    pytest.importorskip("jax")
    one = weights(tmp_path / "one", 1)
    assert (tmp_path / "one" / "saved_model" / "saved_model.pb").is_file()
    for name, options in {"data": [], "model": ["--model-axis=2"]}.items():
        two = weights(tmp_path / name, 2, "--no-export", *options)
        for found, expected in zip(two, one, strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-5)
