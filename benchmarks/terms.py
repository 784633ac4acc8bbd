"""Translations that have to hold terms: are they there, how good, and how fast.

The terms are the references' own: words of a source and its reference that belong
together by what the model attends to. Sentences with a term are translated with and
without, in turn; the first time is not counted.

    python benchmarks/terms.py FOLDER --source test.en --target test.fr
"""

import argparse
import random
import statistics
import time
from collections import Counter

from sacrebleu.metrics import BLEU
from workers import instruction_sets, processor

from keras_attention import Translator
from keras_attention.decoding import BeamSearch
from keras_attention.text import read_parallel
from keras_attention.translation.glossary import holds_any

LETTERS = 4  # a word with fewer is no term
HEAD = """
| terms of a sentence | asked for | there before | there | BLEU before | BLEU | speed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def main(arguments=None):
    """Print a table; what it holds, by the number of terms."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a saved Translator")
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--terms", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    sources, references = read_parallel(options.source, options.target)
    translate = Translator.load(options.model)
    translate.search = BeamSearch(options.beams, translate.search.max_length)
    words = find_words(translate, sources, references)
    if not any(words):
        parser.error(
            f"{options.target!r} has no word that one of its source attends to"
        )
    print(f"{processor()}; {', '.join(instruction_sets())}")
    print(HEAD)
    found = {}
    for most in options.terms:
        terms = choose(words, most)
        places = [place for place, own in enumerate(terms) if own]
        lists = ([some[place] for place in places] for some in (sources, references))
        terms = [terms[place] for place in places]
        found[most] = own = measure(translate, *lists, terms, options.runs)
        print(
            f"| {most} | {own['terms']:,} of {len(places)} sentences | "
            f"{own['there_before']:.1%} | {own['there']:.1%} | "
            f"{own['bleu_before']:.1f} | {own['bleu']:.1f} | {own['speed']:.2f} |",
            flush=True,
        )
    return found


def find_words(translate, sources, references):
    """Of each reference the words that one word of its source attends to."""
    words = []
    alignments = translate.align(sources, references)
    for source, reference, found in zip(sources, references, alignments, strict=True):
        pairs = found.words()
        times = Counter(one for one, _ in pairs)
        both = source.split(), reference.split()
        own = [
            bare(both[1][other])
            for one, other in pairs
            if times[one] == 1 and is_term(both[0][one]) and is_term(both[1][other])
        ]
        words.append([*dict.fromkeys(own)])
    return words


def choose(words, most):
    """Some of the words of each sentence, each as a term of one form."""
    draw = random.Random(most)
    terms = []
    for own in words:
        places = draw.sample(range(len(own)), min(most, len(own)))
        terms.append([(own[place],) for place in sorted(places)])
    return terms


def bare(word):
    """A word without the signs around it."""
    return word.strip("".join(char for char in word if not char.isalnum()))


def is_term(word):
    """Whether a word is long enough, and has letters alone."""
    return len(bare(word)) >= LETTERS and bare(word).isalpha()


def measure(translate, sources, references, terms, runs):
    """How many terms there are, how good it is, and the speed to that without."""
    given = {"before": None, "terms": terms}
    seconds = {kind: [] for kind in given}
    texts = {}
    for run in range(runs + 1):
        for kind, own in given.items():
            begun = time.perf_counter()
            found = translate.hypotheses(sources, with_attention=False, terms=own)
            if run:
                seconds[kind].append(time.perf_counter() - begun)
            texts[kind] = [best.text for best, *_ in found]
    count = sum(map(len, terms))
    there, bleu = {}, {}
    for kind, written in texts.items():
        held = [
            holds_any(forms, text)
            for text, own in zip(written, terms, strict=True)
            for forms in own
        ]
        there[kind] = sum(held) / count
        bleu[kind] = BLEU().corpus_score(written, [references]).score
    medians = {kind: statistics.median(times) for kind, times in seconds.items()}
    return {
        "terms": count,
        "there_before": there["before"],
        "there": there["terms"],
        "bleu_before": bleu["before"],
        "bleu": bleu["terms"],
        "speed": medians["before"] / medians["terms"],
    }


if __name__ == "__main__":
    main()
