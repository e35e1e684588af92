"""Groups: who may read and write where. TAK clients call them channels."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Annotated

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.core.view import view_of
from aquila.features.devices.view import Devices


class AskGroups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All groups that the asker belongs to."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One group: what the asker may do there, and how many devices read it. active: false = it is switched off."""

    name: str
    may_read: bool
    may_write: bool
    device_count: int
    active: bool = True


def devices_of(reading: Reading) -> Devices:
    """The view of this node."""
    return view_of(reading.views, "devices", Devices)


def group_rows(
    groups_in: Collection[str], groups_out: Collection[str], inactive: Collection[str], reading: Reading
) -> Iterator[GroupRow]:
    """The rows of who is in these groups, by name. A group that he is not in is not even named."""
    readers = Counter(group for device in devices_of(reading).devices(reading.node) for group in device.groups_out)
    for name in sorted({*groups_in, *groups_out}):
        yield GroupRow(
            name=name,
            may_read=name in groups_out,
            may_write=name in groups_in,
            device_count=readers[name],
            active=name not in inactive,
        )


def _groups(principal: Principal, ask: AskGroups, reading: Reading) -> Iterator[Labelled]:
    for row in group_rows(principal.groups_in, principal.groups_out, (), reading):
        yield Labelled(row, None, reading.context)


groups = Query(
    name="groups",
    path="/groups",
    request=AskGroups,
    row=GroupRow,
    role="viewer",
    answer=_groups,
    summary="Groups that the asker belongs to",
)
