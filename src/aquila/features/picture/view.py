"""Picture: a view of the latest report about every entity, per label and source, from any order of arrival.

What hides, purges or wins is decided by stamps alone, so the same set of arrivals folds to the same state. Which of the
cells of an entity a reader gets is decided when it is read, by that reader's release.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from aquila.core.hlc import hlc_ms
from aquila.core.ids import entity_id
from aquila.core.model import (
    Arrival,
    Context,
    Emergency,
    Entry,
    Label,
    Removal,
    Report,
    Sample,
    Stamp,
    Tick,
    Verdict,
)
from aquila.core.policy import Decision, Policy, redact

CELLS_MAX = 8
"""Newest (label, source) cells that an entity keeps per lane."""
LATEST_MS = 24 * 3_600_000
"""A position is forgotten this long after it was heard; statements stay."""
PURGE_MS = 60_000

FUSED = "fused"
"""Scheme of the tracks that stand for several entities; they name these in their field `members`."""
LAYER, ORDER = "layer", "order"
"""Fields of a drawing: the named layer that it lies on, and its place in it."""
CORRIDOR = "corridor_m"
"""Field of an area that is a centre line with a width."""
PHONES = ("device:", "listener:")
"""How the ids of those begin who draw by CoT, which has no word for a layer."""

POSITION, STATEMENT, EMERGENCY = 0, 1, 2
"""Lanes of an entity. They are kept apart, so that the next position wipes out neither a marker nor a beacon."""

May = Callable[[Label, Context], Decision]


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """The latest report of one source under one label."""

    stamp: Stamp
    author: str
    label: Label
    context: Context
    received_at_ms: int
    report: Report


class Gone(msgspec.Struct, frozen=True, array_like=True):
    """The latest removal of one sender under one label."""

    stamp: Stamp
    author: str
    label: Label
    context: Context

    def hides(self, cell: Cell) -> bool:
        """Older, same context, and under a label that this sender could write: its own, or one that it covers."""
        if self.stamp <= cell.stamp or self.context != cell.context:
            return False
        return self.author == cell.author or covers(self.label, cell.label)


def covers(by: Label, label: Label) -> bool:
    """Could who writes under `by` have written under `label`: same classification, no group or caveat more?"""
    return (
        label.policy == by.policy
        and label.classification == by.classification
        and set(label.groups) <= set(by.groups)
        and set(label.caveats) <= set(by.caveats)
    )


class Known(msgspec.Struct, array_like=True):
    """Everything kept of one entity: cells by lane, and removals."""

    lanes: tuple[list[Cell], list[Cell], list[Cell]]
    gone: list[Gone]


class Sight(msgspec.Struct, frozen=True):
    """What one reader may have of an entity now.

    Attributes:
        report: already redacted when `verdict` is REDACTED.
        label: of the report that won; not to be shown to a reader of the redacted form.
        observed_at_ms: when it was true: the claimed time, or the received time when the claim is too far off.
        skew_ms: claimed minus received time when that is beyond the policy's limit; None = the claim is believed.
        cells: of the newest report of each source, newest first; only this one when redacted.
    """

    report: Report
    label: Label
    context: Context
    verdict: Verdict
    source: str | None
    observed_at_ms: int
    stale_at_ms: int | None
    skew_ms: int | None
    emergency: str | None
    cells: tuple[Cell, ...]


class _State(msgspec.Struct, array_like=True):
    now_ms: int
    entities: dict[str, Known]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


class Picture:
    """The view. `turn` counts changes, so that a stream can ask what changed since it last looked.

    Args:
        latest_ms: a position is forgotten this long after it was heard.
    """

    name = "picture"
    version = 1

    def __init__(self, latest_ms: int = LATEST_MS) -> None:
        self._latest_ms = latest_ms
        self._entities: dict[str, Known] = {}
        self._now_ms = 0
        self._purged_ms = 0
        self.turn = 0
        # In order of their last change, which is no part of the state.
        self._changed: dict[str, int] = {}
        self._emptied: list[str] = []
        # Who calls for help -> the entities of its alerts: TAK gives every alert a uid of its own. Made from the cells.
        self._alerts: dict[str, set[str]] = {}
        # What is shown as part of a fused track -> that track. Made from the cells.
        self._fused: dict[str, str] = {}

    # -- fold -------------------------------------------------------------------------------------------------------

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Sample):
            self._keep(
                POSITION,
                Cell(
                    arrival.stamp,
                    arrival.author,
                    arrival.label,
                    arrival.context,
                    arrival.received_at_ms,
                    arrival.report,
                ),
            )
        elif isinstance(arrival, Entry):
            self._fold_entry(arrival)
        elif isinstance(arrival, Tick):
            self._now_ms = max(self._now_ms, arrival.at_ms)
            if self._now_ms - self._purged_ms >= PURGE_MS:
                self._purge()

    def _fold_entry(self, entry: Entry) -> None:
        envelope, body = entry.envelope, entry.body
        if isinstance(body, Report):
            cell = Cell(
                envelope.stamp,
                envelope.author,
                envelope.label,
                envelope.context,
                envelope.received_at_ms,
                body,
            )
            self._keep(STATEMENT if body.emergency is None else EMERGENCY, cell)
        elif isinstance(body, Removal):
            gone = Gone(envelope.stamp, envelope.author, envelope.label, envelope.context)
            known = self._known(body.entity)
            if _newest_of_each(known.gone, gone):
                self._touch(body.entity)

    def _keep(self, lane: int, cell: Cell) -> None:
        entity = cell.report.entity
        if _newest_of_each(self._known(entity).lanes[lane], cell):
            self._note_fused(cell.report)
            if lane == EMERGENCY:
                self._note_alert(cell.report)
            self._touch(entity)

    def _note_fused(self, report: Report) -> None:
        if report.alias.scheme == FUSED:
            self._fused.update(dict.fromkeys(report.fields.get("members", "").split(), report.entity))

    def fused_into(self, entity: str, may: May, policy: Policy, now_ms: int) -> str | None:
        """The fused track that stands for this entity, as far as the reader may have it; None = it stands for itself.

        A track that has ended or is stale stands for nobody, nor does one that no longer names the entity.
        """
        track = self._fused.get(entity)
        sight = None if track is None else self.sight(track, may, policy)
        if sight is None or sight.verdict is not Verdict.FULL or (sight.stale_at_ms or 0) < now_ms:
            return None
        return track if entity in sight.report.fields.get("members", "").split() else None

    def _note_alert(self, report: Report) -> None:
        if report.parent is not None:
            caller = entity_id(report.parent.scheme, report.parent.value)
            self._alerts.setdefault(caller, set()).add(report.entity)

    def _known(self, entity: str) -> Known:
        known = self._entities.get(entity)
        if known is None:
            known = self._entities[entity] = Known(([], [], []), [])
        return known

    def _touch(self, entity: str) -> None:
        self.turn += 1
        self._changed.pop(entity, None)
        self._changed[entity] = self.turn
        known = self._entities.get(entity)
        for cell in known.lanes[EMERGENCY] if known is not None else ():
            # An alert changes how its caller looks. A caller is not touched for the alerts of its alerts.
            parent = cell.report.parent
            caller = None if parent is None else entity_id(parent.scheme, parent.value)
            if caller is not None and caller != entity and caller in self._entities:
                self.turn += 1
                self._changed.pop(caller, None)
                self._changed[caller] = self.turn

    def _purge(self) -> None:
        """Forget positions that are too old. Depends on stamps and the latest tick only, never on the order."""
        self._purged_ms = self._now_ms
        for entity in self._emptied:
            if entity not in self._entities:
                self._changed.pop(entity, None)
        self._emptied = []
        before = self._now_ms - self._latest_ms
        for entity, known in self._entities.copy().items():
            cells = known.lanes[POSITION]
            if not any(hlc_ms(cell.stamp.hlc) < before for cell in cells):
                continue
            cells[:] = [cell for cell in cells if hlc_ms(cell.stamp.hlc) >= before]
            self._touch(entity)
            if _is_empty(known):
                del self._entities[entity]
                self._emptied.append(entity)
                self._fused.pop(entity, None)

    # -- state ------------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """See View."""
        self._purge()
        ordered = {
            entity: Known(
                (_ordered(known.lanes[0]), _ordered(known.lanes[1]), _ordered(known.lanes[2])),
                sorted(known.gone, key=lambda gone: gone.stamp),
            )
            for entity, known in sorted(self._entities.items())
            if not _is_empty(known)
        }
        return _encoder.encode(_State(self._now_ms, ordered))

    def restore(self, data: bytes) -> None:
        """See View."""
        state = _decoder.decode(data)
        self._entities, self._now_ms, self._purged_ms = state.entities, state.now_ms, 0
        self._alerts = {}
        self._fused = {}
        for known in self._entities.values():
            for cell in known.lanes[POSITION]:
                self._note_fused(cell.report)
            for cell in known.lanes[EMERGENCY]:
                self._note_alert(cell.report)
        for entity in [*self._changed, *self._entities]:
            self._touch(entity)

    # -- reading ----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._entities)

    def entities(self) -> list[str]:
        """All ids, the last changed first. A copy: it may be walked in another thread."""
        return list(self._changed)[::-1]

    def changed_since(self, turn: int) -> list[tuple[int, str]]:
        """(turn, id) of what changed after this turn, oldest first; an id may be gone for good."""
        changed: list[tuple[int, str]] = []
        for entity in reversed(self._changed):
            at = self._changed[entity]
            if at <= turn:
                break
            changed.append((at, entity))
        changed.reverse()
        return changed

    def sight(self, entity: str, may: May, policy: Policy) -> Sight | None:
        """What a reader may have of this entity; None = nothing, or there is none.

        Args:
            entity: its id.
            may: the reader's release.
            policy: for the form of what is redacted, and for how far a claimed time is believed.
        """
        known = self._entities.get(entity)
        if known is None:
            return None
        best, best_verdict, full = None, Verdict.DENIED, []
        for cell in _shown(known):
            verdict = may(cell.label, cell.context).verdict
            if verdict is Verdict.FULL:
                full.append(cell)
            if verdict > best_verdict or (verdict is best_verdict and best is not None and cell.stamp > best.stamp):
                best, best_verdict = cell, verdict
        if best is None or best_verdict is Verdict.DENIED:
            return None
        if best_verdict is Verdict.REDACTED:
            return _sight_redacted(best, policy)
        return _sight_full(best, full, self._called(entity, may), policy)

    def last_told(self, entity: str, may: May) -> Report | None:
        """The newest named report of an entity that the reader may have in full, else the newest; gone or not.

        None = the reader may have none. It says what somebody is called, not that he is still there.
        """
        known = self._entities.get(entity)
        cells = [cell for lane in known.lanes for cell in lane] if known is not None else []
        mine = [cell for cell in cells if may(cell.label, cell.context).verdict is Verdict.FULL]
        newest = max(mine, key=lambda cell: (cell.report.name is not None, cell.stamp), default=None)
        return None if newest is None else newest.report

    def _called(self, caller: str, may: May) -> Emergency | None:
        """The newest active beacon in the alerts of this entity that the reader may have in full."""
        newest: Cell | None = None
        for alert in tuple(self._alerts.get(caller, ())):
            known = self._entities.get(alert)
            if alert == caller or known is None:
                continue
            cells = [cell for cell in _shown(known) if may(cell.label, cell.context).verdict is Verdict.FULL]
            last = max((cell for cell in cells if cell.report.emergency), key=_stamp, default=None)
            if last is None or last.report.emergency is None or not last.report.emergency.active:
                continue
            if newest is None or last.stamp > newest.stamp:
                newest = last
        return None if newest is None else newest.report.emergency


def _stamp(cell: Cell) -> Stamp:
    return cell.stamp


def _newest_of_each(kept: list[Any], new: Any) -> bool:  # Cell or Gone, both lists alike
    """Put `new` in the place of what the same source said before under the same label; is anything changed?

    The newest CELLS_MAX by stamp stay. That is the same set in any order: what was dropped is older than all that is
    kept, and the oldest of what is kept only ever gets newer.
    """
    for index, old in enumerate(kept):
        if old.author == new.author and old.label == new.label and old.context == new.context:
            if new.stamp <= old.stamp:
                return False
            kept[index] = new
            return True
    kept.append(new)
    if len(kept) > CELLS_MAX:
        oldest = min(range(len(kept)), key=lambda index: kept[index].stamp)
        dropped = kept.pop(oldest)
        return dropped is not new
    return True


def _is_empty(known: Known) -> bool:
    return not (known.gone or any(known.lanes))


def _ordered(cells: list[Cell]) -> list[Cell]:
    return sorted(cells, key=_stamp)


def _shown(known: Known) -> list[Cell]:
    """The cells that no removal hides; a report that it has ended hides what a removal in its place would."""
    cells = [cell for lane in known.lanes for cell in lane]
    gone = known.gone + [
        Gone(cell.stamp, cell.author, cell.label, cell.context) for cell in known.lanes[POSITION] if cell.report.ended
    ]
    if not gone:
        return cells
    return [cell for cell in cells if not cell.report.ended and not any(each.hides(cell) for each in gone)]


def _times(cell: Cell, policy: Policy) -> tuple[int, int | None, int | None]:
    """(observed, stale, skew) in ms: age runs from the received time when the claimed one is too far off."""
    report = cell.report
    skew_ms = report.observed_at_ms - cell.received_at_ms
    if abs(skew_ms) <= policy.skew_ms:
        return report.observed_at_ms, report.stale_at_ms, None
    stale_at_ms = report.stale_at_ms
    if stale_at_ms is not None:
        stale_at_ms = cell.received_at_ms + max(0, stale_at_ms - report.observed_at_ms)
    return cell.received_at_ms, stale_at_ms, skew_ms


def _sight_full(best: Cell, full: list[Cell], called: Emergency | None, policy: Policy) -> Sight | None:
    full.sort(key=_stamp, reverse=True)
    beacon = next((cell.report.emergency for cell in full if cell.report.emergency), None)
    report = best.report
    if report.category == "alert" and beacon is not None and not beacon.active:
        # A cancelled alert is over: its own symbol goes, the journal keeps it.
        return None
    if beacon is None or not beacon.active:
        beacon = called
    name = report.name or next((cell.report.name for cell in full if cell.report.name), None)
    if name != report.name:
        report = msgspec.structs.replace(report, name=name)
    report = _as_drawn(best, report, full)
    observed_at_ms, stale_at_ms, skew_ms = _times(best, policy)
    return Sight(
        report,
        best.label,
        best.context,
        Verdict.FULL,
        best.author,
        observed_at_ms,
        stale_at_ms,
        skew_ms,
        None if beacon is None else beacon.type,
        tuple(full),
    )


def _as_drawn(best: Cell, report: Report, full: list[Cell]) -> Report:
    """What CoT cannot say of a drawing that a phone changed: it stays one, where people put it, a corridor as wide."""
    if report.category not in ("drawing", "marker") or LAYER in report.fields or not best.author.startswith(PHONES):
        return report
    made = next((cell.report for cell in full if _drawn_here(cell)), None)
    if made is None:
        return report
    names = [LAYER, ORDER]
    if _corners(report) == _corners(made):
        # A corner more or less, and nobody knows which two lie across from each other.
        names.append(CORRIDOR)
    kept = {name: made.fields[name] for name in names if name in made.fields}
    # CoT says the side of a graphic by its type, which a drawing shares with those of nobody.
    sidc = made.sidc if report.sidc[4:] == made.sidc[4:] else report.sidc
    return msgspec.structs.replace(report, category="drawing", sidc=sidc, fields={**report.fields, **kept})


def _drawn_here(cell: Cell) -> bool:
    report = cell.report
    return LAYER in report.fields or (report.category == "drawing" and not cell.author.startswith(PHONES))


def _corners(report: Report) -> int:
    return 0 if report.geometry is None else len(report.geometry.points)


def _sight_redacted(best: Cell, policy: Policy) -> Sight | None:
    observed_at_ms, stale_at_ms, _ = _times(best, policy)
    # Redact what is shown, times too: they are rounded there.
    shown = msgspec.structs.replace(best.report, observed_at_ms=observed_at_ms, stale_at_ms=stale_at_ms)
    report = redact(policy, shown)
    if not isinstance(report, Report):
        return None
    return Sight(
        report,
        best.label,
        best.context,
        Verdict.REDACTED,
        None,
        report.observed_at_ms,
        report.stale_at_ms,
        None,
        None,
        (),
    )
