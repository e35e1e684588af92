"""Pairs of points that are near each other, in numpy alone: a node need not load a library for it."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from aquila.fusion.rows import Floats, Ints

EDGE_M_MIN: Final = 100.0
"""Cells are at least so wide: then every cell within an earth's radius or two has a number of its own."""
ROW: Final = 1 << 20
"""Cells from one end to the other: 20 bits for each of the three parts of a cell's number."""
AT_ONCE: Final = 1 << 20
"""Pairs that are measured at once, beyond those of a single point."""
# A cell with itself, then half of those around it: the other half sees it as theirs.
AHEAD: Final = (
    (0, 0, 0),
    (0, 0, 1),
    *((0, 1, z) for z in (-1, 0, 1)),
    *((1, y, z) for y in (-1, 0, 1) for z in (-1, 0, 1)),
)


def near_pairs(points: Floats, reach_m: float, most: int) -> Ints:
    """Rows of points that are at most `reach_m` apart, as pairs, the lower row first and the pairs in order.

    Args:
        points: x, y, z in metres from the earth's centre.
        reach_m: how far two may be apart.
        most: so many pairs at most; which of more is the same every time, and no promise.
    """
    found: list[Ints] = []
    left = most
    for one, two in _neighbours(points, max(reach_m, EDGE_M_MIN)):
        is_near = ((points[one] - points[two]) ** 2).sum(axis=1) <= reach_m * reach_m
        found.append(np.column_stack([one[is_near], two[is_near]])[:left])
        left -= len(found[-1])
        if not left:
            break
    pairs = np.sort(np.concatenate(found), axis=1) if found else np.zeros((0, 2), np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _neighbours(points: Floats, edge_m: float) -> Iterator[tuple[Ints, Ints]]:
    """Every pair of the same or of touching cells once, in portions."""
    cells = np.floor(points / edge_m).astype(np.int64) @ np.array([ROW * ROW, ROW, 1])
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    for x, y, z in AHEAD:
        wanted = cells + (x * ROW + y) * ROW + z
        first, end = np.searchsorted(cells, wanted), np.searchsorted(cells, wanted, side="right")
        if not (x or y or z):
            first = np.arange(1, len(cells) + 1)
        counts = end - first
        portion = np.cumsum(counts) // AT_ONCE
        for rows in np.split(np.arange(len(cells)), np.flatnonzero(np.diff(portion)) + 1):
            one = np.repeat(rows, counts[rows])
            began = np.repeat(np.cumsum(counts[rows]) - counts[rows], counts[rows])
            yield order[one], order[first[one] + np.arange(len(one)) - began]
