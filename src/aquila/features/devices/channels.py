"""Channels: the groups of one device, and those that its user has switched off. Nothing is read or written there."""

from collections.abc import Iterator
from typing import Annotated, Protocol

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading
from aquila.core.model import Act, Principal
from aquila.features.devices.groups import GroupRow, devices_of, group_rows
from aquila.features.devices.refusals import plain
from aquila.features.devices.view import DEVICE_CHANNELS, Device, joined, target_of

CLIENT_MAX = 128
CHANNELS_MAX = 1000


class Streams(Protocol):
    """The part `streams` of a node: live connections."""

    def resend(self, principal: str) -> None:
        """Have all connections of this principal get the picture again."""
        ...


class AskChannels(msgspec.Struct, frozen=True, kw_only=True):
    """The groups that the asker belongs to. resend: its connections get the latest positions again."""

    resend: bool = False


class SetChannels(msgspec.Struct, frozen=True, kw_only=True):
    """Which groups are to be on.

    Attributes:
        named: on or off by name; those not named stay as they are.
        places: those that are on, as numbers in the order of `bitpos`; all others are off; None = by name.
        client: uid of the connection that the user switches on; "" = not said.
    """

    named: Annotated[dict[str, bool], msgspec.Meta(max_length=CHANNELS_MAX)] = {}
    places: Annotated[tuple[int, ...], msgspec.Meta(max_length=CHANNELS_MAX)] | None = None
    client: str = ""


class ChannelsSet(msgspec.Struct, frozen=True, kw_only=True):
    """The groups that are off now."""

    inactive: tuple[str, ...]


def own_device(principal: Principal, reading: Reading) -> Device | None:
    """The device that asks; None = it is none."""
    kind, _, name = principal.id.partition(":")
    return devices_of(reading).device(reading.node, name) if kind == "device" else None


def _channels(principal: Principal, ask: AskChannels, reading: Reading) -> Iterator[Labelled]:
    device = own_device(principal, reading)
    if ask.resend and device is not None:
        streams: Streams = reading.part("streams")
        streams.resend(principal.id)
    # A principal has only the groups that are on: its user must see the others to switch them on again.
    rights = (
        (principal.groups_in, principal.groups_out)
        if device is None
        else (frozenset(device.groups_in), frozenset(device.groups_out))
    )
    inactive = () if device is None else device.inactive
    for row in group_rows(*rights, inactive, reading):
        yield Labelled(row, None, reading.context)


async def set_active(principal: Principal, ask: SetChannels, desk: Desk) -> ChannelsSet | Refused:
    """Switch groups on and off. Groups that the device is not in are passed over without a word."""
    device = own_device(principal, desk)
    if device is None:
        return Refused("person", "channels belong to a device: come with its certificate")
    if ask.places is None:
        inactive = {name for name in device.groups if not ask.named.get(name, name not in device.inactive)}
    else:
        inactive = {name for place, name in enumerate(device.groups) if place not in ask.places}
    if inactive != set(device.inactive):
        detail = {"inactive": joined(inactive), "client": plain(ask.client, CLIENT_MAX)}
        act = Act(action=DEVICE_CHANNELS, target=target_of(device.name), happened_at_ms=desk.now_ms(), detail=detail)
        # A device that has switched all groups off could say nothing more under a label of its own.
        written = await desk.write(act, label=desk.policy.default_label)
        if isinstance(written, Refused):
            return written
    return ChannelsSet(inactive=tuple(sorted(inactive)))


channels = Query(name="channels", path="/channels", request=AskChannels, row=GroupRow, role="viewer", answer=_channels)
set_channels = Command(
    name="set_channels",
    method="POST",
    path="/channels",
    request=SetChannels,
    answer=ChannelsSet,
    role="viewer",
    act=set_active,
)
