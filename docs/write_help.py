"""Write into docs/command.md what each command says of itself.

python docs/write_help.py
"""

import os
import re
from pathlib import Path

from keras_attention.cli.command_line import NAME, make_parsers

PAGE = Path(__file__).with_name("command.md")
COLUMNS = "90"
BLOCK = re.compile(rf"(?ms)^    {NAME}( \w+)? --help\n\n```text\n.*?^```$")


def with_help(page: str) -> str:
    """The page with each help in its block, after the command that prints it."""
    os.environ["COLUMNS"] = COLUMNS
    parser, commands = make_parsers()

    def write(match):
        name = (match[1] or "").strip()
        said = (commands[name] if name else parser).format_help()
        command = f"{NAME} {name}".strip()
        return f"    {command} --help\n\n```text\n{said.rstrip()}\n```"

    return BLOCK.sub(write, page)


if __name__ == "__main__":
    PAGE.write_text(with_help(PAGE.read_text("utf-8")), "utf-8")
