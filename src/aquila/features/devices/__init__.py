"""Devices: phones and other clients with a certificate: who they are, what they may, how one is added and revoked."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading
from aquila.core.model import Act, Principal
from aquila.features.devices import marti, marti_certadmin
from aquila.features.devices.certificates import certificate_detail, keep_certificate, revoke_all
from aquila.features.devices.groups import devices_of, groups
from aquila.features.devices.invitations import (
    DeviceInvited,
    InviteDevice,
    cancel_invitation,
    invite_device,
    list_invitations,
)
from aquila.features.devices.presence import device_rows
from aquila.features.devices.profiles import Profiles, add_profile, drop_profile, profiles
from aquila.features.devices.view import DEVICE_ADDED, DEVICE_REVOKED, DEVICE_SWITCHED, Device, Devices, target_of
from aquila.features.devices.words import Address, Name, Wanted, entitlements
from aquila.links.pki.authority import Authority, Issued
from aquila.links.pki.credentials import device_files, new_password


class NewDevice(Wanted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device to be added. See Wanted."""


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
    """All devices in force. revoked: and those that were taken back, for whom the name is free."""

    revoked: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 1000


def _devices(principal: Principal, ask: AskDevices, reading: Reading) -> Iterator[Labelled]:
    for row in device_rows(reading, with_revoked=ask.revoked):
        yield Labelled(row, None, reading.context)


async def add_device(principal: Principal, ask: NewDevice, desk: Desk) -> DeviceMade | Refused:
    """Issue a certificate and write who the device is. Without the entry the certificate opens nothing."""
    rights = entitlements(principal, ask, desk)
    if isinstance(rights, Refused):
        return rights
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
    detail = rights | certificate_detail(issued)
    await asyncio.to_thread(keep_certificate, desk.part("secrets"), issued)
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
    await asyncio.to_thread(revoke_all, authority, device.serials, now_ms)
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
    views=(Devices, Profiles),
    queries=(
        Query(
            name="devices",
            path="/devices",
            request=AskDevices,
            row=Device,
            role="operator",
            answer=_devices,
            summary="Devices in force; with revoked=true also those taken back",
        ),
        groups,
        profiles,
        list_invitations,
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
        invite_device,
        cancel_invitation,
        add_profile,
        drop_profile,
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
    endpoints=(*marti.endpoints, *marti_certadmin.endpoints),
)

__all__ = [
    "DEVICE_ADDED",
    "DEVICE_REVOKED",
    "DEVICE_SWITCHED",
    "Address",
    "Device",
    "DeviceInvited",
    "DeviceMade",
    "Devices",
    "InviteDevice",
    "NewDevice",
    "Profiles",
    "feature",
    "target_of",
]
