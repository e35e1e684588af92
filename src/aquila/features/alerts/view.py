"""The view: watches and alerts as papers, where everybody was last, who is in which area and who is silent.

Time is an input: on each tick the areas are looked at once, for all who have moved. What then is to be raised waits for
the rule, which runs on what is live only.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from aquila.core.model import Arrival, Context, Entry, Label, Report, Sample, Stamp, Tick
from aquila.core.paper_work import state_of
from aquila.core.papers import Papers, Thing
from aquila.features.alerts.watch import (
    ALERT,
    ALERT_STATES,
    WATCH,
    WATCH_STATES,
    AreaWatch,
    SilenceWatch,
    Trigger,
    Watch,
    read_watch,
)

MINUTE_MS = 60_000
PLACES_MAX = 200_000
AFFILIATIONS = {"1": "unknown", "2": "friend", "3": "friend", "4": "neutral", "5": "hostile", "6": "hostile"}
"""Digit 4 of a symbol code (APP-6(D), standard identity); all others are unknown."""


class Place(msgspec.Struct, array_like=True):
    """Where somebody was last, and who may know it."""

    entity: str
    context: Context
    name: str
    category: str
    affiliation: str
    lat_deg: float
    lon_deg: float
    hae_m: float | None
    at_ms: int
    stamp: Stamp
    label: Label


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """Something to be raised, or that is over. since_ms: when it began, which tells it from an earlier one."""

    watch: str
    trigger: Trigger
    place: Place
    since_ms: int
    is_over: bool = False


class _Kept(msgspec.Struct, array_like=True):
    papers: bytes
    places: list[Place]


class Alerts(Papers):
    """See the module."""

    hears_positions = True

    def __init__(self) -> None:
        super().__init__("alerts", 1, ("alerts.",))
        self._places: dict[tuple[Context, str], Place] = {}
        self._inside: dict[tuple[str, str], int] = {}
        """(watch, entity) -> since when it is inside. No part of the snapshot: it depends on when ticks came between
        positions. After a restart it is seen anew, and alerts that stand are not raised a second time."""
        self._dwelt: set[tuple[str, str]] = set()
        self._active: list[tuple[Thing, Watch]] | None = None
        self._findings: list[Finding] = []

    # -- folding ----------------------------------------------------------------------------------------------------

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Tick):
            self._findings = list(self._look(arrival.at_ms))
            return
        if isinstance(arrival, Sample):
            self._place(arrival.report, arrival.context, arrival.label, arrival.received_at_ms, arrival.stamp)
            return
        before = self.changes
        super().fold(arrival)
        if self.changes != before:
            self._active = None
        if isinstance(arrival.body, Report):
            envelope = arrival.envelope
            self._place(arrival.body, envelope.context, envelope.label, envelope.received_at_ms, envelope.stamp)

    def _place(self, report: Report, context: Context, label: Label, at_ms: int, stamp: Stamp) -> None:
        position = report.position
        if position is None:
            return
        key = (context, report.entity)
        known = self._places.get(key)
        if known is None:
            if len(self._places) >= PLACES_MAX:
                return
        elif (at_ms, stamp) <= (known.at_ms, known.stamp):
            return
        self._places[key] = Place(
            report.entity,
            context,
            report.name or report.alias.value,
            report.category,
            AFFILIATIONS.get(report.sidc[3:4], "unknown"),
            position.lat_deg,
            position.lon_deg,
            position.hae_m,
            at_ms,
            stamp,
            label,
        )

    def snapshot(self) -> bytes:
        """See View."""
        kept = _Kept(
            super().snapshot(),
            [self._places[key] for key in sorted(self._places)],
        )
        return msgspec.msgpack.encode(kept, order="deterministic")

    def restore(self, data: bytes) -> None:
        """See View."""
        kept = msgspec.msgpack.decode(data, type=_Kept)
        super().restore(kept.papers)
        self._places = {(place.context, place.entity): place for place in kept.places}
        self._inside, self._dwelt = {}, set()
        self._active = None
        self._findings = []

    # -- looking ----------------------------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """What the last tick found."""
        return self._findings

    def standing(self) -> dict[tuple[str, str, str], Thing]:
        """Alerts that nobody has closed or whose reason is not gone, by watch, entity and trigger: for rules only."""
        found: dict[tuple[str, str, str], Thing] = {}
        for (_, target), steps in self._steps.items():
            if steps[0].type == ALERT:
                thing = Thing(target, steps)
                if thing.get("over_at_ms") is None or state_of(ALERT_STATES, thing) != "closed":
                    found[(thing.get("watch", ""), thing.get("entity", ""), thing.get("trigger", ""))] = thing
        return found

    def active(self) -> list[tuple[Thing, Watch]]:
        """Watches that are on, by id: for rules, never for answers."""
        if self._active is None:
            things = (
                Thing(target, steps) for (_, target), steps in sorted(self._steps.items()) if steps[0].type == WATCH
            )
            on = (thing for thing in things if state_of(WATCH_STATES, thing) == "active")
            self._active = [(thing, watch) for thing in on if (watch := read_watch(thing)) is not None]
            alive = {thing.id for thing, _ in self._active}
            self._inside = {key: since for key, since in self._inside.items() if key[0] in alive}
            self._dwelt = {key for key in self._dwelt if key[0] in alive}
        return self._active

    def _look(self, now_ms: int) -> Iterator[Finding]:
        areas = []
        for thing, watch in self.active():
            if (watch.from_ms is not None and now_ms < watch.from_ms) or (
                watch.until_ms is not None and now_ms >= watch.until_ms
            ):
                continue
            if isinstance(watch, SilenceWatch):
                yield from self._look_silence(thing, watch, now_ms)
            else:
                areas.append((thing, watch))
        if areas and self._places:
            yield from self._look_areas(areas, now_ms)

    def _look_silence(self, thing: Thing, watch: SilenceWatch, now_ms: int) -> Iterator[Finding]:
        place = self._places.get((thing.first.context, watch.entity))
        heard_ms = thing.newest.received_at_ms if place is None else place.at_ms
        limit_ms = int((watch.every_min + watch.grace_min) * MINUTE_MS)
        if place is None:
            # Nobody has ever heard it: the watch itself says under which marking that may be told.
            place = Place(
                watch.entity,
                thing.first.context,
                watch.entity,
                *("", "", 0, 0, None),
                heard_ms,
                thing.first.stamp,
                thing.first.label,
            )
        yield Finding(thing.id, "silence", place, heard_ms, is_over=now_ms - heard_ms <= limit_ms)

    def _look_areas(self, areas: list[tuple[Thing, AreaWatch]], now_ms: int) -> Iterator[Finding]:
        places = [self._places[key] for key in sorted(self._places)]
        within = _within([watch for _, watch in areas], places)
        for number, (thing, watch) in enumerate(areas):
            inside = {
                places[each].entity: places[each] for each in within[number] if _meant(watch, thing, places[each])
            }
            yield from self._entered(thing, watch, inside, now_ms)
            yield from self._left(thing, watch, inside, now_ms)

    def _entered(self, thing: Thing, watch: AreaWatch, inside: dict[str, Place], now_ms: int) -> Iterator[Finding]:
        for entity, place in inside.items():
            since_ms = self._inside.setdefault((thing.id, entity), now_ms)
            if since_ms == now_ms and "enter" in watch.triggers:
                yield Finding(thing.id, "enter", place, now_ms)
            is_due = now_ms - since_ms >= watch.dwell_min * MINUTE_MS and (thing.id, entity) not in self._dwelt
            if "dwell" in watch.triggers and is_due:
                self._dwelt.add((thing.id, entity))
                yield Finding(thing.id, "dwell", place, since_ms)

    def _left(self, thing: Thing, watch: AreaWatch, inside: dict[str, Place], now_ms: int) -> Iterator[Finding]:
        gone = sorted(entity for id, entity in self._inside if id == thing.id and entity not in inside)
        for entity in gone:
            since_ms = self._inside.pop((thing.id, entity))
            self._dwelt.discard((thing.id, entity))
            place = self._places[(thing.first.context, entity)]
            if "leave" in watch.triggers:
                yield Finding(thing.id, "leave", place, now_ms)
            for trigger in ("enter", "dwell"):
                if trigger in watch.triggers:
                    yield Finding(thing.id, trigger, place, since_ms, is_over=True)


def _meant(watch: AreaWatch, thing: Thing, place: Place) -> bool:
    """Is it somebody whom the watch is about?"""
    return (
        place.context == thing.first.context
        and (not watch.affiliations or place.affiliation in watch.affiliations)
        and (not watch.categories or place.category in watch.categories)
        and (not watch.entities or place.entity in watch.entities)
        and (place.hae_m is None or watch.min_hae_m is None or place.hae_m >= watch.min_hae_m)
        and (place.hae_m is None or watch.max_hae_m is None or place.hae_m <= watch.max_hae_m)
    )


def _within(watches: Iterable[AreaWatch], places: list[Place]) -> list[list[int]]:
    """For each area the numbers of the places inside."""
    import numpy as np
    import shapely  # a node without areas does not load them

    from aquila.fusion.geofence import cut_at_antimeridian

    areas: list[Any] = [cut_at_antimeridian(shapely.Polygon(watch.corners)) for watch in watches]
    xy = np.array([(place.lon_deg, place.lat_deg) for place in places])
    found: list[list[int]] = []
    for area in areas:
        west, south, east, north = area.bounds
        near = np.flatnonzero((xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north))
        found.append([int(each) for each in near[shapely.intersects_xy(area, xy[near, 0], xy[near, 1])]])
    return found


def entry_report(arrival: Arrival) -> tuple[Report, Entry] | None:
    """The report that a statement carries; None = it is none."""
    if isinstance(arrival, Entry) and isinstance(arrival.body, Report):
        return arrival.body, arrival
    return None
