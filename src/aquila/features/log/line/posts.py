"""A post that speaks of itself: all is quiet where it is, and what it asks for is needed there."""

from aquila.features.log.line.names import Names
from aquila.features.log.line.sheet import Sheet

OF_ITSELF = frozenset({"sitrep", "request", "logsitrep"})
"""Kinds that tell of the one who reports; what is seen, and a radio check, are elsewhere."""


def infer_post(sheet: Sheet, names: Names) -> None:
    """Add the place of the only unit of the line when it is a post that tells of itself: RAS OP 5, OP 4 needs water."""
    kinds = {part.value["kind"] for part in sheet.parts if part.field == "kind" and part.value}
    units = [part for part in sheet.parts if part.field == "unit" and part.value]
    if len(units) != 1 or sheet.has("place") or not kinds & OF_ITSELF:
        return
    speaker = units[0].value or {}
    known = names.spelled(speaker["name"])
    if known is None or known.sort != "place":
        return
    place = {"sort": "name", "name": known.name, "lat_deg": known.lat_deg, "lon_deg": known.lon_deg, "relation": "at"}
    note = f"{known.name} reports, and it is a place: what it tells of itself is there"
    sheet.infer("place", place, note)
