"""The loss and the metrics once more, in plain loops."""

import numpy as np

VOCABULARY = 11


def distribution(label, smoothing=0.0, vocabulary=VOCABULARY):
    """What a label asks of the model: how probable each id is to be."""
    wanted = np.full(vocabulary, smoothing / vocabulary)
    wanted[label] += 1 - smoothing
    return wanted


def log_probabilities(logits):
    logits = np.asarray(logits, "float64")
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def weight_of(weights, row, position):
    if weights is None:
        return 1.0
    weights = np.asarray(weights, "float64")
    if weights.ndim == 1:
        return weights[row]
    return weights[row, position if weights.shape[1] > 1 else 0]


def mean_over_tokens(value, labels, logits, weights=None, ignore_id=0):
    """Weighted mean of `value(label, logits)` over all labels that do not pad."""
    total = count = 0.0
    for row, position in np.ndindex(*np.shape(labels)):
        label = labels[row][position]
        if label != ignore_id:
            weight = weight_of(weights, row, position)
            total += weight * value(label, logits[row][position])
            count += weight
    return total / count


def cross_entropy(labels, logits, weights=None, smoothing=0.0, ignore_id=0):
    def value(label, scores):
        wanted = distribution(label, smoothing, len(scores))
        return -(wanted * log_probabilities(scores)).sum()

    return mean_over_tokens(value, labels, logits, weights, ignore_id)


def accuracy(labels, logits, weights=None):
    def value(label, scores):
        return float(max(range(len(scores)), key=lambda i: scores[i]) == label)

    return mean_over_tokens(value, labels, logits, weights)


def some_batch(rows, length, seed):
    """Labels that pad each row's end differently, with random logits."""
    random = np.random.default_rng(seed)
    labels = random.integers(1, VOCABULARY, (rows, length))
    labels[np.arange(length) >= random.integers(1, length + 1, (rows, 1))] = 0
    logits = random.normal(scale=2, size=(rows, length, VOCABULARY))
    return labels.astype("int32"), logits.astype("float32")
