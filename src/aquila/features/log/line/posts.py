"""A post that reports: what it tells of itself is there, and what it sees is told from there."""

from aquila.features.log.line.draft import KnownName
from aquila.features.log.line.names import Names
from aquila.features.log.line.places import claim_from_post
from aquila.features.log.line.sheet import Sheet

SEEN_FROM = frozenset({"spot", "salute", "incident"})
"""Kinds that tell of something near the post, and not of the post."""


def read_from_post(sheet: Sheet, names: Names) -> None:
    """Claim a direction with a distance and no place beside it as from the post: OP 3: 3 trucks brg 065 2.5 km."""
    post = _speaker(sheet, names)
    if post is None or sheet.has("place"):
        return
    for index in range(len(sheet.tokens)):
        if sheet.free(index, index + 1) and claim_from_post(sheet, index, post):
            return


def infer_post(sheet: Sheet, names: Names) -> None:
    """Add the place of the only unit of the line when it is a post: RAS OP 5, OP 4 needs water, radio check OP 2."""
    post = _speaker(sheet, names)
    if post is None or sheet.has("place"):
        return
    kinds = {part.value["kind"] for part in sheet.parts if part.field == "kind" and part.value}
    seen = bool(kinds & SEEN_FROM)
    place = {
        "sort": "name", "name": post.name, "lat_deg": post.lat_deg, "lon_deg": post.lon_deg,
        "relation": "near" if seen else "at",
    }  # fmt: skip
    what = "what it sees is near it" if seen else "what it tells of itself is there"
    sheet.infer("place", place, f"{post.name} reports, and it is a place: {what}")


def _speaker(sheet: Sheet, names: Names) -> KnownName | None:
    """The only unit of the line, when it is a post; None = it is none, or there are more."""
    units = [part for part in sheet.parts if part.field == "unit" and part.value]
    known = names.spelled((units[0].value or {})["name"]) if len(units) == 1 else None
    return known if known is not None and known.sort == "place" else None
