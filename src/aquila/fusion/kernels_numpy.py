"""The tracker's inner loops in numpy and scipy: the form that needs no compiler. See `kernels_loops` for the layout."""

from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROW = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3])
COLUMN = np.array([0, 1, 2, 3, 1, 2, 3, 2, 3, 3])
X_OF = np.array([0, 1, 2, 3])
Y_OF = np.array([1, 4, 5, 6])
SHARPNESS = 4


def predict(
    t_s: float, q: Floats, rate: Floats, scale: Floats, x: Floats, cov: Floats, mu: Floats, t: Floats,
    xo: Floats, cov_o: Floats, muo: Floats, xc: Floats, mix: Floats,
) -> None:  # fmt: skip
    """See `kernels_loops.predict`."""
    dt = t_s - t
    total = rate[0] + rate[1]
    moved = (1 - np.exp(-total * dt)) / total
    p01, p10 = rate[0] * moved, rate[1] * moved
    c0 = mu[:, 0] * (1 - p01) + mu[:, 1] * p10
    c1 = mu[:, 0] * p01 + mu[:, 1] * (1 - p10)
    muo[:, 0], muo[:, 1] = c0, c1
    safe = np.maximum(c1, 1e-300)
    for m in range(2):
        if m == 0:
            w0, w1 = mu[:, 0] * (1 - p01) / c0, mu[:, 1] * p10 / c0
        else:
            w0 = np.where(c1 > 0, mu[:, 0] * p01 / safe, 0.0)
            w1 = np.where(c1 > 0, mu[:, 1] * (1 - p10) / safe, 1.0)
        xm = w0[:, None] * x[:, 0] + w1[:, None] * x[:, 1]
        d0, d1 = x[:, 0] - xm, x[:, 1] - xm
        pm = w0[:, None] * (cov[:, 0] + d0[:, ROW] * d0[:, COLUMN]) + w1[:, None] * (
            cov[:, 1] + d1[:, ROW] * d1[:, COLUMN]
        )
        push = q[m] * scale
        xo[:, m] = xm
        xo[:, m, :2] += dt[:, None] * xm[:, 2:]
        out = cov_o[:, m]
        out[:, 0] = pm[:, 0] + 2 * dt * pm[:, 2] + dt * dt * pm[:, 7] + push * dt * dt * dt / 3
        out[:, 1] = pm[:, 1] + dt * (pm[:, 3] + pm[:, 5]) + dt * dt * pm[:, 8]
        out[:, 2] = pm[:, 2] + dt * pm[:, 7] + push * dt * dt / 2
        out[:, 3] = pm[:, 3] + dt * pm[:, 8]
        out[:, 4] = pm[:, 4] + 2 * dt * pm[:, 6] + dt * dt * pm[:, 9] + push * dt * dt * dt / 3
        out[:, 5] = pm[:, 5] + dt * pm[:, 8]
        out[:, 6] = pm[:, 6] + dt * pm[:, 9] + push * dt * dt / 2
        out[:, 7] = pm[:, 7] + push * dt
        out[:, 8] = pm[:, 8]
        out[:, 9] = pm[:, 9] + push * dt
    e = xo[:, 0, :2] - xo[:, 1, :2]
    xc[:] = c0[:, None] * xo[:, 0, :2] + c1[:, None] * xo[:, 1, :2]
    for k, c, a, b in ((0, 0, 0, 0), (1, 4, 1, 1), (2, 1, 0, 1)):
        mix[:, k] = c0 * cov_o[:, 0, c] + c1 * cov_o[:, 1, c] + c0 * c1 * e[:, a] * e[:, b]


def density(p: Floats, x: Floats, z: Floats, r: Floats) -> Floats:
    """Row by row, see `kernels_loops.density`."""
    s0, s1, s2 = p[:, 0] + r[:, 0], p[:, 4] + r[:, 1], p[:, 1] + r[:, 2]
    det = s0 * s1 - s2 * s2
    e0, e1 = z[:, 0] - x[:, 0], z[:, 1] - x[:, 1]
    result: Floats = np.exp(-0.5 * (e0 * e0 * s1 + e1 * e1 * s0 - 2 * e0 * e1 * s2) / det)
    return result / (2 * np.pi * np.sqrt(det))


def gate(
    xo: Floats, cov_o: Floats, muo: Floats, xc: Floats, mix: Floats, limit: Floats, z: Floats, noise: Floats,
    gamma: float, first: Ints, ei: Ints, ej: Ints, el: Floats,
) -> int:  # fmt: skip
    """See `kernels_loops.gate`; candidates come from a tree over the plots."""
    n = len(xc)
    reach = np.minimum(np.sqrt(gamma * (mix[:, :2] + noise[:, :2].max(axis=0))), limit[:, None])
    near = cKDTree(z).query_ball_point(xc, reach.max(axis=1), p=np.inf, return_sorted=True)
    counts = np.fromiter(map(len, near), np.int64, n)
    i = np.repeat(np.arange(n), counts)
    j = np.fromiter(chain.from_iterable(near), np.int64, int(counts.sum()))
    d = z[j] - xc[i]
    s0, s1, s2 = mix[i, 0] + noise[j, 0], mix[i, 1] + noise[j, 1], mix[i, 2] + noise[j, 2]
    inside = (np.abs(d) <= reach[i]).all(axis=1)
    inside &= d[:, 0] ** 2 * s1 + d[:, 1] ** 2 * s0 - 2 * d[:, 0] * d[:, 1] * s2 <= gamma * (s0 * s1 - s2 * s2)
    i, j = i[inside], j[inside]
    like = np.column_stack([muo[i, m] * density(cov_o[i, m], xo[i, m], z[j], noise[j]) for m in range(2)])
    likely = like.sum(axis=1) >= 1e-30
    i, j, like = i[likely], j[likely], like[likely]
    first[: n + 1] = np.searchsorted(i, np.arange(n + 1))
    if len(i) > len(ei):
        return -1
    ei[: len(i)], ej[: len(i)], el[: len(i)] = i, j, like
    return len(i)


def belief(
    ei: Ints, ej: Ints, psi: Floats, psi0: Floats, rounds: int, tolerance: float, pe: Floats, p0: Floats, pj: Floats
) -> None:
    """See `kernels_loops.belief`."""
    n, m = len(psi0), len(pj)
    mu = np.ones(len(ei))
    u = np.ones(m)
    for _ in range(rounds):
        s = psi0 + np.bincount(ei, psi * mu, n)
        nu = psi / np.maximum(s[ei] - psi * mu, 1e-300)
        u = 1.0 + np.bincount(ej, nu, m).astype(np.float64)
        new = 1.0 / np.maximum(u[ej] - nu, 1e-300)
        change = np.abs(new - mu).max(initial=0.0)
        mu = new
        if change < tolerance:
            break
    s = psi0 + np.bincount(ei, psi * mu, n)
    pe[:] = psi * mu / s[ei]
    p0[:] = psi0 / s
    pj[:] = 1.0 / u


def assign(first: Ints, ei: Ints, ej: Ints, cost: Floats, plots: int, chosen: Ints) -> None:
    """See `kernels_loops.assign`."""
    n = len(chosen)
    chosen[:] = -1
    cheap = np.flatnonzero(cost < 0)
    if len(cheap) == 0:
        return
    graph = coo_matrix((np.ones(len(cheap)), (ei[cheap], n + ej[cheap])), shape=(n + plots, n + plots))
    component = connected_components(graph, directed=False)[1][ei[cheap]]
    order = np.argsort(component, kind="stable")
    for edges in np.split(cheap[order], np.flatnonzero(np.diff(component[order])) + 1):
        tracks, row = np.unique(ei[edges], return_inverse=True)
        columns, column = np.unique(ej[edges], return_inverse=True)
        table = np.full((len(tracks), len(columns) + len(tracks)), 1e9)
        table[np.arange(len(tracks)), len(columns) + np.arange(len(tracks))] = 0.0
        edge = np.full(table.shape, -1, np.int64)
        table[row, column], edge[row, column] = cost[edges], edges
        rows, taken = linear_sum_assignment(table)
        chosen[tracks[rows]] = edge[rows, taken]


def covered(xy: Floats, normals: Floats, supports: Floats, own: int) -> Bools:
    """See `kernels_loops.covered`."""
    inside: Bools = np.all(xy @ normals.T <= supports[:, None], axis=2)
    found: Bools = inside[own] | ~inside.any(axis=0)
    return found


def surprise(
    ei: Ints, ej: Ints, pe: Floats, least: float, firm: Bools, xc: Floats, mix: Floats, z: Floats, noise: Floats
) -> tuple[float, int]:
    """See `kernels_loops.surprise`."""
    own = np.flatnonzero((pe > least) & firm[ei])
    d0, d1 = (z[ej[own]] - xc[ei[own]]).T
    s0, s1, s2 = (mix[ei[own]] + noise[ej[own]]).T
    squared = (d0 * d0 * s1 + d1 * d1 * s0 - 2 * d0 * d1 * s2) / (s0 * s1 - s2 * s2)
    return float(squared.sum()), len(own)


def kalman(x: Floats, p: Floats, z: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Row by row, see `kernels_loops.kalman`."""
    s0, s1, s2 = p[:, 0] + r[:, 0], p[:, 4] + r[:, 1], p[:, 1] + r[:, 2]
    det = s0 * s1 - s2 * s2
    px, py = p[:, X_OF], p[:, Y_OF]
    k0 = (px * s1[:, None] - py * s2[:, None]) / det[:, None]
    k1 = (py * s0[:, None] - px * s2[:, None]) / det[:, None]
    e = z - x[:, :2]
    return (
        x + k0 * e[:, :1] + k1 * e[:, 1:],
        p - k0[:, ROW] * px[:, COLUMN] - k1[:, ROW] * py[:, COLUMN],
    )


def update_soft(
    first: Ints, ej: Ints, el: Floats, pe: Floats, alive: Floats, firm: Bools, z: Floats, noise: Floats,
    xo: Floats, cov_o: Floats, muo: Floats, x: Floats, cov: Floats, mu: Floats, r: Floats, hit: Bools,
) -> None:  # fmt: skip
    """See `kernels_loops.update_soft`."""
    n = len(r)
    mu[:], x[:], cov[:], r[:], hit[:] = muo, xo, cov_o, alive, False
    counts = np.diff(first[: n + 1])
    has = np.flatnonzero(counts)
    if len(has) == 0:
        return
    owner = np.repeat(np.arange(len(has)), counts[has])  # of every edge, among the tracks that have one
    track = has[owner]
    starts = first[has]
    total = alive[has] + np.add.reduceat(pe, starts)
    power = np.where(firm[has], SHARPNESS, 1)
    idle, share = (alive[has] / total) ** power, (pe / total[owner]) ** power[owner]
    norm = idle + np.add.reduceat(share, starts)
    idle, share = idle / norm, share / norm[owner]
    both = el.sum(axis=1)
    for m in range(2):
        miss = idle * muo[has, m]
        w = el[:, m] / both * share
        xs, ps = kalman(xo[track, m], cov_o[track, m], z[ej], noise[ej])
        weight = np.maximum(miss + np.add.reduceat(w, starts), 1e-300)
        xa = (miss[:, None] * xo[has, m] + np.add.reduceat(w[:, None] * xs, starts)) / weight[:, None]
        d = xo[has, m] - xa
        spread = xs - xa[owner]
        v = miss[:, None] * (cov_o[has, m] + d[:, ROW] * d[:, COLUMN])
        v += np.add.reduceat(w[:, None] * (ps + spread[:, ROW] * spread[:, COLUMN]), starts)
        x[has, m], cov[has, m], mu[has, m] = xa, v / weight[:, None], weight
    mu[has] = np.maximum(mu[has] / mu[has].sum(axis=1)[:, None], 1e-6)
    r[has] = total
    hit[has] = total - alive[has] > 0.5 * total


def update_hard(
    chosen: Ints, ej: Ints, el: Floats, r_seen: Floats, r_missed: Floats, z: Floats, noise: Floats,
    xo: Floats, cov_o: Floats, muo: Floats, x: Floats, cov: Floats, mu: Floats, r: Floats, hit: Bools,
) -> None:  # fmt: skip
    """See `kernels_loops.update_hard`."""
    mu[:], x[:], cov[:] = muo, xo, cov_o
    hit[:] = chosen >= 0
    r[:] = np.where(hit, r_seen, r_missed)
    seen = np.flatnonzero(hit)
    edges = chosen[seen]
    mu[seen] = np.maximum(el[edges] / el[edges].sum(axis=1)[:, None], 1e-6)
    for m in range(2):
        x[seen, m], cov[seen, m] = kalman(xo[seen, m], cov_o[seen, m], z[ej[edges]], noise[ej[edges]])


def speeds(x: Floats, cov: Floats, mu: Floats, speed2: Floats, noise2: Floats) -> None:
    """See `kernels_loops.speeds`."""
    speed2[:] = (mu[:, :, None] * x[:, :, 2:] ** 2).sum(axis=(1, 2)) / 2
    noise2[:] = (mu * (cov[:, :, 7] + cov[:, :, 9])).sum(axis=1) / 2


def blend(rows: Ints, x: Floats, cov: Floats, mu: Floats, mean: Floats, full: Floats) -> None:
    """See `kernels_loops.blend`."""
    weight, states = mu[rows, :, None], x[rows]
    mean[:] = (weight * states).sum(axis=1)
    apart = states - mean[:, None]
    triangle = (weight * (cov[rows] + apart[:, :, ROW] * apart[:, :, COLUMN])).sum(axis=1)
    full[:, ROW, COLUMN] = triangle
    full[:, COLUMN, ROW] = triangle
