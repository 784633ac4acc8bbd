"""Packages that come with an extra, and errors that name it where one is missing."""

import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution

DISTRIBUTION = "keras-attention-layers"
NAMESAKE = "keras-attention"


class MissingExtraError(ImportError):
    """Something is asked for that needs an extra of this package."""


def is_installed(module: str) -> bool:
    """Whether there is a module of the first level, which is not imported for it."""
    if sys.modules.get(module) is not None:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # of a finder that keeps it away
        return False


@contextmanager
def needs(module: str, *, extra: str, by: str) -> Iterator[None]:
    """Import in its body what an extra installs.

    Args:
        module: which the body imports, directly or not.
        extra: by which it is installed.
        by: who needs it.

    Raises:
        MissingExtraError: where the module is not installed, with the command that
            installs it. One that is installed and fails is heard itself.

    Example:
    >>> with needs(
    ...     "mars", extra="plot", by="plot"
    ... ):  # doctest: +IGNORE_EXCEPTION_DETAIL
    ...     import mars
    Traceback (most recent call last):
    MissingExtraError: plot needs mars, which is not installed: pip install "...[plot]"
    """
    try:
        yield
    except ImportError as error:
        if is_installed(module):
            raise
        raise MissingExtraError(
            f"{by} needs {module}, which is not installed: "
            f'pip install "{DISTRIBUTION}[{extra}]"',
            name=module,
        ) from error


def warn_of_namesake() -> None:
    """Warn where another distribution writes a package of this name."""
    try:
        other, _ = distribution(NAMESAKE), distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return
    warnings.warn(
        f"{NAMESAKE} {other.version} and {DISTRIBUTION} are both installed. They are "
        "unrelated, and write files of one package, `keras_attention`: uninstall both "
        f"and install {DISTRIBUTION} again.",
        stacklevel=3,
    )
