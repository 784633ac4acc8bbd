"""Translations made of what their sources ask for."""

from collections import defaultdict

import keras
import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from keras_attention.layers import (
    PositionalEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.models import (
    DecoderStack,
    EncoderStack,
    Seq2Seq,
    language_model,
    transformer,
)
from keras_attention.translation.candidates import ANY, EACH, MOST, Candidates
from keras_attention.translation.short_list import ShortList
from keras_attention.translation.short_list_training import ROUNDS, learn_table
from tests.backends import BACKEND
from tests.translators import ENGLISH, KOREAN, MAX_LENGTH, make_translator

needs_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="tokenizers and exports are TensorFlow's"
)


def draw_pairs(seed, count=40):
    """Sentences in which a target id is a source id and 20, or any other."""
    rng = np.random.default_rng(seed)
    sources = [rng.integers(4, 12, rng.integers(1, 7)) for _ in range(count)]
    targets = [
        np.where(rng.random(len(one)) < 0.8, one + 20, rng.integers(4, 40, len(one)))
        for one in sources
    ]
    return [*map(list, sources)], [*map(list, targets)]


def probabilities(sources, targets):
    """Of each target id for each source id, as the model IBM 1 is written down."""
    found = defaultdict(lambda: 1.0)
    for _ in range(ROUNDS):
        expected, totals = defaultdict(float), defaultdict(float)
        for source, target in zip(sources, targets, strict=True):
            for written in set(target):
                whole = sum(found[read, written] for read in set(source))
                for read in set(source):
                    expected[read, written] += found[read, written] / whole
        for (read, _), value in expected.items():
            totals[read] += value
        found = {pair: value / totals[pair[0]] for pair, value in expected.items()}
    return found


@pytest.mark.parametrize("at_once", [10, 10**6])
def test_what_translates_an_id_is_learned_from_pairs(at_once, monkeypatch):
    name = "keras_attention.translation.short_list_training._AT_ONCE"
    monkeypatch.setattr(name, at_once)
    sources, targets = draw_pairs(0)
    table = learn_table(sources, targets, ranks=5, left_out=[25])
    expected = probabilities(sources, targets)
    for read in range(4, 12):
        own = [written for written in table[read] if written]
        found = [expected[read, written] for written in own]
        others = [
            value
            for (source, written), value in expected.items()
            if source == read and written not in {*own, 25}
        ]
        assert 25 not in own
        assert found == pytest.approx(sorted(found, reverse=True), rel=1e-9)
        assert min(found) >= max(others, default=0) - 1e-9
        assert own[0] == read + 20 or read == 5
    assert table.shape == (12, 5)
    assert not table[:4].any()


def test_of_too_many_pairs_some_are_counted(monkeypatch):
    name = "keras_attention.translation.short_list_training.MOST_CELLS"
    monkeypatch.setattr(name, 300)
    sources, targets = draw_pairs(0, count=500)
    table = learn_table(sources, targets, ranks=1)
    assert (table[4:, 0] == np.arange(24, 32)).all()


def test_ids_that_are_common_are_in_every_list():
    sources, targets = draw_pairs(1)
    targets = [[*row, 7, 8] for row in targets]
    learned = ShortList.learn(sources, targets, common=2, ranks=3)
    assert {*learned.common} == {7, 8}
    assert not np.isin(learned.table, [7, 8]).any()
    assert learned.vocabulary_sizes[0] == 12


def test_empty_sentences_teach_nothing():
    sources, targets = draw_pairs(2)
    expected = ShortList.learn(sources, targets)
    learned = ShortList.learn([[], *sources, [4]], [[4, 5], *targets, []])
    np.testing.assert_array_equal(learned.table, expected.table)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (([[4]], []), "1 sources, 0 targets"),
        (([], []), "0 sources"),
        (([[4]], [[]]), "1 sources"),
    ],
)
def test_pairs_must_match(pairs, message):
    with pytest.raises(ValueError, match=message):
        ShortList.learn(*pairs)
    with pytest.raises(ValueError, match=r"`common`.*101"):
        ShortList([[0]], range(4, 105))
    with pytest.raises(ValueError, match=r"`ranks`.*0"):
        ShortList.learn([[4]], [[4]], ranks=0)


def make_candidates(search, ranks=32, common=60, size=900):
    """Lists of many ids, some in several of them, for a model of as many."""
    rng = np.random.default_rng(3)
    ids = np.array([rng.permutation(size - 4)[:ranks] + 4 for _ in range(30)])
    table = np.where(np.arange(ranks) < rng.integers(0, ranks, (30, 1)), ids, 0)
    everywhere = rng.permutation(size - 4)[:common] + 4
    table[np.isin(table, everywhere)] = 0
    model = transformer(
        40, size, num_layers=1, num_heads=1, embedding_dim=4, start_id=2, end_id=7
    )
    return Candidates(ShortList(table, everywhere), model, search), table, everywhere


def draw_sources(length):
    rng = np.random.default_rng(length)
    source = rng.integers(1, 40, (25, length)).astype("int32")
    return np.where(np.arange(length) < rng.integers(0, length + 1, (25, 1)), source, 0)


@pytest.mark.parametrize("length", [1, 8, 16, 100])
def test_a_list_is_in_turns_what_translates_each_id(length):
    search = Greedy(5, suppressed_ids=[9, 10])
    candidates, table, everywhere = make_candidates(search)
    source = draw_sources(length)
    lists = candidates.lists(source)
    assert lists.shape == (25, candidates.size(length))
    for row, found in zip(source, lists, strict=True):
        never = {0, 2, 7, 9, 10}
        expected = [0, 2, 7, *(one for one in everywhere if one not in never)]
        own = [
            [one for one in table[read] if one not in never]
            for read in row
            if 0 < read < len(table)
        ]
        for rank in range(table.shape[1]):
            expected += [ids[rank] for ids in own if rank < len(ids)]
        most = min(ANY + EACH * np.count_nonzero(row), MOST)
        expected = [*dict.fromkeys(expected)][:most]
        assert [0, *found[found > 0]] == expected
        assert not found[len(expected) :].any()


def test_a_list_is_of_one_source_alone():
    candidates, *_ = make_candidates(Greedy(5))
    source = draw_sources(16)
    lists = candidates.lists(source)
    for row, found in zip(source, lists, strict=True):
        alone = candidates.lists(row[None, : max(1, np.count_nonzero(row))])[0]
        np.testing.assert_array_equal(found[: len(alone)], alone)
        assert not found[len(alone) :].any()


@needs_tensorflow
@pytest.mark.parametrize("length", [1, 16, 100])
def test_a_graph_makes_the_same_lists(length):
    from keras_attention.translation.graph_candidates import GraphCandidates

    candidates, *_ = make_candidates(Greedy(5))
    source, size = draw_sources(length), candidates.size(length)
    found = GraphCandidates(candidates).lists(source, size)
    np.testing.assert_array_equal(found, candidates.lists(source))
    assert GraphCandidates(candidates).lists(source[:0]).shape[0] == 0


def make_listed(*arguments, **options):
    translate = make_translator(*arguments, **options)
    return translate, translate.with_short_list(ENGLISH, KOREAN, common=4, ranks=1)


@needs_tensorflow
class TestTranslator:
    """A Translator with a short list."""

    @pytest.mark.parametrize("search", [Greedy(MAX_LENGTH), BeamSearch(3, MAX_LENGTH)])
    def test_it_writes_what_is_listed(self, search):
        whole, listed = make_listed(search=search)
        candidates = Candidates(listed.short_list, listed.model, search)
        rows = listed.source.rows(ENGLISH)
        found = listed.hypotheses(ENGLISH)
        for row, hypotheses in zip(rows, found, strict=True):
            ids = candidates.lists(np.array([row]))[0]
            tokens = listed.target_tokenizer.tokens(ids[:, None]).numpy()
            pieces = {piece.decode() for piece in tokens[:, 0]}
            for hypothesis in hypotheses:
                assert {*hypothesis.target_tokens} <= pieces
        assert listed(ENGLISH) != whole(ENGLISH)
        assert listed.without_short_list()(ENGLISH) == whole(ENGLISH)
        assert listed.model is whole.model

    def test_others_beside_it_change_nothing(self):
        _, listed = make_listed("beam", "words")
        together = listed([*ENGLISH, "", "one " * 40])
        assert together == [listed([text])[0] for text in [*ENGLISH, "", "one " * 40]]

    def test_compiled_or_not_it_is_the_same(self):
        for search in (
            Greedy,
            lambda *some, **options: BeamSearch(3, *some, **options),
        ):
            plain, compiled = search(MAX_LENGTH, jit_compile=False), search(MAX_LENGTH)
            _, listed = make_listed(search=plain)
            expected = listed(ENGLISH)
            listed.search = compiled
            assert listed(ENGLISH) == expected

    def test_it_is_kept(self, tmp_path):
        whole, listed = make_listed()
        listed.save(tmp_path / "listed")
        loaded = Translator.load(tmp_path / "listed")
        assert loaded(ENGLISH) == listed(ENGLISH) != whole(ENGLISH)
        assert loaded.with_precision("float32")(ENGLISH) == listed(ENGLISH)
        loaded.short_list = None
        assert loaded(ENGLISH) == whole(ENGLISH)
        loaded.save(tmp_path / "listed", overwrite=True)
        assert Translator.load(tmp_path / "listed").short_list is None

    @pytest.mark.parametrize("search", [Greedy(MAX_LENGTH), BeamSearch(2, MAX_LENGTH)])
    @pytest.mark.parametrize("jit_compile", [False, None])
    @pytest.mark.slow
    def test_a_saved_model_has_it(self, search, jit_compile, tmp_path):
        config = {**search.get_config(), "jit_compile": jit_compile}
        whole, listed = make_listed(search=search.from_config(config))
        texts = [*ENGLISH, "", "one two " * 20]
        # Exporting compares these in a fresh process.
        listed.export(tmp_path / "saved", check=texts)
        assert listed(texts) != whole(texts)

    def test_other_formats_choose_from_all(self, tmp_path):
        pytest.importorskip("ctranslate2")
        whole, listed = make_listed()
        listed.export(tmp_path / "ct2", format="ctranslate2", check=False)
        found = Translator.load(tmp_path / "ct2", engine="ctranslate2")
        assert found(ENGLISH) == whole(ENGLISH)

    def test_what_is_drawn_is_drawn_from_all(self):
        _, listed = make_listed(search=Sampling(MAX_LENGTH, seed=3))
        whole = listed.without_short_list()
        whole.search = Sampling(MAX_LENGTH, seed=3)
        assert listed(ENGLISH) == whole(ENGLISH)

    def test_references_are_scored_by_all(self):
        whole, listed = make_listed()
        assert [one.log_probability for one in listed.score(ENGLISH, KOREAN)] == [
            one.log_probability for one in whole.score(ENGLISH, KOREAN)
        ]

    def test_a_quantized_model_has_one(self):
        _, listed = make_listed()
        listed.quantize()
        assert len(listed(ENGLISH)) == len(ENGLISH)

    def test_what_does_not_fit_is_refused(self):
        whole, listed = make_listed()
        tokenizers = whole.source_tokenizer, whole.target_tokenizer
        with pytest.raises(ValueError, match=r"must be a `ShortList`.*short_list=3"):
            Translator(whole.model, *tokenizers, short_list=3)
        large = ShortList([[0], [99]], [5])
        with pytest.raises(ValueError, match=r"`short_list` must be of the vocab.*100"):
            Translator(whole.model, *tokenizers, short_list=large)
        listed.short_list = large
        with pytest.raises(ValueError, match=r"`short_list` must be of the vocab"):
            listed(ENGLISH)
        with pytest.raises(ValueError, match="1 sources, 2 targets"):
            whole.with_short_list(["a"], ["b", "c"])
        with pytest.raises(ValueError, match="`sources`"):
            whole.with_short_list("a", ["b"])

    def test_what_has_no_target_to_choose_from_is_refused(self):
        letters = make_translator().source_tokenizer
        size = letters.vocabulary_size
        model = language_model(size, num_layers=1, embedding_dim=8, num_heads=2)
        translate = Translator(model, letters, letters, Greedy(MAX_LENGTH))
        with pytest.raises(ValueError, match=r"to have a short list"):
            translate.with_short_list(["a"], ["b"])
        learned = ShortList([[0]], [4])
        with pytest.raises(ValueError, match=r"to have a short list"):
            Translator(model, letters, letters, short_list=learned)
        reads_vectors = Seq2Seq(
            keras.layers.Dense(8),
            EncoderStack([TransformerEncoder(16, 2)]),
            DecoderStack([TransformerDecoder(16, 2)]),
            PositionalEmbedding(size, 8),
            source_dim=5,
        )
        with pytest.raises(ValueError, match=r"to have a short list"):
            Translator(reads_vectors, None, letters, short_list=learned)
