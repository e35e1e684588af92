"""The picture as it was: what the journal and the kept tracks had said by a time."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.box import EVERYWHERE, Box, box_of
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.hlc import hlc_ms
from aquila.core.journal import SLACK_MS, JournalStore, arrival_near
from aquila.core.model import Context, Entry, Label, Principal, Sample, Stamp, Verdict
from aquila.features.picture.history import PAGE, report_of_fix
from aquila.features.picture.queries import (
    EntityRow,
    TrackFix,
    TrackTable,
    entity_row,
    picture_of,
)
from aquila.features.picture.view import Picture, Sight

STATEMENTS_MAX = 50_000
"""Entries of the journal that one question folds, the newest before the time first."""
WINDOW_MS = 600_000
WINDOWS_MAX = 12
"""Kept positions are looked for in so many windows back from the time: two hours."""
FIXES_MAX = 200_000
KEPT = "track"
"""Stands for the source of a kept position of which none was kept."""
_COUNTER_BITS = 16
"""Of a clock reading: a kept position stands before everything else said in its millisecond."""


class AskPast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The picture at a time.

    Attributes:
        at_ms: UTC ms.
        bbox: west,south,east,north in degrees.
        sources_of: id of the entity of which the last sources are told, too.
    """

    at_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)]
    bbox: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    sources_of: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 10_000

    def __post_init__(self) -> None:
        if self.bbox is not None:
            box_of(self.bbox)


def _at(principal: Principal, ask: AskPast, reading: Reading) -> Iterator[Labelled]:
    """What the asker may have today of what was known then; a later removal or report does not change it."""
    past = Picture()
    for entry in _entries_until(reading.journal, ask.at_ms):
        past.fold(entry)
    for fix in _fixes_until(reading, ask.at_ms):
        past.fold(_sample(fix, reading, past))
    box = None if ask.bbox is None else box_of(ask.bbox)
    for entity in past.entities():
        sight = past.sight(entity, reading.release, reading.policy)
        if sight is not None and _is_inside(sight, box):
            full = sight.verdict is Verdict.FULL
            row = entity_row(sight, sources=entity == ask.sources_of)
            if row.name == entity:
                # Nobody reads an id as a name: it is unnamed.
                row = msgspec.structs.replace(row, name="")
            yield Labelled(row if full else None, sight.label, sight.context, None if full else row)


def _is_inside(sight: Sight, box: Box | None) -> bool:
    place = sight.report.position
    return box is None or (place is not None and box.holds(place.lat_deg, place.lon_deg))


def _entries_until(journal: JournalStore, at_ms: int) -> Iterator[Entry]:
    """Entries stamped by the time; those merged late lie behind it, as far as SLACK_MS reaches."""
    last = min(journal.last_arrival(), arrival_near(journal, at_ms + SLACK_MS) + PAGE)
    for start in range(max(0, last - STATEMENTS_MAX), last, PAGE):
        for entry in journal.read(start, PAGE):
            if entry.arrival <= last and hlc_ms(entry.envelope.hlc) <= at_ms:
                yield entry


def _fixes_until(reading: Reading, at_ms: int) -> list[TrackFix]:
    """The last kept position of every entity from every source under every marking, from the newest window back."""
    table: TrackTable = reading.part("tracks")

    def may(label: Label, context: Context) -> bool:
        return reading.release(label, context).verdict is Verdict.FULL

    newest: dict[tuple[str, str | None, Label, Context], TrackFix] = {}
    until_ms = at_ms
    for _ in range(WINDOWS_MAX):
        if until_ms < 0:
            break
        from_ms = max(0, until_ms - WINDOW_MS + 1)
        window: dict[tuple[str, str | None, Label, Context], TrackFix] = {}
        for fix in table.inside(EVERYWHERE, from_ms, until_ms, may, None, FIXES_MAX):
            key = (fix.entity, fix.source, fix.label, fix.context)
            if key not in window or fix.at_ms > window[key].at_ms:
                window[key] = fix
        # What a newer window said stays.
        newest = window | newest
        until_ms = from_ms - 1
    return list(newest.values())


def _sample(fix: TrackFix, reading: Reading, past: Picture) -> Sample:
    """A kept position has neither name nor type: it gets those said by then, else those that the asker knows now."""
    told = past.last_told(fix.entity, reading.release)
    # Named positions are no entries: of most movers only the present says what they are called, gone or not.
    known = told if told is not None and told.name is not None else None
    known = known or picture_of(reading).last_told(fix.entity, reading.release) or told
    report = report_of_fix(fix, fix.entity, known)
    if known is not None:
        # Whom a fused track stands for is kept with its last word only, and believed of its past.
        members = {key: text for key, text in known.fields.items() if key == "members"}
        report = msgspec.structs.replace(report, alias=known.alias, fields=members)
    if fix.ended:
        report = msgspec.structs.replace(report, ended=True)
    return Sample(
        report=report,
        stamp=Stamp(fix.at_ms << _COUNTER_BITS, reading.node, 0, 0),
        author=fix.source or KEPT,
        via="track",
        label=fix.label,
        context=fix.context,
        received_at_ms=fix.at_ms,
    )


picture_at = Query(
    name="picture_at",
    path="/picture",
    request=AskPast,
    row=EntityRow,
    role="viewer",
    answer=_at,
    blocking=True,
    summary="The picture as it was at a time",
)
