"""What a client of the exercise hears as chat, and what it answers from its own device: receipts, then its lines."""

import re
from collections.abc import Iterator
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from lxml import etree
from msgspec import Struct

from aquila.simulator import cot
from aquila.simulator.motion import fix_at
from aquila.simulator.scenario import Reply
from aquila.simulator.script import Document, Script, wall_ms

DELIVERED, READ = "b-t-f-d", "b-t-f-r"


class Heard(Struct, frozen=True):
    """A chat line that came. reference: its message id, which receipts name. room: where it was said."""

    reference: str
    room: str
    text: str


class Planned(Struct, frozen=True):
    """A document that a client sends at a second of the exercise: a line, or (text None) a receipt of that type."""

    at_s: float
    heard: Heard
    reply: Reply
    receipt: str = ""
    text: str | None = None


def heard_in(event: bytes) -> Heard | None:
    """The chat line of an event as the node sends it; None = it is none, or cannot be read."""
    if b"<event" not in event or b"<__chat " not in event:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        said = etree.fromstring(event[event.index(b"<event") :], parser)
    except etree.XMLSyntaxError:
        return None
    chat, text = said.find("detail/__chat"), said.findtext("detail/remarks")
    if said.get("type") != "b-t-f" or chat is None or not text:
        return None
    return Heard(chat.get("messageId", ""), chat.get("id", ""), text)


def planned(ready: Script, callsign: str, heard: Heard, now_s: float) -> Iterator[Planned]:
    """What this client does about a line that it hears now, by the first reply that fits; nothing = it lets it pass."""
    for reply in ready.scenario.replies:
        found = re.search(reply.hears, heard.text) if reply.by == callsign else None
        if found is None:
            continue
        yield Planned(now_s, heard, reply, DELIVERED)
        yield Planned(now_s + reply.read_s, heard, reply, READ)
        for answer in reply.says:
            text = re.sub(r"\{(\d)\}", partial(_group, found), answer.text)
            yield Planned(now_s + answer.after_s, heard, reply, text=text)
        return


def _group(found: re.Match[str], place: re.Match[str]) -> str:
    return found[int(place[1])]


def document_of(ready: Script, plan: Planned, now_s: float) -> Document:
    """The document of a plan, as it is sent now."""
    by, at_ms = ready.clients[plan.reply.by], wall_ms(ready, now_s)
    fix = fix_at(ready.lines[plan.reply.by], now_s)
    spot = cot.Spot(fix.lat_deg, fix.lon_deg, fix.hae_m)
    if plan.text is None:
        body = cot.receipt(by, spot, at_ms, plan.receipt, plan.heard.reference, plan.heard.room)
    else:
        chat_id = str(uuid5(NAMESPACE_URL, f"{ready.scenario.name}/{plan.heard.reference}/{plan.text}"))
        body = cot.chat(by, spot, at_ms, chat_id, plan.text, cot.direct(ready.clients[plan.reply.to]))
    return Document(now_s, plan.reply.by, body, lasting=True)
