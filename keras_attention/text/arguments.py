"""Checks of arguments that several functions of this package take."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def check_integer(name: str, value: Any, minimum: int) -> int:
    """Returns `value` as an `int` of at least `minimum`.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed; NumPy integers are welcome.
        minimum: The smallest value allowed.

    Raises:
        ValueError: If `value` is no integer, or below `minimum`.

    Example:
    >>> check_integer("bucket", 8, minimum=1)
    8
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        number = minimum - 1
    if number < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. "
            f"Received: {name}={value!r}"
        )
    return number


def check_boolean(name: str, value: Any) -> bool:
    """Returns `value`, which must be `True` or `False`.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.

    Raises:
        ValueError: If `value` is neither `True` nor `False`.

    Example:
    >>> check_boolean("lowercase", True)
    True
    """
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False. Received: {name}={value!r}")
    return value


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Returns `value`, which must be one of `choices`.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        choices: What is allowed.

    Raises:
        ValueError: If `value` is none of them.

    Example:
    >>> check_choice("model_type", "bpe", ("unigram", "bpe"))
    'bpe'
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"`{name}` must be one of {tuple(choices)}. Received: {name}={value!r}"
        )
    return value


def check_symbols(name: str, symbols: Iterable[str]) -> tuple[str, ...]:
    """Returns `symbols` as a tuple of different strings without blanks.

    Args:
        name: The argument's name, for the message.
        symbols: An iterable of `str`.

    Raises:
        ValueError: If `symbols` is a single string, or holds anything but strings
            without blanks, or one of them twice.

    Example:
    >>> check_symbols("user_symbols", ["<URL>"])
    ('<URL>',)
    """
    listed = check_lines(name, symbols, "symbol")
    for symbol in listed:
        has_blank = symbol.split() != [symbol] or min(symbol) <= " "
        if has_blank or listed.count(symbol) > 1:
            raise ValueError(
                f"`{name}` must hold different strings without blanks. "
                f"Received: {name}={listed!r}"
            )
    return tuple(listed)


def check_lines(name: str, lines: Iterable[str], unit: str = "sentence") -> list[str]:
    """Returns `lines` as a list of strings.

    Args:
        name: The argument's name, for the message.
        lines: An iterable of `str`, one sentence each.
        unit: What each string is, for the message.

    Raises:
        ValueError: If `lines` is a single string, or holds anything but `str`.

    Example:
    >>> check_lines("lines", ("a", "b"))
    ['a', 'b']
    """
    if isinstance(lines, str | bytes) or not isinstance(lines, Iterable):
        raise ValueError(
            f"`{name}` must be an iterable of strings, one a {unit}. "
            f"Received: {name}={lines!r}"
        )
    listed = list(lines)
    for index, line in enumerate(listed):
        if not isinstance(line, str):
            raise ValueError(
                f"`{name}` must hold strings only. Received: {name}[{index}]={line!r}"
            )
    return listed


def check_pairs(
    source_lines: Iterable[str], target_lines: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Returns both sides of a parallel text as lists of equal length.

    Args:
        source_lines: The source sentences.
        target_lines: Their translations, in the same order.

    Raises:
        ValueError: If a side is not an iterable of `str`, the sides differ in
            length, or both are empty.

    Example:
    >>> check_pairs(["a"], ["b"])
    (['a'], ['b'])
    """
    sources = check_lines("source_lines", source_lines)
    targets = check_lines("target_lines", target_lines)
    if len(sources) != len(targets):
        raise ValueError(
            "`source_lines` and `target_lines` must be of one length. "
            f"Received: {len(sources)} source lines, {len(targets)} target lines"
        )
    if not sources:
        raise ValueError(
            "`source_lines` must hold at least one sentence. Received: 0 lines"
        )
    return sources, targets


def encode_strings(strings: Any) -> list[bytes]:
    """Returns a batch of strings as bytes, `str` encoded as UTF-8.

    Lone surrogates become invalid bytes, which are to be replaced.

    Args:
        strings: A list or array of `str` or `bytes`.

    Raises:
        ValueError: If `strings` is one string, not of rank 1, or holds anything
            but strings.

    Example:
    >>> encode_strings(["a", b"b"])
    [b'a', b'b']
    """
    is_array = hasattr(strings, "__array__") and np.ndim(strings) == 1
    if not is_array and not isinstance(strings, list | tuple):
        raise ValueError(
            "`strings` must be a list of strings or a string tensor of shape (batch,). "
            f"Received: strings={strings!r}"
        )
    return [_utf8(string) for string in strings]


def _utf8(string: Any) -> bytes:
    if isinstance(string, str):
        return string.encode("utf-8", "surrogatepass")
    if isinstance(string, bytes):
        return bytes(string)
    raise ValueError(
        f"`strings` must hold strings only. Received: an element {string!r}"
    )
