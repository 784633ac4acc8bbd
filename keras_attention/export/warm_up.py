"""Requests that TensorFlow Serving answers before it serves."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_attention.export.functions import EXTRA
from keras_attention.optional_packages import needs

# Both are TensorFlow Serving's.
FILE = "tf_serving_warmup_requests"
MOST = 1000


def write_warm_up(
    folder: Path, requests: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Write requests into a SavedModel, so that no client waits for the first ones.

    Args:
        folder: the SavedModel.
        requests: names of signatures, each with its inputs; at most 1,000.

    Raises:
        ValueError: for more requests than TensorFlow Serving takes.
        ImportError: without tensorflow-serving-api, which
            `keras-attention-layers[tf-serving]` installs.
    """
    with needs("tensorflow_serving", extra="tf-serving", by="write_warm_up"):
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    requests = list(requests)
    if len(requests) > MOST:
        raise ValueError(
            f"`requests` must be at most {MOST}. Received: {len(requests)}"
        )
    path = folder / EXTRA / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            log = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(log.SerializeToString())
