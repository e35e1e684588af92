"""What the end-to-end tests share: two clients that have seen each other, and devices of different groups."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import TakClient, fresh, position


@pytest.fixture
def pair(node: ServedNode) -> Iterator[tuple[TakClient, TakClient]]:
    """Two clients that have seen each other."""
    with node.client(fresh("ALPHA")) as one, node.client(fresh("BRAVO")) as two:
        one.report(lat=42.1)
        two.report(lat=42.2)
        one.hear_uid(two.uid)
        two.hear_uid(one.uid)
        yield one, two


class Papers:
    """Device files by the groups that the device is in; each is made once for a module."""

    def __init__(self, node: ServedNode) -> None:
        self.node = node
        self._made: dict[tuple[str, ...], tuple[str, Path]] = {}

    def client(self, *groups: str) -> TakClient:
        """A client over TLS that reads and writes these groups."""
        if groups not in self._made:
            name = fresh("-".join(groups))
            self._made[groups] = name, self.node.enrolled(name, groups_in=groups or ("COMMON",))
        return self.node.device_client(*self._made[groups])


@pytest.fixture(scope="module")
def papers(node: ServedNode) -> Papers:
    """Devices of one node by group."""
    return Papers(node)


@pytest.fixture
def run_pytak(node: ServedNode, tmp_path: Path) -> Callable[..., None]:
    """Runs pytak_peer.py with these words; fails unless a witness hears it and it hears the witness."""

    def run(url: str, *settings: str) -> None:
        _run_pytak(node, tmp_path, url, *settings)

    return run


def _run_pytak(node: ServedNode, folder: Path, *words: str) -> None:
    word, uid, said = fresh("pytak-word-"), fresh("pytak-"), folder / "said.xml"
    said.write_bytes(position(uid, uid))
    url, *settings = words
    command = [sys.executable, str(Path(__file__).with_name("pytak_peer.py")), url, str(said), word, *settings]
    with node.client(fresh("WITNESS")) as witness:
        witness.report()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as peer:
            try:
                witness.hear_uid(uid)
                witness.chat(word)
                out, err = peer.communicate(timeout=60)
            finally:
                peer.kill()
    assert peer.returncode == 0, err
    assert word in out
