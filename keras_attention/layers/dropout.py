"""Dropout that draws few random numbers."""

import keras

from keras_attention import functional


class FeatureDropout(keras.layers.Dropout):
    """`keras.layers.Dropout` of vectors, from a number for each row and each column.

    On a CPU, to draw a number for every feature takes longer than all else that a
    dropout does.
    """

    def call(self, inputs, training=False):
        if not training or not self.rate:
            return inputs
        return functional.drop_features(inputs, self.rate, self.seed_generator)
