"""Feature: one area of staff work. It declares views, rules, queries and commands as tables; no web framework here.

A query answers *labelled* rows; whoever serves it passes each through policy.release, so a row that the asker may not
have is never counted, paged or sent. A command writes entries through its Desk.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from aquila.core.contract import Call, Files, Method, Reply
from aquila.core.errors import Refused
from aquila.core.journal import JournalStore
from aquila.core.looking_back import LookBack
from aquila.core.model import Body, Context, Entry, Label, Principal, Verdict
from aquila.core.policy import Decision, Policy
from aquila.core.rule import Rule
from aquila.core.view import View

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
"""From the least to the most; each may do what those before it may."""
OWNER = "owner"
"""Beside his role, of the user who owns the node: nobody can give it. He alone gives what he does not hold himself."""


def is_owner(principal: Principal) -> bool:
    """The node itself, or the person whose node it is."""
    return principal.kind == "node" or OWNER in principal.roles


def check_text(field: str, text: str | None) -> None:
    """Refuse characters that no XML and no screen can carry. Raises ValueError; new line and tab are allowed."""
    for char in text or "":
        if (
            (char < " " and char not in "\n\t")
            or char == "\x7f"
            or "\ud800" <= char <= "\udfff"
            or char in "\ufffe\uffff"
        ):
            raise ValueError(
                f"{field} holds the control character {char!a}: plain text, new lines and tabs are allowed"
            )


class Labelled(msgspec.Struct, frozen=True):
    """One row of an answer with the marking that decides who may have it.

    Attributes:
        full: for readers with the verdict FULL. redacted: for REDACTED; None = they get nothing.
        label: None = says nothing of anybody's statements (the node's own state), needs the query's role only.
    """

    full: Any
    label: Label | None
    context: Context
    redacted: Any = None


class Reading(Protocol):
    """What a query may look at."""

    views: Mapping[str, View]
    journal: JournalStore
    policy: Policy
    context: Context
    node: str
    """Id of this node: what other nodes merged in gives nobody access here."""

    def now_ms(self) -> int:
        """The node's time."""
        ...

    def part(self, name: str) -> Any:
        """A part of the node by name (tracks, links, authority, secrets, settings); raises KeyError when absent."""
        ...

    def release(self, label: Label, context: Context) -> Decision:
        """May the asker have a row under this label?"""
        ...


class Then:
    """A reading at an earlier time: its clock stands there, and papers are read without the steps that came later.

    What is no paper (positions, links, disks) is as it is now; who asks decides what of that may be said of the past.

    Args:
        reading: of the asker, whose release holds today.
        at_ms: UTC ms.
    """

    def __init__(self, reading: Reading, at_ms: int) -> None:
        self.views = reading.views
        self.journal = reading.journal
        self.policy = reading.policy
        self.context = reading.context
        self.node = reading.node
        self.at_ms = at_ms
        self._reading = reading

    def now_ms(self) -> int:
        """See Reading: the time that is asked about."""
        return self.at_ms

    def part(self, name: str) -> Any:
        """See Reading."""
        return self._reading.part(name)

    def release(self, label: Label, context: Context) -> Decision:
        """See Reading: nobody may have of the past what is withheld today."""
        return self._reading.release(label, context)


def readable_entry(reading: Reading, id: str) -> Entry | None:
    """A line of the journal that the asker may read whole; None = there is none, or not for him."""
    entry = reading.journal.entry(id)
    if entry is None or reading.release(entry.envelope.label, entry.envelope.context).verdict is not Verdict.FULL:
        return None
    return entry


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be said, with all that `Desk.write` takes."""

    body: Body
    id: str | None = None
    subjects: tuple[str, ...] = ()
    label: Label | None = None
    on_behalf_of: str | None = None


class Desk(Reading, Protocol):
    """What a command may use: a reading, and the one way in."""

    def new_id(self) -> str:
        """A new id (UUIDv7) for something born here."""
        ...

    async def write(
        self,
        body: Body,
        *,
        id: str | None = None,
        subjects: tuple[str, ...] = (),
        label: Label | None = None,
        on_behalf_of: str | None = None,
    ) -> Entry | Refused:
        """Say this as the asker; gives the entry after its commit.

        Args:
            body: what is said.
            id: None = a new one.
            subjects: persons that the body is about; then it is sealed with their keys.
            label: None = what policy gives the asker. A command that passes one has checked that the asker may use it.
            on_behalf_of: id of the principal for whom the asker speaks; None = for itself.
        """
        ...

    async def write_all(self, sayings: Sequence[Saying]) -> tuple[Entry, ...] | Refused:
        """Say all of this or nothing, in this order; gives the entries after their commit, which is one.

        A node that dies meanwhile has all of them afterwards, or none.
        """
        ...


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A question: GET under its path. `one` = the answer is the first released row, else 404; otherwise a list.

    `blocking` = reads the disk or walks over much, so it runs off the loop. Path parameters in braces are fields of the
    request. A field `limit` of the request is applied by whoever serves the query, after release. `slow` = an answer
    may take seconds of a processor, whoever asks: one asker has one at a time.
    """

    name: str
    path: str
    request: type[Any]
    row: type[Any]
    role: Role
    answer: Callable[[Principal, Any, Reading], Iterable[Labelled]]
    one: bool = False
    blocking: bool = False
    slow: bool = False
    summary: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done: POST or DELETE under its path. Gives the answer record, or Refused with a sentence.

    `slow` = a hostile request can keep it busy for seconds, say with a file: one asker has one at a time.
    """

    name: str
    method: Literal["POST", "DELETE"]
    path: str
    request: type[Any]
    answer: type[Any]
    role: Role
    act: Callable[[Principal, Any, Desk], Awaitable[Any]]
    summary: str = ""
    slow: bool = False


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a foreign contract.

    Attributes:
        path: whole, with parts in braces: /Marti/api/cot/xml/{uid}.
        work: the query or command; None = the reply depends on nobody's statements.
        ask: makes its request; raises ValueError for what is not allowed, with a sentence.
        render: pure; gets the rows that were released (query) or the answer (command).
        role: None = every device with a certificate and every person; "enrolling" = also who has an invitation; "login"
            = who says name and password in the parameters `username` and `password`.
        fail: renders what went wrong (status, short word, sentence) in the row's own words; None = as all rows do.
        files: None = a small body.
        source: where the rule is written, for the conformance page.
    """

    method: Method
    path: str
    render: Callable[[Any, Call], Reply]
    work: Query | Command | None = None
    ask: Callable[[Call], Any] = lambda call: None
    role: Role | Literal["enrolling", "anyone", "login"] | None = None
    files: Files | None = None
    source: str = ""
    fail: Callable[[int, str, str], Reply] | None = None


Guard = Callable[[Principal, str, Any, Reading], Refused | None]
"""Says of (who asks, the name of the command, its request, the node) why it may not be; None = nothing against it."""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One folder of staff work, loaded by its entry point."""

    name: str
    views: tuple[Callable[[], View], ...] = ()
    rules: tuple[Rule, ...] = ()
    look_backs: tuple[LookBack, ...] = ()
    queries: tuple[Query, ...] = ()
    commands: tuple[Command, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    """Rows of foreign HTTP contracts."""
    guards: tuple[Guard, ...] = ()
    """Asked before every command of every feature, wherever commands come from other people than the node's owner."""


def guarded(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The same features, with all their guards before each command, also where a foreign contract calls it."""
    features = tuple(features)
    guards = tuple(guard for feature in features for guard in feature.guards)
    if not guards:
        return features
    return tuple(
        msgspec.structs.replace(
            feature,
            commands=tuple(_behind(guards, command) for command in feature.commands),
            endpoints=tuple(
                msgspec.structs.replace(each, work=_behind(guards, each.work))
                if isinstance(each.work, Command)
                else each
                for each in feature.endpoints
            ),
        )
        for feature in features
    )


def _behind(guards: tuple[Guard, ...], command: Command) -> Command:
    async def act(principal: Principal, ask: Any, desk: Desk) -> Any:
        for guard in guards:
            refused = guard(principal, command.name, ask, desk)
            if refused is not None:
                return refused
        return await command.act(principal, ask, desk)

    return msgspec.structs.replace(command, act=act)
