"""The whole product's features over a node in memory, asked by HTTP: who asks is a token of a role."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient

from aquila.app.parts import load_features
from aquila.core.model import Act, Paper
from aquila.core.phrase_table import WRITTEN
from aquila.core.phrases import phrase_of, phrase_of_line
from aquila.testing.memory_node import MemoryPort
from aquila.web_api import WebSettings, make_app

CUT = 200
"""Characters from which on the line of a step is cut."""


class Desk:
    """Somebody at a desk: asks and does by HTTP under one token."""

    def __init__(self, client: TestClient[Any], headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    def get(self, path: str, **params: Any) -> Any:
        """The answer of a query, which must be 200."""
        answer = self._client.get("/api/v1" + path, params=params, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fails(self, path: str, status: int, **params: Any) -> str:
        """The sentence of a query that must have this status."""
        answer = self._client.get("/api/v1" + path, params=params, headers=self._headers)
        assert answer.status_code == status, answer.text
        return str(answer.json()["error"]["reason"])

    def post(self, path: str, status: int = 201, **fields: Any) -> Any:
        """The answer of a command, which must have this status."""
        answer = self._client.post("/api/v1" + path, json=fields, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def delete(self, path: str, status: int = 200) -> Any:
        """The same for a DELETE."""
        answer = self._client.delete("/api/v1" + path, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.text else None


@pytest.fixture
def port() -> Iterator[MemoryPort]:
    node = MemoryPort(load_features())
    yield node
    # Whatever a test had the node say, a page can say in its own language.
    assert [line for line in lines_of(node) if not line.is_known] == []


class Told(NamedTuple):
    """A line of the journal that the node made, and whether the table of its sentences has it."""

    type: str
    action: str
    line: str
    is_known: bool


def lines_of(node: MemoryPort) -> Iterator[Told]:
    """All lines that the node has said for people; what people wrote is none."""
    for entry in node.journal.read(0, 100_000):
        body = entry.body
        if isinstance(body, Act):
            yield Told("act", body.action, "", bool(phrase_of(body, "act").act))
        elif isinstance(body, Paper) and body.summary and (body.type, body.action) not in WRITTEN:
            known = bool(phrase_of_line(body.type, body.action, body.summary).act)
            # A line that was cut ends in the middle of its sentence.
            yield Told(body.type, body.action, body.summary, known or len(body.summary) >= CUT)


@pytest.fixture
def client(port: MemoryPort, tmp_path: Path) -> Iterator[TestClient[Any]]:
    (tmp_path / "index.html").write_text("<p>page</p>")
    app = make_app(port, port.features, WebSettings(hosts=("node.local",), static_folder=tmp_path))
    with TestClient(app, base_url="http://node.local") as started:
        yield started


@pytest.fixture
def desk(port: MemoryPort, client: TestClient[Any]) -> Desk:
    """An operator of ITA."""
    return Desk(client, port.token("watch", "operator"))


@pytest.fixture
def viewer(port: MemoryPort, client: TestClient[Any]) -> Desk:
    """A viewer of ITA."""
    return Desk(client, port.token("looks", "viewer"))


@pytest.fixture
def partner(port: MemoryPort, client: TestClient[Any]) -> Desk:
    """An operator of another nation."""
    return Desk(client, port.token("partner", "operator", "FRA"))
