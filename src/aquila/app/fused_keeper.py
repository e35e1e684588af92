"""Keeps what the quality of the fused picture is judged by: what was said lately, how late, and the truth if known.

Light: a node without feeds has one and loads nothing for it.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from aquila.app.fused_heard import Heard, HeardPlot, HeardReport
from aquila.core.model import Position

Floats = NDArray[np.float64]

EVERY_MS: Final = 1_000
MOMENTS_KEPT: Final = 60
READINGS_KEPT: Final = 500
FEEDS_KEPT: Final = 100
CLOCK_OFF_MS: Final = 30_000


class Truth(Protocol):
    """Who knows where everything really is: a simulator."""

    def places(self) -> tuple[Sequence[Hashable], Floats]:
        """Names, and latitude and longitude in degrees, shape (n, 2), of this moment."""
        ...


class QualityKeeper:
    """What a node knows of the quality of its fused picture.

    Attributes:
        truth: None = it is not known. places: of the fused symbols as they were last said.
        moments: the last minute, each with its time, names and places of the truth, names and places of the picture.
        late: for each feed its last readings: ms from being true to being heard, from being heard to being shown.
    """

    def __init__(self) -> None:
        self.truth: Truth | None = None
        self.places: dict[str, Position] = {}
        self.moments: deque[tuple[int, Sequence[Hashable], Floats, list[str], Floats]] = deque(maxlen=MOMENTS_KEPT)
        self.late: dict[str, deque[tuple[int | None, int]]] = {}

    def shown(self, batch: Iterable[Heard], now_ms: int) -> None:
        """These were heard, and their symbols have been said at this time."""
        for heard in batch:
            if not isinstance(heard, HeardReport | HeardPlot) or not heard.feed:
                continue
            late = self.late.get(heard.feed)
            if late is None:
                if len(self.late) >= FEEDS_KEPT:
                    continue
                late = self.late[heard.feed] = deque(maxlen=READINGS_KEPT)
            observed_ms = (heard.plot if isinstance(heard, HeardPlot) else heard.report).observed_at_ms
            delay_ms = heard.received_at_ms - observed_ms
            late.append((delay_ms if abs(delay_ms) <= CLOCK_OFF_MS else None, now_ms - heard.received_at_ms))

    def look(self, now_ms: int) -> None:
        """Keep a moment of truth and picture, once a second."""
        if self.truth is None or (self.moments and 0 <= now_ms - self.moments[-1][0] < EVERY_MS):
            return
        ids, truth = self.truth.places()
        shown = list(self.places.items())
        places = np.array([(at.lat_deg, at.lon_deg) for _, at in shown]).reshape(-1, 2)
        self.moments.append((now_ms, ids, truth.copy(), [entity for entity, _ in shown], places))
