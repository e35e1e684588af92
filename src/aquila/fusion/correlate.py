"""Track-to-track correlation: which tracks of different sources are the same thing, and for how sure.

Hard keys first (with a kinematic check against spoofing), then a window test over the last epochs with the offset
between two sources taken off, an exact assignment, and M-of-N hysteresis. What an operator locked or forbade stands.
Sources: Bar-Shalom, Li, "Multitarget-Multisensor Tracking", 1995, ch. 8 (common epoch, test of differences); Julier and
Uhlmann, ACC 1997 (covariance intersection).
"""

from collections import deque
from collections.abc import Container
from itertools import combinations

import msgspec
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from scipy.special import chdtri

from aquila.fusion.rows import Floats, Ints
from aquila.fusion.windows import Windows

TrackKey = tuple[str, str]
"""Source, and the source's own name of the track."""
Pair = tuple[TrackKey, TrackKey]
"""In the order of their sources."""
NUMBERS_SPARE = 20_000
"""Numbers of tracks that are gone are kept so long as they are not more than this, beyond twice those that live."""


class CorrelatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One set of defaults for all sources."""

    gate_m: float = 900.0
    """Tracks are compared within this distance ..."""
    gate_chi2: float = 60.0
    """... and within this squared Mahalanobis distance: with room for an offset that is not learned yet."""
    epochs: int = 30
    """Length of the window."""
    memory_epochs: float = 4.0
    """Errors of a track are alike over so many epochs: so many count as one."""
    false_split: float = 1e-4
    """How often a true pair may fail the test."""
    pairs_for_offset: int = 10
    pair_after: int = 3
    split_after: int = 8
    """A pair is made, or undone, once the test said so this often of the last `of_last`."""
    of_last: int = 10
    key_gate_m: float = 3000.0
    """Tracks with one key further apart than this are a spoof or a mistake: reported, not paired."""


class SourceTracks(msgspec.Struct, frozen=True, kw_only=True):
    """What one source shows at one epoch. Row k of everything is the same track."""

    source: str
    names: list[str]
    x: Floats
    """x, y, vx, vy at the epoch, shape (n, 4)."""
    cov: Floats
    """Covariance, shape (n, 4, 4)."""
    keys: list[frozenset[str]]
    """Hard keys such as "mmsi:244630001", "icao24:3c6444"; empty: anonymous."""


class Evidence(msgspec.Struct, kw_only=True):
    """Why two tracks are held to be the same, or not."""

    distance: float
    """Mean squared Mahalanobis distance over the window; a true pair has about 4."""
    threshold: float
    epochs: int
    votes: int
    """Of the last epochs, how many said "same"."""
    reason: str
    """key, window, operator, or why not: key conflict, key too far."""


class PairState(msgspec.Struct):
    """The memory of one candidate pair."""

    votes: deque[bool]
    slot: int
    """Its row among the windows."""
    paired: bool = False
    missing: int = 0
    evidence: Evidence | None = None


class Group(msgspec.Struct, frozen=True):
    """One thing, as all its sources see it."""

    number: int
    members: tuple[TrackKey, ...]
    x: Floats
    cov: Floats


class Correlator:
    """Keeps pairs between the tracks of all sources. Feed one epoch after the other."""

    def __init__(self, settings: CorrelatorSettings | None = None) -> None:
        self.settings = settings or CorrelatorSettings()
        self.pairs: dict[Pair, PairState] = {}
        self.offsets: dict[tuple[str, str], Floats] = {}
        """Second source minus first, x, y, vx, vy."""
        self.locked: set[frozenset[TrackKey]] = set()
        self.forbidden: set[frozenset[TrackKey]] = set()
        self.conflicts: list[Pair] = []
        """Pairs with one key that cannot be one thing, at the newest epoch."""
        self._windows = Windows(self.settings.epochs)
        self._number: dict[TrackKey, int] = {}
        self._next = 1

    # --- the operator --------------------------------------------------------------------------

    def merge(self, one: TrackKey, other: TrackKey) -> None:
        """An operator says they are the same. The correlator never undoes it.

        Raises:
            ValueError: Both are of one source.
        """
        if one[0] == other[0]:
            raise ValueError(f"{one[1]} and {other[1]} are both tracks of {one[0]}: only two sources can be merged")
        self.forbidden.discard(frozenset((one, other)))
        self.locked.add(frozenset((one, other)))

    def split(self, one: TrackKey, other: TrackKey) -> None:
        """An operator says they are not the same. The correlator never undoes it."""
        self.locked.discard(frozenset((one, other)))
        self.forbidden.add(frozenset((one, other)))

    # --- one epoch -----------------------------------------------------------------------------

    def update(self, sources: list[SourceTracks]) -> list[Group]:
        """Take what all sources show at one common epoch; give what there is.

        Args:
            sources: Each source once, extrapolated to the epoch, always in the same order.
        """
        self.conflicts = []
        seen: set[Pair] = set()
        for first, second in combinations(sources, 2):
            seen |= self._correlate(first, second)
        for pair in self.pairs.keys() - seen:
            self.pairs[pair].missing += 1
            if self.pairs[pair].missing > self.settings.epochs:
                self._windows.give(self.pairs.pop(pair).slot)
        return self._groups(sources)

    def _correlate(self, first: SourceTracks, second: SourceTracks) -> set[Pair]:
        """Judge all candidates between two sources; gives those that were seen."""
        names = first.source, second.source
        offset = self.offsets.setdefault(names, np.zeros(4))
        i, j = self._candidates(first, second, offset)
        difference = second.x[j] - first.x[i]
        spread = first.cov[i] + second.cov[j]
        states = []
        pairs: list[Pair] = []
        for a, b in zip(i.tolist(), j.tolist(), strict=True):
            pair = (names[0], first.names[a]), (names[1], second.names[b])
            state = self.pairs.get(pair)
            if state is None:
                state = self.pairs[pair] = PairState(deque(maxlen=self.settings.of_last), self._windows.take())
            state.missing = 0
            pairs.append(pair)
            states.append(state)
        if pairs:
            slots = np.array([state.slot for state in states])
            self._windows.add(slots, difference, np.linalg.inv(spread).astype(np.float64))
            cost = self._cost(states, slots, offset)
            self._apply_keys(first, second, i, j, pairs, cost)
            chosen = _assign(i, j, cost, len(first.names), len(second.names))
            self._vote(pairs, states, chosen, cost)
            self._learn_offset(names, states, difference)
        return set(pairs)

    def _candidates(self, first: SourceTracks, second: SourceTracks, offset: Floats) -> tuple[Ints, Ints]:
        if not first.names or not second.names:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        near = cKDTree(first.x[:, :2] + offset[:2]).sparse_distance_matrix(
            cKDTree(second.x[:, :2]), self.settings.gate_m, output_type="coo_matrix"
        )
        i, j = near.row.astype(np.int64), near.col.astype(np.int64)
        d, p = second.x[j, :2] - first.x[i, :2] - offset[:2], first.cov[i, :2, :2] + second.cov[j, :2, :2]
        det = p[:, 0, 0] * p[:, 1, 1] - p[:, 0, 1] ** 2
        far = d[:, 0] ** 2 * p[:, 1, 1] + d[:, 1] ** 2 * p[:, 0, 0] - 2 * d[:, 0] * d[:, 1] * p[:, 0, 1]
        possible = far <= self.settings.gate_chi2 * det
        i, j = i[possible], j[possible]
        by_key: dict[str, list[int]] = {}
        for b, keys in enumerate(second.keys):
            for key in keys:
                by_key.setdefault(key, []).append(b)
        wanted = {(a, b) for a, keys in enumerate(first.keys) for key in keys for b in by_key.get(key, ())}
        place = {(second.source, name): b for b, name in enumerate(second.names)}
        for a, name in enumerate(first.names):
            wanted |= {
                (a, place[other])
                for both in self._locked_with((first.source, name))
                for other in both
                if other in place
            }
        extra = np.array(sorted(wanted - set(zip(i.tolist(), j.tolist(), strict=True))), np.int64).reshape(-1, 2)
        i, j = np.r_[i, extra[:, 0]], np.r_[j, extra[:, 1]]
        order = np.lexsort((j, i))
        return i[order], j[order]

    def _locked_with(self, track: TrackKey) -> list[frozenset[TrackKey]]:
        return [both for both in self.locked if track in both] if self.locked else []

    def _cost(self, states: list[PairState], slots: Ints, offset: Floats) -> Floats:
        """Mean squared distance over each pair's window, minus what a true pair may have: below 0 is "same"."""
        mean, counts = self._windows.nees(slots, offset)
        independent = np.maximum(counts / self.settings.memory_epochs, 1.0)
        threshold = chdtri(4 * independent, self.settings.false_split) / independent
        for state, one, limit, count in zip(states, mean, threshold, counts, strict=True):
            state.evidence = Evidence(
                distance=float(one), threshold=float(limit), epochs=int(count), votes=0, reason="window"
            )
        cost: Floats = mean - threshold
        return cost

    def _apply_keys(
        self, first: SourceTracks, second: SourceTracks, i: Ints, j: Ints, pairs: list[Pair], cost: Floats
    ) -> None:
        """Operator and hard keys overrule the window: a cost so low or high that nothing else matters."""
        for row, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
            both = frozenset(pairs[row])
            if both in self.locked:
                cost[row] = self._overrule(pairs[row], -1e9, "operator")
            elif both in self.forbidden:
                cost[row] = self._overrule(pairs[row], 1e9, "operator")
            elif first.keys[a] & second.keys[b]:
                apart = float(np.hypot(*(second.x[b, :2] - first.x[a, :2])))
                if apart > self.settings.key_gate_m:
                    self.conflicts.append(pairs[row])
                    cost[row] = self._overrule(pairs[row], 1e9, "key too far")
                else:
                    cost[row] = self._overrule(pairs[row], -1e6, "key")
            elif _conflict(first.keys[a], second.keys[b]):
                cost[row] = self._overrule(pairs[row], 1e9, "key conflict")

    def _overrule(self, pair: Pair, cost: float, reason: str) -> float:
        evidence = self.pairs[pair].evidence
        assert evidence is not None
        evidence.reason = reason
        return cost

    def _vote(self, pairs: list[Pair], states: list[PairState], chosen: Ints, cost: Floats) -> None:
        """M of N: a pair is made by some votes and undone by more; keys and operators need none."""
        same = np.zeros(len(states), np.bool_)
        same[chosen] = True
        for state, yes, price in zip(states, same.tolist(), cost.tolist(), strict=True):
            state.votes.append(yes)
            votes = sum(state.votes)
            if state.evidence is not None:
                state.evidence.votes = votes
            if abs(price) > 1e5:
                state.paired = yes
            elif state.paired:
                state.paired = len(state.votes) - votes < self.settings.split_after
            else:
                state.paired = votes >= self.settings.pair_after
        # One partner each: of several that passed, the one with most votes, then the nearest.
        taken: set[TrackKey] = set()
        order = sorted(range(len(pairs)), key=lambda k: (cost[k] > -1e5, -sum(states[k].votes), cost[k]))
        for k in order:
            if states[k].paired and (pairs[k][0] in taken or pairs[k][1] in taken):
                states[k].paired = False
            if states[k].paired:
                taken |= set(pairs[k])

    def _learn_offset(self, names: tuple[str, str], states: list[PairState], difference: Floats) -> None:
        paired = [row for row, state in enumerate(states) if state.paired]
        if len(paired) >= self.settings.pairs_for_offset:
            step = np.median(difference[paired], axis=0)
            step[2:] = 0.0  # a velocity has no offset
            self.offsets[names] = 0.7 * self.offsets[names] + 0.3 * step

    # --- the result ----------------------------------------------------------------------------

    def _groups(self, sources: list[SourceTracks]) -> list[Group]:
        """Pairs, best first, grow groups: no source twice, nothing an operator forbade, nothing that is plainly apart.

        A young radar track between a ship and an aircraft fits both, and makes them no single thing.
        """
        where = {(one.source, name): (one, row) for one in sources for row, name in enumerate(one.names)}
        group: dict[TrackKey, set[TrackKey]] = {track: {track} for track in where}
        current = [pair for pair, state in self.pairs.items() if state.paired and not state.missing]
        current.sort(key=self._rank)
        for one, other in current:
            a, b = group[one], group[other]
            if a is b or {track[0] for track in a} & {track[0] for track in b}:
                continue
            if self.forbidden and any(frozenset((p, q)) in self.forbidden for p in a for q in b):
                continue
            said = frozenset((one, other)) in self.locked
            if not said and len(a) + len(b) > 2 and any(self._are_apart(where, p, q) for p in a for q in b):
                continue
            a |= b
            for track in b:
                group[track] = a
        order = {one.source: place for place, one in enumerate(sources)}
        reference = sources[0].source if sources else ""
        unique = {id(members): members for members in group.values()}.values()
        together = [tuple(sorted(each, key=lambda track: (order[track[0]], track[1]))) for each in unique]
        if not together:
            return []
        first = np.cumsum([0, *(len(source.names) for source in sources)])
        row_of = {track: int(first[order[track[0]]]) + where[track][1] for track in where}
        rows = [row_of[track] for members in together for track in members]
        moved = [one.x - self.offsets.get((reference, one.source), np.zeros(4)) for one in sources]
        means, covs = np.concatenate(moved)[rows], np.concatenate([one.cov for one in sources])[rows]
        x, cov = intersect_many(means, covs, np.cumsum([0, *(len(members) for members in together)]))
        numbers: set[int] = set()
        named = [Group(self._name(members, numbers), members, x[k], cov[k]) for k, members in enumerate(together)]
        self._forget_numbers(where)
        return named

    def _rank(self, pair: Pair) -> tuple[bool, int, float, Pair]:
        """What a person locked comes first, then the most votes, then the nearest."""
        state = self.pairs[pair]
        distance = 0.0 if state.evidence is None else state.evidence.distance
        return frozenset(pair) not in self.locked, -sum(state.votes), distance, pair

    def _are_apart(self, where: dict[TrackKey, tuple[SourceTracks, int]], one: TrackKey, other: TrackKey) -> bool:
        """Whether two tracks that are no pair themselves are too far from each other, or too unlike in their motion."""
        (a, row_a), (b, row_b) = where[one], where[other]
        pair = (one, other)
        if (b.source, a.source) in self.offsets:
            (a, row_a), (b, row_b), pair = (b, row_b), (a, row_a), (other, one)
        state = self.pairs.get(pair)
        if state is not None and state.paired and not state.missing:
            return False
        difference = b.x[row_b] - a.x[row_a] - self.offsets[a.source, b.source]
        squared = difference @ np.linalg.solve(a.cov[row_a] + b.cov[row_b], difference)
        return bool(squared > self.settings.gate_chi2)

    def _forget_numbers(self, alive: Container[TrackKey]) -> None:
        """Drop the numbers of tracks that are gone, once they are many: a track that comes back soon keeps its own."""
        if len(self._number) > NUMBERS_SPARE + 2 * sum(track in alive for track in self._number):
            self._number = {track: number for track, number in self._number.items() if track in alive}

    def _name(self, members: tuple[TrackKey, ...], used: set[int]) -> int:
        """A group keeps the oldest number among its members that no other group bears now."""
        known = sorted({self._number[track] for track in members if track in self._number} - used)
        number = known[0] if known else self._next
        if not known:
            self._next += 1
        for track in members:
            self._number[track] = number
        used.add(number)
        return number


def _conflict(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether both have a key of one scheme, and not the same one."""
    schemes = {key.split(":", 1)[0] for key in one} & {key.split(":", 1)[0] for key in other}
    return bool(schemes)


def _assign(i: Ints, j: Ints, cost: Floats, rows: int, columns: int) -> Ints:
    """The cheapest exact assignment, component by component; an own dummy column of cost 0 per row."""
    cheap = np.flatnonzero(cost < 0)
    if len(cheap) == 0:
        return cheap
    graph = coo_matrix((np.ones(len(cheap)), (i[cheap], rows + j[cheap])), shape=(rows + columns, rows + columns))
    label = connected_components(graph, directed=False)[1][i[cheap]]
    order = np.argsort(label, kind="stable")
    chosen: list[Ints] = []
    for part in np.split(cheap[order], np.flatnonzero(np.diff(label[order])) + 1):
        if len(part) == 1:
            chosen.append(part)
            continue
        _, row = np.unique(i[part], return_inverse=True)
        _, column = np.unique(j[part], return_inverse=True)
        n, m = row.max() + 1, column.max() + 1
        table = np.full((n, m + n), 1e12)
        table[np.arange(n), m + np.arange(n)] = 0.0
        edge = np.full((n, m + n), -1, np.int64)
        table[row, column], edge[row, column] = cost[part], part
        taken = edge[linear_sum_assignment(table)]
        chosen.append(taken[taken >= 0])
    return np.concatenate(chosen)


def intersect_many(means: Floats, covs: Floats, starts: Ints) -> tuple[Floats, Floats]:
    """Covariance intersection of estimates whose errors may be alike: never more sure than its inputs allow.

    The weights are those that minimise the trace for two, in proportion to 1 / trace (Niehsen's fast form): no search,
    so that two machines give the same bits.

    Args:
        means: the members of one group behind each other, shape (m, 4).
        covs: the same, shape (m, 4, 4).
        starts: where each group begins, and at last m; no group is empty. Shape (n + 1,).

    Returns:
        Mean (n, 4) and covariance (n, 4, 4) of each group; a group of one as it is.
    """
    x, cov = means[starts[:-1]].copy(), covs[starts[:-1]].copy()
    sizes = np.diff(starts)
    several = np.flatnonzero(sizes > 1)
    if len(several) == 0:
        return x, cov
    rows = np.flatnonzero(np.repeat(sizes > 1, sizes))
    begins = np.cumsum(np.r_[0, sizes[several][:-1]])
    weights = 1 / (covs[rows, 0, 0] + covs[rows, 1, 1])
    weights /= np.repeat(np.add.reduceat(weights, begins), sizes[several])
    inverses = weights[:, None, None] * np.linalg.inv(covs[rows])
    joined = np.linalg.inv(np.add.reduceat(inverses, begins))
    pulled = np.add.reduceat((inverses @ means[rows][..., None])[..., 0], begins)
    x[several] = (joined @ pulled[..., None])[..., 0]
    cov[several] = (joined + joined.transpose(0, 2, 1)) / 2
    return x, cov
