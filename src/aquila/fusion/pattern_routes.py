"""Deviation: who was on a route drawn for it and is beside all of its routes for some time.

Against a drawn route rather than the usual way: what somebody usually does is known only after days of watching, and
nobody has agreed to it; a route was said by a person, so a deviation means something to whoever drew it.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from aquila.core.sphere import MEAN_RADIUS_M
from aquila.fusion.pattern_kinds import Pattern, Table
from aquila.fusion.rows import Bools, Floats, Ints

MISSES_MAX = 2
"""Samples back on the route that are no return yet."""


class Route(msgspec.Struct, frozen=True):
    """A way, and whose. lat, lon: its corners in degrees, at least two. half_m: so far beside it is still on it."""

    rows: Ints
    lat: Floats
    lon: Floats
    half_m: float


class Routes:
    """One row for each mover, as the Watcher gives them out."""

    def __init__(self) -> None:
        self.routes: Sequence[Route] = ()
        self._on = np.zeros(0, np.bool_)
        self._since_ms = np.zeros(0, np.int64)
        self._told_ms = np.zeros(0, np.int64)
        self._back = np.zeros(0, np.int64)

    def grow(self, room: int) -> None:
        """Room for so many rows; those in use stay."""
        for name, old in vars(self).items():
            if isinstance(old, np.ndarray):
                setattr(self, name, np.concatenate([old, np.zeros(room - len(old), old.dtype)]))

    def begin(self, rows: Ints) -> None:
        """These rows are somebody new."""
        for old in vars(self).values():
            if isinstance(old, np.ndarray):
                old[rows] = 0

    def look(
        self, lat: Floats, lon: Floats, fresh: Bools, now_ms: int, zones: Ints, limits: Table
    ) -> Iterator[Pattern]:
        """Deviations that have begun or are over. lat, lon, fresh, zones: of all rows. To be asked at each sample."""
        meant = (
            np.unique(np.concatenate([route.rows for route in self.routes])) if self.routes else np.zeros(0, np.int64)
        )
        gone = np.setdiff1d(np.flatnonzero(self._told_ms > 0), meant)
        yield from self._over(gone)
        self._on[np.setdiff1d(np.flatnonzero(self._on), meant)] = False
        if not len(meant):
            return
        off_m = np.full(len(meant), np.inf)
        half_m = np.zeros(len(meant))
        for route in self.routes:
            place = np.searchsorted(meant, route.rows)
            aside_m = beside_m(lat[route.rows], lon[route.rows], route.lat, route.lon)
            nearer = aside_m - route.half_m < off_m[place] - half_m[place]
            off_m[place[nearer]], half_m[place[nearer]] = aside_m[nearer], route.half_m
        heard = fresh[meant]
        inside, outside = heard & (off_m <= half_m), heard & (off_m > half_m)
        self._on[meant] |= inside
        since_ms = self._since_ms[meant]
        since_ms = np.where(outside & self._on[meant] & (since_ms == 0), now_ms, since_ms)
        back = np.where(outside, 0, self._back[meant] + inside)
        returned = back > MISSES_MAX
        self._since_ms[meant], self._back[meant] = np.where(returned, 0, since_ms), np.where(returned, 0, back)
        yield from self._over(meant[returned & (self._told_ms[meant] > 0)])
        lasts = (since_ms > 0) & (now_ms - since_ms >= 60_000 * limits.of("off_route_min", zones[meant]))
        for n in np.flatnonzero(outside & lasts & (self._told_ms[meant] == 0)):
            row = int(meant[n])
            self._told_ms[row] = since_ms[n]
            measured = {"off_m": float(off_m[n]), "half_m": float(half_m[n])}
            measured["minutes"] = float((now_ms - since_ms[n]) / 60_000)
            yield Pattern("deviation", (row,), int(since_ms[n]), False, measured, zone=int(zones[row]))

    def _over(self, rows: Ints) -> Iterator[Pattern]:
        for row in rows:
            yield Pattern("deviation", (int(row),), int(self._told_ms[row]), True)
        self._told_ms[rows] = self._since_ms[rows] = 0


def beside_m(lat: Floats, lon: Floats, way_lat: Floats, way_lon: Floats) -> Floats:
    """How far each place lies from a way of at least two corners, in metres; degrees in, shape (n,) out.

    In a plane about each place: for legs of some hundred kilometres. The way may cross 180 degrees.
    """
    per_deg = np.radians(1) * MEAN_RADIUS_M
    x = ((way_lon[None, :] - lon[:, None] + 180) % 360 - 180) * per_deg * np.cos(np.radians(lat))[:, None]
    y = (way_lat[None, :] - lat[:, None]) * per_deg
    leg_x, leg_y = np.diff(x, axis=1), np.diff(y, axis=1)
    long_2 = np.maximum(leg_x**2 + leg_y**2, 1e-9)
    along = np.clip(-(x[:, :-1] * leg_x + y[:, :-1] * leg_y) / long_2, 0, 1)
    return np.asarray(np.hypot(x[:, :-1] + along * leg_x, y[:, :-1] + along * leg_y).min(axis=1))
