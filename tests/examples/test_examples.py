"""Each example runs for a few steps, by its command line's own entry."""

import importlib
import io
import json
import sys
from pathlib import Path

import keras
import pytest

from keras_attention import text, training
from keras_attention.decoding import BeamSearch, Greedy
from tests.translators import make_translator

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
)

SMALL = ["--epochs", "1", "--num-layers", "1", "--embedding-dim", "16"]
SMALL += ["--num-heads", "2", "--intermediate-dim", "16", "--units", "16"]
SMALL += ["--vocabulary-size", "60", "--max-length", "20", "--samples", "1"]


@pytest.fixture(autouse=True)
def _examples_on_path(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def typed(text):
    """Standard input, of bytes that need not be UTF-8."""
    return io.TextIOWrapper(io.BytesIO(text.encode("latin-1")), "utf-8")


@pytest.fixture
def pairs_file(tmp_path):
    verbs = {"sees": "봐요", "likes": "좋아해요", "buys": "사요"}
    people = {"Minji": "민지는", "Jihun": "지훈은", "Yuna": "유나는"}
    things = {"a book": "책을", "a dog": "개를", "an apple": "사과를", "tea": "차를"}
    path = tmp_path / "pairs.tsv"
    lines = [
        f"{person} {verb} {thing}.\t{people[person]} {things[thing]} {verbs[verb]}."
        for person in people
        for verb in verbs
        for thing in things
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def train(pairs_file):
    """Train for an epoch by the command line, into the folder `run`."""
    translate = importlib.import_module("translate")

    def run(architecture, *options):
        common = ["--pairs", str(pairs_file), "--output", "run", *SMALL, *options]
        return translate.main([*common, "--architecture", architecture])

    return run


@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_translate_trains_and_translates(
    architecture, train, tmp_path, capsys, monkeypatch
):
    translate = importlib.import_module("translate")
    figures = train(architecture, "--no-export")
    assert set(figures) == {"exact_match", "bleu", "chrf"}
    run = tmp_path / "run"
    assert json.loads((run / "figures.json").read_text()) == figures
    assert (run / "attention.png").stat().st_size > 1000
    assert not (run / "backup").exists()
    assert not (run / "saved_model").exists()
    capsys.readouterr()

    monkeypatch.setattr(sys, "stdin", typed("Minji sees tea.\n\nYun\xff\n"))
    translate.main(["translate", "run/translator"])
    assert len(capsys.readouterr().out.split("\n")) == 4
    # A byte order mark and a carriage return are of the file.
    monkeypatch.setattr(sys, "stdin", typed("\xef\xbb\xbfMinji sees tea.\r\n\n"))
    translate.main(["translate", "run/translator", "--alignments"])
    some, none = capsys.readouterr().out.splitlines()
    source, target, pairs = (side.split() for side in some.split("|||"))
    assert "".join(source) == "\u2581Minji\u2581sees\u2581tea."
    assert len(pairs) == len(target)
    assert none.split() == ["|||", "|||"]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_translate_measures_and_exports(
    architecture, train, pairs_file, tmp_path, capsys
):
    translate = importlib.import_module("translate")
    figures, run = train(architecture), tmp_path / "run"
    assert (run / "saved_model" / "saved_model.pb").is_file()
    assert "it gives the same for 1 of 1 sentences" in capsys.readouterr().out
    test = ["run/translator", "--pairs", str(pairs_file)]
    for wrong in (
        ["evaluate", "run", "--beams", "0"],
        ["evaluate", *test, "--length-penalty", "1"],
        ["score", "run", "--source=a"],
        ["score", "run", "--source=/dev/null", "--target=/dev/null"],
    ):
        with pytest.raises(SystemExit):
            translate.main(wrong)
    again = translate.main(["evaluate", *test, "--beams", "2", "--bleu-tokenize=char"])
    assert set(again) == set(figures)
    assert "tok:char" in capsys.readouterr().out
    translate.main(["score", *test])
    scored = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(scored) == len(pairs_file.read_text("utf-8").splitlines())
    assert all(float(score) < 0 and int(length) > 1 for score, length in scored)
    export = ["export", "run/translator", "--output", "exported"]
    translate.main([*export, "--beams", "2", "--int8"])
    sizes = [
        sum(file.stat().st_size for file in (folder / "variables").iterdir())
        for folder in (run / "saved_model", tmp_path / "exported")
    ]
    assert sizes[1] < 0.7 * sizes[0]  # graphs apart
    options = translate.export_parser().parse_args([*export[1:], "--xla"])
    search = translate.load(options).search
    assert isinstance(search, Greedy)
    assert search.jit_compile


@pytest.mark.parametrize(("beams", "penalty"), [(1, None), (2, None), (2, 1.5)])
def test_other_beams_keep_the_rest_of_a_saved_search(beams, penalty, tmp_path):
    translate = importlib.import_module("translate")
    rules = {"min_length": 4, "suppressed_ids": [1], "jit_compile": True}
    search = BeamSearch(4, 9, length_penalty=0.3, num_hypotheses=3, **rules)
    make_translator(search=search).save(tmp_path / "saved")
    arguments = [str(tmp_path / "saved"), "--output", "other", "--beams", str(beams)]
    arguments += ["--length-penalty", str(penalty)] if penalty else []
    found = translate.load(translate.export_parser().parse_args(arguments)).search
    expected = BeamSearch(2, 9, length_penalty=penalty or 0.3, **rules)
    expected = Greedy(9, **rules) if beams == 1 else expected
    assert type(found) is type(expected)
    assert found.get_config() == expected.get_config()


def test_presets_give_way_to_what_is_asked_for(monkeypatch):
    translate = importlib.import_module("translate")
    monkeypatch.setattr(translate, "train", vars)
    own = ["--pairs", "own.tsv"]
    plain = translate.main(own)
    for name, preset in translate.PRESETS.items():
        assert set(preset) < set(plain)
        expected = plain | preset | {"preset": name, "dropout": 0.7}
        assert translate.main([*own, "--dropout", "0.7", "--preset", name]) == expected
    # the corpus that comes along has settings of its own
    shipped = plain | translate.SHIPPED | {"pairs": None}
    assert translate.main([]) == shipped
    assert translate.main(["--epochs", "3"]) == shipped | {"epochs": 3}


def test_options_of_the_transformer_reach_it(monkeypatch):
    translate = importlib.import_module("translate")
    training_of = importlib.import_module("translate_training")
    monkeypatch.setattr(training_of, "transformer", lambda *sizes, **options: options)
    tokenizers = [text.CharacterTokenizer.train(["ab"])] * 2
    parser = translate.train_parser("")
    asked = ["--num-layers", "7", "--positions", "rotary", "--post-norm"]
    asked += ["--dropout", "0.4"]
    for more, of_weights in ([], 0.4), (["--attention-dropout", "0"], 0):
        options = parser.parse_args([*asked, *more])
        found = translate.build_model(options, tokenizers)
        expected = {"num_layers": 7, "positions": "rotary", "normalize_first": False}
        assert expected.items() <= found.items()
        assert found["dropout"] == 0.4
        assert found["attention_options"] == {"dropout": of_weights}


@pytest.mark.filterwarnings("ignore:The corpus fills")
def test_the_default_vocabulary_has_room_for_all_characters():
    translate = importlib.import_module("translate")
    han = [chr(0x4E00 + i) for i in range(1500)]
    chinese = ["".join(han[i : i + 5]) for i in range(0, len(han), 5)]
    latin = [f"one two {i}" for i in range(len(chinese))]
    options = translate.train_parser("").parse_args([])
    nothing = ([], [])
    for train in ((chinese, latin), (latin, chinese)):
        corpus = translate.Corpus(train, nothing, nothing)
        made = translate.make_tokenizers(options, corpus)
        for tokenizer, lines in zip(made, train, strict=True):
            found = tokenizer.detokenize(tokenizer.tokenize(lines)).numpy()
            assert [line.decode() for line in found] == lines


def test_translate_protects_an_earlier_run(pairs_file, tmp_path, capsys, monkeypatch):
    translate = importlib.import_module("translate")
    common = ["--pairs", str(pairs_file), "--output", "run", *SMALL]

    class StoppedError(Exception):
        pass

    def stop(*arguments):
        raise StoppedError

    # What a run writes before its training is enough of a run to protect.
    monkeypatch.setattr(translate, "fit", stop)
    with pytest.raises(StoppedError):
        translate.main(common)
    with pytest.raises(SystemExit):
        translate.main(common)
    assert "--overwrite" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        translate.main([*common, "--resume", "--dropout", "0.3"])
    assert "another one: --dropout was 0.1 and is 0.3" in capsys.readouterr().err
    with pytest.raises(StoppedError):
        translate.main([*common, "--resume", "--minutes", "3", "--samples", "2"])
    left_over = tmp_path / "run" / "figures.json"
    left_over.write_text("{}")
    (tmp_path / "empty").write_text("")
    test = ["--test-source", "empty", "--test-target", "empty"]
    parallel = ["--source", str(pairs_file), "--target", str(pairs_file), *test]
    run = ["--output", "run", *SMALL, "--overwrite"]
    for wrong, named in (
        (["--pairs", "missing.tsv"], "missing.tsv: No such file"),
        (["--pairs", str(pairs_file), "--embedding-dim", "15"], "embedding_dim"),
        (["--pairs", str(pairs_file), "--max-length", "2"], "None of the pairs"),
        (parallel, "There is no line in 'empty'"),
    ):
        with pytest.raises(SystemExit):
            translate.main([*run, *wrong])
        assert left_over.exists()
        assert named in capsys.readouterr().err
    with pytest.raises(StoppedError):
        translate.main([*common, "--overwrite"])
    assert not left_over.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings(
    # Of the logger's file, which a training that is killed does not close.
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::ResourceWarning",
)
def test_translate_resumes_where_it_stopped(pairs_file, tmp_path, capsys, monkeypatch):
    translate = importlib.import_module("translate")
    common = ["--pairs", str(pairs_file), "--output", "run", *SMALL, "--epochs", "3"]
    common += ["--patience", "3", "--bleu-tokenize", "char"]

    class Killed(Exception):
        pass

    class KilledInTheSecondEpoch(training.FiniteLoss):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(training, "FiniteLoss", KilledInTheSecondEpoch)
        with pytest.raises(Killed):
            translate.main(common)
    capsys.readouterr()
    translate.main([*common, "--resume"])
    epochs = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in epochs] == ["epoch", "0", "1", "2"]
    assert (tmp_path / "run" / "training.png").stat().st_size > 1000
    out = capsys.readouterr().out
    assert "Epoch 1/3" not in out
    assert "Epoch 2/3" in out
    assert "Epoch 3/3" in out
    # A run that is complete is not trained again.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    figures = json.loads((tmp_path / "run" / "figures.json").read_text())
    assert translate.main([*common, "--resume"]) == figures
    assert "complete" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_translate_refuses_options_that_do_not_go_together(capsys):
    translate = importlib.import_module("translate")
    for arguments, named in (
        (["--source", "a"], "--target"),
        (["--pairs", "a", "--source", "b", "--target", "c"], "--pairs"),
        (["--test-source", "a", "--test-target", "b"], "--test-"),
        (["--resume", "--output", "nothing"], "no run"),
        (["--segmentations", "3", "--tokenizer", "word"], "0 is none"),
        (["--preset", "transformer-4k", "--architecture", "rnn"], "transformer-4k is"),
        (["--bleu-tokenize", "chars"], "'chars' is not one of"),
        (["--epochs", "0"], "--epochs: '0' is not"),
        (["--minutes", "0"], "--minutes: '0' is not"),
    ):
        with pytest.raises(SystemExit):
            translate.main(arguments)
        assert named in capsys.readouterr().err


def run_dates(tmp_path):
    date_format = importlib.import_module("date_format")
    small = ["--pairs", "60", "--epochs", "2", "--units", "8", "--output", "map.png"]
    results = date_format.main(small)
    assert list(results) == ["fixed vector", "peeky", "attention"]
    assert all(len(by_epoch) == 2 for by_epoch in results.values())
    assert (tmp_path / "map.png").stat().st_size > 1000


def run_an_attention_of_ones_own(tmp_path):
    run_an_attention("own")


def run_an_attention(name):
    own_attention = importlib.import_module("own_attention")
    small = ["--pairs", "200", "--epochs", "1", "--tested", "8"]
    assert 0 <= own_attention.main([*small, "--attention", name]) <= 1


def run_addition(tmp_path):
    addition = importlib.import_module("addition")
    small = ["--pairs", "60", "--epochs", "2", "--units", "8", "--output", "sums.png"]
    results = addition.main([*small, "--models", "peeky, reversed", "attention"])
    assert list(results) == ["peeky, reversed", "attention"]
    assert all(len(by_epoch) == 2 for by_epoch in results.values())
    assert (tmp_path / "sums.png").stat().st_size > 1000


def test_sums_are_right_and_those_of_a_seed():
    addition = importlib.import_module("addition")
    made, _ = addition.make_sums(60, seed=1)
    assert made == addition.make_sums(60, seed=1)[0]
    assert all(sum(map(int, sum_.split("+"))) == int(answer) for sum_, answer in made)


def test_dates_of_the_books_form(tmp_path):
    date_format = importlib.import_module("date_format")
    path = tmp_path / "date.txt"
    lines = [f"{day:>2}/10/93{' ' * 21}_1993-10-{day:02}" for day in range(1, 31)]
    path.write_text("\n".join(lines) + "\n")
    training, test = date_format.book_pairs(path)
    assert len(training) == 27
    assert len(test) == 3
    assert {source.strip() for source, _ in training + test} == {
        f"{day}/10/93" for day in range(1, 31)
    }
    made, _ = date_format.make_dates(50, seed=1)
    assert made == date_format.make_dates(50, seed=1)[0]


def run_attention_in_your_model(tmp_path):
    example = importlib.import_module("attention_in_your_model")
    arguments = ["--epochs", "1", "--sentences", "300", "--output", "model.keras"]
    assert 0 <= example.main(arguments) <= 1
    assert (tmp_path / "model.keras").is_file()
    assert (tmp_path / "model.png").stat().st_size > 1000


def run_the_copy_task(tmp_path):
    example = importlib.import_module("ntm_copy")
    small = ["--steps", "2", "--longest", "1", "--tested", "1", "2", "--units", "5"]
    small += ["--lstm-units", "5", "--slots", "5", "--slot-width", "3"]
    small += ["--batch-size", "4", "--test-batches", "2", "--output", "copy.png"]
    small += ["--no-jit"]
    found = example.main(small)
    assert {name: list(wrong) for name, wrong in found.items()} == {
        "NTM": [1, 2],
        "LSTM": [1, 2],
    }
    assert all(0 <= rate <= 1 for wrong in found.values() for rate in wrong.values())
    assert (tmp_path / "copy.png").stat().st_size > 1000


def run_language_models(tmp_path):
    example = importlib.import_module("language_models")
    lines = [f"the {word} runs away ." for word in ("dog", "cat", "man")] * 9
    lines += [f"a {word} sees the {other}" for word in "abcde" for other in "fghij"]
    (tmp_path / "text").write_text("\n".join(lines) + "\n")
    small = ["--epochs", "1", "--embedding-dim", "8", "--num-layers", "1"]
    small += ["--orders", "2", "--models", "LSTM"]
    found = example.main(["--text", "text", *small])
    assert list(found) == ["2-gram", "LSTM", "LSTM on word vectors"]
    # Of words a b c d e and f to j, four between, and the end.
    assert 1 < found["2-gram"] < 8
    assert (tmp_path / "language_models.png").stat().st_size > 1000


def run_the_length_study(tmp_path):
    example = importlib.import_module("length_study")
    small = ["--models", "Transformer", "--bins", "1", "9", "--per-bin", "5"]
    small += ["--epochs", "1", "--minutes", "0.01", "--limit", "200"]
    small += ["--vocabulary-size", "300"]
    rows = example.main(small)
    assert [(row["model"], row["from"], row["count"]) for row in rows] == [
        ("Transformer", 1, 5),
        ("Transformer", 9, 5),
    ]
    assert (tmp_path / "length-study" / "length_study.png").stat().st_size > 1000


def run_alignments(tmp_path):
    example = importlib.import_module("alignments")
    small = ["--num-layers", "1", "--embedding-dim", "16", "--num-heads", "2"]
    maps = example.main(["--epochs", "1", "--limit", "64", *small, "--units", "16"])
    assert maps.shape[0] == 4
    assert (maps.sum(axis=-1) < 1.001).all()
    assert (tmp_path / "alignments" / "alignments.png").stat().st_size > 1000


EXAMPLE_RUNS = [
    run_dates,
    run_an_attention_of_ones_own,
    run_addition,
    run_attention_in_your_model,
    run_the_copy_task,
    run_language_models,
    run_the_length_study,
    run_alignments,
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["multi-head", "differential", "latent", "linear"])
def test_an_attention_of_the_package_takes_the_place_of_ones_own(name):
    run_an_attention(name)


@pytest.mark.parametrize("run", EXAMPLE_RUNS, ids=lambda run: run.__name__)
def test_an_example_runs(run, tmp_path):
    run(tmp_path)
