"""The tracker's memory: one row per track in growing arrays, copied and put back bit for bit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Rows:
    """Arrays with a row per track; rows 0 .. n are in use, in order of birth."""

    x: Floats
    """Mean of x, y, vx, vy per mode, shape (n, 2, 4)."""
    cov: Floats
    """Upper triangle of the covariance per mode, shape (n, 2, 10)."""
    mu: Floats
    """Probability of each mode, shape (n, 2)."""
    t: Floats
    """Time of the state, s."""
    r: Floats
    """Probability that the track is a target."""
    hits: Ints
    t_hit: Floats
    born_t: Floats
    born_n: Ints
    """Sensor and number of the first plot: with `born_t` the identity of the track."""
    confirmed: Bools
    seen_t: Floats
    """When each sensor plotted it last, shape (n, sensors); -inf: never."""
    seen_n: Ints
    """How often each sensor plotted it, shape (n, sensors)."""

    def __init__(self, sensors: int) -> None:
        self.n = 0
        self.capacity = 0
        self._layout: dict[str, tuple[tuple[int, ...], type]] = {
            "x": ((2, 4), np.float64),
            "cov": ((2, 10), np.float64),
            "mu": ((2,), np.float64),
            "t": ((), np.float64),
            "r": ((), np.float64),
            "hits": ((), np.int64),
            "t_hit": ((), np.float64),
            "born_t": ((), np.float64),
            "born_n": ((), np.int64),
            "confirmed": ((), np.bool_),
            "seen_t": ((sensors,), np.float64),
            "seen_n": ((sensors,), np.int64),
        }
        self.grow(256)

    def grow(self, capacity: int) -> None:
        """Room for so many rows; those in use stay."""
        for name, (shape, kind) in self._layout.items():
            fresh: NDArray[Any] = np.zeros((capacity, *shape), kind)
            if self.n:
                fresh[: self.n] = getattr(self, name)[: self.n]
            setattr(self, name, fresh)
        self.capacity = capacity

    def add(self, count: int) -> slice:
        """So many new rows at the end; their content is to be written."""
        if self.n + count > self.capacity:
            self.grow(max(2 * self.capacity, self.n + count))
        fresh = slice(self.n, self.n + count)
        self.n += count
        return fresh

    def keep(self, which: Bools) -> None:
        """Drop all other rows."""
        if which.all():
            return
        first = int(which.argmin())  # the old stand in front and stay: most often little has to move
        rows = first + np.flatnonzero(which[first:])
        end = first + len(rows)
        for name in self._layout:
            column = getattr(self, name)
            column[first:end] = column.take(rows, axis=0)
        self.n = end

    def copy(self) -> dict[str, Any]:
        """The rows in use."""
        return {name: getattr(self, name)[: self.n].copy() for name in self._layout}

    def put(self, copied: dict[str, Any]) -> None:
        """Make the rows those of a copy."""
        self.n = 0
        rows = len(copied["t"])
        if rows > self.capacity:
            self.grow(rows)
        for name, column in copied.items():
            getattr(self, name)[:rows] = column
        self.n = rows
