"""Translate lines, with ctranslate2 and sentencepiece alone.

python translate.py < sources.txt > translations.txt
"""

import functools
import json
import re
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@functools.cache
def load() -> tuple[dict, Any, Any]:
    """The settings, and the sentencepiece models of both sides."""
    import sentencepiece

    names = ("source.spm", "target.spm")
    models = [str(FOLDER / name) for name in names]
    source, target = (sentencepiece.SentencePieceProcessor(name) for name in models)
    settings = json.loads((FOLDER / "keras_attention.json").read_text("utf-8"))
    return settings, source, target


def cut(text: str) -> list[str]:
    """The tokens of a text."""
    settings, source, _ = load()
    language = re.findall(r"^>>[^\n]+<<", text) if settings["has_languages"] else []
    rest = text.removeprefix("".join(language))
    ids = source.encode(rest.lower() if settings["lowercase"] else rest)
    return language + [source.id_to_piece(i) for i in ids]


def join(tokens: list[str]) -> str:
    """The text of tokens."""
    settings, _, target = load()
    if settings["has_languages"]:  # a vocabulary of both sides
        tokens = [token for token in tokens if token != "<unk>"]
    return str(target.decode(tokens).replace("\u2581", " ").strip())


def main() -> None:
    """Translate standard input."""
    import ctranslate2

    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore
    translator = ctranslate2.Translator(str(FOLDER))
    rows = [cut(line.rstrip("\n")) for line in sys.stdin]
    for found in translator.translate_batch(rows, **load()[0]["options"]):
        print(join(found.hypotheses[0]))


if __name__ == "__main__":
    main()
