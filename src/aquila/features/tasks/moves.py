"""Where everything was last, and when everybody was last heard: what the conditions of tasks are judged against."""

import msgspec

from aquila.core.model import Arrival, Context, Entry, Label, Note, Paper, Report, Sample, Stamp

MOVERS_MAX = 50_000
"""Entities kept; beyond it the one heard longest ago is let go."""
SLACK = 1_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """The newest position of an entity. uid: its foreign identity "cot:UID"; name: its callsign."""

    stamp: Stamp
    uid: str
    name: str
    at_ms: int
    lat_deg: float
    lon_deg: float
    label: Label
    context: Context


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(tuple[list[Place], list[tuple[Context, str, Stamp, int, Label]]])


class TaskMoves:
    """See View. The newest by stamp stays, so any order of arrival gives the same state."""

    name = "task_moves"
    version = 1

    def __init__(self) -> None:
        self._places: dict[tuple[Context, str], Place] = {}
        self._named: dict[tuple[Context, str], str] = {}
        self._heard: dict[tuple[Context, str], tuple[Stamp, int, Label]] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Sample):
            self._keep(arrival.report, arrival.stamp, arrival.received_at_ms, arrival.label, arrival.context)
            return
        if not isinstance(arrival, Entry):
            return
        envelope, body = arrival.envelope, arrival.body
        if isinstance(body, Report):
            self._keep(body, envelope.stamp, envelope.received_at_ms, envelope.label, envelope.context)
        elif isinstance(body, Note | Paper):
            speakers = {envelope.author.partition(":")[2], getattr(body, "author_name", None), envelope.on_behalf_of}
            for name in speakers - {None, ""}:
                self._hear((envelope.context, str(name)), envelope.stamp, body.happened_at_ms, envelope.label)

    def _keep(self, report: Report, stamp: Stamp, received_at_ms: int, label: Label, context: Context) -> None:
        if report.position is None:
            return
        uid = f"{report.alias.scheme}:{report.alias.value}"
        known = self._places.get((context, uid))
        if known is not None and known.stamp >= stamp:
            return
        at_ms = min(report.observed_at_ms, received_at_ms)
        place = Place(
            stamp, uid, report.name or "", at_ms, report.position.lat_deg, report.position.lon_deg, label, context
        )
        self._places[context, uid] = place
        if place.name and (known is None or known.name != place.name):
            self._named[context, place.name] = uid
        if len(self._places) > MOVERS_MAX + SLACK:
            self._trim()

    def _hear(self, key: tuple[Context, str], stamp: Stamp, at_ms: int, label: Label) -> None:
        known = self._heard.get(key)
        if known is None or stamp > known[0]:
            self._heard[key] = (stamp, at_ms, label)
        if len(self._heard) > MOVERS_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        places = sorted(self._places.values(), key=lambda each: each.stamp)[-MOVERS_MAX:]
        self._places = {(each.context, each.uid): each for each in places}
        self._named = {(each.context, each.name): each.uid for each in places if each.name}
        self._heard = dict(sorted(self._heard.items(), key=lambda each: each[1][0])[-MOVERS_MAX:])

    def place(self, context: Context, names: tuple[str, ...]) -> Place | None:
        """The newest position of whoever is called by one of these names, callsigns or "cot:UID"; None = not known."""
        found = []
        for name in names:
            uid = self._named.get((context, name), name)
            place = self._places.get((context, uid)) or self._places.get((context, f"cot:{name}"))
            if place is not None:
                found.append(place)
        return max(found, key=lambda each: each.stamp, default=None)

    def heard(self, context: Context, names: tuple[str, ...], label: Label) -> int | None:
        """When one of these was last heard, in what readers of `label` may have; None = never."""
        told = [self._heard.get((context, name.rpartition(":")[2])) for name in names]
        return max((each[1] for each in told if each is not None and may_use(each[2], label)), default=None)

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        heard = [(context, name, *said) for (context, name), said in sorted(self._heard.items())]
        return _encoder.encode((sorted(self._places.values(), key=lambda each: (each.context, each.uid)), heard))

    def restore(self, data: bytes) -> None:
        """See View."""
        places, heard = _decoder.decode(data)
        self._places = {(each.context, each.uid): each for each in places}
        self._heard = {(context, name): (stamp, at_ms, label) for context, name, stamp, at_ms, label in heard}
        self._trim()


def may_use(source: Label, label: Label) -> bool:
    """May what is said under `label` rest on this source: is each of its readers a reader of the source too?"""
    return source == label or (
        source.policy == label.policy
        and source.classification == label.classification
        and set(source.caveats) <= set(label.caveats)
        and set(label.groups) <= set(source.groups)
        and set(label.releasable_to) <= set(source.releasable_to)
    )
