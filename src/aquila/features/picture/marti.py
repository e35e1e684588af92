"""History of entities and KML by the TAK server's contract."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from aquila.codecs.cot.event import UID_LENGTH_MAX
from aquila.codecs.cot.marti import as_text, enveloped, instant, span_of
from aquila.codecs.kml import KIND, TrackPoint, document, kmz, track
from aquila.core.box import EVERYWHERE, box_of
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.core.ids import entity_id
from aquila.features.picture.commands import DropEntity, Dropped, drop
from aquila.features.picture.history import (
    UIDS_MAX,
    AskArea,
    AskHistory,
    AskLatest,
    EventRow,
    events_in,
    history,
    latest_events,
)
from aquila.features.picture.kml import AskKml, KmlRow, PublishTrack, TrackPublished, kml, points_of, publish
from aquila.features.picture.repeater import (
    AskEmergencies,
    EmergencyRow,
    Locate,
    Located,
    emergencies,
    locate,
)

XML = "application/xml"
XML_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"
TIME_MAX_MS = 4_102_444_800_000
EXPORT_MS = 24 * 3_600_000
THRESHOLD_MIN_MAX = 100_000


def _span(call: Call) -> tuple[int | None, int | None]:
    """(from, until), cut to what the table of tracks can hold. Raises ValueError."""
    from_ms, until_ms = span_of(call)
    return (
        None if from_ms is None else min(max(from_ms, 0), TIME_MAX_MS),
        None if until_ms is None else min(max(until_ms, 0), TIME_MAX_MS),
    )


def _uid(text: str) -> str:
    """Raises ValueError for what can be no uid."""
    if not 0 < len(text) <= UID_LENGTH_MAX:
        raise ValueError(f"uid of {len(text)} characters: 1 to {UID_LENGTH_MAX}")
    return text


def _ask_latest(call: Call) -> AskLatest:
    return AskLatest(uids=(_uid(call.parts["uid"]),))


def _ask_history(call: Call) -> AskHistory:
    from_ms, until_ms = _span(call)
    return AskHistory(uid=_uid(call.parts["uid"]), from_ms=from_ms, until_ms=until_ms)


def _ask_many(call: Call) -> AskLatest:
    uids: list[str] = call.json(list[str])
    if len(uids) > UIDS_MAX:
        raise ValueError(f"{len(uids)} uids: at most {UIDS_MAX} at once")
    return AskLatest(uids=tuple(_uid(uid) for uid in dict.fromkeys(uids)))


def _ask_area(call: Call) -> AskArea:
    from_ms, until_ms = _span(call)
    sides = [call.one(name) for name in ("left", "bottom", "right", "top")]
    box = box_of(",".join(sides)) if any(sides) else EVERYWHERE
    return AskArea(box=box, from_ms=from_ms, until_ms=until_ms)


def _event(rows: Sequence[EventRow], call: Call) -> Reply:
    # An empty body says that there is none: node-tak and ATAK both look for `<event`.
    return as_text(XML_HEAD + rows[0].xml if rows else "", kind=XML)


def _events(rows: Sequence[EventRow], call: Call) -> Reply:
    def pieces() -> Iterator[bytes]:
        yield f"{XML_HEAD}<events>".encode()
        for row in rows:
            yield row.xml.encode()
        yield b"</events>"

    return Reply(body=pieces(), kind=XML)


# -- KML --------------------------------------------------------------------------------------------------------------


def _ask_export(call: Call) -> AskKml:
    from_ms, until_ms = _span(call)
    until_ms = call.now_ms if until_ms is None else until_ms
    _gap_ms(call)
    _is_kmz(call)
    return AskKml(
        from_ms=max(0, until_ms - EXPORT_MS) if from_ms is None else from_ms,
        until_ms=until_ms,
        uids=tuple(_uid(uid) for uid in dict.fromkeys(call.many("uid")) if uid)[:UIDS_MAX],
        groups=tuple(dict.fromkeys((*call.many("groups"), *call.many("groups[]")))),
    )


def _gap_ms(call: Call) -> int | None:
    """Where a track is cut: minutes without a position. Raises ValueError."""
    text = call.one("multiTrackThreshold").strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 6 or int(text) > THRESHOLD_MIN_MAX:
        raise ValueError(f"multiTrackThreshold {text[:40]!r}: minutes, 0 to {THRESHOLD_MIN_MAX}")
    return int(text) * 60_000


def _is_kmz(call: Call) -> bool:
    """Raises ValueError for a format that is neither."""
    word = call.one("format", "kml").lower() or "kml"
    if word not in ("kml", "kmz"):
        raise ValueError(f"format {word[:40]!r}: kml or kmz")
    return word == "kmz"


def _file(rows: Sequence[KmlRow], call: Call) -> Reply:
    pieces = document("Aquila", _placemarks(rows, _gap_ms(call)))
    if _is_kmz(call):
        return Reply(body=kmz(pieces), kind="application/vnd.google-earth.kmz", filename="aquila.kmz")
    return Reply(body=pieces, kind=KIND, filename="aquila.kml")


def _placemarks(rows: Sequence[KmlRow], gap_ms: int | None) -> Iterator[str]:
    tracks: dict[str, list[KmlRow]] = {}
    for row in rows:
        if row.point is not None:
            tracks.setdefault(row.entity, []).append(row)
    for found in tracks.values():
        points: list[TrackPoint] = [row.point for row in found if row.point is not None]
        points.sort(key=lambda point: point.at_ms)
        yield track(found[0].name, points, gap_ms, found[0].style)
    for row in rows:
        if row.placemark is not None:
            yield row.placemark


def _ask_publish(call: Call) -> PublishTrack:
    uid, callsign = call.one("uid"), call.one("callsign")
    if not (uid and callsign):
        raise ValueError("a track needs the parameters uid and callsign")
    fields = {
        "uid": uid,
        "callsign": callsign,
        "digest": hashlib.sha256(call.body).hexdigest(),
        "points": points_of(call.body),
    }
    return msgspec.convert(fields, PublishTrack)


def _published(_: TrackPublished, call: Call) -> Reply:
    return as_text("")


def _ask_latest_kml(call: Call) -> AskKml:
    _is_kmz(call)
    return AskKml()


# -- emergencies and places -------------------------------------------------------------------------------------------


def _repeated(rows: Sequence[EmergencyRow], call: Call) -> Reply:
    data = [
        {
            "uid": row.uid,
            "repeatType": row.kind,
            "cotType": row.type,
            "dateTimeActivated": instant(row.since_ms),
            "xml": row.xml,
            "callsign": row.callsign,
        }
        for row in rows
    ]
    return enveloped("Repeatable", data, call)


def _period(_: Any, call: Call) -> Reply:
    # Nothing is repeated by the clock: whoever connects is sent what is on.
    return enveloped("java.lang.Integer", 0, call)


def _ask_remove(call: Call) -> DropEntity:
    # The contract removes by GET, so a page elsewhere could make a browser that is logged in do it.
    if call.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ValueError("a page of another site asks for this: it is done from this server's own pages only")
    return DropEntity(id=entity_id("cot", _uid(call.parts["uid"])))


def _removed(_: Dropped, call: Call) -> Reply:
    return enveloped("java.lang.Boolean", True, call)


def _ask_locate(call: Call) -> Locate:
    fields = {name: call.one(name) for name in ("name", "latitude", "longitude", "remarks")}
    return msgspec.convert(fields, Locate, strict=False)


def _located(_: Located, call: Call) -> Reply:
    return Reply()


_HISTORY = "tak.md 6.2, 6.3"
_OTHER = "tak.md 6.2 other"

endpoints = (
    Endpoint(
        method="GET",
        path="/Marti/api/cot/xml/{uid}",
        work=latest_events,
        ask=_ask_latest,
        render=_event,
        source=_HISTORY,
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/cot/xml/{uid}/all",
        work=history,
        ask=_ask_history,
        render=_events,
        source=_HISTORY,
    ),
    Endpoint(
        method="POST",
        path="/Marti/api/cot",
        work=latest_events,
        ask=_ask_many,
        render=_events,
        source="official server",
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/cot/sa",
        work=events_in,
        ask=_ask_area,
        render=_events,
        source="official server",
    ),
    Endpoint(method="GET", path="/Marti/ExportMissionKML", work=kml, ask=_ask_export, render=_file, source=_OTHER),
    Endpoint(
        method="POST", path="/Marti/ExportMissionKML", work=kml, ask=_ask_export, render=_file, source="tak.md 6.3"
    ),
    Endpoint(
        method="GET", path="/Marti/LatestKML", work=kml, ask=_ask_latest_kml, render=_file, source="official server"
    ),
    Endpoint(method="POST", path="/Marti/TracksKML", work=publish, ask=_ask_publish, render=_published, source=_OTHER),
    Endpoint(
        method="GET",
        path="/Marti/api/repeater/list",
        work=emergencies,
        ask=lambda call: AskEmergencies(),
        render=_repeated,
        source="tak.md 6.3",
    ),
    Endpoint(method="GET", path="/Marti/api/repeater/period", render=_period, source="tak.md 6.3"),
    Endpoint(
        method="GET",
        path="/Marti/api/repeater/remove/{uid}",
        work=drop,
        ask=_ask_remove,
        render=_removed,
        role="operator",
        source="tak.md 6.3",
    ),
    Endpoint(method="POST", path="/locate/api", work=locate, ask=_ask_locate, render=_located, source="tak.md 6.3"),
)
