"""Emergencies that are on, as the official server's repeater lists them; and a place that somebody tells by a form."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, check_text
from aquila.core.ids import entity_id, statement_id
from aquila.core.model import Alias, Position, Principal, Report, Verdict
from aquila.core.symbol import sidc_of_cot
from aquila.features.picture.commands import MARKER_TYPE, PLACED_BY_HAND
from aquila.features.picture.history import event_of
from aquila.features.picture.queries import picture_of

LOCATED_MS = 24 * 3_600_000


class AskEmergencies(msgspec.Struct, frozen=True, kw_only=True):
    """All that are on."""


class EmergencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One emergency.

    Attributes:
        kind: as its beacon says it. type: CoT type. xml: its event, without a header.
    """

    uid: str
    callsign: str
    kind: str
    type: str
    since_ms: int
    xml: str


class Locate(msgspec.Struct, frozen=True, kw_only=True):
    """A place that somebody tells without a map."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    remarks: Annotated[str, msgspec.Meta(max_length=4000)] = ""

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_text("remarks", self.remarks)


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """The marker that shows it."""

    entity: str


def _emergencies(principal: Principal, ask: AskEmergencies, reading: Reading) -> Iterator[Labelled]:
    picture = picture_of(reading)
    for entity in picture.entities():
        sight = picture.sight(entity, reading.release, reading.policy)
        if sight is None or sight.verdict is not Verdict.FULL:
            continue
        # The caller looks alarmed too, by its alert: only the alert itself is repeated.
        beacons = (cell.report for cell in sight.cells if cell.report.emergency is not None)
        report = next(beacons, None)
        if report is None or report.emergency is None or not report.emergency.active:
            continue
        xml = event_of(report, sight.label, reading.now_ms())
        if xml is not None:
            row = EmergencyRow(
                uid=report.alias.value,
                callsign=report.name or report.alias.value,
                kind=report.emergency.type,
                type=report.type,
                since_ms=report.observed_at_ms,
                xml=xml,
            )
            yield Labelled(row, sight.label, sight.context)


async def locate_place(principal: Principal, ask: Locate, desk: Desk) -> Located | Refused:
    """Write a marker; the same name of the same asker again moves it."""
    uid = statement_id("locate", f"{principal.id}\0{ask.name}", 0, b"")
    now_ms = desk.now_ms()
    report = Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type=MARKER_TYPE,
        sidc=sidc_of_cot(MARKER_TYPE)[0],
        category="marker",
        observed_at_ms=now_ms,
        stale_at_ms=now_ms + LOCATED_MS,
        name=ask.name,
        how=PLACED_BY_HAND,
        position=Position(ask.latitude, ask.longitude),
        remarks=ask.remarks or None,
    )
    written = await desk.write(report)
    return written if isinstance(written, Refused) else Located(entity=report.entity)


emergencies = Query(
    name="emergencies",
    path="/emergencies",
    request=AskEmergencies,
    row=EmergencyRow,
    role="viewer",
    answer=_emergencies,
    blocking=True,
    summary="Emergencies that are on",
)
locate = Command(
    name="locate",
    method="POST",
    path="/located",
    request=Locate,
    answer=Located,
    role="operator",
    act=locate_place,
    summary="Tell a place by name and coordinates",
)
