"""Shadows: what terrain hides from a place, at heights that somebody asks for; kept by their inputs."""

from functools import lru_cache
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from aquila.core.errors import UsageError
from aquila.fusion.viewshed import CELLS, Floats, Heights, viewshed

SHADOWS_KEPT = 32
"""Answers of at most 64 KiB."""
UNKNOWN = 255
PLACE_DIGITS = 5
"""Of a place in degrees: about a metre."""


class Terrain(Heights, Protocol):
    """The part of a node that knows heights."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of what is known."""
        ...


class ShadowOf(msgspec.Struct, frozen=True):
    """What is asked: from where, how high over the ground, how far, and seeing what at which heights.

    Attributes:
        heights_m: rising. over: are they counted from the ground below, or from the sea?
    """

    lat_deg: float
    lon_deg: float
    height_m: float
    range_m: float
    heights_m: tuple[float, ...]
    over: str


class Shadow(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        box: west, south, east, north. ground_m: of the place above the sea.
        bands: one byte a cell, rows from the north: 0 beyond the range; n = seen from the n-th height on; one more than
            there are heights = not even at the last; UNKNOWN = no terrain is known there, or on the way.
    """

    box: tuple[float, float, float, float]
    ground_m: float
    bands: bytes


class Shadows:
    """Worked out when asked, and kept. Threads may ask at the same time.

    Args:
        terrain: the node's heights.
    """

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain
        self._made = lru_cache(maxsize=SHADOWS_KEPT)(self._make)

    def of(self, ask: ShadowOf) -> Shadow:
        """The shadow. Raises UsageError where no terrain is known."""
        return self._made(ask)

    def _make(self, ask: ShadowOf) -> Shadow:
        lat, lon = np.array([ask.lat_deg]), np.array([ask.lon_deg])
        ground_m = float(self._terrain.heights(lat, lon)[0])
        if np.isnan(ground_m):
            west, south, east, north = self._terrain.box
            raise UsageError(
                f"no terrain is known at {ask.lat_deg}, {ask.lon_deg}: the node's heights reach from {south:g} to"
                f" {north:g} N and from {west:g} to {east:g} E; choose a place there"
            )
        seen = viewshed(self._terrain, ask.lat_deg, ask.lon_deg, ground_m + ask.height_m, ask.range_m)
        floor = seen.ground_m if ask.over == "ground" else np.zeros_like(seen.ground_m)
        bands = _bands(seen.least_m - floor, seen.ground_m, ask)
        bands[np.isnan(seen.least_m)] = UNKNOWN
        bands[~seen.is_near] = 0
        return Shadow(seen.box, ground_m, bands.tobytes())


def _bands(least_m: Floats, ground_m: Floats, ask: ShadowOf) -> NDArray[np.uint8]:
    bands = np.full((CELLS, CELLS), len(ask.heights_m) + 1, np.uint8)
    for number in range(len(ask.heights_m), 0, -1):
        # At a height over the sea that lies in the mountain there is nothing to be seen.
        bands[least_m <= ask.heights_m[number - 1] + 0.01] = number
    return bands
