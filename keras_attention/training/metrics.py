"""Metrics over the real tokens of all batches."""

from typing import Any

import keras
from keras import ops

from keras_attention.training.tokens import check_labels, cross_entropy, token_weights


class _TokenMean(keras.metrics.Metric):
    """The mean of something over all real tokens so far, in float32."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.total, self.count = (
            self.add_variable((), "zeros", dtype="float32", name=part)
            for part in ("total", "count")
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_labels(y_true, y_pred)
        weights = token_weights(y_true, sample_weight)
        values = ops.cast(self._of_tokens(y_true, y_pred), "float32")
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.divide_no_nan(self.total, self.count)

    def _of_tokens(self, y_true, y_pred):
        raise NotImplementedError


@keras.saving.register_keras_serializable("keras_attention", name="MaskedAccuracy")
class MaskedAccuracy(_TokenMean):
    """Share of real tokens whose most probable id is the label.

    Labels of 0 are padding and do not count.

    Args:
        name: of the metric.
        **kwargs: of `keras.metrics.Metric`.

    Example:
    >>> metric = MaskedAccuracy()
    >>> metric.update_state(np.array([[1, 2, 0]]), np.eye(3, dtype="float32")[None])
    >>> float(metric.result())
    0.0
    """

    def __init__(self, name: str = "masked_accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def _of_tokens(self, y_true, y_pred):
        best = ops.argmax(y_pred, axis=-1)
        return ops.equal(ops.cast(best, "int32"), ops.cast(y_true, "int32"))


@keras.saving.register_keras_serializable("keras_attention", name="Perplexity")
class Perplexity(_TokenMean):
    """How many equally likely ids the model wavers between, on average.

    The exponential of the mean cross-entropy of the real tokens, without smoothing.
    Labels of 0 are padding and do not count.

    Args:
        name: of the metric.
        **kwargs: of `keras.metrics.Metric`.

    Example:
    >>> metric = Perplexity()
    >>> metric.update_state(np.array([[3, 0]]), np.zeros((1, 2, 4), "float32"))
    >>> round(float(metric.result()), 4)
    4.0
    """

    def __init__(self, name: str = "perplexity", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def result(self):
        return ops.exp(super().result())

    def _of_tokens(self, y_true, y_pred):
        return cross_entropy(y_true, y_pred)
