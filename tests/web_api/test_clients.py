import threading
from collections.abc import Iterator
from typing import Any

import generate_clients
import pytest
import uvicorn

from aquila.client import Node, NodeError
from aquila.web_api import WebSettings, make_app


def test_the_generated_files_are_those_of_the_present_contract() -> None:
    stale = [path.name for path, text in generate_clients.generate().items() if path.read_text() != text]
    assert not stale, f"run tools/generate_clients.py: {stale}"


@pytest.fixture
def url(port: Any) -> Iterator[str]:
    """A real server, on a free port of the loopback."""
    app = make_app(port, port.features, WebSettings())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio"))
    listener = server.config.bind_socket()
    # Listening from now on, so that a call waits for the server to start instead of being refused.
    listener.listen()
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


def test_the_python_client_asks_and_does(port: Any, url: str) -> None:
    port.place("A", 42.5, 77.5)
    token = port.token("op", "operator")["Authorization"].removeprefix("Bearer ")
    node = Node(url, token)
    assert node.me()["principal"]["name"] == "op"
    assert [row["name"] for row in node.entities(bbox="77,42,78,43", kind="friend")] == ["A"]
    placed = node.place_marker(name="Cache / one", lat_deg=1.0, lon_deg=2.0)
    assert node.entity(placed["entity"])["name"] == "Cache / one"
    written = node.write_note(text="hello")
    assert node.entry(written["entry"])["summary"] == "hello"
    assert node.entries(newest=True, limit=1)[0]["cursor"] == written["cursor"]
    assert node.drop_entity(placed["entity"])["entity"] == placed["entity"]


def test_the_python_client_raises_what_the_node_refuses(port: Any, url: str) -> None:
    with pytest.raises(NodeError) as refused:
        Node(url).entities()
    assert (refused.value.status, refused.value.code) == (401, "login")
    assert refused.value.do is not None
    with pytest.raises(ValueError, match="http://"):
        Node("ftp://x")
