"""Translations by CTranslate2."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_attention.special_ids import SpecialIds
from keras_attention.translation.alignments import Alignment
from keras_attention.translation.ctranslate2_options import to_options
from keras_attention.translation.glossary import Forms
from keras_attention.translation.results import Hypothesis, Score
from keras_attention.translation.search_settings import SearchSettings
from keras_attention.translation.sources import TextSource

MOST_ROWS = 64  # of one pass of the model
REFERENCE_LENGTH = 256


class Sides(NamedTuple):
    """What a model of CTranslate2 reads and writes.

    Attributes:
        source_tokenizer: of `text.plain`.
        target_tokenizer: likewise.
        source_names: of the ids, as its vocabulary has them.
        target_names: likewise.
    """

    source_tokenizer: Any
    target_tokenizer: Any
    source_names: Sequence[str]
    target_names: Sequence[str]


class CTranslate2Engine:
    """An `Engine` of a model of CTranslate2.

    Args:
        model: a `ctranslate2.Translator`.
        sides: its tokenizers, and the names of their ids.
        search: how translations are found.
        source_limit: the most source tokens, the end included.

    Attributes:
        source: what it reads.
        cuts_batches: as of an `Engine`.

    Raises:
        ValueError: for an option of the search that CTranslate2 lacks.
    """

    cuts_batches = True

    def __init__(
        self, model: Any, sides: Sides, search: SearchSettings, source_limit: int
    ) -> None:
        self._model = model
        self._sides = sides
        self._search = search
        self._limit = source_limit
        self._options = to_options(search, sides.target_names)
        self._places = {name: index for index, name in enumerate(sides.target_names)}
        self._end = sides.target_names[SpecialIds.of(sides.target_tokenizer).end]
        self.source = TextSource(sides.source_tokenizer, source_limit)

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""
        best = [ranked[0][1] for ranked in self._find(self._read(sources))]
        return [*zip(self._write(best), map(self._is_complete, best), strict=True)]

    def hypotheses(
        self,
        sources: Sequence[Any],
        terms: Sequence[Sequence[Forms]] | None = None,
        prefixes: Sequence[str] | None = None,
        *,
        with_attention: bool = True,
    ) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first."""
        if terms is not None:
            raise ValueError(
                "CTranslate2 does not place terms: engine='tensorflow' does"
            )
        rows = self.source.rows(sources)
        names = self._sides.source_tokenizer.tokens(rows)
        begun: Sequence[Any] = [[]] * len(rows)
        if prefixes is not None:
            written = self._sides.target_names
            ids = self._sides.target_tokenizer.tokenize([*prefixes])
            begun = [[written[index] for index in row] for row in ids]
        results = []
        for source, ranked in zip(
            names, self._find(self._named(rows), with_attention, begun), strict=True
        ):
            texts = self._write([tokens for _, tokens, _ in ranked])
            results.append(
                [
                    Hypothesis(
                        text,
                        score,
                        source,
                        self._tokens(tokens),
                        attention,
                        self._is_complete(tokens),
                    )
                    for text, (score, tokens, attention) in zip(
                        texts, ranked, strict=True
                    )
                ]
            )
        return results

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """How probable a reference of each is."""
        limit = max(REFERENCE_LENGTH, self._limit, self._search.config["max_length"])
        ids = TextSource(self._sides.target_tokenizer, limit).rows(references)
        names = self._sides.target_names
        found = self._model.score_batch(
            self._read(sources),
            [[names[index] for index in row[:-1]] for row in ids],
            max_batch_size=MOST_ROWS,
        )
        tokens = self._sides.target_tokenizer.tokens(ids)
        return [
            Score(sum(one.log_probs), own, np.array(one.log_probs, "float32"))
            for one, own in zip(found, tokens, strict=True)
        ]

    def alignments(
        self, sources: Sequence[Any], references: Sequence[str]
    ) -> list[Alignment]:
        """Refused: what is given is not attended to."""
        raise ValueError(
            "CTranslate2 does not align given translations: engine='tensorflow' does"
        )

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """None: nothing is compiled."""
        return []

    def warm_up(self, rows: int, length: int) -> None:
        """Nothing, for the same reason."""

    def _read(self, sources):
        return self._named(self.source.rows(sources))

    def _named(self, rows):
        """Tokens without the end, which CTranslate2 adds."""
        names = self._sides.source_names
        return [[names[index] for index in row[:-1]] for row in rows]

    def _find(self, rows, return_attention=False, begun=None):
        """Score, tokens and attention of what is found of each row, best first."""
        nothing = np.ones((1, 1), "float32") if return_attention else None
        results = [[(0.0, [self._end], nothing)] for _ in rows]
        begun = begun or [[]] * len(rows)
        # Beside what has a prefix, others would end otherwise (4.8.5).
        for has_prefix in (False, True):
            places = [
                place
                for place, row in enumerate(rows)
                if row and bool(begun[place]) == has_prefix
            ]
            if not places:
                continue
            prefixes = [begun[place] for place in places] if has_prefix else None
            found = self._ask(
                [rows[place] for place in places], prefixes, return_attention
            )
            for place, own in zip(places, found, strict=True):
                results[place] = own
        return results

    def _ask(self, rows, prefixes, return_attention):
        """The same of rows with a token at least."""
        # Beams of several rows begin with the attention of the first row (4.8.5).
        is_alone = return_attention and self._options["beam_size"] > 1
        found = self._model.translate_batch(
            rows,
            max_batch_size=1 if is_alone else MOST_ROWS,
            return_scores=True,
            return_end_token=True,
            return_attention=return_attention,
            target_prefix=prefixes,
            **self._options,
        )
        results = []
        for one in found:
            attention = one.attention or [None] * len(one.hypotheses)
            ranked = [
                (self._score(score, len(tokens)), tokens, _with_end(weights))
                for score, tokens, weights in zip(
                    one.scores, one.hypotheses, attention, strict=True
                )
            ]
            # Another normalization may put them in another order.
            ranked.sort(key=lambda output: -output[0])
            results.append(ranked[: self._search.config.get("num_hypotheses")])
        return results

    def _score(self, score, length):
        """Of the search, from that of CTranslate2."""
        kind, config = self._search
        if kind != "BeamSearch" or config["normalization"] == "length":
            return score
        total = score * length ** config["length_penalty"]
        return total / ((5 + length) / 6) ** config["length_penalty"]

    def _is_complete(self, tokens):
        return tokens[-1:] == [self._end]

    def _ids(self, tokens):
        return [self._places[token] for token in tokens]

    def _write(self, outputs):
        return self._sides.target_tokenizer.detokenize([*map(self._ids, outputs)])

    def _tokens(self, tokens):
        return self._sides.target_tokenizer.tokens([self._ids(tokens)])[0]


def _with_end(weights: Any) -> np.ndarray | None:
    """Attention `(target, source)`, with that to the end, which CTranslate2 omits."""
    if weights is None:
        return None
    given = np.array(weights, "float32")
    rest = 1 - given.sum(axis=1, keepdims=True)
    return np.concatenate([given, np.maximum(rest, 0)], axis=1)
