"""What can be done to the picture: place a marker, take an entity off."""

from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, check_text
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Label, Position, Principal, Removal, Report, Verdict
from aquila.core.symbol import cot_of_sidc, sidc_of_cot
from aquila.features.picture.queries import picture_of

MARKER_TYPE = "a-u-G"
PLACED_BY_HAND = "h-g-i-g-o"
"""CoT: human, garbage in garbage out: what ATAK writes for a marker that somebody put on the map."""
VALID_H_MAX = 24 * 366

NO_PLACE = Refused("absent", "there is no such entity, or you may not see it")


class NewMarker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A marker to be placed.

    Attributes:
        type: CoT type; None = that of `sidc`, else an unknown ground unit.
        sidc: 20 digits, APP-6(D); None = that of `type`.
        valid_h: hours until it is stale.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    hae_m: Annotated[float, msgspec.Meta(gt=-1e5, lt=1e8)] | None = None
    type: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9.]{1,20}(-[a-zA-Z0-9.]{1,20}){1,20}$")] | None = None
    sidc: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{20}$")] | None = None
    remarks: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    valid_h: Annotated[float, msgspec.Meta(gt=0, le=VALID_H_MAX)] = 24 * 365

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_text("remarks", self.remarks)


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The entity that now is, and the journal entry that says so."""

    entity: str
    entry: str


class DropEntity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entity."""

    id: Annotated[str, msgspec.Meta(max_length=200)]


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """The journal entries that took it off, one for each marking it was reported under."""

    entity: str
    entries: tuple[str, ...]


async def place_marker(principal: Principal, ask: NewMarker, desk: Desk) -> Placed | Refused:
    """Write a report about a new entity. Its fresh uid goes out as CoT uid, so phones can edit and delete it."""
    kind = ask.type or (cot_of_sidc(ask.sidc) if ask.sidc else MARKER_TYPE)
    uid, now_ms = desk.new_id(), desk.now_ms()
    report = Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type=kind,
        sidc=ask.sidc or sidc_of_cot(kind)[0],
        category="marker",
        observed_at_ms=now_ms,
        stale_at_ms=now_ms + int(ask.valid_h * 3_600_000),
        name=ask.name,
        how=PLACED_BY_HAND,
        position=Position(ask.lat_deg, ask.lon_deg, ask.hae_m),
        remarks=ask.remarks,
    )
    written = await desk.write(report)
    if isinstance(written, Refused):
        return written
    return Placed(entity=report.entity, entry=written.envelope.id)


async def drop_entity(principal: Principal, ask: DropEntity, desk: Desk) -> Dropped | Refused:
    """Write one removal under each marking of the entity, so that exactly those hear of it who have seen it."""
    sight = picture_of(desk).sight(ask.id, desk.release, desk.policy)
    if sight is None or sight.verdict is not Verdict.FULL:
        return NO_PLACE
    labels = list(dict.fromkeys(cell.label for cell in sight.cells))
    for label in labels:
        refused = _may_write(principal, label)
        if refused is not None:
            return refused
    removal = Removal(entity=ask.id, alias=sight.report.alias, happened_at_ms=desk.now_ms())
    entries = []
    for label in labels:
        written = await desk.write(removal, label=label)
        if isinstance(written, Refused):
            return written
        entries.append(written.envelope.id)
    return Dropped(entity=ask.id, entries=tuple(entries))


def _may_write(principal: Principal, label: Label) -> Refused | None:
    """Nobody takes off what they could not have put on: all its groups are among those the asker writes into."""
    missing = sorted(set(label.groups) - principal.groups_in)
    if missing:
        return Refused(
            "group",
            f"it is marked for {', '.join(missing)}, and you may not write there: ask one of that group",
        )
    return None


drop = Command(
    name="drop_entity",
    method="DELETE",
    path="/entities/{id}",
    request=DropEntity,
    answer=Dropped,
    role="operator",
    act=drop_entity,
    summary="Take an entity off everybody's picture",
)

COMMANDS = (
    Command(
        name="place_marker",
        method="POST",
        path="/markers",
        request=NewMarker,
        answer=Placed,
        role="operator",
        act=place_marker,
        summary="Place a marker that phones and screens receive",
    ),
    drop,
)
