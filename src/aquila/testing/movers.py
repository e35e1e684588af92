"""Movers with a known story: tracks that stop, loiter, meet, fall silent, jump ..., and others that do not.

Everything is drawn from one seed. The labels come from the story that is played, never from a detector.
"""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEP_S = 10
SPAN_S = 5400
NOISE_M = 8.0
PER_DEG_M = 111_195.0
LAT, LON = 45.0, 9.0


class Story(msgspec.Struct, frozen=True):
    """What truly happens: kind, movers in order, from and until in seconds."""

    kind: str
    movers: tuple[int, ...]
    from_s: float
    until_s: float


class Course(msgspec.Struct, frozen=True):
    """A route drawn for a mover: corners (k, 2) in degrees lat, lon; half_m: so far beside it is still on it."""

    mover: int
    corners: Floats
    half_m: float


class Scene(msgspec.Struct, frozen=True):
    """What is heard, and what truly happens.

    Attributes:
        places: (movers, steps, 2) in degrees lat, lon; NaN = nothing is heard at that step.
        domains: (movers, steps), see fusion.pattern_kinds; 0 = not known.
    """

    places: Floats
    stories: tuple[Story, ...]
    domains: NDArray[np.int64]
    courses: tuple[Course, ...] = ()

    def steps(self) -> Iterator[tuple[int, Floats]]:
        """Seconds since the start, and where everybody is then."""
        for step in range(self.places.shape[1]):
            yield step * STEP_S, self.places[:, step]


class _Author:
    """Writes one scene."""

    def __init__(self, seed: int) -> None:
        self.dice = np.random.default_rng(seed)
        self.time_s = np.arange(0, SPAN_S, STEP_S, dtype=np.float64)
        self.ways: list[Floats] = []
        self.stories: list[Story] = []
        self.domains: dict[int, NDArray[np.int64]] = {}
        self.courses: list[tuple[int, Floats, float]] = []

    def cruise(self, speed_mps: float | None = None) -> tuple[Floats, float, float]:
        """A straight way far from all others: metres east and north, speed, heading in radians."""
        speed = float(self.dice.uniform(3, 10)) if speed_mps is None else speed_mps
        heading = float(self.dice.uniform(0, 2 * np.pi))
        start = np.array([80_000.0 * (len(self.ways) % 8), 90_000.0 * (len(self.ways) // 8)])
        way = start + np.outer(self.time_s * speed, [np.sin(heading), np.cos(heading)])
        return way, speed, heading

    def pausing(self, from_s: float, until_s: float) -> Floats:
        """A straight way with a halt."""
        way, speed, heading = self.cruise()
        moved_s = self.time_s - np.clip(self.time_s - from_s, 0, until_s - from_s)
        return np.asarray(way[0] + np.outer(moved_s * speed, [np.sin(heading), np.cos(heading)]))

    def add(self, way: Floats, *stories: Story) -> int:
        """A mover with this way; gives its number."""
        self.ways.append(way)
        self.stories += stories
        return len(self.ways) - 1

    def span(self, low_s: float, high_s: float) -> tuple[float, float]:
        """A part of the scene that lasts so long."""
        lasts = float(self.dice.uniform(low_s, high_s))
        begins = float(self.dice.uniform(600, SPAN_S - lasts - 600))
        return begins, begins + lasts

    def scene(self) -> Scene:
        """With the noise of receivers, and here and there a report that is lost."""
        places = degrees(np.stack(self.ways) + self.dice.normal(0, NOISE_M, (len(self.ways), len(self.time_s), 2)))
        places[self.dice.random(places.shape[:2]) < 0.05] = np.nan
        domains = np.zeros(places.shape[:2], np.int64)
        for number, each in self.domains.items():
            domains[number] = each
        courses = tuple(Course(number, degrees(corners), half_m) for number, corners, half_m in self.courses)
        return Scene(places, tuple(self.stories), domains, courses)


def degrees(metres: Floats) -> Floats:
    """Metres east and north, shape (..., 2), as degrees lat and lon."""
    lat = LAT + metres[..., 1] / PER_DEG_M
    lon = LON + metres[..., 0] / (PER_DEG_M * np.cos(np.radians(lat)))
    return np.stack([lat, lon], axis=-1)


def _circling(author: _Author, from_s: float, until_s: float) -> Floats:
    """Comes, goes round in circles, goes on."""
    way, speed, heading = author.cruise(float(author.dice.uniform(3, 6)))
    # In twenty minutes it goes round at least twice, else it only bends.
    radius_m = float(author.dice.uniform(250, min(700, speed * 1200 / (4 * np.pi))))
    ahead = np.array([np.sin(heading), np.cos(heading)])
    aside = np.array([ahead[1], -ahead[0]])
    inside_s = np.clip(author.time_s - from_s, 0, until_s - from_s)
    turn = inside_s * speed / radius_m
    base = way[0] + np.outer((author.time_s - inside_s) * speed, ahead)
    return np.asarray(base + radius_m * (np.outer(np.sin(turn), ahead) + np.outer(1 - np.cos(turn), aside)))


def _silent(scene: Scene, number: int, from_s: float, until_s: float) -> None:
    scene.places[number, int(from_s / STEP_S) + 1 : int(until_s / STEP_S)] = np.nan


def play(seed: int, each: int = 4) -> Scene:
    """A scene in which each pattern happens `each` times, and as often something that only looks like it."""
    author = _Author(seed)
    gaps: list[tuple[int, float, float]] = []
    for _ in range(each):
        n = len(author.ways)
        a, b = author.span(1000, 2400)
        author.add(author.pausing(a, b), Story("stop", (n,), a, b))
        a, b = author.span(120, 420)
        author.add(author.pausing(a, b))
        n = len(author.ways)
        a, b = author.span(2000, 3000)
        author.add(_circling(author, a, b), Story("loiter", (n,), a, b))
        a, b = author.span(200, 700)
        author.add(_circling(author, a, b))
        _meeting(author)
        _passing(author)
        _travelling(author)
        a, b = author.span(900, 2400)
        gaps.append((author.add(author.cruise()[0], Story("gap", (len(author.ways),), a, b)), a, b))
        a, b = author.span(60, 400)
        gaps.append((author.add(author.cruise()[0]), a, b))
        _jumping(author)
        _moored(author)
    for _ in range(each):
        _speeding(author)
        _doubled(author)
        _changing(author)
        _leaving(author)
    scene = author.scene()
    for gap in gaps:
        _silent(scene, *gap)
    return scene


def _meeting(author: _Author) -> None:
    """Two come from two sides, lie beside each other, and part: both stop, and they meet."""
    a, b = author.span(1000, 2000)
    one, speed, heading = author.cruise()
    moved_s = author.time_s - np.clip(author.time_s - a, 0, b - a)
    ahead = np.array([np.sin(heading), np.cos(heading)])
    first = one[0] + np.outer(moved_s * speed, ahead)
    place = one[0] + a * speed * ahead + author.dice.uniform(-60, 60, 2)
    other = np.array([ahead[1], -ahead[0]])
    n = len(author.ways)
    author.add(first, Story("stop", (n,), a, b))
    pair = Story("meeting", (n, n + 1), a, b)
    author.add(place + np.outer((moved_s - a) * speed, other), Story("stop", (n + 1,), a, b), pair)


def _passing(author: _Author) -> None:
    """Two pass close by each other, each on its way."""
    one, _, heading = author.cruise()
    aside = np.array([np.cos(heading), -np.sin(heading)])
    author.add(one)
    author.add(one[::-1] + 100 * aside)


def _travelling(author: _Author) -> None:
    """Two go together for a while, then one turns away; two others do so for a short time only."""
    for low_s, high_s, is_long in ((1500, 2800, True), (200, 500, False)):
        a, b = author.span(low_s, high_s)
        one, speed, heading = author.cruise(float(author.dice.uniform(4, 10)))
        aside = np.array([np.cos(heading), -np.sin(heading)])
        away_s = np.maximum(a - author.time_s, 0) + np.maximum(author.time_s - b, 0)
        two = one + 150 * aside + np.outer(away_s * speed * 0.8, aside)
        n = len(author.ways)
        author.add(one)
        author.add(two, *([Story("co_travel", (n, n + 1), a, b)] if is_long else []))


def _jumping(author: _Author) -> None:
    """One is suddenly twenty kilometres away, and stays on its new way."""
    a, _ = author.span(60, 120)
    way = author.cruise()[0]
    way[author.time_s >= a] += [20_000, 0]
    author.add(way, Story("jump", (len(author.ways),), a, a))


def _moored(author: _Author) -> None:
    """Two lie side by side all the time: nobody stops, and nobody meets."""
    spot = author.cruise()[0][0]
    for offset in (0, 40):
        author.add(np.tile(spot + np.array([offset, 0]), (len(author.time_s), 1)))


def _speeding(author: _Author) -> None:
    """A car that drives far too fast; one that is quick all the time, as a car may be; and one that overtakes."""
    for speed_mps, lasts, kinds in (
        (author.dice.uniform(55, 66), (300, 900), ("too_fast",)),
        (author.dice.uniform(38, 45), (300, 900), ()),
        (author.dice.uniform(55, 66), (30, 80), ()),
    ):
        a, b = author.span(*lasts)
        way, _, heading = author.cruise(float(author.dice.uniform(5, 15)))
        pace = np.linalg.norm(way[1] - way[0]) / STEP_S
        inside_s = np.clip(author.time_s - a, 0, b - a)
        far_m = author.time_s * pace + inside_s * (speed_mps - pace)
        n = author.add(way[0] + np.outer(far_m, [np.sin(heading), np.cos(heading)]))
        author.stories += [Story(kind, (n,), a, b) for kind in kinds]
        author.domains[n] = np.full(len(author.time_s), 2)


def _doubled(author: _Author) -> None:
    """Two use one identity for a while; and one whose clock or receiver is wrong just once."""
    a, b = author.span(1000, 2600)
    way, _, heading = author.cruise()
    turn = heading + float(author.dice.uniform(1, 5))
    far_m = float(author.dice.uniform(6_000, 30_000))
    other = way[0] + far_m * np.array([np.sin(turn), np.cos(turn)])
    other = other + np.outer(author.time_s * 5.0, [np.cos(turn), -np.sin(turn)])
    is_other = (author.time_s >= a) & (author.time_s < b) & (author.dice.random(len(author.time_s)) < 0.5)
    n = len(author.ways)
    author.add(np.where(is_other[:, None], other, way), Story("two_places", (n,), a, b))
    once, _ = author.span(60, 120)
    step = int(once / STEP_S)
    way = author.cruise()[0]
    way[step] += [9_000, 0]
    n = len(author.ways)
    at_s = float(step * STEP_S)
    author.add(way, Story("jump", (n,), at_s, at_s), Story("jump", (n,), at_s + STEP_S, at_s + STEP_S))


def _changing(author: _Author) -> None:
    """A ship that says it flies; and one that only becomes known."""
    a, _ = author.span(60, 120)
    later = author.time_s >= a
    was, becomes = author.dice.permutation([1, 2, 3])[:2]
    n = author.add(author.cruise()[0], Story("kind_change", (len(author.ways),), a, a))
    author.domains[n] = np.where(later, becomes, was)
    n = author.add(author.cruise()[0])
    author.domains[n] = np.where(later, 2, 0)
    n = author.add(author.cruise()[0])
    author.domains[n] = np.where(later & (author.time_s < a + 300), 0, 3)


def _leaving(author: _Author) -> None:
    """Three with a drawn route that bends: one leaves it for long, one shortly, one weaves within it."""
    for lasts, far, is_told in (
        ((900, 2400), (1.8, 4.0), True),
        ((50, 110), (1.5, 2.5), False),
        ((900, 2400), (0, 0.6), False),
    ):
        a, b = author.span(*lasts)
        way, speed, heading = author.cruise()
        bend = heading + float(author.dice.uniform(-1, 1))
        half = len(author.time_s) // 2
        ahead, after = np.array([np.sin(heading), np.cos(heading)]), np.array([np.sin(bend), np.cos(bend)])
        way[half:] = way[half] + np.outer((author.time_s[half:] - author.time_s[half]) * speed, after)
        corners = np.stack([way[0] - 3000 * ahead, way[half], way[-1] + 3000 * after])
        half_m = float(author.dice.uniform(200, 500))
        # It swings out and back within a minute and a half at most.
        out = np.clip(np.minimum(author.time_s - a, b - author.time_s) / 45, 0, 1)
        # One direction for both legs, else it would jump at the bend.
        aside = np.array([np.cos(heading) + np.cos(bend), -np.sin(heading) - np.sin(bend)])
        aside /= np.linalg.norm(aside)
        n = author.add(way + (out * author.dice.uniform(*far) * half_m)[:, None] * aside[None, :])
        author.courses.append((n, corners, half_m))
        if is_told:
            author.stories.append(Story("deviation", (n,), a, b))
