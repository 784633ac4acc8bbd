"""The mathematics of the papers once more, in plain loops over NumPy arrays.

They know one kind of mask: a boolean for every pair of query and key.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Score = Callable[[Array, Array], float]


def masked_softmax(scores: Array, mask: Array) -> Array:
    """Softmax over the allowed entries of each row; zeros for a row without any."""
    weights = np.zeros(scores.shape)
    for row in np.ndindex(*scores.shape[:-1]):
        allowed = [i for i in range(scores.shape[-1]) if mask[row][i]]
        if not allowed:
            continue
        highest = max(scores[row][i] for i in allowed)
        powers = {i: math.exp(float(scores[row][i]) - highest) for i in allowed}
        for i in allowed:
            weights[row][i] = powers[i] / sum(powers.values())
    return weights


def pair_mask(
    batch: int,
    target: int,
    source: int,
    *,
    query_mask: Array | None = None,
    value_mask: Array | None = None,
    key_mask: Array | None = None,
    attention_mask: Array | None = None,
    causal: bool = False,
) -> Array:
    """Whether query `t` may see key `s`, for each pair of each row `(B, T, S)`."""
    mask = np.ones((batch, target, source), "bool")
    for b, t, s in np.ndindex(batch, target, source):
        if query_mask is not None and not query_mask[b][t]:
            mask[b, t, s] = False
        for columns in (value_mask, key_mask):
            if columns is not None and not columns[b][s]:
                mask[b, t, s] = False
        if attention_mask is not None and not attention_mask[b][t][s]:
            mask[b, t, s] = False
        if causal and s > t:
            mask[b, t, s] = False
    return mask


def dot(query: Array, key: Array) -> float:
    """Sum of products."""
    return sum(float(q) * float(k) for q, k in zip(query, key, strict=True))


def scaled_dot(query: Array, key: Array) -> float:
    """Dot product over the root of the width."""
    return dot(query, key) / math.sqrt(len(query))


def cosine(query: Array, key: Array) -> float:
    """Cosine of the angle, zero for a vector without length."""
    lengths = math.sqrt(dot(query, query)) * math.sqrt(dot(key, key))
    return dot(query, key) / lengths if lengths else 0.0


def general(kernel: Array) -> Score:
    """Bilinear score; the kernel maps keys to the width of queries."""
    return lambda query, key: dot(query, key @ kernel)


def additive(
    query_kernel: Array, key_kernel: Array, bias: Array, energy: Array
) -> Score:
    """Perceptron of one hidden layer."""

    def score(query, key):
        return dot(np.tanh(query @ query_kernel + key @ key_kernel + bias), energy)

    return score


def attention(
    score: Score, query: Array, key: Array, value: Array, mask: Array
) -> tuple[Array, Array]:
    """Context and weights of one head."""
    batch, target, _ = query.shape
    source, width = value.shape[1:]
    scores = np.zeros((batch, target, source))
    for b, t, s in np.ndindex(batch, target, source):
        scores[b, t, s] = score(query[b, t], key[b, s])
    weights = masked_softmax(scores, mask)
    context = np.zeros((batch, target, width))
    for b, t, s in np.ndindex(batch, target, source):
        context[b, t] += weights[b, t, s] * value[b, s]
    return context, weights


def multi_head_attention(
    query: Array,
    value: Array,
    key: Array,
    weights: dict[str, Array],
    heads: int,
    key_value_heads: int,
    mask: Array,
) -> tuple[Array, Array]:
    """Output and weights `(B, N, T, S)`; `mask` likewise; heads lie side by side."""

    def project(inputs, name):
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def part(inputs, index, count):
        width = inputs.shape[-1] // count
        return inputs[..., index * width : (index + 1) * width]

    queries, keys, values = (
        project(query, "query"),
        project(key, "key"),
        project(value, "value"),
    )
    contexts, found = [], []
    for head in range(heads):
        shared = head // (heads // key_value_heads)
        context, head_weights = attention(
            scaled_dot,
            part(queries, head, heads),
            part(keys, shared, key_value_heads),
            part(values, shared, key_value_heads),
            mask[:, head],
        )
        contexts.append(context)
        found.append(head_weights)
    output = project(np.concatenate(contexts, axis=-1), "output")
    return output, np.stack(found, axis=1)


def sinusoid(position: int, feature: int, dim: int) -> float:
    """One feature of one position, by the formula of Vaswani et al. (2017)."""
    angle = position / 10_000 ** (2 * (feature // 2) / dim)
    return math.cos(angle) if feature % 2 else math.sin(angle)


def sigmoid(inputs: Array) -> Array:
    """Logistic function."""
    return 1 / (1 + np.exp(-inputs))


def lstm_step(inputs: Array, state: list[Array], weights: list[Array]) -> list[Array]:
    """Hidden state and carry (Hochreiter and Schmidhuber 1997), gates i, f, c, o."""
    kernel, recurrent_kernel, bias = weights
    hidden, carry = state
    gates = inputs @ kernel + hidden @ recurrent_kernel + bias
    enter, forget, candidate, leave = np.split(gates, 4, axis=-1)
    carry = sigmoid(forget) * carry + sigmoid(enter) * np.tanh(candidate)
    return [sigmoid(leave) * np.tanh(carry), carry]


def gru_step(inputs: Array, state: list[Array], weights: list[Array]) -> list[Array]:
    """Hidden state (Cho et al. 2014), gates z, r, h, reset behind the product."""
    kernel, recurrent_kernel, (bias, recurrent_bias) = weights
    (hidden,) = state
    update, reset, candidate = np.split(inputs @ kernel + bias, 3, axis=-1)
    past = np.split(hidden @ recurrent_kernel + recurrent_bias, 3, axis=-1)
    update, reset = sigmoid(update + past[0]), sigmoid(reset + past[1])
    candidate = np.tanh(candidate + reset * past[2])
    return [update * hidden + (1 - update) * candidate]


def attention_rnn(
    inputs: Array,
    memory: Array,
    memory_mask: Array,
    state: list[Array],
    step: Callable[[Array, list[Array], Any], list[Array]],
    cell_weights: Any,
    score: Score,
    attentional_kernel: Array,
    input_feeding: bool,
) -> tuple[Array, Array, list[Array]]:
    """Outputs, weights and last cell states of a decoder that attends at each step."""
    batch, target, _ = inputs.shape
    fed = np.zeros((batch, attentional_kernel.shape[-1]))
    outputs, all_weights = [], []
    for t in range(target):
        now = inputs[:, t]
        if input_feeding:
            now = np.concatenate([now, fed], axis=-1)
        state = step(now, state, cell_weights)
        context, weights = attention(
            score, state[0][:, None], memory, memory, memory_mask[:, None]
        )
        joined = np.concatenate([context[:, 0], state[0]], axis=-1)
        fed = np.tanh(joined @ attentional_kernel)
        outputs.append(fed)
        all_weights.append(weights[:, 0])
    return np.stack(outputs, axis=1), np.stack(all_weights, axis=1), state


def layer_norm(inputs: Array, gamma: Array, beta: Array | float = 0.0) -> Array:
    """Each row to mean 0 and variance 1 (Ba et al. 2016), with Keras's epsilon."""
    normed = np.zeros(inputs.shape)
    for row in np.ndindex(*inputs.shape[:-1]):
        mean, variance = inputs[row].mean(), inputs[row].var()
        normed[row] = (inputs[row] - mean) / math.sqrt(variance + 1e-3)
    return normed * gamma + beta


def cell_step(
    cell: str,
    inputs: list[Array],
    states: list[Array],
    weights: dict[str, Array],
    keep: Array | float = 1.0,
) -> list[Array]:
    """New states of a cell, by its weights' names, normalized if these say so.

    Inputs come in parts, and what the gates see of the hidden state is multiplied.
    """

    def normalized(sums, name):
        if f"{name}/gamma" not in weights:
            return sums
        return layer_norm(
            sums, weights[f"{name}/gamma"], weights.get(f"{name}/beta", 0.0)
        )

    names = ["input/kernel", "input_1/kernel", "input_2/kernel"][: len(inputs)]
    sums = weights.get("input/bias", 0.0) + sum(
        part @ weights[name] for part, name in zip(inputs, names, strict=True)
    )
    past = (states[0] * keep) @ weights["recurrent/kernel"]
    past = past + weights.get("recurrent/bias", 0.0)
    sums, past = normalized(sums, "input_norm"), normalized(past, "recurrent_norm")
    if cell == "simple":
        return [np.tanh(sums + past)]
    if cell == "gru":
        update, reset, candidate = np.split(sums, 3, axis=-1)
        past_update, past_reset, past_candidate = np.split(past, 3, axis=-1)
        update, reset = sigmoid(update + past_update), sigmoid(reset + past_reset)
        candidate = np.tanh(candidate + reset * past_candidate)
        return [update * states[0] + (1 - update) * candidate]
    enter, forget, candidate, leave = np.split(sums + past, 4, axis=-1)
    carry = sigmoid(forget) * states[1] + sigmoid(enter) * np.tanh(candidate)
    return [sigmoid(leave) * np.tanh(normalized(carry, "carry_norm")), carry]


class AttentionInTurn:
    """An `Attention` that is asked one query at a time and remembers the earlier ones.

    Args:
        layer: whose options count.
        weights: of the layer, by their names.
        key: `(B, S, D)`, the values as well.
        key_mask: boolean `(B, S)`.
    """

    def __init__(
        self, layer: Any, weights: dict[str, Array], key: Array, key_mask: Array
    ) -> None:
        self.layer, self.weights, self.key, self.key_mask = (
            layer,
            weights,
            key,
            key_mask,
        )
        self.asked = 0
        self.covered = np.zeros(key.shape[:2])
        self.stopped = np.zeros(key.shape[:2])
        self.stopped[:, 0] = 1
        self.projected = key @ weights.get("key/kernel", np.eye(key.shape[-1]))
        self.projected = self.projected + weights.get("key/bias", 0.0)
        self.fertility = np.ones(key.shape[:2])
        if layer.coverage == "fertility":
            wish = key @ weights["fertility/kernel"] + weights["fertility/bias"]
            self.fertility = 2 * np.maximum(sigmoid(wish[..., 0]), 1e-3)

    def ask(self, query: Array, is_real: Array | None = None) -> tuple[Array, Array]:
        """Context `(B, D)` and weights `(B, S)` of the next query `(B, D)`."""
        weights = np.zeros(self.key_mask.shape)
        for row in range(len(query)):
            mask = self.key_mask[row]
            if is_real is not None and not is_real[row]:
                mask = np.zeros_like(mask)
            if mask.any():
                weights[row] = self._align(row, query[row], mask)
        self.asked += 1
        self.covered = self.covered + weights
        return np.einsum("bs,bsd->bd", weights, self.key), weights

    def _align(self, row, query, mask):
        scores = np.array([self._score(row, s, query) for s in range(len(mask))])
        positions = np.arange(len(mask))
        if self.layer.alignment == "local_m":
            mask = mask & (np.abs(positions - self.asked) <= self.layer.window)
        if self.layer.alignment == "local_p":
            hidden = np.tanh(query @ self.weights["center_hidden/kernel"])
            share = sigmoid(hidden @ self.weights["center/kernel"])[0]
            distance = positions - mask.argmax() - share * mask.sum()
            near = mask & (np.abs(distance) <= self.layer.window)
            bell = np.exp(-(distance**2) / (2 * (self.layer.window / 2) ** 2))
            return masked_softmax(scores, near) * bell
        if self.layer.alignment == "monotonic":
            stop = sigmoid(scores + self.weights["alignment/stop_bias"]) * mask
            self.stopped[row] = monotonic(stop, self.stopped[row])
            return self.stopped[row]
        return masked_softmax(scores, mask)

    def _score(self, row, position, query):
        key = self.projected[row, position]
        if self.layer.coverage:
            share = self.covered[row, position] / self.fertility[row, position]
            key = key + share * self.weights["told/kernel"][0]
        if self.layer.score == "additive":
            hidden = np.tanh(query @ self.weights["query/kernel"] + key)
            return dot(hidden, self.weights["energy/kernel"][:, 0])
        if self.layer.score == "cosine":
            return cosine(query, key)
        return (
            scaled_dot(query, key) if "scaled" in self.layer.score else dot(query, key)
        )


def monotonic(stop: Array, previous: Array) -> Array:
    """Where a query stops that goes on from where the last one did (Raffel et al.)."""
    weights = np.zeros(len(stop))
    for start, key in np.ndindex(len(stop), len(stop)):
        if start <= key:
            passed = np.prod(1 - stop[start:key])
            weights[key] += previous[start] * passed * stop[key]
    return weights


def attending_decoder(
    inputs: Array,
    states: list[Array],
    advance: Callable[[list[Array], list[Array]], list[Array]],
    attend: AttentionInTurn,
    readout: Callable[[list[Array]], Array],
    *,
    fed: Array | None = None,
    query: int | None = None,
    hidden: int = 0,
) -> tuple[Array, Array, list[Array]]:
    """Outputs, weights and last states of a decoder that attends at each step.

    Args:
        inputs: `(B, T, D)`.
        states: before the first step.
        advance: from the parts of a step's inputs, and states, to new states.
        attend: what it asks.
        readout: from context, hidden vector and, where it attends first, the input.
        fed: what joins the first input, and later the last output.
        query: which state asks before the step; the hidden vector after it if none.
        hidden: which state is the hidden vector.
    """
    outputs, all_weights = [], []
    for t in range(inputs.shape[1]):
        parts = [inputs[:, t]] if fed is None else [inputs[:, t], fed]
        if query is None:
            states = advance(parts, states)
            context, weights = attend.ask(states[hidden])
            output = readout([context, states[hidden]])
        else:
            context, weights = attend.ask(states[query])
            states = advance([*parts, context], states)
            output = readout([context, states[hidden], inputs[:, t]])
        fed = None if fed is None else output
        outputs.append(output)
        all_weights.append(weights)
    return np.stack(outputs, axis=1), np.stack(all_weights, axis=1), states
