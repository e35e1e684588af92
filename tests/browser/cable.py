"""A cable between a page and its node that a test can pull out and put back."""

import socket
import threading
from contextlib import suppress


class Cable:
    """Passes bytes on between a port of its own and the node's, while it is plugged in.

    Attributes:
        port: where the page finds the node.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._is_plugged = True
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """Every connection breaks, and new ones are hung up on."""
        self._is_plugged = False
        for end in self._ends:
            _break(end)
        self._ends.clear()

    def plug(self) -> None:
        """New connections go through again."""
        self._is_plugged = True

    def close(self) -> None:
        """Pull it for good."""
        self.pull()
        _break(self._listener)

    def _accept(self) -> None:
        with suppress(OSError):  # closed by the test
            while True:
                near, _ = self._listener.accept()
                if not self._is_plugged:
                    _break(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self._to_port))
                self._ends += (near, far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either side hung up
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (source, sink):
        _break(end)


def _break(end: socket.socket) -> None:
    with suppress(OSError):  # it is broken already
        end.shutdown(socket.SHUT_RDWR)
    end.close()
