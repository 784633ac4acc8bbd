"""Whether a Translator finds what the plain loop finds, on real sentences.

A Translator cuts batches, gives outputs little room first, compiles, and writes no
attention down; the plain loop is the search itself, called on ids, uncompiled, among
the same short lists where a Translator has one. A translation that differs counts as
tied where the plain loop finds its score too, within float error.

    python benchmarks/same_outputs.py --source lines.en FOLDER...

A folder is one of `Translator.save`; `random:ARCHITECTURE` is an untrained model
with the tokenizers of the first folder.
"""

import argparse
import sys
import time
from pathlib import Path

import keras

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import Ensemble, rnn_seq2seq, transformer
from keras_attention.translation.candidates import make_candidates, search_in_lists
from keras_attention.translation.list_tokenizer import as_lists
from keras_attention.translation.sources import pad_rows

BATCH = 64
LENGTH = 60
SEARCHES = {
    "greedy": Greedy(LENGTH),
    "greedy, rules": Greedy(LENGTH, min_length=5, no_repeat_ngram_size=3),
    "beams": BeamSearch(4, LENGTH),
    "beams, CTranslate2's": BeamSearch(
        4, LENGTH, finished="replace", stopping="count", normalization="length"
    ),
    "beams, coverage": BeamSearch(3, LENGTH, coverage_penalty=0.2),
    "beams, rules": BeamSearch(
        3, LENGTH, repetition_penalty=1.2, max_length_ratio=2.0, suppressed_ids=[1]
    ),
}
SIZES = {"embedding_dim": 64, "num_heads": 4, "num_layers": 2}
RANDOM = {
    "transformer": lambda *sizes: transformer(*sizes, **SIZES),
    "rotary, window": lambda *sizes: transformer(
        *sizes, **SIZES, positions="rotary", attention_options={"sliding_window": 5}
    ),
    "alibi": lambda *sizes: transformer(*sizes, **SIZES, positions="alibi"),
    "relative": lambda *sizes: transformer(*sizes, **SIZES, positions="relative"),
    "recurrent": lambda *sizes: rnn_seq2seq(*sizes, embedding_dim=64, units=64),
    "ensemble": lambda *sizes: Ensemble(
        [
            transformer(*sizes, **SIZES),
            rnn_seq2seq(*sizes, embedding_dim=64, units=64, bidirectional=True),
        ]
    ),
}


def find_plainly(translate, texts):
    """The best output of each text and its score, by the search itself."""
    config = {**translate.search.get_config(), "jit_compile": False}
    search = type(translate.search).from_config(config)
    rows = translate.source.rows(texts)
    writes = as_lists(translate.target_tokenizer)
    found = [None] * len(rows)
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    for begin in range(0, len(order), BATCH):
        chosen = order[begin : begin + BATCH]
        source = pad_rows([rows[row] for row in chosen])
        batch = _search(translate, search, source)
        ids, lengths, scores = (
            keras.ops.convert_to_numpy(part)[:, 0]
            for part in (batch.ids, batch.lengths, batch.scores)
        )
        sizes = zip(ids, lengths, strict=True)
        written = writes.detokenize([ids[:size].tolist() for ids, size in sizes])
        for row, *output in zip(chosen, written, scores.tolist(), strict=True):
            found[row] = output
    return found


def _search(translate, search, source):
    """What is found of one batch, from all ids or those of the short list."""
    candidates = make_candidates(translate.short_list, translate.model, search)
    if candidates is None:
        return search(translate.model, source)
    room = search.max_length
    lists = keras.ops.convert_to_tensor(candidates.lists(source))
    listed = search_in_lists(
        search, translate.model, source, lists, room=room, departures=0
    )
    return listed[0]


def compare(translate, texts):
    """How many translations are equal, tied and other ones, and the seconds of both."""
    begin = time.perf_counter()
    ours = translate(texts)
    middle = time.perf_counter()
    plain = find_plainly(translate, texts)
    seconds = middle - begin, time.perf_counter() - middle
    tied = other = 0
    for text, one, (written, score) in zip(texts, ours, plain, strict=True):
        if one != written:
            best, *_ = translate.hypotheses([text])[0]
            is_tied = abs(best.score - score) < 1e-4 * max(1, abs(score))
            tied, other = tied + is_tied, other + (not is_tied)
            if not is_tied:
                print(f"{text!r}: {one!r} {best.score}, {written!r} {score}")
    return len(texts) - tied - other, tied, other, *seconds


def main(arguments=None):
    """Print a row for each model and search, and fail if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="folders, or random:ARCHITECTURE")
    parser.add_argument("--source", type=Path, required=True, help="lines of text")
    parser.add_argument("--count", type=int, default=10_000, help="of lines")
    parser.add_argument("--searches", nargs="+", default=[*SEARCHES])
    options = parser.parse_args(arguments)
    lines = options.source.read_text(encoding="utf-8").splitlines()
    texts = [line for line in lines if line.strip()][: options.count]
    first = next(name for name in options.models if not name.startswith("random:"))
    known = Translator.load(first)
    sides = known.source_tokenizer, known.target_tokenizer
    print("| model | search | lines | equal | tied | other | fast, s | plain, s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    others = 0
    for name in options.models:
        keras.utils.set_random_seed(1)
        if name.startswith("random:"):
            sizes = [side.vocabulary_size for side in sides]
            model = RANDOM[name.removeprefix("random:")](*sizes)
            translate = Translator(model, *sides, Greedy(LENGTH))
        else:
            # Programs round to 16 bits at other places than single operations do.
            translate = Translator.load(name).with_precision("float32")
        for search in options.searches:
            translate.search = SEARCHES[search]
            *counts, fast, plain = compare(translate, texts)
            others += counts[-1]
            cells = [Path(name).name, search, len(texts), *counts]
            cells += [f"{fast:.0f}", f"{plain:.0f}"]
            print("|", *(f"{cell} |" for cell in cells), flush=True)
    return others


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
