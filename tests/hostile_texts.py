"""Byte strings that a program might break on."""

import random
from collections.abc import Callable, Iterator

LONG = 100_000

# Every way in which bytes fail to be UTF-8.
INVALID = (
    b"\x80",  # a continuation of nothing
    b"\xbf\xbf\xbf",
    b"\xc3",  # sequences that are cut
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xc0\xaf",  # longer than they need be
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xed\xa0\x80",  # surrogates, alone and as a pair
    b"\xed\xbf\xbf",
    b"\xed\xa0\xbd\xed\xb8\x80",
    b"\xf4\x90\x80\x80",  # behind the last code point
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xc3\x28",  # begun and not continued
    b"\xe2\x28\xa1",
)
BLANKS = " \t\n\r\x0b\x0c\x1c\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000\ufeff\u200b"
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
JOINERS = "\u034f\u115f\u1160\u17b4\u180e\u200c\u200d\u2060\ufe0f\uffa0"
MARKERS = ("[PAD]", "[UNK]", "<pad>", "<unk>", "<s>", "</s>", "\u2581", "<0x00>", "%s")


def _characters(rng: random.Random, first: int, last: int, most: int = 40) -> bytes:
    points = (rng.randint(first, last) for _ in range(rng.randint(1, most)))
    return "".join(map(chr, points)).encode("utf-8", "surrogatepass")


def _mixed(rng: random.Random, parts: list[bytes], most: int = 12) -> bytes:
    return b"".join(rng.choice(parts) for _ in range(rng.randint(1, most)))


def _encoded(parts: str) -> list[bytes]:
    return [part.encode() for part in parts]


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "empty": lambda rng: b"",
    "blank": lambda rng: _mixed(rng, _encoded(BLANKS), 30),
    "one plane": lambda rng: _characters(
        rng, plane := 0x10000 * rng.randrange(17), plane + 0xFFFF
    ),
    "all planes": lambda rng: _characters(rng, 0, 0x10FFFF),
    "combining": lambda rng: b"e" + _characters(rng, 0x300, 0x36F, 400),
    "directions": lambda rng: _mixed(rng, [*_encoded(DIRECTIONS), b"a", b"\xd7\x90"]),
    "joiners": lambda rng: _mixed(rng, [*_encoded(JOINERS), b"\xf0\x9f\x91\xa9"], 60),
    "controls": lambda rng: _characters(rng, 0, 0x1F),
    "nothing between": lambda rng: b"one\0two" + b"\0" * rng.randint(1, 20),
    "invalid": lambda rng: _mixed(rng, [*INVALID, b"a", b" "]),
    "invalid at the end": lambda rng: b"What is it? " + rng.choice(INVALID),
    "random bytes": lambda rng: rng.randbytes(rng.randint(1, 200)),
    "markers": lambda rng: _mixed(rng, [*_encoded(MARKERS), b" "]),
    "syllables": lambda rng: _characters(rng, 0xAC00, 0xD7A3),
    "jamo": lambda rng: _characters(rng, 0x1100, 0x11FF),
    "words": lambda rng: _mixed(rng, [b"you ", b"name ", b"is ", b"what? ", b"1,000 "]),
}
LONG_KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    lambda rng: b"a" * LONG,
    lambda rng: b"ab " * (LONG // 3),
    lambda rng: b" " * LONG,
    lambda rng: "가".encode() * LONG,
    lambda rng: b"e" + "\u0301".encode() * LONG,
    lambda rng: rng.choice(INVALID) * LONG,
    lambda rng: rng.randbytes(LONG),
)


def hostile_texts(count: int, seed: int = 0, long_ones: int = 7) -> Iterator[bytes]:
    """So many byte strings, of all kinds in turn, some of them very long."""
    rng = random.Random(seed)
    makers = list(KINDS.values())
    every = max(count // max(long_ones, 1), 1)
    for number in range(count):
        if long_ones and number % every == every - 1:
            yield LONG_KINDS[number // every % len(LONG_KINDS)](rng)
        else:
            yield makers[number % len(makers)](rng)


def lines_of(data: bytes) -> list[bytes]:
    """The lines that are read from some bytes, by another way."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines[: len(lines) - (not lines[-1])]]
