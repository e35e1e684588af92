"""Patterns of movement: stop, loiter, meeting, co-travel, gap, jump; found as positions come, over all movers at once.

Every mover has a row in arrays and a ring of places sampled every 30 s; each look costs a few passes over the arrays.
Whoever calls says what moved; nothing here knows a clock, a node or a marking. A row that is begun anew forgets all.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from aquila.fusion.rows import Floats, Ints

Kind = Literal["stop", "loiter", "meeting", "co_travel", "gap", "jump"]
KINDS: tuple[Kind, ...] = ("stop", "loiter", "meeting", "co_travel", "gap", "jump")
EARTH_M = 6_371_008.8
SAMPLE_MS = 30_000
RING = 120
"""Samples kept of each mover: one hour."""
MOVERS_MAX = 20_000
PAIRS_MAX = 50_000
"""Pairs near each other that are followed; in a crowd beyond it the rest is not judged."""
FRESH_MS = 120_000
"""A place older than this is no sample: it says nothing of where the mover is now."""
SETTLE_MS = 300_000
"""So long before a meeting the two must have been apart, else they have always lain side by side."""
EVIDENCE_MAX = 12
MISSES_MAX = 2
WANDER_M = 40
"""A minute's way of a receiver that lies still, at most."""

Minutes = Annotated[float, msgspec.Meta(ge=1, le=55)]
Metres = Annotated[float, msgspec.Meta(gt=0, le=100_000)]
Speed = Annotated[float, msgspec.Meta(ge=0, le=10_000)]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a pattern, in metres, minutes, m/s and degrees.

    Attributes:
        stop_radius_m, stop_min: who had moved stays within the radius of where it halted for so long.
        loiter_radius_m, loiter_min: all of this time within a box whose half diagonal is at most the radius.
        loiter_turns: the way made is at least so many times the diagonal. loiter_span_m: less is lying still.
        meeting_m, meeting_mps, meeting_min: two that came from apart, both no faster than this, for so long.
        travel_m, travel_mps, travel_deg, travel_min: two in motion side by side, their courses that close, for so long.
        gap_min, gap_intervals: silent for so long, and for so many times its usual interval.
        air_mps, other_mps: nothing moves faster from one report to the next; in the air, elsewhere.
    """

    stop_radius_m: Metres = 120
    stop_min: Minutes = 10
    loiter_radius_m: Metres = 1500
    loiter_min: Minutes = 20
    loiter_turns: Annotated[float, msgspec.Meta(ge=1.5, le=100)] = 3
    loiter_span_m: Metres = 300
    meeting_m: Metres = 250
    meeting_mps: Speed = 1.2
    meeting_min: Minutes = 8
    travel_m: Metres = 500
    travel_mps: Speed = 2
    travel_deg: Annotated[float, msgspec.Meta(gt=0, le=90)] = 20
    travel_min: Minutes = 15
    gap_min: Minutes = 10
    gap_intervals: Annotated[float, msgspec.Meta(ge=2, le=1000)] = 10
    air_mps: Speed = 700
    other_mps: Speed = 70


class Pattern(msgspec.Struct, frozen=True):
    """A pattern that has begun, or is over.

    Attributes:
        rows: of the movers, the lower first; one or two.
        since_ms: when it began, which tells it from an earlier one.
        measured: what was measured, by the words of the thresholds or close to them.
        places: (at_ms, lat_deg, lon_deg) of the first mover that make it, oldest first; empty when it is over.
        others: the same of the second mover.
    """

    kind: Kind
    rows: tuple[int, ...]
    since_ms: int
    is_over: bool = False
    measured: dict[str, float] = {}
    places: tuple[tuple[int, float, float], ...] = ()
    others: tuple[tuple[int, float, float], ...] = ()


def apart_m(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Distances on the sphere (haversine), in metres, of places in degrees. Within 0.6 % of the ellipsoid."""
    a, b = np.radians(lat), np.radians(to_lat)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return np.asarray(2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(half, 1))))


class _Pairs:
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


class Watcher:
    """Follows movers by their rows, 0 to MOVERS_MAX - 1, which the caller gives out."""

    def __init__(self) -> None:
        self._room = 0
        self.lat, self.lon = np.zeros(0), np.zeros(0)
        self.at_ms = np.zeros(0, np.int64)
        self.heard_ms = np.zeros(0, np.int64)
        self._count = np.zeros(0, np.int64)
        self._every_ms = np.zeros(0)
        self._anchor = np.zeros((0, 2))
        self._anchor_ms = np.zeros(0, np.int64)
        self._moved = np.zeros(0, np.bool_)
        self._air = np.zeros(0, np.bool_)
        self._begun_ms: dict[Kind, Ints] = {}
        self._loiter_missed = np.zeros(0, np.int64)
        self._ring = np.zeros((0, RING, 2))
        self._ring_ms = np.zeros(RING, np.int64)
        self._next = 0
        self._sampled_ms: int | None = None
        self._meetings, self._travels = _Pairs(), _Pairs()

    def begin(self, rows: Ints, is_air: NDArray[np.bool_]) -> None:
        """These rows are somebody new: all that was known of them is forgotten, without a word."""
        self._grow(int(rows.max(initial=-1)) + 1)
        self._count[rows] = 0
        self._moved[rows] = False
        self._air[rows] = is_air
        self._ring[rows] = np.nan
        self.heard_ms[rows] = 0
        self._loiter_missed[rows] = 0
        for begun in self._begun_ms.values():
            begun[rows] = 0
        self._meetings.drop(rows)
        self._travels.drop(rows)

    def hear(
        self, rows: Ints, lat: Floats, lon: Floats, at_ms: Ints, now_ms: int, want: Thresholds
    ) -> Iterator[Pattern]:
        """Where these are now, each row once; gives jumps, halts that end, and gaps that end.

        Args:
            rows: of whom.
            lat: in degrees.
            lon: in degrees.
            at_ms: when they were there.
            now_ms: when it was heard.
            want: by which thresholds jumps and halts are judged.
        """
        first = self._count[rows] == 0
        before_lat, before_lon, before_ms = self.lat[rows], self.lon[rows], self.at_ms[rows]
        way_m = apart_m(before_lat, before_lon, lat, lon)
        pass_s = np.maximum((at_ms - before_ms) / 1000, 1)
        limit = np.where(self._air[rows], want.air_mps, want.other_mps)
        # Half a kilometre is no jump, however short the time: positions have errors, and clocks, too.
        jumps = ~first & (way_m > 500) & (way_m / pass_s > limit)
        for n in np.flatnonzero(jumps):
            measured = {
                "speed_mps": float(way_m[n] / pass_s[n]),
                "limit_mps": float(limit[n]),
                "way_m": float(way_m[n]),
            }
            was = (int(before_ms[n]), float(before_lat[n]), float(before_lon[n]))
            came = (int(at_ms[n]), float(lat[n]), float(lon[n]))
            yield Pattern("jump", (int(rows[n]),), int(at_ms[n]), False, measured, (was, came))
        yield from self._ends("gap", rows[self._begun_ms["gap"][rows] > 0])
        usual = ~first & (self._count[rows] > 0)
        step_ms = np.maximum(now_ms - self.heard_ms[rows], 1)
        mean = np.where(self._count[rows] < 2, step_ms, 0.8 * self._every_ms[rows] + 0.2 * step_ms)
        self._every_ms[rows] = np.where(usual, np.minimum(mean, 3_600_000), 0)
        self.lat[rows], self.lon[rows], self.at_ms[rows], self.heard_ms[rows] = lat, lon, at_ms, now_ms
        self._count[rows] += 1
        yield from self._halts(rows, first, want)

    def look(self, now_ms: int, want: Thresholds) -> Iterator[Pattern]:
        """What has begun or is over by now. Calls may come at any rate; places are sampled every 30 s of them."""
        yield from self._stops(now_ms, want)
        yield from self._gaps(now_ms, want)
        if self._sampled_ms is not None and 0 <= now_ms - self._sampled_ms < SAMPLE_MS:
            return
        self._sampled_ms = now_ms
        fresh = (self._count > 0) & (now_ms - self.heard_ms < FRESH_MS)
        self._ring[:, self._next] = np.where(fresh[:, None], np.column_stack([self.lat, self.lon]), np.nan)
        self._ring_ms[self._next] = now_ms
        self._next = (self._next + 1) % RING
        yield from self._loiters(now_ms, want)
        yield from self._together(now_ms, want)

    # -- one mover --------------------------------------------------------------------------------------------------

    def _halts(self, rows: Ints, first: NDArray[np.bool_], want: Thresholds) -> Iterator[Pattern]:
        away = apart_m(self._anchor[rows, 0], self._anchor[rows, 1], self.lat[rows], self.lon[rows])
        leaves = first | (away > want.stop_radius_m)
        moved = rows[leaves]
        self._moved[rows[leaves & ~first]] = True
        yield from self._ends("stop", moved[self._begun_ms["stop"][moved] > 0])
        self._anchor[moved] = np.column_stack([self.lat[moved], self.lon[moved]])
        self._anchor_ms[moved] = self.heard_ms[moved]

    def _stops(self, now_ms: int, want: Thresholds) -> Iterator[Pattern]:
        still_ms = self.heard_ms - self._anchor_ms
        due = self._moved & (self._begun_ms_of("stop") == 0) & (still_ms >= want.stop_min * 60_000)
        for row in np.flatnonzero(due & (self._count > 0)):
            since_ms = int(self._anchor_ms[row])
            self._begun_ms["stop"][row] = since_ms
            measured = {"minutes": float(still_ms[row] / 60_000), "stop_radius_m": want.stop_radius_m}
            yield Pattern("stop", (int(row),), since_ms, False, measured, self._way(int(row), since_ms))

    def _gaps(self, now_ms: int, want: Thresholds) -> Iterator[Pattern]:
        silent_ms = now_ms - self.heard_ms
        limit_ms = np.maximum(want.gap_min * 60_000, want.gap_intervals * self._every_ms)
        # Who was heard only now and then has no usual interval that it could break.
        due = (self._count >= 5) & (self._begun_ms_of("gap") == 0) & (silent_ms > limit_ms)
        for row in np.flatnonzero(due):
            since_ms = int(self.heard_ms[row])
            self._begun_ms["gap"][row] = since_ms
            measured = {"minutes": float(silent_ms[row] / 60_000), "usual_s": float(self._every_ms[row] / 1000)}
            yield Pattern("gap", (int(row),), since_ms, False, measured, self._way(int(row), since_ms - SETTLE_MS))

    def _loiters(self, now_ms: int, want: Thresholds) -> Iterator[Pattern]:
        count = min(int(want.loiter_min * 60_000 / SAMPLE_MS) + 1, RING)
        ring = self._ring[:, (self._next - count + np.arange(count)) % RING]
        # The first and the last sample must be there, else a short stay would pass for a long one.
        whole = np.isfinite(ring[..., 0]).mean(axis=1) >= 0.8 if len(ring) else np.zeros(0, np.bool_)
        rows = np.flatnonzero(whole & np.isfinite(ring[:, 0, 0]) & np.isfinite(ring[:, -1, 0]))
        x, y = _metres(ring[rows])
        wide_m = np.hypot(np.ptp(_filled(x), axis=1), np.ptp(_filled(y), axis=1))
        # Every minute; less than the errors of two positions is no way, else who stands would wander far.
        steps_m = np.hypot(np.diff(_filled(x)[:, ::2], axis=1), np.diff(_filled(y)[:, ::2], axis=1))
        way_m = np.where(steps_m >= WANDER_M, steps_m, 0).sum(axis=1)
        holds = (wide_m <= 2 * want.loiter_radius_m) & (wide_m >= want.loiter_span_m)
        holds &= way_m >= want.loiter_turns * wide_m
        begun = self._begun_ms_of("loiter")
        is_held = np.zeros(len(begun), np.bool_)
        is_held[rows[holds]] = True
        self._loiter_missed = np.where(is_held, 0, self._loiter_missed + 1)
        yield from self._ends("loiter", np.flatnonzero((begun > 0) & (self._loiter_missed > MISSES_MAX)))
        for n in np.flatnonzero(holds):
            row = int(rows[n])
            if begun[row] == 0:
                since_ms = int(now_ms - want.loiter_min * 60_000)
                begun[row] = since_ms
                measured = {"across_m": float(wide_m[n]), "way_m": float(way_m[n]), "minutes": want.loiter_min}
                yield Pattern("loiter", (row,), since_ms, False, measured, self._way(row, since_ms))

    # -- two movers -------------------------------------------------------------------------------------------------

    def _together(self, now_ms: int, want: Thresholds) -> Iterator[Pattern]:
        newest, earlier = self._ring[:, (self._next - 1) % RING], self._ring[:, (self._next - 5) % RING]
        rows = np.flatnonzero(np.isfinite(newest[:, 0]) & np.isfinite(earlier[:, 0]))
        if len(rows) < 2:
            pairs = np.zeros((0, 2), np.int64)
        else:
            tree = cKDTree(_on_sphere(newest[rows]))
            near = tree.query_pairs(max(want.meeting_m, want.travel_m), output_type="ndarray")
            pairs = np.sort(rows[near], axis=1)[:PAIRS_MAX]
        way_s = 4 * SAMPLE_MS / 1000
        x, y = _metres(self._ring[:, [(self._next - 5) % RING, (self._next - 1) % RING]])
        east, north = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]
        speed, course = np.hypot(east, north) / way_s, np.degrees(np.arctan2(east, north))
        one, two = pairs[:, 0], pairs[:, 1]
        apart = apart_m(newest[one, 0], newest[one, 1], newest[two, 0], newest[two, 1])
        turn = np.abs((course[one] - course[two] + 180) % 360 - 180)
        meets = (apart <= want.meeting_m) & (np.maximum(speed[one], speed[two]) <= want.meeting_mps)
        travels = (apart <= want.travel_m) & (np.minimum(speed[one], speed[two]) >= want.travel_mps)
        travels &= turn <= want.travel_deg
        keys = one * MOVERS_MAX + two
        yield from self._follow("meeting", self._meetings, np.unique(keys[meets]), now_ms, want.meeting_min)
        yield from self._follow("co_travel", self._travels, np.unique(keys[travels]), now_ms, want.travel_min)

    def _follow(self, kind: Kind, pairs: _Pairs, held: Ints, now_ms: int, minutes: float) -> Iterator[Pattern]:
        for one, two, since_ms in pairs.update(held, now_ms):
            yield Pattern(kind, (one, two), since_ms, True)
        for n in np.flatnonzero(~pairs.told & (now_ms - pairs.since_ms >= minutes * 60_000)):
            one, two = int(pairs.keys[n] // MOVERS_MAX), int(pairs.keys[n] % MOVERS_MAX)
            since_ms = int(pairs.since_ms[n])
            if kind == "meeting" and not self._came_from_apart(one, two, since_ms):
                continue
            pairs.told[n] = True
            first, second = self._way(one, since_ms - SETTLE_MS), self._way(two, since_ms - SETTLE_MS)
            apart = float(apart_m(self.lat[one], self.lon[one], self.lat[two], self.lon[two]))
            measured = {"apart_m": apart, "minutes": (now_ms - since_ms) / 60_000}
            yield Pattern(kind, (one, two), since_ms, False, measured, first, second)

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
        for name in ("lat", "lon", "at_ms", "heard_ms", "_count", "_every_ms", "_anchor_ms", "_moved", "_air"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros(more, old.dtype)]))
        self._anchor = np.concatenate([self._anchor, np.zeros((more, 2))])
        self._loiter_missed = np.concatenate([self._loiter_missed, np.zeros(more, np.int64)])
        self._ring = np.concatenate([self._ring, np.full((more, RING, 2), np.nan)])
        self._begun_ms = {
            kind: np.concatenate([self._begun_ms_of(kind), np.zeros(more, np.int64)])
            for kind in ("stop", "loiter", "gap")
        }
        self._room = room


def rows_of(rows: Sequence[int]) -> Ints:
    """Rows as the Watcher takes them."""
    return np.array(rows, np.int64)


def _metres(ring: Floats) -> tuple[Floats, Floats]:
    """East and north of the first place of each mover, for ways of some kilometres. Shape (n, k, 2) -> (n, k) twice."""
    east = (ring[..., 1] - ring[:, :1, 1] + 180) % 360 - 180
    per_deg = np.radians(1) * EARTH_M
    return east * per_deg * np.cos(np.radians(ring[:, :1, 0])), (ring[..., 0] - ring[:, :1, 0]) * per_deg


def _filled(values: Floats) -> Floats:
    """A sample that is missing as the one before it; the first is there."""
    index = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.asarray(np.take_along_axis(values, np.maximum.accumulate(index, axis=1), axis=1))


def _on_sphere(places: Floats) -> Floats:
    lat, lon = np.radians(places[:, 0]), np.radians(places[:, 1])
    return EARTH_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
