"""TAK protobuf beyond the contract: frames, conversion both ways, and a second codec as a peer."""

import pytest
from lxml import etree

from aquila.codecs.cot import convert, cot_xml, tak_v1
from aquila.codecs.cot.proto import frame_of, payload_of
from aquila.codecs.cot.tak_pb2 import TakMessage
from aquila.core.codec import Decoded
from aquila.core.errors import CodecError, UsageError
from aquila.core.model import Original
from aquila.testing.codecs import (
    bodies,
    decoded,
    new_decoder,
    outgoing,
    vectors_beside,
    words,
)

XML = {vector.name: vector for vector in vectors_beside("aquila.codecs.cot", "cot-xml")}
EVENTS = [
    (name, one) for name, vector in XML.items() for one in decoded(cot_xml, [vector.wire]) if isinstance(one, Decoded)
]


def sound() -> TakMessage:
    message = TakMessage()
    cot = message.cot_event
    cot.uid, cot.type, cot.how = "u-1", "a-f-G", "m-g"
    cot.send_time = cot.start_time = 1_772_359_872_345
    cot.stale_time = 1_772_360_247_345
    cot.lat, cot.lon, cot.hae, cot.ce, cot.le = 1.0, 2.0, 3.0, 4.0, 999_999.0
    return message


def canonical(one: etree._Element) -> object:
    """An element without the order of attributes, white space and the writing of numbers."""

    def value(text: str) -> object:
        try:
            return float(text)
        except ValueError:
            return text

    attributes = sorted((name, value(text)) for name, text in one.items())
    return one.tag, attributes, (one.text or "").strip(), sorted(map(repr, map(canonical, one)))


@pytest.mark.parametrize(("name", "one"), EVENTS, ids=[name for name, _ in EVENTS])
def test_xml_to_protobuf_and_back_loses_no_element(name: str, one: Decoded) -> None:
    frame = convert(Original("cot-xml", one.original), "tak-v1")
    back = convert(Original("tak-v1", frame), "cot-xml")
    assert back.isascii()
    came, went = etree.fromstring(one.original), etree.fromstring(back)
    for event in (came, went):
        # Protobuf keeps milliseconds; the words of the marking have one spelling.
        for at in ("time", "start", "stale"):
            event.attrib.pop(at)
        if "releaseableTo" in event.attrib:
            event.set("releasableTo", event.attrib.pop("releaseableTo"))
    assert canonical(came) == canonical(went)


@pytest.mark.parametrize(("name", "one"), EVENTS, ids=[name for name, _ in EVENTS])
def test_both_formats_say_the_same(name: str, one: Decoded) -> None:
    frame = convert(Original("cot-xml", one.original), "tak-v1")
    (same,) = decoded(tak_v1, [frame])
    assert isinstance(same, Decoded)
    assert (same.body, same.label, same.flow) == (one.body, one.label, one.flow)
    again = convert(Original("tak-v1", frame), "cot-xml")
    (third,) = decoded(cot_xml, [again])
    assert isinstance(third, Decoded)
    assert (third.body, third.label, third.flow) == (one.body, one.label, one.flow)


def test_a_detail_is_typed_only_when_every_attribute_maps() -> None:
    frame = convert(Original("cot-xml", XML["atak_position"].wire.split(b"\n", 1)[1]), "tak-v1")
    detail = TakMessage.FromString(payload_of(frame)).cot_event.detail
    assert detail.contact.callsign == "PATROL1"
    assert detail.status.battery == 78
    assert detail.takv.os == "34"
    assert detail.xml_detail == '<uid Droid="PATROL1"/>'
    with_phone = next(one for name, one in EVENTS if name == "itak_position")
    frame = convert(Original("cot-xml", with_phone.original), "tak-v1")
    detail = TakMessage.FromString(payload_of(frame)).cot_event.detail
    assert not detail.HasField("contact")
    assert 'phone=""' in detail.xml_detail


@pytest.mark.parametrize(
    "detail",
    [
        '<contact callsign="a"/><contact callsign="b"/>',
        '<contact callsign="a">x</contact>',
        '<contact callsign="a"><b/></contact>',
        '<contact callsign=""/>',
        '<status battery="078"/>',
        '<status battery="78" readiness="true"/>',
        '<track speed="1.0"/>',
        '<takv device="d" serial="1"/>',
        "<__group/><__group/>",
    ],
)
def test_what_does_not_map_stays_xml(detail: str) -> None:
    data = EVENTS[0][1].original
    data = data[: data.index(b"<detail>") + 8] + detail.encode() + b"</detail></event>"
    frame = convert(Original("cot-xml", data), "tak-v1")
    assert TakMessage.FromString(payload_of(frame)).cot_event.detail.xml_detail == detail


def test_xml_detail_wins_over_a_typed_field() -> None:
    message = sound()
    message.cot_event.detail.contact.callsign = "typed"
    message.cot_event.detail.xml_detail = '<contact callsign="xml" phone="1"/>'
    frame = frame_of(message)
    (body,) = bodies(decoded(tak_v1, [frame]))
    assert body.name == "xml"  # type: ignore[union-attr]
    xml = convert(Original("tak-v1", frame), "cot-xml")
    assert xml.count(b"<contact") == 1


def test_caveat_and_releasability_travel() -> None:
    one = next(one for name, one in EVENTS if name == "marked")
    frame = convert(Original("cot-xml", one.original), "tak-v1")
    cot = TakMessage.FromString(payload_of(frame)).cot_event
    assert (cot.access, cot.caveat) == ("NATO RESTRICTED", "MEDICAL")
    # The tags of the server's own schema: 16 and 17.
    assert b"\x82\x01\x07MEDICAL" in frame
    assert b"\x8a\x01\x0cITA, FRA,KAZ" in frame


def test_unknown_fields_of_a_newer_peer_are_sent_on() -> None:
    frame = frame_of(sound())
    newer = b"\xbf" + bytes((len(payload_of(frame)) + 4,)) + payload_of(frame) + b"\xfa\x01\x01z"
    (one,) = decoded(tak_v1, [newer])
    assert isinstance(one, Decoded)
    assert tak_v1.encode is not None
    assert b"\xfa\x01\x01z" in tak_v1.encode(outgoing(one.body, one.original))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xbf\x00", "oversize"),
        (b"\xbf\xff\xff\xff\x01", "oversize"),
        (b"\xbf\xe1\xd4\x03", "oversize"),
        (b"<event/>", "syntax"),
        (b"\xbe\x01\x00", "syntax"),
    ],
)
def test_a_frame_that_cannot_be_followed_breaks_the_stream(data: bytes, expected: str) -> None:
    decoder = new_decoder(tak_v1)
    assert words(list(decoder.feed(data))) == [expected]
    assert decoder.broken
    assert list(decoder.feed(frame_of(sound()))) == []


def mended(name: str, value: object) -> bytes:
    message = sound()
    setattr(message.cot_event, name, value)
    return frame_of(message)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lat", float("nan"), "number"),
        ("hae", float("inf"), "number"),
        ("lat", 91.0, "range"),
        ("send_time", 0, "missing"),
        ("send_time", 4_102_444_800_000, "time"),
        ("stale_time", 1 << 63, "time"),
        ("uid", "", "missing"),
        ("uid", "a\x00b", "encoding"),
        ("how", "\x01", "encoding"),
        ("type", "", "type"),
        ("caveat", "\ufffe", "encoding"),
    ],
)
def test_a_bad_event_in_a_good_frame_is_an_error_only(name: str, value: object, expected: str) -> None:
    decoder = new_decoder(tak_v1)
    found = list(decoder.feed(mended(name, value) + frame_of(sound())))
    assert words(found)[0] == expected
    assert isinstance(found[1], Decoded)
    assert not decoder.broken


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("</detail><x/><detail>", "syntax"),
        ("<a>", "syntax"),
        ("<!-- -->", "dtd"),
        ("<a>" * 31 + "</a>" * 31, "depth"),
        ("<a/>" * 2_000, "elements"),
        ("<ж/>", "encoding"),
        (f"<a>{'Ж' * 9_000}</a>", "oversize"),
        ("&x;", "syntax"),
    ],
)
def test_xml_detail_keeps_the_limits_of_xml(xml: str, expected: str) -> None:
    message = sound()
    message.cot_event.detail.xml_detail = xml
    (one,) = decoded(tak_v1, [frame_of(message)])
    assert words([one]) == [expected] or (expected == "syntax" and isinstance(one, CodecError))


def test_an_unknown_format_is_our_own_mistake() -> None:
    with pytest.raises(UsageError, match="cot-xml and tak-v1"):
        convert(Original("nvg", b""), "cot-xml")


def test_takproto_reads_what_we_write_and_we_read_what_it_writes() -> None:
    takproto = pytest.importorskip("takproto", reason="the peer codec is a test dependency")
    for name, one in EVENTS:
        frame = convert(Original("cot-xml", one.original), "tak-v1")
        theirs = takproto.parse_proto(frame)
        assert theirs.cotEvent.uid == etree.fromstring(one.original).get("uid"), name
        assert theirs.cotEvent.lat == float(etree.fromstring(one.original)[0].get("lat"))
        written = bytes(takproto.xml2proto(one.original.decode(), takproto.TAKProtoVer.STREAM))
        (same,) = decoded(tak_v1, [written])
        assert isinstance(same, Decoded), (name, same)
        if one.label is None:
            assert type(same.body) is type(one.body), name
