"""The query log.parse: what a typed line means, read against the names and places that the asker may see."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Protocol, cast

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.geo import distance_m
from aquila.core.grid import mgrs_of
from aquila.core.model import Principal, Report, Verdict
from aquila.features.log.line import LINE_MAX, KnownName, LineContext, LineDraft, parse_line

NAMES_MAX = 5_000
"""Names of the picture that a line is read against, the last changed first."""
ENTITIES_MAX = 20_000
"""Entities that are looked at for a name."""
SITS = frozenset({"marker", "place", "drawing"})
"""Categories of what stays where it is; units, platforms and tracks report and move."""
OFFSET = re.compile(r"([+\- ])?(\d{1,2}):?([0-5]\d)|Z", re.ASCII)
SQUARE = re.compile(r"(\d{1,2}[C-HJ-NP-X])([A-HJ-NP-Z][A-HJ-NP-V])", re.ASCII)


class Sights(Protocol):
    """What is asked of the view `picture`."""

    def entities(self) -> Sequence[str]:
        """All ids, the last changed first."""
        ...

    def sight(self, entity: str, may: Any, policy: Any) -> Any:
        """What a reader may have of an entity; None = nothing."""
        ...


class AskParse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line as it was typed so far.

    Attributes:
        tz: how far local time is ahead of UTC: +02:00, -0330 or Z.
        square: grid zone and 100 km square that complete partial grids, 36SYB; without it that of most known places,
            and then they stay unsure.
    """

    line: Annotated[str, msgspec.Meta(max_length=LINE_MAX)]
    tz: Annotated[str, msgspec.Meta(max_length=6)] = "Z"
    square: Annotated[str, msgspec.Meta(max_length=5)] | None = None

    def __post_init__(self) -> None:
        offset_of(self.tz)
        if self.square is not None and not SQUARE.fullmatch(self.square.upper()):
            raise ValueError(f"square {self.square!r}: grid zone, band and 100 km square, such as 36SYB")


def offset_of(tz: str) -> int:
    """Minutes ahead of UTC. Raises ValueError with what is allowed; a blank is a plus sign that a URL lost."""
    found = OFFSET.fullmatch(tz)
    if found is None:
        raise ValueError(f"tz {tz!r}: Z, or hours and minutes ahead of UTC such as +02:00")
    if found[2] is None:
        return 0
    minutes = int(found[2]) * 60 + int(found[3])
    if minutes > 14 * 60:
        raise ValueError(f"tz {tz!r}: local time is at most 14 hours away from UTC")
    return -minutes if found[1] == "-" else minutes


def known_names(reading: Reading) -> tuple[KnownName, ...]:
    """Names with places that the asker may have in full; nothing else may help to read its line."""
    # Another feature's view, by no more than what is asked of it.
    picture = cast(Sights, reading.views["picture"])
    names = []
    for entity in picture.entities()[:ENTITIES_MAX]:
        sight = picture.sight(entity, reading.release, reading.policy)
        if sight is None or sight.verdict is not Verdict.FULL or not sight.report.name:
            continue
        names.append(_known(sight.report))
        if len(names) == NAMES_MAX:
            break
    return tuple(names)


def _known(report: Report) -> KnownName:
    lat_deg = lon_deg = None
    reach_m = 0.0
    if report.position is not None:
        lat_deg, lon_deg = report.position.lat_deg, report.position.lon_deg
    elif report.geometry is not None and report.geometry.points:
        points = report.geometry.points
        lat_deg = sum(lat for lat, _ in points) / len(points)
        lon_deg = sum(lon for _, lon in points) / len(points)
        reach_m = (report.geometry.radius_m or 0.0) + max(distance_m(lat_deg, lon_deg, *point) for point in points)
    return KnownName(
        name=report.name or "",
        sort="place" if report.category in SITS else "unit",
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        reach_m=reach_m,
        id=report.entity,
    )


def square_of(names: tuple[KnownName, ...]) -> tuple[str | None, str | None]:
    """Zone and square in which most known places lie; (None, None) when none is known."""
    grids = (
        mgrs_of(name.lat_deg, name.lon_deg) for name in names if name.lat_deg is not None and name.lon_deg is not None
    )
    counted = Counter(grid[:-10] for grid in grids if grid is not None)
    if not counted:
        return None, None
    # The first in the alphabet among equals, so that two nodes agree.
    best = min(counted, key=lambda square: (-counted[square], square))
    return best[:-2].lstrip("0"), best[-2:]


def _parse(principal: Principal, ask: AskParse, reading: Reading) -> Iterator[Labelled]:
    names = known_names(reading)
    given = None if ask.square is None else SQUARE.fullmatch(ask.square.upper())
    zone, square = square_of(names) if given is None else (given[1].lstrip("0"), given[2])
    context = LineContext(
        now_ms=reading.now_ms(),
        offset_min=offset_of(ask.tz),
        names=names,
        zone=zone,
        square=square,
        square_is_guess=given is None,
    )
    # No label: every name in the draft was released to this asker above, the rest is the asker's own text.
    yield Labelled(parse_line(ask.line, context), None, reading.context)


PARSE = Query(
    name="parse_line",
    path="/log/parse",
    request=AskParse,
    row=LineDraft,
    role="viewer",
    answer=_parse,
    one=True,
    blocking=True,
    summary="What a typed line means: its fields, how sure each is, and what else it may be",
)
