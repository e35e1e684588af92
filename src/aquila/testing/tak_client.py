"""A small TAK client: blocking, XML until it asks for protobuf, over TCP or TLS."""

import itertools
import os
import re
import socket
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from xml.sax.saxutils import escape, quoteattr

Event = ET.Element
ALL = "All Chat Rooms"
PATIENCE_S = 60.0
"""How long whoever tests waits for what must come: no measure of speed, a busy machine may need most of it."""
_HEADER = b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"
_NUMBERS = itertools.count(1)


def fresh(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}{next(_NUMBERS)}"


def event(uid: str, cot_type: str, detail: str, *, lat: float = 42.87, lon: float = 74.57, how: str = "m-g") -> bytes:
    """One event, valid for ten minutes from now."""
    now = datetime.now(UTC)
    at, stale = (time.isoformat(timespec="milliseconds")[:23] + "Z" for time in (now, now + timedelta(minutes=10)))
    return (
        f"<event version='2.0' uid={quoteattr(uid)} type='{cot_type}' time='{at}' start='{at}' stale='{stale}'"
        f" how='{how}'><point lat='{lat:.6f}' lon='{lon:.6f}' hae='800' ce='9.9' le='9999999.0'/>"
        f"<detail>{detail}</detail></event>"
    ).encode()


def position(uid: str, callsign: str, *, lat: float = 42.87, lon: float = 74.57) -> bytes:
    """What a phone says of itself."""
    contact = f"<contact callsign={quoteattr(callsign)} endpoint='*:-1:stcp'/><__group name='Cyan' role='Team Member'/>"
    return event(uid, "a-f-G-U-C", f"<takv device='test' platform='test'/>{contact}", lat=lat, lon=lon)


def chat(uid: str, callsign: str, text: str, *, room: str = ALL, to: Iterable[str] = ()) -> bytes:
    """A GeoChat line."""
    reference = fresh("line-") + f"-{os.getpid()}"
    dests = "".join(f"<dest callsign={quoteattr(name)}/>" for name in to)
    return event(
        f"GeoChat.{uid}.{room}.{reference}",
        "b-t-f",
        f"<__chat parent='RootContactGroup' groupOwner='false' messageId='{reference}' chatroom={quoteattr(room)}"
        f" id={quoteattr(room)} senderCallsign={quoteattr(callsign)}><chatgrp uid0={quoteattr(uid)}"
        f" uid1={quoteattr(room)} id={quoteattr(room)}/></__chat>"
        f"<link uid={quoteattr(uid)} type='a-f-G-U-C' relation='p-p'/>"
        f"<remarks source={quoteattr('BAO.F.ATAK.' + uid)} to={quoteattr(room)}>{escape(text)}</remarks>"
        + (f"<marti>{dests}</marti>" if dests else ""),
        how="h-g-i-g-o",
    )


def marker(uid: str, name: str, *, lat: float = 42.9) -> bytes:
    """A marker placed by hand."""
    return event(uid, "b-m-p-s-m", f"<contact callsign={quoteattr(name)}/>", lat=lat, how="h-g-i-g-o")


def delete(uid: str) -> bytes:
    """A forced delete of what has this uid."""
    return event(
        fresh("delete-"), "t-x-d-d", f"<link uid={quoteattr(uid)} relation='none' type='none'/><__forcedelete/>"
    )


def emergency(uid: str, callsign: str, on: bool) -> bytes:
    """The beacon of a phone, on or cancelled."""
    said = "type='911 Alert'" if on else "cancel='true'"
    link = f"<link uid={quoteattr(uid)} type='a-f-G-U-C' relation='p-p'/>"
    detail = f"{link}<contact callsign={quoteattr(callsign + '-Alert')}/><emergency {said}>{callsign}</emergency>"
    return event(f"{uid}-9-1-1", "b-a-o-tbl" if on else "b-a-o-can", detail)


def text_of(heard: Event) -> str:
    """The text of a chat line, "" for anything else."""
    return (heard.findtext("detail/remarks") or "") if heard.get("type") == "b-t-f" else ""


def callsign_of(heard: Event) -> str:
    """The callsign an event gives its entity, "" for none."""
    contact = heard.find("detail/contact")
    return "" if contact is None else contact.get("callsign", "")


def device_context(files: Path, name: str) -> ssl.SSLContext:
    """TLS as a phone with these device files does it: the node is verified against ca.pem."""
    context = ssl.create_default_context(cafile=str(files / "ca.pem"))
    context.load_cert_chain(files / f"{name}.pem", files / f"{name}.key")
    return context


class TakClient:
    """One connection.

    Attributes:
        uid, callsign: what it says of itself. heard: every event so far, in order.
    """

    def __init__(self, port: int, callsign: str, *, tls: ssl.SSLContext | None = None) -> None:
        self.callsign = callsign
        self.uid = f"ANDROID-{callsign}"
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        try:
            self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        except OSError:
            plain.close()
            raise
        self.heard: list[Event] = []
        self.rest = b""
        self.is_closed = False
        self._looked = 0

    def __enter__(self) -> "TakClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def say(self, *events: bytes) -> None:
        """Send events."""
        self.socket.settimeout(PATIENCE_S)
        self.socket.sendall(b"".join(_HEADER + each for each in events))

    def report(self, **place: float) -> None:
        """Say where it is."""
        self.say(position(self.uid, self.callsign, **place))

    def chat(self, text: str, *, room: str = ALL, to: Iterable[str] = ()) -> None:
        """Say a line."""
        self.say(chat(self.uid, self.callsign, text, room=room, to=to))

    def read(self, timeout_s: float) -> bool:
        """Take what comes within this time; False = nothing came, or the peer hung up (see is_closed)."""
        self.socket.settimeout(max(timeout_s, 0.001))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            data = b""
        if not data:
            self.is_closed = True
            return False
        *whole, self.rest = re.split(rb"(?<=</event>)", self.rest + data)
        self.heard += [ET.fromstring(each.decode().partition("?>")[2].strip() or each) for each in whole]
        return True

    def hear(self, wanted: Callable[[Event], object], timeout_s: float = PATIENCE_S) -> Event:
        """The next event that is wanted. Fails with what was heard when none comes in time."""
        deadline = monotonic() + timeout_s
        while True:
            while self._looked < len(self.heard):
                self._looked += 1
                if wanted(self.heard[self._looked - 1]):
                    return self.heard[self._looked - 1]
            left_s = deadline - monotonic()
            if left_s <= 0 or self.is_closed:
                said = [f"{each.get('type')} {each.get('uid')}" for each in self.heard]
                raise AssertionError(f"{self.callsign} did not hear it (closed: {self.is_closed}); heard {said}")
            self.read(left_s)

    def hear_text(self, text: str, timeout_s: float = PATIENCE_S) -> Event:
        """The chat line with this text in it."""
        return self.hear(lambda each: text in text_of(each), timeout_s)

    def hear_texts(self, *texts: str) -> None:
        """Chat lines with these texts in them, whichever comes first: what two clients say has no order."""
        missing = set(texts)

        def is_missing(heard: Event) -> bool:
            found = {text for text in missing if text in text_of(heard)}
            missing.difference_update(found)
            return bool(found)

        while missing:
            self.hear(is_missing)

    def hear_uid(self, uid: str, timeout_s: float = PATIENCE_S) -> Event:
        """The next event of this uid."""
        return self.hear(lambda each: each.get("uid") == uid, timeout_s)

    def wait_closed(self, timeout_s: float = PATIENCE_S) -> None:
        """Fails unless the node hangs up in time."""
        deadline = monotonic() + timeout_s
        while not self.is_closed:
            left_s = deadline - monotonic()
            assert left_s > 0, f"{self.callsign} is still connected"
            self.read(left_s)
