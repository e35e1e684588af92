"""Finding: what an examination of a node found, and how bad it is."""

from typing import Literal

import msgspec

Grade = Literal["good", "warn", "bad"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: how it stands, and in a sentence why and what to do."""

    what: str
    grade: Grade
    sentence: str
