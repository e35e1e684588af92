"""Every sensor codec keeps the contract, with 5,000 hostile inputs each (100,000 in the long run)."""

import re
from importlib.metadata import entry_points
from importlib.resources import files
from random import Random

from aquila.codecs import (
    adsb,
    ais,
    asterix,
    cap,
    dis,
    gmti,
    gpx,
    mavlink,
    meshtastic,
    misb,
    mqtt_json,
    nmea_gps,
    sbs,
)
from aquila.codecs.mavlink.wire import LAYOUTS, crc
from aquila.core.sensing import nmea_checksum
from aquila.testing.sensors import SensorContract, sensor_vectors, sensors_installed

SENTENCE = re.compile(rb"([!$])([^*\r\n!$]{5,120})(?:\*[0-9A-Fa-f]{0,2})?(?=\r?\n|$)")


def with_checksums(wire: bytes) -> bytes:
    return SENTENCE.sub(lambda found: b"%s%s*%02X" % (found[1], found[2], nmea_checksum(found[2])), wire)


class TestAis(SensorContract):
    codec = ais.codec
    vectors = sensor_vectors("aquila.codecs.ais", "ais")

    def remade(self, wire: bytes, dice: Random) -> bytes:
        return with_checksums(wire)


class TestAdsbRaw(SensorContract):
    codec = adsb.raw
    vectors = sensor_vectors("aquila.codecs.adsb", "adsb-raw")


class TestAdsbBeast(SensorContract):
    codec = adsb.beast
    vectors = sensor_vectors("aquila.codecs.adsb", "adsb-beast")


class TestSbs(SensorContract):
    codec = sbs.codec
    vectors = sensor_vectors("aquila.codecs.sbs", "sbs")


class TestAsterix(SensorContract):
    codec = asterix.codec
    vectors = sensor_vectors("aquila.codecs.asterix", "asterix")
    marked = False


class TestGmti(SensorContract):
    codec = gmti.codec
    vectors = sensor_vectors("aquila.codecs.gmti", "gmti")
    marked = False


class TestMisb(SensorContract):
    codec = misb.codec
    vectors = sensor_vectors("aquila.codecs.misb", "misb")

    def remade(self, wire: bytes, dice: Random) -> bytes:
        """The 16-bit running sum over what comes before it (ST 0601, 6.6)."""
        if len(wire) < 20 or wire[:4] != b"\x06\x0e\x2b\x34":
            return wire
        body = wire[:-2]
        total = sum(byte << (8 * ((at + 1) % 2)) for at, byte in enumerate(body)) & 0xFFFF
        return body + total.to_bytes(2, "big")


class TestNmeaGps(SensorContract):
    codec = nmea_gps.codec
    vectors = sensor_vectors("aquila.codecs.nmea_gps", "nmea-gps")

    def remade(self, wire: bytes, dice: Random) -> bytes:
        return with_checksums(wire)


class TestGpx(SensorContract):
    codec = gpx.codec
    vectors = sensor_vectors("aquila.codecs.gpx", "gpx")
    endless_bytes = 17 << 20
    hostile_bytes = 6_000


class TestCap(SensorContract):
    codec = cap.codec
    vectors = sensor_vectors("aquila.codecs.cap", "cap")
    hostile_bytes = 10_000


class TestMavlink(SensorContract):
    codec = mavlink.codec
    vectors = sensor_vectors("aquila.codecs.mavlink", "mavlink")

    def remade(self, wire: bytes, dice: Random) -> bytes:
        """One frame of a known message with a random payload and the right checksum."""
        number, (extra, layout) = dice.choice(list(LAYOUTS.items()))
        payload = dice.randbytes(dice.randint(0, layout.size + 4))
        head = bytes((len(payload), 0, 0, 1, dice.randrange(8), 1, number, 0, 0))
        return b"\xfd" + head + payload + crc(head + payload, extra).to_bytes(2, "little") + wire


class TestMeshtastic(SensorContract):
    codec = meshtastic.serial
    vectors = sensor_vectors("aquila.codecs.meshtastic", "meshtastic")


class TestMeshtasticMqtt(SensorContract):
    codec = meshtastic.mqtt
    vectors = sensor_vectors("aquila.codecs.meshtastic", "meshtastic-mqtt")


class TestMqttJson(SensorContract):
    codec = mqtt_json.codec
    vectors = sensor_vectors("aquila.codecs.mqtt_json", "mqtt-json")

    def remade(self, wire: bytes, dice: Random) -> bytes:
        """Valid JSON with one value of another kind."""
        whole = dice.choice(self.vectors).wire
        strange = dice.choice(["null", "[]", "{}", "1e308", "-1", '""', '"nan"', "true", "9" * 40, '"1e999"'])
        return re.sub(
            rb":[^,{}\[\]]+", lambda found: b":" + strange.encode() if dice.random() < 0.1 else found[0], whole
        )


class TestDis(SensorContract):
    codec = dis.codec
    vectors = sensor_vectors("aquila.codecs.dis", "dis")
    marked = False


def test_every_installed_sensor_codec_of_ours_has_its_name_a_readme_and_vectors() -> None:
    for name, codec in sensors_installed().items():
        (point,) = entry_points(group="aquila.sensors", name=name)
        if not point.module.startswith("aquila.codecs."):
            continue
        folder = files(point.module)
        assert codec.name == name
        assert (folder / "README.md").is_file(), name
        assert (folder / "vectors" / "README.md").is_file(), name
        assert sensor_vectors(point.module, name), name
