"""Fonts that have the letters of many scripts."""

import importlib.util
from pathlib import Path

from matplotlib import rcParams
from matplotlib.font_manager import FontEntry, FontProperties, fontManager

KOREAN = "NanumGothic"
EVERYWHERE = "DejaVu Sans"
"""The font that matplotlib itself brings along."""


def label_font(size: float) -> FontProperties:
    """Return a font for text of any script, for one figure alone.

    Letters that the first family lacks come from the next. The Korean font is the one
    that the package `koreanize-matplotlib` carries, where it is installed; the families
    of the user's own settings come last.

    Args:
        size: in points.
    """
    families = [EVERYWHERE, *rcParams["font.family"]]
    if _add_korean():
        families.insert(0, KOREAN)
    return FontProperties(family=families, size=size)


def _add_korean() -> bool:
    """Make the Korean font known to matplotlib; tell whether there is one."""
    if any(_is_korean(entry) for entry in fontManager.ttflist):
        return True
    # Not imported: it needs `distutils`, and would change the settings of all figures.
    spec = importlib.util.find_spec("koreanize_matplotlib")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "fonts" / f"{KOREAN}.ttf"
        if path.is_file():
            fontManager.addfont(path)
            return True
    return False


def _is_korean(entry: FontEntry) -> bool:
    # The list is kept between processes, and a font may have gone since.
    return entry.name == KOREAN and Path(entry.fname).is_file()
