"""A quick run takes some parameters of each test, and other ones at each commit."""

import itertools
import subprocess
import sys

import pytest

from tests.backends import ROOT
from tests.selection import name_to_draw, seed_of_commit, select

SIZES = range(1, 18)
TESTS = {
    f"tests/test_it.py::test_{size}": [
        f"tests/test_it.py::test_{size}[{index}]" for index in range(size)
    ]
    for size in SIZES
}
NAMES = [name for names in TESTS.values() for name in names]


@pytest.mark.parametrize("every", [1, 2, 4, 7, 16])
def test_each_test_keeps_its_share(every):
    for seed in range(20):
        taken = select(NAMES, every, seed)
        for names in TESTS.values():
            step = min(every, len(names))
            count = len(taken & set(names))
            assert len(names) // step <= count <= -(-len(names) // step)
            assert count >= 1


@pytest.mark.parametrize("every", [2, 4, 5])
def test_seeds_in_a_row_take_every_parameter(every):
    for first in (0, 300 * every):
        taken = [select(NAMES, every, first + place) for place in range(every)]
        assert set.union(*taken) == set(NAMES)
        long = {name for name in NAMES if "_17[" in name}
        assert not set.intersection(*taken) & long


def test_a_grid_of_powers_of_two_is_not_aliased():
    sizes = (4, 4, 2, 2)
    grid = list(itertools.product(*map(range, sizes)))
    name_of = {point: f"test.py::test_grid[{point}]" for point in grid}
    for seed in range(8):
        taken = select(name_of.values(), 4, seed)
        points = [point for point in grid if name_of[point] in taken]
        assert len(points) == len(grid) // 4
        assert [len(set(values)) for values in zip(*points, strict=True)] == [*sizes]


def test_what_is_taken_depends_on_names_and_seed_alone():
    taken = select(NAMES, 4, 31)
    assert select(reversed(NAMES), 4, 31) == taken
    code = f"from tests.selection import select; print(sorted(select({NAMES}, 4, 31)))"
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert printed.strip() == str(sorted(taken))
    # A test beside it changes nothing.
    few = [name for name in NAMES if "_11[" in name]
    assert select(few, 4, 31) == taken & set(few)
    # As far apart as gates of one commit's size, seeds take others.
    assert len({frozenset(select(few, 4, seed)) for seed in range(0, 80, 4)}) > 10


def test_tests_of_a_file_share_what_they_take():
    one = [name for name in NAMES if "_17[" in name]
    taken = select(one, 4, 31)
    for old, new, same in (("_17", "_other", True), ("test_it", "test_that", False)):
        other = select([name.replace(old, new) for name in one], 4, 31)
        assert (other == {name.replace(old, new) for name in taken}) is same


class _Item:
    def __init__(self, nodeid, *markers):
        self.nodeid, self.markers = nodeid, markers

    def get_closest_marker(self, name):
        return name if name in self.markers else None


def test_of_slow_tests_some_are_taken():
    slow = [_Item(f"tests/test_{name}.py::test_it", "slow") for name in "abcdefgh"]
    quick = [_Item(f"tests/test_{name}.py::test_it", "whole") for name in "ijk"]
    names = {name_to_draw(item): item for item in (*slow, *quick)}
    taken = [{names[name] for name in select(names, 4, seed)} for seed in range(4)]
    assert all(part >= set(quick) for part in taken)
    assert all(len(part & set(slow)) == 2 for part in taken)
    assert set.union(*taken) == {*slow, *quick}
    assert len(select([name_to_draw(slow[0])], 4, 1)) == 1


def _git(folder, *arguments):
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def test_the_seed_follows_the_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    outside, repository = tmp_path / "outside", tmp_path / "repository"
    for folder in (outside, repository):
        folder.mkdir()
    assert seed_of_commit(outside) == 0
    _git(repository, "init", "--quiet")
    assert seed_of_commit(repository) == 0
    commit = ("commit", "--quiet", "--allow-empty", "--message")
    for count in (1, 2, 3):
        _git(repository, *commit, str(count))
        assert seed_of_commit(repository) == count
    clone = ("clone", "--quiet", "--depth", "1", repository.as_uri())
    _git(tmp_path, *clone, "shallow")
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository)
    assert seed_of_commit(tmp_path / "shallow") == int(head[:8], 16)
    monkeypatch.setenv("PATH", "")
    assert seed_of_commit(repository) == 0
