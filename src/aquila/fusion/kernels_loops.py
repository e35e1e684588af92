"""The tracker's inner loops as plain loops, for the compiler; `kernels_numpy` says the same in numpy.

A covariance of (x, y, vx, vy) is kept as its upper triangle, ten numbers: xx, xy, xvx, xvy, yy, yvx, yvy, vxvx,
vxvy, vyvy. An *edge* is a gated (track, plot) pair; edges stand sorted by track, then plot: those of track i are
first[i] .. first[i + 1]. Sums run in that order, so that a result does not depend on how candidates were found.
"""

import math
from typing import Any

import numpy as np

from aquila.fusion.compiled import jit

Array = Any  # numba infers the types; numpy's annotations would say nothing more

ROW = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3])
COLUMN = np.array([0, 1, 2, 3, 1, 2, 3, 2, 3, 3])
X_OF = np.array([0, 1, 2, 3])  # covariance of x with each of the four
Y_OF = np.array([1, 4, 5, 6])
MODES = 2
SHARPNESS = 4
"""Power to which a firm track's shares are raised, between the mean of all (1) and the likeliest alone."""


@jit
def predict(
    t_s: float, q: Array, rate: Array, scale: Array, x: Array, cov: Array, mu: Array, t: Array,
    xo: Array, cov_o: Array, muo: Array, xc: Array, mix: Array,
) -> None:  # fmt: skip
    """IMM mixing over the time since each track's state, constant velocity; `xc`, `mix`: mean and spread of both."""
    total = rate[0] + rate[1]
    xm = np.zeros(4)
    pm = np.zeros(10)
    w = np.zeros(2)
    for i in range(len(t)):
        dt = t_s - t[i]
        moved = (1 - math.exp(-total * dt)) / total
        p01 = rate[0] * moved
        p10 = rate[1] * moved
        c0 = mu[i, 0] * (1 - p01) + mu[i, 1] * p10
        c1 = mu[i, 0] * p01 + mu[i, 1] * (1 - p10)
        muo[i, 0] = c0
        muo[i, 1] = c1
        for m in range(2):
            if m == 0:
                w[0] = mu[i, 0] * (1 - p01) / c0
                w[1] = mu[i, 1] * p10 / c0
            else:
                w[0] = mu[i, 0] * p01 / max(c1, 1e-300)
                w[1] = mu[i, 1] * (1 - p10) / max(c1, 1e-300)
                if c1 <= 0:
                    w[0] = 0.0
                    w[1] = 1.0
            for a in range(4):
                xm[a] = w[0] * x[i, 0, a] + w[1] * x[i, 1, a]
            for k in range(10):
                a = ROW[k]
                b = COLUMN[k]
                pm[k] = w[0] * (cov[i, 0, k] + (x[i, 0, a] - xm[a]) * (x[i, 0, b] - xm[b])) + w[1] * (
                    cov[i, 1, k] + (x[i, 1, a] - xm[a]) * (x[i, 1, b] - xm[b])
                )
            push = q[m] * scale[i]
            xo[i, m, 0] = xm[0] + dt * xm[2]
            xo[i, m, 1] = xm[1] + dt * xm[3]
            xo[i, m, 2] = xm[2]
            xo[i, m, 3] = xm[3]
            cov_o[i, m, 0] = pm[0] + 2 * dt * pm[2] + dt * dt * pm[7] + push * dt * dt * dt / 3
            cov_o[i, m, 1] = pm[1] + dt * (pm[3] + pm[5]) + dt * dt * pm[8]
            cov_o[i, m, 2] = pm[2] + dt * pm[7] + push * dt * dt / 2
            cov_o[i, m, 3] = pm[3] + dt * pm[8]
            cov_o[i, m, 4] = pm[4] + 2 * dt * pm[6] + dt * dt * pm[9] + push * dt * dt * dt / 3
            cov_o[i, m, 5] = pm[5] + dt * pm[8]
            cov_o[i, m, 6] = pm[6] + dt * pm[9] + push * dt * dt / 2
            cov_o[i, m, 7] = pm[7] + push * dt
            cov_o[i, m, 8] = pm[8]
            cov_o[i, m, 9] = pm[9] + push * dt
        e0 = xo[i, 0, 0] - xo[i, 1, 0]
        e1 = xo[i, 0, 1] - xo[i, 1, 1]
        xc[i, 0] = c0 * xo[i, 0, 0] + c1 * xo[i, 1, 0]
        xc[i, 1] = c0 * xo[i, 0, 1] + c1 * xo[i, 1, 1]
        mix[i, 0] = c0 * cov_o[i, 0, 0] + c1 * cov_o[i, 1, 0] + c0 * c1 * e0 * e0
        mix[i, 1] = c0 * cov_o[i, 0, 4] + c1 * cov_o[i, 1, 4] + c0 * c1 * e1 * e1
        mix[i, 2] = c0 * cov_o[i, 0, 1] + c1 * cov_o[i, 1, 1] + c0 * c1 * e0 * e1


@jit
def hash_plots(z: Array, cell: float) -> tuple[float, int, int, Array, Array]:
    """A grid over the plots: cell size, columns, rows, start of every cell, plots in the order of their cells."""
    m = len(z)
    x0 = z[:, 0].min()
    y0 = z[:, 1].min()
    width = z[:, 0].max() - x0
    height = z[:, 1].max() - y0
    while (width / cell + 1) * (height / cell + 1) > 8 * m + 64:
        cell *= 1.5
    nx = int(width / cell) + 1
    ny = int(height / cell) + 1
    start = np.zeros(nx * ny + 1, np.int64)
    own = np.empty(m, np.int64)
    for j in range(m):
        own[j] = int((z[j, 0] - x0) / cell) * ny + int((z[j, 1] - y0) / cell)
        start[own[j] + 1] += 1
    for c in range(nx * ny):
        start[c + 1] += start[c]
    fill = start[:-1].copy()
    order = np.empty(m, np.int64)
    for j in range(m):
        order[fill[own[j]]] = j
        fill[own[j]] += 1
    return cell, nx, ny, start, order


@jit
def density(p: Array, x: Array, z: Array, r: Array) -> float:
    """How likely plot `z` with covariance `r` is, seen from a state: a Gaussian in the plane, 1/m^2."""
    s0 = p[0] + r[0]
    s1 = p[4] + r[1]
    s2 = p[1] + r[2]
    det = s0 * s1 - s2 * s2
    e0 = z[0] - x[0]
    e1 = z[1] - x[1]
    return math.exp(-0.5 * (e0 * e0 * s1 + e1 * e1 * s0 - 2 * e0 * e1 * s2) / det) / (2 * math.pi * math.sqrt(det))


@jit
def gate(
    xo: Array, cov_o: Array, muo: Array, xc: Array, mix: Array, limit: Array, z: Array, noise: Array, gamma: float,
    first: Array, ei: Array, ej: Array, el: Array,
) -> int:  # fmt: skip
    """All edges. `el[e, m]`: weight of mode m times its likelihood. Returns their number, -1 without room."""
    x0 = z[:, 0].min()
    y0 = z[:, 1].min()
    r0 = noise[:, 0].max()
    r1 = noise[:, 1].max()
    cell, nx, ny, start, order = hash_plots(z, 1000.0)
    count = 0
    for i in range(len(xc)):
        first[i] = count
        gx = min(math.sqrt(gamma * (mix[i, 0] + r0)), limit[i])
        gy = min(math.sqrt(gamma * (mix[i, 1] + r1)), limit[i])
        # Clamped before the conversion: a track may stand farther from the plots than an integer reaches.
        a0 = int(min(max((xc[i, 0] - gx - x0) / cell, 0.0), float(nx)))
        a1 = int(min(max((xc[i, 0] + gx - x0) / cell, -1.0), nx - 1.0))
        b0 = int(min(max((xc[i, 1] - gy - y0) / cell, 0.0), float(ny)))
        b1 = int(min(max((xc[i, 1] + gy - y0) / cell, -1.0), ny - 1.0))
        if b1 < b0:
            continue
        for a in range(a0, a1 + 1):
            for k in range(start[a * ny + b0], start[a * ny + b1 + 1]):
                j = order[k]
                d0 = z[j, 0] - xc[i, 0]
                d1 = z[j, 1] - xc[i, 1]
                if abs(d0) > gx or abs(d1) > gy:
                    continue
                s0 = mix[i, 0] + noise[j, 0]
                s1 = mix[i, 1] + noise[j, 1]
                s2 = mix[i, 2] + noise[j, 2]
                if d0 * d0 * s1 + d1 * d1 * s0 - 2 * d0 * d1 * s2 > gamma * (s0 * s1 - s2 * s2):
                    continue
                l0 = muo[i, 0] * density(cov_o[i, 0], xo[i, 0], z[j], noise[j])
                l1 = muo[i, 1] * density(cov_o[i, 1], xo[i, 1], z[j], noise[j])
                if l0 + l1 < 1e-30:
                    continue
                if count >= len(ei):
                    return -1
                at = count  # keep the track's plots in ascending order
                while at > first[i] and ej[at - 1] > j:
                    ei[at] = i
                    ej[at] = ej[at - 1]
                    el[at, 0] = el[at - 1, 0]
                    el[at, 1] = el[at - 1, 1]
                    at -= 1
                ei[at] = i
                ej[at] = j
                el[at, 0] = l0
                el[at, 1] = l1
                count += 1
    first[len(xc)] = count
    return count


@jit
def belief(
    ei: Array, ej: Array, psi: Array, psi0: Array, rounds: int, tolerance: float, pe: Array, p0: Array, pj: Array
) -> None:
    """Loopy belief propagation (Williams and Lau, IEEE TAES 50(4), 2014).

    Gives the probability of every edge, of a miss per track, and that a plot belongs to no known track.
    """
    edges = len(ei)
    mu = np.ones(edges)
    nu = np.empty(edges)
    s = np.empty(len(psi0))
    u = np.empty(len(pj))
    for _ in range(rounds):
        s[:] = psi0
        for e in range(edges):
            s[ei[e]] += psi[e] * mu[e]
        u[:] = 1.0
        for e in range(edges):
            nu[e] = psi[e] / max(s[ei[e]] - psi[e] * mu[e], 1e-300)
            u[ej[e]] += nu[e]
        change = 0.0
        for e in range(edges):
            value = 1.0 / max(u[ej[e]] - nu[e], 1e-300)
            change = max(change, abs(value - mu[e]))
            mu[e] = value
        if change < tolerance:
            break
    s[:] = psi0
    for e in range(edges):
        s[ei[e]] += psi[e] * mu[e]
    for e in range(edges):
        pe[e] = psi[e] * mu[e] / s[ei[e]]
    for i in range(len(psi0)):
        p0[i] = psi0[i] / s[i]
    for j in range(len(pj)):
        pj[j] = 1.0 / u[j]


@jit
def assign_rows(cost: Array) -> Array:
    """Cheapest exact assignment of every row to a column of its own (rows <= columns), by shortest augmenting paths."""
    rows, columns = cost.shape
    u = np.zeros(rows)
    v = np.zeros(columns)
    row_of = np.full(columns, -1, np.int64)
    column_of = np.full(rows, -1, np.int64)
    dist = np.empty(columns)
    via = np.empty(columns, np.int64)
    done = np.empty(columns, np.bool_)
    for root in range(rows):
        for j in range(columns):
            dist[j] = cost[root, j] - u[root] - v[j]
            via[j] = root
            done[j] = False
        near = -1
        while True:
            near = -1
            for j in range(columns):
                if not done[j] and (near < 0 or dist[j] < dist[near]):
                    near = j
            i = row_of[near]
            if i < 0:
                break
            done[near] = True
            for j in range(columns):
                if not done[j]:
                    d = dist[near] + cost[i, j] - u[i] - v[j]
                    if d < dist[j]:
                        dist[j] = d
                        via[j] = i
        u[root] += dist[near]
        for j in range(columns):
            if done[j]:
                u[row_of[j]] += dist[near] - dist[j]
                v[j] -= dist[near] - dist[j]
        while True:
            i = via[near]
            row_of[near] = i
            before = column_of[i]
            column_of[i] = near
            near = before
            if i == root:
                break
    return column_of


@jit
def assign(first: Array, ei: Array, ej: Array, cost: Array, plots: int, chosen: Array) -> None:
    """Global nearest neighbour: `chosen[i]` becomes the edge of track i in the cheapest assignment, -1 for a miss.

    Only edges cheaper than a miss (cost below 0) take part; every connected component is solved by itself.
    """
    n = len(chosen)
    parent = np.arange(n + plots)
    for e in range(len(ei)):
        if cost[e] < 0:
            a = int(ei[e])
            b = int(n + ej[e])
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            parent[b] = a
    size = np.zeros(n + plots + 1, np.int64)
    root = np.empty(n, np.int64)
    for i in range(n):
        chosen[i] = -1
        a = i
        while parent[a] != a:
            a = parent[a]
        root[i] = a
        size[a + 1] += 1
    start = np.cumsum(size)
    fill = start[:-1].copy()
    order = np.empty(n, np.int64)
    for i in range(n):
        order[fill[root[i]]] = i
        fill[root[i]] += 1
    local = np.full(plots, -1, np.int64)
    used = np.empty(plots, np.int64)
    for a in range(n + plots):
        tracks = order[start[a] : start[a + 1]]
        if len(tracks) == 0:
            continue
        if len(tracks) == 1:
            low = 0.0
            for e in range(first[tracks[0]], first[tracks[0] + 1]):
                if cost[e] < low:
                    low = cost[e]
                    chosen[tracks[0]] = e
            continue
        columns = 0
        for i in tracks:
            for e in range(first[i], first[i + 1]):
                if cost[e] < 0 and local[ej[e]] < 0:
                    local[ej[e]] = columns
                    used[columns] = ej[e]
                    columns += 1
        table = np.full((len(tracks), columns + len(tracks)), 1e9)
        edge = np.full((len(tracks), columns + len(tracks)), -1, np.int64)
        for k in range(len(tracks)):
            table[k, columns + k] = 0.0  # a column of its own: the miss
            for e in range(first[tracks[k]], first[tracks[k] + 1]):
                if cost[e] < 0:
                    table[k, local[ej[e]]] = cost[e]
                    edge[k, local[ej[e]]] = e
        column_of = assign_rows(table)
        for k in range(len(tracks)):
            chosen[tracks[k]] = edge[k, column_of[k]]
        for c in range(columns):
            local[used[c]] = -1


@jit
def inside(point: Array, normals: Array, support: Array) -> bool:
    """Whether a point lies in the polygon of the half planes `normals[k] . x <= support[k]`."""
    for k in range(len(support)):
        if normals[k, 0] * point[0] + normals[k, 1] * point[1] > support[k]:
            return False
    return True


@jit
def covered(xy: Array, normals: Array, supports: Array, own: int) -> Array:
    """Which points lie in polygon `own` of `supports`, or in none of them."""
    found = np.ones(len(xy), np.bool_)
    for i in range(len(xy)):
        if not inside(xy[i], normals, supports[own]):
            for support in supports:
                if inside(xy[i], normals, support):
                    found[i] = False
    return found


@jit
def surprise(
    ei: Array, ej: Array, pe: Array, least: float, firm: Array, xc: Array, mix: Array, z: Array, noise: Array
) -> tuple[float, int]:
    """Sum of the squared distances of plots that belong to a firm track with more than `least`, and their number."""
    total = 0.0
    count = 0
    for e in range(len(ei)):
        i = ei[e]
        j = ej[e]
        if pe[e] > least and firm[i]:
            d0 = z[j, 0] - xc[i, 0]
            d1 = z[j, 1] - xc[i, 1]
            s0 = mix[i, 0] + noise[j, 0]
            s1 = mix[i, 1] + noise[j, 1]
            s2 = mix[i, 2] + noise[j, 2]
            total += (d0 * d0 * s1 + d1 * d1 * s0 - 2 * d0 * d1 * s2) / (s0 * s1 - s2 * s2)
            count += 1
    return total, count


@jit
def kalman(x: Array, p: Array, z: Array, r: Array, xn: Array, pn: Array) -> None:
    """One Kalman update of a state by a plot of its position, into `xn`, `pn`."""
    s0 = p[0] + r[0]
    s1 = p[4] + r[1]
    s2 = p[1] + r[2]
    det = s0 * s1 - s2 * s2
    e0 = z[0] - x[0]
    e1 = z[1] - x[1]
    k = 0
    for a in range(4):
        k0 = (p[X_OF[a]] * s1 - p[Y_OF[a]] * s2) / det
        k1 = (p[Y_OF[a]] * s0 - p[X_OF[a]] * s2) / det
        xn[a] = x[a] + k0 * e0 + k1 * e1
        for b in range(a, 4):
            pn[k] = p[k] - k0 * p[X_OF[b]] - k1 * p[Y_OF[b]]
            k += 1


@jit
def update_soft(
    first: Array, ej: Array, el: Array, pe: Array, alive: Array, firm: Array, z: Array, noise: Array,
    xo: Array, cov_o: Array, muo: Array, x: Array, cov: Array, mu: Array, r: Array, hit: Array,
) -> None:  # fmt: skip
    """Every mode becomes the moment-matched mean of its miss and of all its gated plots; existence is their sum.

    A track that is `firm` leans to the likeliest (`SHARPNESS`): the plain mean draws neighbours into one another.

    `alive[i]`: probability that the track exists and was missed. `hit[i]`: it was more likely seen than not.
    """
    most = 1
    for i in range(len(r)):
        most = max(most, first[i + 1] - first[i])
    w = np.empty(most)
    xs = np.empty((most, 4))
    ps = np.empty((most, 10))
    xa = np.empty(4)
    for i in range(len(r)):
        c0 = first[i]
        k = first[i + 1] - c0
        hit[i] = False
        if k == 0:
            for m in range(2):
                mu[i, m] = muo[i, m]
                x[i, m] = xo[i, m]
                cov[i, m] = cov_o[i, m]
            r[i] = alive[i]
            continue
        total = alive[i]
        for g in range(k):
            total += pe[c0 + g]
        # Shares of the miss and of each plot, which sum to 1.
        power = SHARPNESS if firm[i] else 1
        idle = (alive[i] / total) ** power
        norm = idle
        for g in range(k):
            norm += (pe[c0 + g] / total) ** power
        both = 0.0
        for m in range(2):
            miss = idle / norm * muo[i, m]
            weight = miss
            for a in range(4):
                xa[a] = miss * xo[i, m, a]
            for g in range(k):
                e = c0 + g
                w[g] = el[e, m] / (el[e, 0] + el[e, 1]) * (pe[e] / total) ** power / norm
                kalman(xo[i, m], cov_o[i, m], z[ej[e]], noise[ej[e]], xs[g], ps[g])
                weight += w[g]
                for a in range(4):
                    xa[a] += w[g] * xs[g, a]
            weight = max(weight, 1e-300)
            for a in range(4):
                xa[a] /= weight
            for c in range(10):
                a = ROW[c]
                b = COLUMN[c]
                v = miss * (cov_o[i, m, c] + (xo[i, m, a] - xa[a]) * (xo[i, m, b] - xa[b]))
                for g in range(k):
                    v += w[g] * (ps[g, c] + (xs[g, a] - xa[a]) * (xs[g, b] - xa[b]))
                cov[i, m, c] = v / weight
            for a in range(4):
                x[i, m, a] = xa[a]
            mu[i, m] = weight
            both += weight
        for m in range(2):
            mu[i, m] = max(mu[i, m] / both, 1e-6)
        r[i] = total
        hit[i] = total - alive[i] > 0.5 * total


@jit
def update_hard(
    chosen: Array, ej: Array, el: Array, r_seen: Array, r_missed: Array, z: Array, noise: Array,
    xo: Array, cov_o: Array, muo: Array, x: Array, cov: Array, mu: Array, r: Array, hit: Array,
) -> None:  # fmt: skip
    """The chosen plot of every track updates all its modes; a track without one keeps its prediction."""
    for i in range(len(r)):
        e = chosen[i]
        hit[i] = e >= 0
        if e < 0:
            for m in range(2):
                mu[i, m] = muo[i, m]
                x[i, m] = xo[i, m]
                cov[i, m] = cov_o[i, m]
            r[i] = r_missed[i]
            continue
        for m in range(2):
            mu[i, m] = max(el[e, m] / (el[e, 0] + el[e, 1]), 1e-6)
            kalman(xo[i, m], cov_o[i, m], z[ej[e]], noise[ej[e]], x[i, m], cov[i, m])
        r[i] = r_seen[i]


@jit
def speeds(x: Array, cov: Array, mu: Array, speed2: Array, noise2: Array) -> None:
    """Mean square of each track's velocity per axis, and the share of it that is only its error."""
    for i in range(len(mu)):
        speed2[i] = 0.0
        noise2[i] = 0.0
        for m in range(2):
            speed2[i] += mu[i, m] * (x[i, m, 2] * x[i, m, 2] + x[i, m, 3] * x[i, m, 3]) / 2
            noise2[i] += mu[i, m] * (cov[i, m, 7] + cov[i, m, 9]) / 2


@jit
def blend(rows: Array, x: Array, cov: Array, mu: Array, mean: Array, full: Array) -> None:
    """Mean and covariance of the mixture of both modes, for some rows."""
    for k in range(len(rows)):
        i = rows[k]
        for a in range(4):
            mean[k, a] = mu[i, 0] * x[i, 0, a] + mu[i, 1] * x[i, 1, a]
        for c in range(10):
            a = ROW[c]
            b = COLUMN[c]
            v = 0.0
            for m in range(2):
                v += mu[i, m] * (cov[i, m, c] + (x[i, m, a] - mean[k, a]) * (x[i, m, b] - mean[k, b]))
            full[k, a, b] = v
            full[k, b, a] = v
