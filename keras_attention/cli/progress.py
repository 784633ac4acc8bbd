"""How far a command has come, on a terminal."""

import sys
import time
from collections.abc import Callable
from functools import partial

_EVERY = 0.25  # seconds


class Progress:
    """A line on standard error that says how fast it goes; none but on a terminal.

    Args:
        name: of what is counted, as "sentences".
        size: of all that is to be done, in any unit, where it is known.
        writes_beside: whether results go to standard output. Where that is a terminal
            too, the line comes at the end alone.
    """

    def __init__(
        self, name: str, size: int | None = None, writes_beside: bool = False
    ) -> None:
        self._name = name
        self._size = size
        self._before = 0
        self._count = 0
        self._begun = self._said = time.monotonic()
        self._width = 0
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._is_moving = self._is_shown and not (
            writes_beside and sys.stdout is not None and sys.stdout.isatty()
        )

    def add(self, count: int, done: Callable[[], int]) -> None:
        """Count some more.

        Args:
            count: how many.
            done: how much of this part is done, in the unit of the size.
        """
        self._count += count
        now = time.monotonic()
        if not self._is_moving or now - self._said < _EVERY:
            return
        self._said = now
        left = ""
        if self._size and (share := min(1, (self._before + done()) / self._size)):
            seconds = (now - self._begun) * (1 - share) / share
            left = f", {100 * share:.0f} %, {_clock(seconds)} left"
        self._show(f"{self._rate(now)}{left}")

    def end_part(self, done: int) -> None:
        """Begin the next part: one of this size is done."""
        self._before += done

    def counting(self, done: Callable[[], int]) -> Callable[[int], None]:
        """A function that counts some more, by `add`."""
        return partial(self.add, done=done)

    def end(self) -> None:
        """Say how many there were, and how fast."""
        if self._is_shown:
            now = time.monotonic()
            self._show(f"{self._rate(now)}, {_clock(now - self._begun)} in all")
            print(file=sys.stderr)

    def _rate(self, now):
        rate = self._count / max(now - self._begun, 1e-9)
        digits = 0 if rate >= 10 else 1
        return f"{self._count:,} {self._name}, {rate:,.{digits}f} a second"

    def _show(self, line):
        padding = " " * (self._width - len(line))
        self._width = len(line)
        print(f"\r{line}{padding}", end="", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    """Minutes and seconds, or hours too."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
