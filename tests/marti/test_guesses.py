"""Guesses: passwords of missions and persons are tried ten times a minute, by one caller at one target."""

import httpx
import pytest

from aquila.testing.hostile_zip import archive
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import fresh
from aquila.web_api.errors import WebError
from aquila.web_api.guesses import CALLER_TRIES_PER_MIN, GUESSES_KNOWN, TRIES_PER_MIN, Guesses

from .conftest import Enrolled


class Clock:
    """A clock that is set by hand."""

    now_ms = 1_795_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def counted(guesses: Guesses, caller: str, target: str) -> int | None:
    """None = let through; else so many seconds until it is worth coming back."""
    try:
        guesses.count(caller, target)
    except WebError as wrong:
        return wrong.retry_s if wrong.status == 429 else None
    return None


def test_a_caller_is_stopped_at_one_target_and_no_other_caller_is() -> None:
    clock = Clock()
    clock.now_ms -= clock.now_ms % 60_000 - 20_000
    guesses = Guesses(clock)
    assert [counted(guesses, "a", "x") for _ in range(TRIES_PER_MIN)] == [None] * TRIES_PER_MIN
    assert counted(guesses, "a", "x") == 40
    assert counted(guesses, "a", "y") is None
    assert counted(guesses, "b", "x") is None
    clock.now_ms += 40_000
    assert counted(guesses, "a", "x") is None


def test_many_targets_are_no_way_around_it() -> None:
    guesses = Guesses(Clock())
    tried = [counted(guesses, "a", f"name {number}") for number in range(CALLER_TRIES_PER_MIN + 5)]
    assert tried[:CALLER_TRIES_PER_MIN] == [None] * CALLER_TRIES_PER_MIN
    assert None not in tried[CALLER_TRIES_PER_MIN:]


def test_all_addresses_of_one_network_are_one_caller() -> None:
    guesses = Guesses(Clock())
    for number in range(TRIES_PER_MIN):
        guesses.count(f"2001:db8::{number:x}", "x")
        guesses.count(f"link 2001:db8::{number:x}", "x")
    assert counted(guesses, "2001:db8::ffff:1", "x") is not None
    assert counted(guesses, "link 2001:db8::ffff:1", "x") is not None
    for other in ("2001:db8:0:1::1", "192.0.2.1", "192.0.2.2", "::ffff:192.0.2.3", "device:ab::1"):
        assert counted(guesses, other, "x") is None
    for _ in range(TRIES_PER_MIN):
        counted(guesses, "::ffff:192.0.2.4", "x")
    assert counted(guesses, "::ffff:192.0.2.5", "x") is None


def test_who_is_right_is_not_counted() -> None:
    guesses = Guesses(Clock())
    for _ in range(3 * CALLER_TRIES_PER_MIN):
        assert counted(guesses, "a", "x") is None
        guesses.forgive("a", "x")


def test_the_table_is_bounded() -> None:
    guesses = Guesses(Clock())
    for number in range(GUESSES_KNOWN):
        guesses.count(f"caller {number}")
    assert len(guesses) == GUESSES_KNOWN


@pytest.mark.parametrize("way", ["subscription", "token"])
def test_the_password_of_a_mission_is_not_guessed(node: ServedNode, device: Enrolled, way: str) -> None:
    owner, member, thief = device(), device(), device(thief_name := fresh("THIEF"))
    name, password = fresh("mission"), "a good password"
    made = owner.post(f"/Marti/api/missions/{name}", params={"creatorUid": "A", "password": password})
    assert made.status_code == 201, made.text

    def tried(who: httpx.Client, word: str) -> httpx.Response:
        method = "GET" if way == "token" else "PUT"
        return who.request(method, f"/Marti/api/missions/{name}/{way}", params={"uid": "U", "password": word})

    answers = [tried(thief, f"guess {number}") for number in range(2 * TRIES_PER_MIN + 1)]
    assert {answer.status_code for answer in answers} == {403, 429}
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert tried(thief, password).status_code == 429, "the right one, too: it is no oracle"
    for _ in range(2 * TRIES_PER_MIN):
        assert tried(member, password).status_code < 300, "others are not shut out, and who is right is not counted"

    def refusals() -> list[dict[str, str]]:
        rows = node.api.entries(kind="act", newest=True, limit=300)
        acts = [row["body"] for row in rows if row["body"]["action"] == "device.refuse"]
        return [act["detail"] for act in acts if act["target"] == f"device:{thief_name}"]

    wait_until(refusals, "the guesses are in the journal")
    assert len(refusals()) <= 3, "the same once a minute"
    assert refusals()[0]["reason"] == "password"
    assert name in refusals()[0]["sentence"]
    assert "guess" not in str(refusals())


def test_a_password_that_comes_with_a_file_is_a_guess_like_any_other(node: ServedNode, device: Enrolled) -> None:
    owner, thief = device(), device()
    name = fresh("mission")
    made = owner.post(f"/Marti/api/missions/{name}", params={"creatorUid": "A", "password": "a good password"})
    assert made.status_code == 201, made.text
    path, package = f"/Marti/api/missions/{name}/contents/missionpackage", archive(("a.txt", b"x"))
    answers = [
        thief.put(path, params={"creatorUid": "B", "password": f"guess {number}"}, content=package)
        for number in range(2 * TRIES_PER_MIN + 1)
    ]
    assert [answer.status_code for answer in answers][:2] == [403, 403]
    assert answers[-1].status_code == 429
