"""Steps of staff work, written in one place: checked by the state table, read by the form of the action, then said.

A feature gives its state table and, for each action, the struct of the fields that it may bring. What it refuses is
refused with a sentence. Papers that something waits for are kept apart, so that a tick looks at those only.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Desk, Saying, check_text
from aquila.core.model import TIME_MAX_MS, TIME_MIN_MS, Address, Arrival, Context, Entry, Paper, Position, Principal
from aquila.core.papers import SEEN_MAX, Papers, Thing, saying_of
from aquila.core.phrase_table import POSTS
from aquila.core.states import States

Form = TypeVar("Form")
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern="^[a-z][a-z0-9_]*$")]
"""A word of the machine: a post, a category, a form."""
Line = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=8000)]
Said = Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]
Time = Annotated[int, msgspec.Meta(ge=TIME_MIN_MS, le=TIME_MAX_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Seen = Annotated[tuple[Id, ...], msgspec.Meta(max_length=SEEN_MAX)]


HAPPENED_MIN_MS = 946_684_800_000
"""2000-01-01: a time of today in seconds, taken for milliseconds, lies before."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place on WGS 84, in degrees. ce_m: 68 % radius; None = unknown."""

    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    ce_m: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | None = None

    def to_position(self) -> Position:
        """The same as the model has it."""
        return Position(self.lat_deg, self.lon_deg, None, self.ce_m)


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The step says nothing but itself."""


class TakeStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step about a thing.

    Attributes:
        fields: what the action's form has. seen: `heads` as the writer had them on screen; empty = as they are now.
        happened_at_ms: None = now. on_behalf_of: id of the principal for whom it is done.
    """

    id: Id
    action: Word
    fields: dict[str, Any] = {}
    seen: Seen = ()
    happened_at_ms: Time | None = None
    on_behalf_of: Line | None = None


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The thing, the entry that says the step, and the state after it."""

    id: str
    entry: str
    state: str


def state_of(states: States, thing: Thing) -> str:
    """The state of a thing, refolded from its steps."""
    return states.run(step.action for step in thing.steps)[0]


def check_texts(where: str, value: Any, *, may_be_blank: bool = False) -> None:
    """Refuse characters that no screen can carry, however deep they stand, and texts of nothing but blanks.

    may_be_blank: for what another program wrote. Raises ValueError with a sentence.
    """
    if isinstance(value, str):
        check_text(where, value)
        if value and not value.strip() and not may_be_blank:
            # A name, an addressee or a remark that nobody sees passes every test of length.
            raise ValueError(f"{where} holds blanks only: write something, or leave it out")
    elif isinstance(value, Mapping):
        for name, each in value.items():
            check_texts(f"{where}.{name}"[:200], each, may_be_blank=may_be_blank)
    elif isinstance(value, list | tuple):
        for each in value:
            check_texts(where, each, may_be_blank=may_be_blank)


def read_form(form: type[Form], fields: Mapping[str, Any], action: str) -> Form | Refused:
    """The fields as the form of the action has them, or a sentence that says which is wrong and what is allowed."""
    try:
        check_texts(action, fields)
        return msgspec.convert(dict(fields), form)
    except ValueError as wrong:
        allowed = ", ".join(getattr(form, "__struct_fields__", ())) or "nothing"
        return Refused("field", f"{action}: {str(wrong)[:300]}. It takes {allowed}")


def read_step(states: States, forms: Mapping[str, type[Any]], thing: Thing, ask: TakeStep) -> Any | Refused:
    """What a step about a thing brings, as its action's form in `forms` has it; refused where the state forbids it.

    A table of states may know more actions than there are forms: steps that the node takes by itself.
    """
    refused = states.check(state_of(states, thing), ask.action)
    if refused is not None:
        return refused
    form = forms.get(ask.action)
    if form is None:
        return Refused("action", f"{ask.action} is a step of the node: take one of {', '.join(forms)}")
    return read_form(form, ask.fields, ask.action)


def edited(form: type[Form], thing: Thing, changes: Mapping[str, Any]) -> Form | Refused:
    """The thing as these changes make it; null empties a field. Fields of a newer program are passed over."""
    allowed = getattr(form, "__struct_fields__", ())
    unknown = sorted(set(changes) - set(allowed))
    if unknown or not changes:
        named = ", ".join(unknown)[:200] or "none"
        return Refused("field", f"fields {named}: name some of {', '.join(allowed)}")
    kept = {name: value for name, value in {**thing.fields(), **changes}.items() if value is not None}
    return read_form(form, {name: value for name, value in kept.items() if name in allowed}, "edit")


def too_many(principal: Principal, kept: Iterable[Thing], what: str, of_one_max: int, node_max: int) -> str | None:
    """A clause when one more of what the node looks at all the time would be too many; None = there is room.

    Args:
        principal: who wants one more.
        kept: those there are, whoever may see them.
        what: their name, "watches".
        of_one_max: how many of one author there may be.
        node_max: how many of all.
    """
    authors = [thing.first.by for thing in kept]
    own = authors.count(principal.id)
    if own >= of_one_max and principal.kind != "node":
        return f"{own} {what} of yours stand, and one person may have {of_one_max}"
    return f"{node_max} {what} are all that a node keeps" if len(authors) >= node_max else None


def wrong_time(desk: Desk, at_ms: int | None, what: str = "the time") -> Refused | None:
    """Nothing has happened after now, but for the clocks' skew that policy allows, nor before `HAPPENED_MIN_MS`."""
    if at_ms is not None and at_ms < HAPPENED_MIN_MS:
        return Refused("time", f"{what} {at_ms} ms lies before 2000: give milliseconds since 1970, not seconds")
    if at_ms is not None and at_ms > desk.now_ms() + desk.policy.skew_ms:
        return Refused("time", f"{what} {at_ms} ms lies in the future: name the time when it happened, or leave it out")
    return None


def unknown_posts(posts: Iterable[str]) -> str | None:
    """A sentence when one of these is no post: whatever goes to it would reach nobody. None = all are."""
    unknown = [post for post in posts if post not in POSTS]
    return f"there is no post {unknown[0]}: {', '.join(POSTS)} are known" if unknown else None


class NextStep(NamedTuple):
    """A step that is to be taken.

    Attributes:
        states: the table of what may follow on what. type: of the thing's papers.
        thing: what it is about, as the writer sees it; None = the step makes it.
        id: of a thing that it makes; None = a new one.
        seen: `heads` as the writer had them on screen; empty = as they are now.
        at_ms: when it happened, UTC ms; None = now.
        on_behalf_of: id of the principal for whom it is done.
    """

    states: States
    type: str
    thing: Thing | None
    action: str
    fields: Mapping[str, Any]
    id: str | None = None
    summary: str = ""
    seen: tuple[str, ...] = ()
    at_ms: int | None = None
    on_behalf_of: str | None = None
    position: Position | None = None
    to: tuple[Address, ...] = ()

    @classmethod
    def asked(
        cls, states: States, thing: Thing, ask: TakeStep, fields: Mapping[str, Any], summary: str = ""
    ) -> "NextStep":
        """The step that somebody asks for about a thing. summary: empty = the action and what the thing is about."""
        return cls(
            states,
            thing.type,
            thing,
            ask.action,
            fields,
            summary=(summary or f"{ask.action}: {thing.first.summary}")[:200],
            seen=ask.seen,
            at_ms=ask.happened_at_ms,
            on_behalf_of=ask.on_behalf_of,
        )

    @property
    def state(self) -> str:
        """Of the thing, before the step."""
        return self.states.first if self.thing is None else state_of(self.states, self.thing)


async def say_step(principal: Principal, desk: Desk, step: NextStep) -> StepTaken | Refused:
    """Write a step if the table allows it now."""
    state = step.state
    said = step_saying(principal, desk, step)
    if isinstance(said, Refused):
        return said
    entry = await desk.write(said.body, label=said.label, on_behalf_of=said.on_behalf_of)
    if not isinstance(entry, Entry):
        return entry
    assert isinstance(said.body, Paper)
    after = step.states.after(state, step.action) or state
    return StepTaken(id=said.body.target, entry=entry.envelope.id, state=after)


def step_saying(principal: Principal, desk: Desk, step: NextStep) -> Saying | Refused:
    """A step that is not written yet, if the table allows it now."""
    refused = step.states.check(step.state, step.action) or wrong_time(desk, step.at_ms)
    if refused is not None:
        return refused
    thing = step.thing
    paper = Paper(
        type=step.type,
        target=thing.id if thing is not None else (step.id or desk.new_id()),
        action=step.action,
        happened_at_ms=desk.now_ms() if step.at_ms is None else step.at_ms,
        fields=step.fields,
        seen=() if thing is None else (step.seen or thing.heads()),
        summary=step.summary,
        position=step.position,
        to=step.to,
    )
    return saying_of(principal, desk, paper, thing, step.on_behalf_of)


class WatchedPapers(Papers):
    """Papers of which some wait for something. is_watched: says of a thing whether it does."""

    def __init__(self, name: str, version: int, prefixes: tuple[str, ...], is_watched: Callable[[Thing], bool]) -> None:
        super().__init__(name, version, prefixes)
        self._is_watched = is_watched
        self._stale: set[tuple[Context, str]] = set()
        self._watched: dict[tuple[Context, str], Thing] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        before = self.changes
        super().fold(arrival)
        if self.changes != before and isinstance(arrival, Entry) and isinstance(arrival.body, Paper):
            self._stale.add((arrival.envelope.context, arrival.body.target))

    def restore(self, data: bytes) -> None:
        """See View."""
        super().restore(data)
        self._watched = {}
        self._stale = set(self._steps)

    def watched(self) -> tuple[Thing, ...]:
        """Things that wait for something, as the node itself knows them: for rules, never for answers."""
        for key in self._stale:
            thing = Thing(key[1], self._steps[key])
            if self._is_watched(thing):
                self._watched[key] = thing
            else:
                self._watched.pop(key, None)
        self._stale.clear()
        return tuple(self._watched.values())
