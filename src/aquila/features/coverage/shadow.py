"""Shadows: what terrain hides from a place, at heights that somebody asks for; kept by their inputs."""

import math
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
        places: latitude and longitude in degrees. heights_m: rising.
        over: are they counted from the ground below, or from the sea?
    """

    places: tuple[tuple[float, float], ...]
    height_m: float
    range_m: float
    heights_m: tuple[float, ...]
    over: str


class Shadow(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        box: west, south, east, north. places: those that stand on known terrain. ground_m: of the first, above the sea.
        bands: one byte a cell, rows from the north: 0 beyond the range; n = seen from the n-th height on; one more than
            there are heights = not even at the last; UNKNOWN = no terrain is known there, or on the way.
    """

    box: tuple[float, float, float, float]
    places: tuple[tuple[float, float], ...]
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
        lat, lon = np.array(ask.places, np.float64).T
        grounds = self._terrain.heights(lat, lon).tolist()
        known = [(place, ground) for place, ground in zip(ask.places, grounds, strict=True) if not math.isnan(ground)]
        if not known:
            west, south, east, north = self._terrain.box
            raise UsageError(
                f"no terrain is known at {ask.places[0][0]}, {ask.places[0][1]}: the node's heights reach from"
                f" {south:g} to {north:g} N and from {west:g} to {east:g} E; choose a place there"
            )
        eyes = [(*place, ground + ask.height_m) for place, ground in known]
        seen = viewshed(self._terrain, eyes, ask.range_m)
        floor = seen.ground_m if ask.over == "ground" else np.zeros_like(seen.ground_m)
        bands = _bands(seen.least_m - floor, ask.heights_m)
        bands[np.isnan(seen.least_m)] = UNKNOWN
        bands[~seen.is_near] = 0
        return Shadow(seen.box, tuple(place for place, _ in known), known[0][1], bands.tobytes())


def _bands(least_m: Floats, heights_m: tuple[float, ...]) -> NDArray[np.uint8]:
    """One byte a cell. A height over the sea that lies in the mountain is never seen, since the ground is the least."""
    bands = np.full((CELLS, CELLS), len(heights_m) + 1, np.uint8)
    for number in range(len(heights_m), 0, -1):
        bands[least_m <= heights_m[number - 1] + 0.01] = number
    return bands
