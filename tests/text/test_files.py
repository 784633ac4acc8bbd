"""Files of parallel text, good and bad."""

import gzip
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_attention.text import read_lines, read_pairs, read_parallel


@pytest.fixture
def write(tmp_path):
    def write_file(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_file


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\nb\n\n", ["a", "", "b", ""]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", ["a", "\ufeffb"]),
        (
            " a \u2028b\x0bc\x85d\re\n둘리 ".encode(),
            [" a \u2028b\x0bc\x85d\re", "둘리 "],
        ),
    ],
)
def test_lines(write, data, lines):
    path = write("lines.txt", data)
    assert read_lines(path) == lines
    assert read_lines(str(path)) == lines


letters = st.characters(exclude_characters="\n\r\t", exclude_categories=["Cs"])


@settings(deadline=None)
@given(lines=st.lists(st.text(letters)))
def test_lines_come_back(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    expected = lines.copy()
    if lines and lines[0].startswith("\ufeff"):
        expected[0] = lines[0][1:]
    assert read_lines(path) == expected


def test_missing_files_are_named(tmp_path, write):
    present = write("present", b"a\n")
    with pytest.raises(FileNotFoundError, match="absent"):
        read_lines(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="absent"):
        read_parallel(present, tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="absent"):
        read_pairs(tmp_path / "absent")


@pytest.mark.parametrize(
    ("data", "byte", "line"),
    [
        (b"a\nb\n\xffc\n", "0xff", 3),
        (b"\xef\xbb\xbfa\r\n\xe3\x81", "0xe3", 2),
        ("a\n".encode("utf-16"), "0xff", 1),
        ("é\n".encode("latin-1"), "0xe9", 1),
    ],
)
def test_files_of_other_encodings_are_refused(write, data, byte, line):
    path = write("latin.txt", data)
    message = rf"latin\.txt' must be UTF-8.*{byte} in line {line}$"
    for read in (read_lines, read_pairs):
        with pytest.raises(ValueError, match=message):
            read(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_characters_without_a_mark_are_refused(write, encoding):
    path = write("wide.txt", "a line, 한\n".encode(encoding))
    with pytest.raises(ValueError, match=r"wide\.txt' must be UTF-8.*U\+0000"):
        read_lines(path)
    some = write("some.txt", b"a\0b\n\0\n")
    assert read_lines(some) == ["a\0b", "\0"]


def test_parallel(write):
    source, target = write("en", b"a\nb\n"), write("ko", "가\r\n나".encode())
    assert read_parallel(source, target) == (["a", "b"], ["가", "나"])
    longer = write("longer", "가\n나\n \n\n".encode())
    assert read_parallel(source, longer) == (["a", "b"], ["가", "나"])
    assert read_parallel(longer, source) == (["가", "나"], ["a", "b"])


def test_parallel_files_of_different_length_are_refused(write):
    source, target = write("en", b"a\nb\n\n"), write("ko", b"a\n\nc\nd\ne\n")
    message = r"Parallel files.*en' with 3 lines, '.*ko' with 5 lines"
    with pytest.raises(ValueError, match=message):
        read_parallel(source, target)


def test_pairs(write):
    path = write("pairs.tsv", "Go.\t가.\r\nHi.\t\n\t안녕\n\n".encode())
    assert read_pairs(path) == (["Go.", "Hi.", ""], ["가.", "", "안녕"])


def test_columns_after_the_second_are_said_to_be_ignored(write):
    path = write("pairs.tsv", "Go.\t가.\tCC-BY\tx\r\nHi.\t안녕\nYes\t네\t\n".encode())
    message = r"pairs\.tsv' has more than two columns in 2 of 3 lines"
    with pytest.warns(UserWarning, match=message):
        assert read_pairs(path) == (["Go.", "Hi.", "Yes"], ["가.", "안녕", "네"])


def test_long_rows_are_not_quoted_whole(write):
    path = write("pairs.tsv", b"a" * 100_000)
    with pytest.raises(ValueError, match="line 1, 'a{60}...'$"):
        read_pairs(path)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_packed_files_are_unpacked_if_their_name_says_so(write, suffix):
    packed = {".gz": gzip.compress, ".xz": lzma.compress}[suffix](b"a\tb\n")
    assert read_pairs(write(f"pairs.tsv{suffix}", packed)) == (["a"], ["b"])
    path = write("pairs.tsv", packed)
    with pytest.raises(ValueError, match=rf"pairs\.tsv' must be text.*'{suffix}'"):
        read_pairs(path)


@pytest.mark.parametrize("row", [b"Hi. ", b""])
def test_rows_without_two_columns_are_refused(write, row):
    path = write("pairs.tsv", b"Go.\tVa !\n" + row + b"\nRun!\tCours !\n")
    message = rf"pairs\.tsv' must have two columns.*line 2, '{row.decode()}'"
    with pytest.raises(ValueError, match=message):
        read_pairs(path)
