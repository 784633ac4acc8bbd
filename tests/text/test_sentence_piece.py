"""Learned subwords: training, its limits, and models from elsewhere."""

import functools
import hashlib
import io
import random
import unicodedata

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.text import SentencePieceTokenizer
from keras_attention.text.sentence_piece_model import summarize

LETTERS = "abcdefg 가나다라마 .,!?'\""
CHANCE = random.Random(3)
LINES = [LETTERS] + [
    " ".join("".join(CHANCE.choices(LETTERS, k=5)) for _ in range(7)) for _ in range(53)
]
SIZE = 61


@functools.cache
def train():
    return SentencePieceTokenizer.train(LINES, SIZE)


def foreign_model(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES),
        model_writer=model,
        vocab_size=SIZE,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


@given(text=st.text(LETTERS, max_size=29))
def test_text_of_known_letters_comes_back(text):
    tokenizer = train()
    back = tokenizer.detokenize(tokenizer.tokenize([text])).numpy()[0].decode()
    assert back == " ".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("model_type", ["unigram", "bpe", "char", "word"])
def test_agrees_with_sentencepiece_itself(model_type):
    size = 23 if model_type == "char" else SIZE
    tokenizer = SentencePieceTokenizer.train(LINES, size, model_type=model_type)
    assert tokenizer.vocabulary_size == size
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)
    assert processor.get_piece_size() == size
    ids = (processor.pad_id(), processor.unk_id(), processor.bos_id())
    assert (*ids, processor.eos_id()) == (0, 1, 2, 3)
    sentences = ["abc def", "가나 다!", "zzz", ""]
    assert tokenizer.tokenize(sentences).to_list() == processor.encode(sentences)
    pieces = tokenizer.tokens(list(range(4, size))).numpy().tolist()
    expected = [processor.id_to_piece(index) for index in range(4, size)]
    assert [piece.decode() for piece in pieces] == expected


@pytest.mark.slow
def test_the_same_lines_give_the_same_model(fresh_process):
    script = (
        "import hashlib, sys\n"
        "from keras_attention.text import SentencePieceTokenizer\n"
        f"tokenizer = SentencePieceTokenizer.train(sys.argv[1:], {SIZE})\n"
        "print(hashlib.sha256(tokenizer.model).hexdigest())\n"
    )
    printed = fresh_process(script, *LINES).split()[-1]
    assert printed == hashlib.sha256(train().model).hexdigest()
    assert SentencePieceTokenizer.train(iter(LINES), SIZE).model == train().model


@pytest.mark.parametrize("model_type", ["unigram", "bpe", "char", "word"])
def test_a_small_corpus_gives_what_it_can_with_a_warning(model_type):
    message = r"vocabulary of \d+ only.*vocabulary_size=5003"
    with pytest.warns(UserWarning, match=message) as caught:
        tokenizer = SentencePieceTokenizer.train(LINES, 5003, model_type=model_type)
    assert [warning.filename for warning in caught] == [__file__]
    assert f"vocabulary of {tokenizer.vocabulary_size} only" in str(caught[0].message)
    assert 4 < tokenizer.vocabulary_size < 5003
    # exactly that many can be asked for, so it is indeed the largest
    exact = SentencePieceTokenizer.train(
        LINES, tokenizer.vocabulary_size, model_type=model_type
    )
    assert exact.vocabulary_size == tokenizer.vocabulary_size


def test_a_vocabulary_below_the_characters_says_what_is_needed():
    with pytest.raises(ValueError, match=r"at least (\d+).*vocabulary_size=7") as error:
        SentencePieceTokenizer.train(LINES, 7)
    needed = int(str(error.value).split("at least ")[1].split()[0])
    assert SentencePieceTokenizer.train(LINES, needed).vocabulary_size == needed


@pytest.mark.parametrize(("coverage", "size"), [(1.0, 8), (0.99, 7)])
def test_character_coverage_leaves_rare_characters_out(coverage, size):
    lines = ["abab baba"] * 50 + ["q"]
    tokenizer = SentencePieceTokenizer.train(
        lines, size, model_type="char", character_coverage=coverage
    )
    ids = tokenizer.tokenize(["q"]).flat_values.numpy()
    assert (1 in ids) == (coverage < 1)


def test_byte_fallback_spells_unknown_characters():
    tokenizer = SentencePieceTokenizer.train(LINES, 307, byte_fallback=True)
    ids = tokenizer.tokenize(["한 z\U0001f600"])
    assert 1 not in ids.flat_values.numpy()
    assert tokenizer.detokenize(ids).numpy()[0].decode() == "한 z\U0001f600"
    assert b"<0xED>" in tokenizer.tokens(ids).flat_values.numpy()


def test_long_lines_and_reserved_characters_are_trained_on():
    lines = ["ab " * 3001 + "z", "c\0d", "e\tf", "g\u2585h"]
    tokenizer = SentencePieceTokenizer.train(lines, 14, model_type="char")
    assert 1 not in tokenizer.tokenize(["abz cd ef gh"]).flat_values.numpy()


@pytest.mark.parametrize(
    ("normalization", "size", "back"),
    [("nmt_nfkc", 7, "ab"), ("identity", 9, "\uff41\uff42")],
)
def test_normalization(normalization, size, back):
    tokenizer = SentencePieceTokenizer.train(
        ["\uff41\uff42", "ab"], size, model_type="char", normalization=normalization
    )
    ids = tokenizer.tokenize(["\uff41\uff42"])
    assert tokenizer.detokenize(ids).numpy()[0].decode() == back


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 4}, "`vocabulary_size` must.*vocabulary_size=4"),
        ({"vocabulary_size": 7.5}, "`vocabulary_size` must.*vocabulary_size=7.5"),
        ({"model_type": "wordpiece"}, "`model_type` must.*'wordpiece'"),
        ({"character_coverage": 0.0}, "`character_coverage` must.*=0.0"),
        ({"character_coverage": 1.5}, "`character_coverage` must.*=1.5"),
        ({"character_coverage": "all"}, "`character_coverage` must.*='all'"),
        ({"normalization": "nfd"}, "`normalization` must.*'nfd'"),
        ({"byte_fallback": 1}, "`byte_fallback` must.*byte_fallback=1"),
    ],
)
def test_training_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        SentencePieceTokenizer.train(LINES, **options)


def test_text_that_sentencepiece_refuses_is_named():
    with pytest.raises(ValueError, match="`lines` cannot be trained on"):
        SentencePieceTokenizer.train(["\x01"], 11)


def test_models_from_elsewhere(tmp_path):
    path = tmp_path / "own.model"
    path.write_bytes(
        foreign_model(pad_id=0, unk_id=1, bos_id=2, eos_id=3, bos_piece="[B]")
    )
    tokenizer = SentencePieceTokenizer.from_file(path, lowercase=True)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert tokenizer.tokenize(["ABC!"]).to_list() == processor.encode(["abc!"])
    assert tokenizer.tokens([2]).numpy().tolist() == [b"<s>"]


def test_what_is_no_model_is_refused(tmp_path):
    whole = train().model
    for data in (b"", b"text", b"\xff" * 11, whole[:97], whole[: len(whole) // 2]):
        with pytest.raises(ValueError, match=f"`model` must.*{len(data)} bytes"):
            SentencePieceTokenizer(data)
    with pytest.raises(ValueError, match=r"`model` must.*Received: str"):
        SentencePieceTokenizer("m.model")
    with pytest.raises(FileNotFoundError, match="absent"):
        SentencePieceTokenizer.from_file(tmp_path / "absent.model")


@given(data=st.binary(max_size=23))
def test_any_bytes_are_summarized_or_refused(data):
    try:
        summary = summarize(data)
    except ValueError:
        return
    assert summary.size >= 1


@pytest.mark.slow
def test_loading_needs_no_sentencepiece(tmp_path, fresh_process, sentence_piece):
    path = tmp_path / "tokenizer.json"
    sentence_piece.save(path)
    script = (
        "import sys\n"
        "sys.modules['sentencepiece'] = None\n"
        "from keras_attention.text import SentencePieceTokenizer, load_tokenizer\n"
        "tokenizer = load_tokenizer(sys.argv[1])\n"
        "print(tokenizer.tokenize([sys.argv[2]]).to_list())\n"
        "try:\n"
        "    SentencePieceTokenizer.train(['a'], 5)\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    printed = fresh_process(script, path, "My name is Dooli.").splitlines()
    assert printed[-2] == str(sentence_piece.tokenize(["My name is Dooli."]).to_list())
    assert "train needs sentencepiece, which is not installed: pip" in printed[-1]


def test_a_tokenizer_outlives_a_new_seed():
    import tensorflow as tf

    tokenizer = train()
    graph = tf.function(tokenizer.tokenize, [tf.TensorSpec([None], tf.string)])
    expected = graph(LINES[:5]).to_list()
    tf.random.set_seed(7)
    assert graph(LINES[:5]).to_list() == expected
    assert tokenizer.tokenize(LINES[:5]).to_list() == expected
