"""Translate lines, with numpy, sentencepiece and one of onnxruntime and ai_edge_litert.

python translate.py < sources.txt > translations.txt
"""

import functools
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

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


@functools.cache
def load_model(folder: Path = FOLDER) -> Any:
    """A function from ids, padded, to ids, lengths and scores."""
    if (folder / "model.onnx").exists():
        import onnxruntime

        session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
        return lambda inputs: session.run(["ids", "lengths", "scores"], inputs)
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(str(folder / "model.tflite"))

    def run(inputs):
        for part in model.get_input_details():
            value = inputs[part["name"].partition(":")[0]]
            model.resize_tensor_input(part["index"], value.shape)
        model.allocate_tensors()
        for part in model.get_input_details():
            model.set_tensor(part["index"], inputs[part["name"].partition(":")[0]])
        model.invoke()
        found = sorted(model.get_output_details(), key=lambda part: part["name"])
        return [model.get_tensor(part["index"]) for part in found]

    return run


@functools.cache
def source_ids() -> dict[str, int]:
    """The id of each source piece."""
    return {piece: index for index, piece in enumerate(load()[0]["source_pieces"])}


def cut(text: str) -> list[int]:
    """The ids of a text, with the end."""
    settings, source, _ = load()
    ids = source_ids()
    language = re.findall(r"^>>[^\n]+<<", text) if settings["has_languages"] else []
    rest = text.removeprefix("".join(language))
    rest = rest.lower() if settings["lowercase"] else rest
    pieces = language + [source.id_to_piece(i) for i in source.encode(rest)]
    row = [ids.get(piece, settings["unknown"]) for piece in pieces]
    return [*row[: settings["max_source_length"] - 1], settings["source_end"]]


def join(row: Any) -> str:
    """The text of ids."""
    settings, _, target = load()
    pieces = [settings["target_pieces"][i] for i in row if i != settings["end"]]
    if settings["has_languages"]:  # a vocabulary of both sides
        pieces = [piece for piece in pieces if piece != "<unk>"]
        return str(target.decode(pieces).replace("\u2581", " ").strip())
    return str(target.decode(pieces))


def translate(row: list[int]) -> str:
    """The best translation of a row of ids."""
    if len(row) == 1:  # an end
        return ""
    ids, lengths, _ = load_model()({"source": np.array([row], "int32")})
    return join(ids[0, 0, : lengths[0, 0]].tolist())


def main() -> None:
    """Translate standard input."""
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore
    rows = [cut(line.rstrip("\n")) for line in sys.stdin]
    for row in rows:
        print(translate(row))


if __name__ == "__main__":
    main()
