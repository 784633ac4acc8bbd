"""A model of another vocabulary computes of shared pieces what it computed before."""

import keras
import numpy as np
import pytest

from keras_attention.convert import change_vocabularies
from keras_attention.convert.vocabularies import _find_parts
from keras_attention.models import Ensemble, Seq2Seq, language_model, transformer
from keras_attention.text.plain import CharacterTokenizer, WordTokenizer
from keras_attention.training import enable_lora
from tests.backends import to_numpy
from tests.tensors import randomize

OLD = [*"abcdefgh"]
NEW = ["h", "x", *"badc", "y", *"efg"]
MODELS = {
    "two tables": {},
    "one table": {"tie_embeddings": True},
    "learned positions": {"positions": "learned", "max_length": 9},
    "rotary": {"positions": "rotary", "normalize_first": False},
}


def make_model(**options):
    sizes = (len(OLD) + 4,) * 2
    model = transformer(
        *sizes,
        num_layers=1,
        num_heads=2,
        embedding_dim=8,
        intermediate_dim=16,
        **options,
    )
    randomize(model)
    return model


def words(pieces):
    return WordTokenizer(pieces)


@pytest.mark.parametrize("kind", MODELS)
def test_log_probabilities_of_shared_pieces_stay_but_for_those_of_new_ones(kind):
    model, old, new = make_model(**MODELS[kind]), words(OLD), words(NEW)
    changed = change_vocabularies(model, (old, old), (new, new))
    texts, outputs = ["a b h", "g"], ["d e", "c"]
    rows = [
        [np.array(tokenizer.tokenize(side)[row]) for tokenizer in (old, new)]
        for row in range(2)
        for side in (texts, outputs)
    ]
    shared = [new.tokenize([piece])[0][0] for piece in OLD]
    for (source, source_new), (target, target_new) in zip(
        rows[::2], rows[1::2], strict=True
    ):
        logits = [
            to_numpy(one({"source": s[None], "target": np.array([[2, *t]])}))[0]
            for one, s, t in (
                (model, source, target),
                (changed, source_new, target_new),
            )
        ]
        expected = logits[0]
        np.testing.assert_allclose(logits[1][:, :4], expected[:, :4], atol=1e-5)
        np.testing.assert_allclose(logits[1][:, shared], expected[:, 4:], atol=1e-5)
        mean = expected.mean(axis=1)
        for piece in "xy":  # of no part that is known
            column = new.tokenize([piece])[0][0]
            np.testing.assert_allclose(logits[1][:, column], mean, atol=1e-5)


def test_a_new_piece_begins_with_the_mean_of_its_parts():
    old, new = words(["un", "do", "undo"]), CharacterTokenizer.train(["und o"])
    model = transformer(7, 7, num_layers=1, num_heads=2, embedding_dim=8)
    randomize(model)
    # words begin with a blank, so that letters within them are parts of none
    changed = change_vocabularies(model, (old, old), (old, new))
    table = to_numpy(model.target_embedding.token_vectors(np.arange(7)))
    size = new.vocabulary_size
    found = to_numpy(changed.target_embedding.token_vectors(np.arange(size)))
    np.testing.assert_array_equal(found[:4], table[:4])
    for row in found[4:]:
        np.testing.assert_allclose(row, table.mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(
        to_numpy(changed.source_embedding.token_vectors(np.arange(7))),
        to_numpy(model.source_embedding.token_vectors(np.arange(7))),
    )


class Pieces:
    """A tokenizer of which only the pieces count."""

    def __init__(self, *pieces):
        self.pieces = ["", "<unk>", "<s>", "</s>", *pieces]
        self.vocabulary_size = len(self.pieces)

    def tokens(self, ids):
        return [[self.pieces[index] for index in row] for row in ids]


def find_parts(monkeypatch, old, new):
    monkeypatch.setattr(
        "keras_attention.translation.piece_names.as_lists", lambda tokenizer: tokenizer
    )
    old, new = Pieces(*old), Pieces(*new)
    found = _find_parts(old, new)
    assert found[:4] == [[0], [1], [2], [3]]
    return [[old.pieces[index] for index in parts] for parts in found[4:]]


@pytest.mark.parametrize(
    ("piece", "parts"),
    [
        ("▁un", ["▁un"]),
        ("▁undo", ["▁un", "do"]),
        ("doing", ["do", "ing"]),
        ("▁un!do", ["▁un", "do"]),  # what nothing spells is left out
        ("inging", ["ing", "ing"]),
        ("d", ["d"]),
        ("dd", ["d", "d"]),
        ("é", ["<0xC3>", "<0xA9>"]),
        ("?", []),
        ("<s>", ["s"]),
    ],
)
def test_a_piece_is_spelt_by_as_few_as_do(monkeypatch, piece, parts):
    old = ["▁un", "do", "d", "o", "ing", "i", "n", "g", "s", "<0xC3>", "<0xA9>"]
    # the name of a special id is another piece in a vocabulary
    assert find_parts(monkeypatch, old, [piece]) == [parts]


def test_a_language_model_takes_another_vocabulary():
    old, new = words(OLD), words(NEW)
    model = language_model(
        len(OLD) + 4, num_layers=1, num_heads=2, embedding_dim=8, intermediate_dim=16
    )
    randomize(model)
    changed = change_vocabularies(model, (old, old), (new, new))
    ids, own = (np.array([[2, *one.tokenize(["c a f"])[0]]]) for one in (old, new))
    shared = [new.tokenize([piece])[0][0] for piece in OLD]
    expected, found = to_numpy(model(ids)), to_numpy(changed(own))
    np.testing.assert_allclose(found[..., shared], expected[..., 4:], atol=1e-5)


def test_what_cannot_take_another_vocabulary_says_so(frozen_heap):
    old, new, other = words(OLD), words(NEW), words(["z"])
    tied = make_model(tie_embeddings=True)
    with pytest.raises(ValueError, match="`new_tokenizers` must have one vocabulary"):
        change_vocabularies(tied, (old, old), (new, other))
    change_vocabularies(tied, (old, old), (words(NEW), words(NEW)))
    with pytest.raises(ValueError, match="must be a `Seq2Seq` or a `LanguageModel`"):
        change_vocabularies(Ensemble([tied, tied]), (old, old), (new, new))
    adapted = make_model()
    enable_lora(adapted, 2)
    with pytest.raises(ValueError, match="adapters that are not merged"):
        change_vocabularies(adapted, (old, old), (new, new))
    model = make_model()
    own = Seq2Seq(
        model.source_embedding,
        model.encoder,
        model.decoder,
        model.target_embedding,
        OwnOutput(len(OLD) + 4),
    )
    with pytest.raises(ValueError, match="a Dense as its output"):
        change_vocabularies(own, (old, old), (new, new))
    change_vocabularies(own, (old, old), (new, old))


@keras.saving.register_keras_serializable("tests")
class OwnOutput(keras.layers.Dense):
    pass
