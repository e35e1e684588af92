"""Table: the picture as one audience may have it, in columns, shared by all its screens.

Names, places and times are released, redacted and rounded once here; each screen takes the rows it lacks by a mask.
Handles are given in the order in which this audience gets to know entities, so their numbers tell nothing of the rest.
"""

import asyncio
from collections import deque
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aquila.core.ids import entity_id
from aquila.core.model import PRESSURE_ALTITUDE, Report, Verdict
from aquila.core.policy import Policy
from aquila.features.picture import Picture, Sight
from aquila.features.picture.queries import affiliation_word, geojson_of
from aquila.features.picture.view import FUSED
from aquila.web_api import frames
from aquila.web_api.release import Releaser

STEP = 200
"""Entities brought up to date before the event loop gets a turn."""
FIRST_ROWS = 256

_COLUMNS = (
    ("lat_e7", "<i4"),
    ("lon_e7", "<i4"),
    ("alt_m", "<i2"),
    ("speed", "<u2"),
    ("course", "<u2"),
    ("observed_ms", "<i8"),
    ("stale_ms", "<i8"),
    ("moved", "<i8"),
    ("described", "<i8"),
    ("alive", "?"),
    ("placed", "?"),
    ("drawn", "?"),
)
NEVER_STALE = np.iinfo(np.int64).max


class Table:
    """Rows by handle.

    Args:
        picture: the view that is followed.
        releaser: the decisions for this audience, of the policy epoch in which the table was made.

    Attributes:
        turns: held while the table is brought up to date.
    """

    def __init__(self, picture: Picture, releaser: Releaser) -> None:
        self._picture = picture
        self._releaser = releaser
        self._handles: dict[str, int] = {}
        self._said: list[tuple[Any, ...] | None] = []
        self._spots: list[tuple[Any, ...] | None] = []
        self._waiting: deque[str] = deque()
        self.turns = asyncio.Lock()
        self.metas: list[bytes] = []
        self.size = 0
        self.turn = 0
        self.columns: frames.Columns = {name: np.zeros(FIRST_ROWS, dtype=kind) for name, kind in _COLUMNS}

    @property
    def policy(self) -> Policy:
        """The policy in force when this table was made."""
        return self._releaser.policy

    def refresh(self, step: int = STEP) -> bool:
        """Take up at most `step` changed entities, the oldest change first; true = there are more."""
        if not self._waiting and self._picture.turn != self.turn:
            self._waiting.extend(entity for _, entity in self._picture.changed_since(self.turn))
            self.turn = self._picture.turn
        for _ in range(min(step, len(self._waiting))):
            self._update(self._waiting.popleft())
        return bool(self._waiting)

    def _update(self, entity: str) -> None:
        sight = self._picture.sight(entity, self._releaser, self._releaser.policy)
        handle = self._handles.get(entity)
        if sight is None:
            if handle is not None:
                self.columns["alive"][handle] = False
                self._said[handle] = self._spots[handle] = None
            return
        if handle is None:
            handle = self._new_row(entity)
        self._place(handle, sight)
        self._describe(handle, sight)

    def _new_row(self, entity: str) -> int:
        handle = self._handles[entity] = self.size
        self.size += 1
        self._said.append(None)
        self._spots.append(None)
        self.metas.append(b"")
        if self.size > len(self.columns["alive"]):
            for name, column in self.columns.items():
                self.columns[name] = grown(column, 2 * len(column))
        return handle

    def _place(self, handle: int, sight: Sight) -> None:
        columns, report = self.columns, sight.report
        position, motion = report.position, report.motion
        spot = (position, motion, sight.observed_at_ms, sight.stale_at_ms)
        if spot == self._spots[handle]:
            # Something changed that this audience may not have: it is not even told that.
            return
        self._spots[handle] = spot
        columns["alive"][handle] = True
        columns["observed_ms"][handle] = sight.observed_at_ms
        columns["stale_ms"][handle] = NEVER_STALE if sight.stale_at_ms is None else sight.stale_at_ms
        columns["moved"][handle] = self._picture.turn
        columns["placed"][handle] = position is not None
        if position is None:
            return
        columns["lat_e7"][handle] = round(position.lat_deg * 1e7)
        columns["lon_e7"][handle] = round(position.lon_deg * 1e7)
        hae_m = position.hae_m
        columns["alt_m"][handle] = frames.NO_ALTITUDE if hae_m is None else max(-32767, min(32767, round(hae_m)))
        speed_mps = None if motion is None else motion.speed_mps
        course_deg = None if motion is None else motion.course_deg
        columns["speed"][handle] = frames.NO_VALUE if speed_mps is None else min(65534, round(speed_mps * 10))
        columns["course"][handle] = frames.NO_VALUE if course_deg is None else round(course_deg * 100) % 36000

    def _describe(self, handle: int, sight: Sight) -> None:
        """Write the row's JSON, when anything but time and place is new."""
        report = sight.report
        valid_ms = 0 if sight.stale_at_ms is None else sight.stale_at_ms - sight.observed_at_ms
        said = (
            report.name,
            report.sidc,
            report.type,
            sight.source,
            valid_ms,
            report.category,
            sight.emergency,
            _caller_of(sight),
            report.geometry,
            _members_of(sight),
            _drawn_of(report),
            _level_of(report),
            sight.verdict,
        )
        if self._said[handle] == said:
            return
        self._said[handle] = said
        self.columns["described"][handle] = self._picture.turn
        self.columns["drawn"][handle] = report.geometry is not None
        self.metas[handle] = msgspec.json.encode(_meta_of(handle, sight))

    def columns_grown(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A screen's own column, as long as those of the table."""
        length = len(self.columns["alive"])
        return column if len(column) == length else grown(column, length)

    def counts(self, now_ms: int) -> tuple[int, int]:
        """(entities, those not stale) of this audience."""
        alive = self.columns["alive"]
        fresh = alive & (self.columns["stale_ms"] > now_ms)
        return int(np.count_nonzero(alive)), int(np.count_nonzero(fresh))


def grown(column: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """A longer column with the same beginning, zeros after it."""
    longer = np.zeros(length, dtype=column.dtype)
    longer[: len(column)] = column
    return longer


def _caller_of(sight: Sight) -> str | None:
    """Who calls for help in an alert: TAK gives the alert a uid of its own beside the caller's."""
    report = sight.report
    if sight.emergency is None or report.category != "alert" or report.parent is None:
        return None
    return entity_id(report.parent.scheme, report.parent.value)


def _members_of(sight: Sight) -> tuple[str, ...]:
    """What a fused track stands for; a reader of the redacted form sees the members themselves."""
    report = sight.report
    if report.alias.scheme != FUSED or sight.verdict is not Verdict.FULL:
        return ()
    return tuple(report.fields.get("members", "").split())


LOOKS = ("color", "iconsetpath", "corridor_m", "rings", "ring_m", "bearing_ref", "inward")
"""Fields of drawings and marks that say how they look."""
LEVEL_FT_MAX = 200_000
"""What is told to fly higher is no pressure altitude; nor is what is no number."""


def _drawn_of(report: Report) -> dict[str, str]:
    """How it looks; nothing of what nobody drew."""
    if not report.fields or report.category not in ("drawing", "marker"):
        return {}
    return {name: report.fields[name] for name in LOOKS if name in report.fields}


def _level_of(report: Report) -> int | None:
    try:
        feet = float(report.fields[PRESSURE_ALTITUDE])
    except (KeyError, ValueError):
        return None
    return round(feet / 100) if abs(feet) < LEVEL_FT_MAX else None


def _meta_of(handle: int, sight: Sight) -> frames.TrackMeta:
    report = sight.report
    redacted = sight.source is None
    stale_at_ms = sight.observed_at_ms if sight.stale_at_ms is None else sight.stale_at_ms
    return frames.TrackMeta(
        h=handle,
        id=report.entity,
        name=report.name or ("" if redacted else report.alias.value),
        sidc=report.sidc,
        type=report.type,
        source=sight.source or "",
        observed_at_ms=sight.observed_at_ms,
        stale_at_ms=stale_at_ms,
        affiliation=affiliation_word(report),
        category=report.category,
        emergency=sight.emergency,
        caller=_caller_of(sight),
        geometry=None if report.geometry is None else geojson_of(report.geometry),
        members=_members_of(sight),
        drawn=_drawn_of(report),
        level=_level_of(report),
    )
