"""The request: nine lines, casualties with their times, the state table, the clocks against 10-1-2.

Lines after ATAK's `_medevac_` detail (see codecs/cot) and the public 9-line form; 10-1-2 after the UN CASEVAC policy
DOS/2020.7: first aid in 10 minutes, advanced care in 1 hour, surgery in 2 hours. Windows are data: windows.json.
"""

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Literal

import msgspec

from aquila.core.exercise_clock import WALL, ExerciseClock
from aquila.core.paper_work import Count, Line, Place, Text, Time, WatchedPapers, state_of
from aquila.core.papers import Thing
from aquila.core.states import Move, States

REQUEST, ASSET, FACILITY = "medevac.request", "medevac.asset", "medevac.facility"
COT_TYPE = "b-r-f-h-c"
CASUALTIES_MAX = 200
OPEN = ("requested", "approved", "launched", "picked_up", "delivered")
STATES = States(
    "request",
    "none",
    (
        Move("request", ("none",), "requested", "a phone, or an operator"),
        Move("update", OPEN, None, "the phone that asked, or an operator"),
        Move("approve", ("requested",), "approved", "operator, with the asset"),
        Move("launch", ("approved",), "launched", "operator"),
        Move("pickup", ("approved", "launched"), "picked_up", "operator"),
        Move("deliver", ("picked_up",), "delivered", "operator, with the facility"),
        Move("mark", OPEN, None, "operator: a time of one casualty"),
        Move("close", ("delivered",), "closed", "operator"),
        Move("cancel", OPEN, "cancelled", "operator, with the reason"),
    ),
    ("closed", "cancelled"),
)
Mark = Literal["injury", "first_aid", "request", "approved", "launch", "pickup", "mtf1", "surgery"]
MARKS: tuple[Mark, ...] = ("injury", "first_aid", "request", "approved", "launch", "pickup", "mtf1", "surgery")
MARK_OF_STEP: Mapping[str, Mark] = {"approve": "approved", "launch": "launch", "pickup": "pickup", "deliver": "mtf1"}
"""Steps that are a time of every casualty."""
COUNTS = (("A", "urgent"), ("B", "urgent_surgical"), ("C", "priority"), ("D", "routine"), ("E", "convenience"))
"""Precedence letters and the counts of the form."""
LINE_NAMES = frozenset(
    {
        *(name for _, name in COUNTS),
        *("title", "casevac", "medline_remarks", "freq", "callsign", "equipment_none", "hoist", "extraction_equipment"),
        *("ventilator", "equipment_other", "equipment_detail", "litter", "ambulatory", "security", "hlz_marking"),
        *("hlz_other", "us_military", "us_civilian", "nonus_military", "nonus_civilian", "epw", "child"),
        *("terrain_none", "terrain_slope", "terrain_rough", "terrain_loose", "terrain_other", "terrain_slope_dir"),
        *("terrain_other_detail", "hlz_remarks", "marked_by", "obstacles", "winds_are_from", "friendlies", "enemy"),
        *("zone_protected_coord", "zone_prot_marker", "zone_prot_selection"),
    }
)


class Mist(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """ZMIST of one casualty: zap number, mechanism, injuries, signs, treatment."""

    z: Line = ""
    m: Line = ""
    i: Line = ""
    s: Line = ""
    t: Line = ""


class MedevacLines(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A request as somebody at a desk fills it in.

    Attributes:
        lines: names as ATAK has them ("urgent", "litter", "freq" ...), all text. injured_at_ms: None = not known.
    """

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    lines: Annotated[dict[Line, Line], msgspec.Meta(max_length=60)]
    mists: Annotated[tuple[Mist, ...], msgspec.Meta(max_length=CASUALTIES_MAX)] = ()
    place: Place | None = None
    injured_at_ms: Time | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.lines) - LINE_NAMES)
        if unknown:
            raise ValueError(f"lines {', '.join(unknown)[:200]} are not in the form: {', '.join(sorted(LINE_NAMES))}")
        if not 0 < casualty_count(self.lines) <= CASUALTIES_MAX:
            names = ", ".join(name for _, name in COUNTS)
            raise ValueError(f"line 3 counts nobody or more than {CASUALTIES_MAX}: say how many are {names}")


class Asset(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What can fetch casualties. status: "available", or why not."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    kind: Literal["rotary", "fixed", "ground", "water"] = "ground"
    callsign: Line = ""
    litter: Count = 0
    ambulatory: Count = 0
    status: Literal["available", "committed", "down"] = "available"
    place: Place | None = None
    remarks: Text = ""


class Facility(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where casualties are treated. role: 1 to 4, as NATO and the UN count them."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    role: Literal[1, 2, 3, 4] = 1
    beds: Count = 0
    beds_free: Count = 0
    surgeon: bool = False
    is_open: bool = True
    place: Place | None = None
    remarks: Text = ""

    def __post_init__(self) -> None:
        if self.beds_free > self.beds:
            raise ValueError(f"{self.beds_free} free beds of {self.beds}: count the beds again")


class Window(msgspec.Struct, frozen=True):
    """One window of 10-1-2. only: precedence letters that it is for; empty = all."""

    mark: Mark
    title: str
    within_ms: int
    only: tuple[str, ...] = ()


class Windows(msgspec.Struct, frozen=True):
    """The windows that came with the program."""

    clocks: tuple[Window, ...]
    approve_within_ms: dict[str, int]


@functools.cache
def windows() -> Windows:
    """The data that came with the program."""
    text = resources.files("aquila.features.medevac").joinpath("windows.json").read_bytes()
    return msgspec.json.decode(text, type=Windows)


REAL = re.compile(r"\bno[ -]?duff\b", re.I)
"""In an exercise: this is real."""


class ClockRow(msgspec.Struct, frozen=True, kw_only=True):
    """One clock of one casualty. done_at_ms: None = runs. is_from_request: when the time of injury is not known."""

    mark: str
    title: str
    from_ms: int
    due_ms: int
    done_at_ms: int | None
    is_late: bool
    is_from_request: bool


class CasualtyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One casualty: number in the request, precedence letter, ZMIST, times by mark, clocks."""

    number: int
    precedence: str
    mist: Mist
    times: dict[str, int]
    clocks: tuple[ClockRow, ...]


def count_of(text: str | None) -> int:
    """A count of the form; what is no number counts nobody."""
    return min(int(text), CASUALTIES_MAX) if text is not None and text.isascii() and text.isdigit() else 0


def casualty_count(lines: Mapping[str, str]) -> int:
    """How many line 3 counts."""
    return sum(count_of(lines.get(name)) for _, name in COUNTS)


def precedences_of(lines: Mapping[str, str]) -> tuple[str, ...]:
    """The letter of each casualty, the most urgent first."""
    letters = [letter for letter, name in COUNTS for _ in range(count_of(lines.get(name)))]
    return tuple(letters[:CASUALTIES_MAX])


def clock_of(thing: Thing, clock: ExerciseClock) -> ExerciseClock:
    """The clock of a request: the exercise's, unless it may be about somebody who is really hurt.

    A request that says NO DUFF, or was made while the exercise stood still (which it mostly does because somebody is
    hurt), runs on the wall: a pause must never stop the clock of a real casualty.
    """
    texts = (thing.get("title"), *thing.get("lines", {}).values())
    is_real = any(isinstance(each, str) and REAL.search(each) for each in texts)
    return WALL if is_real or clock.stands_at(thing.first.received_at_ms) else clock


def casualties_of(thing: Thing, now_ms: int, clock: ExerciseClock = WALL) -> tuple[CasualtyRow, ...]:
    """The casualties of a request with their clocks as they stand now. clock: that of the request's minutes."""
    letters, mists = precedences_of(thing.get("lines", {})), thing.get("mists", [])
    return tuple(
        _casualty(
            thing,
            number,
            letter,
            msgspec.convert(mists[number - 1], Mist) if number <= len(mists) else Mist(),
            now_ms,
            clock,
        )
        for number, letter in enumerate(letters, start=1)
    )


def _casualty(thing: Thing, number: int, letter: str, mist: Mist, now_ms: int, clock: ExerciseClock) -> CasualtyRow:
    times = {"request": thing.first.at_ms}
    for mark in MARKS:
        at_ms = thing.get(f"time.{number}.{mark}", thing.get(f"time.{mark}"))
        if at_ms is not None:
            times[mark] = at_ms
    from_ms = times.get("injury", times["request"])
    clocks = tuple(
        ClockRow(
            mark=window.mark,
            title=window.title,
            from_ms=from_ms,
            due_ms=clock.put_off_ms(from_ms + window.within_ms, from_ms),
            done_at_ms=times.get(window.mark),
            is_late=clock.between_ms(from_ms, times.get(window.mark, now_ms)) > window.within_ms,
            is_from_request="injury" not in times,
        )
        for window in windows().clocks
        if not window.only or letter in window.only
    )
    return CasualtyRow(number=number, precedence=letter, mist=mist, times=times, clocks=clocks)


def headline(title: str) -> str:
    """What the journal calls a request; phones often name it MEDEVAC already."""
    return title if title.upper().startswith("MEDEVAC") else f"MEDEVAC {title}"


def is_open(thing: Thing) -> bool:
    """Does somebody wait to be fetched?"""
    return thing.type == REQUEST and state_of(STATES, thing) in OPEN


def medevac_view() -> WatchedPapers:
    """A fresh view."""
    return WatchedPapers("medevac", 1, ("medevac.",), is_open)
