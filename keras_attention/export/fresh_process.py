"""Whether a SavedModel works where it was not made."""

import json
import subprocess
import sys
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

CLIENT = Path(__file__).with_name("client.py")


def translate_in_fresh_process(
    folder: str | PathLike[str], texts: Sequence[str]
) -> list[str]:
    """What the signature `serving_default` of a SavedModel answers elsewhere.

    Args:
        folder: the SavedModel.
        texts: its inputs.

    Raises:
        RuntimeError: when it cannot be loaded and called there.
    """
    client = subprocess.run(
        [sys.executable, str(CLIENT), str(folder)],
        input=json.dumps(list(texts)),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if client.returncode:
        raise RuntimeError(
            f"The SavedModel does not work in a fresh process:\n{client.stderr}"
        )
    answer: list[str] = json.loads(client.stdout.splitlines()[-1])
    return answer
