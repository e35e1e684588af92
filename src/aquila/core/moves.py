"""Moves: where everything was last, for rules that look at all of it as time passes. One view for all features.

It stands beside the picture, which keeps a report per source and label for readers: a rule asks only for the newest,
and judges by the label that comes with it who may be told.
"""

from collections.abc import Iterator

import msgspec

from aquila.core.ids import entity_id
from aquila.core.model import Arrival, Context, Entry, Label, Position, Report, Sample, Stamp

MOVERS_MAX = 100_000
"""Entities kept; beyond it those heard longest ago are let go."""
SLACK = 1_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""


class Move(msgspec.Struct, frozen=True, array_like=True):
    """The newest report with a position of one entity, and what matters of how it came."""

    stamp: Stamp
    received_at_ms: int
    label: Label
    context: Context
    report: Report

    @property
    def position(self) -> Position:
        """Where it was; only reports with a position are kept."""
        assert self.report.position is not None
        return self.report.position

    @property
    def name(self) -> str:
        """Its callsign, else its foreign identity."""
        return self.report.name or self.report.alias.value


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[Move])


class Moves:
    """See View. The newest by stamp stays, so any order of arrival gives the same state.

    What has ended stays as the report of its end, and is nowhere any more: only `of` gives it.

    One thread folds; any may ask at the same time, of a copy of the dict: walking it, be it in `list`, makes objects,
    and the collector that may run then lets other threads have their turn. What is worked out for those who ask is kept
    with the number of the change that it is true for.
    """

    name = "moves"
    version = 1

    def __init__(self) -> None:
        self._newest: dict[tuple[Context, str], Move] = {}
        self._change = self._order_change = 0
        self._named: tuple[int, dict[tuple[Context, str], Move]] = (-1, {})
        self._order: tuple[int, list[tuple[Context, str]]] = (-1, [])

    def __len__(self) -> int:
        return len(self._newest)

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Sample):
            report = arrival.report
            if report.position is not None:
                self._keep(
                    Move(arrival.stamp, arrival.received_at_ms, arrival.label, arrival.context, report), report.entity
                )
        elif isinstance(arrival, Entry) and isinstance(arrival.body, Report) and arrival.body.position is not None:
            said, report = arrival.envelope, arrival.body
            self._keep(Move(said.stamp, said.received_at_ms, said.label, said.context, report), report.entity)

    def _keep(self, move: Move, entity: str) -> None:
        key = (move.context, entity)
        known = self._newest.get(key)
        if known is not None and known.stamp >= move.stamp:
            return
        self._newest[key] = move
        self._change += 1
        if known is None or known.report.ended is not move.report.ended:
            self._order_change += 1
        if len(self._newest) > MOVERS_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        if len(self._newest) > MOVERS_MAX:
            kept = sorted(self._newest.items(), key=lambda each: each[1].stamp)[-MOVERS_MAX:]
            self._replace(dict(kept))

    def _replace(self, newest: dict[tuple[Context, str], Move]) -> None:
        self._newest = newest
        self._change += 1
        self._order_change += 1

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode([self._newest[key] for key in sorted(self._newest)])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._replace({(move.context, move.report.entity): move for move in _decoder.decode(data)})

    def of(self, context: Context, entity: str) -> Move | None:
        """The newest of an entity by its id, be it that it has ended; None = nothing is known."""
        return self._newest.get((context, entity))

    def items(self) -> list[tuple[tuple[Context, str], Move]]:
        """The newest of everything that has not ended by context and id, in order of these."""
        (made_at, order), change, newest = self._order, self._order_change, self._newest
        if made_at != change:
            order = sorted(key for key, move in newest.copy().items() if not move.report.ended)
            self._order = change, order
        return [(key, move) for key in order if (move := newest.get(key)) is not None]

    def all(self, context: Context) -> Iterator[Move]:
        """The newest of everything that has not ended, in order of the ids."""
        for key, move in self.items():
            if key[0] == context:
                yield move

    def called(self, context: Context, names: tuple[str, ...]) -> Move | None:
        """The newest of whoever has one of these callsigns or identities ("UID" of TAK, "mmsi:123"); None = nobody."""
        found = []
        for name in names:
            scheme, _, value = name.rpartition(":")
            move = self._callsigns().get((context, name)) or self.of(context, entity_id(scheme or "cot", value))
            if move is not None and not move.report.ended:
                found.append(move)
        return max(found, key=lambda each: each.stamp, default=None)

    def _callsigns(self) -> dict[tuple[Context, str], Move]:
        (made_at, named), change = self._named, self._change
        if made_at != change:
            alive = [move for move in self._newest.copy().values() if move.report.name and not move.report.ended]
            named = {(move.context, move.name): move for move in sorted(alive, key=lambda each: each.stamp)}
            self._named = change, named
        return named
