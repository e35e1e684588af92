"""Papers: the fold of what staff fill in. A thing (unit, order, task, question ...) is the sum of the papers about it.

All steps are kept in their total order and everything else is read from them: the newest value of each field, its
history, the state by the feature's table, and conflicts, where two people changed one field without having seen each
other. A reader gets a thing folded from the steps that he may have, so a withheld step changes nothing he sees.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Desk, Reading, Saying, Then
from aquila.core.model import Address, Arrival, Context, Entry, Label, Paper, Position, Principal, Stamp, Verdict
from aquila.core.policy import label_for

STEPS_MAX = 5_000
"""Steps of one thing; later ones are counted and left out of the fold (they stay in the journal)."""
CONFLICTS_MAX = 20
SEEN_MAX = 50
"""Entries that one step may say it has seen."""


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One paper about a thing, with what matters of its envelope.

    Attributes:
        at_ms: when it happened, as claimed; received_at_ms: when this node had it.
        by: id of the author; on_behalf_of: for whom, None = for itself.
    """

    stamp: Stamp
    entry: str
    type: str
    action: str
    fields: dict[str, Any]
    seen: tuple[str, ...]
    at_ms: int
    received_at_ms: int
    by: str
    on_behalf_of: str | None
    via: str
    label: Label
    context: Context
    summary: str
    position: Position | None
    to: tuple[Address, ...]


class Conflict(msgspec.Struct, frozen=True):
    """Two steps that differ about one field and did not know of each other. `kept` is the one in force."""

    field: str
    kept: Step
    other: Step


class Thing:
    """One thing as its steps make it. Nobody changes one: a reader's copy is made of the steps he may have.

    Attributes:
        id, type: as the first step says. steps: oldest first, at least one.
    """

    __slots__ = ("_fields", "id", "steps", "type")

    def __init__(self, id: str, steps: Sequence[Step]) -> None:
        self.id = id
        self.steps = tuple(steps)
        self.type = self.steps[0].type
        self._fields: dict[str, Step] | None = None

    @property
    def first(self) -> Step:
        """The step that made it."""
        return self.steps[0]

    @property
    def newest(self) -> Step:
        """The last step in the total order."""
        return self.steps[-1]

    def writers(self) -> Mapping[str, Step]:
        """For each field the step that said it last."""
        if self._fields is None:
            self._fields = {name: step for step in self.steps for name in step.fields}
        return self._fields

    def fields(self) -> dict[str, Any]:
        """The newest value of each field that is not emptied."""
        values = {name: step.fields[name] for name, step in self.writers().items()}
        return {name: value for name, value in values.items() if value is not None}

    def get(self, name: str, default: Any = None) -> Any:
        """The newest value of a field."""
        step = self.writers().get(name)
        value = None if step is None else step.fields[name]
        return default if value is None else value

    def position(self) -> Position | None:
        """The newest place that a step named."""
        return next((step.position for step in reversed(self.steps) if step.position is not None), None)

    def at(self, at_ms: int) -> "Thing | None":
        """The thing as it was after the steps that had happened by then; None = it was not yet."""
        steps = [step for step in self.steps if step.at_ms <= at_ms]
        return Thing(self.id, steps) if steps else None

    def heads(self) -> tuple[str, ...]:
        """Entries that no later step has seen: what a writer says it has `seen`."""
        covered = {entry for step in self.steps for entry in step.seen}
        return tuple(step.entry for step in self.steps if step.entry not in covered)[-SEEN_MAX:]

    def conflicts(self) -> list[Conflict]:
        """Fields about which concurrent steps differ, until a step that has seen both speaks about the field.

        Of one field the newest `CONFLICTS_MAX`; settling them shows those before.
        """
        places = {step.entry: place for place, step in enumerate(self.steps)}
        known = self._known(places)
        found: list[Conflict] = []
        for name in self.writers():
            speakers = [place for place, step in enumerate(self.steps) if name in step.fields]
            found += self._conflicts_of(name, speakers, known)
        return found

    def _conflicts_of(self, name: str, speakers: Sequence[int], known: Sequence[int]) -> list[Conflict]:
        """Those about one field, the oldest first. speakers: places of the steps that speak about it."""
        kept, last = self.steps[speakers[-1]], speakers[-1]
        # What those who spoke later had seen: somebody who had seen a step and spoke since has settled it.
        settled = known[last]
        found: list[Conflict] = []
        for place in reversed(speakers[:-1]):
            other = self.steps[place]
            is_apart = not (settled >> place & 1 or known[place] >> last & 1)
            if is_apart and other.fields[name] != kept.fields[name]:
                found.append(Conflict(name, kept, other))
                if len(found) >= CONFLICTS_MAX:
                    break
            settled |= known[place]
        return found[::-1]

    def _known(self, places: Mapping[str, int]) -> list[int]:
        """For each step the places of all steps that its writer had seen, however indirectly, as bits of a number.

        Sets of their names took 590 MiB for the most steps that a thing may have; each of these has 625 bytes then.
        """
        known: list[int] = []
        for place, step in enumerate(self.steps):
            bits = 0
            for entry in step.seen:
                at = places.get(entry)
                if at is not None:
                    bits |= 1 << at | (known[at] if at < place else 0)
            known.append(bits)
        return known


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[tuple[str, list[Step]]])


class Papers:
    """The view of all papers whose type begins with one of the feature's words.

    Args:
        name: of the view; version: grows when a feature reads its papers differently.
        prefixes: types that belong to it: ("orders.",).
    """

    hears_positions = False

    def __init__(self, name: str, version: int, prefixes: tuple[str, ...]) -> None:
        self.name = name
        self.version = version
        self._prefixes = prefixes
        self._steps: dict[tuple[Context, str], list[Step]] = {}
        self.left_out = 0
        self.changes = 0
        """Grows with every step: who keeps something made of the papers compares it."""

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Paper):
            return
        paper, envelope = arrival.body, arrival.envelope
        if not paper.type.startswith(self._prefixes):
            return
        steps = self._steps.setdefault((envelope.context, paper.target), [])
        step = step_of(arrival, paper)
        place = bisect_left(steps, step.stamp, key=lambda each: each.stamp)
        if place < len(steps) and steps[place].stamp == step.stamp:
            return
        if len(steps) >= STEPS_MAX:
            self.left_out += 1
            # The oldest stay whatever arrives when, so that any order of arrival folds to the same.
            if step.stamp > steps[-1].stamp:
                return
            steps.pop()
        steps.insert(place, step)
        self.changes += 1

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode([(target, steps) for (_, target), steps in sorted(self._steps.items())])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._steps = {(steps[0].context, target): steps for target, steps in _decoder.decode(data)}
        self.changes += 1

    def thing(self, reading: Reading, target: str, type: str | None = None) -> Thing | None:
        """The thing as the asker may have it; None = there is none, or not for this asker, or it is of another type."""
        steps = self._steps.get((reading.context, target), [])
        return _then(_released(target, steps, type, _release_of(reading)), reading)

    def things(self, reading: Reading, type: str | None = None) -> Iterator[Thing]:
        """All that the asker may have, in order of their making."""
        may = _release_of(reading)
        keyed = (
            (steps[0].stamp, target, steps)
            # A copy: queries that block run beside the loop, which goes on folding.
            for (context, target), steps in self._steps.copy().items()
            if context == reading.context and (type is None or steps[0].type == type)
        )
        for _, target, steps in sorted(keyed, key=lambda each: each[0]):
            found = _then(_released(target, steps, type, may), reading)
            if found is not None:
                yield found

    def contexts(self) -> list[Context]:
        """Contexts in which there are papers."""
        return sorted({context for context, _ in self._steps})

    def all(self, context: Context, type: str | None = None) -> Iterator[Thing]:
        """All things as the node itself knows them: for rules, never for answers."""
        for (of, target), steps in self._steps.items():
            if of == context and (type is None or steps[0].type == type):
                yield Thing(target, steps)


def step_of(entry: Entry, paper: Paper) -> Step:
    """The step that an entry is."""
    envelope = entry.envelope
    return Step(
        stamp=envelope.stamp,
        entry=envelope.id,
        type=paper.type,
        action=paper.action,
        fields=dict(paper.fields),
        seen=paper.seen[:SEEN_MAX],
        at_ms=paper.happened_at_ms,
        received_at_ms=envelope.received_at_ms,
        by=envelope.author,
        on_behalf_of=envelope.on_behalf_of,
        via=envelope.via,
        label=envelope.label,
        context=envelope.context,
        summary=paper.summary,
        position=paper.position,
        to=paper.to,
    )


def _release_of(reading: Reading) -> Callable[[Label, Context], bool]:
    known: dict[tuple[Label, Context], bool] = {}

    def may(label: Label, context: Context) -> bool:
        key = (label, context)
        if key not in known:
            known[key] = reading.release(label, context).verdict is Verdict.FULL
        return known[key]

    return may


def _released(
    target: str, steps: Sequence[Step], type: str | None, may: Callable[[Label, Context], bool]
) -> Thing | None:
    if not steps or not may(steps[0].label, steps[0].context) or (type is not None and steps[0].type != type):
        return None
    return Thing(target, [step for step in steps if may(step.label, step.context)])


def _then(thing: Thing | None, reading: Reading) -> Thing | None:
    """The thing as it was at the time of the reading."""
    return thing.at(reading.at_ms) if thing is not None and isinstance(reading, Then) else thing


async def write_paper(principal: Principal, desk: Desk, paper: Paper, thing: Thing) -> Entry | Refused:
    """Write a step about a thing at once, under its marking; see `saying_of`."""
    said = saying_of(principal, desk, paper, thing)
    return said if isinstance(said, Refused) else await desk.write(said.body, label=said.label)


def saying_of(
    principal: Principal, desk: Desk, paper: Paper, thing: Thing | None, on_behalf_of: str | None = None
) -> Saying | Refused:
    """A step to be written under the marking of its thing, or a new thing under the writer's own.

    `thing` is what the paper is about as the writer sees it; None = the paper makes it. For `on_behalf_of` see
    Desk.write.

    A writer who may not write into all groups of the thing is refused: what he says would reach fewer than saw it.
    """
    label = label_for(desk.policy, principal, None) if thing is None else thing.first.label
    if isinstance(label, Refused):
        return label
    if thing is not None and principal.kind != "node" and not set(label.groups) <= principal.groups_in:
        return Refused("group", "it is marked for groups that you may not write into: ask one of them")
    return Saying(body=paper, label=label, on_behalf_of=on_behalf_of)
