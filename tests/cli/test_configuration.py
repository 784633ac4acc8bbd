"""Options from files, and into files."""

import tomllib

import pytest

from keras_attention.cli.command_line import COMMANDS, make_parsers, parse
from keras_attention.cli.configuration import write_options
from keras_attention.cli.main import main
from keras_attention.cli.options.train import PRESETS


@pytest.fixture(autouse=True)
def _in_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def values(options):
    return {
        name: value
        for name, value in vars(options).items()
        if name not in ("config", "save_config")
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--pairs", "a b.tsv", "--no-export", "--xla", "--seed", "3"],
        ["train", "--source=x", "--target", 'a "quoted" 이름', "--user-symbols", "<b>"],
        ["train", "--preset", "transformer-4k", "--dropout", "0.25", "--minutes", "5"],
        ["translate", "run", "--input", "-odd", "b.gz", "--length-penalty", "0"],
        ["translate", "run", "--no-xla", "--ensemble", "other", "--n-best", "2"],
        ["export", "run", "--output", "new\nline\x7f", "--int8"],
    ],
    ids=" ".join,
)
def test_what_is_written_is_read_as_the_same_options(arguments, tmp_path):
    if "-odd" in arguments:  # as a shell would have to write it
        arguments = [one.replace("-odd", "./-odd") for one in arguments]
    given = parse(arguments)
    path = tmp_path / "run.toml"
    write_options(path, arguments[0], vars(given))
    assert values(parse([arguments[0], "--config", str(path)])) == values(given)


def test_what_is_given_counts_before_the_file_and_the_file_before_a_preset():
    with open("run.toml", "w") as file:
        file.write('[train]\npreset = "transformer-4k"\ndropout = 0.5\nseed = 3\n')
    options = parse(["train", "--config", "run.toml", "--seed", "4", "--pairs", "x"])
    assert (options.dropout, options.seed, options.pairs) == (0.5, 4, ["x"])
    assert options.epochs == PRESETS["transformer-4k"]["epochs"]


def test_names_may_be_written_as_on_a_command_line():
    with open("run.toml", "w") as file:
        file.write('[translate]\nfolder = "run"\nlength-penalty = 1\nxla = false\n')
    options = parse(["translate", "--config", "run.toml"])
    assert (options.folder, options.length_penalty, options.xla) == ("run", 1.0, False)
    assert parse(["translate", "mine", "--config", "run.toml"]).folder == "mine"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[train]\npairz = 'x'\n", "asks for 'pairz', which train does not have"),
        ("[train]\ncommand = 'x'\n", "asks for 'command'"),
        ("[train]\nhelp = true\n", "asks for 'help'"),
        ("[translate]\n", "has no table [train]"),
        ("train = 3\n", "has no table [train]"),
        ("[train\n", "is not TOML"),
        ("[train]\nepochs = true\n", "'epochs' in 'run.toml' must not be true or fal"),
        ("[train]\nepochs = [1, 2]\n", "must be one value"),
        ("[train]\nepochs = 1979-05-27\n", "must be a string or a number"),
        ("[train]\nexport = 3\n", "must be true or false"),
        ("[train]\nepochs = 0\n", "--epochs: '0' is not a positive integer"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_in_one_line(content, named, capsys):
    with open("run.toml", "w") as file:
        file.write(content)
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--config", "run.toml"])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


def test_a_folder_is_a_string(capsys):
    with open("run.toml", "w") as file:
        file.write("[translate]\nfolder = 5\n")
    with pytest.raises(SystemExit):
        main(["translate", "--config", "run.toml"])
    assert "'folder' in 'run.toml' must be a string" in capsys.readouterr().err


def test_what_is_given_counts_before_what_it_excludes():
    with open("run.toml", "w") as file:
        file.write('[score]\npairs = "a.tsv"\n')
    options = parse(["score", "x", "--config", "run.toml", "--source=b", "--target=c"])
    assert (options.pairs, options.source) == (None, "b")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_without_its_value_is_said_in_one_line(name, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([name, "--config"])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--config: expected one argument" in line


def test_a_missing_file_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--config", "missing.toml"])
    assert "missing.toml: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_says_what_it_does(name):
    _, commands = make_parsers()
    for action in commands[name]._actions:
        assert action.help, action.dest
    assert commands[name].description
    assert commands[name].epilog or name in ("serve", "show")


def test_options_are_written_where_they_are_asked_for(monkeypatch):
    from keras_attention.cli.commands import serve

    monkeypatch.setattr(serve, "run", lambda options: None)
    main(["serve", "folder", "--save-config", "saved.toml"])
    with open("saved.toml", "rb") as file:
        assert tomllib.load(file) == {"serve": {"folder": "folder"}}
