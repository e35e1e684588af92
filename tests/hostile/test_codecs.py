"""More than 100,000 hostile inputs: the codecs refuse or read each of them, and never raise."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from time import process_time

import pytest
from lxml import etree

from aquila.codecs.cot import TakSession, convert, cot_xml, tak_v1
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError
from aquila.core.model import Foreign, Original
from aquila.testing.codecs import FLOW, LABEL, NOW_MS, damaged, outgoing, vectors_beside
from aquila.testing.hostile_cot import KINDS, MUST_REFUSE, hostile_frames, hostile_kinds

DOCUMENTS, DAMAGED_XML, DAMAGED_FRAMES, RANDOM_FRAMES, TALKS = 24_000, 100_000, 50_000, 20_000, 30_000
assert DOCUMENTS + DAMAGED_XML + DAMAGED_FRAMES + RANDOM_FRAMES + TALKS >= 100_000

MEAN_CPU_S = 0.020
"""What one input may cost, as a mean over many: no clock of a busy machine is exact for one."""
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
XML = [vector.wire for vector in vectors_beside("aquila.codecs.cot", "cot-xml")]
FRAMES = [vector.wire for vector in vectors_beside("aquila.codecs.cot", "tak-v1")]
GOOD = XML[0]
Piece = Decoded | Control | CodecError


def told(pieces: Iterable[object]) -> list[Decoded]:
    """What was accepted; fails on anything that is no answer of a codec."""
    found = list(pieces)
    assert all(isinstance(each, Decoded | Control | CodecError) for each in found)
    return [each for each in found if isinstance(each, Decoded)]


def fitting(convert_it: Callable[[], bytes]) -> bytes | None:
    """What an accepted event is in the other format; None = too large there, the one reason allowed."""
    reason = "oversize"
    try:
        return convert_it()
    except CodecError as error:
        reason = error.reason
    assert reason == "oversize"
    return None


def sent_again(decoded: Decoded) -> None:
    """Everything accepted leaves in both formats, as XML that another parser takes; or is refused with a reason."""
    is_frame = decoded.original[:1] == b"\xbf"
    own, other = (tak_v1, cot_xml) if is_frame else (cot_xml, tak_v1)
    formed = Original(own.name, decoded.original)
    converted = fitting(lambda: convert(formed, other.name))
    xml = converted if is_frame else decoded.original
    for codec, original in ((own, decoded.original), (other, converted)):
        if original is None or codec.encode is None:
            continue
        wire = codec.encode(outgoing(decoded.body, original))
        if codec is cot_xml:
            root = etree.fromstring(wire, PARSER)
            assert root.get("access") == LABEL.classification
            assert len(root.findall(f"detail/_flow-tags_[@TAK-Server-{FLOW}]")) == 1, wire
    assert xml is None or etree.fromstring(xml, PARSER).tag == "event"


def written_anew(decoded: Decoded) -> None:
    """A body without its original, as a redacted reader gets it, is XML as well; some kinds are not written."""
    if isinstance(decoded.body, Foreign):
        return
    try:
        wire = cot_xml.encode(outgoing(decoded.body)) if cot_xml.encode else b""
    except CodecError:
        return
    assert etree.fromstring(wire, PARSER).tag == "event"


def test_hostile_documents_are_refused_or_read_as_harmless() -> None:
    spent_s: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for name, data in hostile_kinds(11, DOCUMENTS):
        began = process_time()
        assert cot_xml.decoder is not None
        bodies = told(cot_xml.decoder().feed(data))
        spent_s[name] += process_time() - began
        count[name] += 1
        assert not (bodies and name in MUST_REFUSE), (name, data[:300])
        if bodies and count[name] % 10 == 0:
            sent_again(bodies[0])
            written_anew(bodies[0])
    assert count.keys() == KINDS.keys()
    dear = {name: spent_s[name] / count[name] for name in count if spent_s[name] / count[name] > MEAN_CPU_S}
    assert not dear


@pytest.mark.parametrize("part", range(4))
def test_damaged_events_are_refused_or_can_be_sent_again(part: int) -> None:
    dice = Random(100 + part)
    accepted = 0
    began = process_time()
    for _ in range(DAMAGED_XML // 4):
        assert cot_xml.decoder is not None
        for decoded in told(cot_xml.decoder().feed(damaged(dice.choice(XML), dice))):
            accepted += 1
            if accepted % 5 == 0:
                sent_again(decoded)
                written_anew(decoded)
    assert process_time() - began < MEAN_CPU_S * DAMAGED_XML / 4
    assert accepted


def test_damaged_frames_are_refused_or_can_be_sent_again() -> None:
    dice = Random(200)
    accepted = 0
    began = process_time()
    for _ in range(DAMAGED_FRAMES):
        assert tak_v1.decoder is not None
        for decoded in told(tak_v1.decoder().feed(damaged(dice.choice(FRAMES), dice))):
            accepted += 1
            if accepted % 5 == 0:
                sent_again(decoded)
                written_anew(decoded)
    assert process_time() - began < MEAN_CPU_S * DAMAGED_FRAMES
    assert accepted


def test_random_frames_never_become_a_statement() -> None:
    began = process_time()
    for data in hostile_frames(300, RANDOM_FRAMES):
        assert tak_v1.decoder is not None
        assert not told(tak_v1.decoder().feed(data)), data
    assert process_time() - began < MEAN_CPU_S * RANDOM_FRAMES


def request(dice: Random) -> bytes:
    """A client asks to speak protobuf, at times wrongly."""
    version = dice.choice(("1", "1", "1", "2", "", "x" * 9000))
    uid = dice.choice(("a", "", "&lt;", "u" * 600))
    at = "2026-03-01T10:11:12.345Z"
    return (
        f'<event version="2.0" uid="{uid}" type="t-x-takp-q" time="{at}" start="{at}" stale="{at}" how="m-g">'
        f'<point lat="0" lon="0" hae="0" ce="1" le="1"/><detail><TakControl><TakRequest version="{version}"/>'
        "</TakControl></detail></event>"
    ).encode()


def talk(session: TakSession, data: bytes, dice: Random | None) -> list[Piece]:
    """All that a session says to bytes that come at once, or cut by the dice."""
    found: list[Piece] = []
    at = 0
    while at < len(data):
        end = len(data) if dice is None else at + dice.choice((1, 2, 7, 64, 1500))
        found += session.receive(data[at:end], NOW_MS)
        at = end
    return found


def test_a_session_survives_whatever_it_is_told() -> None:
    dice = Random(400)
    documents = (data for _, data in hostile_kinds(401, TALKS * 3))
    frames = hostile_frames(402, TALKS * 3)
    switched = 0
    began = process_time()
    for _ in range(TALKS):
        session = TakSession("5.0", "node-1", lambda: "offer-1")
        session.greeting(NOW_MS)
        sources = (
            lambda: damaged(dice.choice(XML), dice),
            lambda: damaged(dice.choice(FRAMES), dice),
            lambda: dice.choice(XML),
            lambda: dice.choice(FRAMES),
            lambda: request(dice),
            lambda: next(documents)[:8_000],
            lambda: next(frames),
        )
        data = b"".join(dice.choice(sources)() for _ in range(dice.randint(1, 3)))
        for decoded in told(talk(session, data, None)):
            if dice.random() < 0.02:
                for form in ("cot-xml", "tak-v1"):
                    session.format = form
                    kind = "tak-v1" if decoded.original[:1] == b"\xbf" else "cot-xml"
                    again = Original(kind, decoded.original)
                    assert fitting(partial(session.write, again)) != b""
        switched += session.format == "tak-v1"
    assert process_time() - began < MEAN_CPU_S * TALKS
    assert switched


def test_it_does_not_matter_where_the_network_cuts() -> None:
    dice = Random(500)
    documents = (data for _, data in hostile_kinds(501, 2_000))
    for number in range(300):
        parts = [damaged(dice.choice(XML), dice), next(documents)[:5_000], dice.choice(XML), request(dice)]
        dice.shuffle(parts)
        data = b"".join(parts) + dice.choice(FRAMES)
        whole, cut = (TakSession("5.0", "node-1", lambda: "offer-1") for _ in range(2))
        at_once = talk(whole, data, None)
        step_by_step = [each for at in range(len(data)) for each in cut.receive(data[at : at + 1], NOW_MS)]
        assert [said(each) for each in at_once] == [said(each) for each in step_by_step], number
        assert whole.broken == cut.broken
        assert whole.format == cut.format


def said(piece: Piece) -> object:
    """A piece in a form that can be compared."""
    return piece.reason if isinstance(piece, CodecError) else piece


def test_good_events_between_bad_ones_all_arrive() -> None:
    for seed in range(40):
        assert cot_xml.decoder is not None
        decoder = cot_xml.decoder()
        good = told(cot_xml.decoder().feed(GOOD))[0].body
        stream = [data + b"\n" + GOOD for name, data in hostile_kinds(600 + seed, 60) if name in MUST_REFUSE]
        heard = [each.body for chunk in stream for each in told(decoder.feed(chunk))]
        assert not decoder.broken
        assert heard == [good] * len(stream)


def test_a_bad_event_in_a_sound_frame_breaks_no_stream() -> None:
    dice = Random(700)
    good = FRAMES[0]
    assert tak_v1.decoder is not None
    for _ in range(300):
        decoder = tak_v1.decoder()
        payload = damaged(good[3:] if good[1] & 0x80 else good[2:], dice)[:16_000]
        frame = bytes((0xBF, len(payload) & 0x7F | 0x80, len(payload) >> 7)) + payload
        heard = told(decoder.feed(frame + good))
        assert not decoder.broken
        assert heard[-1].original == good
