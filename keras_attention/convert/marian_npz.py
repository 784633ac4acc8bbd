"""Models of Marian as it writes them itself: a `.npz` with its options inside.

They are read as the folder of a `MarianMTModel` is, whose names the weights get. Marian
has no padding and no start: its decoder begins with a vector of zeros.
"""

import re
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from keras_attention.convert.marian_model import (
    build_model,
    choose_batch_size,
    order_vocabulary,
    read_tokenizer,
    set_weights,
)
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.optional_packages import needs

# What the options of a model may ask for that changes it, and what they must say.
FIXED: dict[str, Any] = {
    "type": "transformer",
    "transformer-preprocess": "",
    "transformer-postprocess": "dan",
    "transformer-decoder-autoreg": "self-attention",
    "transformer-train-position-embeddings": False,
    "transformer-no-projection": False,
    "transformer-ffn-depth": 2,
    "transformer-tied-layers": [],
    "transformer-rnn-projection": False,
    "lemma-dim-emb": 0,
    "output-omit-bias": False,
    "ulr": False,
}
_NAMES = {
    "self": "self_attn",
    "context": "encoder_attn",
    "Wq": "q_proj.weight",
    "Wk": "k_proj.weight",
    "Wv": "v_proj.weight",
    "Wo": "out_proj.weight",
    "bq": "q_proj.bias",
    "bk": "k_proj.bias",
    "bv": "v_proj.bias",
    "bo": "out_proj.bias",
}
_FEED_FORWARD = {
    "W1": "fc1.weight",
    "b1": "fc1.bias",
    "W2": "fc2.weight",
    "b2": "fc2.bias",
    "ffn_ln_scale": "final_layer_norm.weight",
    "ffn_ln_bias": "final_layer_norm.bias",
}
_OPTIONS = "special:model.yml"


def read_npz_folder(folder: str | PathLike[str]) -> dict[str, Any]:
    """Read what Marian wrote, as the arguments of a `Translator`.

    Args:
        folder: with a `decoder.yml` that names one model, a `.npz`, and the vocabulary
            of each side: a `.yml` with a `source.spm` and a `target.spm` beside it, or
            a `.spm` that is both.

    Raises:
        FileNotFoundError: when a file is missing.
        ValueError: for a file that is truncated, altered or of something else, and for
            what its options ask for that cannot be had here.
        ImportError: without the extras `text` and `huggingface`.
    """
    folder = Path(folder)
    path = _only(folder, "*decoder.yml")
    settings = read_yaml(path.read_text("utf-8"), path)
    try:
        (name,), vocabularies = settings["models"], settings["vocabs"]
        source, target = (folder / Path(part).name for part in vocabularies)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} must name one model and two vocabularies: {error}"
        ) from error
    weights, options = read_npz(folder / Path(name).name)
    sides, tokenizers = [], []
    for found, side, spm in (
        (source, "encoder", folder / "source.spm"),
        (target, "decoder", folder / "target.spm"),
    ):
        own = f"model.{side}.embed_tokens.weight"
        table = weights.get(own, weights.get("model.shared.weight", ()))
        try:
            ids = _read_vocabulary(found)
            ordered = order_vocabulary(ids, len(table), "<unk>", ids["</s>"], None)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(
                f"{str(found)!r} is no vocabulary of the model: {error}"
            ) from error
        sides.append(ordered)
        spm = found if found.suffix == ".spm" else spm
        tokenizers.append(read_tokenizer(spm, ordered))
    config = config_of(options)
    search = _read_search(path, settings)
    model = build_model(config, sides[0], sides[1])
    set_weights(model, weights, sides[0], sides[1], str(folder))
    return {
        "model": model,
        "source_tokenizer": tokenizers[0],
        "target_tokenizer": tokenizers[1],
        "search": search,
        "max_source_length": config["max_position_embeddings"],
        "batch_size": choose_batch_size(config, search),
    }


def read_npz(path: str | PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The weights of a file by the names of a `MarianMTModel`, and Marian's options.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a file that is truncated, altered or of something else, and for
            weights that have no counterpart.
        ImportError: without `keras-attention-layers[huggingface]`.
    """
    path = Path(path)
    try:
        # opened here, as NumPy leaves a damaged file open
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"{str(path)!r} is truncated, altered or no model of Marian: {error}"
        ) from error
    if _OPTIONS not in arrays:
        raise ValueError(f"{str(path)!r} is no model of Marian: it has no {_OPTIONS}")
    text = arrays.pop(_OPTIONS).tobytes().rstrip(b"\0").decode("utf-8")
    options = read_yaml(text, path)
    for name, value in FIXED.items():
        if options.get(name, value) != value:
            raise ValueError(
                f"{str(path)!r} asks for {name}={options[name]!r}, and only "
                f"{name}={value!r} can be had here"
            )
    weights = {}
    for name, array in arrays.items():
        theirs = _rename(name)
        if theirs is None:
            raise ValueError(
                f"{str(path)!r} has a weight without a counterpart: {name}"
            )
        is_table = name.endswith("Wemb")
        weights[theirs] = array if is_table or len(array) == 1 else array.T
        if theirs.endswith(("bias", "norm.weight")) and theirs != "final_logits_bias":
            weights[theirs] = array.reshape(-1)
    return weights, options


def read_yaml(text: str, path: Path, as_strings: bool = False) -> Any:
    """What a YAML text holds.

    Args:
        text: of the file.
        path: of the file, for messages.
        as_strings: whether `1` and `yes` are strings.
    """
    with needs("yaml", extra="huggingface", by="models of Marian"):
        import yaml
    try:
        return yaml.load(text, yaml.BaseLoader if as_strings else yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{str(path)!r} is not YAML: {error}") from error


def config_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `read_npz`, by the names of a `MarianMTModel`."""
    ffn = options["transformer-dim-ffn"]
    is_all = bool(options.get("tied-embeddings-all"))
    return {
        "d_model": options["dim-emb"],
        "encoder_layers": options["enc-depth"],
        "decoder_layers": options["dec-depth"],
        "encoder_attention_heads": options["transformer-heads"],
        "decoder_attention_heads": options["transformer-heads"],
        "encoder_ffn_dim": ffn,
        "decoder_ffn_dim": options.get("transformer-decoder-dim-ffn") or ffn,
        "activation_function": options["transformer-ffn-activation"],
        "scale_embedding": True,
        "share_encoder_decoder_embeddings": is_all,
        "tie_word_embeddings": is_all or bool(options.get("tied-embeddings")),
        "max_position_embeddings": 512,
    }


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise FileNotFoundError(
            f"{str(folder)!r} must hold one {pattern}. Received: {[*map(str, found)]}"
        )
    return found[0]


def _read_vocabulary(path: Path) -> dict[str, int]:
    if path.suffix == ".spm":
        from keras_attention.text.sentence_piece_model import read_pieces

        pieces = read_pieces(path.read_bytes())
        return {piece: index for index, piece in enumerate(pieces)}
    ids = read_yaml(path.read_text("utf-8"), path, as_strings=True)
    return {piece: int(index) for piece, index in ids.items()}


def _read_search(path, settings):
    if settings.get("word-penalty"):
        raise ValueError(
            f"{str(path)!r} asks for word-penalty={settings['word-penalty']}, which "
            "cannot be had here"
        )
    options: dict[str, Any] = {
        "max_length": int(settings.get("max-length", 512)) - 1,
        "max_length_ratio": float(settings.get("max-length-factor", 3)),
    }
    if settings.get("beam-size", 12) == 1:
        return Greedy(**options)
    return BeamSearch(
        settings.get("beam-size", 12),
        length_penalty=float(settings.get("normalize", 0)),
        normalization="length",
        **options,
    )


def _rename(name):
    """The name of a weight in a `MarianMTModel`, or `None`."""
    tables = {
        "Wemb": "model.shared.weight",
        "encoder_Wemb": "model.encoder.embed_tokens.weight",
        "decoder_Wemb": "model.decoder.embed_tokens.weight",
        "decoder_ff_logit_out_W": "lm_head.weight",
        "decoder_ff_logit_out_b": "final_logits_bias",
    }
    if name in tables:
        return tables[name]
    found = re.fullmatch(r"(encoder|decoder)_l(\d+)_(self|context|ffn)_(\w+)", name)
    if not found:
        return None
    side, level, part, rest = found.groups()
    prefix = f"model.{side}.layers.{int(level) - 1}"
    if part == "ffn":
        return f"{prefix}.{_FEED_FORWARD[rest]}" if rest in _FEED_FORWARD else None
    if rest in ("Wo_ln_scale", "Wo_ln_bias"):
        kind = "weight" if rest.endswith("scale") else "bias"
        return f"{prefix}.{_NAMES[part]}_layer_norm.{kind}"
    return f"{prefix}.{_NAMES[part]}.{_NAMES[rest]}" if rest in _NAMES else None
