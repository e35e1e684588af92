"""What every client sends and when: a pure function of the scenario and a span of time.

Time within the exercise is in seconds since its clock said 0; `epoch_ms` is that moment in UTC.
The script repeats itself every period. Movers, markers and drawings keep their uid; a chat line
and a medical evacuation are new ones each time, so their ids hang on the moment they are sent.
"""

from collections.abc import Iterator
from math import ceil, floor
from uuid import NAMESPACE_URL, UUID, uuid5
from zlib import crc32

from msgspec import Struct

from aquila.core.sphere import shifted
from aquila.simulator import cot
from aquila.simulator.motion import Fix, Timeline, fix_at, timelines
from aquila.simulator.scenario import (
    AlertOver,
    AlertRaised,
    AnyBeat,
    BoxDrawn,
    ChatLine,
    LineDrawn,
    MarkerPlaced,
    MedevacAsked,
    Mover,
    Overlay,
    Removal,
    RouteDrawn,
    Scenario,
)

BATTERY_STEP_S = 300.0
"""A battery loses one per cent in this time."""


class Document(Struct, frozen=True):
    """One CoT document and who sends it when."""

    at_s: float
    client: str
    """Callsign of the client."""
    body: bytes
    lasting: bool
    """A statement, which waits for a lost connection; a position does not."""


class Script(Struct, frozen=True):
    """A scenario made ready to be asked what happens between two moments."""

    scenario: Scenario
    lines: dict[str, Timeline]
    clients: dict[str, cot.Client]
    epoch_ms: int
    speed: float = 1.0
    """Exercise seconds for each second of the wall clock."""
    named_ms: int = 0
    """What ids are made of: where second 0 lay first. It stays when a pause or another pace moves the rest."""


def script(scenario: Scenario, epoch_ms: int, speed: float = 1.0) -> Script:
    """Make a scenario ready.

    Raises:
        ScenarioError: legs that do not join, or a cycle too short for its legs.
    """
    clients = {
        mover.callsign: cot.Client(
            uid=mover.uid,
            callsign=mover.callsign,
            cot_type=mover.cot_type,
            team=scenario.contingent_of(mover).team,
            role=mover.role,
            device=mover.device,
            sidc=mover.sidc,
        )
        for mover in scenario.movers
    }
    return Script(scenario, timelines(scenario), clients, epoch_ms, speed, epoch_ms)


def documents(ready: Script, t0_s: float, t1_s: float) -> list[Document]:
    """All that is sent after t0_s and up to t1_s, in order of time."""
    found = [
        *(document for mover in ready.scenario.movers for document in _reports(ready, mover, t0_s, t1_s)),
        *_beats(ready, t0_s, t1_s),
    ]
    return sorted(found, key=lambda document: document.at_s)


def presence(ready: Script, callsign: str, t_s: float) -> list[Document]:
    """What a client says first on a new connection: where it is, and what it reports on."""
    return [
        _report(ready, mover, t_s)
        for mover in ready.scenario.movers
        if callsign in (mover.callsign, mover.via) and not is_silent(ready.scenario, mover, t_s)
    ]


def inject_documents(ready: Script, inject: str, t_s: float) -> list[Document]:
    """What the clients send when an inject that plays this word is fired at t_s, as the scenario writes it."""
    beats = [beat for beat in ready.scenario.beats if beat.inject == inject]
    return [Document(t_s, beat.by, _beat_body(ready, beat, t_s, t_s), True) for beat in beats]


def opening(ready: Script, t_s: float) -> list[Document]:
    """What stands on the map at t_s because of earlier beats of this period, sent anew.

    A player that starts in the middle of a period sends this first.
    """
    period_s = ready.scenario.period_s
    first_s = floor(t_s / period_s) * period_s
    standing: dict[str, Document] = {}
    for at_s, beat in _due(ready.scenario, first_s - 0.001, t_s):
        key = _standing_key(beat)
        if isinstance(beat, (Removal, AlertOver)):
            standing.pop(key, None)
        elif key:
            standing[key] = Document(t_s, beat.by, _beat_body(ready, beat, at_s, t_s), True)
    return list(standing.values())


def is_silent(scenario: Scenario, mover: Mover, t_s: float) -> bool:
    """Whether nothing is heard from this mover at t_s."""
    in_period_s = t_s % scenario.period_s
    return any(from_s <= in_period_s < until_s for from_s, until_s in mover.silent)


def wall_ms(ready: Script, t_s: float) -> int:
    """UTC of a moment of the exercise, in milliseconds."""
    return ready.epoch_ms + round(t_s * 1000.0 / ready.speed)


def _reports(ready: Script, mover: Mover, t0_s: float, t1_s: float) -> Iterator[Document]:
    """Position reports at a steady interval, each mover with an offset of its own."""
    offset_s = crc32(mover.uid.encode()) % 1000 / 1000.0 * mover.report_s
    first = floor((t0_s - offset_s) / mover.report_s) + 1
    last = floor((t1_s - offset_s) / mover.report_s)
    for n in range(first, last + 1):
        at_s = offset_s + n * mover.report_s
        if not is_silent(ready.scenario, mover, at_s):
            yield _report(ready, mover, at_s)


def _report(ready: Script, mover: Mover, at_s: float) -> Document:
    spot = _spot(fix_at(ready.lines[mover.callsign], at_s))
    who, at_ms = ready.clients[mover.callsign], wall_ms(ready, at_s)
    if mover.via is None:
        body = cot.position(who, spot, at_ms, mover.report_s, _battery(mover, at_s))
    else:
        by = ready.clients[mover.via]
        body = cot.sighting(who, by, spot, at_ms, mover.report_s, mover.remarks)
    return Document(at_s, mover.via or mover.callsign, body, False)


def _battery(mover: Mover, at_s: float) -> int:
    """Per cent; it sinks from 100 to 41, then a fresh battery is put in."""
    if mover.kind in ("vehicle", "helicopter") or mover.device == "desk":
        return 100
    return 100 - int(crc32(mover.uid.encode()) % 60 + at_s / BATTERY_STEP_S) % 60


def _beats(ready: Script, t0_s: float, t1_s: float) -> Iterator[Document]:
    for at_s, beat in _due(ready.scenario, t0_s, t1_s):
        yield Document(at_s, beat.by, _beat_body(ready, beat, at_s, at_s), True)


def _due(scenario: Scenario, t0_s: float, t1_s: float) -> list[tuple[float, AnyBeat]]:
    """The beats of every period that fall after t0_s and up to t1_s, in order of time."""
    period_s = scenario.period_s
    rounds = range(max(floor(t0_s / period_s), 0), ceil((t1_s + 1.0) / period_s))
    times = ((n * period_s + beat.at_s, beat) for n in rounds for beat in scenario.beats if not beat.inject)
    return sorted((pair for pair in times if t0_s < pair[0] <= t1_s), key=lambda pair: pair[0])


def _standing_key(beat: AnyBeat) -> str:
    """What a beat leaves on the map; empty for a chat line."""
    if isinstance(beat, (AlertRaised, AlertOver)):
        return f"alert {beat.by}"
    return "" if isinstance(beat, ChatLine) else beat.key


def _beat_body(ready: Script, beat: AnyBeat, at_s: float, sent_s: float) -> bytes:
    """The document of the beat that is due at at_s, written when it is sent."""
    by, at_ms = ready.clients[beat.by], wall_ms(ready, sent_s)
    here = _spot(fix_at(ready.lines[beat.by], sent_s))
    match beat:
        case ChatLine():
            chat_id = str(_id(ready, "chat", str(ready.scenario.beats.index(beat)), at_s))
            return cot.chat(by, here, at_ms, chat_id, _filled(ready, beat.text, at_s), _room(ready, beat))
        case AlertRaised():
            return cot.alert(by, here, at_ms)
        case AlertOver():
            return cot.alert_over(by, here, at_ms)
        case Removal():
            gone = next(b for b in ready.scenario.beats if isinstance(b, Overlay) and b.key == beat.key)
            uid = str(_id(ready, "delete", beat.key, at_s))
            return cot.removal(uid, _overlay_uid(ready, gone, at_s), _overlay_type(gone), at_ms)
        case _:
            return _overlay(ready, beat, by, here, at_s, at_ms)


def _overlay(ready: Script, beat: Overlay, by: cot.Client, here: cot.Spot, at_s: float, at_ms: int) -> bytes:
    uid = _overlay_uid(ready, beat, at_s)
    match beat:
        case MarkerPlaced():
            look = cot.Look(beat.colour, _filled(ready, beat.remarks, at_s))
            spot = _marker_spot(ready, beat, at_s)
            return cot.marker(uid, beat.name, beat.cot_type, by, spot, at_ms, look)
        case LineDrawn():
            points = [*beat.points, beat.points[0]] if beat.closed else beat.points
            return cot.line(uid, beat.name, points, by, at_ms, cot.Look(beat.colour, beat.remarks))
        case BoxDrawn():
            look = cot.Look(beat.colour, beat.remarks)
            return cot.box(uid, beat.name, _corners(beat), by, at_ms, look)
        case RouteDrawn():
            places = ready.scenario.routes[beat.route]
            stops = [*places[: -1 : beat.every], places[-1]]
            spots = [cot.Spot(p.lat_deg, p.lon_deg, p.ground_m + ready.scenario.geoid_m) for p in stops]
            return cot.route(uid, beat.name, spots, by, at_ms, beat.method, beat.colour)
        case MedevacAsked():
            title = _filled(ready, beat.title, at_s)
            return cot.medevac(cot.Patient(uid, title, beat), by, here, at_ms)


def _overlay_uid(ready: Script, beat: Overlay, at_s: float) -> str:
    """Stable for what is drawn; a medical evacuation is a new one in every period."""
    if isinstance(beat, MedevacAsked):
        period_s = ready.scenario.period_s
        return str(_id(ready, "medevac", beat.key, floor(at_s / period_s) * period_s))
    return str(uuid5(NAMESPACE_URL, f"{ready.scenario.name}/{beat.key}"))


def _overlay_type(beat: Overlay) -> str:
    match beat:
        case MarkerPlaced():
            return beat.cot_type
        case LineDrawn():
            return "u-d-f"
        case BoxDrawn():
            return "u-d-r"
        case RouteDrawn():
            return "b-m-r"
        case MedevacAsked():
            return "b-r-f-h-c"


def _id(ready: Script, what: str, key: str, at_s: float) -> UUID:
    """An id for what happens once at a moment, different in every period and every run."""
    moment_ms = ready.named_ms + round(at_s * 1000.0)
    return uuid5(NAMESPACE_URL, f"{ready.scenario.name}/{what}/{key}/{moment_ms}")


def _marker_spot(ready: Script, beat: MarkerPlaced, at_s: float) -> cot.Spot:
    place, period_s = beat.place, ready.scenario.period_s
    if place is not None:
        return cot.Spot(place.lat_deg, place.lon_deg, place.ground_m + ready.scenario.geoid_m)
    seen_s = floor(at_s / period_s) * period_s + (beat.seen_s or 0.0)
    fix = fix_at(ready.lines[beat.of or beat.by], seen_s)
    return cot.Spot(fix.lat_deg, fix.lon_deg, fix.hae_m)


def _corners(beat: BoxDrawn) -> list[tuple[float, float]]:
    north_m, east_m = beat.height_m / 2.0, beat.width_m / 2.0
    return [
        shifted(beat.place.lat_deg, beat.place.lon_deg, north * north_m, east * east_m)
        for north, east in ((1, -1), (1, 1), (-1, 1), (-1, -1))
    ]


def _room(ready: Script, beat: ChatLine) -> cot.Room:
    if beat.to is not None:
        return cot.direct(ready.clients[beat.to])
    if beat.team is None:
        return cot.EVERYONE
    members = [
        ready.clients[mover.callsign]
        for mover in ready.scenario.clients()
        if ready.clients[mover.callsign].team == beat.team and mover.callsign != beat.by
    ]
    return cot.team_room(beat.team, members)


def _filled(ready: Script, text: str, at_s: float) -> str:
    """Text with {serial}, the number of the period, counted from 1."""
    return text.replace("{serial}", str(floor(at_s / ready.scenario.period_s) + 1))


def _spot(fix: Fix) -> cot.Spot:
    return cot.Spot(fix.lat_deg, fix.lon_deg, fix.hae_m, fix.course_deg, fix.speed_mps)
