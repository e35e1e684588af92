"""Rows that every feature gives of its things: the steps of a life, and what two people say differently."""

from typing import Annotated, Any, Literal

import msgspec

from aquila.core.papers import Conflict, Step, Thing
from aquila.core.phrases import phrase_of_line


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the life of a thing. act, words: of the sentence that `summary` is, see `Phrase`; "" = of none."""

    entry: str
    action: str
    at_ms: int
    by: str
    on_behalf_of: str | None
    summary: str
    fields: dict[str, Any]
    act: str = ""
    words: dict[str, Any] = {}


class ConflictRow(msgspec.Struct, frozen=True, kw_only=True):
    """One field that two people changed without knowing of each other: what holds, and what the other said."""

    field: str
    kept: Any
    kept_by: str
    kept_at_ms: int
    other: Any
    other_by: str
    other_at_ms: int


def conflict_rows(thing: Thing) -> tuple[ConflictRow, ...]:
    """The conflicts of a thing as cards show them."""
    return tuple(_conflict_row(each) for each in thing.conflicts())


def _conflict_row(conflict: Conflict) -> ConflictRow:
    kept, other = conflict.kept, conflict.other
    return ConflictRow(
        field=conflict.field,
        kept=kept.fields[conflict.field],
        kept_by=kept.by,
        kept_at_ms=kept.at_ms,
        other=other.fields[conflict.field],
        other_by=other.by,
        other_at_ms=other.at_ms,
    )


def steps_of(thing: Thing) -> tuple[StepRow, ...]:
    """The life of a thing, newest first."""
    return tuple(_step_row(thing.type, step) for step in reversed(thing.steps))


def _step_row(type: str, step: Step) -> StepRow:
    phrase = phrase_of_line(type, step.action, step.summary)
    return StepRow(
        entry=step.entry,
        action=step.action,
        at_ms=step.at_ms,
        by=step.by,
        on_behalf_of=step.on_behalf_of,
        summary=step.summary,
        fields=step.fields,
        act=phrase.act,
        words=phrase.words,
    )


class NeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something that needs a person now: one row of "what needs me", whichever feature it comes from.

    Attributes:
        feature, kind: where it comes from, and what is wanted: "tell", "triage", "answer". id: of the thing.
        since_ms: since when it waits. due_ms: until when it should be done; None = no time was set.
        waits_for: "posts" = those in `roles`; "watch" = whoever has the watch; "you" = the asker, whatever his post.
        roles: posts that it waits for, the newest last; empty unless it waits for posts.
        actions: steps that may be taken now. heads: to be sent as `seen` with the step.
        act, words: of the sentence that `title` is, see `Phrase`; "" = of none.
    """

    feature: str
    kind: str
    id: str
    title: str
    since_ms: int
    due_ms: int | None
    is_overdue: bool
    roles: tuple[str, ...]
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    precedence: str = "R"
    waits_for: Literal["posts", "watch", "you"] = "posts"
    act: str = ""
    words: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if bool(self.roles) != (self.waits_for == "posts"):
            raise ValueError(f"need {self.kind} of {self.feature}: waits for {self.waits_for}, with posts {self.roles}")


class AskNeeds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose needs. role: a post ("duty_officer"); empty = of all posts."""

    role: Annotated[str, msgspec.Meta(max_length=40)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000

    def wants(self, roles: tuple[str, ...]) -> bool:
        """Is a row for these posts among what was asked for?"""
        return not self.role or not roles or self.role in roles
