"""A patrol report drafted from what the node knows: the patrol's own track with halts, and what it wrote."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from aquila.core import geo
from aquila.core.box import EVERYWHERE
from aquila.core.dtg import dtg
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.ids import entity_id
from aquila.core.model import Label, Note, Principal, Verdict
from aquila.core.paper_work import Id, Time
from aquila.core.policy import derive
from aquila.features.reports.attachments import ATTACHMENTS_MAX, Attachment, sent_by

FIXES_MAX = 20_000
CHUNK = 1000
HALT_MS = 5 * 60_000
"""A halt is longer than this; UNMO practice names halts in the report."""
HALT_RADIUS_M = 40.0
"""Twice the way after which a position is kept: a device that stands still wanders that far."""


class Fix(Protocol):
    """A kept position, as the part `tracks` gives it."""

    at_ms: int
    lat_deg: float
    lon_deg: float
    label: Label


class AskPatrolDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose patrol: uid of its device, from when until when (UTC ms)."""

    uid: Id
    from_ms: Time
    until_ms: Time

    def __post_init__(self) -> None:
        if self.until_ms <= self.from_ms:
            raise ValueError(f"until {self.until_ms} is not after {self.from_ms}: name a later end")


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """Where a patrol stood for more than five minutes."""

    from_ms: int
    until_ms: int
    lat_deg: float
    lon_deg: float


class SaidLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the patrol wrote: the entry, when, and the text."""

    entry: str
    at_ms: int
    text: str


class PatrolDraftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A draft to be looked over and filed.

    Attributes:
        values: for the form `patrol`. path: (lat_deg, lon_deg) in order of time. sources: entries it stands on.
        attachments: files that its device sent meanwhile, photos among them, and where it was then.
    """

    uid: str
    values: dict[str, Any]
    path: tuple[tuple[float, float], ...]
    halts: tuple[Halt, ...]
    distance_m: float
    said: tuple[SaidLine, ...]
    sources: tuple[str, ...]
    label: Label
    attachments: tuple[Attachment, ...] = ()


def way_m(a: Fix, b: Fix) -> float:
    """From one to the other along the ellipsoid, in metres."""
    return geo.distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)


def walk(fixes: Sequence[Fix]) -> tuple[tuple[Halt, ...], float]:
    """The halts, and the way in metres without the wandering of a device that stands. Fixes in order of time."""
    halts: list[Halt] = []
    distance_m, place = 0.0, 0
    while place < len(fixes):
        end = place
        while end + 1 < len(fixes) and way_m(fixes[place], fixes[end + 1]) <= HALT_RADIUS_M:
            end += 1
        first = fixes[place]
        if fixes[end].at_ms - first.at_ms > HALT_MS:
            halts.append(
                Halt(from_ms=first.at_ms, until_ms=fixes[end].at_ms, lat_deg=first.lat_deg, lon_deg=first.lon_deg)
            )
        else:
            end = place
        if end + 1 < len(fixes):
            distance_m += way_m(first, fixes[end + 1])
        place = end + 1
    return tuple(halts), distance_m


def _draft(principal: Principal, ask: AskPatrolDraft, reading: Reading) -> Iterator[Labelled]:
    def may(label: Label, context: str) -> bool:
        return reading.release(label, context).verdict is Verdict.FULL

    entity = entity_id("cot", ask.uid)
    found = reading.part("tracks").inside(EVERYWHERE, ask.from_ms, ask.until_ms, may, entity, FIXES_MAX)
    fixes = sorted((fix for fix in found if fix.entity == entity), key=lambda fix: fix.at_ms)
    said = list(_said(ask, reading))
    files = list(sent_by(ask.uid, ask.from_ms, ask.until_ms, reading, fixes))[-ATTACHMENTS_MAX:]
    labels = [*{fix.label for fix in fixes}, *(label for _, label in said), *(label for _, label in files)]
    if not labels:
        return
    halts, distance_m = walk(fixes)
    lines = tuple(line for line, _ in said)
    values: dict[str, Any] = {
        "unit": ask.uid,
        "departed": fixes[0].at_ms if fixes else ask.from_ms,
        "returned": fixes[-1].at_ms if fixes else ask.until_ms,
        "distance_m": round(distance_m),
        "route": "; ".join(f"{fix.lat_deg:.4f}, {fix.lon_deg:.4f}" for fix in fixes[:: max(1, len(fixes) // 20)]),
        "halts": "; ".join(f"{dtg(each.from_ms)} to {dtg(each.until_ms)}" for each in halts),
        "observations": "\n".join(f"{dtg(line.at_ms)} {line.text}" for line in lines)[:8000],
    }
    label = derive(reading.policy, labels)
    row = PatrolDraftRow(
        uid=ask.uid,
        values=values,
        path=tuple((fix.lat_deg, fix.lon_deg) for fix in fixes),
        halts=halts,
        distance_m=round(distance_m, 1),
        said=lines,
        sources=tuple(line.entry for line in lines),
        label=label,
        attachments=tuple(each for each, _ in files),
    )
    yield Labelled(row, label, reading.context)


def _said(ask: AskPatrolDraft, reading: Reading) -> Iterator[tuple[SaidLine, Label]]:
    after = 0
    while chunk := reading.journal.read(after, CHUNK, frozenset({"note"})):
        after = chunk[-1].arrival
        for entry in chunk:
            note, envelope = entry.body, entry.envelope
            if not isinstance(note, Note) or not ask.from_ms <= note.happened_at_ms <= ask.until_ms:
                continue
            alias = note.author_alias
            is_its_own = envelope.author == f"device:{ask.uid}" or (alias is not None and alias.value == ask.uid)
            may = reading.release(envelope.label, envelope.context).verdict is Verdict.FULL
            if is_its_own and may:
                yield SaidLine(entry=envelope.id, at_ms=note.happened_at_ms, text=note.text), envelope.label


patrol_draft = Query(
    name="patrol_draft",
    path="/drafts/patrol",
    request=AskPatrolDraft,
    row=PatrolDraftRow,
    role="viewer",
    answer=_draft,
    one=True,
    blocking=True,
    summary="A patrol report drafted from the patrol's own track and what it wrote",
)
