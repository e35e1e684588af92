"""The web over a node in memory: what every test of the web stands on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from aquila.links.pki.authority import Authority
from aquila.testing.memory_node import START_MS, MemoryPort
from aquila.web_api import Web, WebSettings, make_app


@pytest.fixture
def port() -> MemoryPort:
    return MemoryPort()


@pytest.fixture
def client(port: MemoryPort, tmp_path: Path) -> Iterator[TestClient[Any]]:
    """The web over the node, with a page of one file."""
    (tmp_path / "index.html").write_text("<p>page</p>")
    app = make_app(port, port.features, WebSettings(hosts=("node.local",), static_folder=tmp_path))
    with TestClient(app, base_url="http://node.local") as started:
        yield started


@pytest.fixture
def web(client: TestClient[Any]) -> Web:
    found = client.app.state.web
    assert isinstance(found, Web)
    return found


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority, made once."""
    return Authority.create(tmp_path_factory.mktemp("authority") / "ca", "TEST", START_MS)
