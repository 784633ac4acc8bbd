"""Scores translations by COMET, in a process that has its package and no Keras.

It reads a request from the file that is named first, and writes the scores into the
second: what COMET prints goes its own way.
"""

import json
import os
import sys


def main() -> None:
    """Score what the request holds."""
    request, answer = sys.argv[1:]
    with open(request, encoding="utf-8") as file:
        asked = json.load(file)
    from comet import download_model, load_from_checkpoint

    name = asked["model"]
    path = name if os.path.isfile(name) else download_model(name)
    model = load_from_checkpoint(path)
    found = model.predict(asked["data"], batch_size=asked["batch_size"], gpus=_gpus())
    with open(answer, "w", encoding="utf-8") as file:
        json.dump([float(score) for score in found.scores], file)


def _gpus():
    import torch

    return int(torch.cuda.is_available())


if __name__ == "__main__":
    main()
