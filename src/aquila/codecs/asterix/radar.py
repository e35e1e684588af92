"""Radars: a plot for each target report (048), the site when the radar says where it stands (034).

A target report is a measurement of a radar, and never an entity: the tracker makes entities.
"""

from typing import Final

from aquila.codecs.asterix.records import Record
from aquila.codecs.asterix.values import LEVEL_FT, NM_M, address, mode3a, quantity, source, time_ms, whole, words
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Position, Report
from aquila.core.plot import Plot, Polar
from aquila.core.sensing import FOOT_M, HOUR_MS

SITE_STALE_MS: Final = HOUR_MS
DETECTED_BY: Final = {
    1: "PSR", 2: "SSR", 3: "SSR+PSR", 4: "Mode S all-call", 5: "Mode S roll-call", 6: "Mode S all-call+PSR",
    7: "Mode S roll-call+PSR",
}  # fmt: skip


def plot_of(record: Record, received_at_ms: int) -> Plot:
    """One target report of category 048.

    Raises:
        CodecError: missing (no place or no source), time.
        ValueError: a place that cannot be.
    """
    sensor = "asterix:" + source(record)
    range_nm, azimuth_deg = quantity(record, "NM", "040", "RHO"), quantity(record, "°", "040", "THETA")
    polar = None
    if range_nm is not None and azimuth_deg is not None:
        polar = Polar(range_nm * NM_M, azimuth_deg)
    x_nm, y_nm = quantity(record, "NM", "042", "X"), quantity(record, "NM", "042", "Y")
    xy_m = (x_nm * NM_M, y_nm * NM_M) if x_nm is not None and y_nm is not None else None
    if polar is None and xy_m is None:
        raise CodecError("missing", "a target report without a place (items 040, 042)")
    track = whole(record, "161", "TRN")
    return Plot(
        sensor=sensor,
        observed_at_ms=time_ms(record, received_at_ms, "140"),
        polar=polar,
        xy_m=xy_m,
        radial_mps=_radial_mps(record),
        mode3a=mode3a(record, "070"),
        mode_s=address(whole(record, "220")),
        callsign=words(record, "240"),
        pressure_altitude_m=_pressure_altitude_m(record),
        track=None if track is None else str(track),
        fields=_fields(record),
    )


def _radial_mps(record: Record) -> float | None:
    """Calculated Doppler speed; item 120 counts it positive when it goes away, as we do. Doubtful = not said."""
    if whole(record, "120", "CAL", "D"):
        return None
    return quantity(record, "m/s", "120", "CAL", "CAL")


def _pressure_altitude_m(record: Record) -> float | None:
    if whole(record, "090", "V") or whole(record, "090", "G"):
        return None
    level = quantity(record, "FL", "090", "FL")
    return None if level is None else round(level * LEVEL_FT * FOOT_M, 2)


def _fields(record: Record) -> dict[str, str]:
    fields = {}
    how = DETECTED_BY.get(whole(record, "020", "TYP") or 0)
    if how is not None:
        fields["detected_by"] = how
    # SIM: simulated. TST: test target. Both are no plots of anything that flies.
    if whole(record, "020", "SIM") or whole(record, "020", "TST"):
        fields["simulated"] = "true"
    height_ft = quantity(record, "ft", "110", "3DH")
    if height_ft is not None:
        fields["height_3d_ft"] = f"{height_ft:.0f}"
    speed_nmps = quantity(record, "NM/s", "200", "GSP")
    heading_deg = quantity(record, "°", "200", "HDG")
    if speed_nmps is not None and heading_deg is not None:
        fields["speed_mps"] = f"{speed_nmps * NM_M:.1f}"
        fields["course_deg"] = f"{heading_deg:.2f}"
    return fields


def site_of(record: Record, received_at_ms: int) -> Report | None:
    """The radar itself, from a service record (034) that says its place; None = north marker, sector and the like.

    Raises:
        CodecError: missing, time.
        ValueError: a place that cannot be.
    """
    name = source(record)
    lat_deg, lon_deg = quantity(record, "°", "120", "LAT"), quantity(record, "°", "120", "LON")
    if lat_deg is None or lon_deg is None:
        return None
    at_ms = time_ms(record, received_at_ms, "030")
    period_s = quantity(record, "s", "041")
    height_m = quantity(record, "m", "120", "HGT")
    return Report(
        entity=entity_id("asterix", name),
        alias=Alias("asterix", name),
        type="a-u-G-E-S",
        sidc="10011500002200000000",
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + SITE_STALE_MS,
        name=f"Radar {name}",
        how="m-f",
        own=True,
        position=Position(lat_deg, lon_deg, height_m),
        fields={} if period_s is None else {"rotation_s": f"{period_s:.2f}"},
    )
