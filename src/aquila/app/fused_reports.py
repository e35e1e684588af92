"""What entities report of themselves, as tracks of one source per scheme: AIS ships, ADS-B aircraft, phones.

Pure. A report has no filter here: its place is believed with the error that it states, or that its scheme usually has.
"""

import math
import re
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np

from aquila.core.model import Label, Report
from aquila.fusion.correlate import SourceTracks, TrackKey
from aquila.fusion.rows import Floats
from aquila.fusion.sensor_file import Plane

SIGMA_OF_CE: Final = 1 / 1.51
"""Standard deviation per axis of a round normal error, of the radius that holds 68 %."""
REACH_M: Final = 1_000_000.0
"""One plane serves so far from its middle; what lies beyond stays as it is reported."""
ENTITIES_MAX: Final = 50_000
REFERENCES_S: Final = 0.5
"""So long those that report themselves stay the reference of the radars, straight on."""
UID_KEY: Final = re.compile(r"(?i)^(?:(icao)[-.:]?([0-9a-f]{6})|(mmsi)[-.:]?([0-9]{9}))$")
"""Uids under which gateways bring aircraft and ships to TAK."""


class Usual(msgspec.Struct, frozen=True):
    """What is assumed of reports of a scheme: their error where they state none, and how long they hold good."""

    sigma_m: float
    sigma_mps: float
    wander_mps: float
    """How much the velocity may change in a second."""
    holds_s: float


USUAL: Final = {
    "mmsi": Usual(15.0, 0.5, 0.15, 190.0),
    "icao24": Usual(40.0, 2.0, 3.0, 30.0),
    "asterix": Usual(80.0, 5.0, 3.0, 30.0),
}
OTHER: Final = Usual(10.0, 1.0, 0.8, 90.0)
MOVING: Final = ("unit", "platform", "track")


class Reported(msgspec.Struct):
    """The last report of an entity, in the plane."""

    report: Report
    label: Label
    at_s: float
    x: tuple[float, float, float, float]
    sigma_m: float
    sigma_mps: float
    keys: frozenset[str]


class Reports:
    """The self-reports that are fresh, by scheme.

    Attributes:
        by_track: (scheme, entity) -> its last report.
    """

    def __init__(self) -> None:
        self.by_track: dict[TrackKey, Reported] = {}
        self._referred_s = -math.inf
        self._references, self._variance_m2 = np.zeros((0, 4)), 1.0

    def hear(self, report: Report, label: Label, at_s: float, plane: Plane) -> bool:
        """Take a report; False = it says nothing of where something that moves is, or lies beyond the plane."""
        position = report.position
        if position is None or report.geometry is not None or report.category not in MOVING:
            return False
        xy = plane.to_xy(position.lat_deg, position.lon_deg)
        if not math.hypot(*xy) <= REACH_M:
            return False
        key = (report.alias.scheme, report.entity)
        before = self.by_track.get(key)
        if before is not None and at_s < before.at_s:
            return True
        if before is None and len(self.by_track) >= ENTITIES_MAX:
            return False
        usual = USUAL.get(report.alias.scheme, OTHER)
        velocity, sigma_mps = _velocity(report, xy, at_s, before, usual)
        sigma_m = usual.sigma_m if position.ce_m is None else min(max(position.ce_m * SIGMA_OF_CE, 1.0), 5_000.0)
        self.by_track[key] = Reported(report, label, at_s, (*xy, *velocity), sigma_m, sigma_mps, keys_of(report))
        return True

    def drop(self, entity: str) -> None:
        """Its source has taken it away."""
        for key in [key for key in self.by_track if key[1] == entity]:
            del self.by_track[key]

    def forget(self, now_s: float) -> None:
        """Drop what no longer holds good."""
        for key in [key for key, one in self.by_track.items() if now_s - one.at_s > USUAL.get(key[0], OTHER).holds_s]:
            del self.by_track[key]

    def sources(self, now_s: float) -> list[SourceTracks]:
        """All schemes at one time, in the order of their names."""
        schemes: dict[str, list[TrackKey]] = {}
        for key in sorted(self.by_track):
            schemes.setdefault(key[0], []).append(key)
        return [self._source(scheme, keys, now_s) for scheme, keys in schemes.items()]

    def _source(self, scheme: str, keys: list[TrackKey], now_s: float) -> SourceTracks:
        x, cov = self.states(keys, now_s)
        return SourceTracks(
            source=scheme,
            names=[key[1] for key in keys],
            x=x,
            cov=cov,
            keys=[self.by_track[key].keys for key in keys],
        )

    def states(self, keys: Iterable[TrackKey], now_s: float) -> tuple[Floats, Floats]:
        """Mean (n, 4) and covariance (n, 4, 4) of these at a time: straight on, with what they may have turned."""
        found = [(self.by_track[key], USUAL.get(key[0], OTHER).wander_mps) for key in keys]
        x = np.array([one.x for one, _ in found]).reshape(-1, 4)
        age = np.array([max(now_s - one.at_s, 0.0) for one, _ in found])
        x[:, :2] += age[:, None] * x[:, 2:]
        sigma = np.array([(one.sigma_m, one.sigma_mps, wander) for one, wander in found]).reshape(-1, 3)
        v2 = sigma[:, 1] ** 2
        q = sigma[:, 2] ** 2
        cov = np.zeros((len(x), 4, 4))
        for axis in (0, 1):
            cov[:, axis, axis] = sigma[:, 0] ** 2 + v2 * age**2 + q * age**3 / 3
            cov[:, axis, axis + 2] = cov[:, axis + 2, axis] = v2 * age + q * age**2 / 2
            cov[:, axis + 2, axis + 2] = v2 + q * age
        return x, cov

    def references(self, at_s: float, fresh_s: float) -> tuple[Floats, float]:
        """Places, shape (n, 2), of AIS and ADS-B reporters at a time that is close to their reports; variance in m2.

        Who they are is looked up anew once in REFERENCES_S.
        """
        if not abs(at_s - self._referred_s) <= REFERENCES_S:
            self._referred_s = at_s
            keys = [
                key
                for key, one in self.by_track.items()
                if key[0] in ("mmsi", "icao24") and one.report.own and abs(at_s - one.at_s) <= fresh_s
            ]
            self._references, cov = self.states(keys, at_s)
            self._variance_m2 = float(np.median(cov[:, 0, 0])) if keys else 1.0
        return self._references[:, :2] + (at_s - self._referred_s) * self._references[:, 2:], self._variance_m2


def keys_of(report: Report) -> frozenset[str]:
    """The hard keys that a report bears, as "scheme:value"; of others' tracks too, where they name the address."""
    alias = report.alias
    found = set()
    if alias.scheme in ("mmsi", "icao24"):
        found.add(f"{alias.scheme}:{alias.value.lower()}")
    elif alias.scheme.startswith("cot"):
        found.add(f"cot:{alias.value}")
        told = UID_KEY.match(alias.value)
        if told is not None:
            icao24, mmsi = told.group(2), told.group(4)
            found.add(f"icao24:{icao24.lower()}" if icao24 else f"mmsi:{mmsi}")
    for scheme in ("icao24", "mmsi"):
        if report.fields.get(scheme):
            found.add(f"{scheme}:{report.fields[scheme].lower()}")
    return frozenset(found)


def _velocity(
    report: Report, xy: tuple[float, float], at_s: float, before: Reported | None, usual: Usual
) -> tuple[tuple[float, float], float]:
    """East and north in m/s, and their standard deviation: as stated, else from two reports, else anything."""
    motion = report.motion
    if motion is not None and motion.speed_mps is not None and (motion.course_deg is not None or motion.speed_mps < 1):
        course = math.radians(motion.course_deg or 0.0)
        return (motion.speed_mps * math.sin(course), motion.speed_mps * math.cos(course)), usual.sigma_mps
    if before is not None and 0.5 <= at_s - before.at_s <= usual.holds_s:
        passed_s = at_s - before.at_s
        east, north = ((now - then) / passed_s for now, then in zip(xy, before.x[:2], strict=True))
        return (east, north), max(usual.sigma_mps, 1.5 * usual.sigma_m / passed_s)
    return (0.0, 0.0), 10.0 * usual.sigma_mps + 5.0
