"""Harbour: ships and aircraft with a hidden truth, as AIS, ADS-B, phones and two radars see them; bytes for feeds.

Everything follows from the seed and the time asked for in order; nothing here knows a clock. The formats are written
after ITU-R M.1371-5, the BaseStation lines of dump1090 and EUROCONTROL ASTERIX 034 and 048.
"""

import math
from importlib import resources
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyais.encode import encode_dict

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
METRES_PER_DEG: Final = 111_195.0
"""Of a sphere: the scene is small, and truth and sensors share it."""
NM_M: Final = 1_852.0
KNOT_MPS: Final = 1_852.0 / 3_600.0
FOOT_M: Final = 0.3048


class Radar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A radar of the scene; its biases are added to what it measures."""

    sac: int
    sic: int
    lat_deg: float
    lon_deg: float
    period_s: float
    pd: float
    range_sigma_m: float
    azimuth_sigma_deg: float
    bias_range_m: float
    bias_azimuth_deg: float
    clutter_per_turn: float


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What takes part: shares are of the ships that carry AIS or a phone; every aircraft has ADS-B."""

    name: str
    seed: int
    centre: tuple[float, float]
    side_m: float
    ships: int
    ais_share: float
    phone_share: float
    aircraft: int
    ais_period_s: float
    adsb_period_s: float
    phone_period_s: float
    radars: tuple[Radar, ...] = msgspec.field(name="radar")


class Said(msgspec.Struct, frozen=True):
    """Bytes for one feed: ais, adsb, phone, or radar and its number."""

    feed: str
    data: bytes


def scene() -> Scene:
    """The scene that is shipped."""
    return msgspec.toml.decode((resources.files("aquila.simulator") / "harbour.toml").read_bytes(), type=Scene)


class Harbour:
    """The truth, and what sensors make of it.

    Attributes:
        ids: a name for each true target. xy: east and north of the centre in m. v: m/s.
    """

    def __init__(self, made: Scene) -> None:
        self.scene = made
        self._dice = dice = np.random.default_rng(made.seed)
        count = made.ships + made.aircraft
        self.is_ship = np.arange(count) < made.ships
        self.ids = [f"ship {n}" if n < made.ships else f"aircraft {n}" for n in range(count)]
        self.xy = dice.uniform(-made.side_m / 2, made.side_m / 2, (count, 2))
        course = dice.uniform(0, 2 * np.pi, count)
        speed = np.where(self.is_ship, dice.uniform(1, 10, count), dice.uniform(80, 160, count))
        self.v = speed[:, None] * np.column_stack([np.sin(course), np.cos(course)])
        self.height_m = np.where(self.is_ship, 0.0, dice.uniform(1_000, 4_000, count))
        self.has_ais = self.is_ship & (dice.random(count) < made.ais_share)
        self.has_phone = self.is_ship & (dice.random(count) < made.phone_share)
        self.t_s = 0.0
        self._phase = dice.random(count)

    def mmsi(self, target: int) -> int:
        """Of a ship."""
        return 451_000_000 + target

    def icao24(self, target: int) -> str:
        """Of an aircraft."""
        return f"{0x501000 + target:06x}"

    def lat_lon(self, xy: Floats) -> Floats:
        """Degrees, shape (n, 2), of metres."""
        lat = self.scene.centre[0] + xy[:, 1] / METRES_PER_DEG
        lon = self.scene.centre[1] + xy[:, 0] / (METRES_PER_DEG * math.cos(math.radians(self.scene.centre[0])))
        return np.column_stack([lat, lon])

    def step(self, dt_s: float, at_ms: int) -> list[Said]:
        """Let dt_s pass; what the sensors say in that time, its end being `at_ms` on their clocks."""
        before_s, self.t_s = self.t_s, self.t_s + dt_s
        self._sail(dt_s)
        said = [self._ais(n) for n in self._due(self.has_ais, self.scene.ais_period_s, before_s)]
        said += [self._adsb(n) for n in self._due(~self.is_ship, self.scene.adsb_period_s, before_s)]
        said += [self._phone(n, at_ms) for n in self._due(self.has_phone, self.scene.phone_period_s, before_s)]
        for number, radar in enumerate(self.scene.radars, 1):
            said += self._radar(number, radar, before_s, at_ms)
        return said

    def _sail(self, dt_s: float) -> None:
        """On, and back from the edge of the scene."""
        self.xy = self.xy + self.v * dt_s
        out = np.abs(self.xy) > self.scene.side_m / 2
        self.v = np.where(out & (self.xy * self.v > 0), -self.v, self.v)

    def _due(self, who: NDArray[np.bool_], period_s: float, before_s: float) -> list[int]:
        turn_before = np.floor(before_s / period_s + self._phase)
        return np.flatnonzero(who & (np.floor(self.t_s / period_s + self._phase) > turn_before)).tolist()

    def _motion(self, n: int) -> tuple[float, float]:
        return float(np.hypot(*self.v[n])), math.degrees(math.atan2(self.v[n, 0], self.v[n, 1])) % 360

    def _seen(self, n: int, sigma_m: float) -> tuple[float, float]:
        lat, lon = self.lat_lon(self.xy[n][None] + self._dice.normal(0, sigma_m, (1, 2)))[0].tolist()
        return lat, lon

    def _ais(self, n: int) -> Said:
        lat, lon = self._seen(n, 8.0)
        speed, course = self._motion(n)
        fields: dict[str, str | int | float | bool | bytes] = {
            "type": 1,
            "mmsi": self.mmsi(n),
            "lat": lat,
            "lon": lon,
            "speed": speed / KNOT_MPS,
            "course": course,
        }
        lines = encode_dict(fields | {"second": 60}, talker_id="AI", sentence_type="VDM")
        return Said("ais", "".join(line + "\r\n" for line in lines).encode())

    def _adsb(self, n: int) -> Said:
        lat, lon = self._seen(n, 20.0)
        speed, course = self._motion(n)
        who = f"1,1,{self.icao24(n).upper()},1,,,,"
        height_ft = f"{self.height_m[n] / FOOT_M:.0f}"
        moves = f"MSG,4,{who},,,{speed / KNOT_MPS:.1f},{course:.1f},,,0,,,,,0\r\n"
        stands = f"MSG,3,{who},,{height_ft},,,{lat:.6f},{lon:.6f},,,,,,0\r\n"
        return Said("adsb", (moves + stands).encode())

    def _phone(self, n: int, at_ms: int) -> Said:
        lat, lon = self._seen(n, 6.0)
        speed, course = self._motion(n)
        at = np.datetime64(at_ms, "ms")
        stale = at + np.timedelta64(120_000, "ms")
        return Said(
            "phone",
            f'<event version="2.0" uid="PHONE-{n}" type="a-f-S" how="m-g" time="{at}Z" start="{at}Z" stale="{stale}Z">'
            f'<point lat="{lat:.6f}" lon="{lon:.6f}" hae="0" ce="10" le="9999999"/><detail>'
            f'<contact callsign="CREW {n}"/><track speed="{speed:.2f}" course="{course:.1f}"/>'
            "</detail></event>".encode(),
        )

    def _radar(self, number: int, radar: Radar, before_s: float, at_ms: int) -> list[Said]:
        """A whole turn at the moment at which it ends, each plot with the time at which the beam passed."""
        turn = math.floor(self.t_s / radar.period_s)
        if turn == math.floor(before_s / radar.period_s):
            return []
        end_ms = at_ms - round((self.t_s - turn * radar.period_s) * 1_000)
        site = self.site(radar)
        plots: list[tuple[float, float, int, str | None]] = []
        for n in np.flatnonzero(self._dice.random(len(self.ids)) < radar.pd).tolist():
            azimuth = math.atan2(*(self.xy[n] - site)) % (2 * math.pi)
            age_s = (1 - azimuth / (2 * math.pi)) * radar.period_s
            xy = self.xy[n] - self.v[n] * (self.t_s - turn * radar.period_s + age_s) - site
            ground_m = float(np.hypot(*xy)) + radar.bias_range_m + self._dice.normal(0, radar.range_sigma_m)
            turned = math.degrees(math.atan2(xy[0], xy[1])) + radar.bias_azimuth_deg
            turned += self._dice.normal(0, radar.azimuth_sigma_deg)
            address = None if self.is_ship[n] else self.icao24(n)
            slant_m = math.hypot(ground_m, self.height_m[n])
            plots.append((slant_m, turned % 360, end_ms - round(age_s * 1_000), address))
        for _ in range(int(self._dice.poisson(radar.clutter_per_turn))):
            turned = float(self._dice.uniform(0, 360))
            age_s = (1 - turned / 360) * radar.period_s
            far_m = float(self._dice.uniform(1_000, self.scene.side_m))
            plots.append((far_m, turned, end_ms - round(age_s * 1_000), None))
        plots.sort(key=lambda plot: plot[2])
        heights = {self.icao24(n): float(self.height_m[n]) for n in np.flatnonzero(~self.is_ship).tolist()}
        records = b"".join(target_report(radar, plot, heights.get(plot[3] or "", None)) for plot in plots)
        service = block(34, service_record(radar, end_ms))
        return [Said(f"radar-{number}", service + (block(48, records) if records else b""))]

    def site(self, radar: Radar) -> Floats:
        """East and north of the centre, m."""
        east = (radar.lon_deg - self.scene.centre[1]) * METRES_PER_DEG * math.cos(math.radians(self.scene.centre[0]))
        return np.array([east, (radar.lat_deg - self.scene.centre[0]) * METRES_PER_DEG])


# -- ASTERIX ----------------------------------------------------------------------------------------------------------


def block(category: int, records: bytes) -> bytes:
    """A data block."""
    return bytes([category]) + (len(records) + 3).to_bytes(2, "big") + records


def _time(at_ms: int) -> bytes:
    return round(at_ms % 86_400_000 * 128 / 1_000).to_bytes(3, "big")


def target_report(radar: Radar, plot: tuple[float, float, int, str | None], height_m: float | None) -> bytes:
    """One record of category 048: source, time, how, place, and for aircraft flight level and address."""
    slant_m, azimuth_deg, at_ms, address = plot
    how = 0b10100000 if address else 0b00100000
    place = round(slant_m / NM_M * 256).to_bytes(2, "big") + (round(azimuth_deg * 65_536 / 360) & 0xFFFF).to_bytes(
        2, "big"
    )
    body = bytes([radar.sac, radar.sic]) + _time(at_ms) + bytes([how]) + place
    if address is None:
        return bytes([0b11110000]) + body
    level = round((height_m or 0.0) / FOOT_M / 100 * 4).to_bytes(2, "big")
    return bytes([0b11110101, 0b10000000]) + body + level + bytes.fromhex(address)


def service_record(radar: Radar, at_ms: int) -> bytes:
    """One record of category 034: source, north marker, time, period of rotation, place."""
    period = round(radar.period_s * 128).to_bytes(2, "big")
    place = (0).to_bytes(2, "big") + b"".join(
        (round(degrees * 2**23 / 180) & 0xFFFFFF).to_bytes(3, "big") for degrees in (radar.lat_deg, radar.lon_deg)
    )
    return bytes([0b11101001, 0b00010000, radar.sac, radar.sic, 1]) + _time(at_ms) + period + place
