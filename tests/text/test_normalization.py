"""Normalization on request: one set of rules for every tokenizer."""

import ast

import pytest
import sentencepiece
import tensorflow as tf

from keras_attention.text import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordTokenizer,
    load_tokenizer,
)
from keras_attention.text.storage import write_tokenizer
from tests.text.scripts import SCRIPTS

RULES = ["nfkc", "nmt_nfkc", "nfkc_cf", "nmt_nfkc_cf"]
# sentencepiece folds Cherokee to upper case, each sigma alike, and no dotted I
FOLDED_OTHERWISE = ("cherokee", "greek", "turkish")


def back(tokenizer, lines):
    texts = tokenizer.detokenize(tokenizer.tokenize(lines))
    return [text.decode() for text in texts.numpy()]


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_those_of_sentencepiece(rule):
    normalizer = sentencepiece.SentencePieceNormalizer(
        rule_name=rule,
        add_dummy_prefix=False,
        escape_whitespaces=False,
        remove_extra_whitespaces=False,
    )
    lines = ["\x01a\tb\x7f\u200e\u2581c\ufeff\uff5e", "a\x8fb\x9fc\u061c"]
    for script, line in SCRIPTS.items():
        if not rule.endswith("_cf") or script not in FOLDED_OTHERWISE:
            lines.append(line)
    tokenizer = CharacterTokenizer.train(lines, normalization=rule)
    wanted = [normalizer.normalize(line) for line in lines]
    for line, text in zip(wanted, back(tokenizer, lines), strict=True):
        assert ascii(text) == ascii(line)
    assert tokenizer.normalization == rule


@pytest.mark.parametrize("cls", [WordTokenizer, CharacterTokenizer])
def test_what_is_read_alike_has_the_same_ids(cls, tmp_path):
    tokenizer = cls.train(["Ⅳ ㎏ café ＡＢＣ"], normalization="nfkc", lowercase=True)
    lines = ["iv kg cafe\u0301 abc", "ⅳ ㎏ café ａｂｃ"]
    first, second = tokenizer.tokenize(lines).to_list()
    assert first == second
    assert 1 not in first
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert loaded.normalization == "nfkc"
    assert loaded.tokenize(lines).to_list() == [first, first]
    assert loaded.checksum() == tokenizer.checksum()
    assert tokenizer.checksum() != cls(tokenizer.vocabulary, lowercase=True).checksum()
    plain = cls.train(["Ⅳ ㎏ café ＡＢＣ"])
    assert back(plain, ["Ⅳ ㎏ café ＡＢＣ"]) == ["Ⅳ ㎏ café ＡＢＣ"]
    assert 1 in plain.tokenize(["cafe\u0301"]).to_list()[0]


def test_rules_are_exported(tmp_path):
    module = tf.Module()
    module.tokenizers = [
        cls.train(["ab <X> ＣＤ"], normalization="nmt_nfkc", user_symbols=["<X>"])
        for cls in (WordTokenizer, CharacterTokenizer)
    ]
    module.ids = tf.function(
        lambda text: [each.tokenize(text).to_tensor() for each in module.tokenizers],
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    lines = tf.constant(["CD<X>\u200bab", ""])
    for ids, tokenizer in zip(loaded.ids(lines), module.tokenizers, strict=True):
        assert (
            ids.numpy().tolist()
            == tokenizer.tokenize(lines).to_tensor().numpy().tolist()
        )


@pytest.mark.slow
def test_lower_case_is_the_same_in_every_locale(fresh_process):
    script = (
        "import os, sys\n"
        "os.environ['LC_ALL'] = sys.argv[1]\n"
        "import tensorflow as tf\n"
        "from keras_attention.text import CharacterTokenizer\n"
        "tokenizer = CharacterTokenizer.train([sys.argv[2]], lowercase=True)\n"
        "print(tf.strings.lower('I', encoding='utf-8').numpy() == b'i')\n"
        "print(ascii(''.join(tokenizer.vocabulary)))\n"
    )
    capitals = "I\u0130J\u012e\u00cc\u00cd\u0128\u0301\u0307"
    for locale in ("tr_TR.UTF-8", "lt_LT.UTF-8"):
        is_usual, found = fresh_process(script, locale, capitals).splitlines()[-2:]
        # else the process would show nothing
        assert is_usual == str(locale.startswith("lt"))
        assert set(ast.literal_eval(found)) == set(capitals.lower())


def test_each_model_names_its_rule():
    for rule in ("identity", *RULES):
        tokenizer = SentencePieceTokenizer.train(["ab"], 7, normalization=rule)
        assert tokenizer.normalization == rule
        assert b"/tmp" not in tokenizer.model


def test_identity_is_the_default_everywhere():
    assert SentencePieceTokenizer.train(["ab"], 7).normalization == "identity"
    assert WordTokenizer(["a"]).normalization == "identity"
    assert CharacterTokenizer(["a"]).normalization == "identity"


@pytest.mark.parametrize("cls", [WordTokenizer, CharacterTokenizer])
def test_unknown_rules_are_refused(cls):
    for rule in ("nfd", None, 3):
        with pytest.raises(ValueError, match="`normalization` must be one of.*=") as e:
            cls.train(["a"], normalization=rule)
        assert repr(rule) in str(e.value)
        with pytest.raises(ValueError, match="`normalization` must be one of"):
            cls(["a"], normalization=rule)


@pytest.mark.slow
def test_other_tokenizers_need_tensorflow_text_for_a_rule_alone(fresh_process):
    script = (
        "import sys\n"
        "sys.modules['tensorflow_text'] = None\n"
        "from keras_attention.text import WordTokenizer\n"
        "print(WordTokenizer.train(['a b']).tokenize(['a b']).to_list())\n"
        "try:\n"
        "    WordTokenizer.train(['a'], normalization='nfkc')\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    ids, error = fresh_process(script).splitlines()[-2:]
    assert ids == "[[4, 5]]"
    assert "normalization='nfkc' needs tensorflow_text" in error


@pytest.mark.parametrize("kind", ["WordTokenizer", "CharacterTokenizer"])
def test_files_of_earlier_versions_load(kind, tmp_path):
    content = {"vocabulary": ["a", "b", "\uff41"], "lowercase": True}
    write_tokenizer(tmp_path / "old.json", kind, content)
    loaded = load_tokenizer(tmp_path / "old.json")
    assert loaded.normalization == "identity"
    assert loaded.user_symbols == ()
    assert loaded.tokenize(["A"]).to_list() == [[4]]
    assert loaded.tokenize(["\uff21"]).to_list() == [[6]]


def test_models_of_earlier_versions_normalize_as_they_did(tmp_path):
    lines = ["２０ m² ㅋㅋ", "a\tb\u3000c"]
    tokenizer = SentencePieceTokenizer.train(lines, 12, normalization="nmt_nfkc")
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert back(loaded, lines) == ["20 m2 ㅋㅋ".replace("ㅋ", "\u110f"), "a b c"]
