"""The compiled test of points against areas."""

from typing import Any

from aquila.fusion.compiled import jit

Array = Any


@jit
def find_inside(
    xy: Array, low: Array, cell: Array, shape: Array, cell_starts: Array, cell_areas: Array, whole: Array,
    starts: Array, edges: Array, row: Array, area: Array,
) -> int:  # fmt: skip
    """Even-odd rays to the right from every point, over the areas of its cell; holes flip the parity like any ring.

    An area that holds the whole cell holds the point, and no ray is cast.
    """
    count = 0
    for i in range(len(xy)):
        x = xy[i, 0]
        y = xy[i, 1]
        fx = (x - low[0]) / cell[0]
        fy = (y - low[1]) / cell[1]
        if not (fx >= 0 and fy >= 0 and fx < shape[0] and fy < shape[1]):  # also NaN
            continue
        c = int(fx) * shape[1] + int(fy)
        for k in range(cell_starts[c], cell_starts[c + 1]):
            a = cell_areas[k]
            odd = whole[k]
            for e in range(starts[a], starts[a] if odd else starts[a + 1]):
                y0 = edges[e, 1]
                y1 = edges[e, 3]
                if (y0 > y) != (y1 > y) and x < edges[e, 0] + (y - y0) / (y1 - y0) * (edges[e, 2] - edges[e, 0]):
                    odd = not odd
            if odd:
                if count >= len(row):
                    return -1
                row[count] = i
                area[count] = a
                count += 1
    return count
