"""What stands for something in a text, and must come through a translation."""

import re

# Placeholders of programs: {name}, {{ name }}, ${NAME}, %(name)s, %s, %1$d, %-5.2f, %@.
_PLACEHOLDERS = r"""
    \{\{[^{}]*\}\} | \$?\{[^{}\s][^{}\n]{0,60}\} | \{\}
    | %\([^()\s]+\)[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]
    | %(?:\d+\$)?[-+\#0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z)?[sdiufFgGeExXocpr@](?![A-Za-z0-9])
"""
_ADDRESSES = r"""
    (?:https?|ftps?|file|mailto|ssh|git)://?[^\s<>"'\u3000-\u303f\uac00-\ud7a3]+
        (?<![.,;:!?)\]])
    | \bwww\.[^\s<>"']+(?<![.,;:!?)\]])
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
"""
NAMES = re.compile(f"{_PLACEHOLDERS} | {_ADDRESSES}", re.X)
NUMBERS = re.compile(r"(?<![\w.,])\d+(?:[.,:]\d+)*(?![\w])")
