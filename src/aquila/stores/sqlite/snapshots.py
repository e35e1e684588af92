"""Snapshots of views: a shortcut past the journal's beginning, never a truth of their own."""

import hashlib
import logging
import sqlite3

import msgspec

log = logging.getLogger(__name__)


class Snapshot(msgspec.Struct, frozen=True):
    """The state of one view after all entries up to `arrival`.

    Attributes:
        version: of the view; another version means that it is folded anew.
        arrival: the cursor to go on from.
        state_hash: the view's own hash of its state. data: its bytes.
    """

    view: str
    version: int
    arrival: int
    state_hash: bytes
    data: bytes


class Snapshots:
    """The table of snapshots over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, snapshot: Snapshot) -> None:
        """Keep one, in the caller's transaction; the same place again overwrites it."""
        self._connection.execute(
            "INSERT OR REPLACE INTO snapshot(view, version, arrival, state_hash, digest, data) VALUES(?,?,?,?,?,?)",
            (
                snapshot.view,
                snapshot.version,
                snapshot.arrival,
                snapshot.state_hash,
                hashlib.sha256(snapshot.data).digest(),
                snapshot.data,
            ),
        )

    def newest(self, view: str, version: int) -> Snapshot | None:
        """The newest whole snapshot of this view at this version; a damaged one is passed over.

        None = fold from 0.
        """
        rows = self._connection.execute(
            "SELECT arrival, state_hash, digest, data FROM snapshot WHERE view=? AND version=?"
            " AND arrival<=(SELECT coalesce(max(arrival), 0) FROM entry) ORDER BY arrival DESC",
            (view, version),
        )
        for arrival, state_hash, digest, data in rows:
            if hashlib.sha256(data).digest() == digest:
                return Snapshot(view, version, arrival, state_hash, data)
            log.warning(
                "snapshot damaged, passed over view=%s version=%s arrival=%s",
                view,
                version,
                arrival,
            )
        return None

    def prune(self, keep: int) -> None:
        """Keep the newest `keep` of each view, of whatever version, in the caller's transaction."""
        self._connection.execute(
            "DELETE FROM snapshot WHERE rowid IN (SELECT rowid FROM"
            " (SELECT rowid, row_number() OVER (PARTITION BY view ORDER BY arrival DESC, version"
            " DESC) AS place"
            " FROM snapshot) WHERE place>?)",
            (max(0, keep),),
        )

    def clear(self) -> None:
        """Drop all, in the caller's transaction.

        After an erasure, because a state may still hold what was erased.
        """
        self._connection.execute("DELETE FROM snapshot")
