"""A `MarianMTModel` once more, in NumPy: a folder of one, and what it computes."""

import io
import json
import math

import numpy as np

HEADS, WIDTH, HIDDEN, POSITIONS = 2, 6, 10, 40


def random_weights(
    source_size, target_size, layers=(2, 1), shared=True, seed=0, tied=True
):
    """The weights of a model by their names, as `MarianMTModel` calls them."""
    random = np.random.default_rng(seed)
    weights = {}

    def add(name, *shape):
        weights[name] = random.normal(size=shape, scale=0.3).astype("float32")

    def add_dense(name, inputs, outputs):
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    def add_norm(name):
        add(f"{name}.weight", WIDTH)
        add(f"{name}.bias", WIDTH)
        weights[f"{name}.weight"] += 1

    for side, count in zip(("encoder", "decoder"), layers, strict=True):
        for level in range(count):
            name = f"model.{side}.layers.{level}"
            kinds = (
                ["self_attn"] if side == "encoder" else ["self_attn", "encoder_attn"]
            )
            for kind in kinds:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    add_dense(f"{name}.{kind}.{part}", WIDTH, WIDTH)
                add_norm(f"{name}.{kind}_layer_norm")
            add_dense(f"{name}.fc1", WIDTH, HIDDEN)
            add_dense(f"{name}.fc2", HIDDEN, WIDTH)
            add_norm(f"{name}.final_layer_norm")
    if shared:
        add("model.shared.weight", source_size, WIDTH)
    else:
        add("model.encoder.embed_tokens.weight", source_size, WIDTH)
        add("model.decoder.embed_tokens.weight", target_size, WIDTH)
    if not tied:
        add("lm_head.weight", target_size, WIDTH)
    add("final_logits_bias", 1, target_size)
    return weights


def compute_logits(weights, source, target, activation, scale=True):
    """Logits `(target, vocabulary)` of a source and a target of real ids.

    Of a pre-norm model, a `PegasusForConditionalGeneration`, where the weights have a
    normalization behind the blocks.
    """
    is_first = "model.encoder.layer_norm.weight" in weights

    def dense(name, inputs):
        return inputs @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, inputs):
        centered = inputs - inputs.mean(-1, keepdims=True)
        deviation = np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5)
        gamma, beta = (weights[f"{name}.{part}"] for part in ("weight", "bias"))
        return gamma * centered / deviation + beta

    def attend(name, queries, values, is_causal):
        query, key, value = (
            dense(f"{name}.{part}_proj", inputs)
            for part, inputs in (("q", queries), ("k", values), ("v", values))
        )
        size, contexts = WIDTH // HEADS, []
        for head in range(HEADS):
            own = slice(head * size, (head + 1) * size)
            scores = query[:, own] @ key[:, own].T / math.sqrt(size)
            if is_causal:
                scores = np.where(np.tri(*scores.shape, dtype=bool), scores, -np.inf)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            contexts.append(shares / shares.sum(-1, keepdims=True) @ value[:, own])
        return dense(f"{name}.out_proj", np.concatenate(contexts, -1))

    def positions(length):
        table = np.zeros((length, WIDTH))
        for position in range(length):
            for index in range(WIDTH // 2):
                angle = position / 10000 ** (2 * index / WIDTH)
                table[position, index] = math.sin(angle)
                table[position, WIDTH // 2 + index] = math.cos(angle)
        return table

    def embed(side, ids):
        name = f"model.{side}.embed_tokens.weight"
        table = weights.get(name, weights.get("model.shared.weight"))
        vectors = table[ids] * (math.sqrt(WIDTH) if scale else 1)
        name = f"model.{side}.embed_positions.weight"
        own = weights[name][: len(ids)] if name in weights else positions(len(ids))
        return vectors + own

    def residual(name, hidden, sublayer):
        if is_first:
            return hidden + sublayer(norm(name, hidden))
        return norm(name, hidden + sublayer(hidden))

    def run(side, hidden, memory=None):
        level = 0
        while f"model.{side}.layers.{level}.fc1.bias" in weights:
            name = f"model.{side}.layers.{level}"
            hidden = residual(
                f"{name}.self_attn_layer_norm",
                hidden,
                lambda x, name=name: attend(
                    f"{name}.self_attn", x, x, memory is not None
                ),
            )
            if memory is not None:
                hidden = residual(
                    f"{name}.encoder_attn_layer_norm",
                    hidden,
                    lambda x, name=name: attend(
                        f"{name}.encoder_attn", x, memory, False
                    ),
                )
            hidden = residual(
                f"{name}.final_layer_norm",
                hidden,
                lambda x, name=name: dense(
                    f"{name}.fc2", ACTIVATIONS[activation](dense(f"{name}.fc1", x))
                ),
            )
            level += 1
        return norm(f"model.{side}.layer_norm", hidden) if is_first else hidden

    memory = run("encoder", embed("encoder", source))
    hidden = run("decoder", embed("decoder", target), memory)
    names = ("lm_head", "model.decoder.embed_tokens", "model.shared")
    table = next(weights[f"{n}.weight"] for n in names if f"{n}.weight" in weights)
    return hidden @ table.T + weights["final_logits_bias"][0]


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
}


def write_folder(folder, weights, vocabularies, models, **config):
    """A folder as `save_pretrained` writes one, without its weights.

    Args:
        folder: to write into.
        weights: of the model, for its sizes.
        vocabularies: the pieces of each side, one list for both or two.
        models: the serialized sentencepiece models of both sides.
        **config: what the configuration says otherwise.
    """
    sizes = [len(vocabulary) for vocabulary in vocabularies]
    pad = vocabularies[-1].index("<pad>")
    layers = [
        1 + max(int(name.split(".")[3]) for name in weights if f"{side}.layers" in name)
        for side in ("encoder", "decoder")
    ]
    sides = dict(zip(("encoder", "decoder"), layers, strict=True))
    config = {
        "model_type": "marian",
        "d_model": WIDTH,
        **{f"{side}_layers": count for side, count in sides.items()},
        **{f"{side}_attention_heads": HEADS for side in sides},
        **{f"{side}_ffn_dim": HIDDEN for side in sides},
        "activation_function": "swish",
        "scale_embedding": True,
        "static_position_embeddings": True,
        "share_encoder_decoder_embeddings": len(vocabularies) == 1,
        "vocab_size": sizes[0],
        "decoder_vocab_size": sizes[-1],
        "pad_token_id": pad,
        "eos_token_id": vocabularies[-1].index("</s>"),
        "decoder_start_token_id": pad,
        "max_position_embeddings": POSITIONS,
        "max_length": 20,
        "num_beams": 4,
        "bad_words_ids": [[pad]],
        **config,
    }
    (folder / "config.json").write_text(json.dumps(config))
    names = ("vocab.json", "target_vocab.json")
    for name, pieces in zip(names, vocabularies, strict=False):
        ids = {piece: index for index, piece in enumerate(pieces)}
        (folder / name).write_text(json.dumps(ids, ensure_ascii=False), "utf-8")
    for name, model in zip(("source.spm", "target.spm"), models, strict=True):
        (folder / name).write_bytes(model)


def train_models():
    """Serialized sentencepiece models of both sides, of a few lines."""
    return (
        _train(["the cat sat on the mat", "a dog barks at it"]),
        _train(["le chat est la", "un chien aboie ici"]),
    )


def write_random_folder(folder, models=None, seed=0, shared=True, tied=True):
    """A folder of a small model with random weights, as Hugging Face writes one."""
    from safetensors.numpy import save_file

    models = models or train_models()
    pieces = [_pieces(*models)]
    if not shared:
        pieces = [_pieces(models[0]), _pieces(*models)]  # the start is of one alone
    weights = random_weights(
        len(pieces[0]), len(pieces[-1]), seed=seed, shared=shared, tied=tied
    )
    folder.mkdir(exist_ok=True)
    write_folder(folder, weights, pieces, models, tie_word_embeddings=tied)
    save_file(weights, folder / "model.safetensors")


def _train(lines):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 20),
        model_writer=model,
        vocab_size=40,
        model_type="unigram",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def _pieces(*models):
    import sentencepiece

    found = {}
    for model in models:
        cut = sentencepiece.SentencePieceProcessor(model_proto=model)
        found.update(dict.fromkeys(cut.id_to_piece(i) for i in range(len(cut))))
    ordinary = [piece for piece in found if piece not in ("<unk>", "<s>", "</s>")]
    return ["</s>", "<unk>", ">>fra<<", *ordinary, "<pad>"]
