"""Which target ids a source may ask for, as far as is worth considering."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

import numpy as np

from keras_attention.argument_checks import check_positive, takes_numpy
from keras_attention.translation.short_list_training import count_ids, learn_table

MOST_COMMON = 100


class ShortList:
    """Target ids by the source ids that they translate (L'Hostis et al. 2016).

    The list of a source holds what is common everywhere; then the most probable
    translation of each of its ids, the second of each, and so on. It depends on this
    source alone.

    Args:
        table: `(source ids, ranks)`, target ids by source id, the most probable first,
            padded with 0.
        common: target ids that are in every list, 100 at most.

    Raises:
        ValueError: for more.
    """

    def __init__(self, table: Any, common: Any) -> None:
        self.table = np.asarray(table, "int32")
        self.common = np.asarray(common, "int32")
        if len(self.common) > MOST_COMMON:
            raise ValueError(
                f"`common` must hold {MOST_COMMON} ids at most. "
                f"Received: {len(self.common)}"
            )

    @classmethod
    @takes_numpy
    def learn(
        cls,
        sources: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        common: int = 64,
        ranks: int = 32,
    ) -> Self:
        """Learn it from ids of sources and of their translations.

        Args:
            sources: as a model reads them.
            targets: likewise, without the id that ends them.
            common: number of ids in every list, the most frequent ones.
            ranks: number of target ids for each source id.

        Raises:
            ValueError: for sources and targets that are not as many, or none.
        """
        check_positive(common=common, ranks=ranks)
        if len(sources) != len(targets) or not any(map(len, targets)):
            raise ValueError(
                "`sources` and `targets` must be as many, and not empty. "
                f"Received: {len(sources)} sources, {len(targets)} targets"
            )
        counts = count_ids(targets)
        order = np.argsort(-counts, kind="stable")[:common]
        everywhere = order[counts[order] > 0]
        return cls(learn_table(sources, targets, ranks, everywhere), everywhere)

    @property
    def vocabulary_sizes(self) -> tuple[int, int]:
        """How many source and target ids a model has at least."""
        return len(self.table), 1 + max(self.table.max(), *self.common)

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as a file of NumPy's."""
        np.savez_compressed(path, table=self.table, common=self.common)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as parts:
            return cls(parts["table"], parts["common"])
