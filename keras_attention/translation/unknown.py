"""What stands for unknown words in a translation."""

import re
from collections.abc import Sequence

import numpy as np

from keras_attention.text.pieces import UNKNOWN_TEXT


def replace_unknown(
    translation: str,
    ids: Sequence[int],
    attention: np.ndarray,
    parts: Sequence[str],
    unknown_id: int,
) -> str:
    """Put what was attended to in the place of unknown ids (Luong et al. 2015).

    Args:
        translation: of the ids, with U+2047 in each such place.
        ids: of the translation.
        attention: `(length, source)`.
        parts: what each source id stands for; what was attended to beyond stands for
            nothing.
        unknown_id: among `ids`.

    Returns:
        The translation. One whose places are not known, since the model wrote U+2047
        itself, stays as it is.
    """
    places = [place for place, written in enumerate(ids) if written == unknown_id]
    between = translation.split(UNKNOWN_TEXT)
    if not places or len(between) != len(places) + 1:
        return translation
    woven = [between[0]]
    for place, rest in zip(places, between[1:], strict=True):
        attended = int(attention[place].argmax())
        woven += [parts[attended] if attended < len(parts) else "", rest]
    return re.sub(" +", " ", "".join(woven)).strip()
