"""Postman: what is addressed to somebody who is away waits, and is handed over when he comes.

A TAK server gives such a line back as "stored" (S8) and forgets it. Here the journal remembers: the act mail.wait says
for whom an entry waits, mail.deliver that it was handed to a link of his. If that link breaks before its bytes left,
the entry waits again. Whoever crashed between the two gets it twice, never not at all: clients know a line by its uid.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from aquila.app.engine import Engine
from aquila.app.port import PooledJournal
from aquila.app.relay import outbound_of
from aquila.core.fanout import Outbound
from aquila.core.model import Act, Address, Entry, Label
from aquila.core.view import view_of
from aquila.features.links.presence import Presence
from aquila.features.mail import MAIL_DELIVER, MAIL_WAIT, Mailbox, target_of
from aquila.features.mail.view import MAIL_MAX, SCHEMES, Mail
from aquila.links.hub import Hub

log = logging.getLogger(__name__)

WAITING_MAX = 200
"""For one addressee: a misspelled callsign must not fill the box."""
ADDRESSEES_MAX = 20
"""Of one statement that may wait: who names hundreds does not know them."""
AUTHOR_MAX = 2_000
"""From one author: nobody pushes out the mail of the others."""


class Postman:
    """Carries mail of one node.

    Args:
        engine, hub: from and to. desks: callsigns that are read on the page of this node. keep_ms: mail waits so long.
    """

    def __init__(self, engine: Engine, hub: Hub, desks: Collection[str], keep_ms: int) -> None:
        self._engine = engine
        self._hub = hub
        self._desks = frozenset(desks)
        self._keep_ms = keep_ms
        self._journal = PooledJournal(engine.store)
        self._rounds: set[asyncio.Task[None]] = set()

    @property
    def _mailbox(self) -> Mailbox:
        return view_of(self._engine.node.views, "mail", Mailbox)

    @property
    def _presence(self) -> Presence:
        return view_of(self._engine.node.views, "presence", Presence)

    def nobody_there(
        self, entry: Entry, addressees: Collection[Address], then: Callable[[], None] | None = None
    ) -> None:
        """A committed statement could not be handed to these addressees. then: done once it is sure to wait."""
        names = [to for to in dict.fromkeys(addressees) if to.scheme in SCHEMES and to.value not in self._desks]
        away = list(dict.fromkeys(self._device_of(to) for to in names))
        self._begin(self._keep(entry.envelope.id, entry.envelope.label, entry.envelope.author, away, then))

    def somebody_there(self, entry: Entry, addressees: Collection[Address]) -> None:
        """A statement went to whoever goes by these callsigns. A device that went by one and is away gets it, too.

        Who takes a name takes no mail away with it: it is for both, since nobody can tell which of them was meant.
        """
        away = [other for to in addressees if to.scheme == "callsign" for other in self._also_called(to.value)]
        if away:
            self._begin(self._keep(entry.envelope.id, entry.envelope.label, entry.envelope.author, away, None))

    def _also_called(self, callsign: str) -> list[Address]:
        """Clients of devices whose name this was when they were heard last, and that are away now."""
        node = self._engine.node
        since_ms = node.clock_ms() - self._keep_ms
        contacts = self._hub.fanout.contacts
        named = self._presence.named(node.context, callsign)
        here = {seen.author for seen in named if contacts.links(Address("uid", seen.uid))}
        return [
            Address("uid", seen.uid)
            for seen in named
            if seen.author.startswith("device:") and seen.author not in here and seen.at_ms >= since_ms
        ]

    def undelivered(self, outbounds: Collection[Outbound], names: Collection[Address]) -> None:
        """A link broke: what was addressed to these names of its peer, and did not leave, waits."""
        for outbound in outbounds:
            away = [to for to in outbound.to if outbound.id and to in names]
            if away:
                self._begin(self._keep(outbound.id, outbound.label, "", away, None))

    def _device_of(self, to: Address) -> Address:
        """The device that went by a callsign last: whoever takes the name of one who is away gets none of his mail."""
        if to.scheme != "callsign":
            return to
        uid = self._presence.uid_of(self._engine.node.context, to.value)
        return to if uid is None else Address("uid", uid)

    async def _keep(
        self, entry: str, label: Label, author: str, away: Collection[Address], then: Callable[[], None] | None
    ) -> None:
        now_ms = self._engine.node.clock_ms()
        mailbox = self._mailbox
        # Counted once for a statement: each count looks at every letter that waits.
        room = MAIL_MAX // 2 - mailbox.waiting_count(now_ms)
        if author:
            room = min(room, AUTHOR_MAX - mailbox.count_by(author, now_ms))
        for number, to in enumerate(list(away)[:ADDRESSEES_MAX]):
            if number >= room or len(mailbox.waiting(to, now_ms)) >= WAITING_MAX:
                self._engine.counts["mail refused, box full"] += 1
                continue
            detail = {"entry": entry, "until_ms": str(now_ms + self._keep_ms), "author": author}
            act = Act(action=MAIL_WAIT, target=target_of(to), happened_at_ms=now_ms, detail=detail)
            await self._engine.write(act, self._engine.node.principal, "node", label=label)
        if then is not None:
            then()

    def arrived(self, names: Collection[Address]) -> None:
        """Somebody who goes by these names can be reached from now on."""
        now_ms = self._engine.node.clock_ms()
        mails = [mail for to in names for mail in self._mailbox.waiting(to, now_ms)]
        if mails:
            self._begin(self._hand_over(mails))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        round_ = asyncio.get_running_loop().create_task(work)
        self._rounds.add(round_)
        round_.add_done_callback(self._ended)

    def _ended(self, round_: "asyncio.Task[None]") -> None:
        self._rounds.discard(round_)
        if not round_.cancelled() and (fault := round_.exception()) is not None:
            log.error("mail was not carried", exc_info=fault)

    async def _hand_over(self, mails: Collection[Mail]) -> None:
        handed: set[str] = set()
        for mail in mails:
            entry = await asyncio.to_thread(self._journal.entry, mail.entry)
            if entry is None or entry.body is None:
                continue
            outbound = outbound_of(entry, None)
            # By callsign and by uid it may wait twice; it goes once, and to nobody but him.
            if mail.entry not in handed:
                alone = Outbound(
                    id=outbound.id,
                    body=outbound.body,
                    label=outbound.label,
                    context=outbound.context,
                    to=(mail.to,),
                    original=outbound.original,
                    stale_at_ms=outbound.stale_at_ms,
                )
                if not self._hub.publish(alone).links:
                    continue
                handed.add(mail.entry)
            now_ms = self._engine.node.clock_ms()
            detail = {"entry": mail.entry}
            act = Act(action=MAIL_DELIVER, target=target_of(mail.to), happened_at_ms=now_ms, detail=detail)
            self._engine.say(act, mail.label)
