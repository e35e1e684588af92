"""Fan-out: what is to leave, who may have it, and where each link stands -> the bytes to write to every link.

Pure: it knows no socket and no clock. The edge publishes, ticks and writes, and tells what a link did not take.

A link is *ready* (everything it was given has left) or *behind* (it did not take its last bytes). Ready links of one
audience and format share one buffer per tick. A link that is behind keeps a cursor, not a queue: when it takes bytes
again it gets the newest state of whatever changed since, and every statement in between.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence

import msgspec

from aquila.core.contacts import Contacts, LinkId
from aquila.core.errors import CodecError
from aquila.core.model import Address, Audience, Body, Context, Label, Original, Verdict
from aquila.core.policy import Decision

AUDIENCES_MAX = 200
"""More than this and every tick pays for them: a warning is shown."""
CLASSES_MAX = 1_024
"""Distinct labels kept in mind; beyond this those that nothing uses any more are let go."""
LATEST_MAX = 100_000
"""States kept for newcomers and slow links; beyond this the ones that changed longest ago go first."""
LATEST_BYTES_MAX = 128 << 20
"""What their originals may hold together, for the same rule; the forms they are sent in come on top."""
SWEEP_EVERY_MS = 10_000
WAITING_BYTES_MAX = 4 << 20
WAITING_MS_MAX = 600_000
"""Statements wait this much and this long for a slow link; then it is to be closed. The journal has the rest."""
REPLY_BYTES_MAX = 64 << 10
"""Replies that wait for a slow link; beyond this they are dropped and counted."""
REFRESHED_PER_TICK = 50
JOINED_BYTES_MAX = 32 << 10
"""What a sender gets without its own runs is copied into one piece while the pieces are no longer than this."""


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """Something admitted (and, if it is a statement, committed) that may leave.

    Attributes:
        id: of the entry or the sample, for whoever asks what did not go out.
        source: the link it came by, which gets no echo; None = born here.
        key: the entity whose state this is: newcomers get the newest, older ones are replaced. None = no state.
        statement: reaches everyone who may have it, over slow links too; False = only the newest counts.
        to: named addressees; empty = everyone who may have it.
        stale_at_ms: after this nobody is told any more; None = never.
    """

    id: str
    body: Body
    label: Label
    context: Context
    source: LinkId | None = None
    key: Hashable | None = None
    statement: bool = True
    to: tuple[Address, ...] = ()
    original: Original | None = None
    stale_at_ms: int | None = None


class Reach(msgspec.Struct, frozen=True):
    """Where an addressed statement goes: links that get it, and addressees that nobody answers for."""

    links: tuple[LinkId, ...] = ()
    unreachable: tuple[Address, ...] = ()


EVERYONE = Reach()

Release = Callable[[Label, Context, Audience], Decision]
Encode = Callable[[Outbound, str, Verdict], bytes]
"""Bytes of one statement in a format, FULL or REDACTED; b"" = nothing of it can be told. May raise CodecError."""


class _LabelClass:
    """A label in a context, known by one bit, so that what an audience may see of a tick is two integers."""

    __slots__ = ("bit", "context", "label")

    def __init__(self, bit: int, label: Label, context: Context) -> None:
        self.bit = bit
        self.label = label
        self.context = context


class _Sent:
    """An outbound with its running number and the forms it was encoded in, each made once."""

    __slots__ = ("forms", "links", "marking", "number", "outbound", "source", "statement")

    def __init__(self, number: int, marking: _LabelClass, outbound: Outbound, links: tuple[LinkId, ...] | None) -> None:
        self.number = number
        self.marking = marking
        self.outbound = outbound
        self.source = outbound.source
        self.statement = outbound.statement or links is not None
        self.links = links
        self.forms: dict[int, bytes] = {}


_Piece = tuple[bytes, _Sent | None]
"""One whole statement as bytes; None in place of the statement = a reply of the protocol, which is never taken back."""


class Batch:
    """Bytes to be written to some links at once, always ending at a boundary between statements.

    Attributes:
        links: who gets it. parts: the bytes, in order. size: how many. count: statements and states in it.
    """

    __slots__ = ("_forms", "_items", "_spans", "count", "links", "parts", "since", "size")

    def __init__(
        self,
        links: Sequence[LinkId],
        parts: Sequence[bytes | memoryview],
        forms: Sequence[bytes],
        items: Sequence[_Sent | None],
        since: int,
        spans: Sequence["_Span"] = (),
    ) -> None:
        self.links = links
        self.parts = parts
        self.size = sum(map(len, parts))
        self.since = since
        self._forms = forms
        self._items = items
        self._spans = spans
        self.count = len(forms) - sum(stop - start for _, _, start, stop in spans)

    @property
    def data(self) -> bytes:
        """The bytes in one piece."""
        whole = b"".join(self.parts)
        self.parts = (whole,)
        return whole

    def pieces(self) -> Iterator[_Piece]:
        """The statements that the data is made of, in order."""
        at = 0
        for _, _, start, stop in self._spans:
            yield from zip(self._forms[at:start], self._items[at:start], strict=True)
            at = stop
        yield from zip(self._forms[at:], self._items[at:], strict=True)


_Span = tuple[int, int, int, int]
"""Where a sender's own run stands in a shared buffer: first and last byte, first and last piece."""


class _Shared:
    """The buffer that every audience with the same view of this tick gets."""

    __slots__ = ("data", "forms", "items", "redacted_count", "spans", "statements", "states")

    def __init__(self) -> None:
        self.data = b""
        self.forms: list[bytes] = []
        self.items: list[_Sent] = []
        self.spans: dict[LinkId, list[_Span]] = {}
        self.statements: list[_Sent] = []
        self.states = 0
        self.redacted_count = 0


class _Rights:
    """What one audience may have of each label class, decided once per class and policy epoch."""

    __slots__ = ("audience", "full", "known", "reasons", "redacted", "uses")

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.uses = 0
        self.forget()

    def forget(self) -> None:
        self.known = self.full = self.redacted = 0
        self.reasons: dict[int, str] = {}


class _Group:
    """Links with the same audience and the same format."""

    __slots__ = ("behind", "code", "format", "ready", "rights")

    def __init__(self, rights: _Rights, format: str, code: int) -> None:
        self.rights = rights
        self.format = format
        self.code = code
        self.ready: dict[LinkId, _Reader] = {}
        self.behind: dict[LinkId, _Reader] = {}


class _Reader:
    """Where one link stands. `since` and everything below it has a meaning only while it is behind."""

    __slots__ = (
        "committed_bytes",
        "group",
        "id",
        "missed",
        "own",
        "progress_ms",
        "reply_bytes",
        "rest",
        "sent",
        "since",
        "waiting",
        "waiting_bytes",
        "waiting_since_ms",
        "whole",
    )

    def __init__(self, id: LinkId, group: _Group, own: Hashable | None, committed_bytes: int) -> None:
        self.id = id
        self.group = group
        self.own = own
        self.committed_bytes = committed_bytes
        self.rest: Batch | None = None
        self.sent = 0
        self.since = 0
        self.whole = False
        self.waiting: list[_Sent] = []
        self.waiting_bytes = 0
        self.waiting_since_ms = 0
        self.progress_ms = 0
        self.reply_bytes = 0
        self.missed = 0


class Standing(msgspec.Struct, frozen=True):
    """What waits for one link: bytes not taken yet, and statements behind them."""

    behind: bool
    unsent_bytes: int
    statements: int
    statement_bytes: int


class Counts(msgspec.Struct):
    """What the fan-out has done since the start; deliveries are counted per reader.

    Attributes:
        superseded: states that a slow link never got, because a newer one took their place.
        denied, unencodable: by reason.
    """

    delivered: int = 0
    redacted: int = 0
    superseded: int = 0
    replies_dropped: int = 0
    forgotten: int = 0
    denied: Counter[str] = msgspec.field(default_factory=Counter)
    unencodable: Counter[str] = msgspec.field(default_factory=Counter)


class Fanout:
    """One node's way out to all its links.

    Args:
        release: the policy in force; asked once per (label, context, audience) and epoch.
        encode: writes one outbound in a format; asked at most once per (outbound, format, verdict).
        contacts: the directory in which named addressees are looked up.
    """

    def __init__(self, release: Release, encode: Encode, contacts: Contacts) -> None:
        self.counts = Counts()
        self.contacts = contacts
        self._release = release
        self._encode = encode
        self._readers: dict[LinkId, _Reader] = {}
        self._groups: dict[tuple[Audience, str], _Group] = {}
        self._rights: dict[Audience, _Rights] = {}
        self._codes: dict[str, int] = {}
        self._classes: dict[tuple[Label, Context], _LabelClass] = {}
        self._by_bit: dict[int, _LabelClass] = {}
        self._classes_max = CLASSES_MAX
        # Newest state per (key, label class), in order of last change.
        self._latest: dict[tuple[Hashable, _LabelClass], _Sent] = {}
        self._latest_bytes = 0
        # This tick: segments of runs by source. A new segment begins where the order between sources matters.
        self._segments: list[dict[LinkId | None, list[_Sent]]] = [{}]
        self._addressed: dict[LinkId, list[_Sent]] = {}
        self._told: dict[Hashable, LinkId | None] = {}
        self._mask = 0
        self._count = self._flushed = 0
        self._refresh: dict[LinkId, None] = {}
        self._overdue: dict[LinkId, None] = {}
        self._now_ms = self._swept_ms = 0

    # -- who reads --------------------------------------------------------------------------------------------------

    def join(
        self,
        link: LinkId,
        audience: Audience,
        format: str,
        *,
        greeting: bytes = b"",
        own: Hashable | None = None,
        committed_bytes: int = 0,
    ) -> Batch | None:
        """Let a link in; gives the picture so far as it may see it, and the greeting behind it.

        `own` is the key of the entity that the peer is itself, if known: it is not told about itself. Behind a refused
        write the transport cannot take back `committed_bytes` (a TLS record; 0 for plain TCP).
        """
        if link in self._readers:
            raise ValueError(f"link {link} has joined already: ids are never used twice")
        group = self._group(audience, format)
        reader = self._readers[link] = _Reader(link, group, own, committed_bytes)
        group.ready[link] = reader
        reader.whole = True
        pieces = self._catch_up(reader)
        if greeting:
            pieces.append((greeting, None))
        return self._batch(reader, pieces, 0)

    def identify(self, link: LinkId, own: Hashable) -> None:
        """Note which entity the peer is itself."""
        reader = self._readers.get(link)
        if reader is not None:
            reader.own = own

    def leave(self, link: LinkId) -> tuple[Outbound, ...]:
        """Let a link go; gives the statements that it should have had and that did not leave wholly."""
        reader = self._readers.pop(link, None)
        if reader is None:
            return ()
        undelivered: list[_Sent] = []
        if reader.rest is not None:
            end = 0
            for form, item in reader.rest.pieces():
                end += len(form)
                if end > reader.sent and item is not None and item.statement:
                    undelivered.append(item)
        undelivered += sorted(reader.waiting, key=_number)
        undelivered += [
            item
            for segment in self._segments
            for run in segment.values()
            for item in run
            if item.statement and item.source != link and self._reads(reader, item)
        ]
        self._refresh.pop(link, None)
        self._overdue.pop(link, None)
        self._leave_group(reader)
        return tuple(item.outbound for item in undelivered)

    def regroup(self, link: LinkId, audience: Audience) -> Batch | None:
        """Give a link other rights: what it has not been sent is judged anew, and it gets its picture again."""
        reader = self._readers[link]
        format = reader.group.format
        behind = self._is_behind(reader)
        self._take_back(reader)
        self._move(reader, audience, format)
        reader.since = 0
        reader.whole = True
        return None if behind else self._batch(reader, self._catch_up(reader), 0)

    def switch(self, link: LinkId, format: str, reply: bytes = b"") -> Batch | None:
        """Change the format of a link: what was queued in the old one goes out before, then `reply`, then the new."""
        reader = self._readers[link]
        behind = self._is_behind(reader)
        self._move(reader, reader.group.rights.audience, format)
        if not reply:
            return None
        if not behind:
            return self._batch(reader, [(reply, None)], self._flushed)
        head, pieces = self._split(reader)
        self._put_rest(reader, head, [*pieces, (reply, None)])
        return None

    def reply(self, link: LinkId, data: bytes) -> Batch | None:
        """Bytes for one link that go before everything that waits, but never inside a half-written statement."""
        reader = self._readers.get(link)
        if reader is None:
            return None
        if not self._is_behind(reader):
            return self._batch(reader, [(data, None)], self._flushed)
        if reader.reply_bytes + len(data) > REPLY_BYTES_MAX:
            self.counts.replies_dropped += 1
            return None
        reader.reply_bytes += len(data)
        head, pieces = self._split(reader)
        # Behind earlier replies: the answer to a format switch must stay before all that follows it.
        after = max((index for index, (_, item) in enumerate(pieces) if item is None), default=-1)
        pieces.insert(after + 1, (data, None))
        self._put_rest(reader, head, pieces)
        return None

    # -- what leaves ------------------------------------------------------------------------------------------------

    def publish(self, outbound: Outbound) -> Reach:
        """Take something that may leave at the next tick; for named addressees, says who of them gets it."""
        marking = self._classes.get((outbound.label, outbound.context)) or self._new_class(outbound)
        if outbound.to:
            return self._address(outbound, marking)
        self._count += 1
        item = _Sent(self._count, marking, outbound, None)
        segments = self._segments
        ordered = outbound.statement
        if outbound.key is not None:
            # Popped first: a dict would keep the first place of a key, and "changed last" must stand last.
            place = (outbound.key, marking)
            self._latest.pop(place, None)
            self._latest[place] = item
            if outbound.original is not None:
                self._latest_bytes += len(outbound.original.data)
            # Two sources tell of one entity in one tick: whoever spoke last must be last.
            ordered = ordered or self._told.get(outbound.key, item.source) != item.source
            self._told[outbound.key] = item.source
        self._mask |= marking.bit
        segment = segments[-1]
        run = segment.get(item.source)
        if ordered and segment and (run is None or len(segment) > 1):
            segment = {}
            segments.append(segment)
            run = None
        if run is None:
            segment[item.source] = [item]
        else:
            run.append(item)
        return EVERYONE

    def forget(self, key: Hashable, whose: Callable[[Label], bool] = lambda label: True) -> None:
        """An entity is no more: newcomers and slow links are not told its state any longer.

        whose: of its states those under a label for which this is true; a removal reaches no further than its sender.
        """
        for marking in self._by_bit.values():
            if whose(marking.label):
                self._latest.pop((key, marking), None)

    def tick(self, now_ms: int) -> list[Batch]:
        """Everything published since the last tick as buffers: one per view of it, one write per ready link."""
        self._now_ms = now_ms
        since, self._flushed = self._flushed, self._count
        batches: list[Batch] = []
        if self._mask or self._addressed:
            segments, self._segments = self._segments, [{}]
            addressed, self._addressed = self._addressed, {}
            mask, self._mask = self._mask, 0
            self._told = {}
            made: dict[tuple[int, int, int], _Shared] = {}
            for group in self._groups.values():
                rights = group.rights
                self._judge(rights, mask)
                view = (group.code, rights.full & mask, rights.redacted & mask)
                shared = made.get(view)
                if shared is None:
                    shared = made[view] = self._share(segments, *view, group.format)
                denied = mask & ~rights.full & ~rights.redacted
                if denied:
                    self._count_denied(group, denied, segments)
                if group.ready:
                    self._hand_out(group, shared, segments, addressed, since, batches)
                if group.behind:
                    self._keep(group, shared, addressed)
        for _ in range(min(len(self._refresh), REFRESHED_PER_TICK)):
            self._catch_up_ready(batches)
        return batches

    def sweep(self, now_ms: int) -> tuple[LinkId, ...]:
        """About once a second: let stale states go; gives the links that stay slow and are to be closed."""
        self._now_ms = now_ms
        too_much = len(self._latest) > LATEST_MAX or self._latest_bytes > LATEST_BYTES_MAX
        if too_much or now_ms - self._swept_ms >= SWEEP_EVERY_MS:
            self._swept_ms = now_ms
            self._drop_stale()
        for group in self._groups.values():
            for reader in group.behind.values():
                since_ms = min(reader.progress_ms, reader.waiting_since_ms if reader.waiting else now_ms)
                if now_ms - since_ms > WAITING_MS_MAX:
                    self._overdue[reader.id] = None
        overdue = tuple(self._overdue)
        self._overdue.clear()
        return overdue

    # -- slow links -------------------------------------------------------------------------------------------------

    def blocked(self, link: LinkId, batch: Batch, sent: int) -> None:
        """A link took only the first `sent` bytes of a batch: it is behind from now on."""
        reader = self._readers.get(link)
        if reader is None:
            return
        group = reader.group
        group.ready.pop(link, None)
        group.behind[link] = reader
        reader.rest = batch
        reader.sent = sent
        reader.since = self._flushed
        reader.progress_ms = reader.waiting_since_ms = self._now_ms

    def pending(self, link: LinkId) -> memoryview | None:
        """The bytes that a link which takes bytes again gets next; None = nothing, it is ready."""
        reader = self._readers.get(link)
        if reader is None or not self._is_behind(reader):
            return None
        if reader.rest is None:
            since = reader.since
            reader.rest = self._batch(reader, self._catch_up(reader), since)
            reader.sent = 0
        if reader.rest is not None:
            return memoryview(reader.rest.data)[reader.sent :]
        self._rejoin(reader)
        return None

    def sent(self, link: LinkId, count: int) -> None:
        """A link took `count` bytes of what `pending` gave."""
        reader = self._readers.get(link)
        if reader is None or reader.rest is None:
            return
        reader.sent += count
        if count:
            reader.progress_ms = self._now_ms
        if reader.sent >= reader.rest.size:
            reader.rest = None
            reader.sent = reader.reply_bytes = 0

    # -- rights -----------------------------------------------------------------------------------------------------

    def new_epoch(self, release: Release) -> None:
        """Other rules from now on: every unsent buffer is taken back and judged anew; who may see more, gets more."""
        self._release = release
        for item in self._alive():
            item.forms = {}
        for reader in self._readers.values():
            if self._is_behind(reader):
                self._take_back(reader)
        grown: set[Audience] = set()
        for rights in self._rights.values():
            known, full, redacted = rights.known, rights.full, rights.redacted
            rights.forget()
            self._judge(rights, known)
            if rights.full & ~full or rights.redacted & ~full & ~redacted:
                grown.add(rights.audience)
        for reader in self._readers.values():
            if reader.group.rights.audience in grown:
                self.refresh(reader.id)

    def refresh(self, link: LinkId) -> None:
        """Have a link get its whole picture again within the next ticks."""
        reader = self._readers[link]
        if not self._is_behind(reader):
            reader.group.ready.pop(link)
            reader.group.behind[link] = reader
            reader.progress_ms = reader.waiting_since_ms = self._now_ms
            self._refresh[link] = None
        reader.since = 0
        reader.whole = True

    # -- figures ----------------------------------------------------------------------------------------------------

    @property
    def audience_count(self) -> int:
        """How many classes of readers there are at this moment."""
        return len(self._rights)

    @property
    def latest_count(self) -> int:
        """How many states are kept for newcomers and slow links."""
        return len(self._latest)

    @property
    def has_work(self) -> bool:
        """Would a tick do anything?"""
        return bool(self._mask or self._addressed or self._refresh)

    def warning(self) -> str | None:
        """A sentence when the number of audiences costs too much; None = all is well."""
        count = len(self._rights)
        if count <= AUDIENCES_MAX:
            return None
        return (
            f"{count} audiences, more than {AUDIENCES_MAX}: every tick pays for each of them; "
            "give devices fewer combinations of nation, clearance and groups"
        )

    def standing(self, link: LinkId) -> Standing:
        """What waits for a link."""
        reader = self._readers.get(link)
        if reader is None:
            return Standing(False, 0, 0, 0)
        unsent = 0 if reader.rest is None else reader.rest.size - reader.sent
        return Standing(self._is_behind(reader), unsent, len(reader.waiting), reader.waiting_bytes)

    # -- one tick ---------------------------------------------------------------------------------------------------

    def _share(
        self,
        segments: list[dict[LinkId | None, list[_Sent]]],
        code: int,
        full: int,
        redacted: int,
        format: str,
    ) -> _Shared:
        """Join the runs that these rights may see, and note where each sender's own stand."""
        shared = _Shared()
        forms, items = shared.forms, shared.items
        size = 0
        for segment in segments:
            for source, run in segment.items():
                first_byte, first = size, len(forms)
                for item in run:
                    bit = item.marking.bit
                    if full & bit:
                        form = item.forms.get(code)
                        if form is None:
                            form = self._form(item, code, format, Verdict.FULL)
                    elif redacted & bit:
                        form = self._form(item, code + 1, format, Verdict.REDACTED)
                        shared.redacted_count += 1
                    else:
                        continue
                    if form:
                        forms.append(form)
                        items.append(item)
                        size += len(form)
                        if item.statement:
                            shared.statements.append(item)
                if source is not None and size > first_byte:
                    span = (first_byte, size, first, len(forms))
                    shared.spans.setdefault(source, []).append(span)
        shared.data = b"".join(forms)
        shared.states = len(forms) - len(shared.statements)
        return shared

    def _hand_out(
        self,
        group: _Group,
        shared: _Shared,
        segments: list[dict[LinkId | None, list[_Sent]]],
        addressed: dict[LinkId, list[_Sent]],
        since: int,
        batches: list[Batch],
    ) -> None:
        """The shared buffer for all ready links of a group; a sender gets it without its own runs."""
        ready = group.ready
        special = [link for link in shared.spans if link in ready]
        special += [link for link in addressed if link in ready and link not in shared.spans]
        links: Sequence[LinkId]
        if special:
            apart = set(special)
            links = [link for link in ready if link not in apart]
        else:
            links = tuple(ready)
        if shared.data and links:
            batches.append(Batch(links, (shared.data,), shared.forms, shared.items, since))
            self.counts.delivered += len(links) * len(shared.forms)
        self.counts.redacted += shared.redacted_count * len(ready)
        for link in special:
            if link in addressed:
                reader = ready[link]
                pieces = self._compose(reader, shared, addressed[link])
                batch = self._batch(reader, pieces, since)
            else:
                batch = _without(link, shared, since)
            if batch is not None:
                batches.append(batch)
                self.counts.delivered += batch.count

    def _compose(self, reader: _Reader, shared: _Shared, addressed: list[_Sent]) -> list[_Piece]:
        """A batch for one link: what all may have, without its own, and what is for it by name."""
        pieces: list[_Piece] = [
            (form, item) for form, item in zip(shared.forms, shared.items, strict=True) if item.source != reader.id
        ]
        for item in addressed:
            form = self._judged_form(reader, item)
            if not form:
                continue
            # Its publishing began a new segment, so what stands before it was published before it.
            at = len(pieces)
            while at and _number_of(pieces[at - 1]) > item.number:
                at -= 1
            pieces.insert(at, (form, item))
        return pieces

    def _keep(self, group: _Group, shared: _Shared, addressed: dict[LinkId, list[_Sent]]) -> None:
        """Have the statements of this tick wait for the links that are behind."""
        for link, reader in group.behind.items():
            fresh = [item for item in shared.statements if item.source != link]
            fresh += addressed.get(link, ())
            reader.missed += shared.states
            if not fresh:
                continue
            if not reader.waiting:
                reader.waiting_since_ms = self._now_ms
            reader.waiting += fresh
            reader.waiting_bytes += sum(len(self._judged_form(reader, item)) for item in fresh)
            if reader.waiting_bytes > WAITING_BYTES_MAX:
                self._overdue[link] = None

    def _count_denied(self, group: _Group, denied: int, segments: list[dict[LinkId | None, list[_Sent]]]) -> None:
        readers = len(group.ready) + len(group.behind)
        by_bit: Counter[int] = Counter(
            item.marking.bit
            for segment in segments
            for run in segment.values()
            for item in run
            if item.marking.bit & denied
        )
        for bit, count in by_bit.items():
            self.counts.denied[group.rights.reasons[bit]] += count * readers

    # -- addressees -------------------------------------------------------------------------------------------------

    def _address(self, outbound: Outbound, marking: _LabelClass) -> Reach:
        """Find the links of named addressees who may have it; a name gives no right."""
        links: dict[LinkId, None] = {}
        unreachable: list[Address] = []
        item = _Sent(self._count + 1, marking, outbound, ())
        for address in dict.fromkeys(outbound.to):
            found = [
                link
                for link in self._answering(address)
                if link != outbound.source
                and (reader := self._readers.get(link)) is not None
                and self._judged_form(reader, item)
            ]
            if not found:
                unreachable.append(address)
            links.update(dict.fromkeys(found))
        if links:
            self._count += 1
            item.links = tuple(links)
            if self._segments[-1]:
                self._segments.append({})
            for link in links:
                self._addressed.setdefault(link, []).append(item)
        return Reach(tuple(links), tuple(unreachable))

    def _answering(self, address: Address) -> Sequence[LinkId]:
        if address.scheme == "group":
            return [
                link for link, reader in self._readers.items() if address.value in reader.group.rights.audience.groups
            ]
        return self.contacts.links(address)

    # -- catching up ------------------------------------------------------------------------------------------------

    def _catch_up(self, reader: _Reader) -> list[_Piece]:
        """What a link missed, oldest first: waiting statements, and the newest of every state changed since."""
        waiting = reader.waiting
        seen = set(map(id, waiting))
        missed: list[_Sent] = []
        for item in reversed(self._latest.values()):
            if item.number <= reader.since:
                break
            if (
                item.number <= self._flushed
                and (reader.whole or not item.statement)
                and item.source != reader.id
                and not _is_stale(item, self._now_ms)
                and (reader.own is None or item.outbound.key != reader.own)
                and id(item) not in seen
            ):
                missed.append(item)
        missed.reverse()
        if waiting:
            missed += waiting
            missed.sort(key=_number)
        pieces: list[_Piece] = [(form, item) for item in missed if (form := self._judged_form(reader, item))]
        self.counts.delivered += len(pieces)
        states = sum(1 for _, item in pieces if item is not None and not item.statement)
        self.counts.superseded += max(0, reader.missed - states)
        reader.waiting = []
        reader.waiting_bytes = reader.missed = 0
        reader.whole = False
        reader.since = self._flushed
        return pieces

    def _catch_up_ready(self, batches: list[Batch]) -> None:
        """Give the next link whose picture is to be refreshed what it lacks, and have it ready again."""
        link = next(iter(self._refresh))
        del self._refresh[link]
        reader = self._readers[link]
        # It took everything it was given, so whatever waits are replies that came since.
        pieces = [] if reader.rest is None else list(reader.rest.pieces())
        reader.rest = None
        batch = self._batch(reader, pieces + self._catch_up(reader), 0)
        self._rejoin(reader)
        if batch is not None:
            batches.append(batch)

    def _rejoin(self, reader: _Reader) -> None:
        reader.group.behind.pop(reader.id, None)
        reader.group.ready[reader.id] = reader

    def _split(self, reader: _Reader) -> tuple[bytes, list[_Piece]]:
        """The unsent rest as what must go out as it stands, and the whole pieces behind it."""
        if reader.rest is None:
            return b"", []
        sent = reader.sent
        beyond = sent + reader.committed_bytes
        head: list[bytes] = []
        pieces: list[_Piece] = []
        start = 0
        for form, item in reader.rest.pieces():
            end = start + len(form)
            if end > sent:
                if start < beyond:
                    head.append(form[max(0, sent - start) :])
                else:
                    pieces.append((form, item))
            start = end
        return b"".join(head), pieces

    def _put_rest(self, reader: _Reader, head: bytes, pieces: list[_Piece]) -> None:
        since = reader.since if reader.rest is None else reader.rest.since
        whole: list[_Piece] = [(head, None), *pieces] if head else pieces
        reader.rest = self._batch(reader, whole, since)
        reader.sent = 0

    def _take_back(self, reader: _Reader) -> None:
        """Take back what a link has not been sent: replies stay, states and statements are judged anew."""
        if reader.rest is None:
            return
        since = reader.rest.since
        head, pieces = self._split(reader)
        back = [item for _, item in pieces if item is not None]
        self.counts.delivered -= len(back)
        reader.waiting = [item for item in back if item.statement] + reader.waiting
        reader.since = min(reader.since, since)
        self._put_rest(reader, head, [piece for piece in pieces if piece[1] is None])

    # -- small parts ------------------------------------------------------------------------------------------------

    def _batch(self, reader: _Reader, pieces: list[_Piece], since: int) -> Batch | None:
        if not pieces:
            return None
        forms = [form for form, _ in pieces]
        items = [item for _, item in pieces]
        return Batch((reader.id,), (b"".join(forms),), forms, items, since)

    def _form(self, item: _Sent, code: int, format: str, verdict: Verdict) -> bytes:
        form = item.forms.get(code)
        if form is None:
            try:
                form = self._encode(item.outbound, format, verdict)
            except CodecError as error:
                self.counts.unencodable[error.reason] += 1
                form = b""
            item.forms[code] = form
        return form

    def _judged_form(self, reader: _Reader, item: _Sent) -> bytes:
        """The bytes of one statement as this link may have it at this moment; b"" = it may not."""
        group = reader.group
        rights = group.rights
        bit = item.marking.bit
        if not rights.known & bit:
            self._judge(rights, bit)
        if rights.full & bit:
            return self._form(item, group.code, group.format, Verdict.FULL)
        if rights.redacted & bit:
            return self._form(item, group.code + 1, group.format, Verdict.REDACTED)
        self.counts.denied[rights.reasons[bit]] += 1
        return b""

    def _reads(self, reader: _Reader, item: _Sent) -> bool:
        return bool(self._judged_form(reader, item))

    def _judge(self, rights: _Rights, mask: int) -> None:
        missing = mask & ~rights.known
        while missing:
            bit = missing & -missing
            missing ^= bit
            marking = self._by_bit[bit]
            decision = self._release(marking.label, marking.context, rights.audience)
            if decision.verdict is Verdict.FULL:
                rights.full |= bit
            elif decision.verdict is Verdict.REDACTED:
                rights.redacted |= bit
            else:
                rights.reasons[bit] = decision.reason
            rights.known |= bit

    def _is_behind(self, reader: _Reader) -> bool:
        return reader.id in reader.group.behind

    def _group(self, audience: Audience, format: str) -> _Group:
        group = self._groups.get((audience, format))
        if group is None:
            rights = self._rights.get(audience)
            if rights is None:
                rights = self._rights[audience] = _Rights(audience)
            rights.uses += 1
            # Two numbers per format: the full form and, one above, the redacted one.
            code = self._codes.setdefault(format, 2 * len(self._codes))
            group = self._groups[audience, format] = _Group(rights, format, code)
        return group

    def _leave_group(self, reader: _Reader) -> None:
        group = reader.group
        group.ready.pop(reader.id, None)
        group.behind.pop(reader.id, None)
        if not group.ready and not group.behind:
            del self._groups[group.rights.audience, group.format]
            group.rights.uses -= 1
            if not group.rights.uses:
                del self._rights[group.rights.audience]

    def _move(self, reader: _Reader, audience: Audience, format: str) -> None:
        behind = self._is_behind(reader)
        group = self._group(audience, format)  # first, so that what is known of these rights outlives the move
        if group is reader.group:
            return
        self._leave_group(reader)
        reader.group = group
        (reader.group.behind if behind else reader.group.ready)[reader.id] = reader

    def _new_class(self, outbound: Outbound) -> _LabelClass:
        if len(self._classes) >= self._classes_max:
            self._compact()
            self._classes_max = max(CLASSES_MAX, 2 * len(self._classes))
        bit = 1
        while bit in self._by_bit:
            bit <<= 1
        marking = _LabelClass(bit, outbound.label, outbound.context)
        self._classes[outbound.label, outbound.context] = self._by_bit[bit] = marking
        return marking

    def _compact(self) -> None:
        """Let go of the label classes that nothing uses any more; their bits are free again."""
        used = {item.marking for item in self._alive()}
        gone = 0
        for place, marking in list(self._classes.items()):
            if marking not in used:
                del self._classes[place]
                del self._by_bit[marking.bit]
                gone |= marking.bit
        for rights in self._rights.values():
            rights.known &= ~gone
            rights.full &= ~gone
            rights.redacted &= ~gone
            rights.reasons = {bit: why for bit, why in rights.reasons.items() if not bit & gone}

    def _alive(self) -> Iterator[_Sent]:
        """Every outbound that may still be sent to somebody."""
        yield from self._latest.values()
        for segment in self._segments:
            for run in segment.values():
                yield from run
        for items in self._addressed.values():
            yield from items
        for reader in self._readers.values():
            yield from reader.waiting
            if reader.rest is not None:
                yield from (item for _, item in reader.rest.pieces() if item is not None)

    def _drop_stale(self) -> None:
        now_ms = self._now_ms
        stale = [place for place, item in self._latest.items() if _is_stale(item, now_ms)]
        for place in stale:
            del self._latest[place]
        # Those that were replaced meanwhile were counted too: here it is made exact again.
        self._latest_bytes = sum(_original_bytes(item) for item in self._latest.values())
        for place in list(self._latest):
            if len(self._latest) <= LATEST_MAX and self._latest_bytes <= LATEST_BYTES_MAX:
                break
            self._latest_bytes -= _original_bytes(self._latest.pop(place))
            self.counts.forgotten += 1


def _without(link: LinkId, shared: _Shared, since: int) -> Batch | None:
    """The shared buffer without the runs that this link sent itself; None = nothing is left."""
    spans = shared.spans[link]
    whole = memoryview(shared.data)
    parts: list[bytes | memoryview] = []
    at = 0
    for start, stop, _, _ in spans:
        if start > at:
            parts.append(whole[at:start])
        at = stop
    if at < len(whole):
        parts.append(whole[at:])
    if not parts:
        return None
    if len(parts) > 1 and len(whole) <= JOINED_BYTES_MAX * len(parts):
        # One write of a copy costs less than several writes.
        parts = [b"".join(parts)]
    return Batch((link,), parts, shared.forms, shared.items, since, spans)


def _original_bytes(item: _Sent) -> int:
    original = item.outbound.original
    return 0 if original is None else len(original.data)


def _number(item: _Sent) -> int:
    return item.number


def _number_of(piece: _Piece) -> int:
    return 0 if piece[1] is None else piece[1].number


def _is_stale(item: _Sent, now_ms: int) -> bool:
    stale_at_ms = item.outbound.stale_at_ms
    return stale_at_ms is not None and stale_at_ms <= now_ms


__all__ = [
    "EVERYONE",
    "Batch",
    "Counts",
    "Encode",
    "Fanout",
    "Outbound",
    "Reach",
    "Release",
    "Standing",
]
