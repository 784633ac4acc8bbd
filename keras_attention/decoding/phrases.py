"""Phrases that outputs must hold, as tensors that a search reads."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_attention.special_ids import PAD
from keras_attention.tensor import Tensor

Forms = Sequence[Sequence[int]]
"""A phrase in each of its forms, as ids; one of them is enough."""


class Words(NamedTuple):
    """Where words begin and end, by the ids of a vocabulary.

    Attributes:
        goes_on: `(vocabulary,)`, whether an id continues a word that it follows.
        is_open: `(vocabulary,)`, whether it ends in a word that may be continued.
    """

    goes_on: np.ndarray
    is_open: np.ndarray


class Phrases(NamedTuple):
    """The phrases of each source, as trees of ids with one root.

    Forms of a phrase that begin alike share their nodes; node 0 is the root, where an
    output is that is in no phrase. From the end of a form others may begin too.

    Attributes:
        ids: `(batch, nodes, children)`, the id that leads to each child, or 0.
        children: `(batch, nodes, children)`, the node of each.
        phrases: `(batch, nodes)`, the phrase that a node is of.
        is_end: `(batch, nodes)`, whether one of its forms ends there.
        is_wanted: `(batch, phrases)`, whether there is such a phrase.
    """

    ids: Tensor
    children: Tensor
    phrases: Tensor
    is_end: Tensor
    is_wanted: Tensor


def make_phrases(
    wanted: Sequence[Sequence[Forms]],
    steps: tuple[int, int, int] = (1, 1, 1),
    rows: int | None = None,
) -> Phrases:
    """The phrases of some sources.

    Args:
        wanted: for each source its phrases, each in one form or more.
        steps: of which the numbers of nodes, children and phrases are multiples, so
            that there are few shapes.
        rows: number of sources, those without a phrase at the end included.

    Raises:
        ValueError: for a form without an id, or with padding in it.
    """
    trees = [_make_tree(phrases) for phrases in wanted]
    all_nodes = [node for tree in trees for node in tree]
    largest = (
        max(map(len, trees), default=1),
        max((len(node.children) for node in all_nodes), default=1),
        max(map(len, wanted), default=1),
    )
    nodes, width, count = map(_round_up, largest, steps)
    rows = len(wanted) if rows is None else rows
    found = Phrases(
        np.full((rows, nodes, width), PAD, "int32"),
        np.zeros((rows, nodes, width), "int32"),
        np.zeros((rows, nodes), "int32"),
        np.zeros((rows, nodes), "bool"),
        np.zeros((rows, count), "bool"),
    )
    for row, tree in enumerate(trees):
        found.is_wanted[row, : len(wanted[row])] = True
        for number, node in enumerate(tree):
            found.phrases[row, number] = node.phrase
            found.is_end[row, number] = node.is_end
            for place, (index, child) in enumerate(node.children):
                found.ids[row, number, place] = index
                found.children[row, number, place] = child
    return found


class _Node:
    def __init__(self, phrase: int) -> None:
        self.phrase = phrase
        self.children: list[tuple[int, int]] = []  # ids and nodes
        self.is_end = False


def _make_tree(phrases):
    """The nodes of the phrases of a source."""
    nodes = [_Node(0)]
    for phrase, forms in enumerate(phrases):
        starts: dict[tuple[int, ...], int] = {(): 0}
        for form in forms:
            if not len(form) or PAD in form:
                raise ValueError(
                    "A phrase must hold an id at least, and no padding. "
                    f"Received: {[*form]}"
                )
            for length in range(1, len(form) + 1):
                start = tuple(map(int, form[:length]))
                if start not in starts:
                    starts[start] = len(nodes)
                    before = nodes[starts[start[:-1]]]
                    before.children.append((start[-1], len(nodes)))
                    nodes.append(_Node(phrase))
            nodes[starts[start]].is_end = True
    for node in nodes[1:]:
        if node.is_end:
            node.children += [
                (index, child)
                for index, child in nodes[0].children
                if nodes[child].phrase != node.phrase
            ]
    return nodes


def _round_up(size, step):
    return max(1, -(-size // step)) * step
