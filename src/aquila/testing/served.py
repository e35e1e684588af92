"""A whole node as its users start it: a process, its ports, its commands. For tests and benches."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO, Any, Protocol

from aquila.app.asking import ask
from aquila.client import Node
from aquila.testing.tak_client import PATIENCE_S, TakClient, device_context, fresh
from aquila.testing.warm import VARIABLE, Forked

START_S = 90.0
COMMAND_S = 60.0
AQUILA = (sys.executable, "-m", "aquila.cli")
PORT_FLAGS = ("--http-port", "--tak-port", "--tak-tls-port", "--api-tls-port", "--enrol-port")
FREE_PORTS = tuple(word for flag in PORT_FLAGS for word in (flag, "0"))
_PHRASE = "three words here"


class Serve(Protocol):
    """Starts a node that lives as long as one test: the name of its folder, words after `serve`, its environment."""

    def __call__(self, name: str = "data", *words: str, **environ: str) -> "ServedNode":
        """The node, with its doors open."""
        ...


def run_aquila(*words: str, timeout_s: float = COMMAND_S) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, as a program of its own, with a passphrase for backups in its environment."""
    environ = surroundings() | {"AQUILA_BACKUP_PASSPHRASE": _PHRASE}
    return subprocess.run(
        [*AQUILA, *words], capture_output=True, text=True, timeout=timeout_s, env=environ, check=False
    )


def surroundings() -> dict[str, str]:
    """The environment without what is of the tests: the width of their screen, while all that is printed is kept."""
    return {name: value for name, value in os.environ.items() if name not in {"COLUMNS", VARIABLE}}


def launched(
    words: Sequence[str], environ: Mapping[str, str], output: IO[bytes], errors: IO[bytes]
) -> "subprocess.Popen[bytes] | Forked":
    """Start `aquila` with these words, forked where a process waits that has loaded it.

    What is added to the environment for Python itself or for the loader needs a program of its own, and gets it.
    """
    whole = {**surroundings(), **environ}
    warm = os.environ.get(VARIABLE)
    if warm and all(name.startswith("AQUILA_") for name in environ):
        return Forked(warm, words, whole, output.fileno(), errors.fileno())
    return subprocess.Popen([*AQUILA, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=whole)


def wait_until(holds: Callable[[], object], what: str, wait_s: float = PATIENCE_S) -> None:
    """Look again and again. Raises AssertionError with `what` when it does not hold in time."""
    deadline = monotonic() + wait_s
    while not holds():
        assert monotonic() < deadline, f"{what}: not within {wait_s} s"
        sleep(0.02)


class ServedNode:
    """A node in a process of its own, by default without the demo, on free ports.

    Args:
        data: its folder; its log lies beside it. words: after `aquila serve`; the last of two equal flags counts.
        environ: added to this process's own.

    Attributes:
        ports: by name, once it has started.
    """

    def __init__(self, data: Path, *words: str, environ: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.ports: dict[str, int] = {}
        self._words = words
        self._environ = dict(environ or {})
        self._token = ""
        self._process: subprocess.Popen[bytes] | Forked | None = None

    def start(self, *words: str) -> "ServedNode":
        """Start it, with more words for this time only, and wait until its doors are open."""
        ready = self.data / "ports.json"
        ready.unlink(missing_ok=True)
        command = ["serve", "--data", str(self.data), "--demo", "none", *FREE_PORTS, *self._words, *words]
        with self.log.open("ab") as log:
            self._process = launched(command, self._environ, log, log)

        def is_ready() -> bool:
            assert self.process.poll() is None, f"the node ended: {self.log.read_text()}"
            return ready.exists()

        wait_until(is_ready, "the node opens its doors", START_S)
        self.ports = json.loads(ready.read_text())
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes] | Forked":
        """The process, once it was started."""
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """Kill -9, as a power cut ends it; nothing if it does not run."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE_S)

    def stop(self) -> float:
        """SIGTERM; gives how many seconds the node took to end."""
        began = monotonic()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE_S)
        return monotonic() - began

    def command(self, *words: str) -> str:
        """One command on this node's folder; gives its standard output."""
        with TemporaryFile() as output, TemporaryFile() as errors:
            phrase = {"AQUILA_BACKUP_PASSPHRASE": _PHRASE}
            process = launched([*words, "--data", str(self.data)], phrase, output, errors)
            status = process.wait(COMMAND_S)
            output.seek(0)
            errors.seek(0)
            assert status == 0, f"{words}: {errors.read().decode()}"
            return output.read().decode()

    def link(self) -> str:
        """A fresh login link, as `aquila login` prints it."""
        return str(ask(self.data, "login", {})["link"])

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://localhost:{self.ports['http']}/"

    @property
    def token(self) -> str:
        """The bearer token of an administrator."""
        if not self._token:
            self._token = ask(self.data, "access.make_token", {"name": fresh("tester"), "role": "admin"})["token"]
        return self._token

    @property
    def api(self) -> Node:
        """Its API, as an administrator."""
        return Node(f"http://127.0.0.1:{self.ports['http']}", self.token)

    def counted(self) -> dict[str, float]:
        """What /metrics says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['http']}/metrics", timeout=PATIENCE_S) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.partition(" ") for line in lines)}

    def rss_mib(self) -> float:
        """Memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def client(self, callsign: str) -> TakClient:
        """A client over plain TCP."""
        return TakClient(self.ports["tak"], callsign)

    def device(self, name: str, *words: str) -> Path:
        """A new device; gives the folder with its files."""
        files = self.data.parent / f"{name}-files"
        self.command("device", "add", name, "--out", str(files), *words)
        return files

    def enrolled(self, name: str, **fields: Any) -> Path:
        """A new device with fields of the API's own command, said by the owner; gives the folder with its files."""
        files = self.data.parent / f"{name}-files"
        made = ask(self.data, "devices.add_device", {"name": name, **fields})
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(made["package"]))) as package:
            package.extractall(files)
        return files

    def device_client(self, name: str, files: Path) -> TakClient:
        """A client over TLS with a device's certificate."""
        return TakClient(self.ports["tak_tls"], name, tls=device_context(files, name))
