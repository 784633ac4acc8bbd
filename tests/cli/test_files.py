"""What the command says of a user's files and options, and what it keeps of them."""

import functools
import gzip
import json
import os
import re

import pytest

from keras_attention import Translator, text
from keras_attention.cli.command_line import parse
from keras_attention.cli.commands import train
from keras_attention.cli.files import make_corpus, read_files, read_part
from keras_attention.cli.main import main
from keras_attention.decoding import Greedy
from tests.backends import BACKEND
from tests.translators import ENGLISH, make_model

pytestmark = [
    pytest.mark.skipif(
        BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
    ),
    # It shows them itself.
    pytest.mark.filterwarnings("always::UserWarning"),
]

PAIRS = "".join(f"the {n} cats\tdie {n} Katzen\n" for n in range(40))
SMALL = ["--epochs", "1", "--num-layers", "1", "--embedding-dim", "8"]
SMALL += ["--num-heads", "2", "--intermediate-dim", "8", "--samples", "0"]
VALIDATED = ["--source", "digits.txt", "--target", "digits.txt"]
VALIDATED += ["--validation-source", "longer.txt", "--validation-target", "longer.txt"]
VALIDATED += ["--tokenizer", "character"]
NORMALIZED = ["--pairs", "pairs.tsv", "--source-normalization", "nfkc"]


def save_translator(folder, **options):
    """One from English to English, letter by letter."""
    letters = text.CharacterTokenizer.train(ENGLISH, **options)
    model = make_model("transformer", *[letters.vocabulary_size] * 2)
    Translator(model, letters, letters, Greedy(9, min_length=5), 17).save(folder)


@pytest.fixture(
    scope="module", params=[{"lowercase": True}, {"normalization": "nfkc_cf"}]
)
def folded(request, tmp_path_factory):
    """A folder of a Translator from lower case to lower case."""
    folder = tmp_path_factory.mktemp("translator") / "folded"
    save_translator(folder, **request.param)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder of a Translator."""
    folder = tmp_path_factory.mktemp("translator") / "saved"
    save_translator(folder)
    return folder


@pytest.fixture(autouse=True)
def _in_folder_with_pairs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.tsv").write_text(PAIRS, "utf-8")


@pytest.fixture
def refuse(capsys):
    def refuse(*arguments):
        """The line that says why."""
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        assert exit_.value.code == 2
        lines = capsys.readouterr().err.splitlines()
        errors = [line for line in lines if "warning: " not in line]
        assert len(errors) == 1, errors
        assert lines[-1] == errors[0]
        return errors[0]

    return refuse


def test_files_of_several_languages(tmp_path):
    (tmp_path / "ko.tsv").write_text("one\t하나\ntwo\t둘\n\t빈\n", "utf-8")
    (tmp_path / "fr=x.tsv").write_text("deux\tdos\n", "utf-8")
    found = read_part(["fr=pairs.tsv", "ko=ko.tsv"], None, None, limit=3)
    assert found[0][:4] == [
        "<2fr> the 0 cats",
        "<2ko> one",
        "<2fr> the 1 cats",
        "<2ko> two",
    ]
    assert found[1][4:] == ["die 2 Katzen", "빈"]
    assert found[0][5] == ""  # what is blank asks for nothing
    both = read_part(None, ["de=ko.tsv"], ["ko.tsv"])
    assert both[0] == ["<2de> one\t하나", "<2de> two\t둘", "<2de> \t빈"]
    # It may stand on either side, or on both.
    assert read_part(None, ["ko.tsv"], ["de=ko.tsv"]) == both
    assert read_part(None, ["de=ko.tsv"], ["de=ko.tsv"]) == both
    # A file may have a name like that.
    assert read_part(["fr=x.tsv"], None, None) == (["deux"], ["dos"])
    for pairs, source, target, named in (
        (["fr=pairs.tsv", "ko.tsv"], None, None, "as in fr=ko.tsv"),
        (None, ["fr=ko.tsv", "de=ko.tsv"], ["ko.tsv"], "Received: 2 and 1"),
        (None, ["fr=ko.tsv"], ["de=ko.tsv"], "fr=ko.tsv and de=ko.tsv"),
        (["fr=missing.tsv"], None, None, "missing.tsv"),
    ):
        with pytest.raises((ValueError, OSError), match=re.escape(named)):
            read_part(pairs, source, target)


def test_pairs_of_a_test_are_not_trained_on_the_other_way_round(tmp_path):
    lines = [f"number {n}\tnombre {n}" for n in range(40)]
    (tmp_path / "fr.tsv").write_text("\n".join(lines), "utf-8")
    turned = ["\t".join(line.split("\t")[::-1]) for line in lines]
    (tmp_path / "en.tsv").write_text("\n".join(turned), "utf-8")
    options = parse(["train", "--pairs", "fr=fr.tsv", "en=en.tsv"])
    corpus = make_corpus(options, read_files(options))
    held = [*corpus.validation[0], *corpus.test[0]]
    assert len(held) == 8
    numbers = {line.split()[-1] for line in held}
    assert not numbers & {line.split()[-1] for line in corpus.train[0]}
    assert len(corpus.train[0]) == 80 - 2 * len(numbers)


FILES = {
    "latin.tsv": "a\tb\né\tc\n".encode("latin-1"),
    "utf16.tsv": "a\tb\n".encode("utf-16"),
    "packed.tsv": gzip.compress(b"a\tb\n"),
    "no_tab.tsv": b"a\tb\nc d\n",
    "empty.tsv": b"",
    "blank.tsv": b"\n\n \n",
    "one.tsv": b"a\tb\n",
    "two.tsv": b"a\tb\nA\tc\n",
    "digits.txt": "".join(f"{n}\n" for n in range(40)).encode(),
    "longer.txt": b"a a a\nb b b\nc c c\n",
    "shorter.txt": b"a\nb\n",
}


@pytest.mark.whole
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--pairs", "missing.tsv"], "missing.tsv: No such file"),
        (["--pairs", ""], "--pairs: the name is empty"),
        (["--pairs", "."], ".: "),  # a folder: the system says what is wrong
        (["--pairs", "latin.tsv"], "'latin.tsv' must be UTF-8. Received: byte 0xe9 in"),
        (["--pairs", "utf16.tsv"], "'utf16.tsv' must be UTF-8"),
        (
            ["--pairs", "packed.tsv"],
            "'packed.tsv' must be text. Received: what is packed; only a file whose "
            "name ends in '.gz' is unpacked",
        ),
        (["--pairs", "no_tab.tsv"], "'no_tab.tsv' must have two columns"),
        (["--pairs", "no_tab.tsv"], "line 2, 'c d'"),
        (["--pairs", "empty.tsv"], "There is no line in 'empty.tsv'"),
        (["--pairs", "blank.tsv"], "There is no line in 'blank.tsv'"),
        (["--pairs", "one.tsv"], "'one.tsv' is too small"),
        (["--pairs", "two.tsv"], "'two.tsv' is too small"),
        (["--source", "longer.txt", "--target", "shorter.txt"], "'longer.txt' with 3"),
        (["--source", "longer.txt"], "--source and --target belong together"),
        (["--pairs", "pairs.tsv", "--vocabulary-size", "5"], "vocabulary_size"),
        (["--pairs", "pairs.tsv", "--num-heads", "3"], "num_heads=3"),
        (
            ["--pairs", "pairs.tsv", "--max-length", "2"],
            "train with: None of the pairs",
        ),
        ([*VALIDATED, "--max-length", "4"], "validate with: None of the pairs remains"),
        (
            ["--pairs", "pairs.tsv", "--target", "one.tsv"],
            "leave out --source and --ta",
        ),
        (["--pairs", "pairs.tsv", "--output", ""], "--output: the name is empty"),
        (["--pairs", "pairs.tsv", "--output", "one.tsv"], "'one.tsv'"),
        (["--pairs", "pairs.tsv", "--output", "one.tsv/run"], "one.tsv"),
        (["--pairs", "pairs.tsv", "--dropout", "2"], "--dropout: '2' is not a number"),
        (["--pairs", "pairs.tsv", "--learning-rate", "-1"], "--learning-rate: '-1'"),
        (["--pairs", "pairs.tsv", "--resume"], "no run to continue in translation-run"),
        (["--unheard-of"], "--unheard-of"),
        ([], "there is no text to train with: --pairs, or --source and --target"),
        (
            [*NORMALIZED, "--tie-embeddings", "--target-normalization", "identity"],
            "must be the same. Received: nfkc and identity",
        ),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_training_says_in_one_line_what_is_wrong(arguments, named, refuse, tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    before = sorted(tmp_path.iterdir())
    assert named in refuse("train", *SMALL, *arguments)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.whole
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["translate", "missing"], "there is no translator.json in it"),
        (["translate", "."], "there is no translator.json in it"),
        (["translate", "pairs.tsv"], "pairs.tsv"),
        (["translate", "{saved}", "--length-penalty", "1"], "needs a beam search"),
        (["evaluate", "{saved}", "--pairs", "missing.tsv"], "missing.tsv: No such"),
        (["evaluate", "{saved}", "--source", "pairs.tsv"], "belong together"),
        (["score", "{saved}", "--pairs", "pairs.tsv", "--target", "no"], "leave out"),
        (["evaluate", "missing", "--pairs", "pairs.tsv"], "no translator.json"),
        (["evaluate", "{saved}", "--pairs", "pairs.tsv", "--beams", "0"], "--beams"),
        (
            ["score", "{saved}", "--source", "pairs.tsv", "--target", "no"],
            "no: No such",
        ),
        (["export", "{saved}", "--output", "pairs.tsv"], "pairs.tsv"),
        (["export", "{saved}", "--output", "pairs.tsv/x"], "pairs.tsv"),
        (["export", "{saved}"], "--output"),
        (["export", "{saved}", "--output", "exported"], "--overwrite replaces it"),
        (
            ["export", "{saved}", "--output", "new", "--quantization", "int8"],
            "--quantization is for --format ctranslate2",
        ),
        (
            ["export", "{saved}", "--output", "exported", "--format", "ctranslate2"],
            "exported",
        ),
        (["translate", "{saved}", "--engine", "ctranslate2", "--int8"], "--int8"),
        (["translate", "{saved}", "--engine", "onnx"], "--engine"),
        (["translate", "missing", "--engine", "ctranslate2"], "missing"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_other_commands_say_in_one_line_what_is_wrong(
    arguments, named, refuse, saved, tmp_path
):
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "saved_model.pb").touch()
    assert named in refuse(*(part.format(saved=saved) for part in arguments))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything may be read"
)
def test_files_that_may_not_be_read_are_named(refuse, tmp_path):
    (tmp_path / "pairs.tsv").chmod(0)
    assert "pairs.tsv: Permission denied" in refuse(
        "train", *SMALL, "--pairs", "pairs.tsv"
    )


@pytest.mark.slow
def test_what_was_trained_in_lower_case_is_measured_in_it(folded, tmp_path, capsys):
    outputs = Translator.load(folded)(list(ENGLISH))
    rows = [
        f"{line}\t{one.upper()}\n" for line, one in zip(ENGLISH, outputs, strict=True)
    ]
    (tmp_path / "upper.tsv").write_text("".join(rows), "utf-8")
    (tmp_path / "lower.tsv").write_text("".join(rows).lower(), "utf-8")
    figures = main(["evaluate", str(folded), "--pairs", "upper.tsv"])
    assert figures["exact_match"] == 100
    assert "case:lc" in capsys.readouterr().out
    scores = []
    for name in ("upper.tsv", "lower.tsv"):
        main(["score", str(folded), "--pairs", name])
        scores.append(capsys.readouterr().out)
    assert len(scores[0].splitlines()) == len(ENGLISH)
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_what_was_trained_with_case_is_measured_with_it(saved, tmp_path):
    outputs = Translator.load(saved)(list(ENGLISH))
    rows = [
        f"{line}\t{one}\n{line}\t{one.upper()}\n"
        for line, one in zip(ENGLISH, outputs, strict=True)
    ]
    (tmp_path / "pairs.tsv").write_text("".join(rows), "utf-8")
    figures = main(["evaluate", str(saved), "--pairs", "pairs.tsv"])
    cased = sum(one != one.upper() for one in outputs)
    assert cased
    assert figures["exact_match"] == 100 - 50 * cased / len(outputs)


def test_what_is_cut_is_counted(saved, tmp_path, capsys):
    rows = ["a\tb", f"{'a' * 17}\tb", f"a\t{'b' * 300}", f"{'a' * 16}\tb\tc"]
    (tmp_path / "long.tsv").write_text("\n".join(rows))
    pairs = ["--pairs", "long.tsv"]
    main(["evaluate", str(saved), *pairs, "--samples", "0"])
    sources = "keras-attention: warning: cut 1 of 4 sources, longer than 17 tokens"
    ignored = "'long.tsv' has more than two columns in 1 of 4 lines"
    errors = capsys.readouterr().err.splitlines()
    assert ignored in errors[0]
    assert errors[1:] == [sources]
    main(["score", str(saved), *pairs])
    errors = capsys.readouterr().err.splitlines()
    assert errors[1] == sources
    assert "cut 1 of 4 references, longer than 256 tokens" in errors[2]


def test_translations_that_are_cut_are_counted(saved, capsys, tmp_path):
    (tmp_path / "pairs.tsv").write_text("".join(f"{one}\tx\n" for one in ENGLISH))
    found = Translator.load(saved).hypotheses(list(ENGLISH))
    cut = sum("</s>" not in one.target_tokens for one, *_ in found)
    assert cut
    main(["evaluate", str(saved), "--pairs", "pairs.tsv", "--samples", "0"])
    said = f"warning: cut {cut} of {len(ENGLISH)} translations, longer than 9 tokens"
    assert said in capsys.readouterr().err


def test_a_training_on_another_backend_is_refused(refuse, monkeypatch):
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    said = refuse("train", "--pairs", "pairs.tsv")
    assert "KERAS_BACKEND=tensorflow" in said


class StoppedError(Exception):
    pass


def stop(*arguments):
    raise StoppedError


def test_pairs_that_are_left_out_of_training_are_counted(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, "fit", stop)
    rows = [*PAIRS.splitlines(), f"{'a ' * 50}\tb\tc"] + [f"{n}\t" for n in range(9)]
    (tmp_path / "pairs.tsv").write_text("\n".join(rows))
    sides = ["--tokenizer", "character", "--max-length", "30"]
    with pytest.raises(StoppedError):
        main(["train", *SMALL, "--pairs", "pairs.tsv", *sides])
    errors = capsys.readouterr().err
    assert "more than two columns in 1 of 50 lines" in errors
    assert re.search(
        r"\d pairs: \d with an empty target, 1 with a source above", errors
    )


def resume_after(change, capsys, monkeypatch, *more):
    """What is said of a run that is resumed after its data changed."""
    monkeypatch.setattr(train, "fit", stop)
    begin = ["train", *SMALL, "--pairs", "pairs.tsv", "--tokenizer", "character"]
    with pytest.raises(StoppedError):
        main(begin)
    change()
    capsys.readouterr()
    with pytest.raises((SystemExit, StoppedError)) as ended:
        main([*begin, "--resume", *more])
    errors = capsys.readouterr().err
    assert (ended.type is SystemExit) == bool(errors)
    return errors


@pytest.mark.whole
@pytest.mark.parametrize(
    "data",
    [PAIRS.replace("9 cats", "9 dogs"), PAIRS.replace("9 K", "9 k"), PAIRS + "a\tb\n"],
    ids=["source", "target", "more"],
)
def test_a_run_is_not_resumed_on_other_data(data, tmp_path, capsys, monkeypatch):
    change = functools.partial((tmp_path / "pairs.tsv").write_text, data)
    errors = resume_after(change, capsys, monkeypatch, "--dropout", "0.3")
    assert len(errors.splitlines()) == 1
    assert "the lines of 'pairs.tsv' have changed" in errors
    assert "--dropout was 0.1 and is 0.3" in errors


def test_a_run_is_resumed_wherever_its_lines_lie(tmp_path, capsys, monkeypatch):
    moved = tmp_path / "moved.tsv"

    def change():
        (tmp_path / "pairs.tsv").write_bytes(PAIRS.replace("\n", "\r\n").encode())
        (tmp_path / "pairs.tsv").rename(moved)

    more = ["--pairs", "moved.tsv", "--minutes", "3"]
    assert not resume_after(change, capsys, monkeypatch, *more)


def test_a_file_that_is_left_out_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, "fit", stop)
    for side, line in (("en", "the cat"), ("de", "die Katze")):
        lines = "".join(f"{line} {n}\n" for n in range(40))
        (tmp_path / f"train.{side}").write_text(lines)
        (tmp_path / f"valid.{side}").write_text(f"{line}\n")
    begin = ["train", *SMALL, "--tokenizer", "character", "--test-source", "valid.en"]
    begin += [
        "--test-target",
        "valid.de",
        "--source",
        "train.en",
        "--target",
        "train.de",
    ]
    valid = ["--validation-source", "valid.en", "--validation-target", "valid.de"]
    with pytest.raises(StoppedError):
        main([*begin, *valid])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([*begin, "--resume"])
    errors = capsys.readouterr().err
    for name in ("valid.en", "valid.de"):
        assert f"the lines of {name!r} are not given" in errors
    assert "have changed" not in errors
    with pytest.raises(StoppedError):
        main([*begin, "--output", "other"])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([*begin, *valid, "--output", "other", "--resume"])
    assert "the lines of 'valid.de' were not given" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", '{"a', "[]", '"a"'])
def test_a_damaged_run_is_named(content, tmp_path, capsys, monkeypatch):
    record = tmp_path / "translation-run" / "settings.json"
    errors = resume_after(lambda: record.write_text(content), capsys, monkeypatch)
    assert "settings.json is " in errors
    assert len(errors.splitlines()) == 1


def test_a_run_of_an_earlier_version_is_resumed(tmp_path, capsys, monkeypatch):
    record = tmp_path / "translation-run" / "settings.json"

    def change():
        kept = json.loads(record.read_text())
        for later in ("data", "source_normalization", "target_normalization"):
            del kept[later]
        record.write_text(json.dumps(kept))

    assert not resume_after(change, capsys, monkeypatch)
