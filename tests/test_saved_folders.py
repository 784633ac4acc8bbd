"""Folders appear whole or not at all, and replace only their own kind."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.saved_folders import (
    check_free,
    new_folder,
    read_manifest,
    write_manifest,
)

MARKER = "marker.json"


def make(path, content, **options):
    with new_folder(path, MARKER, **options) as folder:
        (folder / MARKER).write_text(content)
        (folder / content).mkdir()
        (folder / content / "part").write_text("part")


def contents(path):
    """Names and texts of all files under a folder."""
    files = (file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_text() for file in files}


def whole(name, content):
    return {f"{name}/{MARKER}": content, f"{name}/{content}/part": "part"}


@pytest.mark.parametrize("prepare", [lambda path: None, Path.mkdir])
def test_a_folder_is_made_where_there_is_none_or_an_empty_one(tmp_path, prepare):
    prepare(tmp_path / "made")
    make(str(tmp_path / "made"), "first")
    assert contents(tmp_path) == whole("made", "first")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_parents_are_made(tmp_path):
    make(tmp_path / "a" / "b", "first")
    assert contents(tmp_path / "a") == whole("b", "first")


def test_nothing_stands_at_the_path_before_the_end(tmp_path):
    with new_folder(tmp_path / "made", MARKER) as folder:
        assert not (tmp_path / "made").exists()
        assert folder.parents[1] == tmp_path
    assert (tmp_path / "made").is_dir()


def test_the_old_folder_stands_until_the_end_and_is_replaced_wholly(tmp_path):
    make(tmp_path / "made", "first")
    with new_folder(tmp_path / "made", MARKER, overwrite=True) as folder:
        (folder / MARKER).write_text("second")
        assert whole("made", "first").items() <= contents(tmp_path).items()
    assert contents(tmp_path) == {f"made/{MARKER}": "second"}


def test_its_own_kind_is_not_replaced_unasked(tmp_path):
    make(tmp_path / "made", "first")
    with pytest.raises(FileExistsError, match=r"`overwrite=True`.*made'"):
        make(tmp_path / "made", "second")
    assert contents(tmp_path) == whole("made", "first")


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_folders_and_files_are_never_replaced(tmp_path, overwrite):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    for path in (foreign, foreign / "thesis.txt"):
        with pytest.raises(FileExistsError, match=rf"`path` holds .*{path.name}'"):
            check_free(path, MARKER, overwrite)
        with pytest.raises(FileExistsError, match=rf"`path` holds .*{path.name}'"):
            make(path, "second", overwrite=overwrite)
    assert contents(tmp_path) == {"foreign/thesis.txt": "years of work"}


def test_what_appears_meanwhile_is_not_replaced(tmp_path):
    def work_beside():
        with new_folder(tmp_path / "made", MARKER, overwrite=True):
            (tmp_path / "made").mkdir()
            (tmp_path / "made" / "thesis.txt").write_text("years of work")

    with pytest.raises(FileExistsError, match="`path` holds"):
        work_beside()
    assert contents(tmp_path) == {"made/thesis.txt": "years of work"}


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("existed", [False, True])
def test_a_failure_while_writing_changes_nothing(tmp_path, error, existed):
    if existed:
        make(tmp_path / "made", "first")
    before = contents(tmp_path)

    def fail():
        with new_folder(tmp_path / "made", MARKER, overwrite=True) as folder:
            (folder / "half").write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert contents(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == existed


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_while_moving_brings_the_old_folder_back(
    tmp_path, monkeypatch, error
):
    make(tmp_path / "made", "first")
    rename = Path.rename

    def fail(self, target):
        if self.name == "second":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(error):
        make(tmp_path / "made", "second", overwrite=True)
    assert contents(tmp_path) == whole("made", "first")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_folder_remains_the_same_with_another_content(tmp_path, monkeypatch):
    make(tmp_path / "disk" / "made", "first")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "made")
    identity = (tmp_path / "disk" / "made").stat().st_ino
    make(tmp_path / "link", "second", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    monkeypatch.chdir(tmp_path / "disk" / "made")
    make("../made", "third", overwrite=True)
    assert contents(Path.cwd()) == {MARKER: "third", "third/part": "part"}
    make(".", "fourth", overwrite=True)
    assert contents(tmp_path / "disk") == whole("made", "fourth")
    assert (tmp_path / "disk" / "made").stat().st_ino == identity
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["made"]


def test_one_may_stand_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(".", "first")
    assert contents(tmp_path) == {MARKER: "first", "first/part": "part"}


def test_what_a_killed_process_left_is_no_content(tmp_path):
    (tmp_path / "made" / ".unfinished-1").mkdir(parents=True)
    make(tmp_path / "made", "first")
    assert contents(tmp_path) == whole("made", "first")


def test_the_marker_is_there_while_all_is_there(tmp_path, monkeypatch):
    make(tmp_path / "made", "first")
    rename, seen = Path.rename, []

    def watch(self, target):
        rename(self, target)
        seen.append(sorted(path.name for path in (tmp_path / "made").glob("[!.]*")))

    monkeypatch.setattr(Path, "rename", watch)
    make(tmp_path / "made", "second", overwrite=True)
    assert seen == [["first"], [], ["second"], [MARKER, "second"]]


def test_no_name_is_no_folder():
    with pytest.raises(ValueError, match="`path` must name a folder"):
        check_free("", MARKER)


def test_free_paths_pass(tmp_path):
    make(tmp_path / "made", "first")
    (tmp_path / "empty").mkdir()
    check_free(tmp_path / "made", MARKER, overwrite=True)
    check_free(tmp_path / "empty", MARKER)
    check_free(tmp_path / "absent", MARKER)


CONTENT = {"sizes": (3, 5), "by number": {7: 0.1}, "name": "둘리"}
FILES = ("a.bin", "b.txt")


def described(folder):
    folder.mkdir(exist_ok=True)
    (folder / "a.bin").write_bytes(bytes(range(256)))
    (folder / "b.txt").write_text("text")
    write_manifest(folder, MARKER, "sort", 3, CONTENT)
    return folder


def read(folder):
    return read_manifest(folder, MARKER, "sort", 3, FILES)


def test_a_manifest_comes_back(tmp_path):
    found = read(str(described(tmp_path)))
    assert found["sizes"] == [3, 5]
    assert found["by number"] == {"7": 0.1}
    assert found["name"] == "둘리"


@pytest.mark.parametrize("name", [MARKER, *FILES])
def test_a_missing_file_is_named(tmp_path, name):
    (described(tmp_path) / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"there is no {name} in it"):
        read(tmp_path)


@given(st.sampled_from(FILES), st.integers(0, 255), st.integers(1, 255))
def test_any_changed_byte_is_noticed(tmp_path_factory, name, position, change):
    folder = described(tmp_path_factory.mktemp("folder"))
    data = bytearray((folder / name).read_bytes())
    data[position % len(data)] ^= change
    (folder / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name}' is truncated, altered"):
        read(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_shorter_file_is_noticed(tmp_path, name):
    data = (described(tmp_path) / name).read_bytes()
    (tmp_path / name).write_bytes(data[:-1])
    with pytest.raises(ValueError, match=rf"{name}' is truncated, altered"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "truncated or not JSON"),
        (lambda text: "", "truncated or not JSON"),
        (lambda text: "[" * 100_000, "truncated or not JSON"),
        (lambda text: "\udcff", "truncated or not JSON"),
        (lambda text: "[]", "does not describe a sort"),
        (lambda text: text.replace("sort", "another"), "does not describe a sort"),
        (lambda text: text.replace('"version": 3', '"version": 5'), "of version 5"),
        (lambda text: text.replace("0.1", "0.2"), "was altered"),
        (lambda text: text.replace('"sha256": "', '"sha256": "0'), "was altered"),
        (lambda text: text.replace('"sha256"', '"sha"'), "was altered"),
    ],
)
def test_a_changed_manifest_is_noticed(tmp_path, change, message):
    path = described(tmp_path) / MARKER
    path.write_text(change(path.read_text()), errors="surrogateescape")
    with pytest.raises(ValueError, match=rf"{MARKER}' .*{message}"):
        read(tmp_path)


def test_a_manifest_must_name_the_file(tmp_path):
    (described(tmp_path) / "c.txt").write_text("added")
    with pytest.raises(ValueError, match=r"c\.txt' is .*of another folder"):
        read_manifest(tmp_path, MARKER, "sort", 3, (*FILES, "c.txt"))


def test_a_manifest_is_text_for_people(tmp_path):
    text = (described(tmp_path) / MARKER).read_text()
    assert json.loads(text)["sizes"] == [3, 5]
    assert len(text.splitlines()) > 10
