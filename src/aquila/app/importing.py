"""Importing: points of a GeoJSON file, or CoT events, written into the journal as said by whoever imports them."""

from typing import Any

import msgspec

from aquila.app.engine import Engine
from aquila.codecs.cot import cot_xml
from aquila.core.codec import Decoded
from aquila.core.errors import CodecError, Refused, UsageError
from aquila.core.ids import entity_id, statement_id
from aquila.core.model import Alias, Body, Position, Principal, Report
from aquila.core.symbol import sidc_of_cot

REASONS_MAX = 20
MARKER_TYPE = "a-n-G"


class Imported(msgspec.Struct, frozen=True):
    """How many were written and refused, and the first reasons."""

    written: int
    refused: int
    reasons: tuple[str, ...]


async def import_file(engine: Engine, principal: Principal, name: str, data: bytes) -> Imported:
    """Write what a file holds. A second import of the same file writes nothing twice.

    Raises UsageError when it is neither GeoJSON nor CoT.
    """
    now_ms = engine.clockwork.clock_ms()
    found = _cot(data) if data.lstrip()[:1] == b"<" else _geojson(name, data, principal, now_ms)
    written, reasons = 0, []
    for number, body in enumerate(found, 1):
        if isinstance(body, CodecError):
            reasons.append(f"{number}: {body}")
            continue
        id = statement_id("import", name, number, msgspec.json.encode(body, order="deterministic"))
        answer = await engine.write(body, principal, "import", id=id)
        if isinstance(answer, Refused):
            reasons.append(f"{number}: {answer.detail or answer.reason}")
        else:
            written += 1
    return Imported(written, len(reasons), tuple(reasons[:REASONS_MAX]))


def _cot(data: bytes) -> list[Body | CodecError]:
    assert cot_xml.decoder is not None
    found = cot_xml.decoder().feed(data)
    return [each.body if isinstance(each, Decoded) else each for each in found]


def _geojson(name: str, data: bytes, principal: Principal, now_ms: int) -> list[Body | CodecError]:
    try:
        root = msgspec.json.decode(data)
    except msgspec.DecodeError as wrong:
        raise UsageError(f"{name} is neither CoT (XML) nor GeoJSON: {wrong}") from wrong
    rows = root.get("features") if isinstance(root, dict) else None
    if not isinstance(rows, list):
        raise UsageError(f"{name} is no GeoJSON FeatureCollection: `features` is missing")
    return [_point(name, number, row, now_ms) for number, row in enumerate(rows, 1)]


def _point(name: str, number: int, row: Any, now_ms: int) -> Body | CodecError:
    try:
        if row["geometry"]["type"] != "Point":
            return CodecError("unsupported", f"{row['geometry']['type']}: only points are imported")
        lon, lat, *rest = row["geometry"]["coordinates"]
        properties = row.get("properties") or {}
        uid = str(row.get("id") or f"import-{name}-{number}")
        cot_type = str(properties.get("type") or MARKER_TYPE)
        return Report(
            entity=entity_id("cot", uid),
            alias=Alias("cot", uid),
            type=cot_type,
            sidc=sidc_of_cot(cot_type, "REAL")[0],
            category="marker",
            observed_at_ms=now_ms,
            name=None if properties.get("name") is None else str(properties["name"])[:120],
            how="h-e",
            position=Position(float(lat), float(lon), float(rest[0]) if rest else None),
            remarks=None if properties.get("remarks") is None else str(properties["remarks"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return CodecError("syntax", f"{type(wrong).__name__}: {wrong}")
