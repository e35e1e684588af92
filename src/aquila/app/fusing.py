"""Fusing: reports and plots of all sources in, one symbol for each thing out. Pure: no clock, no thread, no disk.

Two things go on. `take` runs for every few plots: tracks move, and so do the symbols that they are members of. A look
of the correlator (`look`, `find`, `settle`) says which tracks are one thing; it is dear and comes seldom, and `find`
may run beside `take`, because it works on what `look` has copied. `step` does both in one; the same batches with the
same times then give the same symbols, ids and numbers included.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from aquila.app.fused_heard import Heard, HeardPlot, HeardReport
from aquila.app.fused_radar import RADAR, Radars
from aquila.app.fused_reports import Reports
from aquila.app.fused_shot import (
    FUSED,
    NOTHING,
    Shot,
    Shown,
    best_of,
    ce_m,
    fused_of,
    height_of,
    member_id,
    name_of,
    shown_of,
)
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Label, Motion, Position, Report
from aquila.core.plot import Plot
from aquila.core.policy import Policy, derive
from aquila.features.tracks import Pair, Word
from aquila.fusion.correlate import Correlator, Group, SourceTracks, TrackKey, intersect_many
from aquila.fusion.rows import Floats
from aquila.fusion.sensor_file import Plane
from aquila.fusion.tracker import Picture

EPOCH_S: Final = 2.0
"""Between two looks of the correlator; what it found moves with every batch."""
STALE_MS: Final = 20_000
AGAIN_S: Final = 10.0
"""A symbol is said again after so long at the latest, though nobody has plotted it ..."""
AWAY_M: Final = 25.0
"""... and once it has gone further than its own doubt, or this."""
CLOCK_OFF_MS: Final = 30_000
"""A time that is further from the reception is not believed."""
ORDER: Final = {"mmsi": 0, "icao24": 1, "asterix": 3, RADAR: 4}
"""Of the sources: the first is where no offset is sought. Others have 2."""
AIR: Final = ("a-u-A", "10010100000000000000")
NOT_KNOWN: Final = ("a-u-X", "10010000000000000000")
AIR_MPS: Final = 70.0


class Symbol(msgspec.Struct, frozen=True):
    """What is to be said of a fused track: where it is, or that it has ended."""

    body: Report
    label: Label


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
        self._due_s: dict[str, float] = {}
        self._said: dict[str, Symbol] = {}
        self._offsets: dict[str, Floats] = {}
        self._epoch_s = -math.inf

    def step(self, batch: Sequence[Heard], now_ms: int) -> list[Symbol]:
        """Take what came since the last step, and look when it is time; gives what is to be said, in this order."""
        said = self.take(batch, now_ms)
        if self.is_due(now_ms):
            said += self.settle(self.find(self.look(now_ms)), now_ms)
        return said

    # -- every few plots --------------------------------------------------------------------------------------------

    def take(self, batch: Sequence[Heard], now_ms: int) -> list[Symbol]:
        """Take what came; gives the shown tracks of which a member has moved, with the members of the last look."""
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
        if not self._group_of or not (moved or plots):
            return []
        now_s = now_ms / 1000
        picture = self.radars.picture(now_s)
        if plots:
            hit = self.radars.tracker.t_hit[picture.row] >= min(at_s for _, _, at_s in plots)
            moved |= {(RADAR, name) for name in self.radars.names(picture, np.flatnonzero(hit))}
        again = {(shown := self._group_of[key]).entity: shown for key in sorted(moved) if key in self._group_of}
        return self._say(again.values(), picture, now_s)

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

    # -- a look of the correlator -----------------------------------------------------------------------------------

    def is_due(self, now_ms: int) -> bool:
        """Whether it is time for a look."""
        now_s = now_ms / 1000
        return self.plane is not None and (now_s - self._epoch_s >= EPOCH_S or now_s < self._epoch_s)

    def look(self, now_ms: int) -> list[SourceTracks]:
        """What all sources show now, copied; and what persons have said of it, brought to the correlator."""
        now_s = self._epoch_s = now_ms / 1000
        self.reports.forget(now_s)
        self.radars.forget()
        sources = self.reports.sources(now_s)
        picture = self.radars.picture(now_s)
        names = self.radars.names(picture)
        if names:
            sources.append(self.radars.source(names, picture))
        sources.sort(key=lambda one: (ORDER.get(one.source, 2), one.source))
        self._obey(sources)
        return sources

    def find(self, sources: list[SourceTracks]) -> list[Group]:
        """Which of them are one thing. Touches nothing that `take` does."""
        if self.radars.wants_compiler:
            self.radars.prepare()
        return self.correlator.update(sources)

    def settle(self, groups: list[Group], now_ms: int) -> list[Symbol]:
        """Show what was found. Gives what has ended, then what is new, changed or was not said for long."""
        now_s = now_ms / 1000
        picture = self.radars.picture(now_s)
        names = self.radars.names(picture)
        place = {name: at for at, name in enumerate(names)}
        first = min((key[0] for group in groups for key in group.members[:1]), key=_order, default="")
        self._offsets = {b: offset.copy() for (a, b), offset in self.correlator.offsets.items() if a == first}
        before, self._shown, self._group_of = self._shown, {}, {}
        labels = self.radars.labels(picture)
        kept: list[Shown] = []
        at: list[int] = []
        again: list[Shown] = []
        for number, group in enumerate(groups):
            # While it was looked for, a track may have ended.
            members = tuple(
                key for key in group.members if key in self.reports.by_track or (key[0] == RADAR and key[1] in place)
            )
            if not members:
                continue
            shown = self._settle(group, members, self._label(members, labels, place), before)
            kept.append(shown)
            at.append(number)
            if len(members) > 1 or members[0][0] == RADAR:
                self._shown[shown.entity] = shown
                self._group_of.update(dict.fromkeys(members, shown))
                if before.get(shown.entity) is not shown or now_s >= self._due_s.get(shown.entity, 0.0):
                    again.append(shown)
        self._shoot(kept, [groups[number] for number in at], names, picture, now_s)
        self._forget_ids(kept)
        gone = [entity for entity in before if entity not in self._shown]
        ended = [symbol for entity in gone if (symbol := self._end(entity, now_ms)) is not None]
        return ended + self._say(again, picture, now_s)

    def _settle(self, group: Group, members: tuple[TrackKey, ...], label: Label, before: Mapping[str, Shown]) -> Shown:
        entity = self._id(group)
        old = before.get(entity)
        if old is not None and old.members == members and old.number == group.number and old.label == label:
            return old
        plotted_as = next((self.radars.called(key[1]) for key in members if key[0] == RADAR), "")
        return shown_of(entity, group.number, members, label, plotted_as)

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
        if len(self._ids) > 2 * len(groups) + 20_000:
            alive = {group.number for group in groups}
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

    def _label(self, members: Sequence[TrackKey], plotted: list[list[Label]], place: Mapping[str, int]) -> Label:
        labels: list[Label] = []
        for key in members:
            one = self.reports.by_track.get(key)
            labels += [one.label] if one is not None else plotted[place[key[1]]]
        first = labels[0]
        return first if all(label == first for label in labels) else derive(self.policy, labels)

    # -- out --------------------------------------------------------------------------------------------------------

    def _say(self, again: Iterable[Shown], picture: Picture, now_s: float) -> list[Symbol]:
        """These groups as their members are now, all in one go."""
        groups: list[Shown] = []
        reported: list[TrackKey] = []
        plotted: list[int] = []
        rows: list[int] = []
        starts = [0]
        for shown in again:
            for key in shown.members:
                if key in self.reports.by_track:
                    rows.append(len(reported))
                    reported.append(key)
                elif key[0] == RADAR and (at := self.radars.row(picture, key[1])) is not None:
                    rows.append(-1 - len(plotted))
                    plotted.append(at)
            if len(rows) > starts[-1]:
                groups.append(shown)
                starts.append(len(rows))
        if not groups:
            return []
        means, covs = self.reports.states(reported, now_s)
        for source, offset in self._offsets.items():
            means[[key[0] == source for key in reported]] -= offset
        means = np.concatenate([means, picture.x[plotted] - self._offsets.get(RADAR, np.zeros(4))])
        covs = np.concatenate([covs, picture.cov[plotted]])
        order = np.array([row if row >= 0 else len(reported) - 1 - row for row in rows])
        return self._symbols(groups, *intersect_many(means[order], covs[order], np.array(starts)), now_s)

    def _symbols(self, groups: list[Shown], x: Floats, cov: Floats, now_s: float) -> list[Symbol]:
        assert self.plane is not None
        speed = np.hypot(x[:, 2], x[:, 3])
        doubt = ce_m(cov)
        due_s = now_s + np.minimum(AGAIN_S, np.maximum(doubt, AWAY_M) / np.maximum(speed, 0.1))
        rows = zip(
            groups,
            self.plane.to_lat_lon(x[:, :2]).tolist(),
            doubt.tolist(),
            np.round(np.degrees(np.arctan2(x[:, 2], x[:, 3])) % 360, 2).tolist(),
            np.round(speed, 2).tolist(),
            due_s.tolist(),
            strict=True,
        )
        at_ms = round(now_s * 1000)
        said = []
        for shown, (lat, lon), radius_m, course_deg, speed_mps, again_s in rows:
            self._due_s[shown.entity] = again_s
            reported = [self.reports.by_track[key] for key in shown.members if key in self.reports.by_track]
            best = best_of(reported)
            hae_m, level = height_of(reported)
            look = AIR if speed_mps > AIR_MPS else NOT_KNOWN
            report = Report(
                entity=shown.entity,
                alias=Alias(FUSED, shown.entity),
                type=look[0] if best is None else best.type,
                sidc=look[1] if best is None else best.sidc,
                category="track",
                observed_at_ms=at_ms,
                stale_at_ms=at_ms + STALE_MS,
                name=name_of(shown, best),
                how="m-f",
                position=Position(lat, lon, hae_m, radius_m),
                motion=Motion(course_deg % 360, speed_mps),
                fields=shown.fields | level,
            )
            self._said[shown.entity] = symbol = Symbol(report, shown.label)
            said.append(symbol)
        return said

    def _end(self, entity: str, now_ms: int) -> Symbol | None:
        """That a track has ended, where it was said last; None = it never was."""
        self._due_s.pop(entity, None)
        last = self._said.pop(entity, None)
        if last is None:
            return None
        ended = msgspec.structs.replace(last.body, observed_at_ms=now_ms, stale_at_ms=now_ms, ended=True)
        return Symbol(ended, last.label)

    def _shoot(self, kept: list[Shown], groups: list[Group], names: list[str], picture: Picture, now_s: float) -> None:
        """Keep what can be asked until the next look."""
        evidence = {
            pair: state.evidence
            for pair, state in self.correlator.pairs.items()
            if state.paired and state.evidence and not state.missing
        }
        by_entity = {shown.entity: at for at, shown in enumerate(kept)}
        for at, shown in enumerate(kept):
            by_entity.update((member, at) for member in shown.fields["members"].split(" "))
        self.shot = Shot(
            round(now_s * 1000),
            tuple(kept),
            by_entity,
            np.array([group.x for group in groups]).reshape(-1, 4),
            np.array([group.cov for group in groups]).reshape(-1, 4, 4),
            dict(self.reports.by_track),
            self.radars.shot(names, picture),
            evidence,
            tuple((member_id(a), member_id(b)) for a, b in self.correlator.conflicts),
        )


def _order(source: str) -> tuple[int, str]:
    return ORDER.get(source, 2), source


__all__ = ["EPOCH_S", "Fusing", "Heard", "HeardPlot", "HeardReport", "Shot", "Symbol", "fused_of", "member_id"]
