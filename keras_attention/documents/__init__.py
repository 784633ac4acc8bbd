"""Documents: which parts of them are to be translated, and where these stand.

What is not text, such as markup, code and times, stays byte for byte as it is.
"""

from collections.abc import Callable, Iterable
from pathlib import PurePath

from keras_attention.documents import (
    gettext_catalogs,
    html_pages,
    json_strings,
    markdown,
    plain,
    properties,
    subtitles,
    xliff,
)
from keras_attention.documents.segments import Segment, fill

FORMATS: dict[str, Callable[[str], Iterable[Segment]]] = {
    "text": plain.parse,
    "markdown": markdown.parse,
    "html": html_pages.parse,
    "srt": subtitles.parse_srt,
    "vtt": subtitles.parse_vtt,
    "po": gettext_catalogs.parse,
    "xliff": xliff.parse,
    "json": json_strings.parse,
    "properties": properties.parse,
}
SUFFIXES = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".htm": "html",
    ".html": "html",
    ".xhtml": "html",
    ".srt": "srt",
    ".vtt": "vtt",
    ".po": "po",
    ".pot": "po",
    ".xlf": "xliff",
    ".xliff": "xliff",
    ".json": "json",
    ".arb": "json",
    ".properties": "properties",
}

__all__ = ["FORMATS", "SUFFIXES", "Segment", "fill", "format_of"]


def format_of(path: str) -> str | None:
    """The format of a file by its name, but for what packs it."""
    suffixes = [suffix.lower() for suffix in PurePath(path).suffixes]
    if suffixes[-1:] in ([".gz"], [".xz"]):
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None
