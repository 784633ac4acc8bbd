"""Files that are translated: which go into which, in what form, and what is kept."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from keras_attention import Translator
from keras_attention.cli import progress
from keras_attention.cli.main import main
from keras_attention.decoding import BeamSearch
from tests.backends import BACKEND, ROOT
from tests.translators import ENGLISH, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the Translator needs TensorFlow"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translator") / "saved"
    make_translator(search=BeamSearch(3, 9)).save(folder)
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    return Translator.load(folder).hypotheses([*ENGLISH, ""])


@pytest.fixture(autouse=True)
def _in_folder_with_texts(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("".join(f"{line}\n" for line in ENGLISH[:2]))
    lines = "".join(f"{line}\n" for line in [*ENGLISH[2:], ""])
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(lines.encode()))


def translate(folder, *options):
    main(["translate", str(folder), "--input", "a.txt", "b.txt.gz", *options])


def test_inputs_go_into_one_file_or_a_folder_of_as_many(folder, expected, tmp_path):
    best = [one[0].text for one in expected]
    translate(folder, "--output", "out.txt")
    assert (tmp_path / "out.txt").read_text("utf-8").splitlines() == best
    translate(folder, "--output", "new/deep/")
    assert (tmp_path / "new/deep/a.txt").read_text("utf-8").splitlines() == best[:2]
    packed = (tmp_path / "new/deep/b.txt.gz").read_bytes()
    assert gzip.decompress(packed).decode().splitlines() == best[2:]
    with pytest.raises(SystemExit):
        translate(folder, "--output", "new/deep")
    translate(folder, "--output", "new/deep", "--overwrite", "--n-best", "1")
    found = (tmp_path / "new/deep/a.txt").read_text("utf-8").splitlines()
    assert [line.split(" ||| ")[0] for line in found] == ["0", "1"]


def test_n_best_with_scores(folder, expected, capsysbinary):
    def lines(*options):
        translate(folder, *options)
        return capsysbinary.readouterr().out.decode().split("\n")[:-1]

    two = [one[:2] for one in expected]
    assert lines("--n-best", "2") == [
        f"{number} ||| {one.text} ||| {one.score:.4f}"
        for number, some in enumerate(two)
        for one in some
    ]
    assert lines("--n-best", "2", "--output-format", "tsv") == [
        f"{number}\t{rank}\t{one.score:.4f}\t{one.text}"
        for number, some in enumerate(two, 1)
        for rank, one in enumerate(some, 1)
    ]
    documents = [*map(json.loads, lines("--output-format", "json", "--alignments"))]
    assert [one["source"] for one in documents] == [*ENGLISH, ""]
    assert [one["line"] for one in documents] == [1, 2, 3, 4, 5]
    for found, some in zip(documents, expected, strict=True):
        for own, one in zip(found["translations"], some, strict=True):
            assert own["text"] == one.text
            assert own["score"] == pytest.approx(one.score, abs=1e-3)
            assert own["is_complete"] == one.is_complete
            assert own["alignment"] == [[*pair] for pair in one.alignment()]
            assert len(own["target_tokens"]) == one.size
    plain = [*map(json.loads, lines("--output-format", "json", "--n-best", "1"))]
    assert [*plain[0]["translations"][0]] == ["text", "score", "is_complete"]


@pytest.mark.whole
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--input", "missing.txt"], "missing.txt: No such file"),
        (["--input", "."], "--input: . is a directory"),
        (["--input", "a.txt", "--output", "b.txt.gz"], "b.txt.gz already exists"),
        (["--input", "a.txt", "./a.txt", "--output", "x/"], "a.txt more than once"),
        (["--output", "x/"], "x/ is a directory, which needs --input"),
        (["--input", "broken.gz", "--output", "x"], "'broken.gz' is damaged"),
        (["--input", "a.txt", "--output", "a.txt/x"], "a.txt"),
        (["--n-best", "4"], "--n-best must not be above the number of beams"),
        (["--beams", "1", "--n-best", "2"], "--n-best 2 needs a beam search"),
        (["--beams", "1", "--length-penalty", "1"], "needs a beam search"),
        (["--beams", "2", "--sample"], "two searches"),
        (["--temperature", "2"], "--temperature needs --sample"),
        (["--mask", "<x{}>"], "are for --document"),
        (["--document", "auto"], "standard input has none"),
        (["--document", "auto", "--input", "b.odt"], "b.odt"),
        (["--document", "html", "--mask", "<x>"], "--mask must have one {}"),
        (["--document", "json", "--input", "a.txt"], "a.txt: The document is not JSON"),
        (["--document", "text", "--n-best", "2"], "--document writes documents"),
        (["--document", "text", "--input", "a.txt", "b.txt.gz"], "is a directory"),
        (["--top-p", "0", "--sample"], "--top-p must be above 0"),
        (["--save-config", "a.txt"], "'a.txt' already exists"),
        (["--alignments", "--n-best", "2"], "need --output-format json"),
        (["--ensemble", "missing"], "missing"),
        (["--terms", "missing"], "missing"),
        (["--withhold"], "--withhold needs --min-confidence"),
        (["--min-confidence", "0.5", "--n-best", "2"], "needs --output-format json"),
        (["--min-confidence", "2"], "'2' is not a number from 0 to 1"),
        (["--to", "fr"], "translates into one language alone. Received: --to fr"),
        (["--terms", "a.txt"], "'a.txt' must have a term and its forms in each line"),
        (["--terms", "cat.tsv", "--beams", "1"], "--terms needs a beam search"),
        (["--terms", "cat.tsv", "--sample"], "--terms needs a beam search"),
        (["--terms", "cat.tsv", "--engine", "ctranslate2"], "--terms is not for"),
        (
            ["--engine", "ctranslate2", "--no-xla"],
            "--xla is not for --engine ctranslat",
        ),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_what_is_wrong_is_said_in_one_line(options, named, folder, capsys, tmp_path):
    (tmp_path / "cat.tsv").write_text("cat\tKatze\n")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"x" * 1000)[:-12])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as exit_:
        main(["translate", str(folder), *options])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line
    assert sorted(tmp_path.rglob("*")) == before


def test_an_ensemble_needs_the_same_vocabularies(folder, tmp_path, capsysbinary):
    make_translator("transformer", "words").save(tmp_path / "other")
    with pytest.raises(SystemExit):
        translate(folder, "--ensemble", "other")
    assert (
        b"same vocabularies: the source_tokenizer.json" in capsysbinary.readouterr().err
    )
    translate(folder)
    alone = capsysbinary.readouterr().out
    translate(folder, "--ensemble", str(folder), str(folder))
    assert capsysbinary.readouterr().out == alone


class Terminal:
    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_is_shown_on_a_terminal_alone(monkeypatch, capsys):
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "_EVERY", 0)
    times = iter([0.0, 10.0, 20.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    counter = progress.Progress("lines", 1000)
    counter.add(500, lambda: 250)
    counter.end_part(500)
    counter.add(1500, lambda: 0)
    counter.end()
    first, second, last = shown.text.removeprefix("\r").split("\r")
    assert first == "500 lines, 50 a second, 25 %, 0:30 left"
    assert second.rstrip() == "2,000 lines, 100 a second, 50 %, 0:20 left"
    assert last.rstrip() == "2,000 lines, 100 a second, 0:20 in all"


def test_progress_does_not_run_into_results_on_a_terminal(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "_EVERY", 0)
    counter = progress.Progress("lines", writes_beside=True)
    monkeypatch.setattr(sys, "stdout", Terminal())
    alone = progress.Progress("lines", writes_beside=True)
    alone.add(5, lambda: 0)
    assert not shown.text
    alone.end()
    assert shown.text.startswith("\r5 lines")
    shown.text = ""
    counter.add(5, lambda: 0)
    assert shown.text


def test_terms_are_placed_or_reported(folder, tmp_path, capsysbinary):
    (tmp_path / "terms.tsv").write_text("name\t둘\t리리\nfour\tzzz\n", "utf-8")
    translate(folder, "--terms", "terms.tsv", "--output-format", "json")
    written = capsysbinary.readouterr()
    found = [json.loads(line) for line in written.out.splitlines()]
    for one in found[:2]:
        text = one["translations"][0]["text"]
        assert "둘" in text or "리리" in text
        assert one["translations"][0]["missing_terms"] == []
    assert found[3]["translations"][0]["missing_terms"] == ["four"]
    assert b"warning: 1 of 3 terms could not be placed" in written.err
    greedy = tmp_path / "greedy"
    make_translator().save(greedy)
    translate(greedy, "--terms", "terms.tsv")
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert all("둘" in line or "리리" in line for line in lines[:2])


def test_unsure_translations_are_marked_or_withheld(folder, expected, capsysbinary):
    best = [one[0].text for one in expected]
    shares = [
        one.share for one in Translator.load(folder).confidence([*ENGLISH, ""], best)
    ]
    least = sorted(shares)[2] - 1e-6
    options = ["--min-confidence", str(least)]
    translate(folder, *options)
    written = capsysbinary.readouterr()
    for line, text, share in zip(
        written.out.decode().splitlines(), best, shares, strict=True
    ):
        assert line == (text if share >= least else f"[{share:.2f}] {text}")
    assert b"2 of 5 lines are below --min-confidence" in written.err
    translate(folder, *options, "--withhold")
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines == [
        text if share >= least else "" for text, share in zip(best, shares, strict=True)
    ]
    translate(folder, *options, "--output-format", "json")
    found = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert [one["is_sure"] for one in found] == [share >= least for share in shares]
    assert [one["confidence"] for one in found] == [round(one, 4) for one in shares]
    assert [word for word, _ in found[0]["words"]] == best[0].split()


@pytest.mark.parametrize("engine", ["tensorflow", "ctranslate2"])
def test_translations_begin_with_the_words_of_a_second_column(
    engine, folder, tmp_path, capsysbinary
):
    lines = [f"{ENGLISH[0]}\t이름이", f"{ENGLISH[1]}\t", ENGLISH[2], "\t저는"]
    (tmp_path / "begun.txt").write_text("\n".join(lines), "utf-8")
    translate(folder, "--engine", engine)
    plain = capsysbinary.readouterr().out.decode().splitlines()
    begun = ["--input", "begun.txt", "--with-prefixes", "--engine", engine]
    main(["translate", str(folder), *begun])
    first, second, third, _ = capsysbinary.readouterr().out.decode().splitlines()
    assert first.startswith("이름이")
    assert [second, third] == plain[1:3]


def test_documents_keep_their_form(folder, tmp_path, capsysbinary):
    text = "<p>My <b>name</b> is {x}.</p>\r\n<pre>code</pre>\n"
    (tmp_path / "page.html").write_bytes(b"\xef\xbb\xbf" + text.encode())
    translate_document = ["translate", str(folder), "--document", "auto"]
    main([*translate_document, "--input", "page.html", "--output", "new/"])
    found = (tmp_path / "new" / "page.html").read_bytes()
    expected = Translator.load(folder).document(text, "html")
    assert found == b"\xef\xbb\xbf" + expected.encode()
    assert found.endswith(b"</p>\r\n<pre>code</pre>\n")
    assert b"{x}" in found
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(SystemExit):
        main([*translate_document, "--input", "latin.txt"])
    assert b"'latin.txt' must be UTF-8. Received: byte 0xe9" in (
        capsysbinary.readouterr().err
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_half_written(number, folder, tmp_path):
    command = [sys.executable, "-m", "keras_attention", "translate", str(folder)]
    with subprocess.Popen(
        [*command, "--output", "out.txt"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        process.stdin.write(b"one\n" * 3)
        process.stdin.flush()
        deadline = time.monotonic() + 200
        while not any(name.startswith(".unf") for name in os.listdir(tmp_path)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
        assert process.stderr.read() == b""
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt.gz"]
