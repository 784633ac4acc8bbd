"""What the commands say of themselves, in docs as on a terminal."""

import importlib.util
import re
import sys

import pytest

from keras_attention.cli.command_line import COMMANDS
from tests.backends import ROOT

SCRIPT = ROOT / "docs" / "write_help.py"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.setenv("COLUMNS", "0")  # which the script sets
    spec = importlib.util.spec_from_file_location("write_help", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse breaks other lines")
def test_docs_hold_the_help_of_every_command(script):
    page = (ROOT / "docs" / "command.md").read_text("utf-8")
    assert script.with_help(page) == page, "python docs/write_help.py"
    found = re.findall(r"(?m)^    keras-attention(?: (\w+))? --help$", page)
    assert sorted(found) == sorted(["", *COMMANDS])
