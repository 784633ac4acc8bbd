"""The command that says which words belong together."""

import argparse

from keras_attention.cli.files import read_part
from keras_attention.cli.messages import say_cut
from keras_attention.cli.saved import load
from keras_attention.translation.line_forms import as_pharaoh, count_cut, visible


def run(options: argparse.Namespace) -> None:
    """Print the alignment of each pair, and say what was cut."""
    sources, references = read_part(options.pairs, options.source, options.target)
    translator = load(options)
    for found in translator.align(sources, references):
        if options.tokens:
            sides = visible(found.source_tokens), visible(found.target_tokens)
            print(*sides, as_pharaoh(found.tokens()), sep=" ||| ")
        else:
            print(as_pharaoh(found.words()))
    cut = count_cut(translator, sources)
    say_cut(cut, len(sources), "sources", translator.source_limit)
