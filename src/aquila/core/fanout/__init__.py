"""Fan-out: what is to leave, who may have it, and where each link stands -> the bytes to write to every link.

Pure: it knows no socket and no clock. The edge publishes, ticks and writes, and tells what a link did not take.

A link is *ready* (everything it was given has left) or *behind* (it did not take its last bytes). Ready links of one
audience and format share one buffer per tick. A link that is behind keeps a cursor, not a queue: when it takes bytes
again it gets the newest state of whatever changed since, and every statement in between.
"""

from aquila.core.fanout.fanout import AUDIENCES_MAX, WAITING_BYTES_MAX, WAITING_MS_MAX, Fanout
from aquila.core.fanout.forms import Counts
from aquila.core.fanout.latest import LATEST_BYTES_MAX, LATEST_MAX
from aquila.core.fanout.outbound import EVERYONE, Encode, Outbound, Reach, Release
from aquila.core.fanout.reader import Standing
from aquila.core.fanout.run import JOINED_BYTES_MAX, Batch

__all__ = [
    "AUDIENCES_MAX",
    "EVERYONE",
    "JOINED_BYTES_MAX",
    "LATEST_BYTES_MAX",
    "LATEST_MAX",
    "WAITING_BYTES_MAX",
    "WAITING_MS_MAX",
    "Batch",
    "Counts",
    "Encode",
    "Fanout",
    "Outbound",
    "Reach",
    "Release",
    "Standing",
]
