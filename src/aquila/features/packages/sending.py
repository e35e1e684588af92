"""Sending: a package that lies here is offered to contacts by name, as a phone does it (TAK: file transfer)."""

from typing import Annotated, Protocol

import msgspec

from aquila.codecs.cot.offer import Offer, offer_event, plain_name
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, check_text
from aquila.core.ids import derived_id
from aquila.core.model import Label, Principal, Verdict
from aquila.core.owners import Owners
from aquila.core.view import view_of
from aquila.features.packages.commands import NO_PACKAGE, Uid
from aquila.features.packages.facts import Facts
from aquila.features.packages.queries import packages_of

Contact = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Address(Protocol):
    """The part `address` of a node: by which devices reach it. api_tls: port of files and missions."""

    host: str
    api_tls: int


class Speak(Protocol):
    """The part `speak` of a node: hears an event as if it had come by a link of a principal."""

    def __call__(self, principal: Principal, data: bytes, /) -> Refused | None:
        """Why it was not taken; None = it was."""
        ...


class SendPackage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which package, and to whom: uids of contacts."""

    uid: Uid
    to: Annotated[tuple[Contact, ...], msgspec.Meta(min_length=1, max_length=100)]

    def __post_init__(self) -> None:
        for contact in self.to:
            check_text("to", contact)


class PackageSent(msgspec.Struct, frozen=True, kw_only=True):
    """The offer: its id stands in the receiver's answer. Who is away gets it when he connects."""

    offer: str


async def send_package(principal: Principal, ask: SendPackage, desk: Desk) -> PackageSent | Refused:
    """Offer it; only who reads one of the package's groups hears of it, because nobody else could fetch it."""
    found = packages_of(desk).package(desk.context, ask.uid, desk.now_ms())
    if found is None or found.facts is None or desk.release(found.label, found.context).verdict is not Verdict.FULL:
        return NO_PACKAGE
    speaker = _within(principal, found.label)
    if not speaker.groups_in and speaker.kind != "node":
        return Refused("group", f"you may write into none of the package's groups: {', '.join(found.label.groups)}")
    offer = _offer(principal, found.facts, ask, desk)
    speak: Speak = desk.part("speak")
    refused = speak(speaker, offer_event(offer, ask.to, desk.now_ms()))
    return PackageSent(offer=offer.uid) if refused is None else refused


def _within(principal: Principal, label: Label) -> Principal:
    """The same, writing into no group that is not the package's."""
    if principal.kind == "node":
        return principal
    return msgspec.structs.replace(principal, groups_in=principal.groups_in & set(label.groups))


def _offer(principal: Principal, facts: Facts, ask: SendPackage, desk: Desk) -> Offer:
    address: Address = desk.part("address")
    uids = view_of(desk.views, Owners.name, Owners).uids(principal.id)
    said = "\0".join((principal.id, ask.uid, str(desk.now_ms()), *ask.to))
    host = f"[{address.host}]" if ":" in address.host else address.host
    return Offer(
        uid=derived_id("package.send", 1, said),
        name=facts.name,
        filename=plain_name(facts.name, "package"),
        sha256=facts.sha256,
        size_bytes=facts.size_bytes,
        url=f"https://{host}:{address.api_tls}/Marti/sync/content?hash={facts.sha256}",
        sender_uid=uids[-1] if uids else principal.id,
        callsign=principal.name,
    )


send_row = Command(
    name="send_package",
    method="POST",
    path="/packages/{uid}/send",
    request=SendPackage,
    answer=PackageSent,
    role="operator",
    act=send_package,
    summary="Offer a package to contacts; who is away gets the offer when he connects",
)
