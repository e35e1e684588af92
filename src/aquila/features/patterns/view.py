"""The view: findings and thresholds as papers; and what the rule remembers between two looks: how everybody moved.

That memory is no part of the state, since it depends on when ticks came between positions. It begins anew at every
start; what stood then is said to be over, since nobody watched on.

A mover is known under the marking of its newest place. When that changes it is begun anew, so that no finding tells
under one marking what was heard under another; and two movers are told of together only if their markings are equal.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
import numpy as np

from aquila.core.model import Arrival, Context, Label
from aquila.core.moves import Move, Moves
from aquila.core.papers import Papers, Thing
from aquila.features.patterns.finding import FINDING, THRESHOLDS, PatternSettings, settings_of
from aquila.features.patterns.zones import Zones
from aquila.fusion.pattern_kinds import DOMAIN_OF_SET, INSTANT, OF_REPORTS, OTHER, Kind, Pattern, Table
from aquila.fusion.pattern_pairs import MOVERS_MAX
from aquila.fusion.pattern_routes import Route
from aquila.fusion.patterns import ALL, NO_REPORTS, REPORTS_ONLY, Watcher, rows_of

MOVING = frozenset({"unit", "platform", "track"})
OPEN_MAX = 2_000
"""Findings that stand at the same time; beyond it none is told until some are over."""
LET_GO_MS = 3_600_000

Key = tuple[Context, str]
OpenKey = tuple[Kind, tuple[Key, ...]]


class Told(msgspec.Struct, frozen=True):
    """Something to be said.

    Attributes:
        pattern: None = nobody watches on.
        known: context and id of the finding that is over; None = a new one.
    """

    pattern: Pattern | None
    moves: tuple[Move, ...]
    known: tuple[Context, str] | None = None


class Patterns(Papers):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("patterns", 1, ("patterns.",))
        # Read anew only when they change: findings are many, and each look would walk over all of them.
        self._settings, self._zones = PatternSettings(), Zones(PatternSettings())
        self._forget()

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        before = self.changes
        super().fold(arrival)
        body = getattr(arrival, "body", None)
        if self.changes != before and getattr(body, "type", "") == THRESHOLDS:
            self._read_settings()

    def _forget(self) -> None:
        self._watcher = Watcher()
        self._rows: dict[Key, int] = {}
        self._keys: list[Key | None] = []
        self._newest: dict[Key, Move] = {}
        self._partly: set[int] = set()
        """Rows that are judged by a part only, as the watcher was told."""
        self._aside: set[Key] = set()
        """Sources of fused tracks, at the last look."""
        self._grouped: set[Key] = set()
        """Who there was when it was last worked out who stands for whom."""
        self._open: dict[OpenKey, str] = {}
        self._is_begun = False
        self._is_fresh = True
        """Settings that the watcher has not taken up."""
        self.unwatched = 0
        """Movers for which there was no room at the last look."""
        self.untold = 0
        """Findings that were not told since too many stood, since the start."""

    def restore(self, data: bytes) -> None:
        """See View. What was remembered between two looks is gone."""
        super().restore(data)
        self._read_settings()
        self._forget()

    def settings(self) -> PatternSettings:
        """As they are in force: for rules, never for answers."""
        return self._settings

    @property
    def limits(self) -> Table:
        """Their thresholds, by zone."""
        return self._zones.limits

    def _read_settings(self) -> None:
        steps = ((target, steps) for (_, target), steps in self._steps.items() if steps[0].type == THRESHOLDS)
        self._settings = settings_of([Thing(target, each) for target, each in steps])
        self._zones = Zones(self._settings)
        self._is_fresh = True

    def thing_of(self, context: Context, finding: str) -> Thing | None:
        """A finding as the node knows it: for rules, never for answers."""
        steps = self._steps.get((context, finding))
        return Thing(finding, steps) if steps else None

    # -- looking: for the rule only ---------------------------------------------------------------------------------

    def look(self, now_ms: int, moves: Moves) -> Iterator[Told]:
        """What there is to be said at this time."""
        if not self._is_begun:
            self._is_begun = True
            yield from self._left_over()
        movers = {key: move for key, move in moves.items() if move.report.category in MOVING}
        heard, begun, is_regrouped = self._news(now_ms, movers)
        yield from self._begin(begun)
        if begun or is_regrouped or movers.keys() != self._grouped:
            self._grouped = set(movers)
            yield from self._set_parts(movers)
        if self._is_fresh or (begun and self._settings.routes):
            self._is_fresh = False
            self._watcher.set_zones(self._zones.of(self._watcher.lat, self._watcher.lon))
            self._watcher.set_routes(self._routes())
        found = [*self._hear(heard, now_ms)] if heard else []
        found += self._watcher.look(now_ms, self.limits)
        for pattern in found:
            yield from self._tell(pattern)

    def _hear(self, heard: list[Key], now_ms: int) -> Iterator[Pattern]:
        moves = [self._newest[each] for each in heard]
        lat = np.array([move.position.lat_deg for move in moves])
        lon = np.array([move.position.lon_deg for move in moves])
        return self._watcher.hear(
            rows_of([self._rows[each] for each in heard]),
            lat,
            lon,
            rows_of([move.report.observed_at_ms for move in moves]),
            now_ms,
            self.limits,
            rows_of([DOMAIN_OF_SET.get(move.report.sidc[4:6], OTHER) for move in moves]),
            self._zones.of(lat, lon),
            np.array([np.nan if (height := move.position.hae_m) is None else height for move in moves]),
        )

    def _routes(self) -> list[Route]:
        """Those of the settings whose movers are known, whatever context they are in."""
        rows: dict[str, list[int]] = {}
        if self._settings.routes:
            for (_, entity), row in self._rows.items():
                rows.setdefault(entity, []).append(row)
        routes = []
        for each in self._settings.routes:
            of = rows_of(sorted({row for entity in each.entities for row in rows.get(entity, ())}))
            lon, lat = np.array(each.places).T
            if len(of):
                routes.append(Route(of, lat, lon, each.half_m))
        return routes

    def opened(self, pattern: Pattern, moves: tuple[Move, ...], finding: str) -> None:
        """It was told under this id."""
        if pattern.kind not in INSTANT:
            self._open[pattern.kind, tuple(_key(move) for move in moves)] = finding

    def _left_over(self) -> Iterator[Told]:
        for (context, target), steps in self._steps.items():
            thing = Thing(target, steps)
            if thing.type == FINDING and thing.get("over_at_ms") is None:
                yield Told(None, (), (context, target))

    def _set_parts(self, movers: "Movers") -> Iterator[Told]:
        """What stood of a source is over once a fused track tells of it, but for how it reports."""
        parts = _parts_of(movers)
        # Few are judged by a part only: with 10,000 movers it would cost to tell the watcher of all at every look.
        told = {row: part for key, part in parts.items() if (row := self._rows.get(key)) is not None}
        for row in self._partly - told.keys():
            # Whoever moves no more keeps what it was judged by.
            if self._keys[row] in movers:
                told[row] = ALL
        self._watcher.set_parts(rows_of(list(told)), rows_of(list(told.values())))
        self._partly = {row for row in self._partly | told.keys() if told.get(row) != ALL}
        aside = {key for key, part in parts.items() if part == REPORTS_ONLY}
        newly, self._aside = aside - self._aside, aside
        if newly:
            for kind, keys in [
                each for each in self._open if each[0] not in OF_REPORTS and not newly.isdisjoint(each[1])
            ]:
                yield Told(None, (), (keys[0][0], self._open.pop((kind, keys))))

    def _news(self, now_ms: int, movers: "Movers") -> tuple[list[Key], list[tuple[Key, Move, int]], bool]:
        """Who was heard since the last look; who is to be begun anew in which row; does one have other members?"""
        self.unwatched = 0
        is_regrouped = False
        heard: list[Key] = []
        begun: list[tuple[Key, Move, int]] = []
        for key, move in movers.items():
            known = self._newest.get(key)
            if known is move:
                continue
            row = self._rows.get(key)
            if row is None:
                row = self._room(now_ms)
                if row is None:
                    self.unwatched += 1
                    continue
                self._rows[key], self._keys[row] = row, key
            if known is None or known.label != move.label:
                begun.append((key, move, row))
            elif _members_of(known) != _members_of(move):
                is_regrouped = True
            self._newest[key] = move
            heard.append(key)
        return heard, begun, is_regrouped

    def _room(self, now_ms: int) -> int | None:
        if len(self._keys) < MOVERS_MAX:
            self._keys.append(None)
            return len(self._keys) - 1
        for key, row in self._rows.items():
            if now_ms - self._newest[key].received_at_ms > LET_GO_MS:
                del self._rows[key], self._newest[key]
                return row
        return None

    def _begin(self, begun: list[tuple[Key, Move, int]]) -> Iterator[Told]:
        if not begun:
            return
        keys = {key for key, _, _ in begun}
        for open_key in [each for each in self._open if not keys.isdisjoint(each[1])]:
            yield Told(None, (), (open_key[1][0][0], self._open.pop(open_key)))
        self._watcher.begin(rows_of([row for _, _, row in begun]))

    def _tell(self, pattern: Pattern) -> Iterator[Told]:
        keys = tuple(key for row in pattern.rows if (key := self._keys[row]) is not None)
        moves = tuple(self._newest[key] for key in keys)
        known = self._open.get((pattern.kind, keys))
        if pattern.is_over:
            if known is not None:
                del self._open[pattern.kind, keys]
                yield Told(pattern, moves, (keys[0][0], known))
            return
        if known is not None or pattern.kind in self._settings.off or not _is_one(move.label for move in moves):
            return
        if len({move.context for move in moves}) > 1:
            return
        if len(self._open) >= OPEN_MAX:
            self.untold += 1
            return
        yield Told(pattern, moves)


def _is_one(labels: Iterable[Label]) -> bool:
    return len(set(labels)) == 1


def _key(move: Move) -> Key:
    return move.context, move.report.entity


def _members_of(move: Move) -> str | None:
    """Of a fused track: ids with blanks between them; None = it is none."""
    return move.report.fields.get("members")


Movers = Mapping[Key, Move]
"""Everybody that moves, and where it is."""


def _parts_of(movers: Movers) -> dict[Key, int]:
    """By what those are judged who are not judged by everything.

    For the members of a fused track stands the track; but who reports, and goes silent, are they, each by itself.
    """
    fused = {key: made for key, move in movers.items() if (made := _members_of(move)) is not None}
    parts = dict.fromkeys(fused, NO_REPORTS)
    if fused:
        members = {member for each in fused.values() for member in each.split()}
        parts |= dict.fromkeys((key for key in movers if key[1] in members), REPORTS_ONLY)
    return parts
