"""A node and its API as TAK clients use it: with a device certificate on 8443, with passwords and tokens on 8446."""

import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context, fresh

Enrolled = Callable[..., httpx.Client]


def door(node: ServedNode, name: str, tls: ssl.SSLContext, **more: object) -> httpx.Client:
    """A client of one of the node's HTTPS doors: api_tls or enrol."""
    return httpx.Client(base_url=f"https://localhost:{node.ports[name]}", verify=tls, timeout=30, **more)  # type: ignore[arg-type]


@pytest.fixture
def device(node: ServedNode) -> Iterator[Enrolled]:
    """Adds devices, with fields of the API's add_device; gives the HTTP client of each, with its certificate."""
    opened: list[httpx.Client] = []

    def add(name: str = "", **fields: object) -> httpx.Client:
        name = name or fresh("PHONE")
        files = node.enrolled(name, **fields)
        opened.append(door(node, "api_tls", device_context(files, name)))
        return opened[-1]

    yield add
    for client in opened:
        client.close()
