"""Search for the best output of any model that encodes, starts and steps."""

from keras_attention.decoding.beam_search import BeamSearch
from keras_attention.decoding.greedy import Greedy
from keras_attention.decoding.hypotheses import Hypotheses
from keras_attention.decoding.sampling import Sampling
from keras_attention.decoding.search import Search

__all__ = ["BeamSearch", "Greedy", "Hypotheses", "Sampling", "Search"]
