"""KML: tracks and the newest state as a file for other programs; and a track that a phone publishes, as a drawing."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.codecs.kml import TrackPoint, placemark
from aquila.core.box import EVERYWHERE
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, check_text
from aquila.core.ids import entity_id, statement_id
from aquila.core.model import Alias, Context, Geometry, Label, Principal, Report, Verdict
from aquila.core.symbol import affiliation, sidc_of_cot
from aquila.features.picture.history import entities_of
from aquila.features.picture.overlay_files import kml_root
from aquila.features.picture.queries import TrackTable, picture_of
from aquila.features.picture.view import Sight

POINTS_MAX = 50_000
LINE_POINTS_MAX = 5_000
TRACK_TYPE = "u-d-f"
TRACK_VALID_MS = 24 * 3_600_000


class AskKml(msgspec.Struct, frozen=True, kw_only=True):
    """Tracks in a time, and the newest state.

    Attributes:
        from_ms, until_ms: of the tracks; both None = no tracks.
        uids: only of these; empty = of all. groups: only what is said in one of these; empty = in any.
    """

    from_ms: int | None = None
    until_ms: int | None = None
    uids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class KmlRow(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a track, or the newest state of an entity as a Placemark.

    Attributes:
        style: word of the affiliation.
    """

    entity: str
    name: str
    style: str
    point: TrackPoint | None = None
    placemark: str | None = None


class PublishTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track that somebody publishes.

    Attributes:
        digest: of what was sent: the same again is the same track.
        points: (lat_deg, lon_deg) in order of time.
    """

    uid: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    callsign: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    digest: str
    points: Annotated[tuple[tuple[float, float], ...], msgspec.Meta(min_length=2, max_length=LINE_POINTS_MAX)]

    def __post_init__(self) -> None:
        check_text("uid", self.uid)
        check_text("callsign", self.callsign)
        for lat_deg, lon_deg in self.points:
            if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
                raise ValueError(f"point {lat_deg}, {lon_deg}: lat -90..90 and lon -180..180 degrees")


class TrackPublished(msgspec.Struct, frozen=True, kw_only=True):
    """The drawing that shows it."""

    entity: str


def _kml(principal: Principal, ask: AskKml, reading: Reading) -> Iterator[Labelled]:
    picture = picture_of(reading)
    entities = [entity for uid in ask.uids for entity in entities_of(uid)] or picture.entities()
    sights = ((entity, picture.sight(entity, reading.release, reading.policy)) for entity in entities)
    seen = {entity: sight for entity, sight in sights if sight is not None and _is_in(sight.label, ask, principal)}
    if ask.from_ms is not None and ask.until_ms is not None:
        yield from _points(principal, ask, seen, reading)
    for entity, sight in seen.items():
        full = sight.verdict is Verdict.FULL
        label = sight.label if full else Label(sight.label.policy, sight.label.classification, (), ())
        row = KmlRow(entity=entity, name=_name(sight), style=_style(sight), placemark=placemark(sight.report, label))
        yield Labelled(row if full else None, sight.label, sight.context, None if full else row)


def _points(principal: Principal, ask: AskKml, seen: dict[str, Sight], reading: Reading) -> Iterator[Labelled]:
    table: TrackTable = reading.part("tracks")

    def may(label: Label, context: Context) -> bool:
        return reading.release(label, context).verdict is Verdict.FULL

    assert ask.from_ms is not None
    assert ask.until_ms is not None
    wanted: list[str | None] = [entity for uid in ask.uids for entity in entities_of(uid)] or [None]
    for entity in wanted:
        for fix in table.inside(EVERYWHERE, ask.from_ms, ask.until_ms, may, entity, POINTS_MAX):
            if not _is_in(fix.label, ask, principal):
                continue
            sight = seen.get(fix.entity)
            row = KmlRow(
                entity=fix.entity,
                name="unknown" if sight is None else _name(sight),
                style="unknown" if sight is None else _style(sight),
                point=TrackPoint(fix.at_ms, fix.lat_deg, fix.lon_deg),
            )
            yield Labelled(row, fix.label, fix.context)


def _is_in(label: Label, ask: AskKml, principal: Principal) -> bool:
    """A group that the asker does not read finds nothing, or it could be guessed."""
    return not ask.groups or bool(set(ask.groups) & principal.groups_out & set(label.groups))


def _name(sight: Sight) -> str:
    full = sight.verdict is Verdict.FULL
    return sight.report.name or (sight.report.alias.value if full else "unknown")


def _style(sight: Sight) -> str:
    try:
        return affiliation(sight.report.sidc)
    except ValueError:
        return "unknown"


def points_of(data: bytes) -> tuple[tuple[float, float], ...]:
    """(lat_deg, lon_deg) of every coordinate in a KML file, in order. Raises ValueError for what is no KML.

    `gx:coord` of tracks when there are any, else `coordinates`.
    """
    root = kml_root(data, "the body")
    coords = [(each.text or "").split() for each in root.iter("{*}coord")]
    if not coords:
        texts = ((each.text or "").split() for each in root.iter("{*}coordinates"))
        coords = [token.split(",") for text in texts for token in text]
    places: list[tuple[float, float]] = []
    for number, parts in enumerate(coords, start=1):
        try:
            places.append((float(parts[1]), float(parts[0])))
        except (ValueError, IndexError):
            raise ValueError(f"coordinate {number} of the KML is not longitude and latitude in degrees") from None
    return tuple(places)


async def publish_track(principal: Principal, ask: PublishTrack, desk: Desk) -> TrackPublished | Refused:
    """Show the track as a drawn line. Its points are old: as reports they would move their entity on the picture."""
    uid = f"{ask.uid}-track-{ask.digest[:16]}"
    now_ms = desk.now_ms()
    report = Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type=TRACK_TYPE,
        sidc=sidc_of_cot(TRACK_TYPE)[0],
        category="drawing",
        observed_at_ms=now_ms,
        stale_at_ms=now_ms + TRACK_VALID_MS,
        name=f"{ask.callsign} track",
        how="m-g",
        geometry=Geometry("line", ask.points),
    )
    written = await desk.write(report, id=statement_id("track", f"{principal.id}\0{uid}", 0, ask.digest.encode()))
    return written if isinstance(written, Refused) else TrackPublished(entity=report.entity)


kml = Query(
    name="kml",
    path="/kml",
    request=AskKml,
    row=KmlRow,
    role="viewer",
    answer=_kml,
    blocking=True,
    summary="Tracks and the newest state, for a KML file",
)
publish = Command(
    name="publish_track",
    method="POST",
    path="/published_tracks",
    request=PublishTrack,
    answer=TrackPublished,
    role="operator",
    act=publish_track,
    summary="Show a track as a drawn line",
)
