"""Port: all that the web needs of a node. The composition root implements it; tests have one in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Saying
from aquila.core.journal import JournalStore
from aquila.core.model import Body, Context, Entry, Label, Principal
from aquila.core.policy import Decision, Policy
from aquila.core.view import View
from aquila.web_api.release import Releaser


class NodePort(Protocol):
    """A running node as the web sees it.

    Attributes:
        views: by name; only the node folds them. journal: reads of it may come from several threads.
        policy: the one in force now. context: of this node. node: its id. name: its name for people.
    """

    @property
    def views(self) -> Mapping[str, View]: ...  # noqa: D102
    @property
    def journal(self) -> JournalStore: ...  # noqa: D102
    @property
    def policy(self) -> Policy: ...  # noqa: D102
    @property
    def context(self) -> Context: ...  # noqa: D102
    @property
    def node(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102

    def clock_ms(self) -> int:
        """UTC milliseconds."""
        ...

    def new_id(self) -> str:
        """A new UUIDv7."""
        ...

    def part(self, name: str) -> Any:  # each part has its own protocol, where it is used
        """tracks, links, authority, secrets; raises KeyError for a part that this node has not."""
        ...

    async def write(
        self,
        principal: Principal,
        body: Body,
        via: str,
        *,
        id: str | None = None,
        subjects: tuple[str, ...] = (),
        label: Label | None = None,
        on_behalf_of: str | None = None,
    ) -> Entry | Refused:
        """Admit, commit and fold; gives the entry after its commit."""
        ...

    async def write_all(self, principal: Principal, sayings: Sequence[Saying], via: str) -> tuple[Entry, ...] | Refused:
        """The same for all of these or none, in one commit."""
        ...

    def subscribe(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Hear every entry after its commit and fold, in order of arrival, on the event loop; gives the way to stop."""
        ...

    def counters(self) -> Mapping[str, float]:
        """Counts and gauges for people who run the node. Names hold no callsign, nation or label."""
        ...

    def health(self) -> Iterable[str]:
        """Why the node is not ready: one sentence each; none = ready."""
        ...


class Asked:
    """What one asker's query or command may look at and use: a Reading and a Desk (aquila.core.feature).

    Args:
        port: the node.
        principal: who asks.
        via: by which way, for the envelope: web, control ...
    """

    def __init__(self, port: NodePort, principal: Principal, via: str) -> None:
        self.views = port.views
        self.journal = port.journal
        self.policy = port.policy
        self.context = port.context
        self.node = port.node
        self.releaser = Releaser(port.policy, principal)
        self._port = port
        self.principal = principal
        self._via = via

    def now_ms(self) -> int:
        """See Reading."""
        return self._port.clock_ms()

    def new_id(self) -> str:
        """See Desk."""
        return self._port.new_id()

    def part(self, name: str) -> Any:  # each part has its own protocol, where it is used
        """See Reading. Raises UsageError for a part that this node has not."""
        try:
            return self._port.part(name)
        except KeyError as missing:
            raise UsageError(f"this node has no {name}") from missing

    def release(self, label: Label, context: Context) -> Decision:
        """See Reading."""
        return self.releaser(label, context)

    async def write(
        self,
        body: Body,
        *,
        id: str | None = None,
        subjects: tuple[str, ...] = (),
        label: Label | None = None,
        on_behalf_of: str | None = None,
    ) -> Entry | Refused:
        """See Desk."""
        return await self._port.write(
            self.principal, body, self._via, id=id, subjects=subjects, label=label, on_behalf_of=on_behalf_of
        )

    async def write_all(self, sayings: Sequence[Saying]) -> tuple[Entry, ...] | Refused:
        """See Desk."""
        return await self._port.write_all(self.principal, sayings, self._via)
