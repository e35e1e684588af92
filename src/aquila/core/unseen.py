"""Unseen: characters that show nothing. With one of them, two names look alike and are not the same."""

import re
import unicodedata
from typing import Final

_BLANK_LETTERS: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and signs of Unicode that have no shape of their own."""
_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Zl", "Zp"})
"""Controls, marks of direction and joining, what no font knows, and ends of lines. See The Unicode Standard, 4.5."""


def unseen(text: str) -> str | None:
    """The first character of it that shows nothing, or looks like a blank and is none; None = all are seen."""
    if text.isascii() and text.isprintable():
        return None
    return next((char for char in text if _is_unseen(char)), None)


def seen(text: str) -> str:
    """A name as people see it: without what shows nothing, and without blanks at its ends."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _is_hidden(char))
    return text.strip()


def _is_unseen(char: str) -> bool:
    return _is_hidden(char) or (char != " " and unicodedata.category(char) == "Zs")


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _CATEGORIES or _BLANK_LETTERS.match(char) is not None
