"""The line: what was logged, who must be told by when, who does what; its state table.

After the revised DA 1594 (what do I know, whom do I tell, did I tell them) and the workflow of zskarte's journal
(received, triage, decision, completion). Windows and posts are data: posts.json.
"""

import functools
from importlib import resources
from typing import Annotated, Literal

import msgspec

from aquila.core.paper_work import Count, Id, Line, Place, Said, Text, Time, WatchedPapers, Word, state_of
from aquila.core.papers import Thing
from aquila.core.states import Move, States

LINE = "incidents.line"
OPEN = ("received", "triage", "decision", "action")
STATES = States(
    "line",
    "none",
    (
        Move("log", ("none",), "received", "operator"),
        Move("triage", ("received", "decision", "action"), "triage", "operator"),
        Move("decide", ("received", "triage", "action"), "decision", "operator"),
        Move("act", ("received", "triage", "decision", "action"), "action", "operator"),
        Move("done", ("action",), None, "operator"),
        Move("amend", OPEN, None, "operator"),
        Move("tell", OPEN, None, "operator"),
        Move("told", OPEN, None, "operator, or who was told"),
        Move("ack", OPEN, None, "operator of the post that was told"),
        Move("climb", OPEN, None, "the node, when a post was not told in time"),
        Move("link", OPEN, None, "operator"),
        Move("absorb", OPEN, None, "operator"),
        Move("merge", OPEN, "merged", "operator"),
        Move("close", OPEN, "closed", "operator, once somebody was told and acknowledged"),
        Move("reopen", ("closed",), "triage", "operator, with the reason"),
    ),
    ("merged", "closed"),
)
Precedence = Literal["Z", "O", "P", "R"]
Verification = Literal["unverified", "probable", "confirmed", "refuted"]
Posts = Annotated[tuple[Word, ...], msgspec.Meta(max_length=20)]


class Casualties(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Persons of one side: "own", "partner", "civil", "other"."""

    side: Word
    killed: Count = 0
    injured: Count = 0
    missing: Count = 0


class IncidentLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line to be logged.

    Attributes:
        key: who must be told is told at once. tell: further posts to be told. source: id of the entry that it was made
            of (a chat line, a typed line); empty = it was said here first.
    """

    text: Said
    sender: Line = ""
    via: Literal["radio", "phone", "chat", "mail", "person", "system"] = "radio"
    key: bool = False
    precedence: Precedence = "R"
    category: Word | None = None
    casualties: Annotated[tuple[Casualties, ...], msgspec.Meta(max_length=10)] = ()
    verification: Verification = "unverified"
    place: Place | None = None
    tell: Posts = ()
    linked: Annotated[tuple[Id, ...], msgspec.Meta(max_length=50)] = ()
    cell: Line = ""
    source: Line = ""


class Amend(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to read otherwise from now on, and why; what was written stays in the history."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    text: Said | None = None
    sender: Line | None = None
    precedence: Precedence | None = None
    category: Word | None = None
    casualties: Annotated[tuple[Casualties, ...], msgspec.Meta(max_length=10)] | None = None
    verification: Verification | None = None
    place: Place | None = None
    cell: Line | None = None


class Triage(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """To which cell it goes, how urgent it is."""

    cell: Line | None = None
    precedence: Precedence | None = None


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was decided."""

    decision: Said


class DoThis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who does what until when. due_ms: None = no time was set."""

    who: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    what: Said
    due_ms: Time | None = None


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which action is done: its id as the line shows it."""

    deed: Id


class ForPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which post."""

    role: Word


class Other(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which other line, or linked thing."""

    other: Id


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Close(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How it ended."""

    outcome: Text = ""


class Duplicate(msgspec.Struct, frozen=True):
    """When two lines may be about one occurrence."""

    within_ms: int
    within_m: float
    text_min: float


class PostRules(msgspec.Struct, frozen=True):
    """Posts from the lowest to the highest, whom a key line goes to, how long each precedence may wait."""

    ladder: tuple[str, ...]
    key_tell: tuple[str, ...]
    tell_within_ms: dict[str, int]
    duplicate: Duplicate

    def next_above(self, role: str) -> str | None:
        """The post above; None = there is none, or the post is not in the ladder."""
        place = self.ladder.index(role) if role in self.ladder else len(self.ladder)
        return self.ladder[place + 1] if place + 1 < len(self.ladder) else None


@functools.cache
def post_rules() -> PostRules:
    """The data that came with the program."""
    text = resources.files("aquila.features.incidents").joinpath("posts.json").read_bytes()
    return msgspec.json.decode(text, type=PostRules)


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """A post that must be told. due_ms: until when; told_at_ms, ack_at_ms: None = not yet."""

    role: str
    since_ms: int
    due_ms: int
    told_at_ms: int | None
    ack_at_ms: int | None
    ack_by: str | None


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who does what. done_at_ms: None = open."""

    id: str
    who: str
    what: str
    due_ms: int | None
    done_at_ms: int | None


def tellings_of(thing: Thing) -> tuple[Telling, ...]:
    """Who must be told of this line, in the order in which it was said. Each mark of a post is a field of its own."""
    found = []
    for name, step in thing.writers().items():
        if name.startswith("tell."):
            role = name.removeprefix("tell.")
            ack = thing.writers().get(f"ack.{role}")
            found.append(
                Telling(
                    role=role,
                    since_ms=step.at_ms,
                    due_ms=int(step.fields[name]),
                    told_at_ms=thing.get(f"told.{role}"),
                    ack_at_ms=thing.get(f"ack.{role}"),
                    ack_by=None if ack is None else ack.by,
                )
            )
    return tuple(sorted(found, key=lambda each: (each.since_ms, each.role)))


def deeds_of(thing: Thing) -> tuple[Deed, ...]:
    """What is to be done because of this line."""
    deeds = (value for name, value in thing.fields().items() if name.startswith("deed."))
    return tuple(
        Deed(
            id=str(deed["id"]),
            who=str(deed["who"]),
            what=str(deed["what"]),
            due_ms=deed.get("due_ms"),
            done_at_ms=thing.get(f"done.{deed['id']}"),
        )
        for deed in deeds
    )


def waits(thing: Thing) -> bool:
    """Is it open, with somebody who has not acknowledged?"""
    return state_of(STATES, thing) in OPEN and any(each.ack_at_ms is None for each in tellings_of(thing))


def incidents_view() -> WatchedPapers:
    """A fresh view."""
    return WatchedPapers("incidents", 1, ("incidents.",), waits)
