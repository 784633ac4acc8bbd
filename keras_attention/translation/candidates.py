"""The ids that outputs of each source are chosen from."""

from typing import Any

import numpy as np

from keras_attention.decoding import Hypotheses, Search
from keras_attention.models.short_listed import ShortListed
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor
from keras_attention.translation.short_list import ShortList

# So many ids are in the list of a source: a few for any, some for each of its ids.
ANY, EACH, MOST = 128, 8, 512


class Candidates:
    """The lists of ids by which a search looks for outputs.

    A list holds what every source may ask for, then the first translation of each of
    its ids, the second of each, and so on. It depends on this source alone.

    Args:
        short_list: what was learned.
        model: a `Seq2Seq` or an `Ensemble`.
        search: of its outputs.

    Attributes:
        table: `(source ids, ranks)`, translations of each id, padded with 0.
        first: ids with which every list begins.
    """

    def __init__(self, short_list: ShortList, model: Any, search: Search) -> None:
        special = SpecialIds.of(model)
        search.constraints.check_end(special.end)
        first = [PAD, special.start, special.end]
        left_out = [*first, *search.constraints.suppressed_ids]
        common = short_list.common
        self.first = np.array([*first, *common[~np.isin(common, left_out)]], "int32")
        table, size = short_list.table, model.source_embedding.vocabulary_size
        is_out = np.isin(table, left_out)
        order = np.argsort(is_out | (table == PAD), axis=1, kind="stable")
        table = np.take_along_axis(np.where(is_out, PAD, table), order, axis=1)
        self.table = np.pad(table, [(0, size - len(table)), (0, 0)])
        self.table[PAD] = PAD

    def size(self, length: int) -> int:
        """The most ids in the list of a source of this length."""
        return min(ANY + EACH * length, MOST)

    def lists(self, source: np.ndarray) -> np.ndarray:
        """The lists of sources `(rows, length)`: `(rows, size(length))`.

        Ids are all different, and padded with 0.
        """
        rows, length = source.shape
        # By rank, then by position.
        found = self.table[source].swapaxes(1, 2).reshape(rows, -1)
        places = _first_places(found)[:, : self.size(length) - len(self.first)]
        room = ANY + EACH * np.count_nonzero(source, axis=1) - len(self.first)
        is_listed = np.arange(places.shape[1]) < room[:, None]
        is_listed &= places < found.shape[1]
        chosen = np.take_along_axis(found, np.where(is_listed, places, 0), axis=1)
        lists = np.full((rows, self.size(length)), PAD, "int32")
        lists[:, : len(self.first)] = self.first
        end = len(self.first) + chosen.shape[1]
        lists[:, len(self.first) : end] = np.where(is_listed, chosen, PAD)
        return lists


def make_candidates(
    short_list: ShortList | None, model: Any, search: Search
) -> Candidates | None:
    """The lists of a search, unless it draws from all ids there are."""
    if short_list is None or search.draws:
        return None
    return Candidates(short_list, model, search)


def search_in_lists(
    search: Search,
    model: Any,
    source: Any,
    lists: Tensor | None = None,
    *,
    room: int,
    departures: int,
) -> tuple[Hypotheses, Tensor]:
    """What `search.search_in_room` finds, among the ids of lists if there are any."""
    if lists is None:
        return search.search_in_room(model, source, room, departures)
    listed = ShortListed(model, lists)
    search = search.without_suppressed_ids()  # which are in no list
    found, is_done = search.search_in_room(listed, source, room, departures)
    return found._replace(ids=listed.to_ids(found.ids)), is_done


def _first_places(ids: np.ndarray) -> np.ndarray:
    """The places of the first of equal ids in each row, in order, then others.

    Those of padding are no places: as large as the width of a row.
    """
    width = ids.shape[1]
    bits = width.bit_length()
    # Sorted, equals are side by side, and small numbers are sorted very fast.
    dtype = "int32" if int(ids.max()) << bits < 2**31 else "int64"
    keys = np.sort(ids.astype(dtype) << bits | np.arange(width, dtype=dtype), axis=1)
    ids = keys >> bits
    is_again = ids == PAD
    is_again[:, 1:] |= ids[:, 1:] == ids[:, :-1]
    keys &= (1 << bits) - 1
    keys[is_again] = width
    return np.sort(keys, axis=1)
