"""History: what was said about an entity, as CoT events: the journal's originals, the kept track, the newest state."""

from collections.abc import Iterator, Sequence

import msgspec

from aquila.codecs.cot import convert, cot_xml
from aquila.core.box import EVERYWHERE, Box
from aquila.core.codec import Outgoing
from aquila.core.errors import CodecError
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.hlc import hlc_ms
from aquila.core.ids import entity_id
from aquila.core.journal import SLACK_MS, JournalStore, arrival_near
from aquila.core.model import (
    Alias,
    Context,
    Entry,
    Label,
    Motion,
    Original,
    Position,
    Principal,
    Report,
    Stamp,
    Verdict,
)
from aquila.core.policy import redact
from aquila.features.picture.queries import TrackFix, TrackTable, picture_of
from aquila.features.picture.view import Picture, Sight

EVENTS_MAX = 5_000
"""Newest events in one answer."""
ENTRIES_MAX = 50_000
"""Entries of the journal that one question looks at, the newest first."""
PAGE = 500
FIX_VALID_MS = 300_000
"""Of a kept position whose reporter's own wish was not kept."""
UIDS_MAX = 1_000


class AskHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about the entity with this CoT uid, with from_ms <= t <= until_ms; None = open."""

    uid: str
    from_ms: int | None = None
    until_ms: int | None = None


class AskLatest(msgspec.Struct, frozen=True, kw_only=True):
    """The newest event of each of these CoT uids."""

    uids: tuple[str, ...]


class AskArea(msgspec.Struct, frozen=True, kw_only=True):
    """The newest event of every entity in a box and a time."""

    box: Box = EVERYWHERE
    from_ms: int | None = None
    until_ms: int | None = None


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One CoT event.

    Attributes:
        at_ms: when it was true, as far as known. xml: the event without a header, ASCII.
    """

    at_ms: int
    xml: str


def entities_of(uid: str) -> tuple[str, ...]:
    """The entities that a CoT uid can mean: `MMSI-247...` stands for an alias of another scheme."""
    scheme, dash, value = uid.partition("-")
    found = (entity_id("cot", uid),)
    return (*found, entity_id(scheme.lower(), value)) if dash and scheme.isupper() else found


# -- queries ----------------------------------------------------------------------------------------------------------


def _latest(principal: Principal, ask: AskLatest, reading: Reading) -> Iterator[Labelled]:
    picture = picture_of(reading)
    for uid in ask.uids[:UIDS_MAX]:
        found = _sight(picture, uid, reading)
        if found is not None:
            yield from _row_of_sight(found, reading)


def _area(principal: Principal, ask: AskArea, reading: Reading) -> Iterator[Labelled]:
    picture = picture_of(reading)
    for entity in picture.entities():
        sight = picture.sight(entity, reading.release, reading.policy)
        if sight is None or sight.report.position is None:
            continue
        place = sight.report.position
        if ask.box.holds(place.lat_deg, place.lon_deg) and _within(sight.observed_at_ms, ask.from_ms, ask.until_ms):
            yield from _row_of_sight(sight, reading)


def _history(principal: Principal, ask: AskHistory, reading: Reading) -> Iterator[Labelled]:
    """In order of time. What comes from the picture is left out when the journal or the track has it."""
    entities = entities_of(ask.uid)
    sight = _sight(picture_of(reading), ask.uid, reading)
    rows: list[tuple[int, Labelled]] = []
    said: set[Stamp] = set()
    for entry in _entries(reading, frozenset(entities), ask.from_ms, ask.until_ms):
        said.add(entry.envelope.stamp)
        rows += _timed(_row_of_entry(entry, reading))
    fixes = [fix for entity in entities for fix in _fixes(reading, entity, ask.from_ms, ask.until_ms)]
    for fix in fixes:
        rows += _timed(_row_of_fix(fix, ask.uid, sight, reading))
    if sight is not None and _is_news(sight, said, fixes) and _within(sight.observed_at_ms, ask.from_ms, ask.until_ms):
        rows += _timed(_row_of_sight(sight, reading))
    rows.sort(key=lambda row: row[0])
    for _, row in rows[-EVENTS_MAX:]:
        yield row


def _timed(rows: Iterator[Labelled]) -> list[tuple[int, Labelled]]:
    return [((row.full or row.redacted).at_ms, row) for row in rows]


def _is_news(sight: Sight, said: set[Stamp], fixes: Sequence[TrackFix]) -> bool:
    """Is the newest state in neither the journal nor the track? Tracks are thinned."""
    if sight.cells and sight.cells[0].stamp in said:
        return False
    return all(fix.at_ms < sight.report.observed_at_ms for fix in fixes)


def _within(at_ms: int, from_ms: int | None, until_ms: int | None) -> bool:
    return (from_ms is None or at_ms >= from_ms) and (until_ms is None or at_ms <= until_ms)


def _sight(picture: Picture, uid: str, reading: Reading) -> Sight | None:
    for entity in entities_of(uid):
        sight = picture.sight(entity, reading.release, reading.policy)
        if sight is not None:
            return sight
    return None


# -- rows -------------------------------------------------------------------------------------------------------------


def _row_of_sight(sight: Sight, reading: Reading) -> Iterator[Labelled]:
    report = sight.report
    if sight.verdict is not Verdict.FULL:
        xml = event_of(report, _bare(sight.label), reading.now_ms())
        if xml is not None:
            yield Labelled(None, sight.label, sight.context, EventRow(at_ms=sight.observed_at_ms, xml=xml))
        return
    stamp = sight.cells[0].stamp if sight.cells else None
    entry = None if stamp is None else entry_at(reading.journal, stamp)
    xml = None
    if entry is not None and entry.original is not None and isinstance(entry.body, Report):
        xml = _forwarded(entry.original, report, sight.label, reading.now_ms())
    xml = xml or event_of(report, sight.label, reading.now_ms())
    if xml is not None:
        yield Labelled(EventRow(at_ms=sight.observed_at_ms, xml=xml), sight.label, sight.context)


def _row_of_entry(entry: Entry, reading: Reading) -> Iterator[Labelled]:
    report, envelope = entry.body, entry.envelope
    assert isinstance(report, Report)
    now_ms = reading.now_ms()
    xml = None if entry.original is None else _forwarded(entry.original, report, envelope.label, now_ms)
    xml = xml or event_of(report, envelope.label, now_ms)
    coarse = redact(reading.policy, report)
    less = event_of(coarse, _bare(envelope.label), now_ms) if isinstance(coarse, Report) else None
    if xml is None:
        return
    redacted = None
    if less is not None and isinstance(coarse, Report):
        redacted = EventRow(at_ms=coarse.observed_at_ms, xml=less)
    yield Labelled(EventRow(at_ms=report.observed_at_ms, xml=xml), envelope.label, envelope.context, redacted)


def _row_of_fix(fix: TrackFix, uid: str, sight: Sight | None, reading: Reading) -> Iterator[Labelled]:
    """A kept position has no original: it is written anew, with name and type as they are known now."""
    known = sight.report if sight is not None and sight.verdict is Verdict.FULL else None
    report = report_of_fix(fix, uid, known)
    xml = event_of(report, fix.label, reading.now_ms())
    if xml is not None:
        yield Labelled(EventRow(at_ms=fix.at_ms, xml=xml), fix.label, fix.context)


def _stale_at_ms(fix: TrackFix) -> int | None:
    if fix.source is None:
        return fix.at_ms + FIX_VALID_MS
    return None if fix.valid_ms is None else fix.at_ms + fix.valid_ms


def report_of_fix(fix: TrackFix, uid: str, known: Report | None) -> Report:
    """A report that says a kept position; `known`: what the reader knows of the entity otherwise."""
    return Report(
        entity=fix.entity,
        alias=Alias("cot", uid),
        type="a-u-G" if known is None else known.type,
        sidc="10010000000000000000" if known is None else known.sidc,
        category="unit" if known is None else known.category,
        observed_at_ms=fix.at_ms,
        stale_at_ms=_stale_at_ms(fix),
        name=None if known is None else known.name,
        how="m-g",
        own=False,
        position=Position(fix.lat_deg, fix.lon_deg, fix.hae_m),
        motion=Motion(fix.course_deg, fix.speed_mps),
        team=None if known is None else known.team,
        role=None if known is None else known.role,
    )


def _bare(label: Label) -> Label:
    """A reader of the redacted form is not told who may have the full one."""
    return Label(label.policy, label.classification, (), ())


def _forwarded(original: Original, report: Report, label: Label, now_ms: int) -> str | None:
    """The original with its marking; None = it does not fit into XML."""
    try:
        data = convert(original, "cot-xml")
        return _encoded(Outgoing(body=report, label=label, now_ms=now_ms, original=data))
    except CodecError:
        return None


def event_of(report: Report, label: Label, now_ms: int) -> str | None:
    """The event of a report, written anew, without a header; None = CoT cannot say it."""
    try:
        return _encoded(Outgoing(body=report, label=label, now_ms=now_ms))
    except CodecError:
        return None


def _encoded(outgoing: Outgoing) -> str:
    assert cot_xml.encode is not None
    return cot_xml.encode(outgoing).decode("ascii").partition("?>")[2].lstrip()


# -- journal and track ------------------------------------------------------------------------------------------------


def _fixes(reading: Reading, entity: str, from_ms: int | None, until_ms: int | None) -> list[TrackFix]:
    table: TrackTable = reading.part("tracks")

    def may(label: Label, context: Context) -> bool:
        return reading.release(label, context).verdict is Verdict.FULL

    until_ms = reading.now_ms() + SLACK_MS if until_ms is None else until_ms
    return table.inside(EVERYWHERE, from_ms or 0, until_ms, may, entity, EVENTS_MAX)


def _entries(reading: Reading, entities: frozenset[str], from_ms: int | None, until_ms: int | None) -> Iterator[Entry]:
    """Reports about these entities, the newest first, from the part of the journal that can hold the time."""
    journal = reading.journal
    last = journal.last_arrival()
    if until_ms is not None:
        last = min(last, arrival_near(journal, until_ms + SLACK_MS) + PAGE)
    found = 0
    for page in _pages_back(journal, last):
        for entry in page:
            report = entry.body
            if not isinstance(report, Report) or report.entity not in entities:
                continue
            if _within(report.observed_at_ms, from_ms, until_ms):
                found += 1
                yield entry
        if found >= EVENTS_MAX or (from_ms is not None and _is_before(page, from_ms - SLACK_MS)):
            return


def _pages_back(journal: JournalStore, last: int) -> Iterator[list[Entry]]:
    """The journal from an arrival number down to its beginning, page by page, at most ENTRIES_MAX."""
    for upper in range(last, max(0, last - ENTRIES_MAX), -PAGE):
        page = journal.read(max(0, upper - PAGE), PAGE)
        yield [entry for entry in reversed(page) if entry.arrival <= upper]


def _is_before(page: Sequence[Entry], at_ms: int) -> bool:
    return bool(page) and all(hlc_ms(entry.envelope.hlc) < at_ms for entry in page)


def entry_at(journal: JournalStore, stamp: Stamp) -> Entry | None:
    """The entry with this stamp, looked for around its time only; None = not found there, or a position."""
    if stamp.seq == 0:
        return None
    near = arrival_near(journal, hlc_ms(stamp.hlc))
    around = journal.read(max(0, near - PAGE), PAGE + PAGE // 4)
    return next((entry for entry in around if entry.envelope.stamp == stamp), None)


latest_events = Query(
    name="latest_events",
    path="/events",
    request=AskLatest,
    row=EventRow,
    role="viewer",
    answer=_latest,
    blocking=True,
    summary="The newest CoT event of entities",
)
history = Query(
    name="history",
    path="/events/{uid}",
    request=AskHistory,
    row=EventRow,
    role="viewer",
    answer=_history,
    blocking=True,
    summary="CoT events about one entity, in order of time",
)
events_in = Query(
    name="events_in",
    path="/events_in",
    request=AskArea,
    row=EventRow,
    role="viewer",
    answer=_area,
    blocking=True,
    summary="The newest CoT event of every entity in a box and a time",
)
