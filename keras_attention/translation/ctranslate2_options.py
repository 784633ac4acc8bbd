"""What CTranslate2 is asked for, to find what a search would."""

from collections.abc import Sequence
from typing import Any

from keras_attention.decoding import BeamSearch, Greedy, Sampling, Search

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


def to_options(search: Search, names: Sequence[str]) -> dict[str, Any]:
    """The arguments of `ctranslate2.Translator.translate_batch`.

    Args:
        search: `Greedy`, `BeamSearch` or `Sampling`.
        names: of the target ids.

    Raises:
        ValueError: for another search, or an option of it that CTranslate2 lacks.
    """
    if type(search) not in (Greedy, BeamSearch, Sampling):
        raise ValueError(
            "CTranslate2 has Greedy, BeamSearch and Sampling. "
            f"Received: search={search!r}"
        )
    config = search.get_config()
    for name, value in _LACKING.items():
        if config.get(name, value) != value:
            raise ValueError(
                f"CTranslate2 lacks the {name} of a {type(search).__name__}. "
                f"Received: {name}={config[name]!r}"
            )
    options = {
        "beam_size": 1,
        "length_penalty": 0.0,
        "max_decoding_length": search.max_length,
        # It does not count the end, which it does not write first by itself.
        "min_decoding_length": max(search.min_length - 1, 0),
        "no_repeat_ngram_size": config["no_repeat_ngram_size"],
        "suppress_sequences": [[names[i]] for i in config["suppressed_ids"]] or None,
    }
    if isinstance(search, BeamSearch):
        is_counted = search.finished == "replace" and search.stopping == "count"
        # Another normalization chooses among all that it finds.
        wanted = search.num_beams
        if search.normalization == "length":
            wanted = search.num_hypotheses or search.num_beams
        return {
            **options,
            "beam_size": search.num_beams,
            "num_hypotheses": wanted,
            "length_penalty": search.length_penalty,
            "patience": search.patience if is_counted else _PATIENCE,
        }
    if isinstance(search, Sampling):
        return {
            **options,
            "num_hypotheses": search.num_samples,
            "sampling_temperature": search.temperature,
            "sampling_topk": search.top_k or 0,
            "sampling_topp": search.top_p or 1.0,
        }
    return options
