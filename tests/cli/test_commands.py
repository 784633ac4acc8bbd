"""The commands, from a training to an export."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest

from keras_attention import Translator, training
from keras_attention.cli import building, saved
from keras_attention.cli.command_line import parse
from keras_attention.cli.commands import train
from keras_attention.cli.main import main
from keras_attention.cli.options.train import PRESETS
from keras_attention.decoding import BeamSearch, Greedy
from tests.backends import ROOT
from tests.translators import make_translator

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
)

SMALL = ["--epochs", "1", "--num-layers", "1", "--embedding-dim", "16"]
SMALL += ["--num-heads", "2", "--intermediate-dim", "16", "--units", "16"]
SMALL += ["--vocabulary-size", "60", "--max-length", "20", "--samples", "1"]

MEASURED = {"exact_match", "bleu", "chrf"}
CONFIDENT = {"confidence_error", "confidence_error_before"}


@pytest.fixture(autouse=True)
def _in_folder_of_its_own(monkeypatch, tmp_path):
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
def run_train(pairs_file):
    """Train for an epoch by the command line, into the folder `run`."""

    def run(architecture, *options):
        common = [
            "train",
            "--pairs",
            str(pairs_file),
            "--output",
            "run",
            *SMALL,
            *options,
        ]
        return main([*common, "--architecture", architecture])

    return run


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_translate_trains_and_translates(
    architecture, run_train, tmp_path, capsys, monkeypatch
):
    figures = run_train(architecture, "--no-export")
    assert set(figures) == {*MEASURED, *CONFIDENT}
    assert (tmp_path / "run" / "confidence.png").stat().st_size > 1000
    run = tmp_path / "run"
    assert json.loads((run / "figures.json").read_text()) == figures
    assert (run / "attention.png").stat().st_size > 1000
    assert not (run / "backup").exists()
    assert not (run / "saved_model").exists()
    capsys.readouterr()

    monkeypatch.setattr(sys, "stdin", typed("Minji sees tea.\n\nYun\xff\n"))
    main(["translate", "run/translator"])
    assert len(capsys.readouterr().out.split("\n")) == 4
    # A byte order mark and a carriage return are of the file.
    monkeypatch.setattr(sys, "stdin", typed("\xef\xbb\xbfMinji sees tea.\r\n\n"))
    main(["translate", "run/translator", "--alignments"])
    some, none = capsys.readouterr().out.splitlines()
    source, target, pairs = (side.split() for side in some.split("|||"))
    assert "".join(source) == "\u2581Minji\u2581sees\u2581tea."
    assert len(pairs) == len(target)
    assert none.split() == ["|||", "|||"]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_translate_measures_and_exports(
    architecture, run_train, pairs_file, tmp_path, capsys
):
    run_train(architecture)
    run = tmp_path / "run"
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
            main(wrong)
    again = main(["evaluate", *test, "--beams", "2", "--bleu-tokenize=char"])
    assert set(again) == MEASURED
    assert "tok:char" in capsys.readouterr().out
    main(["score", *test])
    scored = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(scored) == len(pairs_file.read_text("utf-8").splitlines())
    assert all(float(score) < 0 and int(length) > 1 for score, length in scored)
    export = ["export", "run/translator", "--output", "exported"]
    main([*export, "--beams", "2", "--int8"])
    sizes = [
        sum(file.stat().st_size for file in (folder / "variables").iterdir())
        for folder in (run / "saved_model", tmp_path / "exported")
    ]
    assert sizes[1] < 0.7 * sizes[0]  # graphs apart
    other = [*export, "--xla", "--precision", "mixed_bfloat16"]
    changed = saved.load(parse(other))
    assert isinstance(changed.search, Greedy)
    assert changed.search.jit_compile
    assert changed.model.encoder.compute_dtype == "bfloat16"


@pytest.mark.slow
def test_one_model_translates_into_several_languages(pairs_file, tmp_path, capsys):
    turned = [
        line.split("\t")[::-1] for line in pairs_file.read_text("utf-8").splitlines()
    ]
    lines = "".join(f"{source}\t{target}\n" for source, target in turned)
    (tmp_path / "back.tsv").write_text(lines, "utf-8")
    small = [*SMALL, "--max-length", "40", "--no-export"]
    options = ["--pairs", "ko=pairs.tsv", "en=back.tsv", "--output", "run", *small]
    figures = main(["train", *options])
    assert set(figures) == {*MEASURED, *CONFIDENT, "ko", "en"}
    assert set(figures["en"]) == MEASURED
    assert main(["train", *options, "--resume"]) == figures
    capsys.readouterr()
    found = {}
    for language in ("ko", "en"):
        main(["translate", "run/translator", "--to", language, "--input", "pairs.tsv"])
        found[language] = capsys.readouterr().out
    assert found["ko"] != found["en"]
    main(["evaluate", "run/translator", "--to", "en", "--pairs", "back.tsv"])
    with pytest.raises(SystemExit):
        main(["translate", "run/translator", "--to", "fr"])
    assert "into ko, en. Received: --to fr" in capsys.readouterr().err
    (tmp_path / "a.txt").write_text("<2en> a\n")
    main(["translate", "run/translator", "--input", "a.txt"])
    assert "warning: the model translates into ko, en" in capsys.readouterr().err


@pytest.mark.slow
def test_commands_run_what_they_exported_by_its_engine(pairs_file, tmp_path, capsys):
    translate = make_translator("transformer", "two sentencepiece models")
    translate.save(tmp_path / "saved")
    export = ["export", "saved", "--output", "ct2", "--format", "ctranslate2"]
    main([*export, "--quantization", "int8"])
    assert "model of CTranslate2 in ct2, tried" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(export)
    main([*export, "--overwrite", "--beams", "3"])
    assert Translator.load("ct2", engine="ctranslate2").search.num_beams == 3
    test = ["ct2", "--engine", "ctranslate2", "--pairs", str(pairs_file)]
    assert set(main(["evaluate", *test, "--beams", "1"])) > {"exact_match"}
    capsys.readouterr()
    main(["score", *test])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(pairs_file.read_text("utf-8").splitlines())
    # It needs neither Keras nor a backend.
    (tmp_path / "absent").mkdir()
    for name in ("keras", "tensorflow"):
        (tmp_path / "absent" / f"{name}.py").write_text("raise ImportError\n")
    paths = os.pathsep.join([str(tmp_path / "absent"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "keras_attention", "translate", *test[:3]],
        input=b"My name\n\nI know\n",
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    (line,) = done.stderr.decode().splitlines()
    assert "translations, longer than" in line
    fast = Translator.load("ct2", engine="ctranslate2")
    expected = "".join(f"{line}\n" for line in fast(["My name", "", "I know"]))
    assert done.stdout.decode() == expected


@pytest.mark.parametrize(("beams", "penalty"), [(1, None), (2, None), (2, 1.5)])
def test_other_beams_keep_the_rest_of_a_saved_search(beams, penalty, tmp_path):
    rules = {"min_length": 4, "suppressed_ids": [1], "jit_compile": True}
    search = BeamSearch(4, 9, length_penalty=0.3, num_hypotheses=3, **rules)
    make_translator(search=search).save(tmp_path / "saved")
    arguments = ["export", str(tmp_path / "saved"), "--output", "other"]
    arguments += ["--beams", str(beams)]
    arguments += ["--length-penalty", str(penalty)] if penalty else []
    found = saved.load(parse(arguments)).search
    expected = BeamSearch(2, 9, length_penalty=penalty or 0.3, **rules)
    expected = Greedy(9, **rules) if beams == 1 else expected
    assert type(found) is type(expected)
    assert found.get_config() == expected.get_config()


def test_presets_give_way_to_what_is_asked_for(monkeypatch):
    monkeypatch.setattr(train, "run", vars)
    own = ["train", "--pairs", "own.tsv"]
    plain = main(own)
    for name, preset in PRESETS.items():
        assert set(preset) < set(plain)
        expected = plain | preset | {"preset": name, "dropout": 0.7}
        assert main([*own, "--dropout", "0.7", "--preset", name]) == expected


def test_options_of_the_transformer_reach_it(monkeypatch):
    monkeypatch.setattr(building, "transformer", lambda *sizes, **options: options)
    asked = ["--num-layers", "7", "--positions", "rotary", "--post-norm"]
    asked += ["--dropout", "0.4"]
    for more, of_weights in ([], 0.4), (["--attention-dropout", "0"], 0):
        found = building.build_model(parse(["train", *asked, *more]), 5, 7)
        expected = {"num_layers": 7, "positions": "rotary", "normalize_first": False}
        assert expected.items() <= found.items()
        assert found["dropout"] == 0.4
        assert found["attention_options"] == {"dropout": of_weights}


def test_translate_protects_an_earlier_run(pairs_file, tmp_path, capsys, monkeypatch):
    common = ["train", "--pairs", str(pairs_file), "--output", "run", *SMALL]

    class StoppedError(Exception):
        pass

    def stop(*arguments):
        raise StoppedError

    # What a run writes before its training is enough of a run to protect.
    monkeypatch.setattr(train, "fit", stop)
    with pytest.raises(StoppedError):
        main(common)
    kept = parse(["train", "--config", "run/run.toml"])
    given = vars(parse(common)) | {"config": "run/run.toml"}
    assert vars(kept) == given
    with pytest.raises(SystemExit):
        main(common)
    assert "--overwrite" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*common, "--resume", "--dropout", "0.3"])
    assert "another one: --dropout was 0.1 and is 0.3" in capsys.readouterr().err
    with pytest.raises(StoppedError):
        main([*common, "--resume", "--minutes", "3", "--samples", "2"])
    left_over = tmp_path / "run" / "figures.json"
    left_over.write_text("{}")
    (tmp_path / "empty").write_text("")
    test = ["--test-source", "empty", "--test-target", "empty"]
    parallel = ["--source", str(pairs_file), "--target", str(pairs_file), *test]
    run = ["train", "--output", "run", *SMALL, "--overwrite"]
    for wrong, named in (
        (["--pairs", "missing.tsv"], "missing.tsv: No such file"),
        (["--pairs", str(pairs_file), "--embedding-dim", "15"], "embedding_dim"),
        (["--pairs", str(pairs_file), "--max-length", "2"], "None of the pairs"),
        (parallel, "There is no line in 'empty'"),
    ):
        with pytest.raises(SystemExit):
            main([*run, *wrong])
        assert left_over.exists()
        assert named in capsys.readouterr().err
    with pytest.raises(StoppedError):
        main([*common, "--overwrite"])
    assert not left_over.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings(
    # Of the logger's file, which a training that is killed does not close.
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::ResourceWarning",
)
def test_translate_resumes_where_it_stopped(pairs_file, tmp_path, capsys, monkeypatch):
    common = [
        "train",
        "--pairs",
        str(pairs_file),
        "--output",
        "run",
        *SMALL,
        "--epochs",
        "3",
    ]
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
            main(common)
    capsys.readouterr()
    main([*common, "--resume"])
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
    assert main([*common, "--resume"]) == figures
    assert "complete" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_translate_refuses_options_that_do_not_go_together(capsys):
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
            main(["train", *arguments])
        assert named in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bleus", "flags", "is_kept"),
    [
        ([40.0, 39.95], [], True),
        ([40.0, 39.8], [], False),
        ([40.0, 0.0], ["--short-list"], True),
        ([40.0, 50.0], ["--no-short-list"], False),
    ],
)
def test_a_short_list_is_kept_where_it_is_as_good(
    run_train, bleus, flags, is_kept, monkeypatch
):
    given = iter(bleus)
    monkeypatch.setattr(
        building, "evaluate", lambda *_, **__: SimpleNamespace(bleu=next(given))
    )
    monkeypatch.setattr(building, "LARGE", 0)
    run_train("transformer", *flags, "--no-export")
    kept = Translator.load("run/translator").short_list
    assert (kept is not None) == is_kept
