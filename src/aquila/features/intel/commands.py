"""What can be done with subjects and persons. Reading a person's record is a command: it is journalled."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Protocol

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Act, Label, Paper, Principal
from aquila.core.paper_work import Id, NoFields, StepTaken, TakeStep, check_texts, read_step, state_of
from aquila.core.papers import Thing
from aquila.core.policy import derive, label_for
from aquila.features.intel.grade import seen_entry
from aquila.features.intel.subject import (
    CLAIMS_MAX,
    DAY_MS,
    KEEP_DAYS_MAX,
    LINKS,
    PERSON,
    SUBJECT,
    Because,
    Extension,
    Kind,
    Merge,
    NewClaim,
    Source,
    Subject,
    SubjectRow,
    Withdrawal,
    claim_fields,
    is_over,
    keeping_of,
    kind_of,
    row_of,
    standing,
    states_of,
)
from aquila.features.intel.view import ERASE, PERSON_PREFIX, intel_of

PERSON_READ = "person.read"
FOUND_MAX = 200
FORMS: Mapping[str, type[msgspec.Struct]] = {
    "edit": Subject,
    "claim": NewClaim,
    "support": Source,
    "deny": Source,
    "withdraw": Withdrawal,
    "merge": Merge,
    "split": NoFields,
    "close": Because,
    "reopen": Because,
    "extend": Extension,
}
NO_SUBJECT = Refused("absent", "there is no such subject, or you may not see it: look at the list")
NO_PERSON = Refused("absent", "there is no such record, or you may not see it: open the list of persons")


class Erasing(Protocol):
    """The part `erase` of a node: destroys the key of a person; was there one?"""

    async def __call__(self, subject: str) -> bool:
        """Do it."""
        ...


class MakeSubject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new subject."""

    kind: Kind
    subject: Subject

    def __post_init__(self) -> None:
        check_texts("subject", msgspec.to_builtins(self.subject))


class MakePerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new record of a person. reason: why it is needed; days: for how long; None = as long as the node allows."""

    person: Subject
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=KEEP_DAYS_MAX)] | None = None

    def __post_init__(self) -> None:
        check_texts("person", msgspec.to_builtins(self.person))
        check_texts("reason", self.reason)


class OpenPersons(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose records are to be read, and why: that stands in the journal.

    Attributes:
        q: words in name, aliases, text and claims; empty = everybody. ids: these only; empty = all that have the words.
    """

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    ids: Annotated[tuple[Id, ...], msgspec.Meta(max_length=FOUND_MAX)] = ()

    def __post_init__(self) -> None:
        check_texts("reason", self.reason)


class PersonsOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The records that were read. left_out: there are so many more."""

    rows: tuple[SubjectRow, ...]
    left_out: int = 0


class ErasePerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record is destroyed, and why."""

    id: Id
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """The record that is gone, and the entry that says so."""

    id: str
    entry: str


def has_words(row: SubjectRow, q: str) -> bool:
    """Are all words of q in what is kept of a subject?"""
    said = " ".join((row.name, *row.aliases, row.text, *(claim.text for claim in row.claims))).casefold()
    return all(word in said for word in q.casefold().split())


async def make_subject(principal: Principal, ask: MakeSubject, desk: Desk) -> StepTaken | Refused:
    """Keep a subject."""
    fields = msgspec.to_builtins(ask.subject) | {"kind": ask.kind}
    label = label_for(desk.policy, principal, None)
    if isinstance(label, Refused):
        return label
    return await _said(desk, SUBJECT, desk.new_id(), None, "make", fields, label, f"{ask.kind}: {ask.subject.name}")


async def make_person(principal: Principal, ask: MakePerson, desk: Desk) -> StepTaken | Refused:
    """Keep a record of a person, for so long."""
    keeping = keeping_of(desk)
    days = keeping.days if ask.days is None else ask.days
    wrong = keeping.wrong_days(days, extended=False)
    if wrong is not None:
        return wrong
    until_ms = desk.now_ms() + days * DAY_MS
    fields = msgspec.to_builtins(ask.person) | {"reason": ask.reason, "keep_until_ms": until_ms}
    label = label_for(desk.policy, principal, None)
    if isinstance(label, Refused):
        return label
    return await _said(desk, PERSON, desk.new_id(), None, "make", fields, label, "a record of a person")


async def step_subject(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Change a subject, or say something of it."""
    thing = intel_of(desk).thing(desk, ask.id, SUBJECT)
    return NO_SUBJECT if thing is None else await _step(principal, thing, ask, desk)


async def step_person(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """The same of a person."""
    thing = intel_of(desk).thing(desk, ask.id, PERSON)
    if thing is None or (ask.action != "extend" and is_over(desk, thing)):
        return NO_PERSON
    return await _step(principal, thing, ask, desk)


async def _step(principal: Principal, thing: Thing, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    read = read_step(states_of(thing), FORMS, thing, ask)
    if isinstance(read, Refused):
        return read
    fields = _fields(desk, thing, ask.action, read)
    if isinstance(fields, Refused):
        return fields
    label = _label(principal, desk, thing, read)
    if isinstance(label, Refused):
        return label
    about = "a person" if thing.type == PERSON else thing.get("name")
    return await _said(desk, thing.type, thing.id, thing, ask.action, fields, label, f"{ask.action}: {about}", ask.seen)


def _label(principal: Principal, desk: Desk, thing: Thing, read: Any) -> Label | Refused:
    """Of a step: the most restrictive of the subject's and of the sources that it names."""
    labels = [thing.first.label]
    for source in _sources(read):
        entry = seen_entry(desk, source)
        if entry is None:
            return Refused("source", f"there is no entry {source[:100]}: name entries of the journal that you may read")
        labels.append(entry.envelope.label)
    label = derive(desk.policy, labels)
    return _wrong_groups(principal, label) or label


def _wrong_groups(principal: Principal, label: Label) -> Refused | None:
    if principal.kind == "node" or set(label.groups) <= principal.groups_in:
        return None
    return Refused("group", "it is marked for groups that you may not write into: ask one of them")


def _sources(read: Any) -> Iterable[str]:
    if isinstance(read, NewClaim):
        return read.sources
    return (read.source,) if isinstance(read, Source) else ()


def _fields(desk: Desk, thing: Thing, action: str, read: Any) -> dict[str, Any] | Refused:
    told: dict[str, Any] = msgspec.to_builtins(read)
    if isinstance(read, NewClaim):
        return _claim(desk, thing, read)
    if isinstance(read, Source | Withdrawal) and thing.get(f"claim.{read.claim}") is None:
        return Refused("claim", f"{read.claim[:100]} is no claim about it: take one of its claims")
    if isinstance(read, Source):
        return {f"src.{read.claim}.{read.source}": "supports" if action == "support" else "denies"}
    if isinstance(read, Withdrawal):
        return {f"claim.{read.claim}": None, f"why.{read.claim}": read.reason}
    if isinstance(read, Extension):
        wrong = keeping_of(desk).wrong_days(read.days, extended=True)
        return wrong or {"keep_until_ms": desk.now_ms() + read.days * DAY_MS, "reason": read.reason}
    if isinstance(read, Merge):
        other = intel_of(desk).thing(desk, read.into, thing.type)
        if other is None or other.id == thing.id or kind_of(other) != kind_of(thing):
            return Refused("into", f"it can be the same as another {kind_of(thing)} only: name one of the list")
        if state_of(states_of(other), other) != "open":
            return Refused("into", "that one is not open: name one that is")
    return told


def _claim(desk: Desk, thing: Thing, claim: NewClaim) -> dict[str, Any] | Refused:
    if sum(name.startswith("claim.") for name in thing.fields()) >= CLAIMS_MAX:
        return Refused("full", f"{CLAIMS_MAX} claims are kept of one subject: withdraw some")
    if claim.link is not None:
        begins, ends = LINKS[claim.link]
        other = intel_of(desk).thing(desk, claim.to)
        kind = None if other is None or other.type not in (SUBJECT, PERSON) else kind_of(other)
        if kind is None:
            return NO_SUBJECT
        if kind == "person" and thing.type != PERSON:
            # Else it would be told on the open board that there is a record of this person.
            return Refused("link", "a link to a person is kept in the person's record: begin it there")
        if kind_of(thing) not in begins or kind not in ends:
            return Refused("link", f"{claim.link} goes from {', '.join(begins)} to {', '.join(ends)}")
    return claim_fields(claim, desk.new_id())


async def _said(
    desk: Desk,
    type: str,
    id: str,
    thing: Thing | None,
    action: str,
    fields: dict[str, Any],
    label: Label,
    summary: str,
    seen: tuple[str, ...] = (),
) -> StepTaken | Refused:
    paper = Paper(
        type=type,
        target=id,
        action=action,
        happened_at_ms=desk.now_ms(),
        fields=fields,
        seen=() if thing is None else (seen or thing.heads()),
        summary=summary[:200],
    )
    subjects = (f"{PERSON_PREFIX}{id}",) if type == PERSON else ()
    entry = await desk.write(paper, label=label, subjects=subjects)
    if isinstance(entry, Refused):
        return entry
    made = intel_of(desk).thing(desk, id, type)
    state = "open" if made is None else state_of(states_of(made), made)
    return StepTaken(id=id, entry=entry.envelope.id, state=state)


async def open_persons(principal: Principal, ask: OpenPersons, desk: Desk) -> PersonsOpened | Refused:
    """Read records of persons. Who read whose, when and why stands in the journal before the answer goes out."""
    found = [row_of(desk, thing) for thing in standing(desk, PERSON) if not is_over(desk, thing)]
    rows = [row for row in found if (not ask.ids or row.id in ask.ids) and has_words(row, ask.q)]
    shown = tuple(rows[:FOUND_MAX])
    detail = {"reason": ask.reason, "ids": " ".join(row.id for row in shown), "count": str(len(shown))}
    act = Act(action=PERSON_READ, target=principal.id, happened_at_ms=desk.now_ms(), detail=detail)
    written = await desk.write(act)
    return written if isinstance(written, Refused) else PersonsOpened(rows=shown, left_out=len(rows) - len(shown))


async def erase_person(principal: Principal, ask: ErasePerson, desk: Desk) -> Erased | Refused:
    """Destroy a record: its key goes, so that neither journal nor backups can be read of it any more."""
    thing = intel_of(desk).thing(desk, ask.id, PERSON)
    if thing is None:
        return NO_PERSON
    # Nothing brings it back: not for who may only read it.
    wrong = _wrong_groups(principal, thing.first.label)
    if wrong is not None:
        return wrong
    subject = f"{PERSON_PREFIX}{ask.id}"
    erase: Erasing = desk.part("erase")
    await erase(subject)
    act = Act(action=ERASE, target=subject, happened_at_ms=desk.now_ms(), detail={"reason": ask.reason})
    entry = await desk.write(act)
    return entry if isinstance(entry, Refused) else Erased(id=ask.id, entry=entry.envelope.id)


def _row(name: str, path: str, request: type[Any], answer: type[Any], act: Any, summary: str) -> Command:
    return Command(
        name=name, method="POST", path=path, request=request, answer=answer, role="operator", act=act, summary=summary
    )


subject_rows = (
    _row(
        "make_subject", "/intel/subjects", MakeSubject, StepTaken, make_subject, "Keep a group, place, vehicle or event"
    ),
    _row(
        "step_subject",
        "/intel/subjects/{id}/steps",
        TakeStep,
        StepTaken,
        step_subject,
        "Say something of a subject with its sources, support or deny it, merge, split, close",
    ),
    _row("make_person", "/intel/persons", MakePerson, StepTaken, make_person, "Keep a sealed record of a person"),
    _row("step_person", "/intel/persons/{id}/steps", TakeStep, StepTaken, step_person, "The same of a person"),
    _row(
        "open_persons",
        "/intel/persons/open",
        OpenPersons,
        PersonsOpened,
        open_persons,
        "Read records of persons: journalled with the reason",
    ),
    _row(
        "erase_person", "/intel/persons/{id}/erase", ErasePerson, Erased, erase_person, "Destroy the record of a person"
    ),
)
