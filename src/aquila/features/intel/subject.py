"""Subjects: groups, places, vehicles, events and persons, with what is said of them. Every claim names its sources.

A claim is a fact or a link. An entry of the journal supports it or speaks against it; nobody states anything without
one. What is kept of a person is sealed with a key of its own, which `aquila erase` destroys.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Reading
from aquila.core.model import Label
from aquila.core.paper_work import Id, Line, Place, Said, Text, Time, state_of
from aquila.core.papers import Thing
from aquila.core.states import ANY, Move, States
from aquila.features.intel.grade import grades_of, seen_entry, words_of
from aquila.features.intel.view import intel_of

SUBJECT, PERSON = "intel.subject", "intel.person"
Kind = Literal["group", "place", "vehicle", "event"]
AnyKind = Literal["person", "group", "place", "vehicle", "event"]
Stance = Literal["supports", "denies"]
LinkKind = Literal[
    "member_of", "part_of", "uses", "seen_at", "based_at", "happened_at", "took_part_in", "knows", "near_to"
]
LINKS: Mapping[LinkKind, tuple[tuple[AnyKind, ...], tuple[AnyKind, ...]]] = {
    "member_of": (("person", "group"), ("group",)),
    "part_of": (("place", "event"), ("place", "event")),
    "uses": (("person", "group"), ("vehicle", "place")),
    "seen_at": (("person", "group", "vehicle"), ("place",)),
    "based_at": (("person", "group", "vehicle"), ("place",)),
    "happened_at": (("event",), ("place",)),
    "took_part_in": (("person", "group", "vehicle"), ("event",)),
    "knows": (("person", "group"), ("person", "group")),
    "near_to": (("place", "event", "vehicle"), ("place", "event", "vehicle")),
}
"""Kind of link -> what it may begin at, and what it may end at."""
CLAIMS_MAX = 500
"""Of one subject."""
DAY_MS = 86_400_000
KEEP_DAYS_MAX = 36_500
"""What no node allows more of: a hundred years."""
Sources = Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=50)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

_STEPS = (
    Move("edit", ("open",), None, "operator who may write to all who see it"),
    Move("claim", ("open",), None, "the same"),
    Move("support", ("open",), None, "the same"),
    Move("deny", ("open",), None, "the same"),
    Move("withdraw", ("open",), None, "the same"),
    Move("merge", ("open",), "merged", "the same"),
    Move("split", ("merged",), "open", "the same"),
    Move("close", ("open",), "closed", "the same"),
    Move("reopen", ("closed",), "open", "the same"),
)
SUBJECT_STATES = States("subject", "none", (Move("make", ("none",), "open", "operator"), *_STEPS))
PERSON_STATES = States(
    "record",
    "none",
    (
        Move("make", ("none",), "open", "who holds the post of intelligence"),
        *_STEPS,
        Move("extend", (ANY,), None, "the same: says why it is needed longer"),
    ),
)


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a subject is called and where it is."""

    name: Name
    aliases: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    text: Text = ""
    place: Place | None = None


class NewClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact, or with `link` and `to` a link to another subject. sources: entries of the journal that say it."""

    sources: Sources
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    link: LinkKind | None = None
    to: Line = ""
    from_ms: Time | None = None
    until_ms: Time | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        if (self.link is None) != (not self.to):
            raise ValueError("a link needs its kind and the subject at its other end; a fact has neither")
        if self.link is None and not self.text.strip():
            raise ValueError("a fact needs words")
        if self.from_ms is not None and self.until_ms is not None and self.until_ms < self.from_ms:
            raise ValueError(f"until {self.until_ms} is before {self.from_ms}: name a later time, or none")


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One more entry that supports a claim or speaks against it."""

    claim: Id
    source: Id


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim that is no longer made, and why."""

    claim: Id
    reason: Said


class Merge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It is the same as another one."""

    into: Id


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Said


class Extension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many days from now a person's record is needed, and why."""

    days: Annotated[int, msgspec.Meta(ge=1, le=KEEP_DAYS_MAX)]
    reason: Said


class Keeping(msgspec.Struct, frozen=True):
    """The part `keeping` of a node: how long records of persons are kept here at most, by its settings.

    Attributes:
        days: after it was made. extended_days: after somebody said anew why it is needed.
    """

    days: int = 365
    extended_days: int = 1095

    def wrong_days(self, days: int, *, extended: bool) -> Refused | None:
        """A sentence when that is longer than this node allows."""
        most = self.extended_days if extended else self.days
        if days <= most:
            return None
        return Refused(
            "days", f"{days} days: at most {most} here, by the settings of this node. Extend it before it ends"
        )

    def until_ms(self, thing: Thing) -> int:
        """When a person's record is closed: as its newest step about that says, but no later than is allowed now.

        Whoever may not have that step has a record that is closed: 0.
        """
        step = thing.writers().get("keep_until_ms")
        if step is None:
            return 0
        days = self.days if step.action == "make" else self.extended_days
        return min(int(step.fields["keep_until_ms"]), step.received_at_ms + days * DAY_MS)


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that speaks of a claim. grade: "" = nobody has graded it."""

    entry: str
    stance: Stance
    text: str
    at_ms: int
    grade: str


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """A claim as the asker may have it.

    Attributes:
        of: the subject that it was made of; another one where that was merged into this. link None = a fact.
        at_ms: when it was so: as said, else when its first source was written. is_disputed: a source denies it.
    """

    id: str
    of: str
    text: str
    link: LinkKind | None
    to: str
    at_ms: int
    from_ms: int | None
    until_ms: int | None
    lat_deg: float | None
    lon_deg: float | None
    sources: tuple[SourceRow, ...]
    is_disputed: bool
    by: str
    label: Label


class SubjectRow(msgspec.Struct, frozen=True, kw_only=True):
    """A subject with all claims about it. merged: subjects that were found to be the same.

    keep_until_ms: of a person: the record is closed then.
    """

    id: str
    kind: AnyKind
    name: str
    aliases: tuple[str, ...]
    text: str
    lat_deg: float | None
    lon_deg: float | None
    state: str
    merged: tuple[str, ...]
    claims: tuple[ClaimRow, ...]
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    made_at_ms: int
    keep_until_ms: int | None
    label: Label


def states_of(thing: Thing) -> States:
    """The table of a subject or a person."""
    return PERSON_STATES if thing.type == PERSON else SUBJECT_STATES


def kind_of(thing: Thing) -> AnyKind:
    """What it is."""
    kind: AnyKind = "person" if thing.type == PERSON else thing.get("kind", "group")
    return kind


def standing(reading: Reading, type: str) -> Iterator[Thing]:
    """Subjects that were made and were not found to be another one."""
    for thing in intel_of(reading).things(reading, type):
        if state_of(states_of(thing), thing) not in ("none", "merged"):
            yield thing


def keeping_of(reading: Reading) -> Keeping:
    """How long records of persons are kept."""
    keeping: Keeping = reading.part("keeping")
    return keeping


def is_over(reading: Reading, thing: Thing) -> bool:
    """Is it the record of a person whose time has passed? Whatever it was merged into, it is closed."""
    return thing.type == PERSON and keeping_of(reading).until_ms(thing) <= reading.now_ms()


def row_of(reading: Reading, thing: Thing) -> SubjectRow:
    """The row of a subject, with the claims of those that were merged into it."""
    same = [
        each
        for each in intel_of(reading).things(reading, thing.type)
        if _ends_at(reading, each) == thing.id and not is_over(reading, each)
    ]
    place, state = thing.get("place"), state_of(states_of(thing), thing)
    claims = sorted((row for each in same for row in claims_of(reading, each)), key=lambda row: (row.at_ms, row.id))
    return SubjectRow(
        id=thing.id,
        kind=kind_of(thing),
        name=str(thing.get("name", "")),
        aliases=tuple(thing.get("aliases", ())),
        text=str(thing.get("text", "")),
        lat_deg=None if place is None else place["lat_deg"],
        lon_deg=None if place is None else place["lon_deg"],
        state=state,
        merged=tuple(each.id for each in same if each.id != thing.id),
        claims=tuple(claims),
        actions=tuple(each for each in states_of(thing).allowed(state) if each != "make"),
        heads=thing.heads(),
        made_at_ms=thing.first.at_ms,
        keep_until_ms=keeping_of(reading).until_ms(thing) if thing.type == PERSON else None,
        label=thing.first.label,
    )


def _ends_at(reading: Reading, thing: Thing) -> str:
    """The id of the subject that this one was found to be, through all mergers; its own when it stands."""
    known = {thing.id}
    while state_of(states_of(thing), thing) == "merged":
        into = intel_of(reading).thing(reading, str(thing.get("into", "")), thing.type)
        if into is None or into.id in known:
            break
        known.add(into.id)
        thing = into
    return thing.id


def claims_of(reading: Reading, thing: Thing) -> Iterator[ClaimRow]:
    """The claims that stand, as far as the asker may have them and at least one of their sources."""
    for name, value in thing.fields().items():
        if not name.startswith("claim."):
            continue
        id, step = name.removeprefix("claim."), thing.writers()[name]
        sources = tuple(_sources(reading, thing, id))
        if not sources:
            continue
        place = value.get("place")
        yield ClaimRow(
            id=id,
            of=thing.id,
            text=value.get("text", ""),
            link=value.get("link"),
            to=value.get("to", ""),
            at_ms=value.get("from_ms") or min(each.at_ms for each in sources),
            from_ms=value.get("from_ms"),
            until_ms=value.get("until_ms"),
            lat_deg=None if place is None else place["lat_deg"],
            lon_deg=None if place is None else place["lon_deg"],
            sources=sources,
            is_disputed=any(each.stance == "denies" for each in sources),
            by=step.by,
            label=step.label,
        )


def _sources(reading: Reading, thing: Thing, claim: str) -> Iterator[SourceRow]:
    prefix = f"src.{claim}."
    for name, stance in thing.fields().items():
        entry = seen_entry(reading, name.removeprefix(prefix)) if name.startswith(prefix) else None
        if entry is not None:
            grades = grades_of(reading, entry.envelope.id)
            yield SourceRow(
                entry=entry.envelope.id,
                stance=stance,
                text=words_of(entry),
                at_ms=entry.envelope.happened_at_ms,
                grade=grades[0].grade if grades else "",
            )


def claim_fields(claim: NewClaim, id: str) -> dict[str, Any]:
    """A claim and its sources as the fields of a step."""
    told = msgspec.to_builtins(claim)
    sources = told.pop("sources")
    return {f"claim.{id}": told} | {f"src.{id}.{entry}": "supports" for entry in sources}
