"""The tokenizers without TensorFlow: the same files, ids and texts in plain Python.

They return lists and `str` where the others return tensors.
"""

from keras_attention.text.plain.character import CharacterTokenizer
from keras_attention.text.plain.loading import load_tokenizer, plain_tokenizer
from keras_attention.text.plain.marian import MarianTokenizer
from keras_attention.text.plain.sentence_piece import SentencePieceTokenizer
from keras_attention.text.plain.tokenizer import Tokenizer
from keras_attention.text.plain.vectorization import VectorizationTokenizer
from keras_attention.text.plain.word import WordTokenizer
from keras_attention.text.plain.word_piece import WordPieceTokenizer

__all__ = [
    "CharacterTokenizer",
    "MarianTokenizer",
    "SentencePieceTokenizer",
    "Tokenizer",
    "VectorizationTokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "load_tokenizer",
    "plain_tokenizer",
]
