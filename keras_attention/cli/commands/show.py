"""The command `show`, which is still to come."""

import argparse
from typing import NoReturn


def run(options: argparse.Namespace) -> NoReturn:
    """Say that it is not implemented yet."""
    raise ValueError(
        "show is not implemented yet: translate --alignments prints which tokens "
        "belong together"
    )
