"""Devices: phones and other clients with a certificate: who they are, what they may, how one is added and revoked."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from typing import Annotated, Protocol

import msgspec

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading
from aquila.core.model import Act, Principal
from aquila.features.devices.groups import devices_of, groups
from aquila.features.devices.marti import endpoints
from aquila.features.devices.view import DEVICE_ADDED, DEVICE_REVOKED, Device, Devices, target_of
from aquila.links.pki.authority import Authority, Issued
from aquila.links.pki.credentials import device_files, new_password

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Group = Annotated[str, msgspec.Meta(pattern=r"^[^,\x00-\x1f]{1,100}$")]
Groups = Annotated[tuple[Group, ...], msgspec.Meta(min_length=1, max_length=100)]


class Address(Protocol):
    """The part `address` of a node: by which devices reach it."""

    host: str
    tak_tls: int


class NewDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device to be added.

    Attributes:
        nation: three letters (ISO 3166); None = that of the asker.
        groups_in: groups it may write into; None = the policy's default group. groups_out: groups it may read; None =
            the same as groups_in.
        clearance: highest classification it may read; None = the policy's lowest.
        host: name or address under which it reaches this node; None = the node's own.
    """

    name: Name
    nation: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] | None = None
    groups_in: Groups | None = None
    groups_out: Groups | None = None
    clearance: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    callsign: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] | None = None


class DeviceMade(msgspec.Struct, frozen=True, kw_only=True):
    """The device that now is, and its files, shown this once.

    Attributes:
        password: of the key stores in the package.
        package: a zip with NAME.p12, NAME.pem, NAME.key, ca.pem and the data packages for ATAK and iTAK.
    """

    name: str
    serial: str
    not_after_ms: int
    password: str
    package: bytes


class DropDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which device."""

    name: Name


class DeviceDropped(msgspec.Struct, frozen=True, kw_only=True):
    """What was revoked, and the journal entry that says so."""

    name: str
    serial: str
    entry: str


class AskDevices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All devices."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 1000


def _devices(principal: Principal, ask: AskDevices, reading: Reading) -> Iterator[Labelled]:
    for device in devices_of(reading).devices(reading.node):
        yield Labelled(device, None, reading.context)


async def add_device(principal: Principal, ask: NewDevice, desk: Desk) -> DeviceMade | Refused:
    """Issue a certificate and write who the device is. Without the entry the certificate opens nothing."""
    policy = desk.policy
    clearance = ask.clearance or policy.classifications[0]
    if policy.rank(clearance) is None:
        return Refused("clearance", f"clearance {clearance}: one of {', '.join(policy.classifications)}")
    if devices_of(desk).device(desk.node, ask.name) is not None:
        return Refused("taken", f"there is a device {ask.name}: revoke it first, or take another name")
    authority: Authority = desk.part("authority")
    address: Address = desk.part("address")
    password = new_password()
    host, now_ms = ask.host or address.host, desk.now_ms()
    try:
        issued, package = await asyncio.to_thread(_issue, authority, ask.name, now_ms, host, address.tak_tls, password)
    except UsageError as wrong:
        return Refused("device", str(wrong))
    groups_in = ask.groups_in or policy.default_label.groups
    detail = {
        "nation": ask.nation or principal.nation or "",
        "clearance": clearance,
        "groups_in": ",".join(groups_in),
        "groups_out": ",".join(ask.groups_out or groups_in),
        "callsign": ask.callsign or "",
        "serial": issued.serial,
        "not_after_ms": str(issued.not_after_ms),
    }
    written = await desk.write(
        Act(action=DEVICE_ADDED, target=target_of(issued.name), happened_at_ms=now_ms, detail=detail)
    )
    if isinstance(written, Refused):
        await asyncio.to_thread(authority.revoke, issued.serial, now_ms, "cessationOfOperation")
        return written
    return DeviceMade(
        name=issued.name,
        serial=issued.serial,
        not_after_ms=issued.not_after_ms,
        password=password,
        package=package,
    )


def _issue(authority: Authority, name: str, now_ms: int, host: str, port: int, password: str) -> tuple[Issued, bytes]:
    issued = authority.issue_device(name, now_ms)
    files = device_files(authority, issued, host=host, port=port, password=password)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            # The mode travels along, so that whoever unpacks it keeps keys to the owner.
            entry = zipfile.ZipInfo(file.name)
            entry.external_attr = file.mode << 16
            archive.writestr(entry, file.content)
    return issued, packed.getvalue()


async def drop_device(principal: Principal, ask: DropDevice, desk: Desk) -> DeviceDropped | Refused:
    """Revoke a device. The list first: whoever hears the entry loads the list anew."""
    device = devices_of(desk).device(desk.node, ask.name)
    if device is None:
        return Refused("absent", f"there is no device {ask.name}")
    authority: Authority = desk.part("authority")
    now_ms = desk.now_ms()
    await asyncio.to_thread(authority.revoke, device.serial, now_ms)
    written = await desk.write(
        Act(
            action=DEVICE_REVOKED,
            target=target_of(device.name),
            happened_at_ms=now_ms,
            detail={"serial": device.serial},
        )
    )
    if isinstance(written, Refused):
        return written
    return DeviceDropped(name=device.name, serial=device.serial, entry=written.envelope.id)


feature = Feature(
    name="devices",
    views=(Devices,),
    queries=(
        Query(
            name="devices",
            path="/devices",
            request=AskDevices,
            row=Device,
            role="operator",
            answer=_devices,
            summary="Devices in force",
        ),
        groups,
    ),
    commands=(
        Command(
            name="add_device",
            method="POST",
            path="/devices",
            request=NewDevice,
            answer=DeviceMade,
            role="admin",
            act=add_device,
            summary="Add a device and get its certificate and packages",
        ),
        Command(
            name="drop_device",
            method="DELETE",
            path="/devices/{name}",
            request=DropDevice,
            answer=DeviceDropped,
            role="admin",
            act=drop_device,
            summary="Revoke a device; its connections are closed",
        ),
    ),
    endpoints=endpoints,
)

__all__ = [
    "DEVICE_ADDED",
    "DEVICE_REVOKED",
    "Address",
    "Device",
    "DeviceMade",
    "Devices",
    "NewDevice",
    "feature",
    "target_of",
]
