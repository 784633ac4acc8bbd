"""Text to ids and back, parallel files, and batches of translation pairs."""

from keras_attention.optional_packages import needs

with needs("tensorflow", extra="text", by="keras_attention.text"):
    from keras_attention.text.batching import language_dataset, translation_dataset
    from keras_attention.text.character import CharacterTokenizer
    from keras_attention.text.files import read_lines, read_pairs, read_parallel
    from keras_attention.text.loading import load_tokenizer
    from keras_attention.text.marian import MarianTokenizer
    from keras_attention.text.sentence_piece import SentencePieceTokenizer
    from keras_attention.text.splitting import Split, split_by_source
    from keras_attention.text.tokenizer import END, PAD, START, UNKNOWN, Tokenizer
    from keras_attention.text.vectorization import VectorizationTokenizer
    from keras_attention.text.word import WordTokenizer
    from keras_attention.text.word_piece import WordPieceTokenizer

__all__ = [
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "CharacterTokenizer",
    "MarianTokenizer",
    "SentencePieceTokenizer",
    "Split",
    "Tokenizer",
    "VectorizationTokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "language_dataset",
    "load_tokenizer",
    "read_lines",
    "read_pairs",
    "read_parallel",
    "split_by_source",
    "translation_dataset",
]
