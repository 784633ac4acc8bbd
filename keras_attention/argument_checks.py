"""Checks of constructor arguments, with messages that show the value received."""

import functools
import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_numpy(function: Function) -> Function:
    """Convert NumPy numbers among the arguments of a constructor to Python's.

    What an array or a table of results holds is as good a size or rate as any other,
    and a configuration of Python's numbers alone can be written as JSON.

    Example:
    >>> takes_numpy(lambda *sizes: sizes)(np.int64(3), [np.float64(0.5)], np.ones(2))
    (3, [0.5], [1.0, 1.0])
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_plain, args), **_plain(kwargs))

    # Keras asks for the names of a constructor's arguments in a way that does not look
    # through wrappers.
    wrapped.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return cast(Function, wrapped)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if type(value) in (list, tuple):
        return type(value)(_plain(part) for part in value)
    if type(value) is dict:
        return {name: _plain(part) for name, part in value.items()}
    return value


SEQUENCE = "batch, length, dim"
"""The axes of a batch of sequences of vectors, as `check_axes` takes them."""


def check_positive(**arguments: Any) -> None:
    """Raise unless each argument is a positive integer."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(
                f"The argument `{name}` must be a positive integer. "
                f"Received: {name}={value!r}"
            )


def check_count(**arguments: Any) -> None:
    """Raise unless each argument is a non-negative integer."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(
                f"`{name}` must be a non-negative integer. Received: {name}={value!r}"
            )


def check_index(count: int, **arguments: Any) -> None:
    """Raise unless each argument is a valid index, which may count from the end."""
    for name, value in arguments.items():
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        if not is_integer or not -count <= value < count:
            raise ValueError(
                f"`{name}` must be a valid index of {count} items. "
                f"Received: {name}={value!r}"
            )


def check_positive_number(**arguments: Any) -> None:
    """Raise unless each argument is a finite number above zero."""
    for name, value in arguments.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 < value < math.inf:
            raise ValueError(
                f"`{name}` must be a positive number. Received: {name}={value!r}"
            )


def check_number(least: float, most: float, **arguments: Any) -> None:
    """Raise unless each argument is a finite number within two bounds, or at one."""
    for name, value in arguments.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            limits = (
                f"from {least} on" if most == math.inf else f"from {least} to {most}"
            )
            raise ValueError(
                f"`{name}` must be a number {limits}. Received: {name}={value!r}"
            )


def check_rate(**arguments: Any) -> None:
    """Raise unless each argument is a number from 0 up to, but not including, 1."""
    for name, value in arguments.items():
        if not isinstance(value, int | float) or not 0 <= value < 1:
            raise ValueError(
                f"`{name}` must be at least 0 and below 1. Received: {name}={value!r}"
            )


def check_choice(choices: Iterable[Any], **arguments: Any) -> None:
    """Raise unless each argument is one of `choices`."""
    choices = tuple(choices)
    for name, value in arguments.items():
        if value not in choices:
            raise ValueError(
                f"`{name}` must be one of {choices}. Received: {name}={value!r}"
            )


def check_divides(divisor_name: str, divisor: int, name: str, value: int) -> None:
    """Raise unless `divisor` divides `value`."""
    if value % divisor:
        raise ValueError(
            f"`{divisor_name}` must divide `{name}`. "
            f"Received: {divisor_name}={divisor}, {name}={value}"
        )


def check_axes(axes: str, **shapes: Any) -> None:
    """Raise unless each shape has the axes that are named.

    Args:
        axes: such as `"batch, length, dim"`; `...` stands for one or more.
        **shapes: the shapes of tensors by the names of their arguments, or `None`.
    """
    rank, is_open = axes.count(",") + 1, "..." in axes
    for name, shape in shapes.items():
        if shape is None or len(shape) == rank or (is_open and len(shape) > rank):
            continue
        count = f"{rank} axes or more" if is_open else f"{rank} axes"
        raise ValueError(
            f"`{name}` must have {count}, ({axes}). "
            f"Received: {name}.shape={tuple(shape)}"
        )


def check_given(**shapes: Any) -> None:
    """Raise unless each tensor is given: wrappers may pass on the first one only.

    Args:
        **shapes: the shapes of tensors by the names of their arguments, or `None`.
    """
    for name, shape in shapes.items():
        if shape is None:
            raise ValueError(
                f"`{name}` is missing. `keras.layers.TimeDistributed` passes on one "
                "tensor alone: put its steps into the batch by a reshape before and "
                f"after. Received: {name}=None"
            )


def check_attended(
    axes: str, query_shape: Any, value_shape: Any, key_shape: Any = None
) -> None:
    """Raise unless queries can attend to values by keys.

    Args:
        axes: of each of them, as in `check_axes`.
        query_shape: of the queries.
        value_shape: of the values, with as many axes.
        key_shape: of the keys, as many as there are values; `None` for the values.
    """
    key_shape = value_shape if key_shape is None else key_shape
    value_axes, key_axes = value_shape[1:-1], key_shape[1:-1]
    if len(value_shape) != len(key_shape) or any(
        None not in pair and pair[0] != pair[1]
        for pair in zip(value_axes, key_axes, strict=True)
    ):
        raise ValueError(
            "The lengths of `key` and `value` must be equal. Received: "
            f"key.shape={tuple(key_shape)}, value.shape={tuple(value_shape)}"
        )
    check_axes(axes, query=query_shape, value=value_shape)
    if len(query_shape) != len(value_shape):
        raise ValueError(
            "`query` and `value` must have the same number of axes. Received: "
            f"query.shape={tuple(query_shape)}, value.shape={tuple(value_shape)}"
        )
