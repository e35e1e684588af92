"""What a shift leaves to the next: new, changed, open, promised, overdue, unsure. Made of the papers of all features.

Features do not know each other: what ends a thing and what a field promises are tables here, read from their papers.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from aquila.core.feature import Reading
from aquila.core.model import Label
from aquila.core.papers import Papers, Thing
from aquila.core.phrase_table import STEPS
from aquila.core.phrases import NONE, phrase_in, phrase_of_line
from aquila.core.policy import derive
from aquila.core.states import Move, States
from aquila.features.handover.standing import standing_of

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
Section = Literal["overdue", "promised", "unsure", "new", "changed", "open"]
SECTIONS: tuple[Section, ...] = ("overdue", "promised", "unsure", "new", "changed", "open")
"""The most pressing first. A thing stands once, under the first that fits it; the others are told beside it."""
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
CALLED = {
    "medevac.asset": "evacuation asset {name}",
    "medevac.facility": "medical facility {name}",
    "medevac.request": "request for evacuation {name}",
}
"""What a thing is whose first line is a bare name."""
NAMED = {"tasks.task": "task {title} for {unit}", "orders.order": "{kind} {number} {title}"}
"""How things are called whose first line says only that they were drafted; of fields, where the title is known."""
FEED = "feeds.feed"
KEPT = "keep"
"""The step by which somebody says a thing whole: how it stands then tells more."""
DUES = ("due_ms", "needed_by_ms", "ltiov_ms")
"""Fields that say until when."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised and is not done. what: empty = the thing itself. due_ms: None = no time was set.

    to_whom: who promised it or was promised it; empty = nobody named.
    """

    what: str
    to_whom: str
    due_ms: int | None
    is_overdue: bool


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """How a thing stands, what was done with it, or what is unsure of it. text: a step by its name, or a sentence.

    act, words: of the sentence that `text` is, see `Phrase`; "" = of none.
    """

    text: str
    act: str = ""
    words: dict[str, Any] = {}


class HandoverLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing: each stands in one line, so that the lines of all sections are as many as the things.

    Attributes:
        section: the most pressing that fits. also: the others that fit.
        details: how it stands, what was done since, what is unsure.
        promises: the earliest first. notes: ids of the entries that it stands on.
        act, words: of the sentence that `text` is, see `Phrase`; "" = of none.
    """

    section: Section
    also: tuple[Section, ...]
    type: str
    id: str
    text: str
    details: tuple[Detail, ...]
    promises: tuple[Promise, ...]
    at_ms: int
    by: str
    notes: tuple[str, ...]
    label: Label
    act: str = ""
    words: dict[str, Any] = {}


def lines_of(reading: Reading, since_ms: int, now_ms: int) -> list[HandoverLine]:
    """All lines that the asker may have, in the order of the sections."""
    found: list[HandoverLine] = []
    for name, view in sorted(reading.views.items()):
        if isinstance(view, Papers) and name != "handover":
            things = (thing for thing in view.things(reading) if _is_told(thing))
            found += (line for thing in things if (line := _line(reading, thing, since_ms, now_ms)) is not None)
    return sorted(found, key=lambda line: (SECTIONS.index(line.section), _when_ms(line), line.id))


def _when_ms(line: HandoverLine) -> int:
    return next((each.due_ms for each in line.promises if each.due_ms is not None), line.at_ms)


def first_ms(reading: Reading) -> int | None:
    """When the node received the first paper that the asker may have; None = it has none for him."""
    views = [view for view in reading.views.values() if isinstance(view, Papers)]
    return min((thing.first.received_at_ms for view in views for thing in view.things(reading)), default=None)


def _is_told(thing: Thing) -> bool:
    step = SHIFTED_BY.get(thing.type)
    return thing.type not in NOT_OF_THE_SHIFT and (step is None or any(each.action == step for each in thing.steps))


def _line(reading: Reading, thing: Thing, since_ms: int, now_ms: int) -> HandoverLine | None:
    """The line of a thing; None = there is nothing to tell of it."""
    promises, news, doubts = _promises(thing, now_ms), _news(thing, since_ms), _doubts(thing)
    is_new = thing.first.received_at_ms > since_ms
    fits: dict[Section, bool] = {
        "overdue": any(each.is_overdue for each in promises),
        "promised": any(not each.is_overdue for each in promises),
        "unsure": bool(doubts),
        "new": is_new,
        "changed": thing.newest.received_at_ms > since_ms and not is_new,
        "open": _is_open(thing),
    }
    sections = [section for section in SECTIONS if fits[section]]
    if not sections:
        return None
    title = _title(thing)
    phrase = (
        phrase_in("handover.line", title) if thing.type in NAMED or thing.type in CALLED or thing.type == FEED else NONE
    )
    if not phrase.act:
        phrase = phrase_of_line(thing.type, thing.first.action, title)
    return HandoverLine(
        section=sections[0],
        also=tuple(sections[1:]),
        type=thing.type,
        id=thing.id,
        text=title[:500],
        details=_stands(thing) + (() if is_new else news) + doubts,
        promises=promises,
        at_ms=thing.newest.at_ms,
        by=thing.newest.by,
        notes=tuple(dict.fromkeys((thing.first.entry, thing.newest.entry))),
        label=derive(reading.policy, [step.label for step in thing.steps]),
        act=phrase.act,
        words=phrase.words,
    )


def _is_open(thing: Thing) -> bool:
    return thing.type not in STANDING and thing.newest.action not in ENDS


def _stands(thing: Thing) -> tuple[Detail, ...]:
    said = standing_of(thing)
    return (_detail(said, "handover.standing"),) if said else ()


def _news(thing: Thing, since_ms: int) -> tuple[Detail, ...]:
    """What was done with the thing since then, each step once, in words: will comply, not wilco."""
    steps = dict.fromkeys(step.action for step in thing.steps if step.received_at_ms > since_ms)
    details = {each: _detail(each, "step", "handover.step") for each in steps}
    told = {step: detail for step, detail in details.items() if step != KEPT or not standing_of(thing)}
    return tuple(msgspec.structs.replace(detail, text=_in_words(step)) for step, detail in told.items())


def _in_words(step: str) -> str:
    """The first words for a step that are not its name."""
    name, *words = STEPS.get(step, (step,))
    return (words or [name])[0].replace("_", " ")


def _detail(text: str, *groups: str) -> Detail:
    """groups: of the table, in which the text is looked up."""
    phrase = next((found for group in groups if (found := phrase_in(group, text)).act), NONE)
    return Detail(text=text, act=phrase.act, words=phrase.words)


def _doubts(thing: Thing) -> tuple[Detail, ...]:
    conflicts = ", ".join(dict.fromkeys(each.field for each in thing.conflicts()))
    verification = thing.get("verification") if thing.get("category") is not None else None
    said = (
        *((f"two people say differently about {conflicts}",) if conflicts else ()),
        *((str(verification),) if verification in ("unverified", "probable") else ()),
    )
    return tuple(_detail(each, "handover.detail") for each in said)


def _title(thing: Thing) -> str:
    if thing.type == FEED and thing.get("url"):
        # With the address of today. That it was added is told where it is new.
        return "feed {name}: {format} from {url}".format(**thing.fields())
    if thing.type in CALLED:
        return CALLED[thing.type].format(name=thing.first.summary)
    if thing.type not in NAMED or not thing.get("title"):
        return thing.first.summary
    known = {name: thing.get(name, "") for name in ("kind", "number", "title", "unit")}
    return NAMED[thing.type].format(**known)


def _promises(thing: Thing, now_ms: int) -> tuple[Promise, ...]:
    """Everything in an open thing that is not done, the earliest first, what has no time last."""
    said = [
        Promise(what=what[:500], to_whom=to_whom, due_ms=due_ms, is_overdue=due_ms is not None and due_ms <= now_ms)
        for to_whom, what, due_ms in (_promised(thing) if _is_open(thing) else ())
    ]
    return tuple(sorted(said, key=lambda each: (each.due_ms is None, each.due_ms or 0)))


def _promised(thing: Thing) -> Iterator[tuple[str, str, int | None]]:
    """(to whom, what, until when)."""
    fields = thing.fields()
    for name, value in fields.items():
        if name.startswith("tell.") and f"ack.{name[5:]}" not in fields:
            yield name[5:].replace("_", " "), "to be told", _time(value)
        elif name.startswith("deed.") and f"done.{name[5:]}" not in fields and isinstance(value, dict):
            yield str(value.get("who", "")), str(value.get("what", "")), _time(value.get("due_ms"))
    for name in DUES:
        due_ms = _time(fields.get(name))
        if due_ms is not None:
            yield _names(fields.get("tasked_to", fields.get("to", ""))), "", due_ms


def _names(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _time(value: Any) -> int | None:
    return value if isinstance(value, int) else None
