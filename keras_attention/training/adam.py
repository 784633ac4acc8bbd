"""Adam, updated in one pass."""

from typing import Any

import keras
from keras import ops

from keras_attention.precision import precise


@keras.saving.register_keras_serializable("keras_attention", name="Adam")
class Adam(keras.optimizers.Adam):
    """Keras's Adam (Kingma and Ba, 2015), in a third of its time on TensorFlow.

    Keras computes moments and step by a dozen operations, each of which reads and
    writes arrays as large as the weights; TensorFlow has a kernel that goes through
    them once. On other backends, under `tf.distribute`, with `amsgrad` and for weights
    of bfloat16 it is Keras's. Arguments, variables and, up to rounding, results are
    Keras's, but for two things. The gradients of an embedding's id that comes twice in
    a batch are summed before they are squared, on TensorFlow as on other backends;
    Keras there squares each alone. And the averaged weights of `use_ema` forget the
    first ones soon: their momentum is `n / (n + 9)` at batch `n` where `ema_momentum`
    is more, so that validating them is meaningful from the first epoch on.

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

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the averages in the model, as a copy.

        JAX would share one buffer between a weight and its average, and refuses to
        give it away twice in the first step of a further `fit`.
        """
        super().finalize_variable_values(var_list)
        if self.use_ema:
            for variable in var_list:
                variable.assign(ops.copy(variable))

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        """Average the weights; the first average is the weights themselves."""
        batches = ops.convert_to_tensor(self._iterations)
        averages = self._model_variables_moving_average
        for variable, average in zip(trainable_variables, averages, strict=True):
            if average is not None:
                exact = precise(variable.dtype)
                count = ops.cast(batches, exact)
                share = 1 - ops.minimum(self.ema_momentum, count / (count + 9))
                share = ops.cast(share, variable.dtype)
                average.assign(average + share * (variable - average))
