"""Sentencepiece models as TensorFlow graphs."""

import hashlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_attention.optional_packages import needs
from keras_attention.text.sentence_piece_model import not_a_model


def load_processor(model: bytes, by: str, out_type: tf.DType = tf.int32) -> Any:
    """Returns tensorflow-text's tokenizer of a serialized model.

    Args:
        model: The content of a `.model` file.
        by: Who needs it, for the message.
        out_type: `tf.int32` for ids, `tf.string` for pieces.

    Raises:
        ValueError: If the model cannot be loaded.
        ImportError: Without tensorflow-text.
    """
    # imported here, because other tokenizers do without it
    with needs("tensorflow_text", extra="text", by=by):
        import tensorflow_text
        from tensorflow_text.python.ops import sentencepiece_tokenizer
    try:
        processor = tensorflow_text.SentencepieceTokenizer(model, out_type)
        # its own resource dies with TensorFlow's next `set_seed`, and is mistaken for
        # that of another model in one SavedModel
        operations = sentencepiece_tokenizer.gen_sentencepiece_tokenizer
        processor._model_resource = _NamedModel(model, operations.sentencepiece_op)
    except tf.errors.OpError as error:
        raise not_a_model(model, "it cannot be loaded") from error
    return processor


class _NamedModel(tf.saved_model.experimental.TrackableResource):
    """A loaded model that all tokenizers of the same content share for good."""

    def __init__(self, model: bytes, load: Callable[..., Any]) -> None:
        super().__init__()
        self._model = model
        self._load = load
        # a resource that is not made eagerly lives in one graph only
        _ = self.resource_handle

    def _create_resource(self) -> Any:
        digest = hashlib.sha256(self._model).hexdigest()
        return self._load(model=self._model, shared_name=f"sentencepiece_{digest}")
