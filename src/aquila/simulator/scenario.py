"""What a scenario file says: who takes part, where they go and what happens, as frozen records."""

import re
from collections import Counter
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from aquila.simulator.staff import Staff, read_staff

Kind = Literal["foot", "vehicle", "helicopter", "static"]
Colour = Literal["red", "orange", "yellow", "green", "cyan", "blue", "white"]

ALL_CHAT_ROOMS = "All Chat Rooms"
"""The room of TAK clients that reaches everyone."""

Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Seconds = Annotated[float, Meta(ge=0.0)]


INJECTS: Final = "/exercise/injects"
"""Where the staff plans an inject."""


class ScenarioError(ValueError):
    """A scenario file that cannot be played; the text says what to change."""


class Place(Struct, frozen=True, array_like=True):
    """A point on the ground: `[lat_deg, lon_deg, ground_m]`, ground above mean sea level."""

    lat_deg: Latitude
    lon_deg: Longitude
    ground_m: float


class Contingent(Struct, frozen=True, forbid_unknown_fields=True):
    """The troops of one nation."""

    name: str
    nation: str
    """ISO 3166 alpha-3 code."""
    team: str
    """TAK team colour, which is also the name of the team's chat room."""


class Leg(Struct, frozen=True, forbid_unknown_fields=True):
    """A route walked, driven or flown once, and the halt at its end."""

    route: str
    reverse: bool = False
    halt_s: Seconds = 0.0
    until_s: Seconds | None = None
    """Halt until this second of the mover's cycle, in place of `halt_s`."""


class Mover(Struct, frozen=True, forbid_unknown_fields=True):
    """Someone or something that has a position: a patrol, a vehicle, a helicopter, a post."""

    callsign: str
    uid: str
    contingent: str
    cot_type: str
    kind: Kind
    role: str = "Team Member"
    """TAK role."""
    device: Literal["phone", "tablet", "desk"] = "phone"
    via: str | None = None
    """Callsign of the client that reports this mover; None = it reports itself."""
    sidc: str | None = None
    """APP-6D code of 20 digits where the CoT type says too little (echelon, headquarters)."""
    remarks: str = ""
    report_s: Annotated[float, Meta(ge=1.0)] = 5.0
    place: Place | None = None
    """Where a static mover stands."""
    legs: tuple[Leg, ...] = ()
    cycle_s: Seconds | None = None
    """Length of a cycle; None = what the legs take."""
    starts_s: Seconds = 0.0
    """Second of the cycle at which the first leg begins."""
    phase_s: Seconds = 0.0
    """How far into its cycle the mover is when the exercise clock says 0."""
    off_track: bool = False
    """Walks off the path, slower."""
    silent: tuple[tuple[float, float], ...] = ()
    """Spans of the scenario's period in which nothing is heard from it."""


class Beat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Something that happens once in every period."""

    at_s: Seconds
    by: str
    """Callsign of the client that sends it."""
    inject: str = ""
    """Sent when exercise control fires the inject that plays this word, and not at a time; empty = at its time."""


class ChatLine(Beat, frozen=True, kw_only=True, tag="chat"):
    """A chat line to everyone, to the room of a team, or to one callsign."""

    text: str
    team: str | None = None
    to: str | None = None


class MarkerPlaced(Beat, frozen=True, kw_only=True, tag="marker"):
    """A point marker; a note when it has remarks."""

    key: str
    name: str
    cot_type: str = "b-m-p-s-m"
    place: Place | None = None
    """None = where the mover `of` was at second `seen_s` of the period."""
    of: str | None = None
    seen_s: float | None = None
    colour: Colour = "yellow"
    remarks: str = ""


class LineDrawn(Beat, frozen=True, kw_only=True, tag="line"):
    """A line or an area on the map."""

    key: str
    name: str
    points: Annotated[tuple[tuple[Latitude, Longitude], ...], Meta(min_length=2)]
    closed: bool = False
    colour: Colour = "cyan"
    remarks: str = ""


class BoxDrawn(Beat, frozen=True, kw_only=True, tag="box"):
    """A rectangle round a place, such as a landing zone."""

    key: str
    name: str
    place: Place
    width_m: float
    height_m: float
    colour: Colour = "green"
    remarks: str = ""


class RouteDrawn(Beat, frozen=True, kw_only=True, tag="route"):
    """A planned route with its checkpoints."""

    key: str
    name: str
    route: str
    every: Annotated[int, Meta(ge=1)] = 5
    """One checkpoint for so many points of the route."""
    method: Literal["Driving", "Walking", "Flying"] = "Walking"
    colour: Colour = "white"


class AlertRaised(Beat, frozen=True, kw_only=True, tag="alert"):
    """The sender's emergency beacon is switched on."""


class AlertOver(Beat, frozen=True, kw_only=True, tag="alert_over"):
    """The sender's emergency beacon is switched off."""


class MedevacAsked(Beat, frozen=True, kw_only=True, tag="medevac"):
    """A request for medical evacuation, all nine lines (an update repeats them all)."""

    key: str
    title: str
    frequency: str
    urgent: int = 0
    priority: int = 0
    routine: int = 0
    litter: int = 0
    ambulatory: int = 0
    hoist: bool = False
    security: Annotated[int, Meta(ge=0, le=3)] = 0
    """Index in the list of TAK clients: 0 none, 1 possible, 2 caution, 3 escort."""
    marking: Annotated[int, Meta(ge=0, le=4)] = 3
    """Index in the list of TAK clients: 0 panel, 1 pyrotechnic, 2 smoke, 3 none, 4 other."""
    coalition_patients: int = 0
    rough_terrain: bool = False
    landing_zone: str = ""
    obstacles: str = ""
    wind_from: str = ""
    mechanism: str = ""
    injuries: str = ""
    signs: str = ""
    treatment: str = ""
    remarks: str = ""


class Removal(Beat, frozen=True, kw_only=True, tag="delete"):
    """A marker, drawing or request is taken off every map."""

    key: str


class Answer(Struct, frozen=True, array_like=True):
    """`[after_s, text]`: said so long after a line was heard; `{1}` is what the first group of `hears` found."""

    after_s: Seconds
    text: str


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """How a client answers a chat line that comes to it, from its own device; the first that fits counts, once a line.

    Attributes:
        hears: a regular expression that is searched in the text. to: callsign of who is answered. read_s: when the
            line is opened.
    """

    by: str
    hears: str
    to: str
    read_s: Seconds = 5.0
    says: tuple[Answer, ...] = ()


Overlay = MarkerPlaced | LineDrawn | BoxDrawn | RouteDrawn | MedevacAsked
AnyBeat = Overlay | ChatLine | AlertRaised | AlertOver | Removal


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """An exercise that repeats itself every `period_s` without a seam."""

    name: str
    seed: int
    period_s: Annotated[float, Meta(gt=0.0)]
    start_s: Seconds
    """What the exercise clock says when the player starts."""
    centre: tuple[Latitude, Longitude]
    geoid_m: float
    """Height of the geoid above the ellipsoid in the area, one value for all."""
    contingents: tuple[Contingent, ...] = msgspec.field(name="contingent")
    movers: tuple[Mover, ...] = msgspec.field(name="mover")
    beats: tuple[AnyBeat, ...] = msgspec.field(name="beat")
    replies: tuple[Reply, ...] = msgspec.field(name="reply", default=())
    routes: dict[str, tuple[Place, ...]] = {}
    """Filled from the file of routes beside the scenario."""
    staff: Staff = Staff()
    """Filled from `staff.toml` beside the scenario, where there is one."""

    def mover(self, callsign: str) -> Mover:
        """The mover with this callsign; KeyError when there is none."""
        return next((m for m in self.movers if m.callsign == callsign), None) or _missing(callsign)

    def contingent_of(self, mover: Mover) -> Contingent:
        """The contingent that a mover belongs to."""
        return next(c for c in self.contingents if c.name == mover.contingent)

    def clients(self) -> tuple[Mover, ...]:
        """The movers that have a connection of their own."""
        return tuple(mover for mover in self.movers if mover.via is None)


def names() -> tuple[str, ...]:
    """Names of the scenarios that are shipped, in alphabetical order."""
    return tuple(sorted(folder.name for folder in _shelf().iterdir() if folder.is_dir()))


def shipped(name: str) -> Scenario:
    """A scenario that comes with Aquila.

    Raises:
        ScenarioError: no scenario has this name, or its files are wrong.
    """
    if name not in names():
        raise ScenarioError(f"no scenario is called {name!r}; there is: {', '.join(names())}")
    folder = _shelf() / name
    staff = folder / "staff.toml"
    return read(
        (folder / "scenario.toml").read_bytes(),
        (folder / "routes.json").read_bytes(),
        staff.read_bytes() if staff.is_file() else b"",
    )


def read(scenario_toml: bytes, routes_json: bytes, staff_toml: bytes = b"") -> Scenario:
    """A scenario from the bytes of its files, checked for what refers to what.

    Raises:
        ScenarioError: wrong syntax, an unknown key, or a name that refers to nothing.
    """
    try:
        bare = msgspec.toml.decode(scenario_toml, type=Scenario)
        routes = msgspec.json.decode(routes_json, type=dict[str, tuple[Place, ...]])
    except msgspec.DecodeError as why:
        raise ScenarioError(f"the scenario cannot be read: {why}") from why
    try:
        staff = read_staff(staff_toml)
    except ValueError as why:
        raise ScenarioError(str(why)) from why
    whole = msgspec.structs.replace(bare, routes=routes, staff=staff)
    _check(whole)
    return whole


def _shelf() -> Traversable:
    return resources.files("aquila.simulator") / "scenarios"


def _missing(callsign: str) -> Mover:
    raise KeyError(callsign)


def _check(scenario: Scenario) -> None:
    """Refuse what would only fail in the middle of a demonstration."""
    callsigns = [mover.callsign for mover in scenario.movers]
    _refuse_twice("callsign", callsigns)
    _refuse_twice("uid", [mover.uid for mover in scenario.movers])
    clients = {mover.callsign for mover in scenario.clients()}
    for mover in scenario.movers:
        _check_mover(scenario, mover, clients)
    keys = {beat.key for beat in scenario.beats if isinstance(beat, Overlay)}
    for reply in scenario.replies:
        _check_reply(reply, clients)
    late = next((act for act in scenario.staff.acts if act.at_s >= scenario.period_s), None)
    if late is not None:
        raise ScenarioError(f"act at {late.at_s:g} s: at_s must be below period_s = {scenario.period_s:g}")
    planned = {str(act.body.get("inject", {}).get("plays", "")) for act in scenario.staff.acts if act.path == INJECTS}
    for beat in scenario.beats:
        where = f"beat at {beat.at_s:g} s"
        _refuse_unknown(f"{where}: by", beat.by, clients)
        if beat.inject:
            _refuse_unknown(f"{where}: inject", beat.inject, planned)
        if beat.at_s >= scenario.period_s:
            raise ScenarioError(f"{where}: at_s must be below period_s = {scenario.period_s:g}")
        if isinstance(beat, Removal):
            _refuse_unknown(f"{where}: key", beat.key, keys)
        if isinstance(beat, RouteDrawn):
            _refuse_unknown(f"{where}: route", beat.route, scenario.routes)
        if isinstance(beat, ChatLine) and beat.to is not None:
            _refuse_unknown(f"{where}: to", beat.to, clients)
        if isinstance(beat, MarkerPlaced) and beat.place is None:
            if beat.of is None or beat.seen_s is None:
                raise ScenarioError(f"{where}: a marker needs place, or both of and seen_s")
            _refuse_unknown(f"{where}: of", beat.of, callsigns)


def _check_reply(reply: Reply, clients: Iterable[str]) -> None:
    where = f"reply of {reply.by} to {reply.hears!r}"
    _refuse_unknown(f"{where}: by", reply.by, clients)
    _refuse_unknown(f"{where}: to", reply.to, clients)
    try:
        groups = re.compile(reply.hears).groups
    except re.error as why:
        raise ScenarioError(f"{where}: hears is no regular expression: {why}") from why
    for answer in reply.says:
        beyond = [each for each in re.findall(r"\{(\d)\}", answer.text) if int(each) > groups]
        if beyond:
            raise ScenarioError(f"{where}: {{{beyond[0]}}} in {answer.text!r}, but hears has {groups} groups")


def _check_mover(scenario: Scenario, mover: Mover, clients: Iterable[str]) -> None:
    _refuse_unknown(f"{mover.callsign}: contingent", mover.contingent, [c.name for c in scenario.contingents])
    if mover.via is not None:
        _refuse_unknown(f"{mover.callsign}: via", mover.via, clients)
    if (mover.place is None) == (not mover.legs):
        raise ScenarioError(f"{mover.callsign}: give either place (it stands) or legs (it moves)")
    for leg in mover.legs:
        _refuse_unknown(f"{mover.callsign}: route", leg.route, scenario.routes)


def _refuse_unknown(what: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise ScenarioError(f"{what} {name!r} is not known; allowed: {', '.join(sorted(known))}")


def _refuse_twice(what: str, values: list[str]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ScenarioError(f"{what} used twice: {', '.join(twice)}; each must be unique")
