"""Patterns with groups that give nothing back once they are taken, `(...)*+`, on every Python that we run on."""

import re
import sys
from typing import Final

TAKES_THEM_RIGHT: Final = sys.version_info >= (3, 11, 5)
"""Before, such a group could end in the middle of a repetition that did not fit (CPython issue 106052)."""


def possessive(pattern: bytes, *, as_they_are: bool = TAKES_THEM_RIGHT) -> re.Pattern[bytes]:
    """Compile a pattern; where Python takes possessive groups wrongly, with greedy ones in their place.

    Only for repetitions that a text can be divided into in one way: a greedy group then matches the same and takes
    longer only to find that nothing does.
    """
    return re.compile(pattern if as_they_are else pattern.replace(b")*+", b")*"))
