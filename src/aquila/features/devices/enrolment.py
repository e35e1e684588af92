"""Enrolment: a device sends a certificate request and gets a certificate, for its token, password or certificate.

- With an invitation: once. The same request again within a minute gets the same certificate, because a phone that lost
  the answer sends it again; another request with the same token is refused.
- A person with a password enrols a device of his own name, which may at every moment what he may (ADR 12). Several
  clients may: each has its own certificate (`clientUid`), since browsers' gateways enrol at every login and must not
  throw out the phone.
- A device renews its own certificate. The old one stays good until the new one is first used (see view).
"""

import asyncio
import hashlib
from typing import Any

import msgspec

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk
from aquila.core.ids import derived_id
from aquila.core.model import Act, Principal
from aquila.features.devices.certificates import certificate_detail, keep_certificate, kept_certificate
from aquila.features.devices.groups import devices_of
from aquila.features.devices.invitations import Invitation, Secrets, invited_by
from aquila.features.devices.refusals import Noter, plain
from aquila.features.devices.view import DEVICE_ADDED, DEVICE_RENEWED, joined, target_of
from aquila.links.pki.authority import Authority, Issued
from aquila.links.pki.certificates import pem
from aquila.links.pki.credentials import enrolment_store
from aquila.links.pki.requests import read_request

AGAIN_MS = 60_000
"""So long the same request gets the same certificate again."""
STORE_PASSWORD = "atakatak"  # noqa: S105  # what clients of the old form expect; there is no secret in the store
CLIENT_MAX = 128
PER_HOUR_MAX = 20
"""Certificates that one device gets, so that nobody fills the journal with renewals."""
HOUR_MS = 3_600_000


class Enrol(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate request.

    Attributes:
        request: PKCS 10 in any form that clients send. client: uid that the client gives for itself; "" = none.
        key: under which an invitation would be known that came along; None = nothing came along.
        as_store: a PKCS 12 of the old form is wanted, too.
    """

    request: bytes
    client: str = ""
    key: str | None = None
    as_store: bool = False

    @property
    def digest(self) -> str:
        """Of the request, whatever the line ends."""
        return hashlib.sha256(b"".join(self.request.split())).hexdigest()


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate and those it hangs from, PEM.

    Attributes:
        chain: root first. store: all of it as PKCS 12, when it was asked for.
    """

    name: str
    serial: str
    certificate: bytes
    chain: tuple[bytes, bytes]
    store: bytes = b""


async def enrol(principal: Principal, ask: Enrol, desk: Desk) -> Enrolled | Refused:
    """Give a certificate. Whoever is refused stands in the journal."""
    kind, _, name = principal.id.partition(":")
    try:
        match kind:
            case "invitation":
                answer = await _by_invitation(ask, desk)
            case "person":
                answer = await _by_person(principal, name, ask, desk)
            case "device":
                answer = await _renewed(name, ask, desk)
            case _:
                answer = Refused("person", "this cannot enrol: come with an invitation, a password or a certificate")
    except UsageError as wrong:
        answer = Refused("device", str(wrong))
    if isinstance(answer, Refused):
        noter: Noter = desk.part("refusals")
        noter.note(target_of(name), answer.reason, answer.detail)
    return answer


async def _by_invitation(ask: Enrol, desk: Desk) -> Enrolled | Refused:
    store: Secrets = desk.part("secrets")
    now_ms = desk.now_ms()
    invitation = None if ask.key is None else await invited_by(store, ask.key, now_ms)
    if invitation is None:
        return _used()
    wrong = await _judge(ask, invitation.name)
    if wrong is not None:
        return wrong
    # Claimed in one step, so that of two requests with one token only one is answered, whatever comes in between.
    claimed = await asyncio.to_thread(store.change, invitation.key, _claim(ask.digest, now_ms))
    invitation = msgspec.convert(claimed, Invitation)
    if invitation.request != ask.digest or now_ms - invitation.used_ms > AGAIN_MS:
        return _used()
    entry_id = derived_id("device.enrol", 1, invitation.key)
    known = await asyncio.to_thread(desk.journal.entry, entry_id)
    if known is None and devices_of(desk).device(desk.node, invitation.name) is not None:
        return Refused("taken", f"there is a device {invitation.name} by now: it is revoked first")
    serial = known.body.detail.get("serial", "") if known is not None and isinstance(known.body, Act) else None
    if serial is None:
        detail = dict(invitation.detail)
        given = await _give(ask, invitation.name, DEVICE_ADDED, detail, desk, entry_id)
        if isinstance(given, Refused):
            return given
        serial = given
    await asyncio.to_thread(store.change, invitation.key, _note_serial(serial))
    return await _answer(ask, invitation.name, serial, desk)


async def _by_person(principal: Principal, name: str, ask: Enrol, desk: Desk) -> Enrolled | Refused:
    device = devices_of(desk).device(desk.node, name)
    if device is not None and device.person != name:
        return Refused("taken", f"there is a device {name} that is not yours: ask who runs this node")
    wrong = await _judge(ask, name) or _too_many(name, desk)
    if wrong is not None:
        return wrong
    detail = {"client": plain(ask.client, CLIENT_MAX)}
    if device is not None:
        return await _given(ask, name, DEVICE_RENEWED, detail, desk)
    detail |= {
        "person": name,
        "nation": principal.nation or "",
        "clearance": principal.clearance,
        "caveats": joined(principal.caveats),
        "groups_in": joined(principal.groups_in),
        "groups_out": joined(principal.groups_out),
    }
    return await _given(ask, name, DEVICE_ADDED, detail, desk)


async def _renewed(name: str, ask: Enrol, desk: Desk) -> Enrolled | Refused:
    device = devices_of(desk).device(desk.node, name)
    if device is None:
        return Refused("absent", f"there is no device {name}")
    wrong = await _judge(ask, name) or _too_many(name, desk)
    if wrong is not None:
        return wrong
    # Only a person's device has several clients, whose certificates do not replace one another.
    client = plain(ask.client, CLIENT_MAX) if device.person is not None else ""
    return await _given(ask, name, DEVICE_RENEWED, {"client": client}, desk)


async def _judge(ask: Enrol, name: str) -> Refused | None:
    """Is it a request that may be signed for this name? In the words of the web's statuses."""
    read = await asyncio.to_thread(read_request, ask.request, name)
    if not isinstance(read, Refused):
        return None
    return Refused("identity" if read.reason == "name" else "request", read.detail)


def _too_many(name: str, desk: Desk) -> Refused | None:
    since_ms = desk.now_ms() - HOUR_MS
    recent = [
        row for row in devices_of(desk).certificates(desk.node) if row.device == name and row.issued_at_ms > since_ms
    ]
    if len(recent) < PER_HOUR_MAX:
        return None
    return Refused("rate", f"{name} got {len(recent)} certificates within an hour: come back in an hour")


async def _given(ask: Enrol, name: str, action: str, detail: dict[str, str], desk: Desk) -> Enrolled | Refused:
    serial = await _give(ask, name, action, detail, desk)
    return serial if isinstance(serial, Refused) else await _answer(ask, name, serial, desk)


async def _give(
    ask: Enrol, name: str, action: str, detail: dict[str, str], desk: Desk, entry_id: str | None = None
) -> str | Refused:
    """Issue a certificate and write that it was given; gives the serial of the entry that stands."""
    authority: Authority = desk.part("authority")
    now_ms = desk.now_ms()
    issued: Issued | Refused = await asyncio.to_thread(authority.sign_request, ask.request, name, now_ms)
    if isinstance(issued, Refused):
        return issued
    await asyncio.to_thread(keep_certificate, desk.part("secrets"), issued)
    act = Act(action=action, target=target_of(name), happened_at_ms=now_ms, detail=detail | certificate_detail(issued))
    # Said by who has no group to write into yet, or has switched all off: it is the node's own business.
    written = await desk.write(act, id=entry_id, label=desk.policy.default_label)
    if isinstance(written, Refused):
        return written
    return written.body.detail.get("serial", "") if isinstance(written.body, Act) else issued.serial


async def _answer(ask: Enrol, name: str, serial: str, desk: Desk) -> Enrolled | Refused:
    certificate = await asyncio.to_thread(kept_certificate, desk.part("secrets"), serial)
    if certificate is None:
        return Refused("unavailable", "the certificate was given, but is not kept here any more: enrol anew")
    authority: Authority = desk.part("authority")
    store = b""
    if ask.as_store:
        store = await asyncio.to_thread(enrolment_store, authority, certificate, STORE_PASSWORD)
    chain = (pem(authority.root), pem(authority.intermediate))
    return Enrolled(name=name, serial=serial, certificate=certificate, chain=chain, store=store)


def _claim(digest: str, now_ms: int) -> Any:
    def claim(kept: Any) -> Any:
        return kept if kept["request"] is not None else {**kept, "request": digest, "used_ms": now_ms}

    return claim


def _note_serial(serial: str) -> Any:
    return lambda kept: {**kept, "serial": serial}


def _used() -> Refused:
    return Refused("used", "the token was used, is over or unknown: ask who runs this node for a new invitation")


enrol_device = Command(
    name="enrol_device",
    method="POST",
    path="/devices/enrolments",
    request=Enrol,
    answer=Enrolled,
    role="viewer",
    act=enrol,
    summary="Enrol a device; by the TAK contract only",
)
