"""Simulation: three nodes of the product in a world made of dice. The same seed gives the same run, byte for byte.

`World(seed).run()` plays a storm (loss, reordering, repeats, partitions, crashes, full disks, skewed clocks, a changed
policy), then a calm, and raises BrokenPromiseError when a promise does not hold. No sockets, no sleep, no threads.
"""

from aquila.testing.simulation.broken import BrokenPromiseError
from aquila.testing.simulation.host import Disk, Host, Parts
from aquila.testing.simulation.world import STILL_CLOCKS, STORM, Weather, World

__all__ = ["STILL_CLOCKS", "STORM", "BrokenPromiseError", "Disk", "Host", "Parts", "Weather", "World"]
