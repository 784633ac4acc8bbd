"""The command that says how probable translations are."""

import argparse

from keras_attention.cli.files import read_part
from keras_attention.cli.messages import say_cut
from keras_attention.cli.saved import load
from keras_attention.translation.line_forms import count_cut
from keras_attention.translation.sources import count_tokens


def run(options: argparse.Namespace) -> None:
    """Print how probable each translation is, and say what was cut."""
    sources, references = read_part(options.pairs, options.source, options.target)
    translator = load(options)
    found = translator.score(sources, references)
    for one in found:
        print(f"{one.log_probability:.4f}\t{len(one.tokens)}")
    cut = count_cut(translator, sources)
    say_cut(cut, len(sources), "sources", translator.source_limit)
    lengths = count_tokens(translator.target_tokenizer, references)
    read = [len(one.tokens) for one in found]
    say_cut(sum(lengths + 1 > read), len(found), "references", max(read))
