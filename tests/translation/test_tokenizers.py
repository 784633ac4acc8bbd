"""Tokenizers of both sides of a parallel text."""

import warnings

import pytest

from keras_attention.translation import train_tokenizers
from tests.backends import BACKEND

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
)


def round_trip(tokenizer, lines):
    found = tokenizer.detokenize(tokenizer.tokenize(lines)).numpy()
    return [line.decode() for line in found]


def test_targets_are_kept_as_they_are():
    lines = ["ﬁne，好！", "ㅋㅋ ½ x²", "Ａ１ ｶﾀｶﾅ", "می‌خواهم", "น้ำ Å e\u0301"] * 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source, target = train_tokenizers((lines, lines), "sentencepiece")
        both = train_tokenizers(
            (lines, lines), "sentencepiece", normalizations=("identity", "nfkc")
        )
        shared = train_tokenizers((lines, lines), "sentencepiece", shared=True)

    for kept in (target, both[0], shared[0]):
        assert round_trip(kept, lines) == lines
    assert round_trip(source, lines)[0] == round_trip(both[1], lines)[0] == "fine,好!"
    assert shared[0].checksum() == shared[1].checksum()
    for kind in ("word", "character"):
        for plain in train_tokenizers((lines, lines), kind):
            assert round_trip(plain, lines) == lines
        chosen = train_tokenizers((lines, lines), kind, normalizations=("nfkc", None))
        assert round_trip(chosen[0], lines)[0] == "fine,好!"
        assert round_trip(chosen[1], lines) == lines


@pytest.mark.filterwarnings("ignore:The corpus fills")
def test_the_default_vocabulary_has_room_for_all_characters():
    han = [chr(0x4E00 + i) for i in range(1500)]
    chinese = ["".join(han[i : i + 5]) for i in range(0, len(han), 5)]
    latin = [f"one two {i}" for i in range(len(chinese))]
    for pairs in ((chinese, latin), (latin, chinese)):
        made = train_tokenizers(pairs, model_type="bpe")
        for tokenizer, lines in zip(made, pairs, strict=True):
            assert round_trip(tokenizer, lines) == lines


def test_errors_name_what_came():
    pairs = ["one", "two"], ["eins", "zwei"]
    with pytest.raises(ValueError, match="`kind` must be one of .* kind='letters'"):
        train_tokenizers(pairs, "letters")
    with pytest.raises(ValueError, match="must be the same. Received: nfkc and iden"):
        train_tokenizers(
            pairs, "word", shared=True, normalizations=("nfkc", "identity")
        )
