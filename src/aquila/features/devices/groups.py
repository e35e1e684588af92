"""Groups: who may read and write where. TAK clients call them channels."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.features.devices.view import Devices


class AskGroups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All groups that the asker belongs to."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One group: what the asker may do there, and how many devices read it."""

    name: str
    may_read: bool
    may_write: bool
    device_count: int


def devices_of(reading: Reading) -> Devices:
    """The view of this node."""
    view = reading.views["devices"]
    if not isinstance(view, Devices):
        raise TypeError(f"view devices is a {type(view).__name__}")
    return view


def _groups(principal: Principal, ask: AskGroups, reading: Reading) -> Iterator[Labelled]:
    readers = Counter(group for device in devices_of(reading).devices(reading.node) for group in device.groups_out)
    # A group that the asker is not in is not even named.
    for name in sorted(principal.groups_in | principal.groups_out):
        row = GroupRow(
            name=name,
            may_read=name in principal.groups_out,
            may_write=name in principal.groups_in,
            device_count=readers[name],
        )
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
