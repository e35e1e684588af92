"""Invitations: a one-time token with which one device may enrol. Kept as a hash, used once, over after a while."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol
from urllib.parse import quote

import msgspec

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk
from aquila.core.model import Act, Context, Principal
from aquila.features.devices.groups import devices_of
from aquila.features.devices.view import target_of
from aquila.features.devices.words import Address, Wanted, entitlements
from aquila.links.pki.authority import Authority
from aquila.links.pki.credentials import SIGNS, invitation_packages
from aquila.links.pki.names import device_name

PREFIX = "invitation/"
TOKEN_LENGTH = 20
"""100 bits, from signs that can be read aloud: where no picture can be taken it is typed."""
AFTERWARDS_MS = 600_000
"""So long a used token is still good for what a phone fetches right after its certificate: the profiles."""
DEVICE_INVITED = "device.invite"


class Kept(Protocol):
    """What is asked of the part `secrets` of a node to look something up."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...


class Secrets(Kept, Protocol):
    """What is asked of it to keep an invitation."""

    def put(self, name: str, value: Any) -> None:  # JSON
        """Keep a value, instead of any before it."""
        ...

    def change(self, name: str, change: Callable[[Any], Any]) -> Any:  # JSON
        """Put what `change` makes of the value (None = none yet), as one step; gives the new value."""
        ...

    def remove(self, name: str) -> bool:
        """Forget it; False = there was none."""
        ...

    def named(self, prefix: str) -> dict[str, Any]:
        """All whose name begins so."""
        ...


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What a token stands for.

    Attributes:
        key: name under which the secret store knows it.
        name: of the device that may enrol. detail: nation, clearance, groups as in the act that adds a device.
        ends_ms: it is over then. request: digest of the certificate request that used it; None = not used yet.
        used_ms: when. serial: of the certificate that was given for it; None = none yet.
    """

    key: str
    name: str
    detail: Mapping[str, str]
    ends_ms: int
    request: str | None = None
    used_ms: int = 0
    serial: str | None = None

    def fits(self, user: str) -> bool:
        """Is this the name it was made for? Compared as TAK servers do, without case."""
        return user.casefold() == self.name.casefold()

    def is_over(self, now_ms: int) -> bool:
        """Is it good for nothing any more?"""
        return now_ms >= (self.ends_ms if self.request is None else self.used_ms + AFTERWARDS_MS)


class InviteDevice(Wanted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device to be invited. See Wanted. minutes: so long its token is good."""

    minutes: Annotated[int, msgspec.Meta(ge=1, le=30 * 24 * 60)] = 60


class DeviceInvited(msgspec.Struct, frozen=True, kw_only=True):
    """The invitation, shown this once.

    Attributes:
        token: the password that the device enrols with, once, under its name.
        url: opens ATAK, which enrols by itself. itak: iTAK's form, without name and token. registration: the JSON form.
        qr: what to draw as pictures, by client.
        package_atak, package_itak: data packages that bring the address and the node's certificates; the client asks
            for name and token. password: of their trust store.
    """

    name: str
    token: str
    ends_ms: int
    url: str
    itak: str
    registration: str
    qr: dict[str, str]
    package_atak: bytes
    package_itak: bytes
    password: str


def invitation_key(token: str) -> str:
    """Name under which the secret store knows a token."""
    return PREFIX + hashlib.sha256(token.encode()).hexdigest()


async def invited(secrets: Kept, token: str, now_ms: int) -> Invitation | None:
    """What a token stands for; None = unknown or over."""
    return await invited_by(secrets, invitation_key(token), now_ms)


async def invited_by(secrets: Kept, key: str, now_ms: int) -> Invitation | None:
    """What the token with this key stands for; None = unknown or over."""
    kept = await asyncio.to_thread(secrets.get, key)
    if kept is None:
        return None
    invitation = msgspec.convert(kept, Invitation)
    return None if invitation.is_over(now_ms) else invitation


def invitation_of(invitation: Invitation, context: Context) -> Principal:
    """Who comes with an invitation. It has the device's groups, for its profiles, but may only enrol."""
    detail = invitation.detail
    return Principal(
        id=f"invitation:{invitation.name}",
        kind="device",
        name=invitation.name,
        context=context,
        nation=detail.get("nation") or None,
        clearance=detail.get("clearance", "UNCLASSIFIED"),
        groups_in=frozenset(word for word in detail.get("groups_in", "").split(",") if word),
        groups_out=frozenset(word for word in detail.get("groups_out", "").split(",") if word),
    )


async def invite(principal: Principal, ask: InviteDevice, desk: Desk) -> DeviceInvited | Refused:
    """Make a token. The act is written first: a token that is in no journal must not work."""
    rights = entitlements(principal, ask, desk)
    if isinstance(rights, Refused):
        return rights
    try:
        name = device_name(ask.name)
    except UsageError as wrong:
        return Refused("device", str(wrong))
    if devices_of(desk).device(desk.node, name) is not None:
        return Refused("taken", f"there is a device {name}: revoke it first, or take another name")
    authority: Authority = desk.part("authority")
    address: Address = desk.part("address")
    store: Secrets = desk.part("secrets")
    host, now_ms = ask.host or address.host, desk.now_ms()
    ends_ms = now_ms + ask.minutes * 60_000
    token = "".join(SIGNS[byte % 32] for byte in secrets.token_bytes(TOKEN_LENGTH))
    try:
        packages = await asyncio.to_thread(
            invitation_packages, authority, name=name, host=host, port=address.tak_tls, uid=desk.new_id()
        )
    except UsageError as wrong:
        return Refused("host", str(wrong))
    said = rights | {"ends_ms": str(ends_ms)}
    written = await desk.write(Act(action=DEVICE_INVITED, target=target_of(name), happened_at_ms=now_ms, detail=said))
    if isinstance(written, Refused):
        return written
    invitation = Invitation(key=invitation_key(token), name=name, detail=rights, ends_ms=ends_ms)
    await asyncio.to_thread(_keep, store, invitation, now_ms)
    url, itak = enrol_url(host, name, token), f"{packages.description},{host},{address.tak_tls},ssl"
    registration = registration_of(host, address.tak_tls, name, token, written.envelope.id)
    return DeviceInvited(
        name=name,
        token=token,
        ends_ms=ends_ms,
        url=url,
        itak=itak,
        registration=registration,
        qr={"ATAK": url, "iTAK": itak, "registration": registration},
        package_atak=packages.atak,
        package_itak=packages.itak,
        password=packages.password,
    )


def _keep(store: Secrets, invitation: Invitation, now_ms: int) -> None:
    for key, kept in store.named(PREFIX).items():
        if msgspec.convert(kept, Invitation).is_over(now_ms):
            store.remove(key)
    store.put(invitation.key, msgspec.to_builtins(invitation))


def enrol_url(host: str, name: str, token: str) -> str:
    """The link that ATAK opens: exactly these three parameters; it takes ports 8446 and 8089 for granted."""
    return f"tak://com.atakmap.app/enroll?host={quote(host)}&username={quote(name)}&token={quote(token)}"


def registration_of(host: str, port: int, name: str, token: str, registration_id: str) -> str:
    """The registration form, as JSON."""
    form = {
        "passphrase": "false",
        "type": "registration",
        "serverCredentials": {"connectionString": f"{host}:{port}:ssl"},
        "userCredentials": {"username": name, "password": token, "registrationId": registration_id},
    }
    return msgspec.json.encode(form).decode()


invite_device = Command(
    name="invite_device",
    method="POST",
    path="/devices/invitations",
    request=InviteDevice,
    answer=DeviceInvited,
    role="admin",
    act=invite,
    summary="Make a one-time token with which a device enrols; it is shown once",
)
