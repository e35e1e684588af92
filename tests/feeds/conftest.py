"""A broker of MQTT in a process of its own: amqtt does the work, paho publishes; neither is a part of the node."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from aquila.testing.served import wait_until

NAME, PASSWORD = "guard", "Pa:ss w/rd-7731"
RUN = "from amqtt.scripts.broker_script import main; main()"


def free_port() -> int:
    """A TCP port that nobody has at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Broker:
    """Knows one account, NAME with PASSWORD.

    Args:
        folder: for its settings and log. certificate: PEM with key and chain; None = no TLS.

    Attributes:
        port: the same however often it is started.
    """

    def __init__(self, folder: Path, certificate: Path | None = None) -> None:
        self.port = free_port()
        self._log = folder / "broker.log"
        self._settings = folder / "broker.yaml"
        self._process: subprocess.Popen[bytes] | None = None
        accounts = folder / "accounts"
        accounts.write_text(f"{NAME}:{PasswordHash((Argon2Hasher(1, 8_192, 1),)).hash(PASSWORD)}\n")
        listener: dict[str, Any] = {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}
        if certificate is not None:
            listener |= {"ssl": True, "certfile": str(certificate), "keyfile": str(certificate)}
        plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(accounts)}}
        # JSON is YAML.
        self._settings.write_text(json.dumps({"listeners": {"default": listener}, "plugins": plugins}))

    def start(self) -> "Broker":
        """Start it and wait until its port is open."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", RUN, "-c", str(self._settings)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        wait_until(self._answers, "the broker opens its port", 60.0)
        return self

    def stop(self) -> None:
        """As a power cut ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def publish(self, topic: str, *payloads: bytes | str, retain: bool = False) -> None:
        """Have messages passed on; returns when the broker has them."""
        messages: list[Any] = [(topic, payload, 1, retain) for payload in payloads]
        publish.multiple(messages, "127.0.0.1", self.port, auth={"username": NAME, "password": PASSWORD})

    def url(self, topic: str, name: str = NAME) -> str:
        """The address of a feed of it."""
        return f"mqtt://{name}@127.0.0.1:{self.port}/{topic}"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for a module."""
    found = Broker(tmp_path_factory.mktemp("broker"))
    try:
        yield found.start()
    finally:
        found.stop()
