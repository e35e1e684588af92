"""Doors between missions, and between their members: what is of one is touched and told by nobody of another."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from aquila.core.model import Principal
from aquila.features.missions import creating

from .test_missions_model import OWNER, READONLY, SUBSCRIBER, MemoryNode, device

Play = Callable[[MemoryNode], Coroutine[Any, Any, None]]
ANNA, BOB, EVE = device("ANNA"), device("BOB"), device("EVE")


def played(play: Play) -> None:
    asyncio.run(play(MemoryNode()))


async def log(node: MemoryNode, who: Principal, text: str, *names: str, id: str = "") -> tuple[int, str]:
    """Status and id of an entry that is written: a new one, or `id` changed."""
    body = {"content": text, "creatorUid": "U", "missionNames": names, "dtg": "2026-03-01T10:11:12.345Z", "id": id}
    status, rows = await node.send(who, "PUT" if id else "POST", "/logs/entries", body)
    return status, rows[0]["id"] if rows else ""


async def texts(node: MemoryNode, who: Principal, name: str) -> list[str]:
    _, rows = await node.send(who, "GET", f"/{name}/log")
    return [row["content"] for row in rows]


def test_a_log_entry_of_another_mission_is_neither_changed_nor_removed_nor_masked() -> None:
    async def play(node: MemoryNode) -> None:
        await node.send(ANNA, "POST", "/HERS", defaultRole=READONLY)
        await node.send(EVE, "POST", "/OWN")
        _, uid = await log(node, ANNA, "bridge is down", "HERS")
        # Under the same id in a mission of his own: as a new entry it gets another id, as a change it is refused.
        body = {"content": "lie", "creatorUid": "U", "missionNames": ["OWN"], "id": uid}
        _, (row,) = await node.send(EVE, "POST", "/logs/entries", body)
        assert row["id"] != uid
        assert (await log(node, EVE, "lie", "OWN", id=uid))[0] == 404
        assert (await log(node, EVE, "lie", "HERS", "OWN", id=uid))[0] == 403
        assert (await node.send(EVE, "DELETE", f"/logs/entries/{uid}"))[0] == 403
        assert await texts(node, ANNA, "HERS") == ["bridge is down"]
        _, told = await node.send(EVE, "GET", f"/logs/entries/{uid}")
        assert [(each["content"], each["missionNames"]) for each in told] == [("bridge is down", ["HERS"])]

    played(play)


def test_an_entry_of_two_missions_goes_where_its_remover_may_write_and_stays_elsewhere() -> None:
    async def play(node: MemoryNode) -> None:
        await node.send(ANNA, "POST", "/ONE", defaultRole=READONLY)
        await node.send(ANNA, "POST", "/TWO")
        _, uid = await log(node, ANNA, "both", "ONE", "TWO")
        await log(node, ANNA, "only one", "ONE", id=uid)
        _, rows = await node.send(ANNA, "GET", "/all/logs")
        assert sorted((row["content"], row["missionNames"]) for row in rows) == [
            ("both", ["TWO"]),
            ("only one", ["ONE"]),
        ]
        assert (await node.send(BOB, "DELETE", f"/logs/entries/{uid}"))[0] == 200
        assert (await texts(node, ANNA, "ONE"), await texts(node, ANNA, "TWO")) == (["only one"], [])

    played(play)


def test_one_name_has_one_invitation_that_only_its_maker_or_an_owner_changes() -> None:
    async def play(node: MemoryNode) -> None:
        await node.send(ANNA, "POST", "/OPS")
        for who in (BOB, EVE):
            await node.send(who, "PUT", "/OPS/subscription", uid=f"uid-{who.name}")
        path = "/OPS/invite/userName/GUEST"

        async def invited() -> list[str]:
            _, rows = await node.send(ANNA, "GET", "/OPS/invitations")
            return [row["role"]["type"] for row in rows]

        assert (await node.send(ANNA, "PUT", path, role=OWNER))[0] == 200
        for method, role in (("PUT", READONLY), ("PUT", SUBSCRIBER), ("DELETE", OWNER)):
            more = {"role": role} if method == "PUT" else {}
            assert (await node.send(BOB, method, path, **more))[0] == 403
        assert await invited() == [OWNER]
        # A second one of the same name takes the place of the first; the owner may, whoever made it.
        assert (await node.send(ANNA, "PUT", path, role=SUBSCRIBER))[0] == 200
        assert await invited() == [SUBSCRIBER]
        assert (await node.send(BOB, "PUT", path, role=SUBSCRIBER))[0] == 200, "it says nothing new"
        other = "/OPS/invite/userName/OTHER"
        assert (await node.send(BOB, "PUT", other, role=READONLY))[0] == 200
        assert (await node.send(EVE, "DELETE", other))[0] == 403
        assert (await node.send(BOB, "PUT", other, role=SUBSCRIBER))[0] == 200
        assert (await node.send(BOB, "DELETE", other))[0] == 200
        assert (await node.send(ANNA, "DELETE", path))[0] == 200
        assert await invited() == []

    played(play)


def test_a_role_that_an_owner_gave_counts_more_than_an_older_token() -> None:
    async def play(node: MemoryNode) -> None:
        await node.send(ANNA, "POST", "/OPS")
        await node.send(BOB, "PUT", "/OPS/subscription", uid="uid-BOB")
        await node.send(ANNA, "PUT", "/OPS/invite/userName/BOB", role=SUBSCRIBER)
        _, (row,) = await node.send(BOB, "GET", "/all/invitations")
        bearer = {"missionauthorization": f"Bearer {row['token']}"}
        assert (await node.send(BOB, "PUT", "/OPS/keywords", ["a"], headers=bearer))[0] == 200
        await node.send(ANNA, "PUT", "/OPS/role", clientUid="uid-BOB", role=READONLY)
        assert (await node.send(BOB, "PUT", "/OPS/keywords", ["b"], headers=bearer))[0] == 403

    played(play)


def test_the_guid_of_a_new_mission_does_not_tell_of_hidden_ones_of_its_name() -> None:
    async def made(hidden: bool) -> str:
        node, red = MemoryNode(), device("ANNA", "RED")
        if hidden:
            assert (await node.send(red, "POST", "/OPS"))[0] == 201
        status, (row,) = await node.send(EVE, "POST", "/OPS")
        assert status == 201
        return str(row["guid"])

    assert asyncio.run(made(hidden=True)) == asyncio.run(made(hidden=False))


def test_two_who_create_one_name_at_the_same_moment_get_one_mission() -> None:
    async def play(node: MemoryNode) -> None:
        answers = await asyncio.gather(*(node.send(who, "POST", "/OPS") for who in (ANNA, BOB, EVE)))
        assert sorted(status for status, _ in answers) == [201, 409, 409]
        _, listed = await node.send(ANNA, "GET", "")
        (won,) = [rows[0]["guid"] for status, rows in answers if status == 201]
        assert [row["guid"] for row in listed] == [won]

    played(play)


def test_nobody_fills_the_node_with_missions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating, "MISSIONS_OF_ONE", 3)

    async def play(node: MemoryNode) -> None:
        statuses = [(await node.send(EVE, "POST", f"/M{number}"))[0] for number in range(4)]
        assert statuses == [201, 201, 201, 507]
        assert (await node.send(ANNA, "POST", "/M9"))[0] == 201
        await node.send(EVE, "DELETE", "/M0")
        assert (await node.send(EVE, "POST", "/M3"))[0] == 201

    played(play)
