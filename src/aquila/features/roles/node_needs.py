"""What the node itself needs from who runs it: disk, feeds that are down, who was refused, certificates that end.

Parts and views of other features are asked by what they can, never by their classes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

import msgspec

from aquila.core.errors import UsageError
from aquila.core.feature import Labelled, Reading
from aquila.core.model import Act, Entry, Label, Principal
from aquila.core.paper_rows import AskNeeds, NeedRow
from aquila.core.papers import Papers
from aquila.core.phrases import phrase_in
from aquila.core.view import view_of

ROLES = ("system_administrator",)
ENDS_WITHIN_MS = 14 * 86_400_000
REFUSED_WITHIN_MS = 3_600_000
LINES_READ = 2_000
"""The newest of the journal that are looked through for refusals."""
REFUSAL = "device.refuse"
FEED = "feeds.feed"


@runtime_checkable
class KnowsDevices(Protocol):
    """The view of devices."""

    def devices(self, node: str) -> list[Any]:
        """Name and end of the certificate of each."""
        ...


class KnowsFeeds(Protocol):
    """The part `feeds`."""

    def live(self, id: str) -> Any:
        """How a feed does; None = it does not run."""
        ...


def node_needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    """What the node needs, as far as the asker may know of it. Devices and refusals are for administrators."""
    if not ask.wants(ROLES):
        return
    now_ms = reading.now_ms()
    for need in _sick(reading, now_ms):
        yield Labelled(need, None, reading.context)
    yield from _feeds_down(reading)
    if "admin" in principal.roles:
        for need in (*_refusals(reading, now_ms), *_certificates(reading, now_ms)):
            yield Labelled(need, None, reading.context)


def _need(kind: str, id: str, title: str, since_ms: int, due_ms: int | None = None, precedence: str = "R") -> NeedRow:
    phrase = phrase_in("node.need", title)
    return NeedRow(
        feature="node",
        kind=kind,
        id=id,
        title=title[:300],
        since_ms=since_ms,
        due_ms=due_ms,
        is_overdue=precedence == "O",
        roles=ROLES,
        actions=(),
        heads=(),
        precedence=precedence,
        act=phrase.act,
        words=phrase.words,
    )


def _part(reading: Reading, name: str) -> Any:
    """A part of the node; None = it has none."""
    try:
        return reading.part(name)
    except UsageError:
        return None


def _sick(reading: Reading, now_ms: int) -> Iterator[NeedRow]:
    health: Callable[[], Iterable[str]] | None = _part(reading, "health")
    for place, sentence in enumerate(health() if health is not None else ()):
        yield _need("sick", f"health {place}", sentence, now_ms, precedence="O")


def _feeds_down(reading: Reading) -> Iterator[Labelled]:
    board: KnowsFeeds | None = _part(reading, "feeds")
    if board is None or "feeds" not in reading.views:
        return
    for thing in view_of(reading.views, "feeds", Papers).things(reading, FEED):
        live = board.live(thing.id)
        if live is not None and live.condition in ("silent", "lost"):
            why = f": {live.why}" if live.why else ""
            need = _need("feed", thing.id, f"{thing.get('name', thing.id)} is {live.condition}{why}", live.since_ms)
            yield Labelled(need, msgspec.convert(thing.get("label"), Label), thing.first.context)


def _refusals(reading: Reading, now_ms: int) -> Iterator[NeedRow]:
    after = max(0, reading.journal.last_arrival() - LINES_READ)
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in reading.journal.read(after, LINES_READ, frozenset({"act"})):
        act = entry.body
        if isinstance(act, Act) and act.action == REFUSAL and act.happened_at_ms > now_ms - REFUSED_WITHIN_MS:
            if entry.envelope.context == reading.context:
                found.setdefault((act.target, act.detail.get("reason", "")), []).append(entry)
    for (target, reason), entries in found.items():
        last = entries[-1]
        assert isinstance(last.body, Act)
        why = last.body.detail.get("sentence") or reason
        count = f" ({len(entries)} times within an hour)" if len(entries) > 1 else ""
        yield _need("refused", last.envelope.id, f"{target} was refused: {why}{count}", last.body.happened_at_ms)


def _certificates(reading: Reading, now_ms: int) -> Iterator[NeedRow]:
    view = reading.views.get("devices")
    if not isinstance(view, KnowsDevices):
        return
    for device in view.devices(reading.node):
        if device.not_after_ms <= now_ms + ENDS_WITHIN_MS:
            ended = device.not_after_ms <= now_ms
            text = f"the certificate of {device.name} {'has ended' if ended else 'ends soon'}: renew or invite it anew"
            since_ms = device.not_after_ms - ENDS_WITHIN_MS
            yield _need("certificate", device.name, text, since_ms, device.not_after_ms, "P" if ended else "R")
