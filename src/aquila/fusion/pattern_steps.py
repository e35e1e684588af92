"""From one report to the next: jumps, two places under one identity, speeds that no such kind keeps up, other kinds.

One jump is a wrong clock or a wrong place. Jumps to and fro are two that use one name: they are told once, and no more
of their jumps. Jumps one after another that lead on are a way: somebody is too fast.
"""

from collections.abc import Iterator

import numpy as np

from aquila.fusion.pattern_kinds import SPEEDS, Kind, Pattern, Table, apart_m
from aquila.fusion.rows import Bools, Floats, Ints

LEAP_M = 500
"""Half a kilometre is no jump, however short the time: positions have errors, and clocks, too."""
PACE_MS = 10_000
"""A speed is measured over at least so long: over one second it would be the error of two positions."""
PACE_MAX_MS = 120_000
USUAL = 1.5
"""So many times its speed of the last pace is no jump."""
QUIET_MS = 600_000
"""Who changes its kind again and again is told of that once in this time."""
Places = tuple[Floats, Floats, Ints]
"""lat, lon in degrees, at_ms."""


class Steps:
    """One row for each mover, as the Watcher gives them out."""

    def __init__(self) -> None:
        self._room = 0
        self._domain = np.zeros(0, np.int64)
        self._changed_ms = np.zeros(0, np.int64)
        self._left = np.zeros((0, 2))
        self._left_ms = np.zeros(0, np.int64)
        self._leapt_ms = np.zeros(0, np.int64)
        self._first_ms = np.zeros(0, np.int64)
        self._returns = np.zeros(0, np.int64)
        self._in_row = np.zeros(0, np.int64)
        self._pace = np.zeros((0, 2))
        self._pace_ms = np.zeros(0, np.int64)
        self._speed = np.zeros(0)
        self._fast_ms = np.zeros(0, np.int64)
        self._slow = np.zeros(0, np.int64)
        self._twice = np.zeros(0, np.int64)
        self._too_fast = np.zeros(0, np.int64)

    def grow(self, room: int) -> None:
        """Room for so many rows; those in use stay."""
        for name, old in vars(self).items():
            if isinstance(old, np.ndarray):
                fresh = np.zeros((room - len(old), *old.shape[1:]), old.dtype)
                setattr(self, name, np.concatenate([old, fresh]))
        self._room = room

    def begin(self, rows: Ints) -> None:
        """These rows are somebody new."""
        for old in vars(self).values():
            if isinstance(old, np.ndarray):
                old[rows] = 0

    def hear(
        self,
        rows: Ints,
        was: Places,
        came: Places,
        first: Bools,
        domains: Ints,
        zones: Ints,
        limits: Table,
        now_ms: int,
    ) -> Iterator[Pattern]:
        """Where these were and where they are now, each row once; `first`: nothing is known of where it was."""
        yield from self._changes(rows, came, first, domains, now_ms)
        resets = np.zeros(len(rows), np.bool_)
        yield from self._leaps(rows, was, came, first, domains, zones, limits, now_ms, resets)
        yield from self._paces(rows, came, first | resets, domains, zones, limits)

    def look(self, now_ms: int, zones: Ints, limits: Table) -> Iterator[Pattern]:
        """Two places that were not seen again are over."""
        quiet = now_ms - self._leapt_ms > 60_000 * limits.of("twice_min", zones)
        for row in np.flatnonzero((self._twice > 0) & quiet):
            yield Pattern("two_places", (int(row),), int(self._twice[row]), True)
            self._twice[row] = self._returns[row] = 0

    def _changes(self, rows: Ints, came: Places, first: Bools, domains: Ints, now_ms: int) -> Iterator[Pattern]:
        known = self._domain[rows]
        changed = ~first & (known > 0) & (domains > 0) & (known != domains)
        for n in np.flatnonzero(changed & (now_ms - self._changed_ms[rows] > QUIET_MS)):
            self._changed_ms[rows[n]] = now_ms
            measured = {"was_domain": float(known[n]), "is_domain": float(domains[n])}
            yield Pattern("kind_change", (int(rows[n]),), int(came[2][n]), False, measured)
        self._domain[rows] = np.where(domains > 0, domains, known)

    def _leaps(
        self,
        rows: Ints,
        was: Places,
        came: Places,
        first: Bools,
        domains: Ints,
        zones: Ints,
        limits: Table,
        now_ms: int,
        resets: Bools,
    ) -> Iterator[Pattern]:
        """Jumps; marks in `resets` those whose way is broken off."""
        way_m = apart_m(*was[:2], *came[:2])
        pass_s = np.maximum((came[2] - was[2]) / 1000, 1)
        limit = limits.speed(0, domains, zones)
        # Who is fast already makes long steps: that is no jump, and whether he may be so fast is asked elsewhere.
        leaps = ~first & (way_m > LEAP_M) & (way_m / pass_s > np.maximum(limit, USUAL * self._speed[rows]))
        for n in np.flatnonzero(leaps):
            row, zone = int(rows[n]), int(zones[n])
            here = [(int(each[2][n]), float(each[0][n]), float(each[1][n])) for each in (was, came)]
            is_back = self._is_back(row, here[1], float(way_m[n]), float(limit[n]), 60_000 * limits[zone].twice_min)
            if is_back and self._returns[row] == 0:
                self._first_ms[row] = self._leapt_ms[row]
            self._returns[row] = self._returns[row] + 1 if is_back else 0
            leads_on = self._in_row[row] > 0 and not is_back
            resets[n] = not leads_on
            self._left[row], self._left_ms[row], self._leapt_ms[row] = here[0][1:], here[0][0], now_ms
            if self._twice[row] > 0:
                continue
            if self._returns[row] + 1 >= limits[zone].twice_jumps:
                self._twice[row] = since_ms = int(self._first_ms[row])
                measured = {"apart_m": float(way_m[n]), "jumps": float(self._returns[row] + 1)}
                yield Pattern("two_places", (row,), since_ms, False, measured, zone=zone)
            elif not leads_on:
                speed = float(way_m[n] / pass_s[n])
                measured = {"speed_mps": speed, "limit_mps": float(limit[n]), "way_m": float(way_m[n])}
                named = (SPEEDS[int(domains[n])][0],)
                yield Pattern("jump", (row,), here[1][0], False, measured, tuple(here), zone=zone, judged_by=named)
        self._in_row[rows] = np.where(leaps, self._in_row[rows] + 1, 0)

    def _is_back(
        self, row: int, came: tuple[int, float, float], way_m: float, limit_mps: float, within_ms: float
    ) -> bool:
        """Does this jump lead back to where the last one began, as far as it may have moved there since?"""
        passed_ms = came[0] - int(self._left_ms[row])
        if self._left_ms[row] == 0 or not 0 <= passed_ms <= within_ms:
            return False
        lat, lon = self._left[[row]].T
        off_m = float(apart_m(lat, lon, np.array([came[1]]), np.array([came[2]]))[0])
        return off_m <= limit_mps * passed_ms / 1000 + LEAP_M and off_m < way_m / 2

    def _paces(
        self, rows: Ints, came: Places, anew: Bools, domains: Ints, zones: Ints, limits: Table
    ) -> Iterator[Pattern]:
        lat, lon, at_ms = came
        start_ms = self._pace_ms[rows]
        passed_ms = at_ms - start_ms
        anew = anew | (start_ms == 0) | (passed_ms > PACE_MAX_MS) | (passed_ms < 0)
        due = ~anew & (passed_ms >= PACE_MS)
        speed = apart_m(self._pace[rows, 0], self._pace[rows, 1], lat, lon) / np.maximum(passed_ms / 1000, 1)
        limit = limits.speed(1, domains, zones)
        fast = due & (speed > limit)
        since_ms = np.where(fast & (self._fast_ms[rows] == 0), start_ms, self._fast_ms[rows])
        slow = np.where(fast, 0, self._slow[rows] + (due & ~fast))
        lost = anew | (slow > 1)
        for row in rows[lost & (self._too_fast[rows] > 0)]:
            yield Pattern("too_fast", (int(row),), int(self._too_fast[row]), True)
            self._too_fast[row] = 0
        self._fast_ms[rows], self._slow[rows] = np.where(lost, 0, since_ms), np.where(lost, 0, slow)
        lasts = at_ms - since_ms >= 60_000 * limits.of("fast_min", zones)
        for n in np.flatnonzero(fast & lasts & (self._too_fast[rows] == 0)):
            self._too_fast[rows[n]] = since_ms[n]
            measured = {"speed_mps": float(speed[n]), "limit_mps": float(limit[n])}
            measured["minutes"] = float((at_ms[n] - since_ms[n]) / 60_000)
            kind: Kind = "too_fast"
            named = (SPEEDS[int(domains[n])][1],)
            yield Pattern(kind, (int(rows[n]),), int(since_ms[n]), False, measured, zone=int(zones[n]), judged_by=named)
        moved = anew | due
        self._pace[rows[moved]] = np.column_stack([lat[moved], lon[moved]])
        self._pace_ms[rows[moved]] = at_ms[moved]
        self._speed[rows[moved]] = np.where(due, speed, 0)[moved]
