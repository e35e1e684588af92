"""The recent past of pairs of tracks, in arrays: what the correlator's window test reads."""

import numpy as np

from aquila.fusion.rows import Floats, Ints


class Windows:
    """The last epochs of all pairs, a row per pair: differences of the means, and inverse covariances of them."""

    def __init__(self, epochs: int) -> None:
        self.d = np.zeros((64, epochs, 4))
        self.inverse = np.zeros((64, epochs, 4, 4))
        self.count = np.zeros(64, np.int64)
        self._free = list(range(63, -1, -1))

    def take(self) -> int:
        """An empty row."""
        if not self._free:
            size = len(self.count)
            self.d = np.concatenate([self.d, np.zeros_like(self.d)])
            self.inverse = np.concatenate([self.inverse, np.zeros_like(self.inverse)])
            self.count = np.concatenate([self.count, np.zeros_like(self.count)])
            self._free = list(range(2 * size - 1, size - 1, -1))
        slot = self._free.pop()
        self.count[slot] = 0
        return slot

    def give(self, slot: int) -> None:
        """Its pair is gone."""
        self._free.append(slot)

    def add(self, slots: Ints, d: Floats, inverse: Floats) -> None:
        """One epoch more for some pairs; the oldest goes."""
        at = self.count[slots] % self.d.shape[1]
        self.d[slots, at], self.inverse[slots, at] = d, inverse
        self.count[slots] += 1

    def nees(self, slots: Ints, offset: Floats) -> tuple[Floats, Ints]:
        """Mean squared distance over each window with the offset taken off, and over how many epochs."""
        counts = np.minimum(self.count[slots], self.d.shape[1])
        d = self.d[slots] - offset
        each = ((self.inverse[slots] @ d[..., None])[..., 0] * d).sum(axis=2)
        each[np.arange(self.d.shape[1]) >= counts[:, None]] = 0.0
        mean: Floats = each.sum(axis=1) / counts
        return mean, counts
