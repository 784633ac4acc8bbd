"""Translate lines, with ctranslate2 and sentencepiece alone.

python translate.py < sources.txt > translations.txt
"""

import json
import re
import sys
from pathlib import Path

import ctranslate2
import sentencepiece

FOLDER = Path(__file__).parent
SETTINGS = json.loads((FOLDER / "keras_attention.json").read_text("utf-8"))
SOURCE, TARGET = (
    sentencepiece.SentencePieceProcessor(model_file=str(FOLDER / f"{side}.spm"))
    for side in ("source", "target")
)


def cut(text: str) -> list[str]:
    """The tokens of a text."""
    language = re.findall(r"^>>[^\n]+<<", text) if SETTINGS["has_languages"] else []
    rest = text.removeprefix("".join(language))
    ids = SOURCE.encode(rest.lower() if SETTINGS["lowercase"] else rest)
    return language + [SOURCE.id_to_piece(i) for i in ids]


def join(tokens: list[str]) -> str:
    """The text of tokens."""
    if SETTINGS["has_languages"]:  # a vocabulary of both sides
        tokens = [token for token in tokens if token != "<unk>"]
    return TARGET.decode(tokens).replace("\u2581", " ").strip()


if __name__ == "__main__":
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore
    translator = ctranslate2.Translator(str(FOLDER))
    rows = [cut(line.rstrip("\n")) for line in sys.stdin]
    for found in translator.translate_batch(rows, **SETTINGS["options"]):
        print(join(found.hypotheses[0]))
