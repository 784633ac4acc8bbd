"""What CTranslate2 is asked for, to find what a search would."""

from collections.abc import Sequence
from typing import Any

from keras_attention.translation.search_settings import SearchSettings

# How many outputs end before a row is done, in beams. Ours is done when nothing can
# become better; so many find what it finds.
_PATIENCE = 2.0
# Options that it lacks, or has otherwise, and what they must be.
_LACKING = {
    "max_length_ratio": None,
    "min_length_ratio": 0.0,
    "repetition_penalty": 1.0,
    "coverage_penalty": 0.0,
    "num_groups": 1,
    "min_p": 0.0,
    "seed": None,
}


def to_options(search: SearchSettings, names: Sequence[str]) -> dict[str, Any]:
    """The arguments of `ctranslate2.Translator.translate_batch`.

    Args:
        search: how translations are found.
        names: of the target ids.

    Raises:
        ValueError: for an option that CTranslate2 lacks.
    """
    kind, config = search
    for name, value in _LACKING.items():
        if config.get(name, value) != value:
            raise ValueError(
                f"CTranslate2 lacks the {name} of a {kind}. "
                f"Received: {name}={config[name]!r}"
            )
    options = {
        "beam_size": 1,
        "length_penalty": 0.0,
        "max_decoding_length": config["max_length"],
        # It does not count the end, which it does not write first by itself.
        "min_decoding_length": max(config["min_length"] - 1, 0),
        "no_repeat_ngram_size": config["no_repeat_ngram_size"],
        "suppress_sequences": [[names[i]] for i in config["suppressed_ids"]] or None,
    }
    if kind == "BeamSearch":
        beams = config["num_beams"]
        is_counted = (config["finished"], config["stopping"]) == ("replace", "count")
        # Another normalization chooses among all that it finds.
        wanted = beams
        if config["normalization"] == "length":
            wanted = config["num_hypotheses"] or beams
        return {
            **options,
            "beam_size": beams,
            "num_hypotheses": wanted,
            "length_penalty": config["length_penalty"],
            "patience": config["patience"] if is_counted else _PATIENCE,
        }
    if kind == "Sampling":
        return {
            **options,
            "num_hypotheses": config["num_samples"],
            "sampling_temperature": config["temperature"],
            "sampling_topk": config["top_k"] or 0,
            "sampling_topp": config["top_p"] or 1.0,
        }
    return options
