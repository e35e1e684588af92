"""Any sequence of requests about missions does what a simple model says; said twice, it does the same once."""

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.core.contract import Call
from aquila.core.errors import Refused
from aquila.core.feature import Query, Saying
from aquila.core.journal import MemoryJournal, make_entry
from aquila.core.model import Body, Entry, Principal
from aquila.core.node import Identity, Node
from aquila.core.policy import Policy
from aquila.features.missions import Missions, feature
from aquila.features.picture import Picture
from aquila.links.pki.tokens import TokenSigner, new_key
from aquila.web_api.contract import Match, Paths
from aquila.web_api.errors import STATUS_OF_REASON
from aquila.web_api.port import Asked

START_MS = 1_795_000_000_000
CONTEXT = "EXERCISE:TEST"
SIGNER = TokenSigner(new_key(), "n1")
PATHS = Paths(feature.endpoints)
OWNER, SUBSCRIBER, READONLY = "MISSION_OWNER", "MISSION_SUBSCRIBER", "MISSION_READONLY_SUBSCRIBER"
ROLES = (OWNER, SUBSCRIBER, READONLY)


def device(name: str, *groups: str) -> Principal:
    return Principal(
        id=f"device:{name}",
        kind="device",
        name=name,
        context=CONTEXT,
        nation="ITA",
        groups_in=frozenset(groups or ("COMMON",)),
        groups_out=frozenset(groups or ("COMMON",)),
    )


class NoSecrets:
    """No mission has a password."""

    def remove(self, name: str) -> bool:
        return False


class MemoryNode:
    """A node in memory that answers the rows of missions; see web_api.port.NodePort."""

    def __init__(self) -> None:
        ticks, numbers = itertools.count(START_MS), itertools.count(1)
        self.clock_ms = lambda: next(ticks)
        self.new_id = lambda: f"id-{next(numbers)}"
        self.journal = MemoryJournal()
        self.core = Node(
            Identity("n1", 1, "TEST"),
            CONTEXT,
            Policy(),
            clock_ms=self.clock_ms,
            new_id=self.new_id,
            salt=bytes,
            views={"missions": Missions(), "picture": Picture()},
        )
        self.views, self.policy, self.context, self.node = self.core.views, self.core.policy, CONTEXT, "n1"

    def part(self, name: str) -> Any:
        return {"tokens": SIGNER, "secrets": NoSecrets()}[name]

    async def write(self, principal: Principal, body: Body, via: str, **more: Any) -> Entry | Refused:
        await asyncio.sleep(0)  # as the writer does: others come in between
        staged = self.core.write(body, principal, via, **more)
        if isinstance(staged, Refused):
            return staged
        entry, _ = make_entry(staged, node="n1", epoch=1, head=self.journal.head("n1", 1))
        new = self.journal.append([entry])
        self.core.committed(new)
        return new[0] if new else self.journal.entry(staged.id) or Refused("unknown")

    async def write_all(self, principal: Principal, sayings: Sequence[Saying], via: str) -> tuple[Entry, ...] | Refused:
        written = [await self.write(principal, each.body, via, id=each.id, label=each.label) for each in sayings]
        return tuple(each for each in written if isinstance(each, Entry))

    async def send(
        self,
        who: Principal,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> tuple[int, Any]:
        """Status and data of an answer."""
        match = PATHS.find(quote(f"/Marti/api/missions{path}"), method)
        assert isinstance(match, Match), path
        call = Call(
            method=method,
            path=path,
            parts=match.parts,
            query={key: [value] for key, value in query.items()},
            headers=headers or {},
            body=b"" if body is None else json.dumps(body).encode(),
            files=(),
            base="",
            node="n1",
            server="",
            now_ms=self.clock_ms(),
        )
        asked = Asked(self, who, "marti")  # type: ignore[arg-type]
        ask, work = match.endpoint.ask(call), match.endpoint.work
        if isinstance(work, Query):
            rows: Any = list(asked.releaser.forms(work.answer(who, ask, asked), 1 if work.one else None))
            if work.one and not rows:
                return 404, None
            answer = rows[0] if work.one else rows
        else:
            assert work is not None
            answer = await work.act(who, ask, asked)
            if isinstance(answer, Refused):
                return STATUS_OF_REASON.get(answer.reason, 422), None
        reply = match.endpoint.render(answer, call)
        whole = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
        return reply.status, json.loads(whole)["data"] if whole and reply.status < 300 else None


class Model:
    """What missions do, as simply as it can be said. Everybody may come in; who created a mission owns it."""

    def __init__(self) -> None:
        self.standing: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()

    def role(self, who: str, name: str) -> str:
        mission = self.standing[name]
        return str(mission["roles"].get(who) or mission["subs"].get(who) or SUBSCRIBER)

    def expect(self, who: str, kind: str, name: str, which: int) -> tuple[int, int]:
        """Statuses of a request that is sent twice."""
        if kind == "create":
            return self._create(who, name)
        if name not in self.standing:
            return (410, 410) if name in self.deleted else (404, 404)
        mission, role = self.standing[name], self.role(who, name)
        if kind == "join":
            mission["subs"].setdefault(who, role)
            return 201, 201
        if kind == "leave":
            return (404, 404) if mission["subs"].pop(who, None) is None else (200, 404)
        if kind in ("delete", "role") and role != OWNER:
            return 403, 403
        if role == READONLY:
            return 403, 403
        if kind == "delete":
            del self.standing[name]
            self.deleted.add(name)
            return 200, 410
        if kind == "role":
            if "B" not in mission["subs"]:
                return 404, 404
            mission["roles"]["B"] = ROLES[which]
            # An owner who makes himself less is none the second time.
            return 200, 200 if self.role(who, name) == OWNER else 403
        elif kind == "add":
            mission["uids"].add(f"u{which}")
        elif kind == "remove":
            mission["uids"].discard(f"u{which}")
        else:
            mission["keywords"] = [f"k{which}"]
        return 200, 200

    def _create(self, who: str, name: str) -> tuple[int, int]:
        mission = self.standing.get(name)
        if mission is None:
            self.standing[name] = {"uids": set(), "keywords": [], "roles": {who: OWNER}, "subs": {who: OWNER}}
            return 201, 200
        held = mission["roles"].get(who) or mission["subs"].get(who)
        return (409, 409) if held in (None, READONLY) else (200, 200)


def request(kind: str, who: str, name: str, which: int) -> tuple[str, str, Any, dict[str, str]]:
    match kind:
        case "create":
            return "POST", f"/{name}", None, {"creatorUid": f"uid-{who}"}
        case "delete":
            return "DELETE", f"/{name}", None, {}
        case "add":
            return "PUT", f"/{name}/contents", {"uids": [f"u{which}"]}, {}
        case "remove":
            return "DELETE", f"/{name}/contents", None, {"uid": f"u{which}"}
        case "join":
            return "PUT", f"/{name}/subscription", None, {"uid": f"uid-{who}"}
        case "leave":
            return "DELETE", f"/{name}/subscription", None, {"uid": f"uid-{who}"}
        case "role":
            return "PUT", f"/{name}/role", None, {"clientUid": "uid-B", "role": ROLES[which]}
        case _:
            return "PUT", f"/{name}/keywords", [f"k{which}"], {}


KINDS = ("create", "create", "delete", "add", "add", "remove", "join", "leave", "role", "keywords")
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from("AB"), st.sampled_from(("OPS", "RED 1")), st.integers(0, 2)),
    min_size=10,
    max_size=40,
)


async def play(steps: list[tuple[str, str, str, int]]) -> MemoryNode:
    node, model = MemoryNode(), Model()
    people = {name: device(name) for name in "AB"}
    for kind, who, name, which in [("create", "A", "OPS", 0), ("join", "B", "OPS", 0), *steps]:
        method, path, body, query = request(kind, who, name, which)
        expected = model.expect(who, kind, name, which)
        first, _ = await node.send(people[who], method, path, body, **query)
        entries = node.journal.last_arrival()
        second, _ = await node.send(people[who], method, path, body, **query)
        assert (first, second) == expected, (kind, who, name, which)
        assert node.journal.last_arrival() == entries, f"{kind} said twice was done twice"
    _, listed = await node.send(people["A"], "GET", "")
    shown = {row["name"]: ({each["data"] for each in row["uids"]}, row["keywords"]) for row in listed}
    assert shown == {name: (each["uids"], each["keywords"]) for name, each in model.standing.items()}
    for name in model.standing:
        await follow(node, people["A"], name)
    return node


async def follow(node: MemoryNode, who: Principal, name: str) -> None:
    """From whatever number on, exactly the later changes are told, and they add up to the contents."""
    _, whole = await node.send(who, "GET", f"/{name}/changes", since="0")
    _, (mission,) = await node.send(who, "GET", f"/{name}")
    there: set[str] = set()
    for change in whole[1:]:
        (there.add if change["type"] == "ADD_CONTENT" else there.discard)(change["contentUid"])
    assert there == {each["data"] for each in mission["uids"]}
    told = []
    for seq in range(node.journal.last_arrival() + 1):
        _, rest = await node.send(who, "GET", f"/{name}/changes", since=str(seq))
        assert rest == whole[len(whole) - len(rest) :]
        told.append(len(rest))
    assert told == sorted(told, reverse=True)
    assert told[-1] == 0


@settings(max_examples=100)
@given(steps=STEPS, seed=st.integers(0, 1 << 32))
def test_requests_do_what_the_model_says_once_and_in_any_order_of_arrival(steps: Any, seed: int) -> None:
    node = asyncio.run(play(steps))
    entries = node.journal.read(0, 10_000)
    Random(seed).shuffle(entries)
    view = Missions()
    for entry in [*entries, *entries]:
        view.fold(entry)
    assert view.snapshot() == node.views["missions"].snapshot()


@pytest.mark.parametrize("kind", ["add", "create", "keywords", "role"])
def test_the_same_at_the_same_moment_is_done_once(kind: str) -> None:
    async def both() -> None:
        node, who = MemoryNode(), device("A")
        if kind != "create":
            await node.send(who, "POST", "/OPS", creatorUid="uid-A")
            await node.send(device("B"), "PUT", "/OPS/subscription", uid="uid-B")
        before = node.journal.last_arrival()
        method, path, body, query = request(kind, "A", "OPS", 2)
        answers = await asyncio.gather(*(node.send(who, method, path, body, **query) for _ in range(5)))
        assert all(status in (200, 201) for status, _ in answers)
        assert node.journal.last_arrival() == before + 1

    asyncio.run(both())


def test_ten_thousand_contents_come_whole_and_in_pieces() -> None:
    async def fill() -> None:
        node, who = MemoryNode(), device("A")
        await node.send(who, "POST", "/OPS")
        uids = [f"uid-{number}" for number in range(10_000)]
        status, _ = await node.send(who, "PUT", "/OPS/contents", {"uids": uids})
        assert status == 200
        # No act is larger than its bound, and none is told in part.
        assert node.journal.last_arrival() == 11
        _, (mission,) = await node.send(who, "GET", "/OPS")
        assert {each["data"] for each in mission["uids"]} == set(uids)
        _, changes = await node.send(who, "GET", "/OPS/changes", since="10")
        assert len(changes) == 1000

    asyncio.run(fill())
