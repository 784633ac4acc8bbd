"""Two processes train to what one trains to."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_attention import Translator
from tests.backends import BACKEND

EXAMPLE = Path(__file__).parents[2] / "examples" / "distributed.py"
OPTIONS = ["--limit=30", "--epochs=1", "--num-layers=1", "--embedding-dim=8"]
OPTIONS += ["--vocabulary-size=250", "--batch-tokens=256", "--dropout=0", "--shapes=1"]

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="it starts JAX itself")


def weights(folder, processes, *options):
    """What so many processes have trained."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, str(EXAMPLE), f"--output={folder}", *OPTIONS, *options]
    command += [f"--processes={processes}", f"--address={address}"]
    # Processes wait for each other, and on the one core of a test for long.
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))
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
    os.sched_setaffinity(0, own)
    try:
        printed = [process.communicate(timeout=300)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert all(process.returncode == 0 for process in started), printed
    return Translator.load(folder / "translator").model.get_weights()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [["--no-export"], ["--no-export", "--model-axis=2"]]
)
def test_two_processes_train_to_the_weights_of_one(tmp_path, options):
    pytest.importorskip("jax")
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("processes cannot be given all cores here")
    one, two = (
        weights(tmp_path / "one", 1, "--no-export"),
        weights(tmp_path / "two", 2, *options),
    )
    for found, expected in zip(two, one, strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)
