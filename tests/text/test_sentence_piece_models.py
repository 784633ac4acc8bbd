"""Models that sentencepiece trained with special ids of other orders."""

import functools
import io

import pytest
import sentencepiece

from keras_attention.text import SentencePieceTokenizer, load_tokenizer
from keras_attention.text.sentence_piece_model import summarize
from tests.text.scripts import SCRIPTS

LINES = list(SCRIPTS.values())
NO_START = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
ORDERS = {
    "sentencepiece": {},
    "t5": {**NO_START, "user_defined_symbols": ["<extra_id_0>", "<extra_id_1>"]},
    "marian": {"eos_id": 0, "unk_id": 1, "bos_id": -1, "pad_id": -1},
    "albert": {
        "pad_id": 0,
        "unk_id": 1,
        "bos_id": -1,
        "eos_id": -1,
        "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
    },
    "llama": {"byte_fallback": True, "normalization_rule_name": "identity"},
    "gemma": {
        "pad_id": 0,
        "eos_id": 1,
        "bos_id": 2,
        "unk_id": 3,
        "bos_piece": "<bos>",
        "eos_piece": "<eos>",
        "user_defined_symbols": ["<mask>", "\t"],
        "byte_fallback": True,
    },
    "only unknown": {"bos_id": -1, "eos_id": -1},
    "taken names": {
        "bos_id": -1,
        "eos_id": -1,
        "user_defined_symbols": ["<s>", "<pad>", "</s>", "<<pad>>"],
    },
    "last": {"unk_id": 3, "bos_id": 1, "eos_id": 0, "pad_id": 2},
    "suffixes": {"treat_whitespace_as_suffix": True, "add_dummy_prefix": False},
    "blanks": {"remove_extra_whitespaces": False, "split_by_whitespace": False},
    "folded": {"normalization_rule_name": "nfkc_cf", "pad_id": 3},
}
TRICKY = [
    *LINES,
    "",
    "  two  blanks  ",
    "a\0b \t c\n",
    "<extra_id_0> <mask>x <s> </s><pad> <<pad>> <unk> [CLS] [MASK]",
    "\u2581 \u2585 \ufdd0",
    "the THE unknown 鬱 \U0001f98b",
]


@functools.cache
def train(order, model_type="unigram", size=900):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*LINES, "the mask extra id CLS SEP MASK"]),
        model_writer=model,
        model_type=model_type,
        vocab_size=size,
        hard_vocab_limit=False,
        minloglevel=2,
        **ORDERS[order],
    )
    return model.getvalue()


def assert_the_same(model):
    """The tokenizer and sentencepiece agree on pieces and on detokenized text."""
    tokenizer = SentencePieceTokenizer(model)
    original = sentencepiece.SentencePieceProcessor(model_proto=model)
    renumbered = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)
    wanted = original.encode(TRICKY, out_type=str)
    assert renumbered.encode(TRICKY, out_type=str) == wanted
    texts = original.decode(original.encode(TRICKY))
    assert renumbered.decode(renumbered.encode(TRICKY)) == texts

    ids = tokenizer.tokenize(TRICKY)
    ties = 0
    for row, expected in zip(ids.to_list(), original.encode(TRICKY), strict=True):
        pieces = [piece.decode() for piece in tokenizer.tokens([row]).numpy()[0]]
        names = [
            "<unk>" if original.is_unknown(index) else original.id_to_piece(index)
            for index in expected
        ]
        # tensorflow-text takes another one of equally probable segmentations
        assert sorted(pieces) == sorted(names)
        ties += pieces != names
    assert ties <= (5 if summarize(model).model_type == "unigram" else 0)
    back = [text.decode() for text in tokenizer.detokenize(ids).numpy()]
    # tensorflow-text leaves out all blanks at the beginning
    assert [text.lstrip(" ") for text in back] == [text.lstrip(" ") for text in texts]
    return tokenizer, original, renumbered


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_any_order_of_special_ids_is_taken(order, model_type):
    model = train(order, model_type)
    tokenizer, original, renumbered = assert_the_same(model)
    ids = renumbered.pad_id(), renumbered.unk_id()
    assert (*ids, renumbered.bos_id(), renumbered.eos_id()) == (0, 1, 2, 3)
    assert tokenizer.vocabulary_size == renumbered.get_piece_size()
    # the order of all others, their scores and their kinds
    kinds = ("is_control", "is_unknown", "is_unused", "is_byte")
    described = [
        {
            processor.id_to_piece(index): (
                processor.get_score(index),
                *(getattr(processor, kind)(index) for kind in kinds),
            )
            for index in range(processor.get_piece_size())
        }
        for processor in (original, renumbered)
    ]
    special = list(described[1])[:4]
    others = [piece for piece in described[0] if piece not in special]
    assert list(described[1])[4:] == others
    assert described[0].items() <= described[1].items()
    assert summarize(model).user_defined == summarize(tokenizer.model).user_defined


@pytest.mark.parametrize("model_type", ["char", "word"])
def test_other_types_are_taken(model_type):
    for order in ("sentencepiece", "marian", "t5"):
        assert_the_same(train(order, model_type))


def test_one_piece_may_start_and_end():
    model = train("marian")
    # the trainer refuses it, but its settings can be merged: 46 names the start
    both = b"\xf2\x02\x04</s>"
    model += b"\x12" + bytes([len(both)]) + both
    assert summarize(model).special_ids["start"] == 0
    _, original, renumbered = assert_the_same(model)
    assert original.bos_id() == original.eos_id() == 0
    assert renumbered.id_to_piece([0, 1, 2, 3]) == ["<pad>", "<unk>", "</s>", "<</s>>"]


def test_a_file_is_taken_saved_and_loaded(tmp_path):
    path = tmp_path / "own.model"
    path.write_bytes(train("t5"))
    tokenizer = SentencePieceTokenizer.from_file(path, lowercase=True)
    assert tokenizer.normalization == "nmt_nfkc"
    assert tokenizer.user_symbols == ("<extra_id_0>", "<extra_id_1>")
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert loaded.checksum() == tokenizer.checksum()
    assert loaded.tokenize(TRICKY).to_list() == tokenizer.tokenize(TRICKY).to_list()
    # what has these ids already stays as it is, byte for byte
    assert SentencePieceTokenizer(tokenizer.model).model == tokenizer.model


@pytest.mark.parametrize("order", ["t5", "llama", "sentencepiece"])
def test_what_is_cut_at_random_is_of_the_same_model(order):
    tokenizer = SentencePieceTokenizer(train(order, "bpe"))
    assert tokenizer.sample(TRICKY, alpha=0).to_list() == (
        tokenizer.tokenize(TRICKY).to_list()
    )
    ids = tokenizer.sample(TRICKY, 2, alpha=0.4)
    back = tokenizer.detokenize(tokenizer.tokenize(TRICKY)).numpy().tolist()
    assert tokenizer.detokenize(ids).numpy().tolist() == 2 * back


def test_a_model_without_an_unknown_piece_is_refused(tmp_path):
    path = tmp_path / "odd.model"
    path.write_bytes(b"\x0a\x03\x0a\x01a")
    with pytest.raises(ValueError, match=r"odd\.model.*has no unknown piece"):
        SentencePieceTokenizer.from_file(path)
    # two of them
    unknown = b"\x0a\x05\x0a\x01%b\x18\x02"
    path.write_bytes(unknown % b"a" + unknown % b"b")
    with pytest.raises(ValueError, match=r"odd\.model.*`model` must"):
        SentencePieceTokenizer.from_file(path)
