"""Ids kept in files: those of the tokenizer, whatever stands in the folder."""

import numpy as np
import pytest

from keras_attention.text import CharacterTokenizer, translation_dataset
from keras_attention.text.id_cache import read_or_make_ids

LINES = ["abc", "ba", "c c", "b\nb"]


def batches(folder, lines=LINES, letters="abc ", **options):
    tokenizer = CharacterTokenizer(list(letters))
    options = {"batch_size": 2, "cache": folder, **options}
    dataset = translation_dataset(lines, lines[::-1], tokenizer, tokenizer, **options)
    return [labels.numpy() for _, labels in dataset]


def same(found, expected):
    return len(found) == len(expected) and all(map(np.array_equal, found, expected))


def test_the_second_time_ids_are_read(tmp_path, monkeypatch):
    expected = batches(None)

    assert same(batches(tmp_path / "new" / "ids"), expected)
    monkeypatch.setattr(CharacterTokenizer, "tokenize", None)
    assert same(batches(tmp_path / "new" / "ids"), expected)
    # What batches are made of ids is no part of the cache.
    assert len(batches(tmp_path / "new" / "ids", batch_size=1)) == 4


def test_other_lines_and_other_tokenizers_have_other_files(tmp_path):
    batches(tmp_path)
    assert len([*tmp_path.iterdir()]) == 2  # one a side
    assert same(batches(tmp_path, letters="cba "), batches(None, letters="cba "))
    assert len([*tmp_path.iterdir()]) == 4
    # Together they are the same letters.
    assert same(batches(tmp_path, ["ab", "c"]), batches(None, ["ab", "c"]))
    assert same(batches(tmp_path, ["a", "bc"]), batches(None, ["a", "bc"]))
    assert len([*tmp_path.iterdir()]) == 8


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_a_damaged_file_is_made_anew(tmp_path, size):
    expected = batches(tmp_path)
    whole = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path, content in whole.items():
        path.write_bytes(content[:size])

    assert same(batches(tmp_path), expected)
    assert {path: path.stat().st_size for path in tmp_path.iterdir()} == {
        path: len(content) for path, content in whole.items()
    }


def test_whichever_byte_is_altered_ids_are_the_same(tmp_path):
    tokenizer = CharacterTokenizer(list("abc"))
    expected = read_or_make_ids(LINES, tokenizer, None, tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for index in range(len(content)):
        altered = bytearray(content)
        altered[index] ^= 0xFF
        path.write_bytes(altered)
        assert same(read_or_make_ids(LINES, tokenizer, None, tmp_path), expected)


def test_nothing_is_left_when_a_file_cannot_be_written(tmp_path, monkeypatch):
    def full(path, **arrays):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        batches(tmp_path)
    assert not [*tmp_path.iterdir()]
