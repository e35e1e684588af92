"""The journal: append-only, chained per origin, idempotent on merge. The envelope is hashed, the body lies beside."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec

from aquila.core.hlc import hlc_ms
from aquila.core.model import KINDS, Body, Draft, Entry, Envelope, Original, kind_of

SALT_BYTES = 16
NO_DIGEST = bytes(32)
SLACK_MS = 600_000
"""Entries that were merged lie that much out of order of time, as far as they are looked for."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that somebody else wrote."""

_envelope_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(Envelope)
_body_encoder = msgspec.json.Encoder(order="deterministic")
_body_decoder: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)
_snapshot_encoder = msgspec.msgpack.Encoder()


class Head(msgspec.Struct, frozen=True):
    """Where the chain of one origin ends: last sequence number and the SHA-256 of its envelope bytes."""

    seq: int = 0
    digest: bytes = NO_DIGEST


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A draft with everything that clock and dice give it; only its place in the chain is still open."""

    draft: Draft
    id: str
    hlc: int
    salt: bytes


class Sealer(Protocol):
    """Seals bodies that name persons, with those persons' keys (which live outside journal and backup)."""

    def seal(self, subjects: Sequence[str], body: bytes, nonce: bytes) -> bytes:
        """The sealed form; deterministic for a given nonce."""
        ...

    def open(self, subjects: Sequence[str], sealed: bytes) -> bytes | None:
        """The body again; None when a key is gone (erased)."""
        ...


def make_entry(
    staged: Staged, *, node: str, epoch: int, head: Head, sealer: Sealer | None = None
) -> tuple[Entry, Head]:
    """The next line of an origin's chain, and the head after it. Pure: the same arguments give the same bytes.

    Raises ValueError when the draft has subjects and there is no sealer: a person's body never lies open.
    """
    draft = staged.draft
    body_bytes = _body_encoder.encode(draft.body)
    original = draft.original
    if draft.subjects:
        if sealer is None:
            raise ValueError(f"subjects {draft.subjects}: a sealer is needed for a body that names persons")
        body_bytes = sealer.seal(draft.subjects, body_bytes, staged.salt)
        # The foreign original says the same as the body, so it must not lie open beside the sealed one.
        original = None
    envelope = Envelope(
        node=node,
        epoch=epoch,
        seq=head.seq + 1,
        hlc=staged.hlc,
        id=staged.id,
        happened_at_ms=draft.happened_at_ms,
        received_at_ms=draft.received_at_ms,
        author=draft.author,
        on_behalf_of=draft.on_behalf_of,
        via=draft.via,
        label=draft.label,
        context=draft.context,
        kind=kind_of(draft.body),
        body_version=type(draft.body).VERSION,
        subjects=draft.subjects,
        cause=draft.cause,
        body_digest=hashlib.sha256(staged.salt + body_bytes).digest(),
        prev=head.digest,
    )
    envelope_bytes = _envelope_encoder.encode(envelope)
    entry = Entry(
        envelope=envelope,
        envelope_bytes=envelope_bytes,
        salt=staged.salt,
        body_bytes=body_bytes,
        body=draft.body,
        original=original,
    )
    return entry, Head(envelope.seq, hashlib.sha256(envelope_bytes).digest())


def open_entry(
    envelope_bytes: bytes,
    salt: bytes,
    body_bytes: bytes | None,
    original: Original | None = None,
    arrival: int = 0,
    sealer: Sealer | None = None,
) -> Entry:
    """A line as a store or a peer gives it back. Its body is None when it cannot be read; its bytes stay.

    Raises msgspec.DecodeError when these bytes are no envelope.
    """
    try:
        envelope = _envelope_decoder.decode(envelope_bytes)
    except UNREADABLE as wrong:
        raise msgspec.DecodeError(f"no envelope of a journal line: {wrong}") from wrong
    plain = body_bytes
    if plain is not None and envelope.subjects:
        plain = sealer.open(envelope.subjects, plain) if sealer is not None else None
    body = None if plain is None else decode_body(envelope.kind, envelope.body_version, plain)
    return Entry(
        envelope=envelope,
        envelope_bytes=envelope_bytes,
        salt=salt,
        body_bytes=body_bytes,
        body=body,
        original=original,
        arrival=arrival,
    )


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(kind, version) -> the pure function that lifts a body of that version to the next one."""


def decode_body(
    kind: str,
    version: int,
    data: bytes,
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> Body | None:
    """A body at the present version.

    None when the bytes, the kind or a version newer than this program say nothing, or numbers that nobody can keep.
    """
    known = KINDS.get(kind)
    if known is None or not 1 <= version <= known.VERSION:
        return None
    try:
        if version == known.VERSION:
            body = _body_decoder.decode(data)
            return body if is_keepable(body) else None
        fields = msgspec.json.decode(data)
    except UNREADABLE:
        return None
    for step in range(version, known.VERSION):
        fields = upcasters[(kind, step)](fields)
    lifted: Body = msgspec.convert(fields, Body)
    return lifted


def is_keepable(body: Body) -> bool:
    """Do all its whole numbers fit into 64 bits? JSON has larger ones, but neither SQLite nor the state of a view."""
    try:
        _snapshot_encoder.encode(body)
    except OverflowError:
        return False
    return True


def encode_body(body: Body) -> bytes:
    """The bytes of a body as the journal writes them."""
    return _body_encoder.encode(body)


def head_after(entry: Entry) -> Head:
    """Where a chain stands behind this line."""
    return Head(entry.envelope.seq, hashlib.sha256(entry.envelope_bytes).digest())


class Fault(msgspec.Struct, frozen=True):
    """Something wrong in a chain: which origin and line, and what."""

    node: str
    epoch: int
    seq: int
    what: str


def verify_chain(entries: Iterable[Entry], heads: Mapping[tuple[str, int], Head] | None = None) -> list[Fault]:
    """Everything wrong in these entries, each origin in order of seq. An empty list means that the chain is whole.

    Args:
        entries: lines of any origins; those of one origin in order.
        heads: where each chain stood before the first given line; absent = from its beginning.
    """
    at = dict(heads or {})
    faults: list[Fault] = []
    for entry in entries:
        envelope = entry.envelope
        origin = (envelope.node, envelope.epoch)
        head = at.get(origin, Head())
        wrong = _fault_of(entry, head)
        if wrong is not None:
            faults.append(Fault(envelope.node, envelope.epoch, envelope.seq, wrong))
        at[origin] = head_after(entry)
    return faults


def _fault_of(entry: Entry, head: Head) -> str | None:
    envelope = entry.envelope
    if envelope.seq != head.seq + 1:
        return f"sequence {envelope.seq} after {head.seq}"
    if envelope.prev != head.digest:
        return "the digest of the line before does not match"
    if entry.body_bytes is not None and not digest_matches(entry):
        return "the body does not match its digest"
    return None


def digest_matches(entry: Entry) -> bool:
    """Does the body lie there as its envelope says? Raises ValueError for a stub, which has no body to judge."""
    if entry.body_bytes is None:
        raise ValueError(f"entry {entry.envelope.id} is a stub: there is no body to check")
    return hashlib.sha256(entry.salt + entry.body_bytes).digest() == entry.envelope.body_digest


class JournalStore(Protocol):
    """What keeps the journal. One contract suite (aquila.testing.stores) runs over every implementation."""

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """Keep them in one transaction, durable on return; gives those that were new, with their arrival numbers.

        An entry whose (node, epoch, seq) is there already is left out: a merge is idempotent. One whose id is there
        from another place is a twin (two nodes heard the same statement): it counts once, so it is not given back, has
        no arrival number and is never read as an entry; it is kept for its chain alone.
        """
        ...

    def origins(self) -> list[tuple[str, int]]:
        """(node, epoch) of every chain, in any order."""
        ...

    def chain(self, node: str, epoch: int, after_seq: int, limit: int) -> list[Entry]:
        """At most `limit` lines of one origin in order of seq, above the given one; twins, arrival 0, among them."""
        ...

    def head(self, node: str, epoch: int) -> Head:
        """Where the chain of this origin ends."""
        ...

    def read(self, after_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """At most `limit` entries in order of arrival, all with an arrival number above the given one; no twins."""
        ...

    def newest(self, before_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """At most `limit` entries with an arrival number below the given one, the newest first; no twins."""
        ...

    def entry(self, entry_id: str) -> Entry | None:
        """One entry by its id."""
        ...

    def last_arrival(self) -> int:
        """The arrival number of the newest entry; 0 = empty."""
        ...

    def last_hlc(self) -> int:
        """The greatest clock reading in the journal; 0 = empty."""
        ...


class MemoryJournal:
    """A journal in memory, for simulation and tests; the same contract as every store."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._chains: dict[tuple[str, int], dict[int, Entry]] = {}

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """See JournalStore."""
        new: list[Entry] = []
        for entry in entries:
            envelope = entry.envelope
            chain = self._chains.setdefault((envelope.node, envelope.epoch), {})
            if envelope.seq in chain:
                continue
            is_twin = envelope.id in self._by_id
            kept = msgspec.structs.replace(entry, arrival=0 if is_twin else len(self._entries) + 1)
            chain[envelope.seq] = kept
            if not is_twin:
                self._entries.append(kept)
                self._by_id[envelope.id] = kept
                new.append(kept)
        return new

    def origins(self) -> list[tuple[str, int]]:
        """See JournalStore."""
        return list(self._chains)

    def chain(self, node: str, epoch: int, after_seq: int, limit: int) -> list[Entry]:
        """See JournalStore."""
        chain = self._chains.get((node, epoch), {})
        return [chain[seq] for seq in sorted(chain) if seq > after_seq][: max(0, limit)]

    def head(self, node: str, epoch: int) -> Head:
        """See JournalStore."""
        chain = self._chains.get((node, epoch))
        return head_after(chain[max(chain)]) if chain else Head()

    def read(self, after_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """See JournalStore."""
        return _of_kinds(self._entries[max(0, after_arrival) :], limit, kinds)

    def newest(self, before_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """See JournalStore."""
        return _of_kinds(reversed(self._entries[: max(0, before_arrival - 1)]), limit, kinds)

    def entry(self, entry_id: str) -> Entry | None:
        """See JournalStore."""
        return self._by_id.get(entry_id)

    def last_arrival(self) -> int:
        """See JournalStore."""
        return len(self._entries)

    def last_hlc(self) -> int:
        """See JournalStore."""
        return max((entry.envelope.hlc for entry in self._entries), default=0)


def arrival_near(journal: JournalStore, at_ms: int) -> int:
    """About the last arrival at this time: exact but for entries that were merged from elsewhere."""
    low, high = 0, journal.last_arrival()
    while low < high:
        middle = (low + high + 1) // 2
        found = journal.read(middle - 1, 1)
        if found and hlc_ms(found[0].envelope.hlc) <= at_ms:
            low = middle
        else:
            high = middle - 1
    return low


def _of_kinds(entries: Iterable[Entry], limit: int, kinds: frozenset[str] | None) -> list[Entry]:
    wanted = (entry for entry in entries if kinds is None or entry.envelope.kind in kinds)
    return list(islice(wanted, max(0, limit)))
