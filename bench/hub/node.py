"""The way of a position through the node without its disk: TAK session, lxml, Node, policy, fan-out, sockets.

    python bench/hub/node.py PORT [--tick-ms 20] [--adaptive] [--audiences 50] [--uvloop] [--profile FILE]

For work on the hub itself. What counts is measured with the whole node, `aquila serve`.
"""

import argparse
import asyncio
import cProfile
import os
import signal
import sys
import time
import uuid

import msgspec

from aquila.app.interpreter import suit_interpreter
from aquila.codecs.cot import TakSession, convert, cot_xml, tak_v1
from aquila.core.codec import Control, Decoded, Outgoing
from aquila.core.contacts import Contacts
from aquila.core.errors import CodecError
from aquila.core.fanout import Fanout, Outbound
from aquila.core.model import Audience, Context, Label, Principal, Report, Verdict
from aquila.core.node import Identity, Node
from aquila.core.policy import MISSION, Decision, Policy, redact, release
from aquila.links.hub import Hub
from aquila.links.limits import Limits, raise_file_limit
from aquila.links.stream import StreamLink, StreamListener

CONTEXT = "EXERCISE:BENCH"
NATIONS = ("ITA", "FRA", "KAZ", "DEU", "ESP")
CODECS = {codec.name: codec for codec in (cot_xml, tak_v1)}


def clock_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def principal_of(number: int, audiences: int) -> Principal:
    """The n-th peer. With many audiences: of one of five nations, reading one group of ten beside the common one.

    Every second peer lets one nation have only the redacted form of what it says: one delivery of ten is redacted.
    """
    if audiences == 1:
        return Principal(
            id="listener:tcp",
            kind="listener",
            name="tcp",
            context=CONTEXT,
            nation="ITA",
            groups_in=frozenset({"COMMON"}),
            groups_out=frozenset({"COMMON"}),
        )
    nation, group = NATIONS[number % 5], f"GROUP{number // 5 % (audiences // 5)}"
    groups = frozenset({"COMMON", group})
    nearly = tuple(each for each in NATIONS if each != NATIONS[(number // 2 + 1) % 5])
    label = Label("AQUILA-EXAMPLE", "UNCLASSIFIED", (MISSION,), ("COMMON",))
    if number % 2:
        label = msgspec.structs.replace(label, releasable_to=nearly, redacted_to=(MISSION,))
    return Principal(
        id=f"device:{number}",
        kind="device",
        name=f"D{number}",
        context=CONTEXT,
        nation=nation,
        groups_in=groups,
        groups_out=groups,
        default_label=label,
    )


class Relay:
    """Edge of the listener: Node in, fan-out out."""

    def __init__(self, node: Node, hub: Hub) -> None:
        self.node = node
        self.hub = hub

    def up(self, link: StreamLink) -> None:
        """See Edge."""

    def heard(self, link: StreamLink, decoded: Decoded) -> bool:
        """See Edge."""
        assert link.principal is not None
        heard = self.node.hear(decoded, link.principal, "tcp")
        sample = heard.sample
        if sample is not None:
            report: Report = sample.report
            self.node.sampled(sample)
            self.hub.publish(
                Outbound(
                    id="",
                    body=report,
                    label=sample.label,
                    context=sample.context,
                    source=link.id,
                    key=report.entity,
                    statement=False,
                    original=sample.original,
                    stale_at_ms=report.stale_at_ms,
                )
            )
        return True

    def control(self, link: StreamLink, control: Control) -> None:
        """See Edge."""

    def error(self, link: StreamLink, error: CodecError) -> None:
        """See Edge."""

    def down(self, link: StreamLink, reason: str, undelivered: tuple[Outbound, ...]) -> None:
        """See Edge."""


async def serve(given: argparse.Namespace) -> None:
    """Listen until told to end."""
    policy = Policy()
    node = Node(
        Identity("bench", 1, "bench"),
        CONTEXT,
        policy,
        clock_ms=clock_ms,
        new_id=lambda: str(uuid.uuid4()),
        salt=os.urandom,
        views={},
    )

    def encode(outbound: Outbound, format: str, verdict: Verdict) -> bytes:
        body, original = outbound.body, None
        if verdict is Verdict.FULL:
            original = None if outbound.original is None else convert(outbound.original, format)
        else:
            redacted = redact(policy, body)
            if redacted is None:
                return b""
            body = redacted
        write = CODECS[format].encode
        assert write is not None
        return write(Outgoing(body=body, label=outbound.label, now_ms=clock_ms(), original=original, flow="bench"))

    def judge(label: Label, context: Context, audience: Audience) -> Decision:
        return release(policy, label, context, audience)

    hub = Hub(
        Fanout(judge, encode, Contacts()),
        clock_ms=clock_ms,
        max_tick_ms=given.tick_ms,
        duty=1.0 if given.adaptive else None,
    )
    came = 0

    def recognise(certificate: bytes | None, address: str) -> Principal:
        nonlocal came
        came += 1
        return principal_of(came, given.audiences)

    listener = StreamListener(
        "tcp",
        hub,
        Relay(node, hub),
        session=lambda principal: TakSession("bench", "bench", lambda: str(uuid.uuid4())),
        recognise=recognise,
        clock_ms=clock_ms,
        limits=Limits(rate_per_s=None, unfinished_s=None, idle_s=None),
    )
    hub.start()
    listener.start("127.0.0.1", given.port)
    suit_interpreter()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    profile = cProfile.Profile() if given.profile else None
    if profile:
        profile.enable()
    await ended.wait()
    if profile:
        profile.disable()
        profile.dump_stats(given.profile)
    sys.stderr.write(f"audiences={hub.fanout.audience_count} counts={hub.fanout.counts} flushes={hub.flush_count}\n")
    listener.stop()
    hub.stop()


def main() -> None:
    """Read the words of the command and serve."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("port", type=int)
    words.add_argument("--tick-ms", type=float, default=20.0)
    words.add_argument("--adaptive", action="store_true")
    words.add_argument("--audiences", type=int, default=1)
    words.add_argument("--uvloop", action="store_true")
    words.add_argument("--profile")
    given = words.parse_args()
    raise_file_limit()
    if given.uvloop:
        import uvloop

        uvloop.run(serve(given))
    else:
        asyncio.run(serve(given))


if __name__ == "__main__":
    main()
