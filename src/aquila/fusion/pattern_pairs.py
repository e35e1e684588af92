"""Pairs of movers for which something holds: since when, and how often it was missed since it last held."""

import numpy as np

from aquila.fusion.rows import Ints

MOVERS_MAX = 20_000
MISSES_MAX = 2


class Pairs:
    """Pairs for which something holds: since when, and how often it was missed since it last held."""

    def __init__(self) -> None:
        self.keys = np.zeros(0, np.int64)
        self.since_ms = np.zeros(0, np.int64)
        self.missed = np.zeros(0, np.int64)
        self.told = np.zeros(0, np.bool_)

    def update(self, held: Ints, now_ms: int) -> list[tuple[int, int, int]]:
        """What holds now (sorted keys); gives (row, row, since_ms) of told pairs for which it is over."""
        known = np.isin(self.keys, held, assume_unique=True)
        self.missed = np.where(known, 0, self.missed + 1)
        gone = self.missed > MISSES_MAX
        over = [
            (int(key // MOVERS_MAX), int(key % MOVERS_MAX), int(since))
            for key, since in zip(self.keys[gone & self.told], self.since_ms[gone & self.told], strict=True)
        ]
        fresh = np.setdiff1d(held, self.keys, assume_unique=True)
        keys = np.concatenate([self.keys[~gone], fresh])
        order = np.argsort(keys)
        self.keys = keys[order]
        self.since_ms = np.concatenate([self.since_ms[~gone], np.full(len(fresh), now_ms, np.int64)])[order]
        self.missed = np.concatenate([self.missed[~gone], np.zeros(len(fresh), np.int64)])[order]
        self.told = np.concatenate([self.told[~gone], np.zeros(len(fresh), np.bool_)])[order]
        return over

    def drop(self, rows: Ints) -> None:
        """Forget pairs of these rows."""
        stay = ~(np.isin(self.keys // MOVERS_MAX, rows) | np.isin(self.keys % MOVERS_MAX, rows))
        self.keys, self.since_ms = self.keys[stay], self.since_ms[stay]
        self.missed, self.told = self.missed[stay], self.told[stay]
