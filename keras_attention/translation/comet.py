"""COMET, a measure of translations by a trained model (Rei et al. 2020)."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from keras_attention.optional_packages import DISTRIBUTION

MODEL = "Unbabel/wmt22-comet-da"
_SCRIPT = Path(__file__).with_name("comet_script.py")


def measure_comet(
    sources: Sequence[str],
    translations: Sequence[str],
    references: Sequence[str],
    model: str = MODEL,
    *,
    python: str | PathLike[str] | None = None,
    batch_size: int = 16,
) -> list[float]:
    """The COMET score of each translation, about 0 to 1; their mean is the system's.

    It is computed in a process of its own, since COMET needs PyTorch, and versions of
    other packages that TensorFlow does not go with: it may be installed elsewhere.

    Args:
        sources: what was translated.
        translations: of each.
        references: of each; a model that needs none ignores them.
        model: its name on the Hugging Face Hub, from where it is downloaded, or the
            path of a checkpoint.
        python: of the environment that has `unbabel-comet`; this one when left out.
        batch_size: of what is scored at once.

    Raises:
        ValueError: for lists of other lengths.
        RuntimeError: when the process fails; the message is what it says last.
    """
    if not len(sources) == len(translations) == len(references):
        raise ValueError(
            "`sources`, `translations` and `references` must hold equally many texts. "
            f"Received: {len(sources)}, {len(translations)} and {len(references)}"
        )
    data = [
        {"src": source, "mt": translation, "ref": reference}
        for source, translation, reference in zip(
            sources, translations, references, strict=True
        )
    ]
    asked = {"model": model, "data": data, "batch_size": batch_size}
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request.json", Path(folder) / "answer.json"
        request.write_text(json.dumps(asked), "utf-8")
        # Beside it there must be nothing that has the name of a package.
        script = shutil.copy(_SCRIPT, folder)
        interpreter = os.fspath(python or sys.executable)
        try:
            done = subprocess.run(
                [interpreter, script, str(request), str(answer)],
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise RuntimeError(f"COMET cannot be run: {error}") from error
        if done.returncode:
            raise RuntimeError(_describe(done.stderr, interpreter))
        scores: list[float] = json.loads(answer.read_text("utf-8"))
    return scores


def _describe(errors, interpreter):
    """Why a process failed, in a line."""
    lines = [line for line in errors.splitlines() if line.strip()]
    last = lines[-1] if lines else "it says nothing"
    if "No module named 'comet'" in last:
        return (
            f"COMET is not installed for {interpreter}: "
            f'pip install "{DISTRIBUTION}[comet]", or name the Python of an '
            "environment that has unbabel-comet"
        )
    return f"COMET failed: {last}"
