"""The nouns: what is said (bodies), under which marking (Label), by whom (Principal), on which line (Entry).

Units everywhere in core: metres, m/s, degrees true, WGS 84, height above the ellipsoid, UTC milliseconds since 1970.
`None` means unknown; NaN and infinity are refused. `ce_m` and `le_m` are radii that hold 68 %.
"""

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, ClassVar, Literal

import msgspec

Context = str
"""REAL, EXERCISE:name or SIMULATION:name. Nothing crosses from one context to another."""

REAL: Context = "REAL"
CONTEXT_PATTERN = r"^(REAL|(EXERCISE|SIMULATION):[A-Z0-9][A-Z0-9 _-]{0,39})$"

TIME_MIN_MS = 0
TIME_MAX_MS = 4_102_444_800_000
"""1970-01-01 to 2100-01-01: a claimed time outside is refused; nothing else about time ever is."""


class Alias(msgspec.Struct, frozen=True, order=True):
    """A foreign identity of an entity: scheme (cot, mmsi, icao24, aquila ...) and its value there."""

    scheme: str
    value: str


class Position(msgspec.Struct, frozen=True):
    """A place on WGS 84. Raises ValueError when a number is not finite or out of range."""

    lat_deg: float
    lon_deg: float
    hae_m: float | None = None
    ce_m: float | None = None
    le_m: float | None = None

    def __post_init__(self) -> None:
        # One chained comparison refuses NaN as well: every comparison with NaN is false.
        if not (-90.0 <= self.lat_deg <= 90.0 and -180.0 <= self.lon_deg <= 180.0):
            raise ValueError(f"position {self.lat_deg}, {self.lon_deg}: lat -90..90 and lon -180..180 degrees")
        for value in (self.hae_m, self.ce_m, self.le_m):
            if value is not None and not -1e7 < value < 1e9:
                raise ValueError(f"height or error of {value} m: a finite number above -10,000 km is needed")


class Motion(msgspec.Struct, frozen=True):
    """Movement over ground. Raises ValueError when a number is not finite or out of range."""

    course_deg: float | None = None
    speed_mps: float | None = None
    climb_mps: float | None = None

    def __post_init__(self) -> None:
        if self.course_deg is not None and not 0.0 <= self.course_deg <= 360.0:
            raise ValueError(f"course {self.course_deg}: 0..360 degrees true")
        if self.speed_mps is not None and not 0.0 <= self.speed_mps < 1e5:
            raise ValueError(f"speed {self.speed_mps}: 0..100,000 m/s")
        if self.climb_mps is not None and not math.isfinite(self.climb_mps):
            raise ValueError(f"climb {self.climb_mps}: a finite number of m/s")


class Geometry(msgspec.Struct, frozen=True):
    """A drawn shape. Points are (lat_deg, lon_deg); a circle is its first point and `radius_m`."""

    shape: Literal["line", "polygon", "circle", "route"]
    points: tuple[tuple[float, float], ...]
    radius_m: float | None = None
    stroke: str | None = None
    fill: str | None = None


class Emergency(msgspec.Struct, frozen=True):
    """A beacon: what kind it says it is, and whether it is on or cancelled."""

    type: str
    active: bool


class Address(msgspec.Struct, frozen=True):
    """Where a statement is to go: one addressee. TAK addresses people by callsign only."""

    scheme: Literal["callsign", "uid", "group", "mission"]
    value: str


Category = Literal["unit", "platform", "marker", "drawing", "alert", "place", "track"]


class Report(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="report",
):
    """Someone says something about an entity or an occurrence, with place, error and validity.

    `type` keeps the CoT type as it came (also its lower-case extension); `sidc` is the 20-digit APP-6/2525 code
    used inside. `own` is true when the sender speaks of itself. `fields` carries structured detail, for instance the
    nine lines of a MEDEVAC request. `ended` says that there is no more of it: whoever says so has it shown no longer.
    That is a state, which the next position replaces; a Removal is a statement that is kept.
    """

    VERSION: ClassVar[int] = 1

    entity: str
    alias: Alias
    type: str
    sidc: str
    category: Category
    observed_at_ms: int
    stale_at_ms: int | None = None
    name: str | None = None
    how: str | None = None
    own: bool = False
    position: Position | None = None
    motion: Motion | None = None
    geometry: Geometry | None = None
    team: str | None = None
    role: str | None = None
    battery_pct: int | None = None
    remarks: str | None = None
    emergency: Emergency | None = None
    fields: Mapping[str, str] = {}
    parent: Alias | None = None
    ended: bool = False
    to: tuple[Address, ...] = ()


class Note(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="note",
):
    """What people write: a chat line, a staff log line (room LOG_ROOM) or a remark.

    `reference` is the foreign id that receipts name (GeoChat's messageId). `to` empty = everyone in the room.
    """

    VERSION: ClassVar[int] = 1

    room: str
    text: str
    happened_at_ms: int
    author_name: str | None = None
    author_alias: Alias | None = None
    reference: str | None = None
    room_name: str | None = None
    position: Position | None = None
    to: tuple[Address, ...] = ()


PRESSURE_ALTITUDE = "pressure_altitude_ft"
"""Field of what flies: height by the pressure of the standard atmosphere, in feet; no height above anything."""
LOG_ROOM = "log"
ALL_ROOM = "All Chat Rooms"


class Removal(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="removal",
):
    """Someone says that an entity is no longer to be shown."""

    VERSION: ClassVar[int] = 1

    entity: str
    alias: Alias
    happened_at_ms: int
    to: tuple[Address, ...] = ()


class Receipt(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="receipt",
):
    """A note was delivered to, or read by, somebody."""

    VERSION: ClassVar[int] = 1

    reference: str
    state: Literal["delivered", "read", "pending"]
    happened_at_ms: int
    by: Alias | None = None
    to: tuple[Address, ...] = ()


class Foreign(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="foreign",
):
    """A statement of a peer that Aquila relays without understanding it (for instance a file transfer request)."""

    VERSION: ClassVar[int] = 1

    alias: Alias
    type: str
    happened_at_ms: int
    to: tuple[Address, ...] = ()


class Act(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="act",
):
    """What a person or the node did: grant, revoke, relabel, policy, setting, link up or down, export, erasure."""

    VERSION: ClassVar[int] = 1

    action: str
    target: str
    happened_at_ms: int
    detail: Mapping[str, str] = {}


class Paper(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="paper",
):
    """What staff fill in: one step in the life of a unit, order, task, form report, question, request ...

    Attributes:
        type: feature and noun: "orders.task", "orbat.unit".
        target: id of what it is about; the first paper about it makes it.
        action: the verb; the feature's state table says which there are.
        fields: what this step says anew, plain JSON values. A field that is not named stays as it was; None empties it.
        seen: ids of the newest entries about the target that the writer had before its eyes. Two steps that did not see
            each other are concurrent: where they differ about a field, that is a conflict to be shown.
        summary: one line for people; empty = made of action and type.
        position: where it is to be found on the map; None = nowhere.
        to: who is addressed.
    """

    VERSION: ClassVar[int] = 1

    type: str
    target: str
    action: str
    happened_at_ms: int
    fields: Mapping[str, Any] = {}
    seen: tuple[str, ...] = ()
    summary: str = ""
    position: Position | None = None
    to: tuple[Address, ...] = ()


Body = Report | Note | Removal | Receipt | Foreign | Act | Paper
KINDS: dict[str, type[Report | Note | Removal | Receipt | Foreign | Act | Paper]] = {
    "report": Report,
    "note": Note,
    "removal": Removal,
    "receipt": Receipt,
    "foreign": Foreign,
    "act": Act,
    "paper": Paper,
}


def kind_of(body: Body) -> str:
    """The word that names this body in an envelope."""
    tag = type(body).__struct_config__.tag
    assert isinstance(tag, str)
    return tag


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """A marking in the shape of STANAG 4774: policy, classification and categories, plus TAK groups.

    Attributes:
        releasable_to: PERMISSIVE category: a reader needs at least one of these nations or communities; none = nobody.
        caveats: RESTRICTIVE category: a reader needs all of these.
        groups: a reader needs at least one of these among the groups it may read (TAK: OUT).
        redacted_to: nations or communities that may have the redacted form when they may not have the full one.
        informative: INFORMATIVE category, shown and passed on, never judged.
    """

    policy: str
    classification: str
    releasable_to: tuple[str, ...]
    groups: tuple[str, ...]
    caveats: tuple[str, ...] = ()
    redacted_to: tuple[str, ...] = ()
    informative: tuple[str, ...] = ()


PrincipalKind = Literal["person", "device", "listener", "partner", "node"]


class Principal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks or says: person, device, listener (plain TCP), partner node, or the node itself.

    Attributes:
        id: stable, for instance `device:PATROL1`, `person:operator`, `listener:tcp`.
        clearance: highest classification it may read, in the node's policy.
        groups_in: groups it may write into (TAK: IN). groups_out: groups it may read (TAK: OUT).
        default_label: what its unmarked statements get; None = the policy's default.
    """

    id: str
    kind: PrincipalKind
    name: str
    context: Context
    nation: str | None = None
    clearance: str = "UNCLASSIFIED"
    caveats: tuple[str, ...] = ()
    groups_in: frozenset[str] = frozenset()
    groups_out: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    default_label: Label | None = None
    active: bool = True


class Audience(msgspec.Struct, frozen=True):
    """A class of readers with the same entitlements; never a person. Release is decided once per audience."""

    context: Context
    nation: str | None
    clearance: str
    caveats: tuple[str, ...]
    groups: frozenset[str]
    active: bool = True


def audience_of(principal: Principal) -> Audience:
    """The class of readers that this principal belongs to."""
    return Audience(
        principal.context,
        principal.nation,
        principal.clearance,
        principal.caveats,
        principal.groups_out,
        principal.active,
    )


class Verdict(IntEnum):
    """What a reader may have; ordered, so that the smaller of two is the stricter."""

    DENIED = 0
    REDACTED = 1
    FULL = 2


class Stamp(msgspec.Struct, frozen=True, order=True, array_like=True):
    """The total order of everything heard: hybrid logical clock, origin node, epoch, sequence (0 = a position)."""

    hlc: int
    node: str
    epoch: int
    seq: int


class Original(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of a statement as a peer wrote them, and their format (cot-xml, tak-v1)."""

    format: str
    data: bytes


class Envelope(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The outside of a journal line. The chain runs over these bytes only, so bodies can be withheld or erased.

    Attributes:
        node, epoch, seq: origin; seq counts from 1 without gaps per (node, epoch).
        hlc: 48 bits of milliseconds, 16 bits of counter.
        id: UUID; the same statement heard or derived twice has the same id and counts once.
        author: principal that says it. on_behalf_of: the person it acts for. via: link it came by.
        subjects: ids of persons that the body is about; then the body is sealed with their keys.
        cause: id of the entry that made a rule write this one.
        body_digest: SHA-256(salt + body bytes). prev: SHA-256 of the origin's previous envelope (zeros for the first).
    """

    node: str
    epoch: int
    seq: int
    hlc: int
    id: str
    happened_at_ms: int
    received_at_ms: int
    author: str
    on_behalf_of: str | None
    via: str
    label: Label
    context: Context
    kind: str
    body_version: int
    subjects: tuple[str, ...]
    cause: str | None
    body_digest: bytes
    prev: bytes

    @property
    def stamp(self) -> Stamp:
        """Its place in the total order."""
        return Stamp(self.hlc, self.node, self.epoch, self.seq)


class Entry(msgspec.Struct, kw_only=True):
    """One line of the journal: the envelope as bytes and as a record, and the body beside it.

    Attributes:
        body: decoded and brought to the present version; None = unknown kind, sealed without key, erased or withheld.
        body_bytes: exactly as written; None = erased or withheld (a stub).
        arrival: local gap-free arrival number, given by the store on append; 0 = not yet appended.
    """

    envelope: Envelope
    envelope_bytes: bytes
    salt: bytes
    body_bytes: bytes | None
    body: Body | None
    original: Original | None = None
    arrival: int = 0


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was admitted and waits to become an entry.

    `id` None = a new UUIDv7 is given; foreign statements and rules bring a derived one.
    """

    body: Body
    author: str
    via: str
    label: Label
    context: Context
    happened_at_ms: int
    received_at_ms: int
    id: str | None = None
    on_behalf_of: str | None = None
    subjects: tuple[str, ...] = ()
    cause: str | None = None
    original: Original | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A position or plot: heard, folded and relayed, never acknowledged; thinned into the track table."""

    report: Report
    stamp: Stamp
    author: str
    via: str
    label: Label
    context: Context
    received_at_ms: int
    original: Original | None = None


class Tick(msgspec.Struct, frozen=True):
    """Time passing, as an input like any other."""

    at_ms: int
    stamp: Stamp


Arrival = Entry | Sample | Tick
"""What a view folds."""
