"""How fast sensor formats are read: each codec beside the bare library that it uses, in one run.

    python bench/decoders.py [--json FILE] [--seconds 2]

CPU seconds of this process, the best of three turns, both sides in turn. The bare library reads the bits and throws
the result away; the codec also frames, proves checksums, joins, and makes reports and plots. AIS and ADS-B have a
limit; the others are stated.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyais
import rs1090
from asterix.base import Bits, RawDatablock
from asterix.generated import Cat_048_1_32
from stanag4607 import decode_packet, decode_typed_segment
from stanag4609.st0601 import decode_uas_local_set

from aquila.core.sensing import SensorDecoder, new_decoder
from aquila.testing.sensors import RECEIVED_MS, SensorVector, sensor_vectors, sensors_installed

SHARE_MIN = 0.6
LIMITED = {"ais", "adsb-raw"}
CHUNK = 65_536
Side = Callable[[], None]


def seconds_of(work: Side) -> float:
    """CPU seconds of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def vector(package: str, format: str, name: str) -> SensorVector:
    return next(each for each in sensor_vectors(f"aquila.codecs.{package}", format) if each.name == name)


def feeding(decoder: SensorDecoder, wire: bytes, datagram: bool) -> Side:
    """Feed a stream in chunks as a socket gives them, or payload by payload."""

    def feed() -> None:
        if datagram:
            decoder.feed(wire, RECEIVED_MS)
            return
        for at in range(0, len(wire), CHUNK):
            decoder.feed(wire[at : at + CHUNK], RECEIVED_MS)

    return feed


def ais() -> tuple[int, Side, Side]:
    """Single transmissions with content, as a coast station hears them."""
    lines = [line.strip() for line in vector("ais", "ais", "recorded_sample").wire.splitlines()]
    lines = [line for line in lines if line.startswith(b"!AIVDM,1,1") and line.split(b",")[5]] * 20

    def bare() -> None:
        for line in lines:
            pyais.decode(line)

    wire = b"".join(line + b"\r\n" for line in lines)
    return len(lines), bare, feeding(new_decoder(sensors_installed()["ais"]), wire, datagram=False)


def adsb() -> tuple[int, Side, Side]:
    """Squitters of the published frames, each with its place among the kinds that they have there."""
    texts = vector("adsb", "adsb-raw", "documented_frames").wire.decode().split()
    frames = [text[1:-1] for text in texts if rs1090.decode(text[1:-1]) is not None] * 40
    # A receiver hears each aircraft at its own place: those that jump between flights are another bench's matter.
    stamps = [float(number) for number in range(len(frames))]

    def bare() -> None:
        rs1090.decode(frames, stamps)

    wire = "".join(f"*{frame};\n" for frame in frames).encode()
    settings = {"receiver": [51.99, 4.375]}
    return len(frames), bare, feeding(new_decoder(sensors_installed()["adsb-raw"], settings), wire, datagram=False)


def adsb_single() -> tuple[int, Side, Side]:
    """The same against one call of the library for each frame."""
    count, _, ours = adsb()
    texts = vector("adsb", "adsb-raw", "documented_frames").wire.decode().split()
    frames = [text[1:-1] for text in texts if rs1090.decode(text[1:-1]) is not None] * 40

    def bare() -> None:
        for frame in frames:
            rs1090.decode(frame)

    return count, bare, ours


def asterix() -> tuple[int, Side, Side]:
    """Target reports of category 048; the bare side parses the records and reads no item."""
    one = vector("asterix", "asterix", "radar_plot_048").wire
    wire = one * 500

    def bare() -> None:
        for _ in range(500):
            blocks = RawDatablock.parse(Bits.from_bytes(one))
            assert not isinstance(blocks, ValueError)
            for block in blocks:
                Cat_048_1_32.cv_uap.parse(block.get_raw_records())

    return 1_000, bare, feeding(new_decoder(sensors_installed()["asterix"]), wire, datagram=False)


def gmti() -> tuple[int, Side, Side]:
    """Dwells with targets."""
    one = vector("gmti", "gmti", "mission_dwell_hi_res_targets").wire

    def bare() -> None:
        for _ in range(500):
            for segment in decode_packet(one).segments:
                decode_typed_segment(segment)

    return 500, bare, feeding(new_decoder(sensors_installed()["gmti"]), one * 500, datagram=False)


def misb() -> tuple[int, Side, Side]:
    """Packets with two embedded targets."""
    one = vector("misb", "misb", "embedded_targets").wire

    def bare() -> None:
        for _ in range(200):
            decode_uas_local_set(one)

    return 200, bare, feeding(new_decoder(sensors_installed()["misb"]), one * 200, datagram=False)


PAIRS = {
    "ais": ais,
    "adsb-raw": adsb,
    "adsb-raw one by one": adsb_single,
    "asterix": asterix,
    "gmti": gmti,
    "misb": misb,
}
ALONE = {
    "sbs": ("sbs", "derived_from_frames", 12),
    "nmea-gps": ("nmea_gps", "documented_sentences", 59),
    "mavlink": ("mavlink", "pymavlink_v2", 9),
    "meshtastic": ("meshtastic", "radio", 9),
    "dis": ("dis", "entitystatepdu-26", 1),
    "mqtt-json": ("mqtt_json", "owntracks", 1),
}
"""Formats read without a library of the field: package, vector, statements in it."""


def best(work: Side, seconds: float) -> float:
    """CPU seconds of one call, the best of as many as fit."""
    least, until = float("inf"), time.process_time() + seconds
    while time.process_time() < until:
        least = min(least, seconds_of(work))
    return least


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    words = parser.parse_args()
    rows, missed = [], False
    print(f"{'format':22} {'codec us':>9} {'bare us':>9} {'share':>6}")
    for name, prepare in PAIRS.items():
        count, bare, ours = prepare()
        bare_s = ours_s = float("inf")
        for _ in range(3):
            bare_s = min(bare_s, best(bare, words.seconds / 6))
            ours_s = min(ours_s, best(ours, words.seconds / 6))
        share = bare_s / ours_s
        missed |= name in LIMITED and share < SHARE_MIN
        rows.append({"format": name, "codec_us": ours_s / count * 1e6, "bare_us": bare_s / count * 1e6, "share": share})
        print(f"{name:22} {rows[-1]['codec_us']:9.1f} {rows[-1]['bare_us']:9.1f} {share:6.2f}")
    for name, (package, vector_name, count) in ALONE.items():
        told = vector(package, name, vector_name)
        codec = sensors_installed()[name]
        datagram = codec.framing == "datagram"
        copies = 1 if datagram else 200
        work = feeding(new_decoder(codec, told.settings), told.wire * copies, datagram)
        each_us = best(work, words.seconds / 2) / count / copies * 1e6
        rows.append({"format": name, "codec_us": each_us})
        print(f"{name:22} {each_us:9.1f}")
    if words.json:
        words.json.write_text(json.dumps({"rows": rows, "share_min": SHARE_MIN}, indent=1) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
