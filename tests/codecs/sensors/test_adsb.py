"""ADS-B, Mode S and SBS: published frames, another decoder as the oracle, emergencies, jumps."""

import math
from itertools import count

import pytest
import rs1090

from aquila.codecs import adsb, sbs
from aquila.codecs.adsb.cpr import from_pair, from_reference, longitude_zones
from aquila.codecs.adsb.wire import remainder
from aquila.core.errors import CodecError
from aquila.core.model import Report
from aquila.core.sensing import Reading, Sensed, new_decoder
from aquila.testing.sensors import RECEIVED_MS, sensor_vectors

# Junzi Sun, The 1090 Megahertz Riddle: airborne position of 40621D at 52.2572 N, 3.91937 E, 38,000 ft.
EVEN, ODD = "8D40621D58C382D690C8AC2863A7", "8D40621D58C386435CC412692AD6"
VELOCITY, NAME = "8D485020994409940838175B284F", "8D4840D6202CC371C32CE0576098"


def reports(found: list[Reading]) -> list[Report]:
    return [each.body for each in found if isinstance(each, Sensed) and isinstance(each.body, Report)]


def lines(*frames: str) -> bytes:
    return "".join(f"*{frame};\n" for frame in frames).encode()


def with_parity(head: bytes) -> bytes:
    return head + remainder(head + bytes(3)).to_bytes(3, "big")


def test_a_pair_of_frames_gives_the_published_place() -> None:
    (report,) = reports(new_decoder(adsb.raw).feed(lines(ODD, EVEN), RECEIVED_MS))
    assert report.alias.value == "40621d"
    assert report.position is not None
    assert report.position.lat_deg == pytest.approx(52.25720, abs=1e-4)
    assert report.position.lon_deg == pytest.approx(3.91937, abs=1e-4)
    assert report.fields["pressure_altitude_ft"] == "38000"
    assert report.position.hae_m is None, "a pressure altitude is no height above the ellipsoid"
    assert report.observed_at_ms == RECEIVED_MS


def test_two_frames_too_far_apart_in_time_are_no_pair() -> None:
    decoder = new_decoder(adsb.raw)
    assert reports(decoder.feed(lines(ODD), RECEIVED_MS)) == []
    assert reports(decoder.feed(lines(EVEN), RECEIVED_MS + 20_000)) == []


def test_one_frame_near_the_receiver_is_enough() -> None:
    decoder = new_decoder(adsb.raw, {"receiver": [52.0, 4.0]})
    (report,) = reports(decoder.feed(lines(EVEN), RECEIVED_MS))
    assert report.position is not None
    assert report.position.lat_deg == pytest.approx(52.25720, abs=1e-4)


def test_places_are_those_of_the_librarys_own_batch_decoder() -> None:
    told = rs1090.decode([ODD, EVEN], [0.0, 1.0])[1]
    (report,) = reports(new_decoder(adsb.raw).feed(lines(ODD, EVEN), RECEIVED_MS))
    assert report.position is not None
    assert report.position.lat_deg == pytest.approx(told["latitude"], abs=1e-5)
    assert report.position.lon_deg == pytest.approx(told["longitude"], abs=1e-5)


def test_zones_have_the_widths_of_the_standard() -> None:
    # RTCA DO-260B, A.1.7.2 d: the first and the last transition latitudes.
    for lat_deg, zones in ((0.0, 59), (10.46, 59), (10.48, 58), (52.25720, 36), (86.53, 3), (86.54, 2), (87.1, 1)):
        assert longitude_zones(lat_deg) == longitude_zones(-lat_deg) == zones, lat_deg


def encoded(lat_deg: float, lon_deg: float, is_odd: bool) -> tuple[float, float]:
    """DO-260B, A.1.7.3: the encoder of the standard, for a round trip."""
    zone_deg = 360.0 / (60 - is_odd)
    lat_part = math.floor(131_072 * (lat_deg % zone_deg) / zone_deg + 0.5)
    kept_deg = zone_deg * (lat_part / 131_072 + math.floor(lat_deg / zone_deg))
    wide_deg = 360.0 / max(longitude_zones(kept_deg) - is_odd, 1)
    return lat_part % 131_072, math.floor(131_072 * (lon_deg % wide_deg) / wide_deg + 0.5) % 131_072


def test_every_place_on_earth_comes_back_from_its_pair() -> None:
    missed = 0
    for lat_deg in range(-89, 90, 4):
        for lon_deg in range(-179, 180, 7):
            even, odd = encoded(lat_deg + 0.13, lon_deg + 0.37, False), encoded(lat_deg + 0.13, lon_deg + 0.37, True)
            for newest_is_odd in (False, True):
                place = from_pair(even, odd, newest_is_odd)
                if place is None:
                    missed += 1
                    continue
                assert place[0] == pytest.approx(lat_deg + 0.13, abs=1e-3)
                assert place[1] == pytest.approx(lon_deg + 0.37, abs=2e-2)
            near = from_reference(even, False, (lat_deg, lon_deg))
            assert near is not None
            assert near[0] == pytest.approx(lat_deg + 0.13, abs=1e-3)
    assert missed == 0


def test_motion_and_name_are_joined_to_the_next_place() -> None:
    decoder = new_decoder(adsb.raw)
    (named,) = reports(decoder.feed(lines(NAME), RECEIVED_MS))
    assert named.name == "KLM1023"
    assert named.position is None
    assert decoder.feed(lines(VELOCITY), RECEIVED_MS) == []


def test_an_emergency_is_said_at_once_and_once_and_ends() -> None:
    decoder = new_decoder(adsb.raw)
    squitter = with_parity(bytes.fromhex("8da2c1b6e112b600000000"))
    # BDS 6,1 subtype 1, emergency state 1, squawk as before.
    alarm = with_parity(bytes.fromhex("8da2c1b6e132b600000000"))
    assert reports(decoder.feed(lines(squitter.hex()), RECEIVED_MS)) == []
    (report,) = reports(decoder.feed(lines(alarm.hex(), alarm.hex()), RECEIVED_MS))
    assert report.emergency is not None
    assert (report.emergency.type, report.emergency.active) == ("Emergency", True)
    (over,) = reports(decoder.feed(lines(squitter.hex()), RECEIVED_MS))
    assert over.emergency is not None
    assert not over.emergency.active


def test_noise_does_not_make_aircraft() -> None:
    decoder = new_decoder(adsb.raw)
    # The address of a DF 5 reply is its parity: any bytes are an aircraft. Nobody has introduced this one.
    assert decoder.feed(lines("28001B1A4E3C4E"), RECEIVED_MS) == []


def test_a_jump_is_refused_and_the_next_pair_decides() -> None:
    decoder = new_decoder(adsb.raw)
    clock = count(RECEIVED_MS, 500)
    for frame in (ODD, EVEN):
        decoder.feed(lines(frame), next(clock))
    far = with_parity(bytes.fromhex(EVEN[:22])[:7] + bytes.fromhex("20e8ac28"))
    found = decoder.feed(lines(far.hex()), next(clock))
    assert [each.reason for each in found if isinstance(each, CodecError)] == ["range"]
    assert reports(decoder.feed(lines(ODD), next(clock))) == []
    assert len(reports(decoder.feed(lines(EVEN), next(clock)))) == 1


def test_beast_and_raw_say_the_same_of_the_same_frames() -> None:
    (vector,) = sensor_vectors("aquila.codecs.adsb", "adsb-beast")
    (as_text,) = sensor_vectors("aquila.codecs.adsb", "adsb-raw")
    binary = reports(new_decoder(adsb.beast).feed(vector.wire, RECEIVED_MS))
    text = reports(new_decoder(adsb.raw).feed(as_text.wire, RECEIVED_MS))
    assert binary == text


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (lines("8D40621D58C382D690C8AC2863A8"), "checksum"),
        (b"*8D40621D;\n", "syntax"),
        (b"*8D40621D58C382D690C8AC2863A7\n", "syntax"),
    ],
)
def test_bad_lines_have_a_reason(wire: bytes, reason: str) -> None:
    assert [each.reason for each in new_decoder(adsb.raw).feed(wire, RECEIVED_MS) if isinstance(each, CodecError)] == [
        reason
    ]


def test_a_beast_frame_that_ends_early_does_not_take_the_next_one_with_it() -> None:
    whole = b"\x1a3" + bytes(7) + bytes.fromhex(ODD) + b"\x1a3" + bytes(7) + bytes.fromhex(EVEN)
    found = new_decoder(adsb.beast).feed(b"\x1a3" + bytes(9) + whole, RECEIVED_MS)
    assert [each.reason for each in found if isinstance(each, CodecError)] == ["truncated"]
    assert len(reports(found)) == 1


def test_sbs_joins_lines_and_shows_a_hijack_at_once() -> None:
    decoder = new_decoder(sbs.codec)
    head = "MSG,{},1,1,40621D,1,2026/03/01,12:00:01.000,2026/03/01,12:00:01.000,"
    wire = (
        head.format(6) + ",,,,,,,7500,0,0,0,0\r\n"
        + head.format(4) + ",,272,207,,,-704,,,,,0\r\n"
        + head.format(3) + ",6050,,,52.25720,3.91937,,,,,,0\r\n"
    )  # fmt: skip
    alarm, placed = reports(decoder.feed(wire.encode(), RECEIVED_MS))
    assert alarm.emergency is not None
    assert alarm.emergency.type == "Unlawful interference"
    assert placed.motion is not None
    assert placed.motion.climb_mps == pytest.approx(-3.576, abs=1e-3)
    assert placed.position is not None
    assert placed.position.hae_m is None
    assert placed.fields["pressure_altitude_ft"] == "6050"
