"""What benches of thousands of movers share: the movers, what a node hears of them, and CPU time by the second."""

import argparse
import time
from collections.abc import Callable

import numpy as np

from aquila.core.model import Motion, Position, Sample, Stamp, Tick
from aquila.testing.memory_node import OPEN, report_of

M_PER_DEG = 111_195.0


def numbers(**defaults: int) -> argparse.Namespace:
    """The words of a bench: a flag for each name, with a whole number behind it."""
    parser = argparse.ArgumentParser()
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


class Crowd:
    """Movers that each keep course and speed, spread over a box; the same ones for the same seed.

    Args:
        count: how many. lat_deg, lon_deg: from and to. mps_max: the fastest.
    """

    def __init__(
        self, count: int, lat_deg: tuple[float, float], lon_deg: tuple[float, float], mps_max: float, seed: int = 1
    ) -> None:
        self.dice = np.random.default_rng(seed)
        self.lat, self.lon = self.dice.uniform(*lat_deg, count), self.dice.uniform(*lon_deg, count)
        self._course, self._mps = self.dice.uniform(0, 2 * np.pi, count), self.dice.uniform(0, mps_max, count)
        self._east_m = M_PER_DEG * np.cos(np.radians(np.mean(lat_deg)))

    def samples(self, at_ms: int) -> list[Sample]:
        """Where everybody is a second later."""
        self.lat += self._mps * np.cos(self._course) / M_PER_DEG
        self.lon += self._mps * np.sin(self._course) / self._east_m
        return [
            sample_of(n, float(lat), float(lon), at_ms)
            for n, (lat, lon) in enumerate(zip(self.lat, self.lon, strict=True))
        ]


def sample_of(n: int, lat_deg: float, lon_deg: float, at_ms: int) -> Sample:
    """What mover n says at a time."""
    return Sample(
        report=report_of(f"M{n}", lat_deg, lon_deg, at_ms, position=Position(lat_deg, lon_deg), motion=Motion()),
        stamp=Stamp(at_ms * 65536 + n, "n1", 1, 0),
        author="device:FOX",
        via="tak",
        label=OPEN,
        context="EXERCISE:TEST",
        received_at_ms=at_ms,
    )


def tick_of(at_ms: int) -> Tick:
    """The clock of the node at a time."""
    return Tick(at_ms, Stamp(at_ms * 65536, "n1", 1, 0))


class Spent:
    """CPU time of a part that runs once a second."""

    def __init__(self) -> None:
        self.seconds = 0
        self.cpu_s = self.worst_s = 0.0

    def run(self, work: Callable[[], None]) -> None:
        """One second's work."""
        before = time.process_time()
        work()
        took_s = time.process_time() - before
        self.seconds += 1
        self.cpu_s, self.worst_s = self.cpu_s + took_s, max(self.worst_s, took_s)

    def __str__(self) -> str:
        share, each_ms = 100 * self.cpu_s / self.seconds, 1000 * self.cpu_s / self.seconds
        return f"{share:.1f} % of one core ({each_ms:.0f} ms of CPU a second, slowest {1000 * self.worst_s:.0f} ms)"
