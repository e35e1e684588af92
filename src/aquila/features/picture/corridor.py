"""A corridor: a centre line with a width, as the closed shape that every map can draw."""

import math
from collections.abc import Sequence

from aquila.core.sphere import MEAN_RADIUS_M

MITRE_MAX = 2.0
"""A corner reaches at most so many half widths out; a sharper one is cut off (bevelled)."""

Place = tuple[float, float]
Vector = tuple[float, float]


def corridor_corners(centre: Sequence[Place], corridor_m: float) -> tuple[Place, ...]:
    """Corners of the shape: the left edge as the line goes, then the right edge back.

    Every place of the centre line has one corner on each side, a bevelled one two; those share their inner corner.
    That is how a reader finds the centre line again.

    Args:
        centre: (lat_deg, lon_deg), at least two places that do not lie on each other.
        corridor_m: the whole width.
    """
    half_m = corridor_m / 2
    pairs: list[tuple[Place, Place]] = []
    for index, at in enumerate(centre):
        before = centre[max(index - 1, 0)]
        after = centre[min(index + 1, len(centre) - 1)]
        into = _step(at, before, at)
        out = _step(at, at, after)
        if index in (0, len(centre) - 1):
            into = out = into if index else out
        pairs += [(_moved(at, left), _moved(at, right)) for left, right in _offsets(into, out, half_m)]
    return tuple(left for left, _ in pairs) + tuple(right for _, right in reversed(pairs))


def _offsets(into: Vector, out: Vector, half_m: float) -> list[tuple[Vector, Vector]]:
    """Left and right of a place in metres, from the leg that comes and the leg that goes."""
    (long_in, one), (long_out, two) = _unit(into), _unit(out)
    normals = (-one[1], one[0]), (-two[1], two[0])
    lean = normals[0][0] + normals[1][0], normals[0][1] + normals[1][1]
    size, across = _unit(lean)
    reach = math.inf if size < 1e-9 else 2 / size
    if reach <= MITRE_MAX:
        return [(_scaled(across, half_m * reach), _scaled(across, -half_m * reach))]
    turns_left = one[0] * two[1] - one[1] * two[0] >= 0
    side = 1.0 if turns_left else -1.0
    inward = _scaled(one, -1.0) if size < 1e-9 else _scaled(across, side)
    # The true inner corner may lie far beyond the legs: it stays within the shorter one.
    inner = _scaled(inward, min(half_m * reach, long_in, long_out))
    outer = [_scaled(normal, -side * half_m) for normal in normals]
    return [(inner, one) if turns_left else (one, inner) for one in outer]


def _step(at: Place, start: Place, end: Place) -> Vector:
    """East and north in metres from one place to the next, in the plane of `at`."""
    turn_deg = (end[1] - start[1] + 540.0) % 360.0 - 180.0
    return math.radians(turn_deg) * MEAN_RADIUS_M * _narrow(at), math.radians(end[0] - start[0]) * MEAN_RADIUS_M


def _moved(at: Place, by: Vector) -> Place:
    lat_deg = at[0] + math.degrees(by[1] / MEAN_RADIUS_M)
    lon_deg = at[1] + math.degrees(by[0] / (MEAN_RADIUS_M * _narrow(at)))
    return round(max(-90.0, min(90.0, lat_deg)), 7), round((lon_deg + 540.0) % 360.0 - 180.0, 7)


def _narrow(at: Place) -> float:
    """How much shorter a degree of longitude is than at the equator; never nothing, not even at a pole."""
    return max(math.cos(math.radians(at[0])), 1e-3)


def _unit(vector: Vector) -> tuple[float, Vector]:
    length = math.hypot(*vector)
    return length, (vector[0] / length, vector[1] / length) if length else (0.0, 0.0)


def _scaled(vector: Vector, by: float) -> Vector:
    return vector[0] * by, vector[1] * by
