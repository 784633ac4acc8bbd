"""Header lines of e-mails and of their parts (RFC 5322, RFC 2045)."""

import re
from collections.abc import Sequence
from itertools import takewhile

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*:(?:[ \t]|$)")
_CONTINUED = re.compile(r"[ \t]+\S")
_OF_MAIL = re.compile(
    r"(?:from|to|subject|date|message-id|mime-version|received|return-path"
    r"|content-type|content-transfer-encoding):",
    re.I,
)
_SUBJECT = re.compile(r"subject:[ \t]*", re.I)
_MOST = 200  # lines of them
_BOUNDARY = re.compile(r"--\S{1,72}")


def is_boundary(line: str) -> bool:
    """Whether a line may stand between the parts of an e-mail."""
    return _BOUNDARY.fullmatch(line) is not None


def count_headers(lines: Sequence[str], place: int) -> int:
    """How many lines, from one on, are headers: two of e-mails at least.

    Those of a part come after its boundary, which is one of them.
    """
    begun = place + is_boundary(lines[place])
    own = [*takewhile(_is_header, lines[begun : begun + _MOST])]
    if not own or not _HEADER.match(own[0]):
        return 0
    known = sum(_OF_MAIL.match(line) is not None for line in own)
    is_mail = known > 1 or (begun > place and known)
    return begun + len(own) - place if is_mail else 0


def find_subject(lines: Sequence[str]) -> list[tuple[int, int]]:
    """The lines among some headers that are the subject, and where it begins in each.

    There are none where it is encoded.
    """
    for number, line in enumerate(lines):
        if match := _SUBJECT.match(line):
            rest = [*takewhile(_CONTINUED.match, lines[number + 1 :])]
            if "=?" in "".join([line, *rest]):
                break
            begins = [match.end(), *(len(own) - len(own.lstrip()) for own in rest)]
            return [(number + more, begin) for more, begin in enumerate(begins)]
    return []


def _is_header(line):
    return _HEADER.match(line) or _CONTINUED.match(line)
