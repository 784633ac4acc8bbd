"""What Hugging Face's `generate` is asked for, to find what a search would."""

from typing import Any

from keras_attention.decoding import BeamSearch, Greedy, Sampling, Search
from keras_attention.export.huggingface_model import HUGGING_FACE
from keras_attention.export.transformer_parts import never_written

# Options that it lacks, or has otherwise, and what they must be.
_FIXED = {
    "max_length_ratio": None,
    "min_length_ratio": 0.0,
    "repetition_penalty": 1.0,
}
_FIXED_BEAMS = {
    "coverage_penalty": 0.0,
    "normalization": "length",
    "num_groups": 1,
    "finished": "replace",
    "patience": 1.0,
}
# Its `early_stopping`.
_STOPPING = {"exact": "never", "current_length": False, "count": True}


def make_generation(search: Search, model: Any) -> dict[str, Any]:
    """What `generation_config.json` says for a search.

    It asks for one output of each text, whatever the search gives beside the best.

    Args:
        search: `Greedy`, `Sampling`, or a `BeamSearch` by the rules of Hugging Face.
        model: whose ids it writes.

    Raises:
        ValueError: for another search, or an option of it that Hugging Face lacks.
    """
    if type(search) not in (Greedy, BeamSearch, Sampling):
        raise HUGGING_FACE.refusal("Greedy, BeamSearch and Sampling", search)
    config = search.get_config()
    fixed = {**_FIXED, **(_FIXED_BEAMS if type(search) is BeamSearch else {})}
    for name, value in fixed.items():
        if config[name] != value:
            raise HUGGING_FACE.refusal(
                f"only {name}={value!r} of a {type(search).__name__}, the `search` of "
                "a `Translator`",
                config[name],
            )
    words = [*never_written(model), *config["suppressed_ids"]]
    options = {
        "pad_token_id": 0,
        "bos_token_id": model.start_id,
        "eos_token_id": model.end_id,
        "forced_eos_token_id": None,
        "decoder_start_token_id": model.start_id,
        # It counts the start.
        "max_length": search.max_length + 1,
        "min_length": search.min_length,
        "no_repeat_ngram_size": config["no_repeat_ngram_size"],
        "bad_words_ids": [[index] for index in words],
        "renormalize_logits": config["renormalize"],
        "num_beams": 1,
        "do_sample": False,
    }
    if isinstance(search, Sampling):
        return options | {
            "do_sample": True,
            "temperature": search.temperature,
            "top_k": search.top_k or 0,
            "top_p": search.top_p or 1.0,
            "min_p": search.min_p or None,
        }
    if not isinstance(search, BeamSearch):
        return options
    if search.stopping not in _STOPPING:
        raise HUGGING_FACE.refusal(
            f"only {[*_STOPPING]} as `stopping`", search.stopping
        )
    if search.force_end:
        options["forced_eos_token_id"] = model.end_id
        options["max_length"] += 1
    return options | {
        "num_beams": search.num_beams,
        "length_penalty": search.length_penalty,
        "early_stopping": _STOPPING[search.stopping],
    }
