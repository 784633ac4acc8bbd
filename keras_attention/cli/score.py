"""The command that says how probable translations are."""

import argparse
from collections.abc import Sequence

from keras_attention.cli.files import read_part
from keras_attention.cli.messages import say_cut
from keras_attention.cli.options import Parser, add_test
from keras_attention.cli.saved import check_backend
from keras_attention.translation.lines import count_cut
from keras_attention.translation.translator import Translator


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `score`."""
    parser = Parser(
        "score",
        description="Print the log-probability of each translation, a tab, and the "
        "number of its tokens.",
    )
    add_test(parser)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Print how probable each translation is, and say what was cut."""
    check_backend()
    sources, references = read_part(options.pairs, options.source, options.target)
    translator = Translator.load(options.folder)
    found = translator.score(sources, references)
    for one in found:
        print(f"{one.log_probability:.4f}\t{len(one.tokens)}")
    cut = count_cut(translator, sources)
    say_cut(cut, len(sources), "sources", translator.source_limit)
    lengths = translator.target_tokenizer.tokenize(references).row_lengths().numpy()
    read = [len(one.tokens) for one in found]
    say_cut(sum(lengths + 1 > read), len(found), "references", max(read))
