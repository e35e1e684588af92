"""The view: watches and alerts as papers; and what the rule remembers between two looks: who is in which area.

That memory is no part of the state, since it depends on when ticks came between positions. A watch begins at the first
look at it: when it is made, when what it watches has changed, when it goes on, when its time comes, after a restart.
Who is inside then has not entered. Alerts that stand are not raised a second time.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from aquila.core.exercise_clock import ExerciseClock
from aquila.core.model import Arrival, Context, Entry, Label, Paper, Position, Report
from aquila.core.moves import Move, Moves
from aquila.core.paper_work import WatchedPapers, state_of
from aquila.core.papers import Thing
from aquila.features.alerts.watch import (
    ALERT,
    ALERT_STATES,
    CLOSES_ALERTS,
    WATCH,
    WATCH_STATES,
    AreaWatch,
    SilenceWatch,
    Trigger,
    Watch,
    read_watch,
    wrong_area,
)

if TYPE_CHECKING:
    from aquila.fusion.geofence import Geofences

MINUTE_MS = 60_000
AFFILIATIONS = {"1": "unknown", "2": "friend", "3": "friend", "4": "neutral", "5": "hostile", "6": "hostile"}
"""Digit 4 of a symbol code (APP-6(D), standard identity); all others are unknown."""


NO_MOVERS = frozenset({"drawing", "place", "marker", "alert"})
"""Nobody enters by being drawn or marked, nor does a call for help, which stands beside the one who calls: these are
meant only where a watch names them."""


Corners = tuple[tuple[float, float], ...]


class Finding(msgspec.Struct, frozen=True):
    """Something to be raised, or that is over.

    Attributes:
        entity, name, position, label: of whom it is about; position None = it was never heard.
        since_ms: when it began, which tells it from an earlier one.
    """

    watch: str
    trigger: Trigger
    entity: str
    name: str
    position: Position | None
    label: Label
    since_ms: int
    is_over: bool = False


def about(thing: Thing, trigger: Trigger, move: Move, since_ms: int, *, is_over: bool = False) -> Finding:
    """A finding about somebody whose place is known: who may know the place may know of it."""
    entity, name = move.report.entity, move.name
    return Finding(thing.id, trigger, entity, name, move.position, move.label, since_ms, is_over)


def stands(thing: Thing) -> bool:
    """Is it an alert that nobody has closed, or whose reason is not gone?"""
    return thing.type == ALERT and (thing.get("over_at_ms") is None or state_of(ALERT_STATES, thing) != "closed")


class Alerts(WatchedPapers):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("alerts", 1, ("alerts.",), stands)
        self._inside: dict[str, dict[str, int]] = {}
        """Of each watch, entity -> since when it is inside."""
        self._dwelt: set[tuple[str, str]] = set()
        self._begun: dict[str, AreaWatch] = {}
        """By id the watches that were on at the last look, as they were then."""
        self._watches = 0
        """Grows with every step about a watch."""
        self._active: list[tuple[Thing, Watch]] = []
        self._removed: set[str] = set()
        """Ids of watches that were removed together with their alerts."""
        self._active_at = -1
        self._standing: dict[tuple[str, str, str], Thing] = {}
        self._standing_at = -1
        self._fences: dict[Context, tuple[tuple[Corners, ...], Geofences]] = {}
        """Of the areas that were looked at last, by their corners."""

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        before = self.changes
        super().fold(arrival)
        if self.changes != before and isinstance(arrival, Entry) and isinstance(arrival.body, Paper):
            is_alert = self._steps[arrival.envelope.context, arrival.body.target][0].type == ALERT
            self._watches += not (is_alert and arrival.body.type == ALERT)

    def restore(self, data: bytes) -> None:
        """See View. What was remembered between two looks is gone."""
        super().restore(data)
        self._watches += 1
        self._inside, self._dwelt, self._begun = {}, set(), {}

    # -- looking ----------------------------------------------------------------------------------------------------

    def standing(self) -> dict[tuple[str, str, str], Thing]:
        """Alerts that nobody has closed or whose reason is not gone, by watch, entity and trigger: for rules only."""
        if self._standing_at != self.changes:
            self._standing_at = self.changes
            things = sorted(self.watched(), key=lambda thing: thing.first.stamp)
            self._standing = {
                (thing.get("watch", ""), thing.get("entity", ""), thing.get("trigger", "")): thing for thing in things
            }
        return self._standing

    def orphans(self) -> list[Thing]:
        """Alerts that are to be closed since their watch was removed with them: for rules only."""
        self.active()
        found = (thing for thing in self.watched() if thing.get("watch") in self._removed)
        return [thing for thing in found if state_of(ALERT_STATES, thing) != "closed"] if self._removed else []

    def active(self) -> list[tuple[Thing, Watch]]:
        """Watches that are on, by id: for rules, never for answers."""
        if self._active_at != self._watches:
            self._active_at = self._watches
            keys = sorted(key for key, steps in self._steps.items() if steps[0].type == WATCH)
            states = [
                (thing, state_of(WATCH_STATES, thing)) for thing in (Thing(key[1], self._steps[key]) for key in keys)
            ]
            self._removed = {
                thing.id for thing, state in states if state == "removed" and thing.get(CLOSES_ALERTS) is True
            }
            on = (thing for thing, state in states if state == "active")
            read = [(thing, watch) for thing in on if (watch := read_watch(thing)) is not None]
            # What another node let in is looked at here too: one area that is none must not end the look at all others.
            self._active = [
                each for each in read if isinstance(each[1], SilenceWatch) or not wrong_area(each[1].corners)
            ]
            alive = {thing.id for thing, _ in self._active}
            self._inside = {id: inside for id, inside in self._inside.items() if id in alive}
            self._dwelt = {key for key in self._dwelt if key[0] in alive}
            self._begun = {id: watch for id, watch in self._begun.items() if id in alive}
        return self._active

    def look(self, now_ms: int, moves: Moves, clock_of: Callable[[Context], ExerciseClock]) -> Iterator[Finding]:
        """What there is to be said at this time, once for each step into and out of an area. For the rule only.

        Args:
            now_ms: UTC milliseconds on the wall.
            moves: where everybody is.
            clock_of: counts a context's minutes.
        """
        areas = []
        clocks = {context: clock_of(context) for context in {thing.first.context for thing, _ in self.active()}}
        for thing, watch in self.active():
            clock = clocks[thing.first.context]
            is_on = _is_on(thing, watch, clock, now_ms)
            if not is_on or isinstance(watch, SilenceWatch):
                self._begun.pop(thing.id, None)
            if not is_on:
                continue
            if isinstance(watch, SilenceWatch):
                yield _silence(thing, watch, moves.of(thing.first.context, watch.entity), clock, now_ms)
            else:
                areas.append((thing, watch))
        for context in sorted({thing.first.context for thing, _ in areas}):
            here = [(thing, watch) for thing, watch in areas if thing.first.context == context]
            yield from self._look_areas(here, moves, context, clocks[context], now_ms)

    def _look_areas(
        self, areas: list[tuple[Thing, AreaWatch]], moves: Moves, context: Context, clock: ExerciseClock, now_ms: int
    ) -> Iterator[Finding]:
        everybody = list(moves.all(context))
        within = self._within(context, tuple(watch.corners for _, watch in areas), everybody)
        for (thing, watch), numbers in zip(areas, within, strict=True):
            meant = (everybody[number] for number in numbers)
            inside = {move.report.entity: move for move in meant if _meant(watch, move)}
            begins = self._begins(thing, watch)
            if begins:
                self._inside.setdefault(thing.id, {}).update(dict.fromkeys(inside, now_ms))
                self._dwelt -= {(thing.id, entity) for entity in inside}
            yield from self._entered(thing, watch, inside, clock, now_ms)
            yield from self._left(thing, watch, inside, moves, now_ms, begins=begins)

    def _begins(self, thing: Thing, watch: AreaWatch) -> bool:
        """Is this the first look at what is watched here? A new name or level alone begins nothing."""
        known = self._begun.get(thing.id)
        self._begun[thing.id] = watch
        return known is None or known != msgspec.structs.replace(watch, name=known.name, level=known.level)

    def inside(self, watch: str) -> list[str] | None:
        """Ids of who was inside at the last look, in order; None = it is not looked at, or not yet."""
        if watch not in self._begun:
            return None
        return sorted(self._inside.get(watch, ()))

    def _within(self, context: Context, areas: tuple[Corners, ...], moves: list[Move]) -> list[list[int]]:
        """For each area the numbers of those inside."""
        import numpy as np  # a node without areas does not load it

        from aquila.fusion.geofence import fences_of

        known = self._fences.get(context)
        if known is None or known[0] != areas:
            known = self._fences[context] = areas, fences_of(areas)
        found: list[list[int]] = [[] for _ in areas]
        places = np.array([(move.position.lon_deg, move.position.lat_deg) for move in moves])
        rows, numbers = known[1].inside(places)
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
            found[number].append(row)
        return found

    def _entered(
        self, thing: Thing, watch: AreaWatch, inside: dict[str, Move], clock: ExerciseClock, now_ms: int
    ) -> Iterator[Finding]:
        known = self._inside.setdefault(thing.id, {})
        for entity, move in inside.items():
            is_new = entity not in known
            since_ms = known.setdefault(entity, now_ms)
            if is_new and "enter" in watch.triggers:
                yield about(thing, "enter", move, now_ms)
            stayed_ms = clock.between_ms(since_ms, now_ms)
            is_due = stayed_ms >= watch.dwell_min * MINUTE_MS and (thing.id, entity) not in self._dwelt
            if "dwell" in watch.triggers and is_due:
                self._dwelt.add((thing.id, entity))
                yield about(thing, "dwell", move, since_ms)

    def _left(
        self, thing: Thing, watch: AreaWatch, inside: dict[str, Move], moves: Moves, now_ms: int, *, begins: bool
    ) -> Iterator[Finding]:
        # An area that was drawn anew, or a watch that has rested, says of nobody that he went.
        known = self._inside.get(thing.id, {})
        for entity in sorted(known.keys() - inside.keys()):
            since_ms = known.pop(entity)
            self._dwelt.discard((thing.id, entity))
            move = moves.of(thing.first.context, entity)
            if move is None:
                continue
            if "leave" in watch.triggers and not move.report.ended and not begins:
                yield about(thing, "leave", move, now_ms)
            for trigger in ("enter", "dwell"):
                if trigger in watch.triggers:
                    yield about(thing, trigger, move, since_ms, is_over=True)


def _is_on(thing: Thing, watch: Watch, clock: ExerciseClock, now_ms: int) -> bool:
    """Is it between the times from and until which it watches?"""
    from_ms, until_ms = (
        clock.of_field(thing, name, at_ms) for name, at_ms in (("from_ms", watch.from_ms), ("until_ms", watch.until_ms))
    )
    return (from_ms is None or now_ms >= from_ms) and (until_ms is None or now_ms < until_ms)


def _silence(thing: Thing, watch: SilenceWatch, move: Move | None, clock: ExerciseClock, now_ms: int) -> Finding:
    limit_ms = int((watch.every_min + watch.grace_min) * MINUTE_MS)
    heard_ms = thing.newest.received_at_ms if move is None else move.received_at_ms
    is_over = clock.between_ms(heard_ms, now_ms) <= limit_ms
    if move is not None:
        return about(thing, "silence", move, heard_ms, is_over=is_over)
    # Nobody has ever heard it: the watch itself says under which marking that may be told.
    return Finding(thing.id, "silence", watch.entity, watch.entity, None, thing.first.label, heard_ms, is_over)


def _meant(watch: AreaWatch, move: Move) -> bool:
    """Is it somebody whom the watch is about?"""
    report, hae_m = move.report, move.position.hae_m
    return (
        (not watch.affiliations or AFFILIATIONS.get(report.sidc[3:4], "unknown") in watch.affiliations)
        and (report.category in watch.categories if watch.categories else report.category not in NO_MOVERS)
        and (not watch.entities or report.entity in watch.entities)
        and (hae_m is None or watch.min_hae_m is None or hae_m >= watch.min_hae_m)
        and (hae_m is None or watch.max_hae_m is None or hae_m <= watch.max_hae_m)
    )


def entry_report(arrival: Arrival) -> tuple[Report, Entry] | None:
    """The report that a statement carries; None = it is none."""
    if isinstance(arrival, Entry) and isinstance(arrival.body, Report):
        return arrival.body, arrival
    return None
