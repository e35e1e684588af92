"""Turns: what one feed brings at once does not hold the loop from all others."""

import asyncio
import contextlib
import socket
import time

from aquila.core.errors import CodecError
from aquila.links.feeds.address import read_address
from aquila.links.feeds.intake import SLICE_S, Spoken, Turns
from aquila.links.feeds.wires import run_wire

DEAR_S = 0.004


class Dear:
    """An intake to which every datagram is some milliseconds of work."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.is_up = asyncio.Event()

    def up(self) -> None:
        self.is_up.set()

    def take(self, data: bytes, whole: bool, topic: str = "") -> None:
        end_s = time.thread_time() + DEAR_S
        while time.thread_time() < end_s:
            pass
        self.log.append("feed")

    def unread(self, error: CodecError) -> None:
        raise AssertionError(error)

    def dropped(self, count: int) -> None:
        assert not count

    def recorded_s(self) -> float:
        return 0.0

    def read_count(self) -> int:
        return len(self.log)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def longest_run(log: list[str]) -> int:
    longest = run = 0
    for word in log:
        run = run + 1 if word == "feed" else 0
        longest = max(longest, run)
    return longest


def test_a_feed_whose_datagrams_are_dear_leaves_the_loop_to_others_after_two_of_them():
    log: list[str] = []

    async def play() -> None:
        intake, port = Dear(log), free_port()
        listening = asyncio.create_task(run_wire(read_address(f"udp://127.0.0.1:{port}"), intake, Spoken()))
        await asyncio.wait_for(intake.is_up.wait(), 30)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            for _ in range(20):
                wire.sendto(b"plots", ("127.0.0.1", port))
        while log.count("feed") < 20:
            log.append("other")
            await asyncio.sleep(0)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening

    asyncio.run(asyncio.wait_for(play(), 30))
    assert longest_run(log) <= 2


class Kept(Dear):
    """An intake that is kept waiting by others on the machine, and hardly works."""

    def take(self, data: bytes, whole: bool, topic: str = "") -> None:
        time.sleep(2 * SLICE_S)


def test_a_feed_that_was_kept_waiting_by_the_machine_has_not_had_its_turn():
    async def play() -> None:
        turns = Turns()
        turns.work(Kept([]), b"plots", True)
        assert not turns.is_over, "it would rest for that, and what has come meanwhile would pile up"
        while_s = 0.0
        while while_s < SLICE_S:
            turns.work(Dear([]), b"plots", True)
            while_s += DEAR_S
        assert turns.is_over

    asyncio.run(play())
