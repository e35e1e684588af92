"""How Python itself is set for a node: one that must answer within tenths of a second while threads compute beside it.

Both are of the whole process, so only whoever starts a node sets them.
"""

import asyncio
import gc
import sys
from typing import Final

SWITCH_S: Final = 0.001
"""After so long a thread that computes lets another one go on. Python's own 5 ms are waited for at every handing over
between the loop and a worker, several times for one plot."""
FULL_COLLECTION_AFTER: Final = 10_000
"""Collections of the middle generation until all is walked over; Python's own 10 is a walk each second while tracks
begin. One walk over a node with 5,000 fused tracks takes 0.3 s, in which nothing else goes on, and found 0 to 30
objects to free each time: what is dropped here is hardly ever a cycle. With this, such a node walks once in ten
minutes."""
COLLECT_EVERY_S: Final = 3_600.0


def collect_later() -> None:
    """While a node starts nearly all that is made stays: what is not is collected once, by `suit_interpreter`."""
    gc.disable()


def suit_interpreter() -> None:
    """Set it. What stands at this moment is taken to stay: the collector walks over it no more."""
    sys.setswitchinterval(SWITCH_S)
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTION_AFTER)
    gc.collect()
    gc.freeze()
    gc.enable()


async def collect_hourly() -> None:
    """Walk over all once an hour, until cancelled.

    A node with little to do would come to it after days only, and links that break again and again leave cycles that
    nothing else frees.
    """
    while True:
        await asyncio.sleep(COLLECT_EVERY_S)
        gc.collect()
