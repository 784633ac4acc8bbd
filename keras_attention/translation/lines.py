"""Lines in and lines out: a translator as a filter between two binary streams."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from keras_attention.translation.base_translator import BaseTranslator
from keras_attention.translation.line_forms import Aligned, LineForm, Plain

WINDOW = 4096  # lines that are translated together, if so many are there
CHUNK = 2**16  # bytes
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def translate_lines(
    translator: BaseTranslator,
    lines: Any,
    output: Any,
    alignments: bool = False,
    *,
    form: LineForm | None = None,
    counts: Counter[str] | None = None,
    report: Callable[[int], object] | None = None,
) -> Counter[str]:
    """Write a line for each line, as soon as it is translated.

    Lines that are there already are translated together; for more, none waits.

    Args:
        translator: what translates.
        lines: binary stream. Only a line feed ends a line; a carriage return before it
            and a byte order mark at the start are dropped, as `text.read_lines` does.
            What is not UTF-8 is translated as U+FFFD.
        output: binary stream, which gets UTF-8.
        alignments: whether to write `source tokens ||| target tokens ||| pairs` in
            place of the translation.
        form: what is written of a line in place of these, of `line_forms`.
        counts: what is added up on the way, as by `Translator.stream`.
        report: called with the number of lines that were translated in a batch.

    Returns:
        What `Translator.stream` counts.

    Raises:
        ValueError: when alignments are asked of a model without attention.
        OSError: when a stream cannot be read or written.
    """
    if form is None:
        form = Aligned() if alignments else Plain()
    window = translator.batch_size if form.with_attention else WINDOW
    counts = Counter() if counts is None else counts
    for some in arriving(lines, window):
        for line in form.lines(translator, some, counts):
            output.write(line.encode() + b"\n")
        output.flush()
        if report is not None:
            report(len(some))
    return counts


def arriving(stream: Any, most: int) -> Iterator[list[bytes]]:
    """The lines of a stream, in lists of those that have arrived, at most `most` each.

    A thread reads ahead, so that whoever takes a list gets what is there and waits for
    the first line alone.
    """
    arrived: queue.Queue[Any] = queue.Queue(most)
    threading.Thread(target=_read_ahead, args=(stream, arrived), daemon=True).start()
    while True:
        some = [arrived.get()]
        with suppress(queue.Empty):
            while len(some) < most:
                some.append(arrived.get_nowait())
        end = None if isinstance(some[-1], bytes) else some.pop()
        if some:
            yield some
        if isinstance(end, EOFError):
            return
        if end is not None:
            raise end


def _read_ahead(stream: Any, arrived: queue.Queue) -> None:
    """Put the lines of a stream into a queue, and then the exception that ended it."""
    try:
        for number, line in enumerate(_split_lines(_chunks(stream))):
            start = b"" if number else BYTE_ORDER_MARK
            arrived.put(line.removeprefix(start).removesuffix(b"\r"))
        arrived.put(EOFError())
    except Exception as error:  # of whatever kind, it must not leave a reader waiting
        arrived.put(error)


def _chunks(stream: Any) -> Iterator[bytes]:
    """The bytes of a stream as they arrive."""
    # A buffered stream would wait for a full buffer, and hold a lock meanwhile that
    # the interpreter needs when it ends.
    raw = getattr(stream, "raw", stream)
    while (chunk := raw.read(CHUNK)) != b"":
        if chunk is None:  # nothing yet, of a stream that never waits
            time.sleep(0.05)
        else:
            yield chunk


def _split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in bytes that come in pieces of any size."""
    begun: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        begun.append(first)
        for other in others:
            yield b"".join(begun)
            begun = [other]
    if last := b"".join(begun):
        yield last
