"""The journal in SQLite.

Envelopes, salts and bodies exactly as written, by a gap-free arrival number.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from aquila.core.journal import Fault, Head, Sealer, open_entry, verify_chain
from aquila.core.model import Entry, Original
from aquila.stores.sqlite.schema import transaction

log = logging.getLogger(__name__)

_COLUMNS = "SELECT envelope, salt, body, original_format, original, arrival FROM entry "
_PAGE = 1000
_INTEGER_MAX = (1 << 63) - 1


class SqliteJournal:
    """The journal over one connection.

    A writer's, or a reader's for everything but `append` and `forget_body`.
    """

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer | None = None) -> None:
        self._connection = connection
        self._sealer = sealer

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """Keep them in one transaction, durable on return.

        Gives the new ones with their arrival numbers.
        """
        with transaction(self._connection):
            return self.insert(entries)

    def insert(self, entries: Sequence[Entry]) -> list[Entry]:
        """As `append`, inside the caller's transaction.

        Raises ValueError for a number that no column can hold.
        """
        for entry in entries:
            envelope = entry.envelope
            if not 0 < envelope.seq <= _INTEGER_MAX or not 0 <= envelope.epoch <= _INTEGER_MAX:
                raise ValueError(f"entry {envelope.id}: seq 1..2^63 and epoch 0..2^63 needed")
            if not 0 <= envelope.hlc <= _INTEGER_MAX or abs(envelope.received_at_ms) > _INTEGER_MAX:
                raise ValueError(f"entry {envelope.id}: hlc 0..2^63 and a time within 64 bits needed")
        known = self.known_ids(entry.envelope.id for entry in entries)
        places = self._known_places(entries)
        new: list[Entry] = []
        twins: list[Entry] = []
        for entry in entries:
            envelope = entry.envelope
            place = (envelope.node, envelope.epoch, envelope.seq)
            if place in places:
                continue
            places.add(place)
            (twins if envelope.id in known else new).append(entry)
            known.add(envelope.id)
        self._insert_twins(twins)
        return self.insert_new(new)

    def _insert_twins(self, twins: Sequence[Entry]) -> None:
        rows: list[tuple[Any, ...]] = []
        for entry in twins:
            envelope, original = entry.envelope, entry.original
            origin = self._origin((envelope.node, envelope.epoch), make=True)
            foreign = (None, None) if original is None else (original.format, original.data)
            line = (entry.envelope_bytes, entry.salt, entry.body_bytes)
            rows.append((origin, envelope.seq, envelope.id, *line, *foreign))
        self._connection.executemany("INSERT INTO twin VALUES(?,?,?,?,?,?,?,?)", rows)

    def insert_new(self, entries: Sequence[Entry]) -> list[Entry]:
        """Insert, in the caller's transaction, what is known to be new.

        Gives it with arrival numbers.
        """
        if not entries:
            return []
        origins: dict[tuple[str, int], int] = {}
        arrival = self.last_arrival()
        kept: list[Entry] = []
        rows: list[tuple[Any, ...]] = []
        for entry in entries:
            arrival += 1
            envelope = entry.envelope
            name = (envelope.node, envelope.epoch)
            origin = origins.get(name)
            if origin is None:
                origin = origins[name] = self._origin(name, make=True) or 0
            original = entry.original
            rows.append(
                (
                    arrival,
                    origin,
                    envelope.seq,
                    envelope.id,
                    envelope.hlc,
                    envelope.kind,
                    envelope.received_at_ms,
                    entry.envelope_bytes,
                    entry.salt,
                    entry.body_bytes,
                    None if original is None else original.format,
                    None if original is None else original.data,
                )
            )
            kept.append(msgspec.structs.replace(entry, arrival=arrival))
        self._connection.executemany("INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", rows)
        return kept

    def known_ids(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that are in the journal."""
        asked = msgspec.json.encode(list(ids)).decode()
        rows = self._connection.execute("SELECT id FROM entry WHERE id IN (SELECT value FROM json_each(?))", (asked,))
        return {row[0] for row in rows}

    def _known_places(self, entries: Sequence[Entry]) -> set[tuple[str, int, int]]:
        asked: dict[tuple[str, int], list[int]] = {}
        for entry in entries:
            envelope = entry.envelope
            asked.setdefault((envelope.node, envelope.epoch), []).append(envelope.seq)
        known: set[tuple[str, int, int]] = set()
        for name, seqs in asked.items():
            rows = self._connection.execute(
                "SELECT seq FROM entry WHERE origin=?1 AND seq IN (SELECT value FROM json_each(?2)) UNION ALL"
                " SELECT seq FROM twin WHERE origin=?1 AND seq IN (SELECT value FROM json_each(?2))",
                (self._origin(name), msgspec.json.encode(seqs).decode()),
            )
            known.update((*name, row[0]) for row in rows)
        return known

    def _origin(self, name: tuple[str, int], *, make: bool = False) -> int | None:
        found = self._connection.execute("SELECT id FROM origin WHERE node=? AND epoch=?", name).fetchone()
        if found is None and make:
            found = self._connection.execute(
                "INSERT INTO origin(node, epoch) VALUES(?,?) RETURNING id", name
            ).fetchone()
        return None if found is None else int(found[0])

    def head(self, node: str, epoch: int) -> Head:
        """Where the chain of this origin ends."""
        row = self._connection.execute(
            "SELECT seq, envelope FROM entry WHERE origin=?1 UNION ALL"
            " SELECT seq, envelope FROM twin WHERE origin=?1 ORDER BY seq DESC LIMIT 1",
            (self._origin((node, epoch)),),
        ).fetchone()
        return Head() if row is None else Head(row[0], hashlib.sha256(row[1]).digest())

    def origins(self) -> list[tuple[str, int]]:
        """(node, epoch) of every chain, in order of their first line here."""
        return self._connection.execute("SELECT node, epoch FROM origin ORDER BY id").fetchall()

    def chain(self, node: str, epoch: int, after_seq: int, limit: int) -> list[Entry]:
        """At most `limit` lines of one origin in order of seq, above the given one; twins, arrival 0, among them."""
        rows = self._connection.execute(
            "SELECT envelope, salt, body, original_format, original, arrival, seq FROM entry WHERE origin=?1 AND seq>?2"
            " UNION ALL"
            " SELECT envelope, salt, body, original_format, original, 0, seq FROM twin WHERE origin=?1 AND seq>?2"
            " ORDER BY seq LIMIT ?3",
            (self._origin((node, epoch)), after_seq, max(0, limit)),
        )
        return self._opened(rows)

    def heads(self) -> dict[tuple[str, int], Head]:
        """Where every chain in the journal ends."""
        return {(node, epoch): self.head(node, epoch) for node, epoch in self.origins()}

    def read(self, after_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """At most `limit` entries in order of arrival, all after the given arrival number."""
        if limit <= 0:
            return []
        if kinds is None:
            return self._entries("WHERE arrival>? ORDER BY arrival LIMIT ?", (after_arrival, limit))
        return self._at(self._arrivals_of_kinds(after_arrival, limit, kinds))

    def _arrivals_of_kinds(self, after_arrival: int, limit: int, kinds: Collection[str]) -> list[int]:
        found: list[int] = []
        for kind in kinds:
            rows = self._connection.execute(
                "SELECT arrival FROM entry INDEXED BY entry_kind WHERE kind=? AND arrival>? ORDER BY arrival LIMIT ?",
                (kind, after_arrival, limit),
            )
            found.extend(row[0] for row in rows)
        return sorted(found)[:limit]

    def received(self, from_ms: int, until_ms: int, limit: int, after_arrival: int = 0) -> list[Entry]:
        """At most `limit` entries received here in from_ms <= t < until_ms, in order of arrival."""
        return self._entries(
            "INDEXED BY entry_received WHERE received_at_ms>=? AND received_at_ms<? AND arrival>?"
            " ORDER BY arrival LIMIT ?",
            (from_ms, until_ms, after_arrival, limit),
        )

    def newest(self, before_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """At most `limit` entries with an arrival number below the given one, the newest first."""
        if kinds is None:
            return self._entries("WHERE arrival<? ORDER BY arrival DESC LIMIT ?", (before_arrival, max(0, limit)))
        found: list[int] = []
        for kind in kinds:
            rows = self._connection.execute(
                "SELECT arrival FROM entry INDEXED BY entry_kind WHERE kind=? AND arrival<?"
                " ORDER BY arrival DESC LIMIT ?",
                (kind, before_arrival, max(0, limit)),
            )
            found.extend(row[0] for row in rows)
        return self._at(sorted(found, reverse=True)[: max(0, limit)])[::-1]

    def _at(self, arrivals: Sequence[int]) -> list[Entry]:
        asked = msgspec.json.encode(list(arrivals)).decode()
        return self._entries("WHERE arrival IN (SELECT value FROM json_each(?)) ORDER BY arrival", (asked,))

    def entry(self, entry_id: str) -> Entry | None:
        """One entry by its id."""
        found = self._entries("WHERE id=?", (entry_id,))
        return found[0] if found else None

    def last_arrival(self) -> int:
        """The arrival number of the newest entry; 0 = empty."""
        return int(self._connection.execute("SELECT coalesce(max(arrival), 0) FROM entry").fetchone()[0])

    def last_hlc(self) -> int:
        """The greatest clock reading in the journal; 0 = empty."""
        return int(self._connection.execute("SELECT coalesce(max(hlc), 0) FROM entry").fetchone()[0])

    def forget_body(self, entry_id: str) -> bool:
        """Erase a body, its salt and its foreign original for good; the chain still verifies.

        The salt goes as well: with it, a short body could be guessed from its digest. Runs in
        transactions of its own. Snapshots of views may hold what was in the body: clear them too.
        False = there is no such entry.
        """
        # ON overwrites what is deleted; the checkpoint takes it out of the write-ahead log.
        self._connection.execute("PRAGMA secure_delete=ON").fetchall()
        try:
            with transaction(self._connection):
                cursor = self._connection.execute(
                    "UPDATE entry SET body=NULL, salt=x'', original_format=NULL, original=NULL WHERE id=? RETURNING id",
                    (entry_id,),
                )
                found = bool(cursor.fetchall())
                self._connection.execute(
                    "UPDATE twin SET body=NULL, salt=x'', original_format=NULL, original=NULL WHERE id=?", (entry_id,)
                )
        finally:
            self._connection.execute("PRAGMA secure_delete=FAST").fetchall()
        self._empty_log()
        return found

    def _empty_log(self) -> None:
        # A reader may hold the log back; the statements behind us must not wait five seconds for
        # it.
        self._connection.execute("PRAGMA busy_timeout=200").fetchall()
        try:
            held = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            self._connection.execute("PRAGMA busy_timeout=5000").fetchall()
        if held:
            log.warning("a reader holds the write-ahead log: erased bytes stay in it until it is overwritten")

    def faults(self) -> Iterator[Fault]:
        """Everything wrong in every chain; reads the whole journal."""
        for node, epoch in self.origins():
            head = Head()
            while page := self.chain(node, epoch, head.seq, _PAGE):
                yield from verify_chain(page, {(node, epoch): head})
                last = page[-1]
                head = Head(last.envelope.seq, hashlib.sha256(last.envelope_bytes).digest())

    def tail_faults(self, node: str, epoch: int, count: int = 200) -> list[Fault]:
        """What is wrong in the last lines of one origin.

        A quick look before a node goes on writing.
        """
        page = self.chain(node, epoch, max(0, self.head(node, epoch).seq - count - 1), count + 1)
        if len(page) <= count:
            return verify_chain(page)
        first = page[0]
        head = Head(first.envelope.seq, hashlib.sha256(first.envelope_bytes).digest())
        return verify_chain(page[1:], {(node, epoch): head})

    def _entries(self, where: str, values: tuple[Any, ...]) -> list[Entry]:
        return self._opened(self._connection.execute(_COLUMNS + where, values))

    def _opened(self, rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
        sealer = self._sealer
        return [
            open_entry(
                envelope,
                salt,
                body,
                None if original is None else Original(original_format, original),
                arrival,
                sealer,
            )
            for envelope, salt, body, original_format, original, arrival, *_ in rows
        ]
