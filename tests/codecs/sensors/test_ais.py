"""AIS: what the bytes mean, against values that others have published, and what is joined, refused and bounded."""

import pytest
from pyais import decode
from pyais.encode import encode_dict

from aquila.codecs.ais import codec
from aquila.codecs.ais.ships import kind_of, look_of
from aquila.codecs.ais.wire import WAITING_MAX
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Report
from aquila.core.sensing import Sensed, SensorDecoder, new_decoder, nmea_checksum
from aquila.testing.sensors import RECEIVED_MS, read, sensor_vectors

PART_B = b"!AIVDM,1,1,,A,H52KMeDU653hhhi0000000000000,0*1A\r\n"
NAMED_5 = (
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n",
    b"!AIVDM,2,2,1,A,88888888880,2*25\r\n",
)


def decoder() -> SensorDecoder:
    return new_decoder(codec)


def one(*lines: bytes) -> Report:
    (found,) = read(decoder(), lines)
    assert isinstance(found, Sensed), found
    assert isinstance(found.body, Report)
    return found.body


def reasons(wire: bytes) -> list[str]:
    return [each.reason for each in decoder().feed(wire, RECEIVED_MS) if isinstance(each, CodecError)]


def signed(body: bytes) -> bytes:
    return b"!%s*%02X\r\n" % (body, nmea_checksum(body))


def test_a_class_a_position_has_the_values_that_gpsd_publishes() -> None:
    report = one(b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\r\n")
    assert report.alias.value == "366053209"
    assert report.entity == entity_id("mmsi", "366053209")
    assert report.position is not None
    assert report.position.lat_deg == pytest.approx(37.802118, abs=1e-6)
    assert report.position.lon_deg == pytest.approx(-122.341618, abs=1e-6)
    assert report.position.ce_m == 30.0, "low accuracy"
    assert report.motion is not None
    assert (report.motion.course_deg, report.motion.speed_mps) == (219.3, 0.0)
    assert report.fields["status"] == "restricted manoeuvrability"


def test_the_second_of_the_minute_is_taken_in_the_nearest_minute() -> None:
    report = one(b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\r\n")
    assert report.observed_at_ms % 60_000 == 59_000
    assert abs(report.observed_at_ms - RECEIVED_MS) <= 30_000


def test_static_data_are_joined_to_the_positions_of_the_same_mmsi() -> None:
    living = decoder()
    (named,) = read(living, NAMED_5)
    assert isinstance(named, Sensed)
    assert isinstance(named.body, Report)
    mmsi = named.body.alias.value
    told = decode(*(line.strip() for line in NAMED_5))
    assert named.body.name == told.shipname
    assert mmsi == f"{told.mmsi:09d}"
    assert named.body.position is None
    again = read(living, NAMED_5)
    assert again == [], "nothing new is not said again"


def test_parts_may_come_in_any_order_but_not_for_ever() -> None:
    assert one(*reversed(NAMED_5)).name
    living = decoder()
    assert living.feed(NAMED_5[0], RECEIVED_MS) == []
    late = living.feed(NAMED_5[1], RECEIVED_MS + 60_000)
    assert [each.reason for each in late if isinstance(each, CodecError)] == ["missing"]
    assert not any(isinstance(each, Sensed) for each in late)


def test_parts_that_wait_are_bounded() -> None:
    living = decoder()
    lost = 0
    for number in range(3 * WAITING_MAX):
        wire = signed(
            b"AIVDM,2,1,%d,%c,55O0W7`00001L@gCWGA2uItLth@DqtL5@F22220j1h742t0Ht0000000,0"
            % (number % 10, 65 + number // 10)
        )
        lost += sum(isinstance(each, CodecError) for each in living.feed(wire, RECEIVED_MS))
    assert lost >= WAITING_MAX


@pytest.mark.parametrize(
    ("mmsi", "kind"),
    [
        (366053209, "ship"),
        (111232511, "aircraft"),
        (993692028, "aid"),
        (3669702, "base"),
        (970010119, "device"),
        (972123456, "device"),
        (974123456, "device"),
        (982123456, "craft"),
    ],
)
def test_the_mmsi_says_what_kind_of_station_it_is(mmsi: int, kind: str) -> None:
    assert kind_of(mmsi) == kind


def test_a_distress_beacon_is_an_emergency_and_its_test_is_not_active() -> None:
    for status, active, cot in ((14, True, "b-a-o-tbl"), (15, False, "b-a-o-can")):
        (sentence,) = encode_dict(
            {"type": 1, "mmsi": 970010119, "status": status, "lat": 42.5, "lon": 18.4, "speed": 102.3, "second": 60},
            talker_id="AI",
        )
        report = one(sentence.encode() + b"\r\n")
        assert report.emergency is not None
        assert (report.emergency.type, report.emergency.active, report.type) == ("AIS-SART", active, cot)
        assert report.motion is None or report.motion.speed_mps is None, "102.3 is not available"
        assert report.observed_at_ms == RECEIVED_MS, "second 60 is not available"


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5D\r\n", "checksum"),
        (b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0\r\n", "checksum"),
        (signed(b"AIVDM,1,1,,B,15M6,0"), "truncated"),
        (signed(b"AIVDM,1,1,,A,H52KMeHU653hhhi0000000000000,0"), "type"),
        (signed(b"AIVDM,1,1,,B,w5M67FC000G?ufbE`FepT@3n00Sa,0"), "type"),
        (signed(b"AIVDM,1,1,,B,85Mwp`1Kf3aCnsNvBWLi=wQuNhA5t43N`5nCuI=p<IBfVqnMgPGs,0"), "unsupported"),
        (signed(b"AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa"), "syntax"),
        (signed(b"AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,9"), "number"),
        (signed(b"AIVDM,2,3,1,B,15M67FC000G?ufbE`FepT@3n00Sa,0"), "range"),
        (b"!" + b"A" * 2_000 + b"\r\n", "oversize"),
    ],
)
def test_what_is_bad_is_refused_with_its_reason(wire: bytes, reason: str) -> None:
    assert reasons(wire) == [reason]


def test_a_tag_block_says_when_the_station_heard_it() -> None:
    (vector,) = [each for each in sensor_vectors("aquila.codecs.ais", "ais") if each.name == "tag_blocks"]
    (report,) = vector.told
    assert isinstance(report, Report)
    assert abs(report.observed_at_ms - 1_503_079_517_000) <= 30_000


def test_a_datagram_without_a_line_end_is_read_at_its_end() -> None:
    living = decoder()
    assert living.feed(b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C", RECEIVED_MS) == []
    assert len(living.end(RECEIVED_MS)) == 1


def test_every_ship_type_has_a_symbol_of_the_sea() -> None:
    for ship_type in (None, *range(256)):
        look = look_of("ship", ship_type)
        assert len(look.sidc) == 20
        assert look.sidc[:6] == "100130"
    assert look_of("ship", 70).words == "cargo"
    assert look_of("ship", 80).sidc[10:16] == "140109"


def test_part_b_of_class_b_says_what_she_is() -> None:
    report = one(PART_B)
    assert report.fields["ship_type"] == "pleasure craft"
    assert report.type == "a-u-S-X-R"
    assert report.name is None, "her name is in part A"
