"""Save models, translators and trainings with the version that runs, and pack them.

    python -m tests.earlier_version.make

To be run on TensorFlow before a release that changes how things are built. The inputs
and outputs are written beside each model.
"""

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_attention import __version__, decoding, layers, models, training
from tests.backends import to_numpy
from tests.cases import CASES
from tests.earlier_version import archive
from tests.small_models import INPUTS, MODELS, SOURCE, TARGET
from tests.tensors import randomize

IDS = np.array([[2, 4, 5, 6, 7], [2, 8, 9, 10, 0], [2, 5, 0, 0, 0]], "int32")
SMALL_TRANSFORMER: dict[str, Any] = {
    "num_layers": 2,
    "num_heads": 2,
    "embedding_dim": 10,
    "intermediate_dim": 17,
}
RECURRENT = ("rnn_seq2seq", "gnmt", "sutskever2014", "bahdanau2015", "luong2015")
SMALL_RNN: dict[str, Any] = {"embedding_dim": 7, "units": 5}


def builders() -> dict[str, tuple[str, tuple[int, ...], dict[str, Any]]]:
    """By a name, the function of `models`, the vocabularies and the options."""
    found: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {}
    for index, (architecture, options) in enumerate(MODELS):
        is_rnn = architecture == "rnn"
        sizes = {**(SMALL_RNN if is_rnn else SMALL_TRANSFORMER), **options}
        target = sizes.pop("target_vocabulary_size", 13)
        name = "rnn_seq2seq" if is_rnn else "transformer"
        found[f"{name}_{index}"] = name, (11, target), sizes
    for name, (function, options) in MORE.items():
        vocabularies: tuple[int, ...] = 11, 13
        sizes = SMALL_TRANSFORMER
        if function in RECURRENT:
            sizes = SMALL_RNN
        elif function == "language_model":
            vocabularies, sizes = (11,), {}
        elif function != "transformer":
            vocabularies = 11, 11  # which they tie
        found[name] = function, vocabularies, {**sizes, **options}
    return found


RNN_LM = {"architecture": "rnn", "embedding_dim": 5, "units": 5}
TRANSFORMER_LM = {"embedding_dim": 6, "num_heads": 2, "intermediate_dim": 11}
MORE: dict[str, tuple[str, dict[str, Any]]] = {
    "sutskever2014": ("sutskever2014", {}),
    "bahdanau2015": ("bahdanau2015", {"readout_units": 3}),
    "luong2015": ("luong2015", {}),
    "gnmt": ("gnmt", {"num_layers": 4, "attention_units": 3}),
    "transformer_base": ("transformer_base", {}),
    "transformer_big": ("transformer_big", {"num_layers": 1}),
    "transformer_tiny": ("transformer_tiny", {}),
    "aligned": ("transformer", {"alignment_layer": 0, "alignment_heads": [1]}),
    "capped": (
        "transformer",
        {"attention_options": {"soft_cap": 3.0, "chunk_size": 2, "dropout": 0.2}},
    ),
    "normalization_layer": (
        "transformer",
        {"normalization": keras.layers.UnitNormalization(), "num_layers": 1},
    ),
    "covering": (
        "rnn_seq2seq",
        {
            "attention": layers.Attention(
                "additive",
                units=4,
                normalize=True,
                coverage="fertility",
                alignment="monotonic",
            ),
            "order": "bahdanau",
            "readout": "maxout",
            "readout_units": 6,
            "num_layers": 2,
            "bidirectional": "lowest",
            "layer_normalization": True,
            "recurrent_dropout": 0.2,
            "variational": True,
            "dropout": 0.1,
        },
    ),
    "local": (
        "rnn_seq2seq",
        {"attention": layers.Attention(alignment="local_p", window=2)},
    ),
    "sampled": (
        "rnn_seq2seq",
        {"scheduled_sampling": training.InverseSigmoidDecay(10.0)},
    ),
    "language_model_lstm": ("language_model", {**RNN_LM, "num_layers": 2}),
    "language_model_gru": (
        "language_model",
        {**RNN_LM, "cell": "gru", "tie_embeddings": True, "residual": True},
    ),
    "language_model_transformer": ("language_model", TRANSFORMER_LM),
    "language_model_rotary": (
        "language_model",
        {
            **TRANSFORMER_LM,
            "embedding_dim": 12,
            "positions": "rotary",
            "tie_embeddings": True,
            "gated": True,
        },
    ),
    "language_model_relative": (
        "language_model",
        {**TRANSFORMER_LM, "positions": "relative", "max_length": 9},
    ),
}
QUANTIZED = ["transformer_8", "rnn_seq2seq_11", "covering", "language_model_rotary"]
POLICIES = {"mixed_bfloat16": "transformer_2", "float64": "rnn_seq2seq_9"}


def build(function, vocabularies, options):
    """A model with random weights, and parts of its own."""
    keras.utils.set_random_seed(0)
    options = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(options)
    )
    return randomize(getattr(models, function)(*vocabularies, **options))


def examples_for(model: Any) -> tuple[Any, np.ndarray]:
    """Inputs and labels."""
    is_language_model = isinstance(model, models.LanguageModel)
    return (IDS, IDS) if is_language_model else (INPUTS, TARGET)


def results(model: Any) -> dict[str, np.ndarray]:
    """The logits of a model, and what a search finds."""
    inputs, _ = examples_for(model)
    source = SOURCE if isinstance(inputs, dict) else inputs[:, 1:3]
    found = decoding.BeamSearch(3, 7)(model, source)
    logits = to_numpy(model(inputs))
    return {"logits": logits, "ids": found.ids, "scores": found.scores}


def write(folder: Path, **settings: Any) -> None:
    """What `read_settings` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    config = keras.saving.serialize_keras_object(settings)
    (folder / "settings.json").write_text(json.dumps(config), "utf-8")


def save_layers(root: Path) -> None:
    """A model around each row of the table of layers."""
    for index, case in enumerate(CASES):
        folder = root / f"{index}_{case.cls.__name__}"
        folder.mkdir(parents=True)
        keras.utils.set_random_seed(index)
        symbols = case.symbols("batch", "target", "source")
        outputs = keras.tree.flatten(case.make()(**symbols, **case.call))
        model = randomize(keras.Model(keras.tree.flatten(symbols), outputs))
        inputs = keras.tree.flatten(case.values())
        model.save(folder / "model.keras")
        np.savez(folder / "inputs.npz", *inputs)
        np.savez(folder / "outputs.npz", *keras.tree.flatten(to_numpy(model(inputs))))


def save_models(root: Path) -> None:
    """Models of every builder, some of them quantized, and an ensemble."""
    made = builders()
    for name, arguments in made.items():
        save_model(root / name, build(*arguments), arguments)
    for name in QUANTIZED:
        model = build(*made[name])
        model.quantize("int8")
        save_model(root / f"{name}_int8", model)
    for policy, name in POLICIES.items():
        keras.config.set_dtype_policy(policy)
        save_model(root / f"{name}_{policy}", build(*made[name]))
        keras.config.set_dtype_policy("float32")
    for suffix in ("", "_int8"):
        parts = [build(*made[name]) for name in ("transformer_0", "rnn_seq2seq_9")]
        ensemble = models.Ensemble(parts)
        if suffix:
            ensemble.quantize("int8")
        save_model(root / f"ensemble{suffix}", ensemble)


def save_model(folder: Path, model: Any, arguments: Any = None) -> None:
    """A model, what it was made by, and what it gives."""
    write(folder, arguments=arguments)
    model.save(folder / "model.keras")
    np.savez(folder / "outputs.npz", **results(model))


def save_translators(root: Path) -> None:
    """Translators of every tokenizer and search."""
    # With TensorFlow, which tests of the rest do without.
    from keras_attention import text
    from tests.translators import ENGLISH, KOREAN, MODELS, TOKENIZERS

    searches = {
        "two sentencepiece models": decoding.BeamSearch(
            3, 11, coverage_penalty=0.2, normalization="length", num_hypotheses=2
        ),
        "one shared sentencepiece model": decoding.BeamSearch(
            4, 11, num_groups=2, no_repeat_ngram_size=2, max_length_ratio=2.0
        ),
        "words": decoding.Greedy(11, min_length=2, suppressed_ids=[5]),
        "characters": decoding.Sampling(11, top_k=5, top_p=0.9, seed=3, num_samples=2),
    }
    for index, (kind, make) in enumerate(TOKENIZERS.items()):
        tokenizers = make()
        save_translator(
            root / kind.replace(" ", "_"),
            [*MODELS][index % 4],
            tokenizers,
            searches.get(kind),
        )
    options: dict[str, Any] = {"normalization": "nfkc", "user_symbols": ["<URL>"]}
    both = [*ENGLISH, *KOREAN]
    words = text.WordTokenizer.train(both, **options)
    save_translator(root / "symbols", "recurrent", (words, words), None, True)
    pieces = text.SentencePieceTokenizer.train(
        both * 3, 90, model_type="bpe", **options
    )
    save_translator(root / "int8", "transformer", (pieces, pieces), None, quantize=True)


def save_translator(
    folder, architecture, tokenizers, search, replace_unknown=False, quantize=False
):
    """A translator, and how it translates."""
    from keras_attention import Translator
    from tests.translators import ENGLISH, make_model

    texts = [*ENGLISH, "", "you\0", "둘리", "one " * 31]
    model = make_model(architecture, *(part.vocabulary_size for part in tokenizers))
    if quantize:
        model.quantize("int8")
    search = search or decoding.Greedy(11)
    made = Translator(model, *tokenizers, search, 17, 5, replace_unknown)
    found = made.hypotheses(texts)
    write(
        folder,
        texts=texts,
        hypotheses=[[one.text for one in some] for some in found],
        scores=[[float(one.score) for one in some] for some in found],
        log_probabilities=[float(s.log_probability) for s in made.score(texts, texts)],
        ids=[tokenizers[0].tokenize([line]).to_list()[0] for line in texts],
    )
    made.save(folder / "translator")


def save_trainings(root: Path) -> None:
    """A backup after two epochs, and the compiled model after both."""
    made = builders()
    for name in ("transformer_8", "covering", "language_model_rotary"):
        folder = root / name
        model = build(*made[name])
        compile_model(model)
        inputs, labels = examples_for(model)
        write(folder, arguments=made[name])
        backup = training.Backup(folder / "backup")
        model.fit(inputs, labels, epochs=2, callbacks=[backup], verbose=0)
        model.save(folder / "model.keras")
        loss, *_ = model.evaluate(inputs, labels, verbose=0)
        np.savez(folder / "outputs.npz", logits=to_numpy(model(inputs)), loss=loss)


def compile_model(model: Any) -> None:
    """With everything of ours that `compile` takes."""
    model.compile(
        training.Adam(training.InverseSquareRoot(1e-2, 3), use_ema=True),
        training.MaskedCrossEntropy(0.1),
        metrics=[training.MaskedAccuracy(), training.Perplexity()],
    )


def main() -> None:
    """Save everything and pack it."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        save_layers(root / "layers")
        save_models(root / "models")
        save_translators(root / "translators")
        save_trainings(root / "trainings")
        with tarfile.open(archive(__version__), "w:xz", preset=9) as packed:
            for path in sorted(root.iterdir()):
                packed.add(path, path.name)
    print(archive(__version__), archive(__version__).stat().st_size)


if __name__ == "__main__":
    main()
