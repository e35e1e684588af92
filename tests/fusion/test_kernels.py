"""The kernels against oracles: enumeration, scipy's assignment, and each other."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from aquila.fusion import kernels_loops, kernels_numpy

BOTH = pytest.mark.parametrize("kernels", [kernels_loops, kernels_numpy], ids=["loops", "numpy"])


def marginals(psi, psi0):
    """All ways to give tracks to plots, at most one track a plot, summed: the exact answer."""
    tracks, plots = psi.shape
    edge, free, total = np.zeros_like(psi), np.zeros(plots), 0.0
    for way in product(range(-1, plots), repeat=tracks):
        used = [j for j in way if j >= 0]
        if len(used) != len(set(used)):
            continue
        weight = np.prod([psi0[i] if j < 0 else psi[i, j] for i, j in enumerate(way)])
        total += weight
        for i, j in enumerate(way):
            if j >= 0:
                edge[i, j] += weight
        free += weight * np.array([j not in used for j in range(plots)])
    return edge / total, free / total


def believe(kernels, psi, psi0, rounds=200, tolerance=1e-12):
    track, plot = np.nonzero(psi)
    pe, p0, pj = np.empty(len(track)), np.empty(len(psi0)), np.empty(psi.shape[1])
    kernels.belief(track, plot, psi[track, plot], psi0, rounds, tolerance, pe, p0, pj)
    full = np.zeros_like(psi)
    full[track, plot] = pe
    return full, p0, pj


@BOTH
def test_belief_is_exact_where_the_graph_has_no_loop(kernels):
    rng = np.random.default_rng(1)
    for _ in range(20):
        # A chain: track i reaches plots i and i + 1, so the association graph is a tree.
        psi = np.zeros((4, 5))
        for i in range(4):
            psi[i, i : i + 2] = rng.uniform(0.1, 9, 2)
        psi0 = rng.uniform(0.05, 1, 4)
        edge, p0, free = believe(kernels, psi, psi0)
        want, want_free = marginals(psi, psi0)
        np.testing.assert_allclose(edge, want, atol=1e-9)
        np.testing.assert_allclose(p0, 1 - want.sum(axis=1), atol=1e-9)
        np.testing.assert_allclose(free, want_free, atol=1e-9)


@BOTH
def test_belief_comes_close_where_the_graph_has_loops(kernels):
    rng = np.random.default_rng(2)
    worst = 0.0
    for _ in range(40):
        psi = rng.uniform(0, 4, (3, 3)) * (rng.random((3, 3)) < 0.8)
        psi0 = rng.uniform(0.1, 1, 3)
        edge, p0, _ = believe(kernels, psi, psi0)
        want, _ = marginals(psi, psi0)
        worst = max(worst, float(np.abs(edge - want).max()))
        np.testing.assert_allclose(edge.sum(axis=1) + p0, 1)
    assert worst < 0.15  # it has no exactness to promise here, only to stay near


def test_rows_are_assigned_as_scipy_does():
    rng = np.random.default_rng(3)
    for _ in range(200):
        rows = rng.integers(1, 8)
        cost = rng.normal(0, 3, (rows, rows + rng.integers(0, 5)))
        mine = cost[np.arange(rows), kernels_loops.assign_rows(cost)].sum()
        assert mine == pytest.approx(cost[linear_sum_assignment(cost)].sum())


@BOTH
def test_the_cheapest_global_assignment_is_chosen(kernels):
    rng = np.random.default_rng(4)
    for _ in range(100):
        tracks, plots = rng.integers(1, 8, 2)
        cost = rng.normal(-0.5, 2, (tracks, plots))
        there = rng.random((tracks, plots)) < 0.6
        track, plot = np.nonzero(there)
        first = np.searchsorted(track, np.arange(tracks + 1))
        chosen = np.empty(tracks, np.int64)
        kernels.assign(first, track, plot, cost[track, plot], plots, chosen)
        taken = chosen[chosen >= 0]
        assert len(set(plot[taken])) == len(taken)
        full = np.hstack([np.where(there, cost, 1e6), np.where(np.eye(tracks, dtype=bool), 0.0, 1e6)])
        assert cost[track, plot][taken].sum() == pytest.approx(full[linear_sum_assignment(full)].sum())


def rows(rng, n):
    """Random but possible tracks: covariances of full rank, modes that sum to one."""
    x = rng.normal(0, 1, (n, 2, 4)) * [3000, 3000, 100, 100]
    root = rng.normal(0, 1, (n, 2, 4, 4)) * np.array([60, 60, 10, 10])[:, None]
    full = root @ root.transpose(0, 1, 3, 2)
    mu = rng.uniform(0.1, 1, (n, 2))
    return x, full[:, :, kernels_numpy.ROW, kernels_numpy.COLUMN].copy(), mu / mu.sum(axis=1)[:, None]


def unpack(packed):
    full = np.empty((*packed.shape[:-1], 4, 4))
    full[..., kernels_numpy.ROW, kernels_numpy.COLUMN] = packed
    full[..., kernels_numpy.COLUMN, kernels_numpy.ROW] = packed
    return full


def predict(kernels, x, cov, mu, t, to_s):
    n = len(t)
    out = np.empty((n, 2, 4)), np.empty((n, 2, 10)), np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 3))
    kernels.predict(to_s, np.array([1.0, 900.0]), np.array([1 / 60, 1 / 25]), np.ones(n), x, cov, mu, t, *out)
    return out


@BOTH
def test_prediction_is_the_textbooks(kernels):
    rng = np.random.default_rng(5)
    x, cov, mu = rows(rng, 30)
    t = rng.uniform(0, 4, 30)
    xo, cov_o, muo, xc, mix = predict(kernels, x, cov, mu, t, 5.0)
    for i in range(30):
        dt = 5.0 - t[i]
        a, b = 1 / 60, 1 / 25
        moved = (1 - np.exp(-(a + b) * dt)) / (a + b)
        jump = np.array([[1 - a * moved, a * moved], [b * moved, 1 - b * moved]])
        c = mu[i] @ jump
        np.testing.assert_allclose(muo[i], c)
        move = np.eye(4)
        move[0, 2] = move[1, 3] = dt
        axis = np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        for m, q in enumerate((1.0, 900.0)):
            w = mu[i] * jump[:, m] / c[m]
            mean = w @ x[i]
            spread = sum(w[k] * (unpack(cov[i, k]) + np.outer(x[i, k] - mean, x[i, k] - mean)) for k in range(2))
            np.testing.assert_allclose(xo[i, m], move @ mean)
            want = move @ spread @ move.T + q * np.kron(axis, np.eye(2))
            np.testing.assert_allclose(unpack(cov_o[i, m]), want, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(xc[i], c @ xo[i, :, :2])
        assert mix[i, 0] * mix[i, 1] > mix[i, 2] ** 2


def gated(kernels, x, cov, mu, z, noise):
    n = len(x)
    xo, cov_o, muo, xc, mix = predict(kernels, x, cov, mu, np.zeros(n), 2.0)
    first = np.zeros(n + 1, np.int64)
    ei, ej, el = np.empty(20_000, np.int64), np.empty(20_000, np.int64), np.empty((20_000, 2))
    count = kernels.gate(xo, cov_o, muo, xc, mix, np.full(n, np.inf), z, noise, 25.0, first, ei, ej, el)
    return first, ei[:count], ej[:count], el[:count], (xo, cov_o, muo, xc, mix)


@BOTH
def test_the_gate_finds_every_plot_within_its_ellipse(kernels):
    rng = np.random.default_rng(6)
    x, cov, mu = rows(rng, 80)
    z = rng.uniform(-6000, 6000, (300, 2))
    noise = np.column_stack([rng.uniform(100, 4000, (300, 2)), rng.uniform(-90, 90, 300)])
    first, ei, ej, el, (_, _, _, xc, mix) = gated(kernels, x, cov, mu, z, noise)
    want = []
    for i in range(80):
        for j in range(300):
            s = np.array([[mix[i, 0] + noise[j, 0], mix[i, 2] + noise[j, 2]], [0, mix[i, 1] + noise[j, 1]]])
            s[1, 0] = s[0, 1]
            d = z[j] - xc[i]
            if d @ np.linalg.solve(s, d) <= 25:
                want.append((i, j))
    got = list(zip(ei.tolist(), ej.tolist(), strict=True))
    assert set(got) <= set(want)
    assert len(set(want) - set(got)) <= len(want) // 50  # those below the smallest likelihood
    assert got == sorted(got)
    assert [got[k][0] for k in first[:-1] if k < len(got)] == sorted(got[k][0] for k in first[:-1] if k < len(got))
    assert (el.sum(axis=1) >= 1e-30).all()


def test_compiled_and_numpy_kernels_agree():
    rng = np.random.default_rng(7)
    x, cov, mu = rows(rng, 120)
    z = rng.uniform(-6000, 6000, (200, 2))
    noise = np.tile([2500.0, 900.0, 100.0], (200, 1))
    sides = []
    for kernels in (kernels_loops, kernels_numpy):
        first, ei, ej, el, (xo, cov_o, muo, _, _) = gated(kernels, x, cov, mu, z, noise)
        psi, psi0 = 0.8 * el.sum(axis=1) / 1e-7, np.full(120, 0.2)
        pe, p0, pj = np.empty(len(ei)), np.ones(120), np.ones(200)
        kernels.belief(ei, ej, psi, psi0, 30, 1e-3, pe, p0, pj)
        soft = [np.empty_like(x), np.empty_like(cov), np.empty_like(mu), np.empty(120), np.empty(120, np.bool_)]
        firm = np.arange(120) % 2 == 0
        kernels.update_soft(first, ej, el, pe, p0 * 0.5, firm, z, noise, xo, cov_o, muo, *soft)
        chosen = np.empty(120, np.int64)
        kernels.assign(first, ei, ej, -np.log(psi / psi0[ei]), 200, chosen)
        hard = [np.empty_like(x), np.empty_like(cov), np.empty_like(mu), np.empty(120), np.empty(120, np.bool_)]
        kernels.update_hard(chosen, ej, el, p0, p0 / 2, z, noise, xo, cov_o, muo, *hard)
        sides.append([first, ei, ej, el, pe, p0, pj, *soft, chosen, *hard])
    for one, other in zip(*sides, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@BOTH
def test_surprise_is_that_of_sure_plots_of_firm_tracks(kernels):
    rng = np.random.default_rng(9)
    z, noise = rng.normal(0, 100, (6, 2)), np.tile([400.0, 900.0, 50.0], (6, 1))
    xc, mix = rng.normal(0, 100, (4, 2)), np.tile([100.0, 200.0, -30.0], (4, 1))
    ei, ej = np.array([0, 0, 1, 2, 3]), np.array([0, 1, 2, 3, 4])
    pe, firm = np.array([0.95, 0.04, 0.95, 0.5, 0.99]), np.array([True, True, True, False])
    cov = np.array([[500.0, 20.0], [20.0, 1100.0]])
    want = sum((z[j] - xc[i]) @ np.linalg.solve(cov, z[j] - xc[i]) for i, j in ((0, 0), (1, 2)))
    total, count = kernels.surprise(ei, ej, pe, 0.9, firm, xc, mix, z, noise)
    assert (total, count) == (pytest.approx(want), 2)
    assert kernels.surprise(ei, ej, 0 * pe, 0.9, firm, xc, mix, z, noise) == (0.0, 0)


@BOTH
def test_covered_is_who_is_inside_the_own_footprint_or_outside_all(kernels):
    angles = np.arange(8) * np.pi / 4
    normals, xy = np.column_stack([np.cos(angles), np.sin(angles)]), np.random.default_rng(3).normal(0, 8, (200, 2))
    supports = np.array([np.full(8, 10.0), np.full(8, 14.0), np.full(8, -np.inf)])  # the third has seen nothing yet
    first, second = ([all(normal @ each <= reach for normal in normals) for each in xy] for reach in (10.0, 14.0))
    assert kernels.covered(xy, normals, supports[:1], 0).all()
    want = [a or not b for a, b in zip(first, second, strict=True)]
    assert kernels.covered(xy, normals, supports, 0).tolist() == want
    assert 20 < want.count(False) < 180
    assert kernels.covered(xy, normals, supports, 1).all()
    assert kernels.covered(xy, normals, supports, 2).tolist() == [not each for each in second]
    assert kernels.covered(xy[:0], normals, supports, 0).tolist() == []


@BOTH
def test_a_firm_track_leans_to_the_likelier_of_two_plots(kernels):
    x, cov, mu = np.zeros((2, 2, 4)), np.zeros((2, 2, 10)), np.full((2, 2), 0.5)
    cov[:, :, [0, 4, 7, 9]] = [400.0, 400.0, 1.0, 1.0]
    z = np.array([[10.0, 0.0], [-10.0, 0.0]])
    noise = np.tile([100.0, 100.0, 0.0], (2, 1))
    first, ej = np.array([0, 2, 4]), np.array([0, 1, 0, 1])
    el, pe = np.full((4, 2), 0.5), np.array([0.6, 0.3, 0.6, 0.3])
    out = [np.empty_like(x), np.empty_like(cov), np.empty_like(mu), np.empty(2), np.empty(2, np.bool_)]
    firm = np.array([False, True])
    kernels.update_soft(first, ej, el, pe, np.full(2, 0.1), firm, z, noise, x, cov, mu, *out)
    mean, r = out[0][:, 0, 0], out[3]
    whole = 10 * 400 / 500
    assert mean[0] == pytest.approx(whole * (0.6 - 0.3))
    assert mean[1] == pytest.approx(whole * (0.6**4 - 0.3**4) / (0.6**4 + 0.3**4 + 0.1**4))
    assert r == pytest.approx([1.0, 1.0])
    assert out[4].all()
