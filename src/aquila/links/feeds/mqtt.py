"""The wire of MQTT: subscribes to one filter of a broker, over TCP or TLS. See docs/adr/0013."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

from aquila.core.errors import CodecError
from aquila.links.feeds.address import FeedAddress
from aquila.links.feeds.intake import CONNECT_S, READ_BYTES, FeedLostError, Intake, Spoken, Turns
from aquila.links.feeds.mqtt_packets import (
    CONNACK,
    DISCONNECT,
    MESSAGE_BYTES_MAX,
    NO_MQTT,
    PINGREQ,
    PINGRESP,
    PUBLISH,
    PUBREL,
    SUBACK,
    Oversize,
    Packet,
    Packets,
    connect,
    pubcomp,
    read_connack,
    read_publish,
    read_suback,
    subscribe,
)

KEEP_ALIVE_S: Final = 60
PING_S: Final = 30.0
SILENT_S: Final = 90.0
"""A broker answers a ping; one that has said nothing for so long is gone, whatever the network believes."""


async def run_mqtt(address: FeedAddress, intake: Intake, spoken: Spoken) -> None:
    """Bring every message of the filter until the broker is lost.

    Raises:
        FeedLostError: with a sentence for people. OSError: the network's own words.
    """
    where = f"{address.host} port {address.port}"
    context = await asyncio.to_thread(_context_of, address) if address.scheme == "mqtts" else None
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
        except TimeoutError as wrong:
            raise FeedLostError(f"does not answer within {CONNECT_S:g} s") from wrong
        try:
            await _Subscriber(address, intake, reader, writer).run(spoken)
        finally:
            _leave(writer)
    except ssl.SSLCertVerificationError as wrong:
        raise FeedLostError(f"{where} shows a certificate that is not trusted: {wrong.verify_message}") from wrong
    except ssl.SSLError as wrong:
        raise FeedLostError(f"{where}: no TLS with it ({wrong.reason or wrong})") from wrong
    except FeedLostError as wrong:
        raise FeedLostError(f"{where} {wrong}") from wrong


def _leave(writer: asyncio.StreamWriter) -> None:
    """Say good-bye, and close."""
    with contextlib.suppress(OSError):
        writer.write(DISCONNECT)
    if writer.transport.get_write_buffer_size():
        # Who takes nothing from us would keep the connection open for ever.
        writer.transport.abort()
    else:
        writer.close()


def _context_of(address: FeedAddress) -> ssl.SSLContext:
    """Whom to trust, and what to show. Raises FeedLostError for files that are none."""
    try:
        context = ssl.create_default_context(cafile=address.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if address.cert:
            context.load_cert_chain(address.cert, address.key or None)
    except OSError as wrong:
        named = ", ".join(path for path in (address.ca, address.cert, address.key) if path)
        why = wrong.reason if isinstance(wrong, ssl.SSLError) else wrong.strerror
        raise FeedLostError(f"{named}: {why or wrong}; PEM files are needed that the node's user may read") from wrong
    return context


class _Subscriber:
    """One connection: greets, subscribes, then takes messages until it ends."""

    def __init__(
        self, address: FeedAddress, intake: Intake, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._address = address
        self._intake = intake
        self._reader, self._writer = reader, writer
        self._clock_s: Callable[[], float] = asyncio.get_running_loop().time
        self._turns = Turns()
        self._stage: Literal["greeted", "subscribed", "up"] = "greeted"
        now_s = self._clock_s()
        self._answer_by_s = now_s + CONNECT_S
        self._ping_at_s = now_s + PING_S

    async def run(self, spoken: Spoken) -> None:
        """Raises FeedLostError and OSError."""
        self._writer.write(connect(self._address.client, self._address.name, spoken.password, KEEP_ALIVE_S))
        async for packet in self._packets():
            if isinstance(packet, Oversize):
                why = f"a message of {packet.size} bytes: at most {MESSAGE_BYTES_MAX} are taken"
                self._intake.unread(CodecError("oversize", why))
            elif packet.kind == PUBLISH and self._stage != "greeted":
                await self._answer(self._take(packet))
                await self._turns.rest()
            elif packet.kind == PUBREL and self._stage != "greeted":
                await self._answer(pubcomp(packet))
            else:
                self._go_on(packet)

    def _go_on(self, packet: Packet) -> None:
        """What the broker answers to what we said."""
        if packet.kind == CONNACK and self._stage == "greeted":
            read_connack(packet)
            self._writer.write(subscribe(self._address.topic))
            self._stage = "subscribed"
        elif packet.kind == SUBACK and self._stage == "subscribed":
            read_suback(packet, self._address.topic)
            self._stage = "up"
            self._intake.up()
        elif packet.kind != PINGRESP:
            raise FeedLostError(NO_MQTT)

    async def _answer(self, packet: bytes) -> None:
        """Raises FeedLostError when the broker does not take what it waits for: it would pile up here."""
        if not packet:
            return
        self._writer.write(packet)
        try:
            async with asyncio.timeout(SILENT_S):
                await self._writer.drain()
        except TimeoutError as wrong:
            raise FeedLostError(f"has taken nothing from us for {SILENT_S:g} s") from wrong

    def _take(self, packet: Packet) -> bytes:
        """Hand a message over; gives what the broker waits for."""
        message = read_publish(packet)
        if message.is_retained and not self._address.retained:
            # A payload without a time would pass for one of this moment.
            why = f"{message.topic}: kept by the broker since nobody knows when; ?retained=yes takes such messages"
            self._intake.unread(CodecError("retained", why))
        else:
            self._turns.work(self._intake, message.payload, True, message.topic)
        return message.answer

    async def _packets(self) -> AsyncIterator[Packet | Oversize]:
        packets = Packets()
        data = await self._read()
        if data and data[0] >> 4 != CONNACK:
            # Whatever else has this port: its first bytes may announce a packet that never ends.
            raise FeedLostError(NO_MQTT)
        while data:
            for packet in packets.feed(data):
                yield packet
            data = await self._read()
        raise FeedLostError("has closed the connection")

    async def _read(self) -> bytes:
        """The next bytes; empty = the broker has hung up. Says from time to time that we are there."""
        # Not since it was heard: what we do with its messages is no silence of the broker.
        since_s = self._clock_s()
        while True:
            now_s = self._clock_s()
            if self._stage != "up" and now_s >= self._answer_by_s:
                raise FeedLostError(f"does not answer as a broker within {CONNECT_S:g} s")
            if now_s - since_s >= SILENT_S:
                raise FeedLostError(f"has said nothing for {SILENT_S:g} s, not even to a ping")
            if now_s >= self._ping_at_s:
                self._writer.write(PINGREQ)
                self._ping_at_s = now_s + PING_S
            until_s = self._ping_at_s if self._stage == "up" else min(self._ping_at_s, self._answer_by_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    return await self._reader.read(READ_BYTES)
