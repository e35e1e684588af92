"""What plots and tracks teach of all targets: how fast they are, how long they stay, how often new ones come.

Copied with the tracks, so that a replay learns the same again.
"""

from copy import copy
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from aquila.fusion.sensors import Scan
from aquila.fusion.settings import Settings

Floats = NDArray[np.float64]

SLOW_START_M_S = 20.0
"""Until speeds are known a new track is slow (mode "quiet") or as fast as its kind may be (mode "turn")."""
TRACKS_OF_A_SAID_SPEED = 10.0
SPEED_SCANS_KEPT = 100.0
SLOWEST_M_S = 1.0
"""Nobody is expected to be slower: who lies at anchor still swings."""
LOOKS_OF_A_LIFE = 70.0
"""Nobody leaves before so many scans, on average: a slow radar must not take a miss for the end of a target."""
LIVES_OF_A_SAID_LIFE = 0.07
"""What is said of a life weighs as much as so many lives ended, for each target there is."""
USUAL_STAY_SCANS = 30.0
"""Where targets stay so long, to show a true start one scan earlier is worth one false start."""
LOOKS_OF_A_MODE = np.array([40.0, 15.0])
"""So many scans, on average, a target is quiet, and manoeuvres: a slow radar must not see a turn in every plot."""
TURNS_OF_SAID_BIRTHS = 10.0
"""What is said of new targets weighs as much as so many turns of a sensor."""
SETTLED_TURNS = 6
"""Who is seen in the first turns was there before: they tell nothing of how often new targets come."""

GUESSES_M_S = 2.0 ** np.arange(9)
GUESS_PAIRS = 4
"""Pairs of scans that are compared; then tracks know speeds better."""
GUESS_PLOTS = 300
"""Plots of a scan that are compared, at most."""
GUESS_NEIGHBOURS = 8
GUESS_SPREAD = 1.0
"""Standard deviation of the logarithm of the speed that is said."""
SEEN_BEFORE = 0.5
"""Share of plots whose target had been plotted in the scan before, near enough."""
FAST_START = 2.0
"""The mode "turn" of a new track may be so many times faster than the guess: in a harbour most ships lie still."""


class Population:
    """Figures over all targets: as said of their kind at first, then as seen."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        kind = settings.kind
        self.rate = np.array([kind.quiet_to_turn_per_s, kind.turn_to_quiet_per_s])
        self.gap_s = self.turned_t = 0.0
        self.turns = self.pairs = 0
        self.settled_t = np.inf
        self.speed2 = self.speed_weight = 0.0
        self.live = self.lived_s = self.ended = self.begun = self.came = 0.0
        self.guess_m_s = np.inf
        self.guess_log = -0.5 * (np.log(GUESSES_M_S / kind.v_sigma_m_s) / GUESS_SPREAD) ** 2

    def copy(self) -> "Population":
        """An independent copy."""
        return copy(self)  # arrays are replaced here, never written into

    # --- speeds --------------------------------------------------------------------------------

    @property
    def v_sigma_m_s(self) -> float:
        """Velocity of targets per axis: as said of the kind or guessed, then as the sure tracks show it."""
        return self._usual(min(self.settings.kind.v_sigma_m_s, FAST_START * self.guess_m_s))

    @property
    def start_m_s(self) -> tuple[float, float]:
        """Velocity per axis of a track with one plot, in the modes "quiet" and "turn"."""
        fast = self.v_sigma_m_s
        return min(self._usual(min(SLOW_START_M_S, self.guess_m_s)), fast), fast

    def _usual(self, said: float) -> float:
        """Velocity per axis: what is said, until enough tracks show a better figure.

        Both are joined by their logarithms: the square of a speed said for aircraft would outweigh a hundred ships.
        """
        if self.speed_weight == 0:
            return said
        weight = TRACKS_OF_A_SAID_SPEED
        seen = log(max(self.speed2 / self.speed_weight, SLOWEST_M_S**2)) / 2
        return exp((weight * log(said) + self.speed_weight * seen) / (weight + self.speed_weight))

    def guess_speed(self, before: Scan, scan: Scan, area_m2: float) -> None:
        """From two scans of one sensor: how likely each of `GUESSES_M_S` makes the second, whoever is who.

        Each plot is new (uniform over the area) or one of the nearest before it, moved by a normal velocity.
        """
        if len(before.z) == 0 or len(scan.z) == 0 or scan.t_s <= before.t_s:
            return
        some = slice(None, None, max(1, len(scan.z) // GUESS_PLOTS))
        near = min(GUESS_NEIGHBOURS, len(before.z))
        distance, at = cKDTree(before.z).query(scan.z[some], k=near)
        distance, at = distance.reshape(-1, near), at.reshape(-1, near)
        noise2 = (scan.noise[some, :2].sum(axis=1)[:, None] + before.noise[at, :2].sum(axis=2)) / 2
        spread2 = noise2[..., None] + (GUESSES_M_S * (scan.t_s - before.t_s)) ** 2
        moved = (np.exp(-0.5 * distance[..., None] ** 2 / spread2) / (2 * np.pi * spread2)).sum(axis=1)
        new = (1 - SEEN_BEFORE) * len(scan.z) / area_m2
        self.guess_log = self.guess_log + np.log(new + SEEN_BEFORE * moved).sum(axis=0)
        weight = np.exp(self.guess_log - self.guess_log.max())
        self.guess_m_s = float(np.exp((weight * np.log(GUESSES_M_S)).sum() / weight.sum()))
        self.pairs += 1

    def learn_speed(self, squared: float, tracks: int) -> None:
        """Take the sum of squared velocities per axis, noise taken off, of so many sure tracks."""
        keep = 1 - 1 / SPEED_SCANS_KEPT
        self.speed2 = self.speed2 * keep + max(squared, 0.0)
        self.speed_weight = self.speed_weight * keep + tracks

    # --- times ---------------------------------------------------------------------------------

    def end_turn(self, t_s: float) -> None:
        """A sensor has seen all it will see of its turn."""
        if self.turns:
            self.gap_s += (t_s - self.turned_t - self.gap_s) / min(self.turns, 20)
        self.turns, self.turned_t = self.turns + 1, t_s
        if self.turns == SETTLED_TURNS:
            self.settled_t = t_s

    @property
    def switching(self) -> Floats:
        """How often targets begin and end to manoeuvre, per second: as said of the kind, but slower than scans come."""
        slow: Floats = np.minimum(self.rate, 1 / (LOOKS_OF_A_MODE * max(self.gap_s, 1e-9)))
        return slow

    @property
    def life_s(self) -> float:
        """Mean time until a target leaves: as said of its kind, then as seen, but never shorter than so many scans."""
        weight = LIVES_OF_A_SAID_LIFE * max(self.live, 1.0)
        seen = (weight * self.settings.kind.life_s + self.lived_s) / (weight + self.ended)
        return max(seen, LOOKS_OF_A_LIFE * self.gap_s)

    @property
    def sure_r(self) -> float:
        """How likely a track with few plots must be to be shown, by how long targets stay; 0 before that is known.

        Shown now, one scan of a target is won with r, and a false start is made with 1 - r. The longer they stay, the
        less is a scan, and the fewer are the true starts beside which a false one is seen: hence the square. A stay is
        what all have lived for each that came (Little's law; Jeffreys' prior), known sooner than by their ends.
        """
        if not self.settings.learn or self.turns < 2:
            return 0.0
        stay_scans = self.lived_s / (self.came + 0.5) / max(self.gap_s, 1e-9)
        odds = (stay_scans / USUAL_STAY_SCANS) ** 2
        return odds / (1 + odds)

    def learn_life(self, passed_s: float, live: float, ended: float) -> None:
        """Take how many targets were there for so long, and how many of them are there no more."""
        self.live = live
        self.lived_s += passed_s * live
        self.ended += ended

    @property
    def births_per_clutter(self) -> float:
        """New targets per clutter plot: what is said at most, as a sensor without clutter would make it endless."""
        weight, turns = TURNS_OF_SAID_BIRTHS, self.turns if self.settings.learn else 0
        said = self.settings.births_per_clutter
        return min(said, (weight * said + self.begun) / (weight + turns))

    def learn_births(self, new: float, clutter: float) -> None:
        """Take how many new targets there are, beside so many clutter plots of one turn."""
        self.came += new
        self.begun += new / max(clutter, 1.0)


def exchange_prior(x: Floats, cov: Floats, was_m_s: tuple[float, float], now_m_s: tuple[float, float]) -> None:
    """Young tracks began with a velocity of 0 and `was_m_s` per axis; make it what `now_m_s` had made of them.

    The exact exchange of one normal prior by a narrower one: an update by a velocity of 0 whose information is the
    difference of both. A mode whose prior would become wider stays as it is.

    Args:
        x: Means, shape (n, 2, 4), changed in place.
        cov: Triangles of covariances, shape (n, 2, 10), changed in place.
        was_m_s: Standard deviation of the velocity per axis that each mode began with.
        now_m_s: The one that each should have begun with.
    """
    row, column = np.triu_indices(4)
    for mode, (was, now) in enumerate(zip(was_m_s, now_m_s, strict=True)):
        if now >= was:
            continue
        full = np.empty((len(x), 4, 4))
        full[:, row, column] = full[:, column, row] = cov[:, mode]
        innovation = full[:, 2:, 2:] + np.eye(2) / (now**-2 - was**-2)
        gain = np.linalg.solve(innovation, full[:, 2:]).transpose(0, 2, 1)
        x[:, mode] -= (gain @ x[:, mode, 2:, None])[..., 0]
        cov[:, mode] = (full - gain @ full[:, 2:])[:, row, column]
