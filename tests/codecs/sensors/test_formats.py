"""The other sensor formats: values that independent readers or the samples' own tests give, units, joins, refusals."""

from math import cos, radians, sin, sqrt

import pytest

from aquila.codecs import asterix, cap, dis, gpx, mavlink, meshtastic, misb, mqtt_json, nmea_gps
from aquila.core.errors import CodecError, UsageError
from aquila.core.model import Body, Note, Position, Removal, Report
from aquila.core.plot import Plot
from aquila.core.sensing import (
    Lines,
    Reading,
    Sensed,
    SensorCodec,
    TopicDecoder,
    nearest_ms,
    new_decoder,
    nmea_checksum,
)
from aquila.testing.sensors import RECEIVED_MS, sensor_vectors


def told(package: str, format: str, name: str) -> tuple[Body | Plot, ...]:
    return next(each for each in sensor_vectors(f"aquila.codecs.{package}", format) if each.name == name).told


def reports(found: list[Reading]) -> list[Report]:
    return [each.body for each in found if isinstance(each, Sensed) and isinstance(each.body, Report)]


def reasons(codec: SensorCodec, wire: bytes) -> list[str]:
    decoder = new_decoder(codec)
    found = decoder.feed(wire, RECEIVED_MS) + decoder.end(RECEIVED_MS)
    return [each.reason for each in found if isinstance(each, CodecError)]


# --- core -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received_ms", "offset_ms", "nearest"),
    [(60_000, 59_000, 59_000), (60_000, 1_000, 61_000), (119_000, 0, 120_000), (90_000, 0, 120_000), (0, 0, 0)],
)
def test_the_nearest_time_may_lie_on_either_side(received_ms: int, offset_ms: int, nearest: int) -> None:
    assert nearest_ms(received_ms, offset_ms, 60_000) == nearest


def test_wrong_settings_of_a_feed_name_the_right_ones() -> None:
    with pytest.raises(UsageError, match="name, type, sidc"):
        new_decoder(nmea_gps.codec, {"nme": "x"})
    with pytest.raises(UsageError, match="name, type, sidc"):
        new_decoder(nmea_gps.codec, {"name": 7})


# --- ASTERIX --------------------------------------------------------------------------------------


def test_a_radar_plot_has_the_values_given_to_an_independent_writer() -> None:
    # aviconv-asterix 0.4.0 was given: rho 43.5 NM, theta 291.09375, 27,354.5 s, FL 245, 420 kt, 135 degrees.
    plot, bare = told("asterix", "asterix", "radar_plot_048")
    assert isinstance(plot, Plot)
    assert plot.polar is not None
    assert plot.polar.range_m == pytest.approx(43.5 * 1852)
    assert plot.polar.azimuth_deg == 291.09375
    assert plot.observed_at_ms % 86_400_000 == 27_354_500
    assert (plot.sensor, plot.mode3a, plot.mode_s) == ("asterix:25/7", "2345", "4b1a2c")
    assert (plot.callsign, plot.track) == ("AQU042", "1207")
    assert plot.pressure_altitude_m == pytest.approx(24_500 * 0.3048)
    assert float(plot.fields["speed_mps"]) == pytest.approx(420 * 1852 / 3600, abs=0.1)
    assert plot.fields["detected_by"] == "Mode S roll-call"
    assert isinstance(bare, Plot)
    assert (bare.mode_s, bare.fields["detected_by"]) == (None, "PSR")
    (radar,) = told("asterix", "asterix", "radar_service_034")
    assert isinstance(radar, Report)
    assert radar.position is not None
    assert radar.position.lat_deg == pytest.approx(0x20945C * 180 / 2**23)


def test_a_derived_line_has_the_values_of_an_independent_reader() -> None:
    # rs1090 reads 52.25720, 3.91937 and 38,000 ft from the pair of frames of 40621D.
    placed = [each for each in told("sbs", "sbs", "derived_from_frames") if isinstance(each, Report) and each.position]
    assert placed[0].position == Position(52.2572, 3.91937)
    assert placed[0].fields["pressure_altitude_ft"] == "38000"
    assert placed[-1].emergency is not None
    assert placed[-1].motion is not None


def test_system_tracks_and_reports_come_back_from_an_independent_writer() -> None:
    track, _ = told("asterix", "asterix", "system_tracks_wgs84_062")
    assert isinstance(track, Report)
    assert track.alias.value == "1/2/387"
    assert track.position is not None
    assert (track.position.lat_deg, track.position.lon_deg) == pytest.approx((45.8, 15.9), abs=1e-5)
    assert track.motion is not None
    assert track.motion.speed_mps == pytest.approx(sqrt(120.0**2 + 80.5**2), abs=0.2)
    assert track.position.hae_m is None
    assert track.fields["pressure_altitude_ft"] == "31000"
    _, aircraft = told("asterix", "asterix", "adsb_021")
    assert isinstance(aircraft, Report)
    assert aircraft.emergency is not None
    assert aircraft.emergency.type == "Emergency", "Mode 3/A 7700"


def test_other_categories_and_broken_blocks_have_reasons() -> None:
    assert reasons(asterix.codec, bytes.fromhex("41000500ff")) == ["unsupported"]
    assert reasons(asterix.codec, bytes.fromhex("300006ff0102")) == ["syntax"]
    assert reasons(asterix.codec, bytes.fromhex("300030fdf702")) == ["truncated"]
    assert reasons(asterix.codec, bytes.fromhex("300001")) == ["oversize"]


# --- GMTI and MISB --------------------------------------------------------------------------------


def test_the_error_of_a_target_lies_along_and_across_the_line_of_sight() -> None:
    sensor, first, _ = told("gmti", "gmti", "full_mask_every_optional_group")
    assert isinstance(sensor, Report)
    assert isinstance(first, Plot)
    assert sensor.position is not None
    assert sensor.position.hae_m == 8_500.0
    assert first.covariance_m2 is not None
    east_m2, north_m2, both_m2 = first.covariance_m2
    assert east_m2 * north_m2 > both_m2**2, "a covariance is positive definite"
    assert first.radial_mps == -4.5
    assert first.fields["class"] == "wheeled vehicle"


def test_targets_of_a_camera_are_plots_at_their_offsets_from_the_centre() -> None:
    platform, first, second = told("misb", "misb", "embedded_targets")
    assert isinstance(platform, Report)
    assert platform.name == "Puma"
    assert isinstance(first, Plot)
    assert isinstance(second, Plot)
    assert first.position is not None
    assert (first.position.lat_deg, first.position.lon_deg) == pytest.approx((42.511, 74.258), abs=1e-4)
    assert (first.track, second.track) == ("1", "2")


def test_a_packet_with_a_wrong_sum_is_refused() -> None:
    vectors = sensor_vectors("aquila.codecs.misb", "misb")
    wire = next(each for each in vectors if each.name == "st0902_dynamic_and_constant").wire
    assert reasons(misb.codec, wire) == ["checksum"]


def test_a_camera_without_a_name_needs_one_in_the_settings() -> None:
    vectors = sensor_vectors("aquila.codecs.misb", "misb")
    wire = next(each for each in vectors if each.name == "st0902_dynamic_only").wire
    assert reasons(misb.codec, wire) == ["missing"]


# --- GPS, GPX, CAP --------------------------------------------------------------------------------


def sentence(body: str) -> bytes:
    return f"${body}*{nmea_checksum(body.encode()):02X}\r\n".encode()


def test_height_and_motion_are_joined_and_height_is_above_the_ellipsoid() -> None:
    decoder = new_decoder(nmea_gps.codec, {"name": "P1"})
    decoder.feed(sentence("GPGGA,101500.00,4252.476,N,07434.188,E,1,09,0.8,1500.0,M,-38.0,M,,"), RECEIVED_MS)
    wire = sentence("GPRMC,101500.00,A,4252.476,N,07434.188,E,010.0,090.0,010326,,")
    (report,) = reports(decoder.feed(wire, RECEIVED_MS))
    assert report.position is not None
    assert report.position.hae_m == 1_462.0
    assert report.position.ce_m == 4.0
    assert report.position.lat_deg == pytest.approx(42.8746)
    assert report.motion is not None
    assert report.motion.speed_mps == pytest.approx(5.1444, abs=1e-3)
    assert report.observed_at_ms == 1_772_360_100_000, "2026-03-01T10:15:00Z"
    assert report.alias.value == "P1"


def test_a_track_with_times_is_a_report_at_each_and_one_without_is_a_line() -> None:
    points = told("gpx", "gpx", "around-visnjan-with-car")
    assert len(points) > 100
    times = [point.observed_at_ms for point in points if isinstance(point, Report)]
    assert times == sorted(times)
    wire = b'<gpx><trk><trkseg><trkpt lat="1" lon="2"/><trkpt lat="1" lon="3"/></trkseg></trk></gpx>'
    (line,) = reports(new_decoder(gpx.codec).feed(wire, RECEIVED_MS))
    assert line.geometry is not None
    assert line.geometry.points == ((1.0, 2.0), (1.0, 3.0))


ALERT = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>B</identifier><sender>s@x</sender>
<sent>2026-03-01T10:00:00+00:00</sent><status>Actual</status><msgType>{}</msgType><scope>Public</scope>
<references>s@x,A,2026-03-01T09:00:00+00:00</references>{}</alert>"""
INFO = """<info><event>Avalanche</event><expires>2026-03-01T12:00:00+00:00</expires><area><areaDesc>Valley</areaDesc>
<circle>42.5,74.5 2.5</circle></area></info>"""


def test_an_update_removes_what_it_refers_to_and_a_circle_has_metres() -> None:
    found = new_decoder(cap.codec).feed(ALERT.format("Update", INFO).encode(), RECEIVED_MS)
    gone, alert = (each.body for each in found if isinstance(each, Sensed))
    assert isinstance(gone, Removal)
    assert gone.alias.value == "s@x,A"
    assert isinstance(alert, Report)
    assert alert.geometry is not None
    assert alert.geometry.radius_m == 2_500.0
    assert alert.stale_at_ms == alert.observed_at_ms + 7_200_000


def test_an_entity_attack_is_refused_before_anything_is_read() -> None:
    vectors = sensor_vectors("aquila.codecs.cap", "cap")
    assert reasons(cap.codec, next(each for each in vectors if each.name == "xee").wire) == ["dtd"]
    head = b'<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    bomb = head + b'<gpx><wpt lat="1" lon="1"><name>&b;</name></wpt></gpx>'
    assert reasons(gpx.codec, bomb) == ["dtd"]


# --- MAVLink, Meshtastic, DIS, JSON ---------------------------------------------------------------


def test_a_drone_has_the_values_that_the_other_library_wrote() -> None:
    first, southern, distress, over = told("mavlink", "mavlink", "pymavlink_v2")
    assert isinstance(first, Report)
    assert first.position is not None
    assert (first.position.lat_deg, first.position.hae_m, first.position.ce_m) == (42.8746, 1_462.5, 1.2)
    assert first.motion is not None
    assert first.motion.speed_mps == 5.0
    assert first.motion.climb_mps == 0.5
    assert first.battery_pct == 76
    assert isinstance(southern, Report)
    assert southern.motion is not None
    assert southern.motion.course_deg == 180.0
    assert isinstance(distress, Report)
    assert distress.emergency is not None
    assert distress.emergency.active
    assert isinstance(over, Report)
    assert over.emergency is not None
    assert not over.emergency.active


def test_a_frame_with_a_wrong_checksum_is_refused_and_the_next_one_read() -> None:
    wire = bytearray(next(each for each in sensor_vectors("aquila.codecs.mavlink", "mavlink")).wire)
    wire[8] ^= 1
    found = new_decoder(mavlink.codec).feed(bytes(wire), RECEIVED_MS)
    assert next(each.reason for each in found if isinstance(each, CodecError)) == "checksum"
    assert reports(found)


def test_a_mesh_node_has_the_values_that_the_other_library_wrote() -> None:
    placed, text, direct, coarse, _ = told("meshtastic", "meshtastic", "radio")
    assert isinstance(placed, Report)
    assert (placed.name, placed.battery_pct, placed.alias.value) == ("Patrol One", 83, "!433e1a2c")
    assert placed.position is not None
    assert (placed.position.hae_m, placed.position.ce_m) == (1_462.0, 4.5)
    assert isinstance(text, Note)
    assert text.text == "Хорошо, идём"
    assert isinstance(direct, Note)
    assert direct.room != text.room, "what is for one is not said to all"
    assert isinstance(coarse, Report)
    assert coarse.position is not None
    assert coarse.position.ce_m == 2_446.0, "13 bits of the circle"


def test_encrypted_packets_stay_unread() -> None:
    vectors = sensor_vectors("aquila.codecs.meshtastic", "meshtastic-mqtt")
    assert reasons(meshtastic.mqtt, next(each for each in vectors if each.name == "encrypted").wire) == ["unsupported"]


def test_what_two_gateways_pass_on_is_the_same_place_and_one_text() -> None:
    decoder = new_decoder(meshtastic.mqtt)
    vectors = {each.name: each.wire for each in sensor_vectors("aquila.codecs.meshtastic", "meshtastic-mqtt")}
    place = vectors["json_position"]
    others = place.replace(b"!7efeee00", b"!7efeee01").replace(b'"rssi":-61', b'"rssi":-99').replace(b"885,", b"887,")
    assert others != place
    first, second = (decoder.feed(wire, RECEIVED_MS) for wire in (place, others))
    assert first == second, "the node takes it for a replay"
    said = b'{"from":5,"id":%d,"type":"text","payload":{"text":"%s"},"timestamp":1772359%d}'
    texts = [
        said % one for one in ((4, b"here", 885), (4, b"here", 886), (4, b"forged", 886), (0, b"x", 1), (0, b"x", 2))
    ]
    found = [one for wire in texts for one in decoder.feed(wire, RECEIVED_MS)]
    assert [one.body.text for one in found if isinstance(one, Sensed) and isinstance(one.body, Note)] == [
        *("here", "forged", "x", "x")
    ]


def test_names_and_batteries_in_json_join_the_places_of_their_nodes() -> None:
    decoder = new_decoder(meshtastic.mqtt)
    said = (
        b'{"from":5,"id":1,"type":"nodeinfo","payload":{"longname":"Patrol Two","shortname":"P2","hardware":9}}',
        b'{"from":5,"id":2,"type":"telemetry","payload":{"battery_level":41,"voltage":3.7}}',
        b'{"from":5,"id":3,"type":"position","payload":{"latitude_i":428746000,"longitude_i":745698000}}',
        b'{"from":5,"id":4,"type":"text","payload":{"text":"at the bridge"},"to":4294967295}',
    )
    found = [one for payload in said for one in decoder.feed(payload, RECEIVED_MS)]
    placed, text = (one.body for one in found if isinstance(one, Sensed))
    assert isinstance(placed, Report)
    assert (placed.alias.value, placed.name, placed.battery_pct) == ("!00000005", "Patrol Two", 41)
    assert isinstance(text, Note)
    assert (text.text, text.author_name) == ("at the bridge", "Patrol Two")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "syntax"),
        (b'{"from":1,"type":"position","payload":[]}', "syntax"),
        (b'{"from":1,"type":"position","payload":{"latitude_i":99999999999,"longitude_i":1}}', "syntax"),
        (b'{"from":1,"type":"position","payload":{"latitude_i":999999999,"longitude_i":1}}', "range"),
        (b'{"from":1,"type":"position","payload":{"latitude_i":1}}', "missing"),
        (b'{"type":"position","payload":{"latitude_i":1,"longitude_i":1}}', "missing"),
        (b'{"from":1,"type":"paxcounter","payload":{}}', "unsupported"),
        (b'{"from":-1,"type":"text","payload":{"text":"x"}}', "syntax"),
        (b'{"from":1,"type":"text","payload":{"text":"' + b"x" * 8_192 + b'"}}', "oversize"),
    ],
)
def test_json_of_a_radio_that_cannot_be_read_has_its_reason(payload: bytes, reason: str) -> None:
    assert reasons(meshtastic.mqtt, payload) == [reason]


def test_an_entity_state_lies_where_the_samples_own_test_says() -> None:
    (report,) = told("dis", "dis", "entitystatepdu-26")
    assert isinstance(report, Report)
    assert report.alias.value == "7/42:4:26"
    assert report.fields["dis_type"] == "1.1.39.7.2.1.0"
    assert report.position is not None
    assert report.position.hae_m is not None
    # Forward again: x, y, z of open-dis-python's test.
    lat, lon, height_m = radians(report.position.lat_deg), radians(report.position.lon_deg), report.position.hae_m
    e2 = 1 - (1 - 1 / 298.257223563) ** 2
    normal_m = 6_378_137.0 / sqrt(1 - e2 * sin(lat) ** 2)
    assert (normal_m + height_m) * cos(lat) * cos(lon) == pytest.approx(4374082.80485589, abs=0.01)
    assert (normal_m + height_m) * cos(lat) * sin(lon) == pytest.approx(1667679.95730107, abs=0.01)
    assert (normal_m * (1 - e2) + height_m) * sin(lat) == pytest.approx(4318284.36890269, abs=0.01)


def test_only_the_exercise_that_was_asked_for_is_read() -> None:
    wire = next(each for each in sensor_vectors("aquila.codecs.dis", "dis") if each.told).wire
    assert new_decoder(dis.codec, {"exercise": 8}).feed(wire, RECEIVED_MS) == []
    assert len(new_decoder(dis.codec, {"exercise": 7}).feed(wire, RECEIVED_MS)) == 1


@pytest.mark.parametrize(
    "mapping",
    [
        {"fields": {"lat": {"path": "a"}}},
        {"fields": {"lat": {"path": "a"}, "lon": {"path": "b"}, "height": {"path": "c"}}},
        {"fields": {"lat": {"path": "a"}, "lon": {"path": "b", "unit": "ft"}}},
        {"fields": {"lat": {"path": "a..b"}, "lon": {"path": "b"}}},
        {"each": ""},
    ],
)
def test_a_wrong_mapping_is_refused_when_the_feed_is_made(mapping: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        new_decoder(mqtt_json.codec, mapping)


def test_a_mapping_may_name_levels_of_the_topic() -> None:
    mapping = {
        "scheme": "owntracks",
        "id": "$topic[2]",
        "extra": {"topic": "$topic", "user": "$topic[1]", "far": "$topic[9]"},
    }
    decoder = new_decoder(mqtt_json.codec, mapping)
    assert isinstance(decoder, TopicDecoder)
    (report,) = reports(decoder.feed_topic("owntracks/guard/phone", b'{"lat":1,"lon":2}', RECEIVED_MS))
    assert report.alias.value == "phone"
    assert report.fields == {"topic": "owntracks/guard/phone", "user": "guard"}
    (error,) = decoder.feed(b'{"lat":1,"lon":2}', RECEIVED_MS)
    assert isinstance(error, CodecError)
    assert error.reason == "missing"


def test_paths_and_units_of_a_mapping_are_followed() -> None:
    mapping = {
        "id": "dev.id",
        "fields": {
            "lat": {"path": "fix[0].lat", "unit": "deg_e7"},
            "lon": {"path": "fix[0].lon", "unit": "deg_e7"},
            "hae": {"path": "fix[0].h", "unit": "ft"},
            "speed": {"path": "v", "unit": "km/h"},
            "battery": {"path": "b", "unit": "ratio"},
            "time": {"path": "t", "unit": "iso"},
        },
    }
    wire = b"""{"dev":{"id":7},"fix":[{"lat":428746000,"lon":"745698000","h":1000}],
        "v":36,"b":0.5,"t":"2026-03-01T10:00:00Z"}"""
    (report,) = reports(new_decoder(mqtt_json.codec, mapping).feed(wire, RECEIVED_MS))
    assert report.position is not None
    assert (report.position.lat_deg, report.position.hae_m) == pytest.approx((42.8746, 304.8))
    assert report.motion is not None
    assert report.motion.speed_mps == pytest.approx(10.0)
    assert report.battery_pct == 50
    assert report.observed_at_ms == 1_772_359_200_000
    assert report.alias.value == "7"


def test_a_line_that_is_too_long_is_one_error_and_the_next_is_read() -> None:
    found = Lines(100).feed(b"a" * 150 + b"b" * 200 + b"\nshort\n")
    assert [isinstance(each, CodecError) for each in found] == [True, False]
