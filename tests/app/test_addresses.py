"""Which addresses of this machine an invitation may offer."""

import socket
from typing import Any

import pytest

from aquila.app.serve import other_addresses
from aquila.config import Settings


@pytest.mark.parametrize(
    ("host", "names", "found"),
    [
        (None, ("node.example.org",), ()),
        ("127.0.0.1", (), ()),
        ("10.1.2.3", ("node.example.org",), ("node.example.org", "10.1.2.3")),
        ("0.0.0.0", (), ("192.168.7.5", "2001:db8::7")),
    ],
)
def test_only_addresses_that_others_can_reach_are_offered(
    monkeypatch: pytest.MonkeyPatch, host: str | None, names: tuple[str, ...], found: tuple[str, ...]
) -> None:
    own = ["127.0.1.1", "::1", "192.168.7.5", "192.168.7.5", "fe80::1%2", "2001:db8::7"]
    rows: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in own]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    assert other_addresses(Settings(host=host, public_names=names)) == found
