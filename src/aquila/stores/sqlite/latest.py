"""The latest position of every entity under every marking, back again after a restart."""

import logging
import sqlite3
from collections.abc import Sequence

import msgspec

from aquila.core.model import Context, Label, Sample
from aquila.stores.sqlite.marking import class_id

log = logging.getLogger(__name__)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Sample)


class Latest:
    """The table of latest samples over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, samples: Sequence[Sample]) -> None:
        """Keep each as the latest of its entity under its marking, in the caller's transaction."""
        numbers: dict[tuple[Context, Label], int] = {}
        rows = []
        for sample in samples:
            marking = (sample.context, sample.label)
            number = numbers.get(marking)
            if number is None:
                number = numbers[marking] = class_id(self._connection, *marking)
            rows.append((sample.report.entity, number, sample.received_at_ms, _encoder.encode(sample)))
        self._connection.executemany("INSERT OR REPLACE INTO latest VALUES(?,?,?,?)", rows)

    def load(self) -> list[Sample]:
        """All of them.

        What another version wrote and this one cannot read is left out and logged.
        """
        samples: list[Sample] = []
        unread_count = 0
        for (data,) in self._connection.execute("SELECT sample FROM latest"):
            try:
                samples.append(_decoder.decode(data))
            except (msgspec.ValidationError, msgspec.DecodeError):
                unread_count += 1
        if unread_count:
            log.warning("latest positions not readable count=%s", unread_count)
        return samples

    def last_hlc(self) -> int:
        """The greatest clock reading of a stored sample; 0 = none."""
        return max((sample.stamp.hlc for sample in self.load()), default=0)

    def forget(self, entity: str) -> None:
        """Drop what is kept of one entity, in the caller's transaction."""
        self._connection.execute("DELETE FROM latest WHERE entity=?", (entity,))

    def prune(self, before_ms: int) -> None:
        """Drop what was received before this time, in the caller's transaction."""
        self._connection.execute("DELETE FROM latest WHERE received_at_ms<?", (before_ms,))
