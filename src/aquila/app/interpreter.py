"""How Python itself is set for a node: one that must answer within tenths of a second while threads compute beside it.

Both are of the whole process, so only whoever starts a node sets them.
"""

import gc
import sys
from typing import Final

SWITCH_S: Final = 0.001
"""After so long a thread that computes lets another one go on. Python's own 5 ms are waited for at every handing over
between the loop and a worker, several times for one plot."""
FULL_COLLECTION_AFTER: Final = 100
"""Collections of the middle generation until all is walked over: ten times as many as is usual. One such walk over a
node with 5,000 fused tracks takes 0.2 s, in which nothing else goes on; it came every second while tracks began."""


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
