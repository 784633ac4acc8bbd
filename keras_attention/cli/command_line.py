"""From the arguments of a command line to the options of a command."""

import argparse
import importlib
from collections.abc import Sequence

from keras_attention._version import __version__
from keras_attention.cli.configuration import read_options
from keras_attention.cli.options.train import PRESETS
from keras_attention.cli.parser import Parser, named

NAME = "keras-attention"
COMMANDS = (
    "train",
    "translate",
    "evaluate",
    "score",
    "align",
    "export",
    "convert",
    "serve",
    "show",
)
SHELLS = ("bash", "zsh", "tcsh")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command, whose name is `command` among them.

    What a preset or a file of options says gives way to what is given.

    Raises:
        SystemExit: after the help, or what is wrong with the arguments.
        OSError, ValueError: for a file of options that cannot be used.
    """
    parser, commands = make_parsers()
    arguments = list(arguments)
    if arguments[:1] and arguments[0] in commands:
        name = arguments[0]
        command = commands[name]
        arguments[1:1] = read_options(command, name, arguments[1:])
    options = parser.parse_args(arguments)
    if options.print_completion:
        _print_completion(parser, options.print_completion)
    if options.command is None:
        parser.error(f"no command given; choose from {', '.join(COMMANDS)}")
    if getattr(options, "preset", None):
        commands["train"].set_defaults(**PRESETS[options.preset])
        options = parser.parse_args(arguments)
    return options


def make_parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole command line, and those of its commands."""
    parser = Parser(
        prog=NAME,
        description="Train translators, translate with them, measure them, and export "
        "them.",
        epilog="A mistake in files or options is one line on standard error, and exit "
        f"status 2.\n`{NAME} COMMAND --help` describes a command.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"{NAME} {__version__}",
        help="print the version, and exit",
    )
    parser.add_argument(
        "--print-completion",
        choices=SHELLS,
        metavar="SHELL",
        help="print a completion script for bash, zsh or tcsh, and exit; needs the "
        "extra `completion`",
    )
    # Not required: what is missing is said in our words.
    added = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands = {}
    for name in COMMANDS:
        module = importlib.import_module(f"keras_attention.cli.options.{name}")
        command = commands[name] = added.add_parser(
            name,
            help=module.HELP,
            description=module.DESCRIPTION,
            epilog=module.EXAMPLES,
        )
        module.add_options(command)
        command.add_argument(
            "--config",
            type=named,
            metavar="FILE",
            help=f"read options from the table [{name}] of a TOML file; those on the "
            "command line take precedence",
        )
        command.add_argument(
            "--save-config",
            type=named,
            metavar="FILE",
            help="write these options to a new file for --config",
        )
    return parser, commands


def _print_completion(parser, shell):
    from keras_attention.optional_packages import needs

    with needs("shtab", extra="completion", by="--print-completion"):
        import shtab
    print(shtab.complete(parser, shell))
    parser.exit()
