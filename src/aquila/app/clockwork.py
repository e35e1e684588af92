"""Clockwork: the wall clock and the dice, made in one place and handed to everything that needs them."""

import os
import time
from collections.abc import Callable

import msgspec

from aquila.core.ids import IdSource, uuid7_source


class Clockwork(msgspec.Struct, frozen=True):
    """The wall clock in UTC milliseconds, random bytes, and new ids made of both."""

    clock_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    new_id: IdSource


def real_clockwork() -> Clockwork:
    """The clock and the dice of this machine."""

    def clock_ms() -> int:
        return time.time_ns() // 1_000_000

    return Clockwork(clock_ms, os.urandom, uuid7_source(clock_ms, os.urandom))
