"""Who looks, and with what: own people and platforms where they are, cameras where their footprint lies, radars."""

from functools import lru_cache
from typing import Final, Literal

import numpy as np
import shapely

from aquila.core.model import Geometry, Report
from aquila.fusion.looks import CELL_DEG, cell_of, cells_of

Kind = Literal["ground", "drone", "air", "sea", "radar", "footprint"]
KINDS: Final[tuple[Kind, ...]] = ("ground", "drone", "air", "sea", "radar", "footprint")

FOOTPRINT_CELLS_MAX: Final = 4_096
"""A larger footprint is a horizon rather than a look; its corners and its middle count."""
_FRIENDS: Final = "23"
"""Assumed friend and friend (APP-6(D), fourth digit)."""
_SETS: Final[dict[str, Kind]] = {"01": "air", "30": "sea", "35": "sea"}
"""By symbol set (digits 5 and 6); whatever else is own is on the ground."""
_DRONE: Final = ("01", "1103")
_SENSOR: Final = ("15", "22")
"""Set and beginning of the entity of unmanned aircraft, and of sensors on the ground."""


def kind_of(report: Report) -> Kind | None:
    """With what the one who is reported looks; None = nobody looks there for us."""
    return _kind(report.sidc, report.category, report.alias.scheme)


@lru_cache(maxsize=4_096)
def _kind(sidc: str, category: str, scheme: str) -> Kind | None:
    if scheme == "misb-footprint":
        return "footprint"
    if category not in ("unit", "platform"):
        return None
    symbols, entity = sidc[4:6], sidc[10:16]
    if symbols == _SENSOR[0] and entity.startswith(_SENSOR[1]) and (sidc[3:4] in _FRIENDS or scheme == "asterix"):
        # A radar of a feed of ours has no side: it says what it is, not whose.
        return "radar"
    if sidc[3:4] not in _FRIENDS:
        return None
    if symbols == _DRONE[0] and entity.startswith(_DRONE[1]):
        return "drone"
    return _SETS.get(symbols, "ground")


def cells_seen(kind: Kind, report: Report) -> list[int]:
    """The cells that a report says were looked at; how far round a place is said by whoever asks."""
    if kind == "footprint":
        return [] if report.geometry is None else _cells_inside(report.geometry)
    place = report.position
    return [] if place is None else [cell_of(place.lat_deg, place.lon_deg)]


def _cells_inside(geometry: Geometry) -> list[int]:
    """The cells whose middle lies in the polygon, and those of its corners, so that a small one is not lost."""
    points = np.array(geometry.points, np.float64).reshape(-1, 2)
    if len(points) < 3:
        return []
    lat, lon = points[:, 0], points[:, 1]
    # Across 180 degrees the corners are counted on.
    lon = np.where(lon < 0, lon + 360, lon) if np.ptp(lon) > 180 else lon
    found = set(cells_of(np.append(lat, lat.mean()), np.append(lon, lon.mean())).tolist())
    rows = np.arange(np.floor(lat.min() / CELL_DEG), np.floor(lat.max() / CELL_DEG) + 1)
    cols = np.arange(np.floor(lon.min() / CELL_DEG), np.floor(lon.max() / CELL_DEG) + 1)
    if len(rows) * len(cols) <= FOOTPRINT_CELLS_MAX:
        middle_lon, middle_lat = np.meshgrid((cols + 0.5) * CELL_DEG, (rows + 0.5) * CELL_DEG)
        inside = shapely.contains_xy(shapely.Polygon(np.column_stack([lon, lat])), middle_lon, middle_lat)
        found.update(cells_of(middle_lat[inside], middle_lon[inside]).tolist())
    return sorted(found)
