"""Three nodes of the product in a storm: whatever the dice do, every promise holds once the weather is calm."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from aquila.app.replay import replay_file
from aquila.core.model import Audience
from aquila.core.sync import Answer, Ask, Line, Replica
from aquila.core.view import state_hash
from aquila.testing.simulation import STILL_CLOCKS, Host, Parts, Weather, World

BLOCK = 50
CALM = Weather(loss=0.0, delay_s=(0.01, 0.02), doubled=0.0, late=0.0, crashes=0, partitions=0, full_disks=0)


@pytest.mark.parametrize("first", range(0, 400, BLOCK))
def test_every_promise_holds_in_every_storm(first: int) -> None:
    for seed in range(first, first + BLOCK):
        World(seed).run()


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 5000, 5 * BLOCK))
def test_every_promise_holds_in_thousands_of_storms(first: int) -> None:
    for seed in range(first, first + 5 * BLOCK):
        World(seed).run()


def test_a_stub_beyond_a_hole_that_a_crash_left_is_filled_by_a_late_answer() -> None:
    World(3138).run()


@pytest.mark.parametrize("seed", range(5))
def test_every_promise_holds_when_half_of_everything_is_lost_and_machines_crash_all_the_time(seed: int) -> None:
    World(seed, Weather(says=200, loss=0.5, crashes=40, partitions=8, full_disks=5, doubled=0.3, late=0.3)).run()


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_every_promise_holds_when_all_clocks_show_the_same_time(first: int) -> None:
    for seed in range(first, first + 20):
        World(seed, STILL_CLOCKS).run()


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_is_one_indeed(seed: int) -> None:
    world = World(seed, Weather(loss=0.2)).run()
    assert len(world.acked) > 40
    assert world.storms["crash"] > 2
    assert world.storms["lost"] > 20
    assert sum(len(host.replica.stubs()) for host in world.hosts) > 5


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_gives_the_same_journals_byte_for_byte(seed: int) -> None:
    digest = World(seed).run().digest()
    assert World(seed).run().digest() == digest
    assert World(seed + 1).run().digest() != digest


@pytest.mark.parametrize("seed", range(5))
def test_a_recording_replays_to_the_state_of_the_node_that_made_it(seed: int, tmp_path: Path) -> None:
    for host in World(seed).run().hosts:
        path = tmp_path / f"{host.name}.rec"
        path.write_bytes(host.recording)
        replayed = replay_file(path)
        assert replayed.state_hash == state_hash([view for view in host.node.views.values() if view.name != "hearing"])
        assert replayed.entries == host.journal.last_arrival()
        assert replayed.ticks > 0


@pytest.mark.parametrize("seed", range(10))
def test_in_calm_weather_nothing_is_refused_and_nothing_is_missed(seed: int) -> None:
    world = World(seed, CALM).run()
    assert [host.replica.gap_count for host in world.hosts] == [0, 0, 0]
    assert len(world.acked) >= sum(host.journal.head(host.name, 1).seq for host in world.hosts)


class LosesTheStubList(Host):
    """A machine whose stub list is gone after every crash."""

    def keep_stubs(self, stubs: Sequence[Line]) -> None:
        pass


@pytest.mark.parametrize("seed", range(20))
def test_a_node_that_lost_its_list_of_stubs_asks_for_them_again(seed: int) -> None:
    World(seed, parts=Parts(host=LosesTheStubList)).run()


class LyingRelay(Replica):
    """Node b tampers with every line of others that it passes on, each time in another way."""

    def _cleared(self, line: Line, peer: Audience) -> Line:
        true = super()._cleared(line, peer)
        if self._node != "b" or line.place[0] == "b":
            return true
        made_up = bytes(32)
        replace = msgspec.structs.replace
        return (
            true,
            Line(line.place, made_up),
            replace(true, body_bytes=None),
            replace(true, body_bytes=b"{}"),
            replace(true, digest=made_up),
            replace(true, envelope_bytes=b"\xc1\xff"),
        )[(line.place[2] + self._turn()) % 6]

    def _turn(self) -> int:
        return len(self._wanted) + sum(self._tops.values())

    def answer(self, ask: Ask, peer: Audience) -> Answer:
        answer = super().answer(ask, peer)
        # It denies everything that is wanted, of whatever origin.
        return msgspec.structs.replace(answer, denied=ask.wants) if self._node == "b" else answer


def test_a_relay_that_tampers_delays_the_lines_of_others_and_neither_changes_nor_hides_one() -> None:
    refused_count = 0
    for seed in range(60):
        world = World(seed, parts=Parts(replica=LyingRelay))
        world.play()
        world.check()
        refused_count += sum(host.broken_count + host.replica.broken_count for host in world.hosts)
    assert refused_count > 200


def test_a_statement_that_two_nodes_heard_at_once_leaves_both_chains_whole() -> None:
    for seed in range(3):
        World(seed, Weather(twins=True)).run()
