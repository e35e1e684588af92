"""How good a picture is, where the truth is known: GOSPA, completeness, id switches, consistency. Pure functions."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Sample(msgspec.Struct, frozen=True):
    """Truth and tracks at one time."""

    t_s: float
    truth_ids: Sequence[Hashable]
    truth: Floats
    """x, y in metres, shape (n, 2)."""
    track_ids: Sequence[Hashable]
    tracks: Floats
    """x, y in metres, shape (k, 2)."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over many samples. `None`: nothing to judge by."""

    gospa_m: float
    """Mean GOSPA (p 2, alpha 2)."""
    gospa_n_m: float
    """The same per square root of the mean number of targets: comparable over their number."""
    rms_m: float | None
    """Of the distances between paired truths and tracks."""
    completeness: float | None
    """Share of truth that is paired."""
    spurious: float | None
    """Share of tracks that are not paired."""
    switches_per_target_min: float
    """How often a truth's paired id differs from the last one it had, also after a gap."""


def pair(truth: Floats, tracks: Floats, cutoff_m: float) -> tuple[Ints, Ints, Floats]:
    """The pairing of least total squared distance under the cutoff: row in truth, row in tracks, distance in m."""
    none = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    if len(truth) == 0 or len(tracks) == 0:
        return none
    near = cKDTree(truth).sparse_distance_matrix(cKDTree(tracks), cutoff_m, output_type="coo_matrix")
    if near.nnz == 0:
        return none
    n = len(truth) + len(tracks)
    graph = coo_matrix((np.ones(near.nnz), (near.row, near.col + len(truth))), shape=(n, n))
    component = connected_components(graph, directed=False)[1][near.row]
    order = np.argsort(component, kind="stable")
    row, column, distance = near.row[order], near.col[order], near.data[order]
    bounds = np.r_[0, np.flatnonzero(np.diff(component[order])) + 1, len(order)]
    found: list[tuple[Ints, Ints, Floats]] = []
    for start, stop in pairwise(bounds):
        rows, at_row = np.unique(row[start:stop], return_inverse=True)
        columns, at_column = np.unique(column[start:stop], return_inverse=True)
        cost = np.full((len(rows), len(columns)), cutoff_m**2)
        cost[at_row, at_column] = distance[start:stop] ** 2
        i, j = linear_sum_assignment(cost)
        closer = cost[i, j] < cutoff_m**2
        found.append((rows[i[closer]], columns[j[closer]], np.sqrt(cost[i, j][closer])))
    i, j, d = (np.concatenate(parts) for parts in zip(*found, strict=True))
    by_truth = np.argsort(i)
    return i[by_truth].astype(np.int64), j[by_truth].astype(np.int64), d[by_truth]


def gospa(truth: Floats, tracks: Floats, cutoff_m: float) -> float:
    """Generalised OSPA with p 2 and alpha 2, in metres (Rahmathullah, Garcia-Fernandez, Svensson, FUSION 2017)."""
    _, _, distance = pair(truth, tracks, cutoff_m)
    unpaired = len(truth) + len(tracks) - 2 * len(distance)
    return float(np.sqrt((distance**2).sum() + cutoff_m**2 / 2 * unpaired))


def judge(samples: Iterable[Sample], cutoff_m: float) -> Quality | None:
    """Figures over samples in time order; None without a sample or without any truth in them."""
    gospas: list[float] = []
    squares = 0.0
    truths = tracks = paired = switches = 0
    last: dict[Hashable, Hashable] = {}
    first_t = last_t = None
    for sample in samples:
        first_t = sample.t_s if first_t is None else first_t
        last_t = sample.t_s
        i, j, distance = pair(sample.truth, sample.tracks, cutoff_m)
        unpaired = len(sample.truth) + len(sample.tracks) - 2 * len(i)
        gospas.append(float(np.sqrt((distance**2).sum() + cutoff_m**2 / 2 * unpaired)))
        squares += float((distance**2).sum())
        truths += len(sample.truth)
        tracks += len(sample.tracks)
        paired += len(i)
        for a, b in zip(i.tolist(), j.tolist(), strict=True):
            target, track = sample.truth_ids[a], sample.track_ids[b]
            switches += last.get(target, track) != track
            last[target] = track
    if not gospas or not truths or first_t is None or last_t is None:
        return None
    mean_truths = truths / len(gospas)
    minutes = max((last_t - first_t) / 60, 1e-9)
    return Quality(
        gospa_m=float(np.mean(gospas)),
        gospa_n_m=float(np.mean(gospas) / np.sqrt(mean_truths)),
        rms_m=float(np.sqrt(squares / paired)) if paired else None,
        completeness=paired / truths,
        spurious=(tracks - paired) / tracks if tracks else None,
        switches_per_target_min=switches / mean_truths / minutes,
    )


def anees(errors: Floats, covariances: Floats) -> float | None:
    """Average normalised estimation error squared; 1 when the covariances are honest, above when too small.

    Args:
        errors: Estimate minus truth, shape (n, d).
        covariances: Of the estimates, shape (n, d, d).

    Returns:
        The mean of e' P^-1 e / d; None without a row.
    """
    if len(errors) == 0:
        return None
    solved = np.linalg.solve(covariances, errors[..., None])[..., 0]
    return float((errors * solved).sum(axis=1).mean() / errors.shape[1])
