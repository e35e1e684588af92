"""Certificates for who runs the node: lists, one of them, and taking one back."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading
from aquila.core.model import Act, Principal
from aquila.features.devices.certificates import kept_certificate
from aquila.features.devices.groups import devices_of
from aquila.features.devices.view import CERTIFICATE_DELETED, CERTIFICATE_REVOKED, DeviceCertificate, target_of
from aquila.links.pki.authority import Authority

IDS_MAX = 100
Listed = Literal["all", "active", "expired", "replaced", "revoked"]


class AskCertificates(msgspec.Struct, frozen=True, kw_only=True):
    """Which certificates. device: only its; any case. ids: only these, by `id`. fingerprint: None = not compared."""

    listed: Listed = "all"
    device: str | None = None
    ids: tuple[int, ...] | None = None
    fingerprint: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 10_000


class AskCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate, by its fingerprint (SHA-256, with or without colons)."""

    fingerprint: str


class CertificateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as it is listed. id: a number for it, made of its serial. pem: "" = not kept."""

    id: int
    certificate: DeviceCertificate
    pem: str


class TakeCertificates(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates to be taken back: by `id`, or one by its fingerprint. delete: and to be listed no more."""

    ids: Annotated[tuple[int, ...], msgspec.Meta(max_length=IDS_MAX)] = ()
    fingerprint: str | None = None
    delete: bool = False


class CertificatesTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Those that were taken back, as they are now."""

    rows: tuple[CertificateRow, ...]


def id_of(serial: str) -> int:
    """A number for a certificate: 48 bits of its random serial, which every client's numbers hold exactly."""
    return int(serial[-12:], 16) if serial else 0


def _plain(fingerprint: str) -> str:
    return fingerprint.replace(":", "").upper()


def _rows(reading: Reading, found: Iterator[DeviceCertificate]) -> Iterator[CertificateRow]:
    for each in found:
        pem = kept_certificate(reading.part("secrets"), each.serial)
        yield CertificateRow(id=id_of(each.serial), certificate=each, pem=(pem or b"").decode())


def _is_listed(each: DeviceCertificate, ask: AskCertificates, now_ms: int) -> bool:
    if ask.device is not None and each.device.casefold() != ask.device.casefold():
        return False
    if ask.ids is not None and id_of(each.serial) not in ask.ids:
        return False
    if ask.fingerprint is not None and _plain(each.fingerprint) != _plain(ask.fingerprint):
        return False
    if ask.listed == "all":
        return True
    is_expired = each.state != "revoked" and each.not_after_ms <= now_ms
    return is_expired if ask.listed == "expired" else each.state == ask.listed and not is_expired


def _certificates(principal: Principal, ask: AskCertificates, reading: Reading) -> Iterator[Labelled]:
    now_ms = reading.now_ms()
    found = (each for each in devices_of(reading).certificates(reading.node) if _is_listed(each, ask, now_ms))
    for row in _rows(reading, found):
        yield Labelled(row, None, reading.context)


def _certificate(principal: Principal, ask: AskCertificate, reading: Reading) -> Iterator[Labelled]:
    for row in _rows(reading, _by_fingerprint(reading, ask.fingerprint)):
        yield Labelled(row, None, reading.context)


def _by_fingerprint(reading: Reading, fingerprint: str) -> Iterator[DeviceCertificate]:
    wanted = _plain(fingerprint)
    return (each for each in devices_of(reading).certificates(reading.node) if _plain(each.fingerprint) == wanted)


async def take(principal: Principal, ask: TakeCertificates, desk: Desk) -> CertificatesTaken | Refused:
    """Revoke certificates. A device that has none left is in force no more; its connections are closed."""
    if ask.fingerprint is not None:
        found = list(_by_fingerprint(desk, ask.fingerprint))
    else:
        found = [each for each in devices_of(desk).certificates(desk.node) if id_of(each.serial) in ask.ids]
    if not found:
        return Refused("absent", "there is no such certificate")
    authority: Authority = desk.part("authority")
    for each in found:
        now_ms = desk.now_ms()
        actions = [] if each.state == "revoked" else [CERTIFICATE_REVOKED]
        if actions:
            # The list first: whoever hears the entry loads the list anew.
            await asyncio.to_thread(authority.revoke, each.serial, now_ms)
        for action in [*actions, CERTIFICATE_DELETED] if ask.delete else actions:
            act = Act(
                action=action, target=target_of(each.device), happened_at_ms=now_ms, detail={"serial": each.serial}
            )
            written = await desk.write(act)
            if isinstance(written, Refused):
                return written
    serials = {each.serial for each in found}
    now = (each for each in devices_of(desk).certificates(desk.node) if each.serial in serials)
    return CertificatesTaken(rows=tuple(await asyncio.to_thread(lambda: tuple(_rows(desk, now)))))


certificates = Query(
    name="certificates",
    path="/certificates",
    request=AskCertificates,
    row=CertificateRow,
    role="admin",
    answer=_certificates,
    blocking=True,
)
certificate = Query(
    name="certificate",
    path="/certificates/{fingerprint}",
    request=AskCertificate,
    row=CertificateRow,
    role="admin",
    answer=_certificate,
    one=True,
    blocking=True,
)
take_certificates = Command(
    name="take_certificates",
    method="POST",
    path="/certificates/revocations",
    request=TakeCertificates,
    answer=CertificatesTaken,
    role="admin",
    act=take,
)
