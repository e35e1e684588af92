"""What the tests of the typed line share: the context of the corpus, and the short form of a field's value."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from aquila.features.log.line import KnownName, LineContext, LineDraft, LinePart

NOW_MS = 1_795_600_800_000
"""Wednesday, 25 November 2026, 1000Z; local time is two hours ahead."""
DAY_MS = 86_400_000
UNITS = ("PTL3", "PTL4", "PTL5", "JOC", "ALPHA 21", "QRF", "MEDIC 1", "HELO 31", "CONVOY 12", "2 COY", "BRAVO 2")
PLACES = (
    "UNP 1-31", "UNP 1-26", "Naqoura", "Tibnin", "CP 4", "OP 5", "Rosh Bridge", "Blue Line", "КПП 4", "Alma",
    "Rifugio Torino",
)  # fmt: skip
CONTEXT = LineContext(
    now_ms=NOW_MS,
    offset_min=120,
    zone="36S",
    square="YB",
    names=(
        *(KnownName(name=name, sort="unit", lat_deg=33.1, lon_deg=35.2 + at / 100) for at, name in enumerate(UNITS)),
        *(KnownName(name=name, sort="place", lat_deg=33.12, lon_deg=35.3 + at / 100) for at, name in enumerate(PLACES)),
    ),
)
MORE_UNITS = (
    "PTL1", "PTL2", "PTL6", "PTL7", "PTL8", "PTL9", "ALPHA 12", "ALPHA 33", "BRAVO 1", "BRAVO 3", "BRAVO 4",
)  # fmt: skip
MORE_PLACES = ("CP 2", "CP 3", "CP 6", "CP 7", "OP 2", "OP 3", "OP 4", "OP 6", "Bridge KM 12")
WIDER = msgspec.structs.replace(
    CONTEXT,
    names=(
        *CONTEXT.names,
        *(
            KnownName(name=name, sort="unit", lat_deg=33.2, lon_deg=35.2 + at / 100)
            for at, name in enumerate(MORE_UNITS)
        ),
        *(
            KnownName(name=name, sort="place", lat_deg=33.05, lon_deg=35.2 + at / 100)
            for at, name in enumerate(MORE_PLACES)
        ),
    ),
)
"""The same with the units and posts that the author of held_out_4 thought of."""
FIELDS = (
    "unit", "kind", "size", "casualty", "activity", "place", "time", "direction", "speed", "altitude", "precedence",
    "to", "info", "reference",
)  # fmt: skip


def corpus(name: str = "corpus.jsonl") -> Iterator[dict[str, Any]]:
    """Lines with what a watch officer meant by them."""
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def read(draft: LineDraft) -> dict[str, list[str]]:
    """The fields of a draft in the short form of the corpus."""
    found: dict[str, list[str]] = {}
    for part in draft.parts:
        if part.field != "remainder":
            found.setdefault(part.field, []).append("!" if part.value is None else SHORT[part.field](part.value))
    return found


def unsure(draft: LineDraft) -> set[str]:
    """Fields with a part that is unsure or wrong; a kind that was not typed is always unsure, and does not count."""
    return {
        part.field
        for part in draft.parts
        if part.confidence == "unsure" and (part.end > part.start or part.field != "kind")
    }


def same(field: str, expected: list[str], got: list[str]) -> bool:
    """Is the field what was meant? Lists in any order; the activity may be one of those named."""
    if field == "activity":
        return bool(set(expected) & set(got)) if expected else False
    return sorted(expected) == sorted(got)


def ways(row: dict[str, Any]) -> list[dict[str, list[str]]]:
    """What was meant, and what its author would have called right as well; None = the field is left open."""
    return [
        {field: meant for field, meant in (row["expect"] | other).items() if meant is not None}
        for other in [{}, *row.get("or", [])]
    ]


def without_day(times: list[str]) -> list[str]:
    """Clock times alone, for an author who told no days."""
    return [re.sub(r"[+-]\d+d$", "", each) for each in times]


def _count(value: dict[str, Any]) -> str:
    top = f"-{value['count_max']}" if "count_max" in value else ""
    return f"{value['count']}{top}" + ("~" if value.get("about") and not top else "")


def _size(value: dict[str, Any]) -> str:
    sort = f"/{value['sort']}" if value["sort"] else ""
    return f"{value['what']}{sort}:{_count(value)}"


def _place(value: dict[str, Any]) -> str:
    if value["sort"] == "offset":
        far = "?" if value["range_m"] is None else f"{value['range_m']:g}"
        turn = "?" if value["bearing_deg"] is None else f"{value['bearing_deg']:g}"
        return f"{value['name']}:{far}@{turn}"
    if value["sort"] == "degrees":
        return f"{round(value['lat_deg'], 4):g},{round(value['lon_deg'], 4):g}"
    if value["sort"] == "name":
        return str(value["name"])
    return str(value.get("mgrs") or value["digits"])


def _time(value: dict[str, Any]) -> str:
    sort = value["sort"]
    at_ms = value["from_ms"] if sort == "period" else value["at_ms"]
    clock = value["clock"] if sort in ("at", "period") else f"{sort} {value['clock']}"
    if len(value["clock"]) > 10 and sort == "at":
        return str(clock)
    days = (at_ms + 7_200_000) // DAY_MS - (NOW_MS + 7_200_000) // DAY_MS
    return clock + (f"{days:+d}d" if days else "")


def _first(value: dict[str, Any]) -> str:
    return str(next(iter(value.values())))


SHORT = {
    "unit": _first,
    "kind": _first,
    "size": _size,
    "casualty": lambda value: f"{value['state']}:{_count(value)}",
    "activity": _first,
    "place": _place,
    "time": _time,
    "direction": lambda value: f"{value['course_deg']:g}",
    "speed": lambda value: f"{round(value['speed_mps'], 1):g}",
    "altitude": lambda value: f"{round(value['altitude_m'])}",
    "precedence": _first,
    "to": _first,
    "info": _first,
    "reference": _first,
}


def part(draft: LineDraft, field: Any) -> LinePart:
    """The first part of a field, which must be there."""
    found = draft.first(field)
    assert found is not None, f"no {field} in {draft.line!r}: {draft.parts}"
    return found
