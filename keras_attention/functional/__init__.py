"""Pure tensor functions on `keras.ops`: the mathematics that the layers wrap.

Axes are written with one letter each, here and in every module of the package:

- `B` batch, `T` target (query) positions, `S` source (key and value) positions,
- `D` features, `N` heads, `K` key-value heads, `H` features of one head.
"""

from keras_attention.functional.addressing import address, read_memory, write_memory
from keras_attention.functional.alignments import (
    first_position,
    gaussian,
    monotonic_weights,
    window_mask,
)
from keras_attention.functional.attend import attend, masked_softmax
from keras_attention.functional.axes import (
    attended_axes,
    fold,
    fold_pairs,
    unfold,
    unfold_weights,
)
from keras_attention.functional.cells import gru_step, lstm_step, simple_step
from keras_attention.functional.differential import (
    differential_lambda,
    differential_weights,
    initial_lambda,
)
from keras_attention.functional.dot_product import (
    DistanceTable,
    PairRules,
    dot_product_attention,
)
from keras_attention.functional.dropout import drop_features, drop_pairs, pair_seeds
from keras_attention.functional.heads import merge_heads, split_heads
from keras_attention.functional.latent import latent_attention
from keras_attention.functional.linear import (
    causal_linear_attention,
    linear_attention,
    linear_state,
    linear_weights,
    positive_features,
)
from keras_attention.functional.masks import (
    as_boolean,
    causal_mask,
    combine_masks,
    hides_integers,
    implicit_mask,
    pair_mask,
    pairwise_mask,
    position_mask,
    sequence_mask,
    spoiled,
    visible_values,
    with_mask,
)
from keras_attention.functional.normalization import normalize_layer, standardize
from keras_attention.functional.positions import (
    alibi_slopes,
    as_position,
    as_positions,
    relative_buckets,
    rotate,
    sinusoidal_positions,
)
from keras_attention.functional.recurrence import run_recurrence
from keras_attention.functional.scores import (
    additive_scores,
    cosine_scores,
    dot_scores,
    grouped_scores,
    scaled_dot_scores,
)
from keras_attention.functional.sequences import (
    at_least_one,
    fit_length,
    pad_to_one,
    read_at,
    reverse_sequence,
    write_at,
    zero_padding,
)
from keras_attention.functional.shapes import size, sizes
from keras_attention.functional.states import (
    StepState,
    count_rows,
    expand_state,
    has_sources,
    join_hypotheses,
    put_sources,
    reorder_state,
    repeat_rows,
    split_hypotheses,
    take_rows,
    take_sources,
)

__all__ = [
    "DistanceTable",
    "PairRules",
    "StepState",
    "additive_scores",
    "address",
    "alibi_slopes",
    "as_boolean",
    "as_position",
    "as_positions",
    "at_least_one",
    "attend",
    "attended_axes",
    "causal_linear_attention",
    "causal_mask",
    "combine_masks",
    "cosine_scores",
    "count_rows",
    "differential_lambda",
    "differential_weights",
    "dot_product_attention",
    "dot_scores",
    "drop_features",
    "drop_pairs",
    "expand_state",
    "first_position",
    "fit_length",
    "fold",
    "fold_pairs",
    "gaussian",
    "grouped_scores",
    "gru_step",
    "has_sources",
    "hides_integers",
    "implicit_mask",
    "initial_lambda",
    "join_hypotheses",
    "latent_attention",
    "linear_attention",
    "linear_state",
    "linear_weights",
    "lstm_step",
    "masked_softmax",
    "merge_heads",
    "monotonic_weights",
    "normalize_layer",
    "pad_to_one",
    "pair_mask",
    "pair_seeds",
    "pairwise_mask",
    "position_mask",
    "positive_features",
    "put_sources",
    "read_at",
    "read_memory",
    "relative_buckets",
    "reorder_state",
    "repeat_rows",
    "reverse_sequence",
    "rotate",
    "run_recurrence",
    "scaled_dot_scores",
    "sequence_mask",
    "simple_step",
    "sinusoidal_positions",
    "size",
    "sizes",
    "split_heads",
    "split_hypotheses",
    "spoiled",
    "standardize",
    "take_rows",
    "take_sources",
    "unfold",
    "unfold_weights",
    "visible_values",
    "window_mask",
    "with_mask",
    "write_at",
    "write_memory",
    "zero_padding",
]
