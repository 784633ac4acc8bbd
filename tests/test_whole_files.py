"""Files that are written whole or not at all."""

import gzip
import lzma
import os
import stat
import threading

import pytest

from keras_attention.text import read_lines
from keras_attention.whole_files import new_file, unpacked

CONTENT = b"one\ntwo\n" * 1000


def write(path, content, overwrite=False, meanwhile=lambda: None):
    with new_file(path, overwrite) as file:
        file.write(content)
        meanwhile()


@pytest.mark.parametrize(
    ("name", "unpack"),
    [("a.txt", bytes), ("a.gz", gzip.decompress), ("a.tsv.xz", lzma.decompress)],
)
def test_a_file_appears_when_it_is_whole(name, unpack, tmp_path):
    path = tmp_path / "deeper" / name
    with new_file(path) as file:
        file.write(CONTENT[:100])
        file.flush()
        assert not path.exists()
        file.write(CONTENT[100:])
    assert unpack(path.read_bytes()) == CONTENT
    assert os.listdir(path.parent) == [name]
    with open(path, "rb") as file:
        assert unpacked(file, path).read() == CONTENT
    assert len(read_lines(path)) == 2000


def test_the_same_content_makes_the_same_bytes(tmp_path):
    for name in ("a.gz", "b.gz"):
        write(tmp_path / name, CONTENT)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
def test_what_fails_leaves_what_was_there(error, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"before")

    def fail():
        raise error

    with pytest.raises(error):
        write(path, CONTENT, overwrite=True, meanwhile=fail)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == [name]


def test_a_file_is_replaced_when_asked_for_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"before")
    path.chmod(0o600)
    with pytest.raises(FileExistsError, match=r"a\.txt"):
        write(path, b"after")
    write(path, b"after", overwrite=True)
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name == "nt"


def test_a_file_that_came_in_between_is_kept(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(FileExistsError):
        write(path, b"mine", meanwhile=lambda: path.write_bytes(b"theirs"))
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a directory"):
        write(tmp_path, b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_a_pipe_is_written_at_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write(path, b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gz", gzip.compress(CONTENT, mtime=0)[:-9]),
        ("a.gz", b"no gzip at all"),
        ("a.gz", gzip.compress(CONTENT, mtime=0)[:20] + b"\xff" * 30),
        ("a.xz", lzma.compress(CONTENT)[:-9]),
        ("a.xz", b"no xz at all"),
    ],
    ids=["cut gz", "no gz", "altered gz", "cut xz", "no xz"],
)
def test_damage_is_said_with_the_name_of_the_file(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}' is damaged"):
        read_lines(path)


def test_what_others_write_is_left_alone(tmp_path):
    other = tmp_path / f".unfinished-{os.getpid()}-a.txt"
    other.write_bytes(b"theirs")
    path = tmp_path / "a.txt"
    with new_file(path) as file, new_file(tmp_path / "b.txt") as beside:
        file.write(b"a")
        beside.write(b"b")
    assert other.read_bytes() == b"theirs"
    assert path.read_bytes() == b"a"


class Failing:
    def read(self, size):
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
def test_what_cannot_be_read_is_named(name):
    with pytest.raises(OSError, match="Input/output error") as raised:
        unpacked(Failing(), name).read()
    assert raised.value.filename == name
