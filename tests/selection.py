"""Which parameters of a test a quick run takes."""

import hashlib
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SLOW = "slow["  # begins the name of a slow test
SLOWLY = 6  # how many times as rarely as parameters they are drawn


def select(names: Iterable[str], every: int, seed: int) -> set[str]:
    """One in `every` of the parameters of each test, drawn by their names.

    Of each test at least one is taken. As many seeds as `every` that follow one another
    from a multiple of it take each parameter once; later ones draw afresh. Tests of one
    file with the same parameters take the same ones, so that they share fixtures.

    Args:
        names: of tests with their parameters, `file.py::test[parameter]`.
        every: one in how many is taken.
        seed: another one takes others.
    """
    by_test = defaultdict(list)
    for name in names:
        by_test[name.partition("[")[0]].append(name)
    taken: set[str] = set()
    for parameters in by_test.values():
        step = min(every, len(parameters))
        deal, place = divmod(seed, step)
        taken.update(_shuffle(parameters, deal)[place::step])
    return taken


def name_to_draw(item: Any) -> str:
    """A name of a test for `select`: slow ones are as the parameters of one."""
    is_slow = item.get_closest_marker("slow") is not None
    return f"{SLOW}{item.nodeid}]" if is_slow else item.nodeid


def seed_of_commit(folder: Path) -> int:
    """A number that changes with the commit: how many there are, where all are known.

    In a shallow clone it is of the commit's hash, and without a repository it is 0.
    """
    if _git(folder, "rev-parse", "--is-shallow-repository") == "false":
        return int(_git(folder, "rev-list", "--count", "HEAD") or 0)
    return int(_git(folder, "rev-parse", "HEAD")[:8] or "0", 16)


def _shuffle(names, deal):
    def digest(name):
        file, parameter = name.partition("::")[0], name.partition("[")[2]
        return hashlib.sha256(f"{deal} {file} {parameter}".encode()).digest()

    return sorted(names, key=digest)


def _git(folder, *arguments):
    try:
        process = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return process.stdout.strip()
