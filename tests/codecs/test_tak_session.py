"""The conversation on a TAK stream keeps the rules that clients depend on."""

import itertools

import pytest
from lxml import etree

from aquila.codecs.cot import (
    TakSession,
    convert,
    cot_xml,
    delivery_failure,
    disconnect_notice,
    group_change_notice,
    pong,
    tak_v1,
)
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError
from aquila.core.model import Original, Removal
from aquila.testing.codecs import bodies, decoded, vectors_beside

XML = {vector.name: vector for vector in vectors_beside("aquila.codecs.cot", "cot-xml")}
POSITION = decoded(cot_xml, [XML["atak_position"].wire])[0]
assert isinstance(POSITION, Decoded)
FRAME = convert(Original("cot-xml", POSITION.original), "tak-v1")
NOW_MS = 1_772_359_900_000


def control(cot_type: str, detail: str = "") -> bytes:
    at = "2026-03-01T10:11:12.345Z"
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><event version='2.0' uid='A-1-ping' "
        f"type='{cot_type}' time='{at}' start='{at}' stale='{at}' how='m-g'>"
        "<point lat='0.0' lon='0.0' hae='0.0' ce='999999' le='999999'/>"
        f"<detail>{detail}</detail></event>"
    ).encode()


def request(version: str) -> bytes:
    return control("t-x-takp-q", f'<TakControl><TakRequest version="{version}"/></TakControl>')


@pytest.fixture
def session() -> TakSession:
    numbers = itertools.count(1)
    return TakSession("0.1.0", "node-1", lambda: f"id-{next(numbers)}")


def test_the_offer_is_made_once_and_names_the_server(session: TakSession) -> None:
    offer = etree.fromstring(session.greeting(NOW_MS))
    assert offer.get("type") == "t-x-takp-v"
    assert offer.find("detail/TakControl/TakProtocolSupport").get("version") == "1"
    assert offer.find("detail/TakControl/TakServerVersionInfo").get("serverVersion") == "0.1.0"
    assert session.greeting(NOW_MS) == b""


@pytest.mark.parametrize("bytes_each", [1, 17, 1_000_000])
def test_after_yes_everything_is_protobuf_both_ways(session: TakSession, bytes_each: int) -> None:
    session.greeting(NOW_MS)
    stream = POSITION.original + request("1") + b"\r\n" + FRAME + FRAME
    found = [
        one for at in range(0, len(stream), bytes_each) for one in session.receive(stream[at : at + bytes_each], NOW_MS)
    ]
    assert [type(one) for one in found] == [Decoded, Control, Decoded, Decoded]
    answer = found[1]
    assert isinstance(answer, Control)
    assert answer.switched_to == "tak-v1"
    reply = etree.fromstring(answer.reply)
    assert (reply.get("type"), reply.get("uid")) == ("t-x-takp-r", "id-1")
    assert reply.find("detail/TakControl/TakResponse").get("status") == "true"
    assert session.format == "tak-v1"
    assert session.write(Original("cot-xml", POSITION.original)) == FRAME


def test_an_unknown_version_is_refused_and_may_be_tried_again(session: TakSession) -> None:
    found = list(session.receive(request("7") + POSITION.original + request("1") + FRAME, NOW_MS))
    assert [type(one) for one in found] == [Control, Decoded, Control, Decoded]
    refused = found[0]
    assert isinstance(refused, Control)
    assert b'status="false"' in refused.reply
    assert refused.switched_to is None


def test_xml_after_yes_breaks_the_stream(session: TakSession) -> None:
    found = list(session.receive(request("1") + POSITION.original, NOW_MS))
    assert isinstance(found[-1], CodecError)
    assert session.broken


def test_a_ping_is_answered_to_this_connection_only(session: TakSession) -> None:
    (ping,) = session.receive(control("t-x-c-t"), NOW_MS)
    assert isinstance(ping, Control)
    assert ping.kind == "ping"
    answer = etree.fromstring(ping.reply)
    assert answer.attrib == {
        "version": "2.0",
        "uid": "takPong",
        "type": "t-x-c-t-r",
        "how": "h-g-i-g-o",
        "time": "2026-03-01T10:11:40.000Z",
        "start": "2026-03-01T10:11:40.000Z",
        "stale": "2026-03-01T10:12:00.000Z",
    }
    (point,) = answer
    assert point.attrib == {"ce": "9999999", "le": "9999999", "hae": "0", "lat": "0", "lon": "0"}


def test_a_ping_in_protobuf_is_answered_in_protobuf(session: TakSession) -> None:
    frame = convert(Original("cot-xml", control("t-x-c-t").split(b"?>")[1]), "tak-v1")
    *_, ping = session.receive(request("1") + frame, NOW_MS)
    assert isinstance(ping, Control)
    assert ping.reply[0] == 0xBF
    assert ping.reply == convert(pong(NOW_MS), "tak-v1")


def test_what_a_client_may_not_relay_is_a_control(session: TakSession) -> None:
    for cot_type in ("t-b", "t-x-c-m", "t-x-g-c", "t-x-c-i-e"):
        (one,) = session.receive(control(cot_type), NOW_MS)
        assert isinstance(one, Control)
        assert one.reply == b""


def test_who_is_gone_is_told_by_a_removal() -> None:
    notice = disconnect_notice("A-1", "a-f-G-U-C", NOW_MS, "n-1")
    root = etree.fromstring(notice.data)
    assert root.get("how") == "h-g-i-g-o"
    assert dict(root.find("detail/link").items()) == {
        "relation": "p-p",
        "uid": "A-1",
        "type": "a-f-G-U-C",
    }
    (body,) = bodies(decoded(cot_xml, [notice.data]))
    assert isinstance(body, Removal)
    assert body.alias.value == "A-1"


def test_a_group_change_names_who_caused_it() -> None:
    root = etree.fromstring(group_change_notice("A-1", NOW_MS, "n-1").data)
    assert (root.get("type"), root.get("uid")) == ("t-x-g-c", "n-1.A-1")


@pytest.mark.parametrize("format", ["cot-xml", "tak-v1"])
def test_an_undelivered_line_goes_back_as_it_was_with_another_type(format: str) -> None:
    (chat,) = decoded(cot_xml, [XML["chat_direct"].wire])
    assert isinstance(chat, Decoded)
    original = Original(format, convert(Original("cot-xml", chat.original), format))
    back = convert(delivery_failure(original), "cot-xml")
    root = etree.fromstring(back)
    assert root.get("type") == "b-t-f-s"
    assert root.get("uid", "").startswith("GeoChat.")
    assert root.find("detail/__chat").get("messageId") == "a9c1-0003"


def test_protobuf_codec_and_session_agree() -> None:
    assert bodies(decoded(tak_v1, [FRAME])) == [POSITION.body]
