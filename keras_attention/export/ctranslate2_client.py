"""Ask a model of CTranslate2, in a process that knows nothing of this package.

python ctranslate2_client.py FOLDER < rows.json > answers.json
"""

import json
import runpy
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Continue rows of tokens, and say how probable the continuations are."""
    import ctranslate2

    given = json.load(sys.stdin)
    texts, rows, length = given["texts"], given["rows"], given["length"]
    cut = []
    if (folder / "translate.py").exists():
        cut = [*map(runpy.run_path(str(folder / "translate.py"))["cut"], texts)]
    # Asked is what the model holds, not how a machine multiplies 8 bits.
    options = {"compute_type": "float32"}
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    if "decoder_start_token" in settings:
        translator = ctranslate2.Translator(str(folder), **options)
        found = translator.translate_batch(
            rows, beam_size=1, max_decoding_length=length, return_end_token=True
        )
        tokens = [one.hypotheses[0] for one in found]
        scores = translator.score_batch(rows, [_without_end(one) for one in tokens])
    else:
        generator = ctranslate2.Generator(str(folder), **options)
        begun = [[settings["bos_token"], *row] for row in rows]
        found = generator.generate_batch(begun, max_length=length, sampling_topk=1)
        # With the prompt, but for its start.
        tokens = [one.sequences[0] for one in found]
        scores = generator.score_batch([[settings["bos_token"], *t] for t in tokens])
    log_probs = [one.log_probs for one in scores]
    print(json.dumps({"cut": cut, "tokens": tokens, "log_probs": log_probs}))


def _without_end(tokens):
    return tokens[:-1] if tokens[-1:] == ["</s>"] else tokens


if __name__ == "__main__":
    main(Path(sys.argv[1]))
