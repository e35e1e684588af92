"""The harbour, played in real time to the feeds of a started node: for tests and benches."""

import asyncio
import contextlib
import socket
import threading
import time

from aquila.simulator.harbour import Harbour, Scene, scene
from aquila.simulator.harbour_player import FORMATS, play_harbour
from aquila.testing.served import ServedNode


def free_udp_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Sea:
    """Plays until it is stopped.

    Args:
        node: gets a feed for each sensor; phones join it as a TAK client. made: None = the scene that is shipped.
    """

    def __init__(self, node: ServedNode, made: Scene | None = None) -> None:
        self.harbour = Harbour(made or scene())
        self._ports = {feed: free_udp_port() for feed in FORMATS}
        self._tak_port = node.ports["tak"]
        for feed, format in FORMATS.items():
            node.api.add_feed(format=format, url=f"udp://127.0.0.1:{self._ports[feed]}", name=feed)
        self._loop = asyncio.new_event_loop()
        self._playing = self._loop.create_task(self._play())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def _play(self) -> None:
        await play_harbour(self.harbour, self._ports, self._tak_port, lambda: time.time_ns() // 1_000_000)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._playing)
        self._loop.close()

    def stop(self) -> None:
        """The sea lies still."""
        self._loop.call_soon_threadsafe(self._playing.cancel)
        self._thread.join()
