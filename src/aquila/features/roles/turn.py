"""Turn: who holds which post, from when until when; its state table, and who holds what at a time.

A post is held by giving it, or, where shifts change, taken over by who is listed for it. Everything is a step in the
journal, so "who was watch officer at 1400Z" has one answer. Posts after the users in the doctrine of staffs: watch and
duty officer, S2/J2, S4/J4, medical desk, liaison (FM 6-0, appendix E), exercise control, signals.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.feature import Reading
from aquila.core.paper_work import Id, Text, Time, Word, state_of
from aquila.core.papers import Papers, Thing
from aquila.core.states import Move, States
from aquila.core.view import view_of

TURN = "roles.turn"
POSTS = (
    *("commander", "chief_of_operations", "duty_officer", "watch_officer", "company_commander", "patrol_leader"),
    *("intelligence_officer", "logistics_officer", "medical_officer", "liaison_officer", "exercise_control"),
    "system_administrator",
)
"""The posts that homes and rights know."""
STATES = States(
    "post",
    "none",
    (
        Move("give", ("none",), "held", "who may give posts"),
        Move("list", ("none",), "listed", "who may give posts: the person may take it over in this time"),
        Move("take", ("listed",), "held", "the person who is listed"),
        Move("relieve", ("held",), "listed", "the person who takes the same post over"),
        Move("leave", ("held",), "listed", "the person who holds it"),
        Move("end", ("held", "listed"), "ended", "who may give posts"),
    ),
    ("ended",),
)
Nation = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Person = Annotated[str, msgspec.Meta(min_length=3, max_length=200, pattern="^(person|token|device):.+$")]


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One person's time in a post.

    Attributes:
        person: id of the principal, "person:rossi". unit: id of the unit that is commanded; None = none.
        nation: for which a liaison officer stands. from_ms, until_ms: None = since ever, until further notice.
    """

    post: Word
    person: Person
    unit: Id | None = None
    nation: Nation | None = None
    from_ms: Time | None = None
    until_ms: Time | None = None
    remarks: Text = ""

    def is_time(self, at_ms: int) -> bool:
        """May it be held at this time?"""
        return (self.from_ms is None or self.from_ms <= at_ms) and (self.until_ms is None or at_ms < self.until_ms)

    def is_same_post(self, other: "Turn") -> bool:
        """The same duty: watch officer of the node, commander of that unit, liaison of that nation."""
        return (self.post, self.unit, self.nation) == (other.post, other.unit, other.nation)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A turn as its steps make it. is_held: now; since_ms: since when it is, or is listed."""

    id: str
    turn: Turn
    state: str
    is_held: bool
    since_ms: int
    thing: Any


def roles_view() -> Papers:
    """A fresh view."""
    return Papers("roles", 1, ("roles.",))


def papers_of(reading: Reading) -> Papers:
    """The view of this node."""
    return view_of(reading.views, "roles", Papers)


def turns_shown(reading: Reading, at_ms: int) -> Iterator[Held]:
    """Turns as they were at a time, of those that the asker may see."""
    return _held(papers_of(reading).things(reading, TURN), at_ms)


def turns_in_force(reading: Reading) -> Iterator[Held]:
    """Turns that this node gave, whoever may see them: for rights, never for answers.

    What another node gives and a merge brings here opens nothing here.
    """
    own = (_of_node(thing, reading.node) for thing in papers_of(reading).all(reading.context, TURN))
    return _held((thing for thing in own if thing is not None), reading.now_ms())


def _of_node(thing: Thing, node: str) -> Thing | None:
    steps = [step for step in thing.steps if step.stamp.node == node]
    return Thing(thing.id, steps) if steps else None


def _held(things: Iterable[Thing], at_ms: int) -> Iterator[Held]:
    for thing in things:
        then, turn = thing.at(at_ms) or thing, _read(thing)
        if turn is None:
            continue
        state = state_of(STATES, then)
        begun_ms = then.newest.at_ms if turn.from_ms is None else max(turn.from_ms, then.newest.at_ms)
        is_held = state == "held" and then.first.at_ms <= at_ms and turn.is_time(at_ms)
        yield Held(id=thing.id, turn=turn, state=state, is_held=is_held, since_ms=begun_ms, thing=thing)


def _read(thing: Thing) -> Turn | None:
    known = {name: value for name, value in thing.fields().items() if name in Turn.__struct_fields__}
    try:
        return msgspec.convert(known, Turn)
    except msgspec.ValidationError:
        return None
