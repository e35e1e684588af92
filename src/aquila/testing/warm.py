"""Starts of `aquila` that need not load it: one process has done so, and forks itself for each.

Two thirds of what a node costs to start go into loading 1,300 modules. Each start has arguments, environment, folder,
standard streams and a process id of its own; what it shares with others are the modules, as they were loaded. Tests
that look at the start itself, at LD_PRELOAD or at Python's own variables start a program of their own instead.

    python -m aquila.testing.warm NUMBER    answers at that file descriptor until its standard input is closed
"""

import array
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from aquila.app.parts import load_codecs, load_features
from aquila.core.errors import UsageError

VARIABLE = "WARM_AQUILA"
"""Of the environment: path of the socket at which a process waits that has loaded `aquila`. Not set: there is none.
It is no setting of a node, which would refuse it."""
MODULE = "aquila.cli"
REQUEST_BYTES_MAX = 1 << 20
STREAMS = 3
LOADED_S = 90.0
"""So long a start waits for the process to have loaded everything; alone it takes a second."""


class Forked:
    """A start that was forked, to be used like subprocess.Popen.

    Args:
        socket_path: of VARIABLE. words: after `aquila`. environ: all of its environment.
        output, errors: file descriptors for what it says.

    Attributes:
        pid: of the process. returncode: None = it runs; below 0 = the signal that ended it.
    """

    def __init__(
        self, socket_path: str, words: Sequence[str], environ: Mapping[str, str], output: int, errors: int
    ) -> None:
        self.returncode: int | None = None
        self._talk = socket.socket(socket.AF_UNIX)
        self._talk.settimeout(LOADED_S)
        self._talk.connect(socket_path)
        request = json.dumps({"words": list(words), "environ": dict(environ), "folder": os.getcwd()}).encode()
        with open(os.devnull, "rb") as nothing:
            streams = array.array("i", [nothing.fileno(), output, errors])
            self._talk.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        self._talk.shutdown(socket.SHUT_WR)
        self._lines = self._talk.makefile()
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        """The return code; None = it runs."""
        if self.returncode is None and select.select([self._talk], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives the return code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None and not select.select([self._talk], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self._ended()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill -9."""
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> int:
        if self.returncode is None:
            # Nothing: whoever forked it was killed, and it with him.
            self.returncode = int(self._lines.readline() or -signal.SIGKILL)
            self._lines.close()
            self._talk.close()
        return self.returncode


@contextmanager
def warmed(folder: Path) -> Iterator[str]:
    """A process that loads `aquila` meanwhile and forks, until the end; gives the path of its socket."""
    path = folder / "warm.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    command = [sys.executable, "-m", "aquila.testing.warm", str(listener.fileno())]
    with listener, subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()]) as process:
        listener.close()
        try:
            yield str(path)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def answer(listener: socket.socket) -> dict[str, Any] | None:
    """Fork for each who asks. In the forked process: what was asked for; None: nobody will ask any more."""
    waiting: dict[int, socket.socket] = {}
    bell, ring = socket.socketpair()
    ring.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)
    # Ctrl-C is for the nodes and for whoever runs the tests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listener, bell, sys.stdin], [], [])
        if bell in ready:
            bell.recv(1 << 16)
            bury(waiting)
        if listener in ready:
            talk = listener.accept()[0]
            request, streams = received(talk)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for each in (listener, bell, ring, talk, *waiting.values()):
                    each.close()
                stand_alone(streams)
                return request
            for stream in streams:
                os.close(stream)
            waiting[pid] = talk
            tell(talk, pid)
        if sys.stdin in ready:
            for pid in waiting:
                os.kill(pid, signal.SIGTERM)
            return None


def received(talk: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A request, and the file descriptors of its standard streams."""
    room = socket.CMSG_SPACE(STREAMS * array.array("i").itemsize)
    data, more, _, _ = talk.recvmsg(REQUEST_BYTES_MAX, room)
    while part := talk.recv(REQUEST_BYTES_MAX):
        data += part
    streams = array.array("i")
    streams.frombytes(more[0][2])
    return json.loads(data), list(streams)


def stand_alone(streams: Sequence[int]) -> None:
    """In the forked process: signals and standard streams as a new program has them."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)


def bury(waiting: dict[int, socket.socket]) -> None:
    """Tell of those that have ended how they did."""
    for pid, talk in list(waiting.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del waiting[pid]
            with talk:
                tell(talk, os.waitstatus_to_exitcode(status))


def tell(talk: socket.socket, number: int) -> None:
    """Send one number, if there is still somebody who wants to know."""
    with suppress(ConnectionError):
        talk.sendall(f"{number}\n".encode())


def become(request: dict[str, Any]) -> NoReturn:
    """Run the command, as a process that was started with it."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv[1:] = request["words"]
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
    sys.exit(0)


def load_command_line() -> None:
    """What reads the words of a command is loaded when it has some to read: of a start that is refused at once."""
    with suppress(UsageError):
        import_module(MODULE).app(["serve", "--context", "of nothing"], standalone_mode=False)
    # Each start runs it anew, as its main module: it looks at its own environment.
    del sys.modules[MODULE]


def main() -> None:
    """Load what every start of a node loads, then answer."""
    import aquila.app.serve  # noqa: F401  # that is what it is for

    load_codecs()
    load_features()
    load_command_line()
    gc.collect()
    gc.freeze()
    request = answer(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
