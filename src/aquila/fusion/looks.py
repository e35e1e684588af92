"""Looks: in which cells of the earth somebody was, or looked, and when last, per quarter of an hour.

A look is a cell and a time. Of many in one cell and quarter only the last is kept, so the memory grows with the ground
that was covered and not with how often anybody reports; and since the greatest time wins, any order gives the same.
How far somebody sees is said when it is asked, not when it is heard: `spread` widens the cells then.
"""

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELL_DEG = 0.005
"""A cell is about 550 m from south to north."""
QUARTER_MS = 900_000
QUARTERS_MAX = 192
"""Two days; older looks are let go."""
LOOKS_MAX = 500_000
"""Cells and quarters kept. Beyond it the oldest quarters go whole."""
SLOTS_MAX = 1_024
WAITING_MAX = 8_192
"""Looks that wait to be sorted in."""
_ROW_BITS, _COL_BITS = 16, 17
_CELL_BITS = _ROW_BITS + _COL_BITS


class Kept(msgspec.Struct, frozen=True):
    """The looks of one quarter: keys (slot and cell) in order, and when last in UTC ms; shapes alike."""

    keys: Ints
    at_ms: Ints


EMPTY = Kept(np.zeros(0, np.int64), np.zeros(0, np.int64))


def cells_of(lat_deg: Floats, lon_deg: Floats) -> Ints:
    """The numbers of the cells in which places lie; longitude may run on beyond 180."""
    row = np.clip(np.floor((lat_deg + 90) / CELL_DEG).astype(np.int64), 0, round(180 / CELL_DEG) - 1)
    col = np.floor((lon_deg + 180) % 360 / CELL_DEG).astype(np.int64) % round(360 / CELL_DEG)
    cells: Ints = row << _COL_BITS | col
    return cells


def cell_of(lat_deg: float, lon_deg: float) -> int:
    """The same for one place."""
    row = min(int((lat_deg + 90) / CELL_DEG), round(180 / CELL_DEG) - 1)
    return row << _COL_BITS | int((lon_deg + 180) % 360 / CELL_DEG) % round(360 / CELL_DEG)


class Looks:
    """All looks, by slot: whoever asks names the slots that he may have. Slots are the caller's, 0..SLOTS_MAX - 1."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        # By quarter: key -> when last. Most looks are one more at a cell that was looked at a second ago.
        self._waiting: dict[int, dict[int, int]] = {}
        self._waiting_count = 0

    def __len__(self) -> int:
        self._sort_in()
        return sum(len(kept.keys) for kept in self._kept.values())

    def hear(self, slot: int, cells: Iterable[int], at_ms: int) -> None:
        """Somebody looked into cells."""
        waiting = self._waiting.get(quarter := at_ms // QUARTER_MS)
        if waiting is None:
            waiting = self._waiting[quarter] = {}
        for cell in cells:
            key = slot << _CELL_BITS | cell
            last_ms = waiting.get(key)
            if last_ms is None:
                waiting[key] = at_ms
                self._waiting_count += 1
            elif last_ms < at_ms:
                waiting[key] = at_ms
        if self._waiting_count >= WAITING_MAX:
            self._sort_in()

    def seen(self, slots: Ints, until_ms: int) -> tuple[Ints, Floats, Floats, Ints]:
        """Slot, latitude and longitude of the middle, and time of the looks until a time; of these slots only.

        Of a quarter that goes on beyond `until_ms`, cells that were looked at again later are not known. It changes
        nothing, so a thread may ask while looks are heard.
        """
        # In this order: what is sorted in meanwhile is found twice rather than not at all.
        waiting = [heard.copy() for heard in list(self._waiting.values())]
        parts = [kept for quarter, kept in self._kept.copy().items() if quarter * QUARTER_MS <= until_ms]
        parts += map(_kept, waiting)
        keys = np.concatenate([EMPTY.keys, *(each.keys for each in parts)])
        at_ms = np.concatenate([EMPTY.at_ms, *(each.at_ms for each in parts)])
        slot = keys >> _CELL_BITS
        wanted = np.zeros(SLOTS_MAX, np.bool_)
        wanted[slots] = True
        chosen = wanted[slot] & (at_ms <= until_ms)
        keys = keys[chosen]
        row, col = keys >> _COL_BITS & (1 << _ROW_BITS) - 1, keys & (1 << _COL_BITS) - 1
        return slot[chosen], (row + 0.5) * CELL_DEG - 90, (col + 0.5) * CELL_DEG - 180, at_ms[chosen]

    def rows(self) -> Iterator[tuple[int, Ints, Ints, Ints]]:
        """Quarter, slots, cells and times of everything kept, in order of the quarters."""
        self._sort_in()
        for quarter in sorted(self._kept):
            kept = self._kept[quarter]
            yield quarter, kept.keys >> _CELL_BITS, kept.keys & (1 << _CELL_BITS) - 1, kept.at_ms

    def put(self, slots: Ints, cells: Ints, at_ms: Ints) -> None:
        """Take looks by the thousand, as `rows` gave them."""
        keys, quarters = slots << _CELL_BITS | cells, at_ms // QUARTER_MS
        for quarter in np.unique(quarters).tolist():
            self._merge(quarter, Kept(keys[quarters == quarter], at_ms[quarters == quarter]))
        self._trim()

    def _sort_in(self) -> None:
        if self._waiting:
            for quarter, heard in self._waiting.items():
                self._merge(quarter, _kept(heard))
            self._waiting, self._waiting_count = {}, 0
            self._trim()

    def _merge(self, quarter: int, more: Kept) -> None:
        known = self._kept.get(quarter, EMPTY)
        self._kept[quarter] = _last(np.concatenate([known.keys, more.keys]), np.concatenate([known.at_ms, more.at_ms]))

    def _trim(self) -> None:
        count = sum(len(kept.keys) for kept in self._kept.values())
        newest = max(self._kept, default=0)
        for quarter in sorted(self._kept):
            if quarter > newest - QUARTERS_MAX and (count <= LOOKS_MAX or quarter == newest):
                return
            count -= len(self._kept.pop(quarter).keys)


def _kept(heard: dict[int, int]) -> Kept:
    """Looks of one quarter, in no order."""
    return Kept(np.fromiter(heard.keys(), np.int64, len(heard)), np.fromiter(heard.values(), np.int64, len(heard)))


def _last(keys: Ints, at_ms: Ints) -> Kept:
    """Each key once, with its greatest time."""
    order = np.lexsort((at_ms, keys))
    keys, at_ms = keys[order], at_ms[order]
    is_last = np.append(keys[1:] != keys[:-1], True) if len(keys) else np.zeros(0, np.bool_)
    return Kept(keys[is_last], at_ms[is_last])


def spread(grid: Ints, radius: float) -> Ints:
    """The greatest value within so many cells of each cell, shape as it was. A radius below 1 changes nothing."""
    best = grid.copy()
    reach = min(int(radius), max(grid.shape))
    for down in range(reach + 1):
        half = int((radius * radius - down * down) ** 0.5)
        wide = _widened(grid, half) if half else grid
        if down == 0:
            np.maximum(best, wide, out=best)
            continue
        np.maximum(best[down:], wide[:-down], out=best[down:])
        np.maximum(best[:-down], wide[down:], out=best[:-down])
    return best


def _widened(grid: Ints, half: int) -> Ints:
    """The greatest value within so many cells to the left and right of each; beyond the edge is nothing, 0."""
    width, done = 2 * half + 1, 1
    best = np.pad(grid, ((0, 0), (half, half)))
    # The greatest of 2, 4, 8 ... cells from each to the right, then two of those beside each other or overlapping.
    while 2 * done <= width:
        best = np.maximum(best[:, :-done], best[:, done:])
        done *= 2
    rest = width - done
    return np.maximum(best[:, : best.shape[1] - rest], best[:, rest:])
