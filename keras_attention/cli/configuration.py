"""Options from a file, and into one."""

import argparse
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_attention.whole_files import new_file

# What says where options come from and go to, and whether a run is the same one.
NOT_KEPT = ("command", "config", "save_config", "print_completion")


def read_options(
    parser: argparse.ArgumentParser, command: str, arguments: Sequence[str]
) -> list[str]:
    """The options of the file that `--config` names among arguments, as arguments.

    What they give of arguments without a name becomes their default.

    Args:
        parser: of the command.
        command: its name, and that of the file's table.
        arguments: of the command.

    Raises:
        OSError: when the file cannot be read.
        ValueError: for a file that is not TOML, has no such table, or names an option
            that the command does not have.
    """
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config", nargs="?")  # what is wrong is said later
    path = finder.parse_known_args(arguments)[0].config
    if not path:
        return []
    try:
        tables = tomllib.loads(Path(path).read_text("utf-8"))
    except ValueError as error:  # of its form or its bytes
        raise ValueError(f"--config: {path!r} is not TOML: {error}") from error
    if not isinstance(tables.get(command), dict):
        raise ValueError(f"--config: {path!r} has no table [{command}]")
    actions = {action.dest: action for action in parser._actions}
    found: list[str] = []
    for key, value in tables[command].items():
        action = actions.get(key.replace("-", "_"))
        if action is None or action.dest in (*NOT_KEPT, "help"):
            raise ValueError(
                f"--config: {path!r} asks for {key!r}, which {command} does not have"
            )
        name = f"--config: {key!r} in {path!r}"
        if not action.option_strings:
            if not isinstance(value, str):
                raise ValueError(f"{name} must be a string. Received: {value!r}")
            action.default, action.nargs, action.required = value, "?", False
        elif not _is_replaced(parser, action, arguments):
            found += _as_arguments(action, value, name)
    # Last, since what takes several values would take what follows, too.
    return [*found, f"--config={path}"]


def write_options(
    path: str | Path, command: str, options: Mapping[str, Any], *left_out: str
) -> None:
    """Write options to a file that `--config` reads.

    Args:
        path: the file.
        command: their command.
        options: by name; `None` stands for what was not given.
        left_out: names of some that are not to be kept.
    """
    kept = {
        name: value
        for name, value in options.items()
        if value not in (None, []) and name not in (*NOT_KEPT, *left_out)
    }
    lines = [f"{name} = {_as_toml(value)}\n" for name, value in kept.items()]
    with new_file(path, overwrite=True) as file:
        file.write(f"[{command}]\n{''.join(lines)}".encode())


def _is_replaced(parser, action, arguments):
    """Whether arguments name another option, of which one excludes the other."""
    flags = {argument.split("=", 1)[0] for argument in arguments}
    return any(
        flags.intersection(other.option_strings)
        for group in parser._mutually_exclusive_groups
        if action in group._group_actions
        for other in group._group_actions
        if other is not action
    )


def _as_arguments(action, value, name):
    """What stands on a command line for the value of an option."""
    flags = action.option_strings
    if isinstance(value, bool):
        if action.nargs != 0:
            raise ValueError(f"{name} must not be true or false. Received: {value}")
        negative = [flag for flag in flags if flag.startswith("--no-")]
        if value:
            return flags[:1]
        return negative if len(flags) > 1 else []
    if action.nargs == 0:
        raise ValueError(f"{name} must be true or false. Received: {value!r}")
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float) for one in values):
        raise ValueError(f"{name} must be a string or a number. Received: {value!r}")
    if action.nargs is None:
        if len(values) != 1:
            raise ValueError(f"{name} must be one value. Received: {value!r}")
        return [f"{flags[0]}={values[0]}"]  # which may begin with a hyphen
    return [flags[0], *map(str, values)] if values else []


def _as_toml(value):
    if isinstance(value, list):
        return f"[{', '.join(map(_as_toml, value))}]"
    if isinstance(value, str):
        # As JSON writes it, but for one character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
