"""What a shift leaves to the next: new, changed, open, promised, overdue, unsure. Made of the papers of all features.

Features do not know each other: what ends a thing and what a field promises are tables here, read from their papers.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from aquila.core.feature import Reading
from aquila.core.model import Label
from aquila.core.papers import Papers, Thing
from aquila.core.policy import derive
from aquila.core.states import Move, States

HANDOVER = "handover.shift"
STATES = States(
    "handover",
    "none",
    (
        Move("offer", ("none",), "offered", "who goes, by signing"),
        Move("take", ("offered",), "taken", "who comes, by signing; not the same person"),
        Move("withdraw", ("offered",), "withdrawn", "who offered it"),
    ),
    ("taken", "withdrawn"),
)
Section = Literal["new", "changed", "open", "promised", "overdue", "unsure"]
SECTIONS: tuple[Section, ...] = ("new", "changed", "open", "promised", "overdue", "unsure")
ENDS = frozenset(
    {
        *("close", "cancel", "merge", "supersede", "remove", "refuse", "approve", "withdraw", "take", "release", "end"),
        *("done_ok", "done_not_ok", "drop", "fire", "skip"),
    }
)
"""Steps after which a thing waits for nobody. Whatever follows one opens the thing again."""
STANDING = frozenset(
    {
        *("orbat.unit", "medevac.asset", "medevac.facility", "reports.form", "alerts.watch", "feeds.feed"),
        *("intel.subject", "intel.grade", "patterns.finding"),
    }
)
"""Types that are kept up to date, never done: they are told of only when new or changed."""
NOT_OF_THE_SHIFT = frozenset({"exercise.inject", "exercise.run", "intel.person", "patterns.thresholds"})
"""What exercise control plans, which the players must not read here, records of persons, and how the node works."""
SHIFTED_BY = {"patterns.finding": "useful"}
"""Types of which the node says hundreds a shift: only those are told of about which somebody took this step."""
NAMED = {"tasks.task": "task {title} for {unit}", "orders.order": "{kind} {number} {title}"}
"""How things are called whose first line says only that they were drafted; of fields, where the title is known."""
DUES = ("due_ms", "needed_by_ms", "ltiov_ms")
"""Fields that say until when."""


class HandoverLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line. to_whom: who promised it or was promised it; empty = nobody named. due_ms: None = no time was set."""

    section: Section
    type: str
    id: str
    text: str
    at_ms: int
    by: str
    to_whom: str
    due_ms: int | None
    notes: tuple[str, ...]
    label: Label


def lines_of(reading: Reading, since_ms: int, now_ms: int) -> list[HandoverLine]:
    """All lines that the asker may have, in the order of the sections."""
    found: list[HandoverLine] = []
    for name, view in sorted(reading.views.items()):
        if isinstance(view, Papers) and name != "handover":
            for thing in view.things(reading):
                if _is_told(thing):
                    found += _lines(reading, thing, since_ms, now_ms)
    return sorted(found, key=lambda line: (SECTIONS.index(line.section), line.due_ms or line.at_ms, line.id))


def first_ms(reading: Reading) -> int | None:
    """When the node received the first paper that the asker may have; None = it has none for him."""
    views = [view for view in reading.views.values() if isinstance(view, Papers)]
    return min((thing.first.received_at_ms for view in views for thing in view.things(reading)), default=None)


def _is_told(thing: Thing) -> bool:
    step = SHIFTED_BY.get(thing.type)
    return thing.type not in NOT_OF_THE_SHIFT and (step is None or any(each.action == step for each in thing.steps))


def _lines(reading: Reading, thing: Thing, since_ms: int, now_ms: int) -> Iterator[HandoverLine]:
    label = derive(reading.policy, [step.label for step in thing.steps])

    def line(section: Section, text: str, to_whom: str = "", due_ms: int | None = None) -> HandoverLine:
        return HandoverLine(
            section=section,
            type=thing.type,
            id=thing.id,
            text=text[:500],
            at_ms=thing.newest.at_ms,
            by=thing.newest.by,
            to_whom=to_whom,
            due_ms=due_ms,
            notes=tuple(dict.fromkeys((thing.first.entry, thing.newest.entry))),
            label=label,
        )

    title = _title(thing)
    if thing.first.received_at_ms > since_ms:
        yield line("new", title)
    elif thing.newest.received_at_ms > since_ms:
        news = [step for step in thing.steps if step.received_at_ms > since_ms]
        yield line("changed", f"{title}: {', '.join(dict.fromkeys(step.action for step in news))}")
    if thing.type not in STANDING and thing.newest.action not in ENDS:
        yield line("open", title)
        for to_whom, what, due_ms in _promises(thing):
            is_late = due_ms is not None and due_ms <= now_ms
            yield line("overdue" if is_late else "promised", what, to_whom, due_ms)
    if thing.conflicts():
        fields = ", ".join(each.field for each in thing.conflicts())
        yield line("unsure", f"{title}: two people say differently about {fields}")
    if thing.get("category") is not None and thing.get("verification") in ("unverified", "probable"):
        yield line("unsure", f"{title}: {thing.get('verification')}")


def _title(thing: Thing) -> str:
    if thing.type not in NAMED or not thing.get("title"):
        return thing.first.summary
    known = {name: thing.get(name, "") for name in ("kind", "number", "title", "unit")}
    return NAMED[thing.type].format(**known)


def _promises(thing: Thing) -> Iterator[tuple[str, str, int | None]]:
    """(to whom, what, until when) of everything in the thing that is not done."""
    fields = thing.fields()
    for name, value in fields.items():
        if name.startswith("tell.") and f"ack.{name[5:]}" not in fields:
            yield name[5:].replace("_", " "), f"to be told: {thing.first.summary}", _time(value)
        elif name.startswith("deed.") and f"done.{name[5:]}" not in fields and isinstance(value, dict):
            yield str(value.get("who", "")), str(value.get("what", "")), _time(value.get("due_ms"))
    for name in DUES:
        due_ms = _time(fields.get(name))
        if due_ms is not None:
            yield _names(fields.get("tasked_to", fields.get("to", ""))), _title(thing), due_ms


def _names(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _time(value: Any) -> int | None:
    return value if isinstance(value, int) else None
