"""What can be asked of the picture: entities by place, text, kind and age; one entity; tracks in a box and a time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol, get_args

import msgspec

from aquila.core.box import Box, box_of
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import (
    Alias,
    Category,
    Context,
    Geometry,
    Label,
    Motion,
    Position,
    Principal,
    Report,
    Verdict,
)
from aquila.core.symbol import affiliation
from aquila.core.view import view_of
from aquila.features.picture.view import Cell, Picture, Sight

SOURCES_SHOWN = 3
ENTITIES_MAX = 50_000
TRACK_POINTS_MAX = 50_000
AFFILIATION_WORDS: Mapping[str, str] = {
    "friend": "friend",
    "assumed_friend": "friend",
    "hostile": "hostile",
    "suspect": "hostile",
    "joker": "hostile",
    "faker": "hostile",
    "neutral": "neutral",
}
CATEGORIES = get_args(Category)
KINDS = (*CATEGORIES, "friend", "hostile", "neutral", "unknown")


class SourceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one source said last of an entity."""

    source: str
    observed_at: str
    received_at: str
    label: Label
    position: Position | None = None
    motion: Motion | None = None
    how: str | None = None
    name: str | None = None


class EntityRow(msgspec.Struct, frozen=True, kw_only=True):
    """One entity as a reader may have it.

    Attributes:
        name: empty when it has none or the reader may have only the redacted form.
        sidc: 20 digits, APP-6(D). type: the CoT type as it came.
        observed_at, stale_at: ISO 8601, UTC; of the receiving clock when `skew_s` is given.
        skew_s: claimed minus received time, when it is too large to be believed.
        redacted: true when place and times are coarse and the rest was withheld.
        geometry: GeoJSON. emergency: kind of an active beacon.
        sources: what each source said last, newest first; only in the answer for one entity.
        fused_into: id of the fused track that stands for it on the map; None = it stands for itself.
    """

    id: str
    name: str
    sidc: str
    aliases: tuple[Alias, ...]
    position: Position | None
    motion: Motion | None
    observed_at: str
    stale_at: str | None
    source: str | None
    label: Label
    type: str
    category: Category
    affiliation: Literal["friend", "hostile", "neutral", "unknown"]
    redacted: bool = False
    team: str | None = None
    role: str | None = None
    emergency: str | None = None
    remarks: str | None = None
    battery_pct: int | None = None
    how: str | None = None
    fields: Mapping[str, str] = {}
    geometry: dict[str, Any] | None = None
    skew_s: float | None = None
    sources: tuple[SourceReport, ...] = ()
    fused_into: str | None = None


class TrackFix(msgspec.Struct, frozen=True, kw_only=True):
    """One kept position, as the track table gives it. ended: its last; there is no more of it since then.

    Attributes:
        source: who said it; None = kept by an Aquila that kept neither this nor the next.
        valid_ms: for how long he asked to be believed; None = he did not say.
    """

    entity: str
    at_ms: int
    lat_deg: float
    lon_deg: float
    hae_m: float | None
    course_deg: float | None
    speed_mps: float | None
    label: Label
    context: Context
    ended: bool = False
    source: str | None = None
    valid_ms: int | None = None


class TrackTable(Protocol):
    """The part `tracks` of a node."""

    def inside(
        self,
        box: Box,
        from_ms: int,
        until_ms: int,
        may: Callable[[Label, Context], bool],
        entity: str | None,
        limit: int,
    ) -> list[TrackFix]:
        """Points in the box and the time, only of the labels that `may` lets through.

        `entity` None = of all.
        """
        ...


class TrackRow(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a track: UTC ms, degrees, metres above the ellipsoid, degrees true, m/s."""

    entity: str
    at_ms: int
    lat_deg: float
    lon_deg: float
    hae_m: float | None = None
    course_deg: float | None = None
    speed_mps: float | None = None


# -- requests ---------------------------------------------------------------------------------------------------------


class AskEntities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entities.

    Attributes:
        bbox: west,south,east,north in degrees.
        q: text in name, alias, type, team, role or remarks; case does not count.
        kind: category (unit, platform ...), affiliation (friend ...) or the beginning of a CoT type (a-f-G).
        max_age_s: not older than this many seconds.
    """

    bbox: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    q: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    kind: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    max_age_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=ENTITIES_MAX)] = 10_000

    def __post_init__(self) -> None:
        if self.bbox is not None:
            box_of(self.bbox)
        if self.kind is not None and self.kind not in KINDS and "-" not in self.kind:
            raise ValueError(
                f"kind {self.kind!r}: one of {', '.join(KINDS)} or the beginning of a CoT type such as a-f-G"
            )


class AskEntity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entity."""

    id: Annotated[str, msgspec.Meta(max_length=200)]


class AskTracks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and when: a box, and times in UTC ms; without times the last hour."""

    bbox: Annotated[str, msgspec.Meta(max_length=200)] = "-180,-90,180,90"
    from_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)] | None = None
    until_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)] | None = None
    entity: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=TRACK_POINTS_MAX)] = 10_000

    def __post_init__(self) -> None:
        box_of(self.bbox)


# -- rows -------------------------------------------------------------------------------------------------------------


def iso(at_ms: int) -> str:
    """ISO 8601 with milliseconds and Z."""
    seconds, millis = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def affiliation_word(report: Report) -> Literal["friend", "hostile", "neutral", "unknown"]:
    """One of four words, as the map draws frames."""
    try:
        word = AFFILIATION_WORDS.get(affiliation(report.sidc), "unknown")
    except ValueError:
        word = "unknown"
    return word  # type: ignore[return-value]  # the values of the table


def geojson_of(geometry: Geometry) -> dict[str, Any]:
    """GeoJSON of a drawn shape; a circle is a point with `radius_m`."""
    line = [[lon_deg, lat_deg] for lat_deg, lon_deg in geometry.points]
    shape: dict[str, Any]
    if geometry.shape == "circle" and line:
        shape = {"type": "Point", "coordinates": line[0]}
    elif geometry.shape == "polygon":
        closed = line if line[:1] == line[-1:] else [*line, *line[:1]]
        shape = {"type": "Polygon", "coordinates": [closed]}
    else:
        shape = {"type": "LineString", "coordinates": line}
    extra = {
        "shape": geometry.shape,
        "radius_m": geometry.radius_m,
        "stroke": geometry.stroke,
        "fill": geometry.fill,
    }
    return shape | {key: value for key, value in extra.items() if value is not None}


def entity_row(sight: Sight, *, sources: bool = False, fused_into: str | None = None) -> EntityRow:
    """The row of what a reader may have."""
    report = sight.report
    full = sight.verdict is Verdict.FULL
    return EntityRow(
        id=report.entity,
        name=report.name or (report.alias.value if full else ""),
        sidc=report.sidc,
        aliases=(report.alias,),
        position=report.position,
        motion=report.motion,
        observed_at=iso(sight.observed_at_ms),
        stale_at=None if sight.stale_at_ms is None else iso(sight.stale_at_ms),
        source=sight.source,
        # A reader of the redacted form is not told who may have the full one.
        label=sight.label if full else Label(sight.label.policy, sight.label.classification, (), ()),
        type=report.type,
        category=report.category,
        affiliation=affiliation_word(report),
        redacted=not full,
        team=report.team,
        role=report.role,
        emergency=sight.emergency,
        remarks=report.remarks,
        battery_pct=report.battery_pct,
        how=report.how,
        fields=report.fields,
        geometry=None if report.geometry is None else geojson_of(report.geometry),
        skew_s=None if sight.skew_ms is None else sight.skew_ms / 1000,
        sources=tuple(map(_source, sight.cells[:SOURCES_SHOWN])) if sources else (),
        fused_into=fused_into,
    )


def _source(cell: Cell) -> SourceReport:
    report = cell.report
    return SourceReport(
        source=cell.author,
        observed_at=iso(report.observed_at_ms),
        received_at=iso(cell.received_at_ms),
        label=cell.label,
        position=report.position,
        motion=report.motion,
        how=report.how,
        name=report.name,
    )


def picture_of(reading: Reading) -> Picture:
    """The view of this node."""
    return view_of(reading.views, "picture", Picture)


def _labelled(sight: Sight, row: EntityRow) -> Labelled:
    full = sight.verdict is Verdict.FULL
    return Labelled(row if full else None, sight.label, sight.context, None if full else row)


def _entities(principal: Principal, ask: AskEntities, reading: Reading) -> Iterator[Labelled]:
    picture = picture_of(reading)
    now_ms, policy = reading.now_ms(), reading.policy
    box = box_of(ask.bbox) if ask.bbox is not None else None
    words = ask.q.casefold() if ask.q else None
    for entity in picture.entities():
        sight = picture.sight(entity, reading.release, policy)
        # Every test is made on what the asker may have, so that nobody finds by search what is withheld.
        if sight is None or not _wanted(sight, ask, box, words, now_ms):
            continue
        fused_into = picture.fused_into(entity, reading.release, policy, now_ms)
        yield _labelled(sight, entity_row(sight, fused_into=fused_into))


def _wanted(
    sight: Sight,
    ask: AskEntities,
    box: Box | None,
    words: str | None,
    now_ms: int,
) -> bool:
    report = sight.report
    if ask.max_age_s is not None and now_ms - sight.observed_at_ms > ask.max_age_s * 1000:
        return False
    if box is not None and (report.position is None or not box.holds(report.position.lat_deg, report.position.lon_deg)):
        return False
    if ask.kind is not None and not (
        ask.kind == report.category
        or ask.kind == affiliation_word(report)
        or ("-" in ask.kind and report.type.startswith(ask.kind))
    ):
        return False
    return words is None or any(
        words in text.casefold()
        for text in (
            report.name,
            report.alias.value,
            report.entity,
            report.type,
            report.team,
            report.role,
            report.remarks,
        )
        if text
    )


def _entity(principal: Principal, ask: AskEntity, reading: Reading) -> Iterator[Labelled]:
    picture, policy = picture_of(reading), reading.policy
    sight = picture.sight(ask.id, reading.release, policy)
    if sight is not None:
        fused_into = picture.fused_into(ask.id, reading.release, policy, reading.now_ms())
        yield _labelled(sight, entity_row(sight, sources=True, fused_into=fused_into))


def _tracks(principal: Principal, ask: AskTracks, reading: Reading) -> Iterator[Labelled]:
    now_ms = reading.now_ms()
    until_ms = now_ms if ask.until_ms is None else ask.until_ms
    from_ms = until_ms - 3_600_000 if ask.from_ms is None else ask.from_ms
    table: TrackTable = reading.part("tracks")
    fixes = table.inside(
        box_of(ask.bbox),
        from_ms,
        until_ms,
        lambda label, context: reading.release(label, context).verdict is Verdict.FULL,
        ask.entity,
        ask.limit,
    )
    for fix in fixes:
        row = TrackRow(
            entity=fix.entity,
            at_ms=fix.at_ms,
            lat_deg=fix.lat_deg,
            lon_deg=fix.lon_deg,
            hae_m=fix.hae_m,
            course_deg=fix.course_deg,
            speed_mps=fix.speed_mps,
        )
        yield Labelled(row, fix.label, fix.context)


QUERIES = (
    Query(
        name="entities",
        path="/entities",
        request=AskEntities,
        row=EntityRow,
        role="viewer",
        answer=_entities,
        blocking=True,
        summary="Entities of the picture, the last changed first",
    ),
    Query(
        name="entity",
        path="/entities/{id}",
        request=AskEntity,
        row=EntityRow,
        role="viewer",
        answer=_entity,
        one=True,
        summary="One entity with what its last sources said",
    ),
    Query(
        name="tracks",
        path="/tracks",
        request=AskTracks,
        row=TrackRow,
        role="viewer",
        answer=_tracks,
        blocking=True,
        summary="Where entities were, in a box and a time",
    ),
)
