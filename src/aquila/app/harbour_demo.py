"""The harbour of the demo: its feeds are added like anybody's, its bytes come over loopback, its truth stays hidden."""

import socket
from collections.abc import Callable
from typing import Final

from aquila.app.fusion import FusionEdge
from aquila.app.port import Port
from aquila.core.errors import Refused, UsageError
from aquila.core.model import Principal
from aquila.features.feeds.commands import ChangeFeed, NewFeed, add_feed, change_feed
from aquila.features.feeds.feed import feeds_of
from aquila.web_api.port import Asked

HARBOUR: Final = "harbour"
"""Its name among the demos."""


async def play_harbour_demo(
    fusion: FusionEdge, port: Port, operator: Principal, tak_port: int, clock_ms: Callable[[], int]
) -> None:
    """Play the harbour into this node until cancelled.

    Raises UsageError when a feed is refused.
    """
    # Only this demo needs the library that writes AIS.
    from aquila.simulator.harbour_player import FORMATS, Harbour, HarbourTruth, play_harbour, scene

    asked = Asked(port, operator, "demo")
    known = {feed.name: id for id, (_, feed) in feeds_of(asked).items()}
    ports: dict[str, int] = {}
    for feed, format in FORMATS.items():
        name = f"{HARBOUR}-{feed}"
        ports[feed] = _free_udp_port()
        url = f"udp://127.0.0.1:{ports[feed]}"
        if name in known:
            said = await change_feed(operator, ChangeFeed(id=known[name], url=url), asked)
        else:
            said = await add_feed(operator, NewFeed(format=format, url=url, name=name, storage="latest"), asked)
        if isinstance(said, Refused):
            raise UsageError(f"the demo's feed {name} is refused: {said.detail or said.reason}")
    harbour = Harbour(scene())
    fusion.keeper.truth = HarbourTruth(harbour)
    await play_harbour(harbour, ports, tak_port, clock_ms)


def _free_udp_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
