"""When everybody was last heard, by whatever he said: what "report every N minutes" is judged by."""

import msgspec

from aquila.core.model import Arrival, Context, Entry, Label, Note, Paper, Stamp

SPEAKERS_MAX = 50_000
"""Names kept; beyond it those heard longest ago are let go."""
SLACK = 1_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[tuple[Context, str, Stamp, int, Label]])


class TaskHeard:
    """See View. The newest by stamp stays, so any order of arrival gives the same state."""

    name = "task_heard"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._heard: dict[tuple[Context, str], tuple[Stamp, int, Label]] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Note | Paper):
            return
        envelope, body = arrival.envelope, arrival.body
        speakers = {envelope.author.partition(":")[2], getattr(body, "author_name", None), envelope.on_behalf_of}
        for name in speakers - {None, ""}:
            self._hear((envelope.context, str(name)), envelope.stamp, body.happened_at_ms, envelope.label)

    def _hear(self, key: tuple[Context, str], stamp: Stamp, at_ms: int, label: Label) -> None:
        known = self._heard.get(key)
        if known is None or stamp > known[0]:
            self._heard[key] = (stamp, at_ms, label)
        if len(self._heard) > SPEAKERS_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        self._heard = dict(sorted(self._heard.items(), key=lambda each: each[1][0])[-SPEAKERS_MAX:])

    def heard(self, context: Context, names: tuple[str, ...], label: Label) -> int | None:
        """When one of these was last heard, in what readers of `label` may have; None = never."""
        told = [self._heard.get((context, name.rpartition(":")[2])) for name in names]
        return max((each[1] for each in told if each is not None and may_use(each[2], label)), default=None)

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode([(context, name, *said) for (context, name), said in sorted(self._heard.items())])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._heard = {(context, name): (stamp, at, label) for context, name, stamp, at, label in _decoder.decode(data)}


def may_use(source: Label, label: Label) -> bool:
    """May what is said under `label` rest on this source: is each of its readers a reader of the source too?"""
    return source == label or (
        source.policy == label.policy
        and source.classification == label.classification
        and set(source.caveats) <= set(label.caveats)
        and set(label.groups) <= set(source.groups)
        and set(label.releasable_to) <= set(source.releasable_to)
    )
