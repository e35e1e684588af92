"""Upkeep: what who runs the node does to keep it well: a self-test, and backups that are proven.

The self-test is `aquila doctor`, a backup is what `aquila backup` writes; both come as parts of the node. Whoever
makes, proves, takes or removes a backup stands in the journal.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec

from aquila.core.errors import DiskError, Refused, UsageError
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading
from aquila.core.model import Act, Principal
from aquila.core.phrases import Phrase, phrase_in

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Found = TypeVar("Found")


class Check(Protocol):
    """One finding of the part `self_test`."""

    @property
    def what(self) -> str:
        """What was looked at."""
        ...

    @property
    def grade(self) -> Literal["good", "warn", "bad"]:
        """How it is."""
        ...

    @property
    def sentence(self) -> str:
        """What was found, and what to do."""
        ...

    @property
    def code(self) -> str:
        """Which sentence it is; empty = it has none but this."""
        ...

    @property
    def values(self) -> Mapping[str, str]:
        """What stands in it, by name."""
        ...


SelfTest = Callable[[], Iterable[Check]]
"""The part `self_test`."""


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the self-test.

    Attributes:
        sentence: in English. code, values: the same, to be said in another language (`upkeep.finding.CODE` of the
            page's texts); an empty code = there is only the sentence.
        act, words: of the sentence that stands in it as `why`, see `Phrase`; empty = the text of a library, or none.
    """

    what: str
    grade: Literal["good", "warn", "bad"]
    sentence: str
    code: str = ""
    values: dict[str, str] = {}
    act: str = ""
    words: dict[str, Any] = {}
    at_ms: int


class BackupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One backup on the shelf.

    Attributes:
        made_at_ms: 0 when it cannot be read. bytes: of the file. entries: of the journal in it.
        has_keys: keys and secrets are in it, sealed. restore: the command that makes a node of it.
        fault: why it cannot be read; empty = it can.
    """

    name: str
    made_at_ms: int
    bytes: int
    entries: int
    has_keys: bool = False
    restore: str
    fault: str = ""


class Backups(Protocol):
    """The part `backups` of a node; every word reads or writes the disk."""

    def rows(self) -> list[BackupRow]:
        """The newest first."""
        ...

    def make(self, now_ms: int, passphrase: str) -> BackupRow:
        """Make and prove one; passphrase: empty = without keys. Raises UsageError."""
        ...

    def prove(self, name: str) -> BackupRow:
        """Restore it into nothing. Raises UsageError."""
        ...

    def drop(self, name: str) -> None:
        """Remove it. Raises UsageError."""
        ...

    def place(self, name: str) -> Path:
        """Where it lies. Raises UsageError."""
        ...


class AskUpkeep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it."""


class NewBackup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A backup to be made. passphrase: seals keys and secrets, 8 characters or more; empty = they are left out."""

    passphrase: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class WhichBackup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which one, by its name in the list."""

    name: Name


class BackupDropped(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone from the shelf, and the journal entry that says so."""

    name: str
    entry: str


def self_test(principal: Principal, ask: AskUpkeep, reading: Reading) -> Iterator[Labelled]:
    """Look at everything once, now."""
    test: SelfTest = reading.part("self_test")
    for found in test():
        cause = _cause(found.values.get("why", ""))
        row = CheckRow(
            what=found.what,
            grade=found.grade,
            sentence=found.sentence,
            code=found.code,
            values=dict(found.values),
            act=cause.act,
            words=cause.words,
            at_ms=reading.now_ms(),
        )
        yield Labelled(row, None, reading.context)


def _cause(text: str) -> Phrase:
    said = phrase_in("refused", text)
    return said if said.act else phrase_in("system", text)


def backups(principal: Principal, ask: AskUpkeep, reading: Reading) -> Iterator[Labelled]:
    """What stands on the shelf."""
    shelf: Backups = reading.part("backups")
    for row in shelf.rows():
        yield Labelled(row, None, reading.context)


async def make_backup(principal: Principal, ask: NewBackup, desk: Desk) -> BackupRow | Refused:
    """Make one and prove it."""
    shelf: Backups = desk.part("backups")
    return await _proven(desk, "backup", partial(shelf.make, desk.now_ms(), ask.passphrase))


async def prove_backup(principal: Principal, ask: WhichBackup, desk: Desk) -> BackupRow | Refused:
    """Restore one into a folder that is thrown away."""
    shelf: Backups = desk.part("backups")
    return await _proven(desk, "backup.prove", partial(shelf.prove, ask.name))


async def _proven(desk: Desk, action: str, work: Callable[[], BackupRow]) -> BackupRow | Refused:
    """What the shelf gives, once the journal has it; a backup that is refused is not in the journal."""
    row = await _done(work)
    if isinstance(row, Refused):
        return row
    noted = await note(desk.write, action, row.name, desk.now_ms(), arrival=str(row.entries))
    return noted if isinstance(noted, Refused) else row


async def drop_backup(principal: Principal, ask: WhichBackup, desk: Desk) -> BackupDropped | Refused:
    """Remove one from the shelf; the act comes first, so that none goes without a word."""
    shelf: Backups = desk.part("backups")
    found = await _done(partial(shelf.place, ask.name))
    if isinstance(found, Refused):
        return found
    noted = await note(desk.write, "backup.remove", ask.name, desk.now_ms())
    if isinstance(noted, Refused):
        return noted
    gone = await _done(partial(shelf.drop, ask.name))
    return gone if isinstance(gone, Refused) else BackupDropped(name=ask.name, entry=noted)


async def _done(work: Callable[[], Found]) -> Found | Refused:
    """What a word of the shelf gives, off the loop; what it cannot do is refused with its sentence."""
    try:
        return await asyncio.to_thread(work)
    except DiskError:
        raise
    except UsageError as wrong:
        return Refused("backup", str(wrong))


async def note(write: Any, action: str, name: str, at_ms: int, **detail: str) -> str | Refused:
    """Say in the journal what was done to a backup; gives the id of the entry. write: as Desk.write."""
    written = await write(Act(action=action, target=name, happened_at_ms=at_ms, detail=detail))
    return written if isinstance(written, Refused) else str(written.envelope.id)


feature = Feature(
    name="upkeep",
    queries=(
        Query(
            name="self_test",
            path="/upkeep/checks",
            request=AskUpkeep,
            row=CheckRow,
            role="admin",
            answer=self_test,
            blocking=True,
            summary="Look at clock, disk, journal, ports, certificates and backups, as `aquila doctor` does",
        ),
        Query(
            name="backups",
            path="/upkeep/backups",
            request=AskUpkeep,
            row=BackupRow,
            role="admin",
            answer=backups,
            blocking=True,
            summary="Backups on the node's shelf, the newest first",
        ),
    ),
    commands=(
        Command(
            name="make_backup",
            method="POST",
            path="/upkeep/backups",
            request=NewBackup,
            answer=BackupRow,
            role="admin",
            act=make_backup,
            summary="Make a backup and prove it by restoring it into nothing",
        ),
        Command(
            name="prove_backup",
            method="POST",
            path="/upkeep/backups/{name}/proof",
            request=WhichBackup,
            answer=BackupRow,
            role="admin",
            act=prove_backup,
            summary="Prove a backup again by restoring it into nothing",
        ),
        Command(
            name="drop_backup",
            method="DELETE",
            path="/upkeep/backups/{name}",
            request=WhichBackup,
            answer=BackupDropped,
            role="admin",
            act=drop_backup,
            summary="Remove a backup from the shelf",
        ),
    ),
)

__all__ = ["BackupRow", "Backups", "feature", "note"]
