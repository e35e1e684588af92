"""Fan-out: what is to leave, who may have it, and where each link stands -> the bytes to write to every link."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence

from aquila.core.contacts import Contacts, LinkId
from aquila.core.fanout.forms import Counts, Forms
from aquila.core.fanout.latest import LatestStates
from aquila.core.fanout.outbound import EVERYONE, Encode, Outbound, Reach, Release
from aquila.core.fanout.reader import Group, Reader, Rights, Standing
from aquila.core.fanout.run import Batch, LabelClass, Piece, Sent, Shared, is_stale, number, part_for
from aquila.core.fanout.tick import Missed, Runs, compose, share
from aquila.core.model import Address, Audience, Label

AUDIENCES_MAX = 200
"""More than this and every tick pays for them: a warning is shown."""
SWEEP_EVERY_MS = 10_000
WAITING_BYTES_MAX = 4 << 20
WAITING_MS_MAX = 600_000
"""Statements wait this much and this long for a slow link; then it is to be closed. The journal has the rest."""
REPLY_BYTES_MAX = 64 << 10
"""Replies that wait for a slow link; beyond this they are dropped and counted."""
REFRESHED_PER_TICK = 50


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
        self._forms = Forms(release, encode, self.counts)
        self._readers: dict[LinkId, Reader] = {}
        self._groups: dict[tuple[Audience, str], Group] = {}
        self._groups_reading: dict[str, dict[Group, None]] = {}
        self._rights: dict[Audience, Rights] = {}
        self._codes: dict[str, int] = {}
        self._latest = LatestStates()
        self._runs = Runs()
        self._addressed: dict[LinkId, list[Sent]] = {}
        # Made since the last tick, for the links that ask for it: who is behind is seldom so alone.
        self._missed: dict[tuple[Group, int], Missed] = {}
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
        reader = self._readers[link] = Reader(link, group, own, committed_bytes)
        group.ready[link] = reader
        reader.whole = True
        pieces = self._catch_up(reader)
        if greeting:
            pieces.append((greeting, None))
        return reader.batch(pieces, 0)

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
        undelivered: list[Sent] = []
        if reader.rest is not None:
            end = 0
            for form, item in reader.rest.pieces():
                end += len(form)
                if end > reader.sent and item is not None and item.statement:
                    undelivered.append(item)
        undelivered += sorted(reader.waiting, key=number)
        undelivered += [
            item
            for item in self._runs.items()
            if item.statement and item.source != link and self._forms.judged(reader.group, item)
        ]
        self._refresh.pop(link, None)
        self._overdue.pop(link, None)
        self._leave_group(reader)
        return tuple(item.outbound for item in undelivered)

    def regroup(self, link: LinkId, audience: Audience) -> Batch | None:
        """Give a link other rights: what it has not been sent is judged anew, and it gets its picture again."""
        reader = self._readers[link]
        format = reader.group.format
        behind = reader.is_behind
        self._take_back(reader)
        self._move(reader, audience, format)
        reader.since = 0
        reader.whole = True
        return None if behind else reader.batch(self._catch_up(reader), 0)

    def switch(self, link: LinkId, format: str, reply: bytes = b"") -> Batch | None:
        """Change the format of a link: what was queued in the old one goes out before, then `reply`, then the new."""
        reader = self._readers[link]
        behind = reader.is_behind
        self._move(reader, reader.group.rights.audience, format)
        if not reply:
            return None
        if not behind:
            return reader.batch([(reply, None)], self._flushed)
        head, pieces = reader.split()
        reader.put_rest(head, [*pieces, (reply, None)])
        return None

    def reply(self, link: LinkId, data: bytes) -> Batch | None:
        """Bytes for one link that go before everything that waits, but never inside a half-written statement."""
        reader = self._readers.get(link)
        if reader is None:
            return None
        if not reader.is_behind:
            return reader.batch([(data, None)], self._flushed)
        if reader.reply_bytes + len(data) > REPLY_BYTES_MAX:
            self.counts.replies_dropped += 1
            return None
        reader.reply_bytes += len(data)
        head, pieces = reader.split()
        # Behind earlier replies: the answer to a format switch must stay before all that follows it.
        after = max((index for index, (_, item) in enumerate(pieces) if item is None), default=-1)
        pieces.insert(after + 1, (data, None))
        reader.put_rest(head, pieces)
        return None

    # -- what leaves ------------------------------------------------------------------------------------------------

    def publish(self, outbound: Outbound) -> Reach:
        """Take something that may leave at the next tick; for named addressees, says who of them gets it."""
        markings = self._forms.markings
        marking = markings.known(outbound.label, outbound.context)
        if marking is None:
            if markings.are_many:
                self._missed.clear()
                markings.compact((item.marking for item in self._alive()), self._rights.values())
            marking = markings.add(outbound.label, outbound.context)
        if outbound.to:
            return self._address(outbound, marking)
        self._count += 1
        item = Sent(self._count, marking, outbound, None)
        if outbound.key is not None:
            self._latest.put(outbound.key, item)
        self._runs.add(item)
        return EVERYONE

    def forget(self, key: Hashable, whose: Callable[[Label], bool] = lambda label: True) -> None:
        """An entity is no more: newcomers and slow links are not told its state any longer.

        whose: of its states those under a label for which this is true; a removal reaches no further than its sender.
        """
        self._missed.clear()
        markings = self._forms.markings.by_bit.values()
        self._latest.forget(key, [marking for marking in markings if whose(marking.label)])

    def tick(self, now_ms: int) -> list[Batch]:
        """Everything published since the last tick as buffers: one per view of it, one write per ready link."""
        self._now_ms = now_ms
        since, self._flushed = self._flushed, self._count
        self._missed.clear()
        batches: list[Batch] = []
        runs, addressed = self._runs, self._addressed
        if runs.mask or addressed:
            self._runs, self._addressed = Runs(), {}
            mask = runs.mask
            made: dict[tuple[int, int, int], Shared] = {}
            for group in self._groups.values():
                rights = group.rights
                self._forms.judge(rights, mask)
                view = (group.code, rights.full & mask, rights.redacted & mask)
                shared = made.get(view)
                if shared is None:
                    shared = made[view] = share(self._forms, runs, *view, group.format)
                self._count_denied(rights, runs, len(group.ready) + len(group.behind))
                if group.ready:
                    self._hand_out(group, shared, addressed, since, batches)
                if group.behind:
                    self._keep(group, shared, addressed)
        for _ in range(min(len(self._refresh), REFRESHED_PER_TICK)):
            self._catch_up_ready(batches)
        return batches

    def sweep(self, now_ms: int) -> tuple[LinkId, ...]:
        """About once a second: let stale states go; gives the links that stay slow and are to be closed."""
        self._now_ms = now_ms
        self._missed.clear()
        if self._latest.are_too_many or now_ms - self._swept_ms >= SWEEP_EVERY_MS:
            self._swept_ms = now_ms
            self.counts.forgotten += self._latest.drop_stale(now_ms)
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
        if not reader.is_behind:
            reader.behind_since_ms = self._now_ms
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
        if reader is None or not reader.is_behind:
            return None
        if reader.rest is None:
            reader.rest = self._next_batch(reader)
            reader.sent = 0
        if reader.rest is not None:
            return memoryview(reader.rest.data)[reader.sent :]
        reader.rejoin()
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
        self._forms.release = release
        self._missed.clear()
        for item in self._alive():
            item.forms = {}
        for reader in self._readers.values():
            if reader.is_behind:
                self._take_back(reader)
        grown: set[Audience] = set()
        for rights in self._rights.values():
            known, full, redacted = rights.known, rights.full, rights.redacted
            rights.forget()
            self._forms.judge(rights, known)
            if rights.full & ~full or rights.redacted & ~full & ~redacted:
                grown.add(rights.audience)
        for reader in self._readers.values():
            if reader.group.rights.audience in grown:
                self.refresh(reader.id)

    def refresh(self, link: LinkId) -> None:
        """Have a link get its whole picture again within the next ticks."""
        reader = self._readers[link]
        if not reader.is_behind:
            reader.group.ready.pop(link)
            reader.group.behind[link] = reader
            reader.behind_since_ms = reader.progress_ms = reader.waiting_since_ms = self._now_ms
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
        return bool(self._runs.mask or self._addressed or self._refresh)

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
            return Standing(False, 0, 0, 0, 0)
        unsent = 0 if reader.rest is None else reader.rest.size - reader.sent
        return Standing(reader.is_behind, reader.behind_since_ms, unsent, len(reader.waiting), reader.waiting_bytes)

    # -- one tick ---------------------------------------------------------------------------------------------------

    def _hand_out(
        self,
        group: Group,
        shared: Shared,
        addressed: dict[LinkId, list[Sent]],
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
                pieces = compose(self._forms, reader, shared, addressed[link])
                batch = reader.batch(pieces, since)
            else:
                batch = part_for(link, shared, since)
            if batch is not None:
                batches.append(batch)
                self.counts.delivered += batch.count

    def _keep(self, group: Group, shared: Shared, addressed: dict[LinkId, list[Sent]]) -> None:
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
            reader.waiting_bytes += sum(len(self._forms.judged(reader.group, item)) for item in fresh)
            if reader.waiting_bytes > WAITING_BYTES_MAX:
                self._overdue[link] = None

    def _count_denied(self, rights: Rights, runs: Runs, readers: int) -> None:
        denied = runs.mask & ~rights.full & ~rights.redacted
        if not denied:
            return
        for bit, count in Counter(item.marking.bit for item in runs.items() if item.marking.bit & denied).items():
            self.counts.denied[rights.reasons[bit]] += count * readers

    # -- addressees -------------------------------------------------------------------------------------------------

    def _address(self, outbound: Outbound, marking: LabelClass) -> Reach:
        """Find the links of named addressees who may have it; a name gives no right."""
        links: dict[LinkId, None] = {}
        unreachable: list[Address] = []
        item = Sent(self._count + 1, marking, outbound, ())
        for address in dict.fromkeys(outbound.to):
            found = [
                link
                for link in self._answering(address)
                if link != outbound.source
                and (reader := self._readers.get(link)) is not None
                and self._forms.judged(reader.group, item)
            ]
            if not found:
                unreachable.append(address)
            links.update(dict.fromkeys(found))
        if links:
            self._count += 1
            item.links = tuple(links)
            self._runs.cut()
            for link in links:
                self._addressed.setdefault(link, []).append(item)
        return Reach(tuple(links), tuple(unreachable))

    def _answering(self, address: Address) -> Sequence[LinkId]:
        if address.scheme == "group":
            groups = self._groups_reading.get(address.value, ())
            return [link for group in groups for links in (group.ready, group.behind) for link in links]
        return self.contacts.links(address)

    # -- catching up ------------------------------------------------------------------------------------------------

    def _next_batch(self, reader: Reader) -> Batch | None:
        """What a link that took everything gets next; None = it missed nothing."""
        since = reader.since
        if reader.whole or reader.waiting:
            return reader.batch(self._catch_up(reader), since)
        missed = self._missed_since(reader.group, since)
        if reader.own is not None and missed.told.get(reader.own, reader.id) != reader.id:
            # Somebody else told of what the peer is itself.
            return reader.batch(self._catch_up(reader), since)
        batch = part_for(reader.id, missed.shared, since)
        count = 0 if batch is None else batch.count
        self._count_denied(reader.group.rights, missed.runs, 1)
        self._has_caught_up(reader, count, count)
        return batch

    def _missed_since(self, group: Group, since: int) -> Missed:
        missed = self._missed.get((group, since))
        if missed is None:
            states = [
                item
                for item in self._latest.changed_since(since)
                if item.number <= self._flushed and not item.statement and not is_stale(item, self._now_ms)
            ]
            missed = self._missed[group, since] = Missed(self._forms, group, reversed(states))
        return missed

    def _catch_up(self, reader: Reader) -> list[Piece]:
        """What a link missed, oldest first: waiting statements, and the newest of every state changed since."""
        waiting = reader.waiting
        seen = set(map(id, waiting))
        missed: list[Sent] = []
        for item in self._latest.changed_since(reader.since):
            if (
                item.number <= self._flushed
                and (reader.whole or not item.statement)
                and item.source != reader.id
                and not is_stale(item, self._now_ms)
                and (reader.own is None or item.outbound.key != reader.own)
                and id(item) not in seen
            ):
                missed.append(item)
        missed.reverse()
        if waiting:
            missed += waiting
            missed.sort(key=number)
        pieces: list[Piece] = [(form, item) for item in missed if (form := self._forms.judged(reader.group, item))]
        states = sum(1 for _, item in pieces if item is not None and not item.statement)
        self._has_caught_up(reader, len(pieces), states)
        return pieces

    def _has_caught_up(self, reader: Reader, delivered: int, states: int) -> None:
        self.counts.delivered += delivered
        self.counts.superseded += max(0, reader.missed - states)
        reader.waiting = []
        reader.waiting_bytes = reader.missed = 0
        reader.whole = False
        reader.since = self._flushed

    def _catch_up_ready(self, batches: list[Batch]) -> None:
        """Give the next link whose picture is to be refreshed what it lacks, and have it ready again."""
        link = next(iter(self._refresh))
        del self._refresh[link]
        reader = self._readers[link]
        # It took everything it was given, so whatever waits are replies that came since.
        pieces = [] if reader.rest is None else list(reader.rest.pieces())
        reader.rest = None
        batch = reader.batch(pieces + self._catch_up(reader), 0)
        reader.rejoin()
        if batch is not None:
            batches.append(batch)

    def _take_back(self, reader: Reader) -> None:
        """Take back what a link has not been sent: replies stay, states and statements are judged anew."""
        if reader.rest is None:
            return
        since = reader.rest.since
        head, pieces = reader.split()
        back = [item for _, item in pieces if item is not None]
        self.counts.delivered -= len(back)
        reader.waiting = [item for item in back if item.statement] + reader.waiting
        reader.since = min(reader.since, since)
        reader.put_rest(head, [piece for piece in pieces if piece[1] is None])

    # -- small parts ------------------------------------------------------------------------------------------------

    def _group(self, audience: Audience, format: str) -> Group:
        group = self._groups.get((audience, format))
        if group is None:
            rights = self._rights.get(audience)
            if rights is None:
                rights = self._rights[audience] = Rights(audience)
            rights.uses += 1
            # Two numbers per format: the full form and, one above, the redacted one.
            code = self._codes.setdefault(format, 2 * len(self._codes))
            group = self._groups[audience, format] = Group(rights, format, code)
            for name in audience.groups:
                self._groups_reading.setdefault(name, {})[group] = None
        return group

    def _leave_group(self, reader: Reader) -> None:
        group = reader.group
        group.ready.pop(reader.id, None)
        group.behind.pop(reader.id, None)
        if not group.ready and not group.behind:
            del self._groups[group.rights.audience, group.format]
            for name in group.rights.audience.groups:
                del self._groups_reading[name][group]
                if not self._groups_reading[name]:
                    del self._groups_reading[name]
            group.rights.uses -= 1
            if not group.rights.uses:
                del self._rights[group.rights.audience]

    def _move(self, reader: Reader, audience: Audience, format: str) -> None:
        behind = reader.is_behind
        group = self._group(audience, format)  # first, so that what is known of these rights outlives the move
        if group is reader.group:
            return
        self._leave_group(reader)
        reader.group = group
        (reader.group.behind if behind else reader.group.ready)[reader.id] = reader

    def _alive(self) -> Iterator[Sent]:
        """Every outbound that may still be sent to somebody."""
        yield from self._latest
        yield from self._runs.items()
        for items in self._addressed.values():
            yield from items
        for reader in self._readers.values():
            yield from reader.waiting
            if reader.rest is not None:
                yield from (item for _, item in reader.rest.pieces() if item is not None)
