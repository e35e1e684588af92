"""Patterns of movement over all movers at once: stop, loiter, meeting, co-travel, gap; and what other modules tell.

Every mover has a row in arrays and a ring of places sampled every 30 s; each look costs a few passes over the arrays.
Whoever calls says what moved; nothing here knows a clock, a node or a marking. A row that is begun anew forgets all.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from aquila.core.sphere import MEAN_RADIUS_M
from aquila.fusion.near import near_pairs
from aquila.fusion.pattern_kinds import OF_REPORTS, Kind, Pattern, Table, apart_m
from aquila.fusion.pattern_pairs import MISSES_MAX, MOVERS_MAX, Pairs
from aquila.fusion.pattern_routes import Route, Routes
from aquila.fusion.pattern_steps import Steps
from aquila.fusion.rows import Floats, Ints

SAMPLE_MS = 30_000
RING = 120
"""Samples kept of each mover: one hour."""
PAIRS_MAX = 50_000
"""Pairs near each other that are followed; in a crowd beyond it the rest is not judged."""
FRESH_MS = 120_000
"""A place older than this is no sample: it says nothing of where the mover is now."""
SETTLE_MS = 300_000
"""So long before a meeting the two must have been apart, else they have always lain side by side."""
EVIDENCE_MAX = 12
WANDER_M = 40
"""A minute's way of a receiver that lies still, at most."""


ALL: Final = 0
"""A row is judged by everything."""
REPORTS_ONLY: Final = 1
"""A source of which a fused track tells where it is: of itself it is judged only by how it reports (OF_REPORTS)."""
NO_REPORTS: Final = 2
"""A fused track reports nothing: its sources go silent, and where they come and go its estimate moves at once."""
NOT_OF: Final = {True: NO_REPORTS, False: REPORTS_ONLY}
"""Of whom a step is not told: one of the reports, one of the way."""


class Watcher:
    """Follows movers by their rows, 0 to MOVERS_MAX - 1, which the caller gives out."""

    def __init__(self) -> None:
        self._room = 0
        self.lat, self.lon, self._height_m = np.zeros(0), np.zeros(0), np.zeros(0)
        self.at_ms = np.zeros(0, np.int64)
        self.heard_ms = np.zeros(0, np.int64)
        self._count = np.zeros(0, np.int64)
        self._every_ms = np.zeros(0)
        self._anchor = np.zeros((0, 2))
        self._anchor_ms = np.zeros(0, np.int64)
        self._moved = np.zeros(0, np.bool_)
        self._part = np.zeros(0, np.int8)
        self._zone = np.zeros(0, np.int64)
        self._steps, self._routes = Steps(), Routes()
        self._begun_ms: dict[Kind, Ints] = {}
        self._loiter_missed = np.zeros(0, np.int64)
        self._ring = np.zeros((0, RING, 2))
        self._ring_ms = np.zeros(RING, np.int64)
        self._next = 0
        self._sampled_ms: int | None = None
        self._meetings, self._travels = Pairs(), Pairs()

    def begin(self, rows: Ints) -> None:
        """These rows are somebody new: all that was known of them is forgotten, without a word."""
        self._grow(int(rows.max(initial=-1)) + 1)
        self._count[rows] = 0
        self._moved[rows] = False
        self._zone[rows] = 0
        self._steps.begin(rows)
        self._routes.begin(rows)
        self._ring[rows] = np.nan
        self.heard_ms[rows] = 0
        self._loiter_missed[rows] = 0
        for begun in self._begun_ms.values():
            begun[rows] = 0
        self._meetings.drop(rows)
        self._travels.drop(rows)

    def set_parts(self, rows: Ints, parts: Ints) -> None:
        """By what these rows are judged from now on: ALL, REPORTS_ONLY or NO_REPORTS; each was begun."""
        self._part[rows] = parts

    def set_routes(self, routes: Sequence[Route]) -> None:
        """From now on these are the routes; each row of theirs was begun. A mover with none deviates from none."""
        self._routes.routes = routes

    def set_zones(self, zones: Ints) -> None:
        """Where every row is, when the zones themselves have changed; one number for each of `lat`."""
        self._zone = zones

    def hear(
        self,
        rows: Ints,
        lat: Floats,
        lon: Floats,
        at_ms: Ints,
        now_ms: int,
        limits: Table,
        domains: Ints | None = None,
        zones: Ints | None = None,
        height_m: Floats | None = None,
    ) -> Iterator[Pattern]:
        """Where these are now, each row once; gives what a step tells, halts that end, and gaps that end.

        Args:
            rows: of whom.
            lat: in degrees.
            lon: in degrees.
            at_ms: when they were there.
            now_ms: when it was heard.
            limits: the thresholds.
            domains: of each, see pattern_kinds; None = nothing is known of any.
            zones: where each is, of the zones of `limits`; None = in none.
            height_m: above the ellipsoid, NaN of whom it is not known; None = of nobody.
        """
        domains = np.zeros(len(rows), np.int64) if domains is None else domains
        zones = np.zeros(len(rows), np.int64) if zones is None else zones
        self._zone[rows] = zones
        self._height_m[rows] = np.nan if height_m is None else height_m
        first = self._count[rows] == 0
        was = self.lat[rows], self.lon[rows], self.at_ms[rows]
        steps = self._steps.hear(rows, was, (lat, lon, at_ms), first, domains, zones, limits, now_ms)
        told = [each for each in steps if self._part[each.rows[0]] != NOT_OF[each.kind in OF_REPORTS]]
        yield from self._ends("gap", rows[self._begun_ms["gap"][rows] > 0])
        step_ms = np.maximum(now_ms - self.heard_ms[rows], 1)
        mean = np.where(self._count[rows] < 2, step_ms, 0.8 * self._every_ms[rows] + 0.2 * step_ms)
        self._every_ms[rows] = np.where(first, 0, np.minimum(mean, 3_600_000))
        self.lat[rows], self.lon[rows], self.at_ms[rows], self.heard_ms[rows] = lat, lon, at_ms, now_ms
        self._count[rows] += 1
        yield from (self._evident(each) for each in told)
        yield from self._halts(rows, first, limits)

    def look(self, now_ms: int, limits: Table) -> Iterator[Pattern]:
        """What has begun or is over by now. Calls may come at any rate; places are sampled every 30 s of them."""
        yield from self._stops(now_ms, limits)
        yield from self._gaps(now_ms, limits)
        yield from self._steps.look(now_ms, self._zone, limits)
        if self._sampled_ms is not None and 0 <= now_ms - self._sampled_ms < SAMPLE_MS:
            return
        self._sampled_ms = now_ms
        fresh = (self._count > 0) & (now_ms - self.heard_ms < FRESH_MS) & (self._part != REPORTS_ONLY)
        self._ring[:, self._next] = np.where(fresh[:, None], np.column_stack([self.lat, self.lon]), np.nan)
        self._ring_ms[self._next] = now_ms
        self._next = (self._next + 1) % RING
        for each in self._routes.look(self.lat, self.lon, fresh, now_ms, self._zone, limits):
            yield self._evident(each)
        yield from self._loiters(now_ms, limits)
        yield from self._together(now_ms, limits)

    def _evident(self, pattern: Pattern) -> Pattern:
        """With the way that makes it."""
        if pattern.is_over or pattern.places:
            return pattern
        return msgspec.structs.replace(pattern, places=self._way(pattern.rows[0], pattern.since_ms - SETTLE_MS))

    # -- one mover --------------------------------------------------------------------------------------------------

    def _halts(self, rows: Ints, first: NDArray[np.bool_], limits: Table) -> Iterator[Pattern]:
        away = apart_m(self._anchor[rows, 0], self._anchor[rows, 1], self.lat[rows], self.lon[rows])
        leaves = first | (away > limits.of("stop_radius_m", self._zone[rows]))
        moved = rows[leaves]
        self._moved[rows[leaves & ~first]] = True
        yield from self._ends("stop", moved[self._begun_ms["stop"][moved] > 0])
        self._anchor[moved] = np.column_stack([self.lat[moved], self.lon[moved]])
        self._anchor_ms[moved] = self.heard_ms[moved]

    def _stops(self, now_ms: int, limits: Table) -> Iterator[Pattern]:
        still_ms = self.heard_ms - self._anchor_ms
        lasts = still_ms >= 60_000 * limits.of("stop_min", self._zone)
        due = self._moved & (self._begun_ms_of("stop") == 0) & lasts
        for row in np.flatnonzero(due & (self._count > 0) & (self._part != REPORTS_ONLY)):
            since_ms, zone = int(self._anchor_ms[row]), int(self._zone[row])
            self._begun_ms["stop"][row] = since_ms
            measured = {"minutes": float(still_ms[row] / 60_000), "stop_radius_m": limits[zone].stop_radius_m}
            yield Pattern("stop", (int(row),), since_ms, False, measured, self._way(int(row), since_ms), zone=zone)

    def _gaps(self, now_ms: int, limits: Table) -> Iterator[Pattern]:
        silent_ms = now_ms - self.heard_ms
        limit_ms = np.maximum(
            60_000 * limits.of("gap_min", self._zone), limits.of("gap_intervals", self._zone) * self._every_ms
        )
        # Who was heard only now and then has no usual interval that it could break.
        due = (self._count >= 5) & (self._begun_ms_of("gap") == 0) & (silent_ms > limit_ms)
        for row in np.flatnonzero(due & (self._part != NO_REPORTS)):
            since_ms, zone = int(self.heard_ms[row]), int(self._zone[row])
            self._begun_ms["gap"][row] = since_ms
            measured = {"minutes": float(silent_ms[row] / 60_000), "usual_s": float(self._every_ms[row] / 1000)}
            way = self._way(int(row), since_ms - SETTLE_MS)
            yield Pattern("gap", (int(row),), since_ms, False, measured, way, zone=zone)

    def _loiters(self, now_ms: int, limits: Table) -> Iterator[Pattern]:
        begun = self._begun_ms_of("loiter")
        is_held = np.zeros(len(begun), np.bool_)
        found: list[Pattern] = []
        # Each zone has a time of its own, so a window of its own.
        for zone in np.unique(self._zone[self._count > 0]):
            rows, wide_m, way_m = self._circlers(np.flatnonzero(self._zone == zone), limits, int(zone))
            is_held[rows] = True
            minutes = limits[int(zone)].loiter_min
            for n in np.flatnonzero(begun[rows] == 0):
                measured = {"across_m": float(wide_m[n]), "way_m": float(way_m[n]), "minutes": minutes}
                since_ms = int(now_ms - minutes * 60_000)
                way = self._way(int(rows[n]), since_ms)
                found.append(Pattern("loiter", (int(rows[n]),), since_ms, False, measured, way, zone=int(zone)))
        self._loiter_missed = np.where(is_held, 0, self._loiter_missed + 1)
        yield from self._ends("loiter", np.flatnonzero((begun > 0) & (self._loiter_missed > MISSES_MAX)))
        for each in found:
            begun[each.rows[0]] = each.since_ms
            yield each

    def _circlers(self, rows: Ints, limits: Table, zone: int) -> tuple[Ints, Floats, Floats]:
        """Who of these goes round in a small place; how wide it is and how long the way was, in metres."""
        want = limits[zone]
        count = min(int(want.loiter_min * 60_000 / SAMPLE_MS) + 1, RING)
        order = (self._next - count + np.arange(count)) % RING
        # Most often all movers are in one zone: then nothing is copied twice.
        ring = self._ring[:, order] if len(rows) == len(self._ring) else self._ring[np.ix_(rows, order)]
        # The first and the last sample must be there, else a short stay would pass for a long one.
        whole = np.isfinite(ring[..., 0]).mean(axis=1) >= 0.8 if len(ring) else np.zeros(0, np.bool_)
        kept = np.flatnonzero(whole & np.isfinite(ring[:, 0, 0]) & np.isfinite(ring[:, -1, 0]))
        x, y = _metres(ring[kept])
        wide_m = np.hypot(np.ptp(_filled(x), axis=1), np.ptp(_filled(y), axis=1))
        # Every minute; less than the errors of two positions is no way, else who stands would wander far.
        steps_m = np.hypot(np.diff(_filled(x)[:, ::2], axis=1), np.diff(_filled(y)[:, ::2], axis=1))
        way_m = np.where(steps_m >= WANDER_M, steps_m, 0).sum(axis=1)
        holds = (wide_m <= 2 * want.loiter_radius_m) & (wide_m >= want.loiter_span_m)
        holds &= way_m >= want.loiter_turns * wide_m
        return rows[kept[holds]], wide_m[holds], way_m[holds]

    # -- two movers -------------------------------------------------------------------------------------------------

    def _together(self, now_ms: int, limits: Table) -> Iterator[Pattern]:
        newest, earlier = self._ring[:, (self._next - 1) % RING], self._ring[:, (self._next - 5) % RING]
        rows = np.flatnonzero(np.isfinite(newest[:, 0]) & np.isfinite(earlier[:, 0]))
        reach_m = max(limits.column("meeting_m").max(), limits.column("travel_m").max())
        pairs = rows[near_pairs(_on_sphere(newest[rows]), float(reach_m), PAIRS_MAX)]
        way_s = 4 * SAMPLE_MS / 1000
        x, y = _metres(self._ring[:, [(self._next - 5) % RING, (self._next - 1) % RING]])
        east, north = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]
        speed, course = np.hypot(east, north) / way_s, np.degrees(np.arctan2(east, north))
        one, two = pairs[:, 0], pairs[:, 1]
        zones = self._zones_of(one, two)
        apart = apart_m(newest[one, 0], newest[one, 1], newest[two, 0], newest[two, 1])
        turn = np.abs((course[one] - course[two] + 180) % 360 - 180)
        meets = apart <= limits.of("meeting_m", zones)
        meets &= np.maximum(speed[one], speed[two]) <= limits.of("meeting_mps", zones)
        travels = (apart <= limits.of("travel_m", zones)) & (turn <= limits.of("travel_deg", zones))
        travels &= np.minimum(speed[one], speed[two]) >= limits.of("travel_mps", zones)
        # An unknown height is NaN, and no comparison with that holds: it parts nobody.
        travels &= ~(np.abs(self._height_m[one] - self._height_m[two]) > limits.of("travel_height_m", zones))
        keys = one * MOVERS_MAX + two
        yield from self._follow("meeting", self._meetings, np.unique(keys[meets]), now_ms, limits, "meeting_min")
        yield from self._follow("co_travel", self._travels, np.unique(keys[travels]), now_ms, limits, "travel_min")

    def _zones_of(self, one: Ints, two: Ints) -> Ints:
        """The zone in which both are; two in different zones are judged as everywhere."""
        return np.where(self._zone[one] == self._zone[two], self._zone[one], 0)

    def _follow(
        self, kind: Kind, pairs: Pairs, held: Ints, now_ms: int, limits: Table, lasts: str
    ) -> Iterator[Pattern]:
        for one, two, since_ms in pairs.update(held, now_ms):
            yield Pattern(kind, (one, two), since_ms, True)
        zones = self._zones_of(pairs.keys // MOVERS_MAX, pairs.keys % MOVERS_MAX)
        for n in np.flatnonzero(~pairs.told & (now_ms - pairs.since_ms >= 60_000 * limits.of(lasts, zones))):
            one, two = int(pairs.keys[n] // MOVERS_MAX), int(pairs.keys[n] % MOVERS_MAX)
            since_ms = int(pairs.since_ms[n])
            if kind == "meeting" and not self._came_from_apart(one, two, since_ms):
                continue
            pairs.told[n] = True
            first, second = self._way(one, since_ms - SETTLE_MS), self._way(two, since_ms - SETTLE_MS)
            apart = float(apart_m(self.lat[one], self.lon[one], self.lat[two], self.lon[two]))
            measured = {"apart_m": apart, "minutes": (now_ms - since_ms) / 60_000}
            yield Pattern(kind, (one, two), since_ms, False, measured, first, second, int(zones[n]))

    def _came_from_apart(self, one: int, two: int, since_ms: int) -> bool:
        then = np.flatnonzero((self._ring_ms > 0) & (self._ring_ms <= since_ms - SETTLE_MS))
        if not len(then):
            return False
        k = then[np.argmax(self._ring_ms[then])]
        a, b = self._ring[one, k], self._ring[two, k]
        # Nothing known of where one was (NaN) is no sign that it came from elsewhere.
        return bool(apart_m(a[0], a[1], b[0], b[1]) > SETTLE_MS / 1000)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _ends(self, kind: Kind, rows: Ints) -> Iterator[Pattern]:
        begun = self._begun_ms_of(kind)
        for row in rows:
            yield Pattern(kind, (int(row),), int(begun[row]), True)
            begun[row] = 0

    def _begun_ms_of(self, kind: Kind) -> Ints:
        return self._begun_ms[kind] if kind in self._begun_ms else np.zeros(self._room, np.int64)

    def _way(self, row: int, from_ms: int) -> tuple[tuple[int, float, float], ...]:
        """At most EVIDENCE_MAX sampled places since a time, oldest first, the newest always among them."""
        order = (self._next + np.arange(RING)) % RING
        order = order[(self._ring_ms[order] >= from_ms) & np.isfinite(self._ring[row, order, 0])]
        if len(order) > EVIDENCE_MAX:
            order = order[np.linspace(0, len(order) - 1, EVIDENCE_MAX).astype(np.int64)]
        kept = [(int(self._ring_ms[k]), float(self._ring[row, k, 0]), float(self._ring[row, k, 1])) for k in order]
        return (*kept, (int(self.at_ms[row]), float(self.lat[row]), float(self.lon[row])))[-EVIDENCE_MAX:]

    def _grow(self, rows: int) -> None:
        if rows <= self._room:
            return
        room = min(max(rows, 2 * self._room, 256), MOVERS_MAX)
        if rows > room:
            raise ValueError(f"row {rows - 1}: at most {MOVERS_MAX} movers are followed")
        more = room - self._room
        for name in (
            "lat",
            "lon",
            "_height_m",
            "at_ms",
            "heard_ms",
            "_count",
            "_every_ms",
            "_anchor_ms",
            "_moved",
            "_zone",
            "_part",
        ):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros(more, old.dtype)]))
        self._anchor = np.concatenate([self._anchor, np.zeros((more, 2))])
        self._loiter_missed = np.concatenate([self._loiter_missed, np.zeros(more, np.int64)])
        self._ring = np.concatenate([self._ring, np.full((more, RING, 2), np.nan)])
        self._begun_ms = {
            kind: np.concatenate([self._begun_ms_of(kind), np.zeros(more, np.int64)])
            for kind in ("stop", "loiter", "gap")
        }
        self._steps.grow(room)
        self._routes.grow(room)
        self._room = room


def rows_of(rows: Sequence[int]) -> Ints:
    """Rows as the Watcher takes them."""
    return np.array(rows, np.int64)


def _metres(ring: Floats) -> tuple[Floats, Floats]:
    """East and north of the first place of each mover, for ways of some kilometres. Shape (n, k, 2) -> (n, k) twice."""
    east = (ring[..., 1] - ring[:, :1, 1] + 180) % 360 - 180
    per_deg = np.radians(1) * MEAN_RADIUS_M
    return east * per_deg * np.cos(np.radians(ring[:, :1, 0])), (ring[..., 0] - ring[:, :1, 0]) * per_deg


def _filled(values: Floats) -> Floats:
    """A sample that is missing as the one before it; the first is there."""
    index = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.asarray(np.take_along_axis(values, np.maximum.accumulate(index, axis=1), axis=1))


def _on_sphere(places: Floats) -> Floats:
    lat, lon = np.radians(places[:, 0]), np.radians(places[:, 1])
    return MEAN_RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
