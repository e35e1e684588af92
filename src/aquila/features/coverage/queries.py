"""What can be asked: how long ago each cell of a box was looked at, and what terrain hides from a place."""

import base64
import math
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from aquila.core.box import Box, map_box_of
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal, Verdict
from aquila.core.moves import Moves
from aquila.core.sphere import MEAN_RADIUS_M
from aquila.core.view import view_of
from aquila.features.coverage.shadow import PLACE_DIGITS, ShadowOf, Shadows
from aquila.features.coverage.view import Coverage
from aquila.features.coverage.watcher import KINDS, Kind, kind_of
from aquila.fusion.looks import CELL_DEG, QUARTER_MS, Ints, spread
from aquila.fusion.viewshed import CELLS, mercator

COLS_MAX = 320
ROWS_MAX = 320
WIDTH_MAX_M = 1_000_000.0
"""Beyond it a cell would be larger than what most people see."""
CELL_MIN_M = 100.0
LEAST_M = CELL_DEG / 2 * math.sqrt(2) * math.pi / 180 * MEAN_RADIUS_M
"""Half of a kept cell's diagonal: no look covers less, since it is not known where in its cell it was."""
QUARTERS_SHOWN = 254
REACH_CELLS_MAX = 48
"""A reach of more cells is worked out on a coarser grid."""
HEIGHTS_MAX = 5
RADARS_MAX = 16
"""The newest; their sweeps take a tenth of a second each."""

Metres = Annotated[float, msgspec.Meta(ge=0, le=100_000)]


class AskCoverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where, when, and how far each kind sees.

    Attributes:
        bbox: west,south,east,north in degrees, at most 1,000 km wide and high.
        at_ms: UTC ms; None = now.
        ground_m, drone_m, air_m, sea_m, radar_m: how far round itself each looks; 0 = it does not. A drone whose camera
            says its footprint looks there. A radar sees in the air more than on the ground: nobody says by default.
    """

    bbox: Annotated[str, msgspec.Meta(max_length=200)]
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)] | None = None
    ground_m: Metres = 500.0
    drone_m: Metres = 1_000.0
    air_m: Metres = 3_000.0
    sea_m: Metres = 5_000.0
    radar_m: Metres = 0.0

    def __post_init__(self) -> None:
        near_box_of(self.bbox)

    def reach_m(self, kind: Kind) -> float:
        """How far a kind looks; a footprint no further than it lies."""
        return 1.0 if kind == "footprint" else float(getattr(self, f"{kind}_m"))


class AskRadarShadow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How high and far, and seeing what.

    Attributes:
        height_m: of the antenna or eye over the ground. range_m: how far it could see.
        heights: of what is to be seen, in m, rising, with commas. over: counted from the ground below it, or the sea.
    """

    height_m: Annotated[float, msgspec.Meta(ge=0, le=30_000)] = 10.0
    range_m: Annotated[float, msgspec.Meta(ge=1_000, le=500_000)] = 60_000.0
    heights: Annotated[str, msgspec.Meta(max_length=60)] = "50,500,3000"
    over: Literal["ground", "sea"] = "ground"

    def __post_init__(self) -> None:
        heights_of(self.heights)


class AskShadow(AskRadarShadow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, from a place in degrees."""

    lat_deg: Annotated[float, msgspec.Meta(ge=-85, le=85)]
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class CoverageGrid(msgspec.Struct, frozen=True, kw_only=True):
    """How long ago each cell was looked at.

    Attributes:
        west, south, east, north: of the outer edges, degrees; rows from the north, evenly spaced in Mercator.
        cell_m: edge of a cell in the middle.
        at_ms: the time it is of. since_ms: of the oldest look that the asker may have; None = there is none.
        ages: base64 of one byte a cell: 0 = never since then; n = less than n quarters of an hour ago, 254 = or more.
    """

    west: float
    south: float
    east: float
    north: float
    rows: int
    cols: int
    cell_m: float
    at_ms: int
    since_ms: int | None
    ages: str


class ShadowGrid(msgspec.Struct, frozen=True, kw_only=True):
    """What is hidden.

    Attributes:
        west, south, east, north: as in CoverageGrid.
        places: latitude and longitude of those from which it is cast. ground_m: of the first, above the sea.
        heights_m: as they were asked for.
        bands: base64 of one byte a cell: 0 = beyond the range; n = seen from the n-th height on; one more than there
            are heights = not even at the last; 255 = no terrain is known there or on the way.
    """

    west: float
    south: float
    east: float
    north: float
    rows: int
    cols: int
    places: tuple[tuple[float, float], ...]
    ground_m: float
    heights_m: tuple[float, ...]
    bands: str


def near_box_of(text: str) -> Box:
    """A box that is not too wide. Raises ValueError with what is allowed."""
    box = west, south, east, north = map_box_of(text)
    wide_m = max(_metres(east - west) * math.cos(math.radians((south + north) / 2)), _metres(north - south))
    if wide_m > WIDTH_MAX_M:
        raise ValueError(
            f"bbox {text[:80]!r} is {wide_m / 1000:.0f} km wide: at most {WIDTH_MAX_M / 1000:.0f}, so zoom in"
        )
    return box


def heights_of(text: str) -> tuple[float, ...]:
    """Rising heights in m. Raises ValueError with what is allowed."""
    try:
        heights = tuple(float(part) for part in text.split(","))
    except ValueError:
        heights = ()
    if not 1 <= len(heights) <= HEIGHTS_MAX or sorted(set(heights)) != list(heights) or not _is_height(heights):
        raise ValueError(f"heights {text!r}: 1 to {HEIGHTS_MAX} rising numbers from 0 to 30000 m, such as 50,500,3000")
    return heights


def _is_height(heights: tuple[float, ...]) -> bool:
    return all(0 <= each <= 30_000 for each in heights)


def _metres(degrees: float) -> float:
    return math.radians(degrees) * MEAN_RADIUS_M


def _coverage(principal: Principal, ask: AskCoverage, reading: Reading) -> Iterator[Labelled]:
    view = view_of(reading.views, "coverage", Coverage)
    at_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    box = west, south, east, north = near_box_of(ask.bbox)
    middle = math.cos(math.radians((south + north) / 2))
    high = float(np.degrees(np.ptp(mercator(np.array([south, north])))))
    edge = max((east - west) / COLS_MAX, high / ROWS_MAX, math.degrees(CELL_MIN_M / MEAN_RADIUS_M) / middle)
    rows, cols = max(1, math.ceil(high / edge)), max(1, math.ceil((east - west) / edge))
    cell_m = _metres((east - west) / cols) * middle
    last, since_ms = _last_looks(view, ask, reading, at_ms, box, (rows, cols), cell_m)
    ages = np.where(last == 0, 0, np.minimum((at_ms - last) // QUARTER_MS + 1, QUARTERS_SHOWN)).astype(np.uint8)
    row = CoverageGrid(
        west=west,
        south=south,
        east=east,
        north=north,
        rows=rows,
        cols=cols,
        cell_m=round(cell_m, 1),
        at_ms=at_ms,
        since_ms=since_ms,
        ages=base64.b64encode(ages.tobytes()).decode(),
    )
    # Made of looks that the asker may have only, so nothing is left to be released.
    yield Labelled(row, None, reading.context)


def _last_looks(
    view: Coverage,
    ask: AskCoverage,
    reading: Reading,
    at_ms: int,
    box: Box,
    shape: tuple[int, int],
    cell_m: float,
) -> tuple[Ints, int | None]:
    """When each cell was last looked at in UTC ms, by whom the asker may have, 0 = never; and the first look of all."""
    last = np.zeros(shape, np.int64)
    kinds: dict[int, Kind] = {}
    for slot, (label, context, kind) in view.watches():
        if ask.reach_m(kind) > 0 and reading.release(label, context).verdict is Verdict.FULL:
            kinds[slot] = kind
    slot_of, lat, lon, times = view.looks().seen(np.array(list(kinds), np.int64), at_ms)
    for kind in KINDS:
        slots = [slot for slot, each in kinds.items() if each == kind]
        chosen = np.isin(slot_of, slots)
        if not chosen.any():
            continue
        row, col = _cells(lat[chosen], lon[chosen], box, shape)
        seen = _seen_from(row, col, times[chosen], max(ask.reach_m(kind), LEAST_M) / cell_m, shape)
        np.maximum(last, seen, out=last)
    return last, int(times.min()) if len(times) else None


def _seen_from(row: Ints, col: Ints, times: Ints, radius: float, shape: tuple[int, int]) -> Ints:
    """The last time in ms at which each cell was within a radius (in cells) of somebody; 0 = never.

    Far reaches are worked out on a coarser grid, by a fiftieth of the radius at most: a radar sees no finer.
    """
    coarse = max(1, math.ceil(radius / REACH_CELLS_MAX))
    # Who stands outside may look in.
    margin = math.ceil(radius / coarse)
    rows, cols = (math.ceil(each / coarse) for each in shape)
    wide = np.zeros((rows + 2 * margin, cols + 2 * margin), np.int64)
    row, col = row // coarse + margin, col // coarse + margin
    inside = (row >= 0) & (row < wide.shape[0]) & (col >= 0) & (col < wide.shape[1])
    np.maximum.at(wide, (row[inside], col[inside]), times[inside])
    seen = spread(wide, radius / coarse)[margin : margin + rows, margin : margin + cols]
    return seen.repeat(coarse, axis=0).repeat(coarse, axis=1)[: shape[0], : shape[1]]


def _cells(lat: NDArray[np.float64], lon: NDArray[np.float64], box: Box, shape: tuple[int, int]) -> tuple[Ints, Ints]:
    """Row and column of places in the grid; those of others lie outside it."""
    west, south, east, north = box
    top, bottom = mercator(np.array([north, south]))
    middle = (west + east) / 2
    lon = (lon - middle + 180) % 360 - 180 + middle
    row = np.floor((mercator(np.clip(lat, -89.9, 89.9)) - top) / (bottom - top) * shape[0]).astype(np.int64)
    return row, np.floor((lon - west) / (east - west) * shape[1]).astype(np.int64)


def _shadow(principal: Principal, ask: AskShadow, reading: Reading) -> Iterator[Labelled]:
    yield _shadow_from(((ask.lat_deg, ask.lon_deg),), ask, reading)


def _radar_shadow(principal: Principal, ask: AskRadarShadow, reading: Reading) -> Iterator[Labelled]:
    radars = [
        move
        for _, move in view_of(reading.views, "moves", Moves).items()
        if kind_of(move.report) == "radar" and reading.release(move.label, move.context).verdict is Verdict.FULL
    ]
    newest = sorted(radars, key=lambda move: move.stamp)[-RADARS_MAX:]
    if newest:
        yield _shadow_from(tuple((move.position.lat_deg, move.position.lon_deg) for move in newest), ask, reading)


def _shadow_from(places: tuple[tuple[float, float], ...], ask: AskRadarShadow, reading: Reading) -> Labelled:
    """Made of terrain, and of what the asker said himself or may have: nothing is left to be released."""
    shadows: Shadows = reading.part("shadows")
    heights = heights_of(ask.heights)
    rounded = tuple(sorted((round(lat, PLACE_DIGITS), round(lon, PLACE_DIGITS)) for lat, lon in places))
    found = shadows.of(ShadowOf(rounded, ask.height_m, ask.range_m, heights, ask.over))
    west, south, east, north = found.box
    row = ShadowGrid(
        west=west,
        south=south,
        east=east,
        north=north,
        rows=CELLS,
        cols=CELLS,
        places=found.places,
        ground_m=round(found.ground_m, 1),
        heights_m=heights,
        bands=base64.b64encode(found.bands).decode(),
    )
    return Labelled(row, None, reading.context)


coverage_queries = (
    Query(
        name="coverage",
        path="/coverage",
        request=AskCoverage,
        row=CoverageGrid,
        role="viewer",
        answer=_coverage,
        one=True,
        blocking=True,
        summary="How long ago each part of a box was looked at",
    ),
    Query(
        name="shadow",
        path="/shadow",
        request=AskShadow,
        row=ShadowGrid,
        role="viewer",
        answer=_shadow,
        one=True,
        blocking=True,
        slow=True,
        summary="What terrain hides from a place",
    ),
    Query(
        name="radar_shadow",
        path="/radar-shadow",
        request=AskRadarShadow,
        row=ShadowGrid,
        role="viewer",
        answer=_radar_shadow,
        one=True,
        blocking=True,
        slow=True,
        summary="What terrain hides from all radars that the asker may see",
    ),
)
