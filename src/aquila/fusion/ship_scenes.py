"""Seeded ships that several sources track, with errors alike over time and an offset: for correlation (scene S-D)."""

import msgspec
import numpy as np

from aquila.fusion.correlate import Group, SourceTracks
from aquila.fusion.rows import Floats, Ints


class _Source(msgspec.Struct):
    name: str
    who: Ints
    scale: Floats
    alike: float
    offset: Floats
    error: Floats


class Ships:
    """N ships, a quarter of them in pairs 150 to 400 m apart on one course; AIS, radar and, if wanted, phones."""

    def __init__(
        self,
        seed: int,
        ships: int,
        km2_per_ship: float,
        offset_m: tuple[float, float] = (60.0, -40.0),
        phones: float = 0.0,
    ) -> None:
        """`offset_m`: of the radar; `phones`: share of the ships that carry one."""
        self._rng = rng = np.random.default_rng(seed)
        side = 1000 * np.sqrt(ships * km2_per_ship)
        self.xy = rng.uniform(0, side, (ships, 2))
        self.v = rng.uniform(1, 12, ships)[:, None] * _directions(rng, ships)
        pairs = ships // 8
        apart = rng.uniform(150, 400, pairs)[:, None] * _directions(rng, pairs)
        self.xy[pairs : 2 * pairs], self.v[pairs : 2 * pairs] = self.xy[:pairs] + apart, self.v[:pairs]
        self._sources = [
            self._source("ais", 0.7, 15, 0.5, 0.3, (0.0, 0.0)),
            self._source("radar", 0.85, 60, 1.2, 0.8, offset_m),
        ]
        if phones:
            self._sources.append(self._source("phone", phones, 10, 0.8, 0.5, (0.0, 0.0)))

    def _source(
        self, name: str, share: float, sigma_m: float, sigma_m_s: float, alike: float, offset_m: tuple[float, float]
    ) -> _Source:
        who = np.flatnonzero(self._rng.random(len(self.xy)) < share)
        scale = np.array([sigma_m, sigma_m, sigma_m_s, sigma_m_s])
        error = self._rng.normal(0, 1, (len(who), 4)) * scale
        return _Source(name, who, scale, alike, np.array([*offset_m, 0, 0]), error)

    def step(self, seconds: float = 10.0) -> list[SourceTracks]:
        """What all sources show at the next epoch. A track bears the number of its ship."""
        self.xy = self.xy + self.v * seconds
        shown = []
        for one in self._sources:
            fresh = self._rng.normal(0, 1, one.error.shape) * one.scale
            one.error = one.alike * one.error + np.sqrt(1 - one.alike**2) * fresh
            shown.append(
                SourceTracks(
                    source=one.name,
                    names=[str(number) for number in one.who],
                    x=self.truth()[one.who] + one.error + one.offset,
                    cov=np.tile(np.diag(one.scale**2), (len(one.who), 1, 1)),
                    keys=[frozenset()] * len(one.who),
                )
            )
        return shown

    def truth(self) -> Floats:
        """x, y, vx, vy of all ships."""
        return np.column_stack([self.xy, self.v])


def _directions(rng: np.random.Generator, count: int) -> Floats:
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.column_stack([np.sin(angle), np.cos(angle)])


def pair_f1(groups: list[Group], sources: list[SourceTracks]) -> float:
    """F1 of the pairs that groups of `Ships` claim."""
    claimed = right = 0
    for group in groups:
        for k, one in enumerate(group.members):
            for other in group.members[k + 1 :]:
                claimed += 1
                right += one[1] == other[1]
    names = [set(one.names) for one in sources]
    wanted = sum(len(a & b) for k, a in enumerate(names) for b in names[k + 1 :])
    return 2 * right / max(claimed + wanted, 1)
