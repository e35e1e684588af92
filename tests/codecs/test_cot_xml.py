"""CoT XML beyond the contract: framing, limits, what leaves, and what it costs."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aquila.codecs.cot import cot_xml
from aquila.codecs.cot.event import escape, time_ms
from aquila.codecs.cot.notices import _TYPE
from aquila.codecs.cot.xml import EVENT_BYTES_MAX, OUT_BYTES_MAX, XmlDecoder
from aquila.codecs.cot.xml.framing import _START_TAG
from aquila.codecs.cot.xml.possessive import possessive
from aquila.codecs.cot.xml.splice import _LAST_FLOW, _TAG, _UNMARKING
from aquila.codecs.cot.xml.tree import _ATTRIBUTES_OF_TAG
from aquila.core.codec import Control, Decoded, Marking, Outgoing
from aquila.core.errors import CodecError
from aquila.core.model import (
    Address,
    Alias,
    Foreign,
    Geometry,
    Label,
    Motion,
    Note,
    Position,
    Report,
)
from aquila.core.symbol import sidc_of_cot
from aquila.core.unseen import seen
from aquila.testing.codecs import LABEL, NOW_MS, bodies, damaged, decoded, outgoing, vectors_beside, words

VECTORS = {vector.name: vector for vector in vectors_beside("aquila.codecs.cot", "cot-xml")}
TIMES = 'time="2026-03-01T10:11:12Z" start="2026-03-01T10:11:12Z" stale="2026-03-01T10:16:12Z"'
POINT = '<point lat="1" lon="2" hae="3" ce="4" le="5"/>'


def event(detail: str = "", *, times: str = TIMES, point: str = POINT, head: str = "") -> bytes:
    return (
        f'<event version="2.0" uid="u-1" type="a-f-G" how="m-g" {times}{head}>{point}<detail>{detail}</detail></event>'
    ).encode()


def only(data: bytes) -> Decoded | CodecError:
    (one,) = decoded(cot_xml, [data])
    return one


def reason(data: bytes) -> object:
    return words([only(data)])[0]


@pytest.mark.parametrize(("major", "word"), [("500", None), ("1e308", "range"), ("-1", "range"), ("inf", "number")])
def test_a_circle_is_no_larger_than_the_world(major: str, word: str | None) -> None:
    drawn = event(f'<shape><ellipse major="{major}" minor="5"/></shape>').replace(b"a-f-G", b"u-d-c-c")
    found = only(drawn)
    if word is None:
        assert isinstance(found, Decoded)
        assert isinstance(found.body, Report)
        assert found.body.geometry == Geometry("circle", ((1.0, 2.0),), 500.0)
    else:
        assert isinstance(found, CodecError)
        assert found.reason == word


BULL = "distance='9260' bearingRef='M' edgeToCenter='true' bullseyeUID='b.COMPAT' title='BULL' mils='false'"


@pytest.mark.parametrize(
    ("rings", "fields"),
    [
        (
            "hasRangeRings='true' rangeRingVisible='true' ringDist='1852.0' ringNum='5'",
            {"rings": "5", "ring_m": "1852.0"},
        ),
        ("hasRangeRings='true' rangeRingVisible='false' ringDist='1852.0' ringNum='5'", {}),
        ("hasRangeRings='false'", {}),
    ],
)
def test_a_bullseye_of_a_phone_has_its_compass_and_the_rings_that_are_shown(rings: str, fields: dict[str, str]) -> None:
    found = only(event(f"<bullseye {BULL} {rings}/>").replace(b"a-f-G", b"u-r-b-bullseye"))
    assert isinstance(found, Decoded)
    assert isinstance(found.body, Report)
    assert found.body.geometry == Geometry("circle", ((1.0, 2.0),), 9260.0)
    assert found.body.category == "drawing"
    assert found.body.fields == fields | {"bearing_ref": "M", "inward": "true"}


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("distance='-5'", "range"),
        ("distance='x'", "number"),
        ("distance='5' hasRangeRings='true' ringNum='9999999999999999999'", "range"),
        ("distance='5' hasRangeRings='true' ringNum='0'", "range"),
        ("distance='5' hasRangeRings='true' ringNum='2' ringDist='1e99'", "range"),
    ],
)
def test_a_bullseye_that_no_map_can_draw_is_refused(wrong: str, word: str) -> None:
    found = only(event(f"<bullseye {wrong}/>").replace(b"a-f-G", b"u-r-b-bullseye"))
    assert isinstance(found, CodecError)
    assert found.reason == word


# --- framing ---


def test_two_events_in_one_read_and_split_characters() -> None:
    data = VECTORS["itak_position"].wire + b"\n" + event()
    whole = bodies(decoded(cot_xml, [data]))
    assert len(whole) == 2
    for at in range(len(data)):
        assert bodies(decoded(cot_xml, [data[:at], data[at:]])) == whole


def test_white_space_in_the_end_tag_is_still_an_end() -> None:
    data = event().replace(b"</event>", b"</event \n\t>")
    assert bodies(decoded(cot_xml, [data + event()])) == bodies(decoded(cot_xml, [event() * 2]))
    single = [data[at : at + 1] for at in range(len(data))]
    assert len(bodies(decoded(cot_xml, single))) == 1


def test_an_event_that_closes_itself_does_not_take_the_next_one_down() -> None:
    for tag in (b'<event uid="a>b"/>', b"<event uid='/>' />", b"<event/>", b"""<event a='"' b=">"/>"""):
        found = decoded(cot_xml, [tag + event()])
        assert words(found)[0] in ("missing", "syntax")
        assert isinstance(found[1], Decoded)
        assert len(found) == 2


def test_a_lost_end_costs_one_event_only() -> None:
    torn = event()[:-20]
    found = decoded(cot_xml, [torn + event() + event()])
    assert words(found)[0] == "syntax"
    assert [type(one) for one in found] == [CodecError, Decoded, Decoded]


def test_a_start_tag_without_end_costs_one_event_only() -> None:
    found = decoded(cot_xml, [b'<event uid="never closed ' + event()])
    assert [type(one) for one in found] == [CodecError, Decoded]


def test_an_auth_document_may_come_first_and_is_a_control() -> None:
    auth = b'<?xml version="1.0"?>\n<auth><cot username="u" password="p" uid="x"/></auth>'
    decoder = XmlDecoder()
    assert decoder.read(auth + event())[0] == Control("auth")
    assert words(decoded(cot_xml, [event() + auth + event()]))[1] == "syntax"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert len(bodies(decoded(cot_xml, [b"\xef\xbb\xbf" + event()]))) == 1


def test_oversize_is_refused_and_the_next_event_is_read() -> None:
    for inner in ("x" * EVENT_BYTES_MAX, '<a b="' + "y" * EVENT_BYTES_MAX + '"/>'):
        found = decoded(cot_xml, [event(inner) + event()])
        assert words(found)[0] == "oversize"
        assert isinstance(found[-1], Decoded)
        assert len(found) == 2


def test_the_largest_event_is_read_and_one_byte_more_is_not() -> None:
    room = EVENT_BYTES_MAX - len(event("<remarks></remarks>"))
    assert isinstance(only(event(f"<remarks>{'x' * room}</remarks>")), Decoded)
    assert reason(event(f"<remarks>{'x' * (room + 1)}</remarks>")) == "oversize"


def test_one_mebibyte_without_an_event_breaks_the_stream() -> None:
    decoder = XmlDecoder()
    found = decoder.read(b"x" * (1 << 20))
    assert not decoder.broken
    found += decoder.read(b"x" * 64)
    assert decoder.broken
    assert words(found) == ["syntax", "oversize"]  # type: ignore[arg-type]
    assert decoder.read(event()) == []


def test_a_long_attribute_byte_by_byte_is_searched_once() -> None:
    """It would take minutes if every byte searched from the beginning."""
    data = event('<a b="' + "y" * 8_000 + '"/>' + "<remarks>" + "z" * 45_000 + "</remarks>")
    decoder = XmlDecoder()
    found = [one for at in range(len(data)) for one in decoder.read(data[at : at + 1])]
    assert len(found) == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (event("<!-- c -->"), "dtd"),
        (event("<![CDATA[x]]>"), "dtd"),
        (event("<?pi x?>"), "syntax"),
        (event("&undeclared;"), "syntax"),
        (event("<a>" * 31 + "</a>" * 31), "depth"),
        (event("<a/>" * 2_000), "elements"),
        (event("<a " + " ".join(f'b{n}=""' for n in range(65)) + "/>"), "attributes"),
        (event(f'<a b="{"x" * 8_193}"/>'), "attributes"),
        (event(f'<a b="{"ж" * 4_097}"/>'), "attributes"),
        (event("<ж/>"), "encoding"),
        (event('<a ж="1"/>'), "encoding"),
        (event().replace(b"u-1", b"\xff"), "encoding"),
        (event(point='<point lat="nan" lon="2" hae="3" ce="4" le="5"/>'), "number"),
        (event(point='<point lat="1" lon="2" hae="nan" ce="4" le="5"/>'), "number"),
        (event(point='<point lat="1" lon="2" hae="3" ce="-inf" le="5"/>'), "number"),
        (event(point='<point lat="1_0" lon="2" hae="3" ce="4" le="5"/>'), "number"),
        (event(point='<point lat="90.1" lon="2" hae="3" ce="4" le="5"/>'), "range"),
        (event(point='<point lat="1" hae="3" ce="4" le="5"/>'), "missing"),
        (event(point=""), "missing"),
        (event(point=POINT * 2), "elements"),
        (event('<track course="NaN" speed="1"/>'), "number"),
        (event('<track course="361" speed="1"/>'), "range"),
        (event("<marti><dest/></marti>"), "unsupported"),
        (event().replace(b"a-f-G", b"t-x-d-d"), "missing"),
        (event().replace(b"<event ", b'<event xmlns="urn:x" '), "type"),
        (event().replace(b'uid="u-1"', b""), "missing"),
        (event().replace(b"a-f-G", b""), "type"),
    ],
)
def test_what_is_refused_and_why(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_a_dtd_before_an_event_refuses_the_event_too() -> None:
    found = decoded(cot_xml, [b"<!DOCTYPE event>" + event() + event()])
    assert words(found)[:2] == ["dtd", "dtd"]
    assert isinstance(found[2], Decoded)


def test_another_encoding_in_the_header_refuses_the_event() -> None:
    found = decoded(cot_xml, [b'<?xml version="1.0" encoding="UTF-16"?>' + event() * 2])
    assert [type(one) for one in found] == [CodecError, Decoded]
    assert words(found)[0] == "encoding"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T10:11:12",
        "2026-03-01",
        "2026-W09-7T10:11:12Z",
        "20260301T101112Z",
        "2026-03-01T10Z",
        "2026-03-01 10:11:12Z",
        "1969-12-31T23:59:59.999Z",
        "2100-01-01T00:00:00Z",
        "",
        "now",
    ],
)
def test_a_time_without_zone_or_outside_its_bounds_is_refused(text: str) -> None:
    with pytest.raises(CodecError, match="time"):
        time_ms(text)


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-01T10:11:12Z", 1_772_359_872_000),
        ("2026-03-01T10:11:12.3Z", 1_772_359_872_300),
        ("2026-03-01T10:11:12.345678901Z", 1_772_359_872_345),
        ("2026-03-01T15:41:12.345+05:30", 1_772_359_872_345),
        ("2099-12-31T23:59:59.999Z", 4_102_444_799_999),
    ],
)
def test_a_time_has_any_number_of_fraction_digits_and_a_zone(text: str, at_ms: int) -> None:
    assert time_ms(text) == at_ms


def test_a_stale_before_its_time_is_no_reason_to_refuse() -> None:
    times = 'time="2026-03-01T10:11:12Z" start="2026-03-01T10:11:12Z" stale="1999-01-01T00:00:00Z"'
    assert isinstance(only(event(times=times)), Decoded)


# --- meaning ---


def test_the_way_tak_says_that_there_is_no_position() -> None:
    (report,) = VECTORS["atak_position_without_fix"].bodies
    assert isinstance(report, Report)
    assert report.position is None
    zero = event(point='<point lat="0" lon="0" hae="0" ce="5" le="5"/>')
    (at_zero,) = bodies([only(zero)])
    assert isinstance(at_zero, Report)
    assert at_zero.position == Position(0.0, 0.0, 0.0, 5.0, 5.0)


def test_minus_one_is_how_phones_say_unknown() -> None:
    (report,) = VECTORS["itak_position"].bodies
    assert isinstance(report, Report)
    assert report.motion is None


def test_the_marking_is_read_in_both_spellings() -> None:
    expected = Marking("NATO RESTRICTED", ("MEDICAL",), ("ITA", "FRA", "KAZ"))
    for name in ("marked", "marked_as_tak_server_spells_it"):
        one = only(VECTORS[name].wire)
        assert isinstance(one, Decoded)
        assert one.label == expected


def test_undefined_access_is_no_marking() -> None:
    one = only(VECTORS["atak_position"].wire)
    assert isinstance(one, Decoded)
    assert one.label is None


def test_controls_never_come_out_as_bodies() -> None:
    for cot_type in (
        "t-x-c-t t-x-c-t-r t-b t-b-a t-b-c t-b-q t-x-c-f t-x-c-m t-x-c-i-e t-x-c-i-d "
        "t-x-takp-q t-x-takp-v t-x-takp-r t-x-g-c"
    ).split():
        data = event().replace(b"a-f-G", cot_type.encode())
        assert decoded(cot_xml, [data]) == []
        assert isinstance(XmlDecoder().read(data)[0], Control)


def test_a_geo_filter_names_its_box() -> None:
    box = '<boundingBox minLatitude="1" maxLatitude="2" minLongitude="3" maxLongitude="4"/>'
    data = event(f"<subscription><geospatialFilter>{box}</geospatialFilter></subscription>")
    (control,) = XmlDecoder().read(data.replace(b"a-f-G", b"t-x-c-f"))
    assert isinstance(control, Control)
    assert dict(control.fields)["maxLongitude"] == "4"


def test_everything_else_is_foreign_and_keeps_its_addressees() -> None:
    (request,) = VECTORS["file_request"].bodies
    assert isinstance(request, Foreign)
    assert request.to == (Address("callsign", "PATROL2"),)


# --- what leaves ---


def tree(data: bytes) -> object:
    """The document as nested tuples: names, sorted attributes, text, children."""

    def of(one: etree._Element) -> object:
        attributes = sorted(one.items())
        return one.tag, attributes, (one.text or ""), [of(child) for child in one], one.tail or ""

    return of(etree.fromstring(data))


def sent(data: bytes, *, label: Label = LABEL, flow: str | None = "node-1") -> bytes:
    one = only(data)
    assert isinstance(one, Decoded)
    assert cot_xml.encode is not None
    return cot_xml.encode(Outgoing(body=one.body, label=label, now_ms=NOW_MS, original=one.original, flow=flow))


@pytest.mark.parametrize("name", sorted(set(VECTORS) - {"two_events_one_read", "pings_between"}))
def test_what_leaves_is_what_came_plus_marking_and_flow_tag(name: str) -> None:
    one = only(VECTORS[name].wire)
    assert isinstance(one, Decoded)
    out = sent(one.original)
    assert out.isascii()
    assert out.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<event ')
    assert out.endswith(b"</event>")
    root = etree.fromstring(out)
    assert root.attrib.pop("access") == "UNCLASSIFIED"
    assert root.attrib.pop("caveat") == "MEDICAL"
    assert root.attrib.pop("releasableTo") == "ITA,KAZ"
    flow = root.find("detail/_flow-tags_")
    assert flow is not None
    assert flow.attrib.pop("TAK-Server-node-1") == "2026-03-01T10:11:40.000Z"
    if not flow.attrib:
        flow.getparent().remove(flow)
    came = etree.fromstring(one.original)
    for mark in ("access", "caveat", "releasableTo", "releaseableTo"):
        came.attrib.pop(mark, None)
    assert tree(etree.tostring(root)) == tree(etree.tostring(came))


@pytest.mark.parametrize(
    "detail",
    [
        "<detail></detail>",
        "<detail/>",
        "<detail a='1' />",
        "",
        "<detail><x><detail></detail></x></detail>",
        "<detail><x><_flow-tags_ a='b'/></x></detail>",
        "<detail><_flow-tags_ TAK-Server-z='t'/><x/></detail>",
        "<detail><_flow-tags_ TAK-Server-z='t'></_flow-tags_></detail>",
        "<detail><_flow-tags_/></detail>",
        "<detail><_flow-tags_ TAK-Server-node-1='old' b='>'/></detail>",
        "<detail >\n</detail >\n",
        "<detail/><other><detail><a/></detail></other>",
        "<detail><a/></detail><other/>",
        "<detail><a b='</x'/></detail>".replace("</x", "&lt;/x"),
        "<detail><a b='access=\"1\" caveat'/></detail>",
    ],
)
def test_the_flow_tag_finds_its_place_however_an_event_is_written(detail: str) -> None:
    data = event().replace(b"<detail></detail>", detail.encode())
    out = sent(data)
    root = etree.fromstring(out)
    assert len(root.findall("detail")) == 1
    assert len(root.findall("detail/_flow-tags_")) == 1
    one = only(out)
    assert isinstance(one, Decoded)
    assert one.flow.count("node-1") == 1
    assert one.label == Marking("UNCLASSIFIED", ("MEDICAL",), ("ITA", "KAZ"))
    assert sent(one.original) == out


@pytest.mark.parametrize(
    "head",
    [
        ' access="Undefined"',
        " access='a' caveat='b' releasableTo='c' releaseableTo='d'",
        ' caveat = "x" \n access= "y"',
        " opex=' access=&quot;x&quot; '",
        """ opex=' access="x" '""",
        ' opex=" access=" access="x" other=" caveat="',
        ' accessory="kept" recaveat="kept"',
        """ access="a" opex='b' caveat='c' accessory="kept" releaseableTo = "d" recaveat='kept'""",
    ],
)
def test_the_marking_is_replaced_and_look_alikes_are_kept(head: str) -> None:
    root = etree.fromstring(sent(event(head=head)))
    assert root.get("access") == "UNCLASSIFIED"
    assert root.get("caveat") == "MEDICAL"
    assert root.get("releasableTo") == "ITA,KAZ"
    assert root.get("releaseableTo") is None
    came = etree.fromstring(event(head=head))
    for name in ("opex", "accessory", "recaveat"):
        assert root.get(name) == came.get(name)


def test_what_is_too_long_for_a_tak_client_is_an_error() -> None:
    label = Label("P", "C", tuple(f"NATION{n}" for n in range(900)), ("G",))
    room = EVENT_BYTES_MAX - len(event("<remarks></remarks>"))
    with pytest.raises(CodecError, match="oversize"):
        sent(event(f"<remarks>{'x' * room}</remarks>"), label=label)
    assert len(sent(event(f"<remarks>{'x' * room}</remarks>"))) <= OUT_BYTES_MAX


def test_an_event_that_would_be_too_long_as_ascii_is_refused_when_it_comes() -> None:
    assert reason(event(f"<remarks>{'Ж' * 20_000}</remarks>")) == "oversize"


def test_without_a_flow_identity_nothing_is_added() -> None:
    assert b"_flow-tags_" not in sent(event(), flow=None)


texts = st.text(st.characters(codec="utf-8"), max_size=40)
words_ = st.text(st.sampled_from("ABC xyz&<>\"'ж\n\t"), min_size=1, max_size=12)
names_ = words_.map(seen).filter(bool)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_text_is_escaped_so_that_a_parser_reads_it_back(text: str) -> None:
    xml = f'<a b="{escape(text)}">{escape(text)}</a>'
    assert xml.isascii()
    root = etree.fromstring(xml)
    kept = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)
    assert (root.get("b"), root.text or "") == (kept, kept)


points = st.tuples(
    st.floats(-90, 90, allow_nan=False).map(lambda x: round(x, 7)),
    st.floats(-180, 180, allow_nan=False).map(lambda x: round(x, 7)),
)
shapes = st.one_of(
    st.builds(Geometry, st.just("line"), st.lists(points, min_size=2, max_size=3).map(tuple)),
    st.builds(Geometry, st.just("polygon"), st.lists(points, min_size=3, max_size=9, unique=True).map(tuple)),
)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Report,
        entity=st.just("3d8b4ba0-0000-5000-8000-000000000000"),
        alias=st.just(Alias("cot", "u-1")),
        type=st.sampled_from(["a-f-G-U-C", "a-h-G-E-V", "a-n-A-C-F"]),
        sidc=st.just(""),
        category=st.just("unit"),
        observed_at_ms=st.integers(0, 4_000_000_000_000),
        stale_at_ms=st.integers(0, 4_000_000_000_000),
        name=st.none() | names_,
        how=st.just("m-g"),
        own=st.booleans(),
        position=st.builds(Position, st.floats(-90, 90), st.floats(-180, 180), st.none(), st.floats(0, 100)),
        motion=st.none() | st.builds(Motion, st.floats(0, 360), st.floats(0, 1000)),
        team=st.none() | words_,
        battery_pct=st.none() | st.integers(0, 100),
        remarks=st.none() | words_,
        to=st.lists(st.builds(Address, st.just("callsign"), names_), max_size=3).map(tuple),
    )
)
def test_any_report_written_anew_is_read_back(report: Report) -> None:
    assert cot_xml.encode is not None
    (one,) = bodies(decoded(cot_xml, [cot_xml.encode(outgoing(report))]))
    assert isinstance(one, Report)
    for name in (
        "alias type observed_at_ms stale_at_ms name how own position motion team battery_pct remarks to"
    ).split():
        assert getattr(one, name) == getattr(report, name), name


@settings(max_examples=60, deadline=None)
@given(shapes)
def test_any_shape_written_anew_is_read_back(shape: Geometry) -> None:
    report = Report(
        entity="e",
        alias=Alias("cot", "d-1"),
        type="u-d-f",
        sidc=sidc_of_cot("u-d-f")[0],
        category="drawing",
        observed_at_ms=NOW_MS,
        position=Position(1.0, 2.0, None, 3.0),
        geometry=shape,
    )
    assert cot_xml.encode is not None
    (one,) = bodies(decoded(cot_xml, [cot_xml.encode(outgoing(report))]))
    assert isinstance(one, Report)
    if shape.shape == "polygon" or shape.points[0] != shape.points[-1]:
        assert one.geometry == shape


def test_a_chat_line_born_here_without_author_or_reference_is_whole() -> None:
    note = Note(room="Cyan", text="a\x00b < c", happened_at_ms=NOW_MS)
    assert cot_xml.encode is not None
    (one,) = bodies(decoded(cot_xml, [cot_xml.encode(outgoing(note))]))
    assert isinstance(one, Note)
    assert (one.room, one.text) == ("Cyan", "ab < c")
    assert one.reference
    assert cot_xml.encode(outgoing(note)) == cot_xml.encode(outgoing(note))


def test_originals_in_random_company_stay_themselves() -> None:
    """Splicing never reads across events: a shuffled stream gives what its parts give."""
    dice = Random(5)
    names = sorted(VECTORS)
    for _ in range(20):
        some = dice.choices(names, k=6)
        stream = b"\n".join(VECTORS[name].wire for name in some)
        assert bodies(decoded(cot_xml, [stream])) == [body for name in some for body in VECTORS[name].bodies]


def test_callsigns_are_what_people_see_of_them_where_they_are_said_and_where_they_are_addressed() -> None:
    detail = "<contact callsign='\u3164PATROL\u200b 1 '/><marti><dest callsign='PATROL\u00a01\u2800'/></marti>"
    one = only(event(detail))
    assert isinstance(one, Decoded)
    assert isinstance(one.body, Report)
    assert one.body.name == "PATROL 1"
    assert one.body.to == (Address("callsign", "PATROL 1"),)
    assert "\u3164PATROL".encode() in one.original, "what goes on to others is what was said"
    nameless = only(event("<contact callsign='\u3164'/>"))
    assert isinstance(nameless, Decoded)
    assert isinstance(nameless.body, Report)
    assert nameless.body.name is None


def test_a_group_that_gives_nothing_back_ends_where_its_last_whole_repetition_did() -> None:
    """Python 3.11.0 to 3.11.4, Debian 12's among them, end it behind the second `a`."""
    found = possessive(rb"(?:ab?c)*+").match(b"aca")
    assert found is not None
    assert found.span() == (0, 2)


@pytest.mark.parametrize(
    "pattern",
    [
        _START_TAG, _ATTRIBUTES_OF_TAG, _UNMARKING, _LAST_FLOW, _TAG, _TYPE
    ],
    ids=["start tag", "attributes", "unmarking", "last flow", "tag", "type"],
)  # fmt: skip
def test_patterns_match_alike_where_python_takes_possessive_groups_wrongly(pattern: "re.Pattern[bytes]") -> None:
    greedy, dice = possessive(pattern.pattern, as_they_are=False), Random(4)
    for vector in VECTORS.values():
        for wire in (vector.wire, *(damaged(vector.wire, dice) for _ in range(40))):
            assert [each.span() for each in greedy.finditer(wire)] == [each.span() for each in pattern.finditer(wire)]


@pytest.mark.parametrize("head", ['<event a="', "<event" + ' a="b"' * 8_000, "<event" + " a='b'" * 8_000 + "<"])
def test_a_greedy_group_finds_as_quickly_that_nothing_matches(head: str) -> None:
    wire = (head + "x" * 10_000).encode()
    for pattern in (_START_TAG, _TAG, _TYPE):
        assert possessive(pattern.pattern, as_they_are=False).match(wire) is None
