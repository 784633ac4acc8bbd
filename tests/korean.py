"""Korean letters, told without the examples' own arithmetic."""

import unicodedata


def has_final(word):
    """Whether the last syllable ends in a consonant, by Unicode's decomposition."""
    return len(unicodedata.normalize("NFD", word[-1])) == 3
