"""A box on the globe; and how a question names it: "west,south,east,north" in degrees, WGS 84."""

from typing import NamedTuple

MAP_LAT_DEG = 85.0
"""Beyond it the map, which is Mercator, ends."""


class Box(NamedTuple):
    """Its sides in degrees. west > east crosses 180 degrees."""

    west: float
    south: float
    east: float
    north: float

    def checked(self) -> "Box":
        """Itself. Raises ValueError, with what is allowed, when a side is out of range or south lies above north."""
        if not (-90 <= self.south <= self.north <= 90):
            raise ValueError(f"box south {self.south}, north {self.north}: -90 <= south <= north <= 90")
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180):
            raise ValueError(f"box west {self.west}, east {self.east}: -180..180 degrees")
        return self

    def halves(self) -> tuple["Box", ...]:
        """The box, cut in two at 180 degrees where it crosses it."""
        if self.west <= self.east:
            return (self,)
        return self._replace(east=180.0), self._replace(west=-180.0)

    def holds(self, lat_deg: float, lon_deg: float) -> bool:
        """Does the place lie in it, or on its edge?"""
        between = any(half.west <= lon_deg <= half.east for half in self.halves())
        return between and self.south <= lat_deg <= self.north


EVERYWHERE = Box(-180.0, -90.0, 180.0, 90.0)


def box_of(text: str) -> Box:
    """Any box, west > east crosses 180 degrees. Raises ValueError with what is allowed."""
    return _read(text).checked()


def map_box_of(text: str) -> Box:
    """A box that has a size on the map; east lies beyond west, perhaps beyond 180. Raises ValueError as above."""
    box = _read(text)
    is_wide = -180 <= box.west <= 180 and box.west < box.east <= box.west + 360
    if not (is_wide and -MAP_LAT_DEG <= box.south < box.north <= MAP_LAT_DEG):
        raise ValueError(f"bbox {text[:80]!r}: west -180..180, east beyond it, south below north, both -85..85")
    return box


def _read(text: str) -> Box:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"bbox {text[:80]!r}: four numbers west,south,east,north in degrees are needed") from None
    return Box(west, south, east, north)
