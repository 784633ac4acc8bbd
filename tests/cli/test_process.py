"""How the process of a command begins, and how it ends."""

import importlib.util
import os
import signal
import subprocess
import sys

import pytest

from keras_attention.cli import messages, process
from keras_attention.cli.main import main
from tests.backends import BACKEND, start_fresh_process


@pytest.fixture
def _interruptible():
    """A shell has what it runs in the background ignore interrupts, children too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


BEGINNINGS = [
    (["-m"], ["python", "-m", "keras_attention", "train"], True),
    (["-m"], ["python", "-X", "dev", "-m", "keras_attention"], True),
    (["/usr/bin/keras-attention", "train"], ["python", "x"], True),
    (["keras-attention.exe"], ["python", "x"], True),
    (["my-keras-attention"], ["python", "x"], False),
    (["-m"], ["python", "-m", "keras_attention.cli"], False),
    (["-m"], ["python", "-m", "pytest", "keras_attention"], False),
    (["keras_attention/__main__.py"], ["python", "-m", "keras_attention"], False),
    (["script.py", "-m"], ["python", "script.py", "-m", "keras_attention"], False),
    ([], [], False),
]


@pytest.mark.parametrize(("seen", "original", "expected"), BEGINNINGS, ids=str)
def test_a_command_is_told_from_other_processes(seen, original, expected, monkeypatch):
    monkeypatch.setattr(sys, "argv", seen)
    monkeypatch.setattr(sys, "orig_argv", original)
    assert process.is_command() is expected


WITHOUT_KERAS = """
import runpy, signal, sys
sys.modules["keras"] = None  # so its import fails
sys.argv, sys.orig_argv = ["-m"], ["python", "-m", "keras_attention"]
import keras_attention
assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
sys.argv = ["keras_attention", *{arguments}]
try:
    runpy.run_module("keras_attention", run_name="__main__")
except SystemExit as error:
    print(error.code, file=sys.stderr)
"""


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["--help"], "usage: keras-attention [", "0"),
        (["train", "--help"], "usage: keras-attention train ", "0"),
        (["translate", "x", "--beams", "0"], "keras-attention: error: ", "2"),
        ([], "keras-attention: error: no command given", "2"),
        (["translate", "missing"], "keras-attention: error: 'missing' is not a", "2"),
    ],
    ids=str,
)
def test_help_and_mistakes_need_no_keras(arguments, said, status):
    code = WITHOUT_KERAS.format(arguments=arguments)
    with start_fresh_process(code, errors=subprocess.PIPE) as process:
        printed, errors = process.communicate(timeout=300)
    *lines, ended = errors.splitlines()
    assert (printed.splitlines() or lines)[0].startswith(said)
    assert ended == status


# A backend that is not TensorFlow.
OTHER = next(name for name in (BACKEND, "jax") if name != "tensorflow")
WITHOUT_TENSORFLOW = """
import sys
from importlib.abc import MetaPathFinder
import keras  # before: PyTorch asks for TensorFlow

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorflow_text"):
            raise ModuleNotFoundError(name, name=name)

for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
    del sys.modules[name]
sys.meta_path.insert(0, Absent())
from keras_attention.cli.main import main
try:
    main(["train", "--pairs", sys.executable])
except SystemExit as error:
    print(error.code, file=sys.stderr)
"""


@pytest.mark.skipif(not importlib.util.find_spec(OTHER), reason="TensorFlow is alone")
def test_a_training_without_tensorflow_names_the_extra():
    with start_fresh_process(
        WITHOUT_TENSORFLOW, backend=OTHER, errors=subprocess.PIPE
    ) as process:
        _, errors = process.communicate(timeout=300)
    line, status = errors.splitlines()
    assert status == "2"
    assert line.startswith("keras-attention: error: train needs tensorflow")
    assert 'pip install "keras-attention-layers[text]"' in line


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the commands need TensorFlow")
@pytest.mark.parametrize(
    ("module", "extra", "arguments"),
    [
        ("matplotlib", "plot", ["train", "--pairs", __file__]),
        ("sacrebleu", "bleu", ["train", "--pairs", __file__]),
        ("shtab", "completion", ["--print-completion", "bash"]),
        ("sacrebleu", "bleu", ["evaluate", "x", "--pairs", "x"]),
    ],
)
def test_a_missing_extra_is_said_in_one_line(
    module, extra, arguments, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f'pip install "keras-attention-layers[{extra}]"' in line


@pytest.mark.skipif(os.name == "nt", reason="pipes always wait there")
def test_standard_streams_wait_for_their_readers(monkeypatch):
    read, write = os.pipe()
    os.set_blocking(write, False)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", None)
        messages.wait_for_readers()
        messages.say("nothing, where nobody reads it")
        assert os.get_blocking(write)
    assert os.read(read, 9) == b""
    os.close(read)
