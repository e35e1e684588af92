"""The view: which cells own people, drones and cameras looked at, and when last; under which marking, with what.

It keeps cells and times and neither names nor ways. A look counts from when it was made, or heard if that is earlier: a
clock that is ahead says nothing of what was not yet seen.
"""

from typing import Any

import msgspec
import numpy as np

from aquila.core.model import Arrival, Context, Entry, Label, Report, Sample
from aquila.features.coverage.watcher import Kind, cells_seen, kind_of
from aquila.fusion.looks import SLOTS_MAX, Ints, Looks

Watch = tuple[Label, Context, Kind]
"""One slot: whoever may see the marking may know of the look."""


class _Rows(msgspec.Struct, array_like=True):
    watch: Watch
    cells: bytes
    at_ms: bytes


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[_Rows])


class Coverage:
    """See View. The last look at a cell stays, so any order of arrival gives the same state."""

    name = "coverage"
    version = 1

    def __init__(self) -> None:
        self._looks = Looks()
        self._slots: dict[Watch, int] = {}
        self.unkept = 0
        """Looks under one marking too many, since the start."""

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Sample):
            self._hear(arrival.report, arrival.label, arrival.context, arrival.received_at_ms)
        elif isinstance(arrival, Entry) and isinstance(arrival.body, Report):
            said = arrival.envelope
            self._hear(arrival.body, said.label, said.context, said.received_at_ms)

    def _hear(self, report: Report, label: Label, context: Context, received_at_ms: int) -> None:
        kind = kind_of(report)
        if kind is None:
            return
        slot = self._slot((label, context, kind))
        if slot is not None:
            self._looks.hear(slot, cells_seen(kind, report), min(report.observed_at_ms, received_at_ms))

    def _slot(self, watch: Watch) -> int | None:
        slot = self._slots.get(watch)
        if slot is None:
            if len(self._slots) >= SLOTS_MAX:
                self.unkept += 1
                return None
            slot = self._slots[watch] = len(self._slots)
        return slot

    def watches(self) -> list[tuple[int, Watch]]:
        """Every slot and what it stands for."""
        return [(slot, watch) for watch, slot in self._slots.copy().items()]

    def looks(self) -> Looks:
        """All of them: whoever reads names the slots that the asker may have."""
        return self._looks

    def snapshot(self) -> bytes:
        """See View."""
        order = sorted(self._slots, key=_encoder.encode)
        parts: dict[int, tuple[list[Ints], list[Ints]]] = {slot: ([], []) for slot in self._slots.values()}
        for _, slots, cells, at_ms in self._looks.rows():
            for slot in np.unique(slots).tolist():
                parts[slot][0].append(cells[slots == slot])
                parts[slot][1].append(at_ms[slots == slot])
        rows = [_Rows(watch, *map(_packed, parts[self._slots[watch]])) for watch in order]
        return _encoder.encode([row for row in rows if row.cells])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._looks, self._slots = Looks(), {}
        for row in _decoder.decode(data):
            slot = self._slots[row.watch] = len(self._slots)
            cells, at_ms = np.frombuffer(row.cells, "<i8"), np.frombuffer(row.at_ms, "<i8")
            self._looks.put(np.full(len(cells), slot, np.int64), cells.astype(np.int64), at_ms.astype(np.int64))


def _packed(parts: list[Any]) -> bytes:
    return np.concatenate(parts).astype("<i8").tobytes() if parts else b""
