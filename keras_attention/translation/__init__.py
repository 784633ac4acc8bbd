"""Strings in, strings out: a model, two tokenizers and a search as one `Translator`.

`Translator`, `Hypothesis` and `Score` may be imported from here.
"""

from keras_attention.optional_packages import needs

with needs("tensorflow", extra="text", by="keras_attention.translation"):
    from keras_attention.translation.results import Hypothesis, Score
    from keras_attention.translation.translator import Translator

__all__ = ["Hypothesis", "Score", "Translator"]
