"""Control socket: what both of its ends must agree on. control.py answers there, asking.py asks."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LENGTH = struct.Struct("<I")
"""Before each ask and each answer, both JSON: how many bytes follow."""
ASK_TIMEOUT_S = 600.0
SOCKET_NAME_BYTES_MAX = 107


@contextmanager
def socket_name(path: Path) -> Iterator[str]:
    """A name for a socket that the kernel takes: it allows 107 bytes, a folder may lie deeper than that."""
    absolute = str(path.absolute())
    name = min(os.path.relpath(absolute), absolute, key=len)
    if len(os.fsencode(name)) <= SOCKET_NAME_BYTES_MAX:
        yield name
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
