"""What batches cannot be made of is refused, with the argument and what it was."""

import pytest

from keras_attention.text import (
    CharacterTokenizer,
    language_dataset,
    translation_dataset,
)

LETTERS = CharacterTokenizer(list("abcdefg"))


def make(sources, targets, **options):
    options = {"batch_size": 11, **options}
    return translation_dataset(sources, targets, LETTERS, LETTERS, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": None}, "exactly one.*batch_tokens=None, batch_size=None"),
        ({"batch_tokens": 97}, "exactly one.*batch_tokens=97, batch_size=11"),
        ({"batch_size": 0}, "`batch_size` must.*batch_size=0"),
        ({"batch_size": None, "batch_tokens": -1}, "`batch_tokens` must.*=-1"),
        ({"max_length": 1}, "`max_length` must.*max_length=1"),
        ({"bucket": 0}, "`bucket` must.*bucket=0"),
        ({"bucket": 1.5}, "`bucket` must.*bucket=1.5"),
        ({"shapes": 0}, "`shapes` must.*shapes=0"),
        ({"shuffle": "no"}, "`shuffle` must.*shuffle='no'"),
        ({"seed": -1}, "`seed` must.*seed=-1"),
        ({"seed": 2**63}, "`seed` must.*seed=9223372036854775808"),
        ({"seed": None}, "`seed` must.*seed=None"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        make(["a"], ["b"], **options)


def test_sides_are_checked():
    with pytest.raises(ValueError, match="2 source lines, 1 target lines"):
        make(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="at least one sentence"):
        make([], [])
    with pytest.raises(ValueError, match=r"`source_lines` must hold.*\[0\]=3"):
        make([3], ["c"])
    with pytest.raises(ValueError, match="`target_lines` must be an iterable"):
        make(["a"], "a")
    with pytest.raises(ValueError, match="`lines` must be an iterable.*lines='ab'"):
        language_dataset("ab", LETTERS, batch_size=1)
    with pytest.raises(ValueError, match="must be texts to make.*0 lines"):
        language_dataset([], LETTERS, batch_size=1)
    message = "None of the pairs remains: dropped 2 of 2 pairs: 1 with an empty"
    with pytest.raises(ValueError, match=message):
        make(["abcdefg", ""], ["a", "a"], max_length=3)


def test_dropped_texts_are_called_so():
    message = (
        "^language_dataset dropped 2 of 3 texts: 1 with an empty text, 1 with a text "
        "above max_length=3 tokens"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        language_dataset(["abc", "", "a"], LETTERS, batch_size=1, max_length=3)
    assert caught[0].filename == __file__
