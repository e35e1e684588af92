"""The multi-target tracker: one call takes one scan; state is a structure of arrays over tracks.

Existence probability (JIPDA), two-mode IMM, gating, loopy belief propagation or exact assignment. Sources: Musicki and
Evans, IEEE TAES 40(2), 2004 (existence); Blom and Bar-Shalom, IEEE TAC 33(8), 1988 (IMM); Williams and Lau, IEEE TAES
50(4), 2014 (belief propagation).
"""

from importlib import import_module
from typing import Any

import msgspec
import numpy as np

from aquila.fusion import kernels_numpy
from aquila.fusion.compiled import has_compiler
from aquila.fusion.population import GUESS_PAIRS, Population, exchange_prior
from aquila.fusion.rows import Bools, Floats, Ints, Rows
from aquila.fusion.sensors import NORMALS, Learned, Scan, Sensor
from aquila.fusion.settings import Settings

NEW_MODES = np.array([0.7, 0.3])
SCANS_BEFORE_LEARNING = 6
ESTABLISHED_HITS = 4
"""A plot is no clutter when a track with so many plots explains it; younger ones may be clutter themselves."""
OLD_HITS = 8
"""Only the end of a track with so many plots tells how long targets stay."""
SURE_R = 0.9
PAIR_R_MAX = 0.8
"""No plot of two can be checked by the other: where a start must be surer than this, a third must come."""
SLOWEST_SCALE = 0.35
"""A track manoeuvres at least as one this share as fast as usual: the slow may speed up."""
PERIOD_UNSAID_S = 5.0
SEEN_TWICE = 0.02
"""Share of the usual chance that a target is plotted a second time in one turn."""
HARD_R_MIN = 0.5
EDGES_PER_TRACK = 12


class Picture(msgspec.Struct, frozen=True):
    """The tracks that are shown, at one time. Row k of every array is the same track."""

    t_s: float
    born_t: Floats
    born_n: Ints
    """Time and number of the plot that each began with: its identity inside the tracker."""
    x: Floats
    """Mean of x, y, vx, vy, shape (n, 4)."""
    cov: Floats
    """Covariance, m and m/s, shape (n, 4, 4)."""
    r: Floats
    """Probability that the track is a target."""
    row: Ints
    """Its row in the tracker until the next scan."""


class Tracker(Rows):
    """Many targets from many sensors. Scans come in time order (`timeline.Timeline` takes them in any order)."""

    def __init__(
        self, sensors: list[Sensor], settings: Settings | None = None, *, compiled: bool | None = None
    ) -> None:
        """Start without a track. `compiled`: use the compiled kernels; None: when numba is installed."""
        super().__init__(len(sensors))
        self.settings = settings or Settings()
        self.compiled = False
        self.kernels: Any = kernels_numpy
        if has_compiler() if compiled is None else compiled:
            self.compile()
        self.learned = [Learned(sensor) for sensor in sensors]
        self.t_s = -np.inf
        self.scans = 0
        self.population = Population(self.settings)
        self.last_born: tuple[float, int, int] = (-np.inf, -1, 0)
        kind = self.settings.kind
        self.q = np.array([kind.q_quiet_m2_s3, kind.q_turn_m2_s3])
        self._room()

    def compile(self) -> None:
        """Use the compiled kernels from now on."""
        self.compiled, self.kernels = True, import_module("aquila.fusion.kernels_loops")

    # --- memory --------------------------------------------------------------------------------

    def _room(self) -> None:
        """Work arrays as large as the rows."""
        size = self.capacity
        self.xo, self.cov_o, self.muo = np.empty((size, 2, 4)), np.empty((size, 2, 10)), np.empty((size, 2))
        self.speeds2, self.noise2 = np.empty(size), np.empty(size)
        self.xc, self.mix = np.empty((size, 2)), np.empty((size, 3))
        self.first = np.zeros(size + 1, np.int64)
        self._room_for_edges(size * EDGES_PER_TRACK)

    def _room_for_edges(self, size: int) -> None:
        self.ei, self.ej, self.el = np.empty(size, np.int64), np.empty(size, np.int64), np.empty((size, 2))

    def state(self) -> dict[str, Any]:
        """A copy of all that a later scan depends on; `restore` puts it back, bit for bit."""
        plain = ("t_s", "scans", "last_born")
        return {
            "rows": self.copy(),
            "plain": {name: getattr(self, name) for name in plain},
            "learned": [one.copy() for one in self.learned],
            "population": self.population.copy(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` gave. The state stays usable."""
        self.put(state["rows"])
        for name, value in state["plain"].items():
            setattr(self, name, value)
        self.learned = [one.copy() for one in state["learned"]]
        self.population = state["population"].copy()

    # --- what is known of the world ------------------------------------------------------------

    def _learn_speed(self, before: Bools) -> None:
        """From the tracks that were sure before the scan, as they moved then."""
        n = len(before)
        old = before & (self.hits[:n] >= ESTABLISHED_HITS)
        # Not cut off one by one: the noise of those at anchor would count as speed.
        self.population.learn_speed(float((self.speeds2[:n] - self.noise2[:n])[old].sum()), int(old.sum()))

    def _guess_speed(self, scan: Scan, learned: Learned) -> None:
        """Before tracks tell speeds, two scans of a sensor do; who began with a wrong one is put right."""
        population = self.population
        if not self.settings.learn or population.pairs >= GUESS_PAIRS or scan.turn_s is not None:
            learned.before = None
            return
        if learned.before is not None:
            was, first = population.start_m_s, population.pairs == 0
            population.guess_speed(learned.before, scan, learned.area_m2)
            young = np.flatnonzero(self.hits[: self.n] < ESTABLISHED_HITS)
            if first and len(young):
                x, cov = self.x[young], self.cov[young]
                exchange_prior(x, cov, was, population.start_m_s)
                self.x[young], self.cov[young] = x, cov
        learned.before = scan

    def _scale(self) -> Floats:
        """How strongly each track may manoeuvre, relative to the kind's figures: with the square of its speed."""
        n = self.n
        self.kernels.speeds(self.x[:n], self.cov[:n], self.mu[:n], self.speeds2[:n], self.noise2[:n])
        usual2 = self.population.v_sigma_m_s**2
        scale: Floats = np.minimum(np.maximum(self.speeds2[:n], SLOWEST_SCALE**2 * usual2), 9 * usual2)
        return scale / self.settings.kind.v_sigma_m_s**2

    # --- one scan ------------------------------------------------------------------------------

    def predict(self, t_s: float) -> None:
        """Existence and all modes at `t_s`, into the work arrays; the tracks stay."""
        n = self.n
        if len(self.xc) < self.capacity:
            self._room()
        self.r[:n] *= np.exp((self.t[:n] - t_s) / self.population.life_s)
        self.kernels.predict(
            t_s, self.q, self.population.switching, self._scale(), self.x[:n], self.cov[:n], self.mu[:n], self.t[:n],
            self.xo[:n], self.cov_o[:n], self.muo[:n], self.xc[:n], self.mix[:n],
        )  # fmt: skip

    def _gate(self, scan: Scan) -> int:
        n = self.n
        if n == 0 or len(scan.z) == 0:
            self.first[: n + 1] = 0
            return 0
        kind = self.settings.kind
        v_max = min(kind.v_max_m_s, 3.0 * self.population.v_sigma_m_s)
        # A track with one plot has no velocity: a gap would make its gate kilometres wide.
        bound = v_max * (scan.t_s - self.t_hit[:n]) + 5 * np.sqrt(2 * scan.noise[:, :2].max())
        limit = np.where(self.hits[:n] <= 1, bound, np.inf)
        while True:
            count = self.kernels.gate(
                self.xo[:n], self.cov_o[:n], self.muo[:n], self.xc[:n], self.mix[:n], limit, scan.z, scan.noise,
                self.settings.gate_chi2, self.first, self.ei, self.ej, self.el,
            )  # fmt: skip
            if count >= 0:
                return int(count)
            self._room_for_edges(2 * len(self.ei))

    def scan(self, scan: Scan) -> None:
        """Take one scan.

        Raises:
            ValueError: The scan is older than the newest one.
        """
        if scan.t_s < self.t_s:
            raise ValueError(f"scan at {scan.t_s} s is older than the newest, {self.t_s} s: use a Timeline")
        learned = self.learned[scan.sensor]
        if scan.ends_turn:
            self.population.end_turn(scan.t_s)
        passed_s = scan.t_s - self.t_s if self.scans else 0.0
        self.t_s = scan.t_s
        self.scans += 1
        learned.scans += scan.ends_turn
        period_s = learned.sensor.period_s or PERIOD_UNSAID_S
        margin_m = self.population.v_sigma_m_s * period_s + 3 * float(np.sqrt(scan.noise[:, :2].max(initial=1.0)))
        learned.look(scan.z, margin_m)
        self._guess_speed(scan, learned)
        n, m = self.n, len(scan.z)
        self.predict(scan.t_s)
        count = self._gate(scan)
        ei, ej, el = self.ei[:count], self.ej[:count], self.el[:count]
        r = self.r[:n]
        # A sensor should plot who is in its footprint, and who has left all footprints.
        supports = np.array([one.support for one in self.learned])
        covered = self.kernels.covered(self.xc[:n], NORMALS, supports, scan.sensor)
        covered[ei] = True
        pd, pd_missed = self._chances(scan, covered)
        clutter, births = self._densities(learned)
        psi = r[ei] * pd[ei] * (el[:, 0] + el[:, 1]) / (clutter + births)
        psi0 = 1 - r * pd_missed
        pe, p0, free = np.empty(count), np.ones(n), np.ones(m)
        if count:
            self.kernels.belief(ei, ej, psi, psi0, self.settings.rounds_max, self.settings.tolerance, pe, p0, free)
        missed = r * (1 - pd_missed) / psi0
        sure = covered & self.confirmed[:n] & (r > SURE_R)
        learned.learn_surprise(
            *self.kernels.surprise(ei, ej, pe, SURE_R, self._firm(), self.xc, self.mix, scan.z, scan.noise)
        )
        hit = self._update(scan, ei, ej, el, psi, psi0, pe, p0 * missed, missed, free)
        self._note(scan, hit)
        self._end_turn(scan, covered, sure, ei, pe, p0 * missed, m - float(pe[self._firm()[ei]].sum()))
        r_birth = births / (births + clutter) if clutter > 0 else 0.0
        self._end(r_birth, passed_s)
        self._birth(scan, free, r_birth)

    def _firm(self) -> Bools:
        """Which tracks are confirmed and have enough plots to be no chance."""
        firm: Bools = self.confirmed[: self.n] & (self.hits[: self.n] >= ESTABLISHED_HITS)
        return firm

    def _chances(self, scan: Scan, covered: Bools) -> tuple[Floats, Floats]:
        """Per track: probability to be plotted, and that which counts against it when it is not."""
        learned = self.learned[scan.sensor]
        pd = np.where(covered, learned.pd, 0.0)
        if scan.turn_s is None:
            return pd, pd
        # Its own part of the turn may come yet; what was plotted in this turn is hardly plotted again.
        return np.where(self.seen_t[: self.n, scan.sensor] >= scan.turn_s, SEEN_TWICE * pd, pd), np.zeros(self.n)

    def _end_turn(
        self, scan: Scan, covered: Bools, sure: Bools, ei: Ints, pe: Floats, alive: Floats, false_plots: float
    ) -> None:
        """Count misses where a turn ends, and learn from it."""
        learned = self.learned[scan.sensor]
        learned.turn_clutter += false_plots
        if not scan.ends_turn:
            return
        n = self.n
        seen = np.bincount(ei, pe, n)
        looks = alive + seen
        if scan.turn_s is not None:
            in_turn = self.seen_t[:n, scan.sensor] >= scan.turn_s
            lost = np.flatnonzero(covered & ~in_turn)
            r = self.r[lost]
            self.r[lost] = r * (1 - learned.pd) / (1 - r * learned.pd)
            seen, looks = in_turn.astype(np.float64), np.ones(n)
        if self.settings.learn:
            if self.scans > SCANS_BEFORE_LEARNING and learned.scans > 1:
                learned.learn_pd(float(seen[sure].sum()), float(looks[sure].sum()))
                learned.learn_clutter(learned.turn_clutter)
            self._learn_speed(sure)
        learned.turn_clutter = 0.0

    def _densities(self, learned: Learned) -> tuple[float, float]:
        """False plots and new targets per m^2 and scan."""
        clutter = learned.clutter_density
        return clutter, self.population.births_per_clutter * clutter

    def _update(
        self, scan: Scan, ei: Ints, ej: Ints, el: Floats, psi: Floats, psi0: Floats, pe: Floats, alive: Floats,
        missed: Floats, free: Floats,
    ) -> Bools:  # fmt: skip
        n = self.n
        hit = np.zeros(n, np.bool_)
        work = (self.xo[:n], self.cov_o[:n], self.muo[:n], self.x[:n], self.cov[:n], self.mu[:n], self.r[:n], hit)
        if self.settings.hard:
            chosen = np.full(n, -1, np.int64)
            if len(ei):
                # Young tracks are judged as if they were likely: else, in clutter, none ever gets its second plot.
                raised = np.maximum(self.r[:n], HARD_R_MIN)
                pd = (1 - psi0) / np.maximum(self.r[:n], 1e-300)
                odds = psi / np.maximum(self.r[ei], 1e-300) * (raised / (1 - raised * pd))[ei]
                cost = -np.log(np.maximum(odds, 1e-300))
                self.kernels.assign(self.first[: n + 1], ei, ej, cost, len(scan.z), chosen)
            seen = alive + np.bincount(ei, pe, n)
            self.kernels.update_hard(chosen, ej, el, seen, missed, scan.z, scan.noise, *work)
            free[ej[chosen[chosen >= 0]]] = 0.0
        else:
            self.kernels.update_soft(self.first[: n + 1], ej, el, pe, alive, self._firm(), scan.z, scan.noise, *work)
        self.t[:n] = scan.t_s
        return hit

    def _note(self, scan: Scan, hit: Bools) -> None:
        n = self.n
        hits, sure_r = self.hits[:n], max(self.settings.confirm_r, self.population.sure_r)
        hits += hit
        self.seen_n[:n, scan.sensor] += hit
        self.t_hit[:n][hit] = scan.t_s
        self.seen_t[:n, scan.sensor][hit] = scan.t_s
        enough = self.r[:n] > np.where(hits < ESTABLISHED_HITS, sure_r, self.settings.confirm_r)
        self.confirmed[:n] |= enough & (hits >= self.settings.confirm_hits + (sure_r > PAIR_R_MAX))
        if self.settings.learn:
            learned = self.learned[scan.sensor]
            new = np.flatnonzero(hit & (hits == ESTABLISHED_HITS))
            if len(new):
                came = float((self.born_t[new] > self.population.settled_t).sum())
                self.population.learn_births(came, learned.clutter_density * learned.area_m2)

    def _end(self, r_birth: float, passed_s: float) -> None:
        """End tracks that hardly exist."""
        settings = self.settings
        least = np.where(self.confirmed[: self.n], settings.drop_r, settings.drop_tentative * r_birth)
        keep = self.r[: self.n] > least
        if self.settings.learn:
            old = self.confirmed[: self.n] & (self.hits[: self.n] >= OLD_HITS)
            self.population.learn_life(passed_s, float(old.sum()), float((old & ~keep).sum()))
        self.keep(keep)

    def _birth(self, scan: Scan, free: Floats, r_birth: float) -> None:
        """Start tracks from plots that belong to none."""
        new = np.flatnonzero(free > self.settings.birth_free_min)
        at = self.add(len(new))
        x, cov = self.x[at], self.cov[at]
        x[:], cov[:] = 0.0, 0.0
        x[..., :2] = scan.z.take(new, axis=0)[:, None]
        xx, yy, xy = scan.noise.take(new, axis=0).T[..., None]
        cov[..., 0], cov[..., 4], cov[..., 1] = xx, yy, xy
        cov[..., 7] = cov[..., 9] = np.square(self.population.start_m_s)
        self.mu[at] = NEW_MODES
        self.t[at] = self.t_hit[at] = scan.t_s
        self.r[at], self.hits[at], self.confirmed[at] = r_birth * free[new], 1, False
        self.seen_t[at], self.seen_n[at] = -np.inf, 0
        self.seen_t[at, scan.sensor], self.seen_n[at, scan.sensor] = scan.t_s, 1
        # Two scans of one sensor at one time (a sensor that stutters) must not give two tracks one identity.
        t_s, sensor, used = self.last_born
        base = used if (t_s, sensor) == (scan.t_s, scan.sensor) else 0
        self.born_t[at], self.born_n[at] = scan.t_s, (scan.sensor << 32) + base + new
        self.last_born = (scan.t_s, scan.sensor, base + len(scan.z))

    # --- what is shown -------------------------------------------------------------------------

    def picture(self, t_s: float | None = None) -> Picture:
        """The confirmed tracks that most likely exist, at the newest scan or extrapolated to a later `t_s`."""
        rows = np.flatnonzero(self.confirmed[: self.n] & (self.r[: self.n] > self.settings.confirm_r))
        mean, cov = np.empty((len(rows), 4)), np.empty((len(rows), 4, 4))
        self.kernels.blend(rows, self.x, self.cov, self.mu, mean, cov)
        at_s = self.t_s if t_s is None else t_s
        if at_s != self.t_s:
            move = np.eye(4)
            move[0, 2] = move[1, 3] = at_s - self.t_s
            mean, cov = mean @ move.T, move @ cov @ move.T
        return Picture(at_s, self.born_t[rows], self.born_n[rows], mean, cov, self.r[rows].copy(), rows)
