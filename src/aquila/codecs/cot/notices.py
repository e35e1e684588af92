"""Notices that a TAK server writes: pong, somebody gone, groups changed, nobody reached.

Each is an original, mostly in XML, for TakSession.write or for an encoder. S and T numbers are
rules of README.md.
"""

from typing import Final

from aquila.codecs.cot.event import element, event_xml, iso_time
from aquila.codecs.cot.proto import frame_of, payload_of
from aquila.codecs.cot.tak_pb2 import TakMessage
from aquila.codecs.cot.xml.possessive import possessive
from aquila.core.errors import CodecError
from aquila.core.model import Original

_HOW: Final = "h-g-i-g-o"
_NO_POINT: Final = "<point ce='9999999' le='9999999' hae='0' lat='0' lon='0'/>"
_STALE_MS: Final = 20_000


def pong(now_ms: int) -> Original:
    """The answer to a ping (S1)."""
    at = iso_time(now_ms)
    return Original(
        "cot-xml",
        (
            f"<event version='2.0' uid='takPong' type='t-x-c-t-r' how='{_HOW}'"
            f" time='{at}' start='{at}'"
            f" stale='{iso_time(now_ms + _STALE_MS)}'>{_NO_POINT}</event>"
        ).encode("ascii"),
    )


def disconnect_notice(gone_uid: str, gone_type: str, now_ms: int, notice_uid: str) -> Original:
    """Tells those who could see a client that it is gone (S4); notice_uid is fresh."""
    link = element("link", {"relation": "p-p", "uid": gone_uid, "type": gone_type})
    return _notice("t-x-d-d", notice_uid, now_ms, link)


def group_change_notice(client_uid: str, now_ms: int, notice_id: str) -> Original:
    """Tells a client that the groups it may see have changed (S11).

    ATAK ignores it when its own uid is inside, else wipes this server's contacts and asks for the
    groups. Never send it as the result of a GET: CloudTAK would ask for ever (T7).

    Args:
        client_uid: the client that caused the change.
        now_ms: time of sending.
        notice_id: fresh.
    """
    return _notice("t-x-g-c", f"{notice_id}.{client_uid}", now_ms, element("link", {"relation": "p-p"}))


def delivery_failure(chat: Original) -> Original:
    """The sender's own chat line as type b-t-f-s, because nobody could be reached (S8)."""
    if chat.format == "tak-v1":
        message = TakMessage.FromString(payload_of(chat.data))
        message.cot_event.type = "b-t-f-s"
        return Original("tak-v1", frame_of(message))
    data = chat.data.decode().encode("ascii", "xmlcharrefreplace")
    found = _TYPE.match(data)
    if found is None:
        raise CodecError("missing", "the original has no type")
    return Original("cot-xml", data[: found.start(1)] + b'"b-t-f-s"' + data[found.end(1) :])


_TYPE = possessive(
    rb"""<event(?:(?!\s+type\s*=)\s+[^\s=<>/"']+\s*=\s*(?:"[^"]*"|'[^']*'))*+"""
    rb"""\s+type\s*=\s*("[^"]*"|'[^']*')"""
)


def _notice(cot_type: str, uid: str, now_ms: int, detail: str) -> Original:
    data = event_xml(
        uid=uid,
        cot_type=cot_type,
        at_ms=now_ms,
        stale_ms=now_ms + _STALE_MS,
        how=_HOW,
        point=_NO_POINT,
        detail=detail,
    )
    return Original("cot-xml", data)
