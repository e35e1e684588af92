"""Mail: statements for people who are away wait for them. Who carries it is the composition root (app.postman)."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from aquila.core.feature import Feature, Labelled, Query, Reading
from aquila.core.hlc import hlc_ms
from aquila.core.model import Principal
from aquila.core.view import view_of
from aquila.features.mail.view import MAIL_DELIVER, MAIL_WAIT, Mail, Mailbox, address_in, target_of


class AskMail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What waits. to: only for this callsign or uid."""

    to: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that waits for somebody.

    Attributes:
        entry: id of its journal entry. scheme: callsign or uid. to: which. until_ms: it waits no longer than this.
    """

    entry: str
    scheme: Literal["callsign", "uid"]
    to: str
    since_ms: int
    until_ms: int


def mailbox_of(reading: Reading) -> Mailbox:
    """The view of this node."""
    return view_of(reading.views, "mail", Mailbox)


def _waiting(principal: Principal, ask: AskMail, reading: Reading) -> Iterator[Labelled]:
    for mail in mailbox_of(reading).all_waiting(reading.now_ms()):
        if ask.to is not None and mail.to.value != ask.to:
            continue
        row = MailRow(
            entry=mail.entry,
            scheme="uid" if mail.to.scheme == "uid" else "callsign",
            to=mail.to.value,
            since_ms=hlc_ms(mail.stamp.hlc),
            until_ms=mail.until_ms,
        )
        yield Labelled(row, mail.label, mail.context)


feature = Feature(
    name="mail",
    views=(Mailbox,),
    queries=(
        Query(
            name="mail",
            path="/mail",
            request=AskMail,
            row=MailRow,
            role="operator",
            answer=_waiting,
            summary="Statements that wait for somebody who is away",
        ),
    ),
)

__all__ = ["MAIL_DELIVER", "MAIL_WAIT", "Mail", "MailRow", "Mailbox", "address_in", "feature", "target_of"]
