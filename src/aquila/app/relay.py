"""Relay: what was admitted and committed goes out. Entries and samples become outbounds; codecs give them their form.

The hub decides who may have what; this file only says what a statement *is* to a peer: a state with a key, a statement,
something for named addressees, or nothing at all (acts stay at home).
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final

import msgspec

from aquila.app.engine import Engine
from aquila.codecs.cot import TakMessages, TakSession, convert, delivery_failure
from aquila.core.codec import Codec, Outgoing
from aquila.core.errors import CodecError
from aquila.core.fanout import Outbound
from aquila.core.model import (
    ALL_ROOM,
    LOG_ROOM,
    Act,
    Address,
    Body,
    Entry,
    Foreign,
    Note,
    Original,
    Paper,
    Removal,
    Report,
    Sample,
    Verdict,
)
from aquila.core.policy import redact
from aquila.features.picture.view import covers
from aquila.features.tak.injectors import Injectors, injected
from aquila.links.hub import Hub
from aquila.links.peer import Peer

REMOVAL_TOLD_MS = 20_000
"""Newcomers are told of a removal this long; a TAK notice is stale after that too."""
_WITH_UID: Final = (Report, Removal, Foreign)
LOG_PREFIX = "LOG: "
"""Staff log lines reach phones as chat to all, marked so."""


class Encoder:
    """Writes outbounds in the formats that links speak, each form made once. See core.fanout.Encode."""

    def __init__(self, engine: Engine, codecs: Mapping[str, Codec]) -> None:
        self._engine = engine
        self._codecs = codecs
        view = engine.node.views.get("injectors")
        self._injectors = view if isinstance(view, Injectors) else Injectors()

    def __call__(self, outbound: Outbound, format: str, verdict: Verdict) -> bytes:
        """One form; b"" = nothing of it can be told. Raises CodecError for what the format cannot carry."""
        node = self._engine.node
        body: Body | None = outbound.body
        original: bytes | None = None
        if verdict is not Verdict.FULL:
            # What was said in the sender's own words never leaves in a redacted form.
            body = redact(node.policy, outbound.body)
        elif outbound.original is not None:
            original = convert(self._injected(outbound, outbound.original), format)
        if body is None:
            return b""
        encode = self._codecs[format].encode
        if encode is None:
            raise CodecError("unsupported", f"{format} is not written here")
        return encode(
            Outgoing(
                body=body,
                label=outbound.label,
                now_ms=node.clock_ms(),
                original=original,
                flow=node.identity.node,
            )
        )

    def _injected(self, outbound: Outbound, original: Original) -> Original:
        """With what an administrator has this node add to events of its uid."""
        body = outbound.body
        texts = self._injectors.of_uid(body.alias.value) if isinstance(body, _WITH_UID) else ()
        if not texts:
            return original
        return Original("cot-xml", injected(convert(original, "cot-xml"), texts))


class Relay:
    """Listens to the engine and publishes to the hub.

    Args:
        engine, hub: from and to.
        links: those that are up, by id.
        is_hidden: is this what somebody says of itself who asked not to be shown to other clients?
        desks: callsigns that are read on the page of this node, so that addressing them is no failure.

    Attributes:
        on_nobody: told a statement, those of its addressees that nobody answers for, and what is to be done when it
            is sure that it waits for them: "stored" is a promise.
        on_named: told a statement, and those of its addressees that somebody answers for.
        on_mission: told a statement that has missions among its addressees, and the link it came by.
    """

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        links: Mapping[int, Peer],
        is_hidden: Callable[[int | None, Body], bool],
        desks: Collection[str] = (),
    ) -> None:
        self._is_hidden = is_hidden
        self.on_nobody: Callable[[Entry, tuple[Address, ...], Callable[[], None] | None], None] | None = None
        self.on_named: Callable[[Entry, tuple[Address, ...]], None] | None = None
        self.on_mission: list[Callable[[Entry, Outbound, int | None], None]] = []
        self._desks = desks
        self._engine = engine
        self._hub = hub
        self._links = links
        engine.on_entries.append(self.take_entries)
        engine.on_samples.append(self.take_sample)

    def take_entries(self, entries: list[Entry]) -> None:
        """Publish what was committed; tell a sender whose addressees nobody answers for."""
        for entry in entries:
            body = entry.body
            if body is None or isinstance(body, Act | Paper):
                continue
            source = self._engine.sources.get(entry.envelope.id)
            if self._is_hidden(source, body):
                continue
            outbound = outbound_of(entry, source)
            if isinstance(body, Removal):
                self._hub.fanout.forget(body.entity, partial(covers, entry.envelope.label))
            if any(address.scheme == "mission" for address in outbound.to):
                for take in self.on_mission:
                    take(entry, outbound, source)
                outbound = _without_missions(outbound)
                if not outbound.to:
                    continue
            reach = self._hub.publish(outbound)
            nobody = tuple(address for address in reach.unreachable if address.value not in self._desks)
            if reach.links and outbound.to and self.on_named is not None:
                self.on_named(entry, tuple(to for to in outbound.to if to not in reach.unreachable))
            then: Callable[[], None] | None = None
            if source is not None and isinstance(body, Note) and nobody and not reach.links:
                then = partial(self._give_back, entry, source)
            if nobody and self.on_nobody is not None:
                self.on_nobody(entry, nobody, then)
            elif then is not None:
                then()

    def take_sample(self, sample: Sample, link: int | None) -> None:
        """Publish a position; that something has ended is to peers what a removal is."""
        report = sample.report
        if self._is_hidden(link, report):
            return
        body: Body = report
        original, stale_at_ms = sample.original, _stale_at_ms(report, sample.received_at_ms)
        if report.ended:
            self._hub.fanout.forget(report.entity, partial(covers, sample.label))
            body = Removal(entity=report.entity, alias=report.alias, happened_at_ms=report.observed_at_ms)
            original, stale_at_ms = None, sample.received_at_ms + REMOVAL_TOLD_MS
        self._hub.publish(
            Outbound(
                id="",
                body=body,
                label=sample.label,
                context=sample.context,
                source=link,
                key=report.entity,
                statement=False,
                original=original,
                stale_at_ms=stale_at_ms,
            )
        )

    def _give_back(self, entry: Entry, source: int) -> None:
        """TAK rule S8: the sender gets its own line back, of a type that says that nobody could be reached."""
        link = self._links.get(source)
        if entry.original is not None and link is not None and isinstance(link.session, TakSession | TakMessages):
            self._hub.reply(source, link.session.write(delivery_failure(entry.original)))


def _without_missions(outbound: Outbound) -> Outbound:
    return msgspec.structs.replace(outbound, to=tuple(each for each in outbound.to if each.scheme != "mission"))


def outbound_of(entry: Entry, source: int | None) -> Outbound:
    """A committed statement as the hub takes it."""
    envelope, body, original = entry.envelope, entry.body, entry.original
    assert body is not None
    if isinstance(body, Note) and body.room == LOG_ROOM:
        # Phones know no staff log; it reaches them in the room that everybody has.
        body, original = msgspec.structs.replace(body, room=ALL_ROOM, text=LOG_PREFIX + body.text), None
    key: str | None = None
    stale_at_ms: int | None = None
    if isinstance(body, Report):
        key = None if body.to else body.entity
        stale_at_ms = _stale_at_ms(body, envelope.received_at_ms)
    elif isinstance(body, Removal):
        key = body.entity
        stale_at_ms = envelope.received_at_ms + REMOVAL_TOLD_MS
    return Outbound(
        id=envelope.id,
        body=body,
        label=envelope.label,
        context=envelope.context,
        source=source,
        key=key,
        to=() if isinstance(body, Act) else body.to,
        original=original,
        stale_at_ms=stale_at_ms,
    )


def _stale_at_ms(report: Report, received_at_ms: int) -> int | None:
    """Stale by our own clock: the validity that the sender gave, from when it was received."""
    if report.stale_at_ms is None:
        return None
    return received_at_ms + max(0, report.stale_at_ms - report.observed_at_ms)
