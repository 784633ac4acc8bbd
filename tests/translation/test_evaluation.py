"""Figures of a test set."""

from collections import Counter

import pytest

from keras_attention.translation import evaluate
from tests.backends import BACKEND
from tests.translators import ENGLISH, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
)


@pytest.fixture(scope="module")
def translator():
    return make_translator()


@pytest.fixture(scope="module")
def outputs(translator):
    return translator(list(ENGLISH))


def test_its_own_translations_are_perfect_but_for_blanks(translator, outputs):
    counts = Counter()
    spread = [f" {output.replace(' ', '  ')} " for output in outputs]
    found = evaluate(translator, ENGLISH, spread, tokenize="char", counts=counts)
    assert found.exact_match == 100
    assert found.bleu == pytest.approx(100)
    assert found.translations == outputs
    assert "tok:char" in found.signatures[0]
    assert counts["texts"] == len(ENGLISH)


def test_figures_fall_with_each_wrong_reference(translator, outputs):
    references = ["something else entirely", *outputs[1:]]
    found = evaluate(translator, ENGLISH, references, tokenize="char")
    assert found.exact_match == 100 * (1 - 1 / len(ENGLISH))
    assert found.bleu < 100
    assert found.chrf < 100


def test_case_counts_unless_it_is_left_out(translator):
    class Capitals:
        target_tokenizer = translator.target_tokenizer

        def stream(self, texts, counts=None):
            return (text.upper() for text in texts)

    assert evaluate(Capitals(), ENGLISH, ENGLISH).exact_match == 0
    found = evaluate(Capitals(), ENGLISH, ENGLISH, lowercase=True)
    assert found.exact_match == found.chrf == 100
    assert "case:lc" in found.signatures[0]


@pytest.mark.parametrize(
    ("sources", "references"), [([], []), (["a"], []), (["a"], ["b", "c"])]
)
def test_lists_must_be_of_one_length(sources, references, translator):
    counts = f"len.sources.={len(sources)}, len.references.={len(references)}"
    with pytest.raises(ValueError, match=f"`sources` and `references` .*{counts}"):
        evaluate(translator, sources, references)
