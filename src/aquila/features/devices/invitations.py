"""Invitations: a one-time token with which one device may enrol. Kept as a hash, used once, over after a while."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote

import msgspec

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk, Labelled, Query, Reading
from aquila.core.model import Act, Context, Entry, Principal
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
KEPT_MS = 7 * 86_400_000
"""So long one that was used or ran out is listed, so that who invited sees what became of it."""
INVITATIONS_MAX = 1000
ID_LENGTH = 16
DEVICE_INVITED, DEVICE_UNINVITED = "device.invite", "device.uninvite"
InvitationState = Literal["pending", "used", "expired"]


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

    @property
    def id(self) -> str:
        """A name for it that opens nothing: the beginning of its token's hash."""
        return self.key.removeprefix(PREFIX)[:ID_LENGTH]

    def state(self, now_ms: int) -> InvitationState:
        """What became of it."""
        if self.request is not None:
            return "used"
        return "pending" if now_ms < self.ends_ms else "expired"

    def is_forgotten(self, now_ms: int) -> bool:
        """Is it so old that nobody asks what became of it?"""
        return now_ms >= max(self.ends_ms, self.used_ms) + KEPT_MS

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
        host: name or address that is in all of them. others: further addresses of this node, for another invitation.
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
    host: str
    others: tuple[str, ...]


class AskInvitations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which invitations; None = whatever became of them."""

    state: InvitationState | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class InvitationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One invitation, without its token, which is kept nowhere.

    Attributes:
        id: with which it is cancelled. name: of the device that may enrol. ends_ms: it is over then, UTC.
        state: pending; used = the device has its certificate; expired = nobody came.
        used_at_ms: None = not used. groups_in, groups_out: that the device gets, or got.
    """

    id: str
    name: str
    state: InvitationState
    ends_ms: int
    used_at_ms: int | None
    nation: str | None
    groups_in: tuple[str, ...]
    groups_out: tuple[str, ...]


class CancelInvitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which one, by its id."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH)]


class InvitationCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Whose invitation it was, and the journal entry that says so."""

    name: str
    entry: str


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
    """Make a token; one that waits for the same device is taken back: nobody knows who has the first by now.

    The act is written first: a token that is in no journal must not work.
    """
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
    if await asyncio.to_thread(_is_full, store, now_ms):
        return Refused("full", f"there are {INVITATIONS_MAX} invitations already: cancel some")
    said = rights | {"ends_ms": str(ends_ms)}
    written = await desk.write(Act(action=DEVICE_INVITED, target=target_of(name), happened_at_ms=now_ms, detail=said))
    if isinstance(written, Refused):
        return written
    for earlier in await asyncio.to_thread(all_invitations, store):
        if earlier.name == name and earlier.state(now_ms) == "pending":
            withdrawn = await _withdraw(earlier, {"why": "invited again"}, desk)
            if isinstance(withdrawn, Refused):
                return withdrawn
    invitation = Invitation(key=invitation_key(token), name=name, detail=rights, ends_ms=ends_ms)
    await asyncio.to_thread(_keep, store, invitation)
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
        host=host,
        others=tuple(each for each in address.others if each != host),
    )


def _is_full(store: Secrets, now_ms: int) -> bool:
    """Are there too many? Forgets those that are over: the old ones, and all of them when there is no room."""
    kept = all_invitations(store)
    over = [each for each in kept if each.is_over(now_ms)]
    is_full = len(kept) >= INVITATIONS_MAX
    gone = over if is_full else [each for each in over if each.is_forgotten(now_ms)]
    for each in gone:
        store.remove(each.key)
    return len(kept) - len(gone) >= INVITATIONS_MAX


def _keep(store: Secrets, invitation: Invitation) -> None:
    store.put(invitation.key, msgspec.to_builtins(invitation))


def all_invitations(store: Secrets) -> list[Invitation]:
    """All that are kept, those that end first before others."""
    found = (msgspec.convert(kept, Invitation) for kept in store.named(PREFIX).values())
    return sorted(found, key=lambda each: (each.ends_ms, each.key))


def _invitations(principal: Principal, ask: AskInvitations, reading: Reading) -> Iterator[Labelled]:
    now_ms = reading.now_ms()
    for each in all_invitations(reading.part("secrets")):
        if ask.state not in (None, each.state(now_ms)):
            continue
        row = InvitationRow(
            id=each.id,
            name=each.name,
            state=each.state(now_ms),
            ends_ms=each.ends_ms,
            used_at_ms=None if each.request is None else each.used_ms,
            nation=each.detail.get("nation") or None,
            groups_in=_words(each.detail.get("groups_in", "")),
            groups_out=_words(each.detail.get("groups_out", "")),
        )
        yield Labelled(row, None, reading.context)


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(word for word in text.split(",") if word))


async def cancel(principal: Principal, ask: CancelInvitation, desk: Desk) -> InvitationCancelled | Refused:
    """Take an invitation back."""
    store: Secrets = desk.part("secrets")
    now_ms = desk.now_ms()
    known = await asyncio.to_thread(all_invitations, store)
    found = next((each for each in known if each.id == ask.id and each.state(now_ms) == "pending"), None)
    if found is None:
        return Refused("absent", f"there is no pending invitation {ask.id}")
    written = await _withdraw(found, {}, desk)
    if isinstance(written, Refused):
        return written
    return InvitationCancelled(name=found.name, entry=written.envelope.id)


async def _withdraw(invitation: Invitation, detail: Mapping[str, str], desk: Desk) -> Entry | Refused:
    """It is gone before the act is written: no failure leaves it good."""
    store: Secrets = desk.part("secrets")
    await asyncio.to_thread(store.remove, invitation.key)
    said = {"id": invitation.id, **detail}
    target = target_of(invitation.name)
    return await desk.write(Act(action=DEVICE_UNINVITED, target=target, happened_at_ms=desk.now_ms(), detail=said))


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

list_invitations = Query(
    name="invitations",
    path="/devices/invitations",
    request=AskInvitations,
    row=InvitationRow,
    role="admin",
    answer=_invitations,
    blocking=True,
    summary="Invitations and what became of them, a week back; never their tokens",
)
cancel_invitation = Command(
    name="cancel_invitation",
    method="DELETE",
    path="/devices/invitations/{id}",
    request=CancelInvitation,
    answer=InvitationCancelled,
    role="admin",
    act=cancel,
    summary="Take a pending invitation back: its token opens nothing any more",
)
