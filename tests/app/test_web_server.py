"""Who owes a request too long is closed; who sends a large file slowly is not."""

import socket
from types import SimpleNamespace
from typing import Any

import uvicorn

from aquila.app.web_server import PROGRESS_BYTES, Door, Doors, _Quiet


class Cycle:
    """One request of a connection, as uvicorn tells of it."""

    def __init__(self, owes_head: bool) -> None:
        self.response_complete, self.more_body = owes_head, not owes_head


class Connection:
    """As the server sees one."""

    def __init__(self, *, owes_head: bool) -> None:
        self.cycle = Cycle(owes_head)
        self.received_bytes = 0
        self.is_closed = False
        self.unread_bytes = 0
        self.transport = SimpleNamespace(abort=self.abort, get_write_buffer_size=lambda: self.unread_bytes)

    def abort(self) -> None:
        self.is_closed = True


def server_of(*connections: Any) -> _Quiet:
    server = _Quiet(uvicorn.Config(lambda: None), unfinished_s=10.0)
    server.server_state.connections.update(connections)
    return server


def test_a_body_that_goes_on_is_waited_for() -> None:
    steady, trickle, head = Connection(owes_head=False), Connection(owes_head=False), Connection(owes_head=True)
    server = server_of(steady, trickle, head)
    for second in range(200):
        steady.received_bytes += PROGRESS_BYTES // 30
        trickle.received_bytes += PROGRESS_BYTES // 50
        head.received_bytes += PROGRESS_BYTES
        server._close_late(float(second))
        assert head.is_closed == (second > 10)
        assert trickle.is_closed == (second > 40)
    assert not steady.is_closed


def test_a_body_that_stands_still_is_closed_even_late() -> None:
    upload = Connection(owes_head=False)
    server = server_of(upload)
    for second in range(60):
        upload.received_bytes += PROGRESS_BYTES
        server._close_late(float(second))
    for second in range(60, 101):
        server._close_late(float(second))
        assert upload.is_closed == (second > 99)


def test_an_answer_that_is_read_slowly_is_waited_for_and_one_that_is_not_read_is_closed() -> None:
    slow, mute = Connection(owes_head=True), Connection(owes_head=True)
    slow.unread_bytes, mute.unread_bytes = 5_000_000, 5_000_000
    server = server_of(slow, mute)
    for second in range(500):
        slow.unread_bytes -= 1_000 if second % 50 == 0 else 0
        server._close_late(float(second))
        assert mute.is_closed == (second > 120)
    assert not slow.is_closed
    slow.unread_bytes = 0
    for second in range(500, 512):
        server._close_late(float(second))
    # All of it was read: now it owes a new request, from here on.
    assert slow.is_closed


def test_head_and_body_of_an_answer_do_not_wait_for_one_another() -> None:
    doors = Doors({"http": Door("127.0.0.1", 0, None)})
    (listening,) = doors._sockets.values()
    with listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            # Else each answer on a line that is kept open takes 40 ms (Nagle and the peer's delayed acknowledgement).
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
