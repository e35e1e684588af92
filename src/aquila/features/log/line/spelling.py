"""When two spellings are one name: no case, no spaces, no marks, one alphabet, no leading zeros."""

import functools
import re

from aquila.features.log.line.words import normalise

LATIN = str.maketrans(
    {
        **dict(zip("абвгдезиклмнопрстуфхцыэ", "abvgdeziklmnoprstufhcye", strict=True)),
        **dict(zip("әғқңөұүіһ", "agknouuih", strict=True)),
        **{"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sh", "ю": "yu", "я": "ya", "ь": None, "ъ": None, "й": "i"},
    }
)
"""A callsign typed in the other alphabet is the same callsign."""
FOLDED = (("ph", "f"), ("ou", "u"), ("q", "k"))
"""Spellings of one sound: alpha, alfa; Naqoura, накура."""
KEYS_MAX = 16_384
"""Spellings that are remembered: more than the names of a picture and the words of a line."""
RUNS = re.compile(r"[^\W\d_]+|[0-9]+")


@functools.lru_cache(KEYS_MAX)
def key_of(text: str) -> str:
    """What makes two spellings of a name equal."""
    plain = normalise(text).translate(LATIN)
    for typed, sound in FOLDED:
        plain = plain.replace(typed, sound)
    return "".join(run.lstrip("0") or "0" if run.isdigit() else run for run in RUNS.findall(plain))


def digits_of(text: str) -> tuple[str, ...]:
    """The numbers of a name; 1-31 and 13-1 differ."""
    return tuple(run.lstrip("0") or "0" for run in re.findall(r"[0-9]+", text))
