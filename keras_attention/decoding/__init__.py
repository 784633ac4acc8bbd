"""Search for the best output of any model that encodes, starts and steps."""

from keras_attention.decoding.greedy import Greedy
from keras_attention.decoding.hypotheses import Hypotheses

__all__ = ["Greedy", "Hypotheses"]
