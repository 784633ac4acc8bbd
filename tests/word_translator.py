"""Translators without a model, for the tests of documents."""

from types import SimpleNamespace

import numpy as np

from keras_attention.translation.base_translator import BaseTranslator
from keras_attention.translation.results import Hypothesis


class WordTranslator(BaseTranslator):
    """Translates words one by one, perhaps in another order, and attends to each.

    Args:
        translate: from a word to its translation.
        order: from the places of words to those in the translation.
        limit: the most words that it reads.
        spoiled: other hypotheses that come first, from a text to a text.
    """

    def __init__(self, translate, order=list, limit=50, spoiled=()):
        super().__init__()
        self._translate = translate
        self._order = order
        self._limit = limit
        self._spoiled = spoiled
        self.asked = []

    @property
    def source(self):
        return SimpleNamespace(
            lengths=lambda texts: np.array([len(text.split()) + 1 for text in texts])
        )

    @property
    def source_limit(self):
        return self._limit

    def hypotheses(self, texts, with_attention=True, terms=None, prefixes=None):
        self.asked += texts
        return [self._of(text, with_attention) for text in texts]

    def _of(self, text, with_attention):
        words = text.split()[: self._limit]
        order = self._order(range(len(words)))
        written = [self._translate(words[place]) for place in order]
        attention = np.zeros((len(words) + 1, len(words) + 1), "float32")
        attention[range(len(words)), order] = 1
        found = Hypothesis(
            " ".join(written),
            0.0,
            [*(f"\u2581{word}" for word in words), "</s>"],
            [*(f"\u2581{word}" for word in written), "</s>"],
            attention if with_attention else None,
        )
        others = [found._replace(text=spoil(found.text)) for spoil in self._spoiled]
        return [*others, found]
