"""Doctor: why a handshake, port, clock, disk, file limit or certificate fails, one sentence each, and what to do."""

from pathlib import Path
from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    grade: Literal["good", "warn", "bad"]
    sentence: str


def examine(data: Path, *, certificate: Path | None, connect: str | None, key: Path | None) -> list[Finding]:
    """Look at everything."""
    return []
