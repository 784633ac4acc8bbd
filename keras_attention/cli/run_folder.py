"""The folder of a training: what it begins with, and whether it may continue."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_attention import text
from keras_attention.saved_folders import check_free, new_folder

SETTINGS = "settings.json"
TOKENIZER_FILES = ("source_tokenizer.json", "target_tokenizer.json")
DATA = "data"  # what the settings call the checksums of the lines
FILES = {  # settings that name a file
    f"{part}{side}"
    for part in ("", "validation_", "test_")
    for side in ("pairs", "source", "target")
}
FREE = {"export", "minutes", "samples"}  # what may change on the way


def check_new(folder: Path, overwrite: bool) -> None:
    """Raise `FileExistsError` for a folder that holds something worth keeping."""
    if (folder / SETTINGS).is_file() and not overwrite:
        raise FileExistsError(
            f"{folder} holds a run: --resume continues it, --overwrite replaces it, "
            "--output names another folder"
        )
    check_free(folder, SETTINGS, overwrite)


def check_begun(folder: Path) -> None:
    """Raise `FileNotFoundError` where there is no run to continue."""
    if not (folder / SETTINGS).is_file():
        raise FileNotFoundError(f"--resume: there is no run to continue in {folder}")


def begin_run(
    folder: Path,
    settings: Mapping[str, Any],
    data: Mapping[str, str],
    tokenizers: Sequence[text.Tokenizer],
    overwrite: bool,
) -> None:
    """Write what a run begins with, in place of an earlier one if asked for.

    Args:
        folder: the run's.
        settings: by name, as JSON's own types.
        data: checksums of the lines, by the setting that names their file.
        tokenizers: of both sides.
        overwrite: whether an earlier run there may be replaced.
    """
    with new_folder(folder, SETTINGS, overwrite) as fresh:
        content = json.dumps({**settings, DATA: data}, indent=2)
        (fresh / SETTINGS).write_text(content, "utf-8")
        for tokenizer, file in zip(tokenizers, TOKENIZER_FILES, strict=True):
            tokenizer.save(fresh / file)


def read_json(path: Path) -> dict[str, Any]:
    """What a file of the run holds.

    Raises:
        ValueError: for a file that does not hold what was written into it.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is truncated or altered: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is altered: it holds no object of JSON")
    return content


def check_same(
    folder: Path,
    settings: Mapping[str, Any],
    data: Mapping[str, str],
    names: Mapping[str, str | None],
) -> None:
    """Raise `ValueError` unless a run began with these settings and these lines.

    Args:
        folder: the run's.
        settings: as `begin_run` was given them.
        data: likewise. Where lines are equal, their files may have other names.
        names: the file of each checksum, for the message.
    """
    before = read_json(folder / SETTINGS)
    known = before.pop(DATA, None)  # earlier versions did not keep them
    changed = [
        f"--{name.replace('_', '-')} was {before.get(name)!r} and is {now!r}"
        for name, now in settings.items()
        if before.get(name) != now
        and name not in FREE
        # An earlier version did without it.
        and (name in before or now not in (None, False))
        and (known is None or name not in FILES)
    ]
    if known is not None:
        for name in sorted(known.keys() | data.keys()):
            if known.get(name) == data.get(name):
                continue
            if name not in data:
                earlier = before.get(name) or before.get("pairs") or ()
                if not isinstance(earlier, str):  # as an earlier version wrote one
                    earlier = " ".join(earlier)
                said = f"the lines of {earlier!r} are not given"
            elif name not in known:
                said = f"the lines of {names[name]!r} were not given"
            else:
                said = f"the lines of {names[name]!r} have changed"
            if said not in changed:  # of both sides of one file
                changed.append(said)
    if changed:
        raise ValueError(
            f"--resume: the run in {folder} is another one: {'; '.join(changed)}"
        )
