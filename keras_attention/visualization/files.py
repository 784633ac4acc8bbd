"""Pictures as files."""

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_path(path: str | os.PathLike[str]) -> Path:
    """Return a path that a picture can be written to, or raise `ValueError`."""
    from matplotlib.backend_bases import FigureCanvasBase

    target, formats = Path(path), FigureCanvasBase.get_supported_filetypes()
    if target.suffix[1:].lower() not in formats:
        raise ValueError(
            f"`path` must end in one of {sorted(formats)}. Received: path={str(path)!r}"
        )
    if not target.parent.is_dir() or target.is_dir():
        raise ValueError(
            "`path` must name a file in a folder that exists. "
            f"Received: path={str(path)!r}"
        )
    return target


def write_figure(figure: "Figure", target: Path, dpi: float) -> None:
    """Save the figure beside its place and move it there, so that none is half."""
    beside = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        figure.savefig(beside, dpi=dpi)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
