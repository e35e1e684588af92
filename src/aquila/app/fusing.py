"""Fusing: reports and plots of all sources in, one symbol for each thing out. Pure: no clock, no thread, no disk.

The same batches with the same times give the same symbols, ids and numbers included.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from aquila.app.fused_heard import Heard, HeardPlot, HeardReport
from aquila.app.fused_radar import RADAR, Radars
from aquila.app.fused_reports import Reported, Reports
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Label, Motion, Position, Removal, Report
from aquila.core.plot import Plot
from aquila.core.policy import Policy, derive
from aquila.features.tracks import Because, Fused, Pair, PlottedBy, TrackMember, Word
from aquila.fusion.correlate import Correlator, Evidence, Group, SourceTracks, TrackKey, intersect
from aquila.fusion.rows import Floats
from aquila.fusion.sensor_file import Plane
from aquila.fusion.tracker import Picture

FUSED: Final = "fused"
"""Scheme of the ids of fused tracks."""
EPOCH_S: Final = 2.0
"""Between two looks of the correlator; what it found moves with every batch."""
STALE_MS: Final = 20_000
CE_OF_SIGMA: Final = 1.51
CLOCK_OFF_MS: Final = 30_000
"""A time that is further from the reception is not believed."""
ORDER: Final = {"mmsi": 0, "icao24": 1, "asterix": 3, RADAR: 4}
"""Of the sources: the first is where no offset is sought. Others have 2."""
LOOKS: Final = {"mmsi": 1, "icao24": 1, "asterix": 2, RADAR: 3}
"""Whose type, symbol and name a fused track has: the lowest. Others, people's phones among them, have 0."""
AIR: Final = ("a-u-A", "10010100000000000000")
NOT_KNOWN: Final = ("a-u-X", "10010000000000000000")
AIR_MPS: Final = 70.0


class Symbol(msgspec.Struct, frozen=True):
    """What is to be said of a fused track."""

    body: Report | Removal
    label: Label


class Shown(msgspec.Struct, frozen=True):
    """A fused track at the last epoch: its members, and what holds them together."""

    entity: str
    number: int
    members: tuple[TrackKey, ...]
    label: Label


class Shot(msgspec.Struct, frozen=True):
    """Everything that can be asked, as it was at the last epoch. Nobody changes it.

    Attributes:
        groups: all, also those of one member. by_entity: place among the groups, by symbol and by member.
        reported, radar: what is known of the members. evidence: of pairs within a group.
    """

    at_ms: int
    groups: tuple[Shown, ...]
    by_entity: Mapping[str, int]
    reported: Mapping[TrackKey, Reported]
    radar: Mapping[TrackKey, tuple[float, int, float, tuple[PlottedBy, ...], tuple[str, ...]]]
    states: Mapping[int, tuple[Floats, Floats]]
    evidence: Mapping[tuple[TrackKey, TrackKey], Evidence]
    conflicts: tuple[tuple[str, str], ...]


NOTHING: Final = Shot(0, (), {}, {}, {}, {}, {}, ())


class Fusing:
    """One node's fusion.

    Args:
        policy: of the labels that are joined. compiled: see Tracker.

    Attributes:
        words: what persons have said of pairs; to be replaced as a whole. shot: for those who ask.
    """

    def __init__(self, policy: Policy, *, compiled: bool | None = None) -> None:
        self.policy = policy
        self.words: Mapping[Pair, Word] = {}
        self.counts: Counter[str] = Counter()
        self.reports = Reports()
        self.radars = Radars(compiled=compiled)
        self.correlator = Correlator()
        self.shot = NOTHING
        self.plane: Plane | None = None
        self._ids: dict[int, str] = {}
        self._used: set[str] = set()
        self._shown: dict[str, Shown] = {}
        self._group_of: dict[TrackKey, Shown] = {}
        self._epoch_s = -math.inf

    def step(self, batch: Sequence[Heard], now_ms: int) -> list[Symbol]:
        """Take what came since the last step; give what is to be said, removals first."""
        plots: list[tuple[Plot, Label, float]] = []
        moved: set[TrackKey] = set()
        for heard in batch:
            if isinstance(heard, HeardReport):
                self._hear(heard, moved)
            elif isinstance(heard, HeardPlot):
                at_s = self._time_s(heard.plot.observed_at_ms, heard.received_at_ms)
                plots.append((heard.plot, heard.label, at_s))
                self._begin(heard.plot.position)
            else:
                self.reports.drop(heard.entity)
        if plots and self.plane is not None:
            self.radars.take(plots, self.plane, lambda at_s: self.reports.references(at_s, 15.0))
        elif plots:
            self.counts["plots before any place is known"] += len(plots)
        if self.plane is None:
            return []
        now_s = now_ms / 1000
        names, picture = self.radars.shown(now_s)
        if now_s - self._epoch_s >= EPOCH_S or now_s < self._epoch_s:
            self._epoch_s = now_s
            return self._epoch(names, picture, now_s)
        if plots:
            fresh = picture.row[self.radars.tracker.t_hit[picture.row] >= min(at_s for _, _, at_s in plots)]
            hit = set(fresh.tolist())
            moved |= {(RADAR, name) for name, row in zip(names, picture.row.tolist(), strict=True) if row in hit}
        return self._move(moved, names, picture, now_s)

    # -- in ---------------------------------------------------------------------------------------------------------

    def _hear(self, heard: HeardReport, moved: set[TrackKey]) -> None:
        report = heard.report
        self._begin(report.position)
        if self.plane is None:
            return
        if report.alias.scheme == "asterix" and report.own and report.type.startswith("a-u-G-E-S"):
            self.radars.place(report, self.plane)
            return
        at_s = self._time_s(report.observed_at_ms, heard.received_at_ms)
        if self.reports.hear(report, heard.label, at_s, self.plane):
            moved.add((report.alias.scheme, report.entity))
        else:
            self.counts["reports that are not fused"] += 1

    def _begin(self, position: Position | None) -> None:
        """The first place that is heard of is the middle of the plane."""
        if self.plane is None and position is not None:
            self.plane = Plane(position.lat_deg, position.lon_deg)

    def _time_s(self, observed_ms: int, received_ms: int) -> float:
        if abs(observed_ms - received_ms) > CLOCK_OFF_MS:
            self.counts["times that are not believed"] += 1
            return received_ms / 1000
        return observed_ms / 1000

    # -- epochs -----------------------------------------------------------------------------------------------------

    def _epoch(self, names: list[str], picture: Picture, now_s: float) -> list[Symbol]:
        """Correlate; say every shown track anew, and take away those that are no more."""
        self.reports.forget(now_s)
        sources = self.reports.sources(now_s)
        if names:
            sources.append(self.radars.source(names, picture))
        sources.sort(key=lambda one: (ORDER.get(one.source, 2), one.source))
        self._obey(sources)
        rows = {(RADAR, name): row for name, row in zip(names, picture.row.tolist(), strict=True)}
        before, self._shown, self._group_of = self._shown, {}, {}
        groups: list[Shown] = []
        states: dict[int, tuple[Floats, Floats]] = {}
        said: list[Symbol] = []
        for group in self.correlator.update(sources):
            label = self._label(group.members, rows)
            entity = self._id(group)
            shown = Shown(entity, group.number, group.members, label)
            states[len(groups)] = (group.x, group.cov)
            groups.append(shown)
            if len(group.members) > 1 or group.members[0][0] == RADAR:
                self._shown[entity] = shown
                self._group_of.update(dict.fromkeys(group.members, shown))
                said.append(self._symbol(shown, group.x, group.cov, now_s))
        self._shoot(groups, states, rows, picture, now_s)
        self._forget_ids(groups)
        gone = [one for entity, one in before.items() if entity not in self._shown]
        return [self._removal(one, now_s) for one in gone] + said

    def _id(self, group: Group) -> str:
        """The id of a group's symbol: made of the first member that it was known by, and never borne by two."""
        entity = self._ids.get(group.number)
        if entity is None:
            source, name = group.members[0]
            entity = entity_id(FUSED, f"{source}/{name}")
            if entity in self._used:
                entity = entity_id(FUSED, f"{source}/{name}/{group.number}")
            self._ids[group.number] = entity
            self._used.add(entity)
        return entity

    def _forget_ids(self, groups: list[Shown]) -> None:
        alive = {group.number for group in groups}
        if len(self._ids) > 2 * len(alive) + 20_000:
            self._ids = {number: entity for number, entity in self._ids.items() if number in alive}
            self._used = set(self._ids.values())

    def _obey(self, sources: Sequence[SourceTracks]) -> None:
        """Bring what persons have said to the correlator."""
        self.correlator.locked.clear()
        self.correlator.forbidden.clear()
        if not self.words:
            return
        keys = {member_id((one.source, name)): (one.source, name) for one in sources for name in one.names}
        for (a, b), word in self.words.items():
            one, other = keys.get(a), keys.get(b)
            if one is None or other is None:
                continue
            if word == "apart":
                self.correlator.split(one, other)
            elif word == "same" and one[0] != other[0]:
                self.correlator.merge(one, other)

    def _move(self, moved: set[TrackKey], names: list[str], picture: Picture, now_s: float) -> list[Symbol]:
        """Say those shown tracks anew of which a member has moved, with the members of the last epoch."""
        place = {(RADAR, name): at for at, name in enumerate(names)}
        said = []
        for shown in {
            self._group_of[key].entity: self._group_of[key] for key in sorted(moved) if key in self._group_of
        }.values():
            means: list[Floats] = []
            covs: list[Floats] = []
            mine = [key for key in shown.members if key in self.reports.by_track]
            x, cov = self.reports.states(mine, now_s)
            means.extend(x)
            covs.extend(cov)
            for key in shown.members:
                if key in place:
                    offset = self.correlator.offsets.get((shown.members[0][0], RADAR), np.zeros(4))
                    means.append(picture.x[place[key]] - (offset if mine else 0.0))
                    covs.append(picture.cov[place[key]])
            if means:
                said.append(self._symbol(shown, *intersect(means, covs), now_s))
        return said

    def _label(self, members: Sequence[TrackKey], rows: Mapping[TrackKey, int]) -> Label:
        labels: list[Label] = []
        for key in members:
            one = self.reports.by_track.get(key)
            labels += [one.label] if one is not None else self.radars.labels_of(rows[key])
        first = labels[0]
        return first if all(label == first for label in labels) else derive(self.policy, labels)

    # -- out --------------------------------------------------------------------------------------------------------

    def _symbol(self, shown: Shown, x: Floats, cov: Floats, now_s: float) -> Symbol:
        assert self.plane is not None
        lat, lon = self.plane.to_lat_lon(x[None, :2])[0].tolist()
        reported = [self.reports.by_track[key] for key in shown.members if key in self.reports.by_track]
        best = min(reported, key=lambda one: LOOKS.get(one.report.alias.scheme, 0), default=None)
        hae_m = next((one.report.position.hae_m for one in reported if one.report.position), None)
        speed = math.hypot(x[2], x[3])
        look = AIR if speed > AIR_MPS else NOT_KNOWN
        at_ms = round(now_s * 1000)
        report = Report(
            entity=shown.entity,
            alias=Alias(FUSED, shown.entity),
            type=look[0] if best is None else best.report.type,
            sidc=look[1] if best is None else best.report.sidc,
            category="track",
            observed_at_ms=at_ms,
            stale_at_ms=at_ms + STALE_MS,
            name=f"T{shown.number}" if best is None else best.report.name or best.report.alias.value,
            how="m-f",
            position=Position(lat, lon, hae_m, round(CE_OF_SIGMA * math.sqrt((cov[0, 0] + cov[1, 1]) / 2), 1)),
            motion=Motion(round(math.degrees(math.atan2(x[2], x[3])) % 360, 2), round(speed, 2)),
            fields={
                "sources": ", ".join(sorted({key[0] for key in shown.members})),
                "members": " ".join(member_id(key) for key in shown.members),
            },
        )
        return Symbol(report, shown.label)

    def _removal(self, shown: Shown, now_s: float) -> Symbol:
        alias = Alias(FUSED, shown.entity)
        return Symbol(Removal(entity=shown.entity, alias=alias, happened_at_ms=round(now_s * 1000)), shown.label)

    def _shoot(
        self,
        groups: list[Shown],
        states: dict[int, tuple[Floats, Floats]],
        rows: Mapping[TrackKey, int],
        picture: Picture,
        now_s: float,
    ) -> None:
        """Keep what can be asked until the next epoch."""
        tracker = self.radars.tracker
        radar = {}
        for at, (key, row) in enumerate(rows.items()):
            by = tuple(
                PlottedBy(
                    sensor=self.radars.name(slot),
                    plots=int(tracker.seen_n[row, slot]),
                    pd=round(tracker.learned[slot].pd, 3),
                    bias=(self.radars.biases[slot].bias.first, self.radars.biases[slot].bias.second),
                )
                for slot in self.radars.sensors_of(row)
            )
            sigma_m = math.sqrt((picture.cov[at, 0, 0] + picture.cov[at, 1, 1]) / 2)
            seen_ms = round(float(tracker.t_hit[row]) * 1000)
            radar[key] = (float(picture.r[at]), seen_ms, sigma_m, by, tuple(sorted(self.radars.keys_of(picture, at))))
        pairs = self.correlator.pairs
        evidence = {
            pair: state.evidence
            for pair, state in pairs.items()
            if state.paired and state.evidence and not state.missing
        }
        by_entity = {shown.entity: at for at, shown in enumerate(groups)}
        for at, shown in enumerate(groups):
            by_entity.update((member_id(key), at) for key in shown.members)
        self.shot = Shot(
            round(now_s * 1000),
            tuple(groups),
            by_entity,
            dict(self.reports.by_track),
            radar,
            states,
            evidence,
            tuple((member_id(a), member_id(b)) for a, b in self.correlator.conflicts),
        )


def member_id(key: TrackKey) -> str:
    """The id of a member: of its own entity, or made of a radar track's name."""
    return entity_id(FUSED, f"{key[0]}/{key[1]}") if key[0] == RADAR else key[1]


def fused_of(shot: Shot, at: int, plane: Plane, context: str) -> Fused:
    """A group of a shot in the words of the feature."""
    shown = shot.groups[at]
    x, cov = shot.states[at]
    lat, lon = plane.to_lat_lon(x[None, :2])[0].tolist()
    inside = set(shown.members)
    exists = [shot.radar[key][0] if key in shot.radar else 1.0 for key in shown.members]
    reported = [shot.reported[key].report for key in shown.members if key in shot.reported]
    best = min(reported, key=lambda one: LOOKS.get(one.alias.scheme, 0), default=None)
    return Fused(
        entity=shown.entity,
        number=shown.number,
        name=f"T{shown.number}" if best is None else best.name or best.alias.value,
        observed_at_ms=shot.at_ms,
        position=Position(lat, lon, None, round(CE_OF_SIGMA * math.sqrt((cov[0, 0] + cov[1, 1]) / 2), 1)),
        exists=round(max(exists), 4),
        members=tuple(_member(shot, key, shown.number) for key in shown.members),
        because=tuple(
            Because(
                one=member_id(one),
                other=member_id(other),
                reason=found.reason,
                distance=round(found.distance, 2),
                threshold=round(found.threshold, 2),
                epochs=found.epochs,
                votes=found.votes,
            )
            for one in shown.members
            for other in shown.members
            if (found := shot.evidence.get((one, other))) is not None and {one, other} <= inside
        ),
        label=shown.label,
        context=context,
    )


def _member(shot: Shot, key: TrackKey, number: int) -> TrackMember:
    if key in shot.radar:
        _, seen_at_ms, sigma_m, sensors, keys = shot.radar[key]
        return TrackMember(
            entity=member_id(key),
            source=RADAR,
            name=f"T{number}",
            keys=keys,
            seen_at_ms=seen_at_ms,
            sigma_m=round(sigma_m, 1),
            sensors=sensors,
        )
    one = shot.reported[key]
    return TrackMember(
        entity=key[1],
        source=key[0],
        name=one.report.name or one.report.alias.value,
        keys=tuple(sorted(one.keys)),
        seen_at_ms=round(one.at_s * 1000),
        sigma_m=round(one.sigma_m, 1),
    )
