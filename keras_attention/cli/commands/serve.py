"""The command `serve`, which is still to come."""

import argparse
from typing import NoReturn


def run(options: argparse.Namespace) -> NoReturn:
    """Say that it is not implemented yet."""
    raise ValueError(
        "serve is not implemented yet: examples/server.py answers requests by an "
        "exported SavedModel"
    )
