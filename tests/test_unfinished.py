"""What a process that is to end leaves of what it was writing."""

import os
import signal
import subprocess
import sys

import pytest

from tests.backends import ROOT

# Whatever a library does with errors, it does not matter.
SCRIPT = """
import os, signal, sys, time
sys.argv = ["keras-attention"]
from pathlib import Path
from keras_attention import saved_folders
from keras_attention.cli import process
from keras_attention.unfinished import in_one_go
from keras_attention.whole_files import new_file

signal.signal(signal.SIGINT, signal.SIG_DFL)
process.clean_up_when_interrupted()
number = signal.Signals({number})
try:
    {body}
except BaseException:
    time.sleep(9)
"""
IN_A_FILE = """
    with new_file("a.txt") as file:
        file.write(b"half")
        os.kill(os.getpid(), number)
"""
IN_A_FOLDER = """
    with saved_folders.new_folder("a", "marker") as folder:
        (folder / "part").write_text("half")
        os.kill(os.getpid(), number)
"""
IN_A_MOVE = """
    Path("a").mkdir()
    (Path("a") / "marker").write_text("old")
    kept = Path.rename

    def rename(self, place):
        os.kill(os.getpid(), number)
        return kept(self, place)

    Path.rename = rename
    with saved_folders.new_folder("a", "marker", overwrite=True) as folder:
        (folder / "marker").write_text("new")
"""


def run(body, number, folder):
    script = SCRIPT.format(number=int(number), body=body.strip())
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert done.stderr == b""
    return done.returncode


@pytest.mark.skipif(os.name == "nt", reason="other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("body", [IN_A_FILE, IN_A_FOLDER], ids=["file", "folder"])
def test_what_is_half_written_is_removed(body, number, tmp_path):
    assert run(body, number, tmp_path) == 128 + number
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="other signals")
def test_a_move_that_has_begun_comes_to_its_end(tmp_path):
    assert run(IN_A_MOVE, signal.SIGTERM, tmp_path) == 128 + signal.SIGTERM
    assert (tmp_path / "a" / "marker").read_text() == "new"
    assert os.listdir(tmp_path / "a") == ["marker"]
