"""Subwords drawn at random: by the probabilities of the papers, and in batches."""

import functools
import io
import itertools
import math
import random
import textwrap
from collections import Counter

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.text import (
    SentencePieceTokenizer,
    WordTokenizer,
    translation_dataset,
)
from keras_attention.text.segmentation import draw_segmentation, drop_merges

LINES = ["the cat sat on the mat", "a dog and the cat", "that hat", "0123456789"] * 3


@functools.cache
def train(model_type="bpe", lines=tuple(LINES), size=31, **options):
    return SentencePieceTokenizer.train(lines, size, model_type=model_type, **options)


def texts(tokenizer, ids):
    return [text.decode() for text in tokenizer.detokenize(ids).numpy()]


def cuts(word):
    """All ways to cut a word."""
    for places in itertools.product([False, True], repeat=len(word) - 1):
        ends = [end for end, cut in enumerate(places, 1) if cut]
        yield tuple(
            word[begin:end]
            for begin, end in zip([0, *ends], [*ends, len(word)], strict=True)
        )


def assert_drawn(draws, shares):
    """Each outcome comes as often as its probability says."""
    counts, total = Counter(draws), len(draws)
    assert set(counts) <= {outcome for outcome, share in shares.items() if share}
    assert sum(shares.values()) == pytest.approx(1)
    for outcome, share in shares.items():
        deviation = math.sqrt(share * (1 - share) / total)
        assert abs(counts[outcome] / total - share) <= 4 * deviation


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_segmentations_come_by_their_probability_to_the_power_of_alpha(alpha):
    scores = {"a": -3.0, "b": -2.0, "ab": -4.0, "ba": -7.0, "aba": -5.5, "bb": -1.0}
    weights = {
        parts: math.exp(alpha * sum(scores[part] for part in parts))
        for parts in cuts("abab")
        if set(parts) <= set(scores)
    }
    assert len(weights) == 6
    shares = {parts: one / sum(weights.values()) for parts, one in weights.items()}
    chance = random.Random(5)
    draws = [draw_segmentation("abab", scores, alpha, chance) for _ in range(4000)]
    assert_drawn([tuple(draw) for draw in draws], shares)


def merging(parts, scores, alpha):
    """What byte-pair encoding with dropout gives, each with its probability."""
    pairs = [
        index
        for index in range(len(parts) - 1)
        if parts[index] + parts[index + 1] in scores
    ]
    found = Counter()
    for kept in itertools.product([False, True], repeat=len(pairs)):
        share = math.prod(1 - alpha if keep else alpha for keep in kept)
        left = [index for index, keep in zip(pairs, kept, strict=True) if keep]
        if not left:
            found[parts] += share
            continue
        at = max(left, key=lambda index: scores["".join(parts[index : index + 2])])
        merged = (*parts[:at], parts[at] + parts[at + 1], *parts[at + 2 :])
        for outcome, later in merging(merged, scores, alpha).items():
            found[outcome] += share * later
    return found


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.6, 1.0])
def test_merges_are_left_out_with_probability_alpha(alpha):
    scores = {"ab": -1.0, "bc": -2.0, "abc": -3.0, "ca": -4.0, "abab": -5.0}
    chance = random.Random(7)
    draws = [tuple(drop_merges("abcab", scores, alpha, chance)) for _ in range(4000)]
    shares = merging(tuple("abcab"), scores, alpha)
    assert alpha in (0, 1) or len(shares) > 5
    assert_drawn(draws, shares)


@given(
    lines=st.lists(st.text("acdehmnostxé ", max_size=23), max_size=7),
    count=st.integers(1, 3),
    alpha=st.floats(0, 1),
    seed=st.integers(0, 2**70),
    model_type=st.sampled_from(["bpe", "unigram"]),
)
def test_however_it_is_cut_the_text_stays(lines, count, alpha, seed, model_type):
    tokenizer = train(model_type)
    ids = tokenizer.sample(lines, count, alpha=alpha, seed=seed)
    assert ids.dtype == "int32"
    # tokenize gives one unknown id for a run of unknown characters, too
    expected = texts(tokenizer, tokenizer.tokenize(lines))
    assert texts(tokenizer, ids) == count * expected


@given(
    lines=st.lists(
        st.lists(
            st.sampled_from(["<2de>", "cat", "ca", " ", "\u1100\u1161", "é", "Q<"])
        )
    ),
    options=st.sampled_from(
        [
            {},
            {"byte_fallback": True, "vocab_size": 300},
            {"add_dummy_prefix": False},
            {"treat_whitespace_as_suffix": True},
            {"split_by_whitespace": False, "vocab_size": 60},
        ]
    ),
)
def test_what_is_not_left_to_chance_is_as_tokenize_does(lines, options):
    tokenizer = foreign(**options)
    lines = ["".join(line) for line in lines]
    expected = tokenizer.tokenize(lines)
    assert tokenizer.sample(lines, alpha=0).to_list() == expected.to_list()


@functools.cache
def model_of(options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES),
        model_writer=model,
        model_type="bpe",
        user_defined_symbols=["<2de>", "<2de", "Q<2"],
        hard_vocab_limit=False,
        minloglevel=2,
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        **{"vocab_size": 36, **dict(options)},
    )
    return SentencePieceTokenizer(model.getvalue())


def foreign(**options):
    return model_of(tuple(options.items()))


def test_symbols_of_the_user_are_never_cut():
    tokenizer = foreign()
    ids = tokenizer.sample(["<2de> the cat"] * 50, alpha=1)
    symbol = tokenizer.tokenize(["<2de>"]).to_list()[0][-1]
    assert all(row.count(symbol) == 1 for row in ids.to_list())
    assert ids.row_lengths().numpy().tolist() == [2 + len("_the_cat")] * 50


@pytest.mark.slow
def test_a_seed_gives_the_same_whatever_was_drawn_before(fresh_process):
    tokenizer = train()
    first = tokenizer.sample(LINES, 2, alpha=0.3, seed=7).to_list()
    assert tokenizer.sample(LINES, 2, alpha=0.3, seed=8).to_list() != first
    assert tokenizer.sample(LINES, 2, alpha=0.3, seed=7).to_list() == first
    assert first[: len(LINES)] != first[len(LINES) :]
    script = f"""
        from keras_attention.text import SentencePieceTokenizer
        lines = {LINES!r}
        model = SentencePieceTokenizer.train(lines, 31, model_type="bpe")
        print(model.sample(lines, 2, alpha=0.3, seed=7).to_list())
    """
    assert fresh_process(textwrap.dedent(script)).strip() == str(first)


def test_a_word_is_cut_in_another_way_wherever_it_stands():
    ids = train().sample(["the the"] * 200, 2, alpha=0.5).to_list()
    assert len({tuple(row) for row in ids}) > 10


@pytest.mark.parametrize(
    ("model_type", "options", "message"),
    [
        ("bpe", {"alpha": -0.1}, "`alpha` must be from 0 to 1.*alpha=-0.1"),
        ("bpe", {"alpha": math.nan}, "`alpha` must.*alpha=nan"),
        ("bpe", {"alpha": True}, "`alpha` must.*alpha=True"),
        ("bpe", {"alpha": "0.1"}, "`alpha` must.*alpha='0.1'"),
        ("bpe", {"count": 0}, "`count` must.*count=0"),
        ("bpe", {"seed": -1}, "`seed` must.*seed=-1"),
        ("bpe", {"lines": "a"}, "`lines` must be an iterable of strings"),
        ("char", {}, r"one of the types \['bpe', 'unigram'\].*of type 'char'"),
        ("word", {}, r"one of the types \['bpe', 'unigram'\].*of type 'word'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(model_type, options, message):
    tokenizer = train(model_type, size={"bpe": 31, "char": 26, "word": 15}[model_type])
    with pytest.raises(ValueError, match=message):
        tokenizer.sample(**{"lines": ["a"], **options})


# --- batches ----------------------------------------------------------------------

SOURCES = [f"the cat {number} sat" for number in range(60)]
TARGETS = [f"a dog {number}" for number in range(60)]


def make(tokenizer=None, **options):
    tokenizer = tokenizer or train()
    options = {"batch_size": 7, "bucket": 4, "segmentations": 3, **options}
    return translation_dataset(SOURCES, TARGETS, tokenizer, tokenizer, **options)


def rows(dataset, epochs=1):
    """The pairs of ids of some epochs, without padding."""
    found = []
    for _ in range(epochs):
        for inputs, labels in dataset:
            for pair in zip(inputs["source"].numpy(), labels.numpy(), strict=True):
                found.append(tuple(tuple(side[side > 0].tolist()) for side in pair))
    return found


def test_any_integers_are_taken():
    for numbers in ({"seed": 5}, {"shapes": 4, "max_length": 40, "batch_size": 9}):
        narrow = {name: np.uint8(number) for name, number in numbers.items()}
        options = {"segmentations": np.uint8(3), **narrow}
        assert rows(make(**options)) == rows(make(**numbers))


def test_so_many_epochs_see_each_pair_in_each_of_its_segmentations():
    found = rows(make(alpha=0.4), epochs=3)
    sides = [
        texts(train(), [[*row] for row in side]) for side in zip(*found, strict=True)
    ]
    counts = Counter(zip(*sides, strict=True))
    assert set(counts) == set(zip(SOURCES, TARGETS, strict=True))
    # the last epoch begins the next pass with what is missing to its length
    assert 180 <= len(found) <= 180 + 2 * 7
    assert min(counts.values()) >= 3
    assert len(set(found)) > 150


def test_an_iteration_begins_at_the_position():
    dataset, later = make(), make()
    whole = [batch for _ in range(4) for _, batch in dataset]
    begin = len(dataset) + 1
    later.position.assign(begin)
    found = [batch for _ in range(3) for _, batch in later]
    expected = whole[begin : begin + len(found)]
    assert all(map(np.array_equal, found, expected))
    assert len(expected) == len(whole) - begin


def test_seeds_and_alphas_cut_in_other_places():
    assert rows(make(seed=1)) == rows(make(seed=1))
    # by their seed alone, not by their order
    whole = [
        set(rows(make(seed=seed, alpha=alpha), epochs=3))
        for seed, alpha in ((1, 0.1), (2, 0.1), (1, 0.5))
    ]
    assert whole[0] != whole[1]
    assert whole[0] != whole[2]
    tokenizer = train()
    lengths = [sum(len(side) for pair in pairs for side in pair) for pairs in whole]
    assert lengths[2] > lengths[0]
    plain = rows(make(alpha=0.0), epochs=3)
    ids = [
        tuple((*row, 3) for row in pair)
        for pair in zip(
            tokenizer.tokenize(SOURCES).to_list(),
            tokenizer.tokenize(TARGETS).to_list(),
            strict=True,
        )
    ]
    assert set(plain) == set(ids)


def test_the_cache_keeps_each_draw_under_its_own_name(tmp_path, monkeypatch):
    expected = rows(make(seed=4))
    assert rows(make(seed=4, cache=tmp_path)) == expected
    assert len([*tmp_path.iterdir()]) == 2
    for options in ({"seed": 5}, {"alpha": 0.2}, {"segmentations": 2}):
        before = len([*tmp_path.iterdir()])
        assert rows(make(**{"seed": 4, **options}, cache=tmp_path)) == rows(
            make(**{"seed": 4, **options})
        )
        assert len([*tmp_path.iterdir()]) == before + 2
    assert rows(make(segmentations=None, cache=tmp_path)) == rows(
        make(segmentations=None)
    )
    monkeypatch.setattr(SentencePieceTokenizer, "sample", None)
    assert rows(make(seed=4, cache=tmp_path)) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segmentations": 0}, "`segmentations` must.*segmentations=0"),
        ({"segmentations": 2.5}, "`segmentations` must.*segmentations=2.5"),
        ({"alpha": 2}, "`alpha` must be from 0 to 1.*alpha=2"),
        ({"shuffle": False}, "`segmentations` needs shuffle=True"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_other_tokenizers_cannot():
    message = "`segmentations` needs a SentencePieceTokenizer.*a WordTokenizer"
    with pytest.raises(ValueError, match=message):
        make(WordTokenizer.train(SOURCES + TARGETS))
