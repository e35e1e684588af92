"""A certificate that ends while its connection is open: the connection ends, too."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aquila.app.device_links import DeviceLinks
from aquila.app.people import recogniser
from aquila.app.serve import open_listeners
from aquila.app.tak import TakEdge
from aquila.config import Settings
from aquila.core.contacts import Contacts
from aquila.core.errors import Refused
from aquila.core.fanout import Fanout
from aquila.core.model import Principal
from aquila.core.policy import release
from aquila.features.devices.view import DEVICE_ADDED
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.pki import Issued
from aquila.links.tls import TlsGate, client_context

from .test_renewals import DAY_MS, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A node with an authority, on the real date, since TLS looks at no other clock."""
    made = House(tmp_path / "data", int(time.time() * 1000))
    yield made
    made.engine.close()


def der(issued: Issued) -> bytes:
    return x509.load_pem_x509_certificate(issued.certificate_pem).public_bytes(Encoding.DER)


def test_a_request_on_a_line_that_was_kept_open_is_refused_when_the_certificate_has_ended(house: House) -> None:
    issued = house.given(DEVICE_ADDED)
    recognise = recogniser(house.engine)
    house.now_ms = issued.not_after_ms - 1_000
    found = recognise(der(issued), "127.0.0.1")
    assert isinstance(found, Principal)
    assert found.id == "device:PATROL"
    house.now_ms = issued.not_after_ms
    refused = recognise(der(issued), "127.0.0.1")
    assert isinstance(refused, Refused)
    assert refused.reason == "expired"
    assert "PATROL" in str(refused.detail)


def test_a_stream_is_closed_when_its_certificate_ends_and_not_before(house: House, tmp_path: Path) -> None:
    issued = house.given(DEVICE_ADDED)
    house.authority.ensure_server(("localhost",), house.now_ms)
    assert issued.key_pem is not None
    leaf, key = tmp_path / "leaf.pem", tmp_path / "leaf.key"
    leaf.write_bytes(issued.certificate_pem)
    key.write_bytes(issued.key_pem)
    context = client_context(house.authority.chain_pem, leaf, key)
    asyncio.run(_closed_in_time(house, context, issued.not_after_ms))


async def _closed_in_time(house: House, context: ssl.SSLContext, ends_ms: int) -> None:
    engine, contacts = house.engine, Contacts()
    policy = engine.node.policy
    fanout = Fanout(lambda *asked: release(policy, *asked), lambda *_: b"", contacts)
    hub = Hub(fanout, clock_ms=engine.clockwork.clock_ms)
    edge = TakEdge(engine, hub, contacts)
    listener = open_listeners(engine, hub, edge, TlsGate(house.authority), Settings())["tls"]
    links = DeviceLinks(engine, edge, hub, {"tls": listener})
    hub.start()
    port = listener.start("127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        assert b"t-x-takp-v" in await reader.readuntil(b"</event>")
        (link,) = listener.links.values()
        assert link.good_until_ms == ends_ms
        links.close_ended(ends_ms - DAY_MS)
        assert not link.is_down
        links.close_ended(ends_ms)
        assert link.is_down
        assert await reader.read() == b""
        assert listener.closed == {why.EXPIRED: 1}
        writer.close()
    finally:
        listener.stop()
        hub.stop()
