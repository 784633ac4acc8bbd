"""The most probable segmentation by a unigram model, as tensorflow-text finds it."""

from array import array
from collections.abc import Collection, Mapping

# What an unknown character costs more than the least probable piece.
_UNKNOWN_PENALTY = 10.0
# The least of the scores of which the highest is taken: the smallest positive number.
_NO_SCORE = 2.0**-126


class UnigramCutter:
    """Cuts text into the pieces whose scores have the highest sum (Kudo, 2018).

    Of several such segmentations, rounding decides: sums are kept with 32 bits, and
    compared with 64 before they are rounded. Releases of the package `sentencepiece`
    round at other times than that which tensorflow-text is built with.

    Args:
        scores: Of each piece.
        symbols: Pieces that are always taken, whatever their score.

    Example:
    >>> cutter = UnigramCutter({"a": -1.0, "ab": -1.5, "b": -1.0}, [])
    >>> cutter.cut("abac")
    ['ab', 'a', 'c']
    """

    def __init__(self, scores: Mapping[str, float], symbols: Collection[str]) -> None:
        usual = [score for piece, score in scores.items() if piece not in symbols]
        lowest, highest = min(usual, default=0.0), max(usual, default=_NO_SCORE)
        highest = max(highest, _NO_SCORE)
        self._unknown = _round(lowest - _UNKNOWN_PENALTY)
        # beginnings of pieces that are none themselves have no score
        self._scores: dict[str, float | None] = {
            piece[:end]: None for piece in scores for end in range(1, len(piece))
        }
        self._scores.update(scores)
        for symbol in symbols:
            self._scores[symbol] = _round(len(symbol.encode()) * highest) - 0.1

    def knows(self, piece: str) -> bool:
        """Whether something is a piece, not an unknown character.

        Args:
            piece: One of what `cut` returned.
        """
        return self._scores.get(piece) is not None

    def cut(self, text: str) -> list[str]:
        """Returns pieces, and unknown characters.

        Args:
            text: Normalized.
        """
        sums = array("f", bytes(4 * (len(text) + 1)))
        starts = [-1] * (len(text) + 1)
        for start in range(len(text)):
            for end in range(start + 1, len(text) + 1):
                piece = text[start:end]
                score = self._scores.get(piece)
                if score is not None:
                    total = sums[start] + score
                elif end == start + 1:
                    total = _round(sums[start] + self._unknown)
                elif piece in self._scores:
                    continue
                else:
                    break
                if starts[end] < 0 or total > sums[end]:
                    sums[end], starts[end] = total, start
        pieces = []
        end = len(text)
        while end:
            pieces.append(text[starts[end] : end])
            end = starts[end]
        return pieces[::-1]


def _round(number: float) -> float:
    """The nearest number of 32 bits."""
    return array("f", [number])[0]
