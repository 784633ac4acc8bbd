"""What a Translator is told later, what it leaves out, and what it cuts."""

import pytest

from keras_attention import Translator
from keras_attention.decoding import Greedy
from tests.backends import BACKEND
from tests.translators import ENGLISH as TEXTS
from tests.translators import make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)


@pytest.mark.slow
def test_what_is_set_later_holds_from_then_on():
    translate, other = make_translator(), make_translator()
    before = translate(TEXTS)
    for name, value in (("search", Greedy(2)), ("max_source_length", 3)):
        setattr(translate, name, value)
        arguments = {"search": translate.search}
        arguments["max_source_length"] = translate.max_source_length
        fresh = Translator(
            translate.model,
            translate.source_tokenizer,
            translate.target_tokenizer,
            **arguments,
        )
        assert translate(TEXTS) == fresh(TEXTS) != before
        before = translate(TEXTS)
    assert other.search.max_length != 2
    translate.search = None
    with pytest.raises(ValueError, match="`search` must be one of .*search=None"):
        translate(TEXTS)


@pytest.mark.slow
def test_hypotheses_that_were_not_found_are_left_out():
    translate = make_translator("beam")
    count = len(translate.hypotheses(TEXTS[:1])[0])
    nothing, some = translate.hypotheses(["", TEXTS[0]])
    assert [found.score for found in nothing] == [0]
    assert len(some) == count > 1


def test_references_have_a_limit_where_the_model_has_none():
    translate = make_translator()
    assert translate.model.target_embedding.max_length is None
    text, long = TEXTS[0], "하나 둘 셋 넷 다섯 " * 100
    for most in (256, 300):
        one, other = translate.score([text] * 2, ["하나", long])
        assert len(other.tokens) == most
        assert one.log_probability == pytest.approx(
            translate.score([text], ["하나"])[0].log_probability, abs=1e-4
        )
        translate.search = Greedy(300)
