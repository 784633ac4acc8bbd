"""Ask a graph of ids, in a process that knows neither TensorFlow nor this package.

python ids_client.py FOLDER < inputs.json > answers.json
"""

import json
import runpy
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Run the graph on each source, and cut the texts where the folder can."""
    for name in ("keras_attention", "tensorflow", "keras"):
        sys.modules[name] = None  # type: ignore[assignment]  # must not serve
    import numpy as np

    given, found = json.load(sys.stdin), []
    script = Path(__file__).with_name("ids_script.py")
    run = runpy.run_path(str(script))["load_model"](folder)
    for inputs in given["inputs"]:
        arrays = {
            name: np.array(part, given["dtypes"][name]) for name, part in inputs.items()
        }
        ids, lengths, scores = run(arrays)
        best = ids[0, 0, : lengths[0, 0]].tolist()
        found.append({"ids": best, "score": float(scores[0, 0])})
    cut = []
    if (folder / "translate.py").exists():
        cut = [
            *map(runpy.run_path(str(folder / "translate.py"))["cut"], given["texts"])
        ]
    print(json.dumps({"found": found, "cut": cut}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
