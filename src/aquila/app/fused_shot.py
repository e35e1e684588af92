"""What can be asked of the fusion between two looks of the correlator, and the words in which it is told. Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import numpy as np

from aquila.app.fused_radar import RADAR, RadarShot
from aquila.app.fused_reports import Reported
from aquila.core.ids import entity_id
from aquila.core.model import PRESSURE_ALTITUDE, Label, Position, Report
from aquila.features.tracks import Because, Fused, PlottedBy, TrackMember
from aquila.fusion.correlate import Evidence, TrackKey
from aquila.fusion.rows import Floats
from aquila.fusion.sensor_file import Plane

FUSED: Final = "fused"
"""Scheme of the ids of fused tracks."""
CE_OF_SIGMA: Final = 1.51
LOOKS: Final = {"mmsi": 1, "icao24": 1, "asterix": 2, RADAR: 3}
"""Whose type, symbol and name a fused track has: the lowest. Others, people's phones among them, have 0."""


class Shown(msgspec.Struct, frozen=True):
    """A group at the last epoch: its members, and what is said of it with every position.

    Attributes:
        plotted_as: its radar track's name for people; empty = no radar sees it.
        fields: of its reports; made once and never changed.
    """

    entity: str
    number: int
    members: tuple[TrackKey, ...]
    label: Label
    plotted_as: str
    fields: dict[str, str]


class Shot(msgspec.Struct, frozen=True):
    """Everything that can be asked, as it was at the last epoch. Nobody changes it.

    Attributes:
        groups: all, also those of one member. by_entity: place among the groups, by symbol and by member.
        x, cov: of the groups, shape (n, 4) and (n, 4, 4). reported, radar: what is known of the members.
        evidence: of pairs within a group. conflicts: members with one key that cannot be one thing.
    """

    at_ms: int
    groups: tuple[Shown, ...]
    by_entity: Mapping[str, int]
    x: Floats
    cov: Floats
    reported: Mapping[TrackKey, Reported]
    radar: RadarShot
    evidence: Mapping[tuple[TrackKey, TrackKey], Evidence]
    conflicts: tuple[tuple[str, str], ...]


NOTHING: Final = Shot(0, (), {}, np.zeros((0, 4)), np.zeros((0, 4, 4)), {}, RadarShot(), {}, ())


def member_id(key: TrackKey) -> str:
    """The id of a member: of its own entity, or made of a radar track's name; never that of a symbol."""
    return entity_id(RADAR, key[1]) if key[0] == RADAR else key[1]


def shown_of(entity: str, number: int, members: tuple[TrackKey, ...], label: Label, plotted_as: str) -> Shown:
    """A group in the words of its reports."""
    fields = {
        "sources": ", ".join(sorted({key[0] for key in members})),
        "members": " ".join(member_id(key) for key in members),
    }
    return Shown(entity, number, members, label, plotted_as, fields)


def best_of(reported: Iterable[Reported]) -> Report | None:
    """Whose looks a fused track has; None = nobody reports itself."""
    best = min(reported, key=lambda one: LOOKS.get(one.report.alias.scheme, 0), default=None)
    return None if best is None else best.report


def height_of(reported: Iterable[Reported]) -> tuple[float | None, dict[str, str]]:
    """Height above the ellipsoid in m, None = nobody tells it; and the field of the pressure altitude where one does.

    Of several the newest: no source measures the height of another, and what climbs is soon elsewhere.
    """
    newest = sorted((one.report for one in reported), key=lambda report: report.observed_at_ms, reverse=True)
    heights = (report.position.hae_m for report in newest if report.position is not None)
    levels = ({PRESSURE_ALTITUDE: told} for report in newest if (told := report.fields.get(PRESSURE_ALTITUDE)))
    return next((hae_m for hae_m in heights if hae_m is not None), None), next(levels, {})


def name_of(shown: Shown, best: Report | None) -> str:
    """A fused track's name for people. best: whose looks it has; None = only radars see it."""
    return shown.plotted_as if best is None else best.name or best.alias.value


def ce_m(cov: Floats) -> Floats:
    """Radius in m that holds 68 %, of covariances of shape (n, 4, 4)."""
    found: Floats = np.round(CE_OF_SIGMA * np.sqrt((cov[:, 0, 0] + cov[:, 1, 1]) / 2), 1)
    return found


def fused_of(shot: Shot, at: int, plane: Plane, context: str) -> Fused:
    """A group of a shot in the words of the feature."""
    shown = shot.groups[at]
    lat, lon = plane.to_lat_lon(shot.x[at : at + 1, :2])[0].tolist()
    members = tuple(_member(shot, key, shown.plotted_as) for key in shown.members)
    best = best_of(shot.reported[key] for key in shown.members if key in shot.reported)
    return Fused(
        entity=shown.entity,
        number=shown.number,
        name=name_of(shown, best),
        observed_at_ms=shot.at_ms,
        position=Position(lat, lon, None, float(ce_m(shot.cov[at : at + 1])[0])),
        exists=max(member.exists for member in members),
        members=members,
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
            if (found := shot.evidence.get((one, other))) is not None
        ),
        label=shown.label,
        context=context,
    )


def _member(shot: Shot, key: TrackKey, plotted_as: str) -> TrackMember:
    if key[0] == RADAR:
        radar, at = shot.radar, shot.radar.place[key[1]]
        return TrackMember(
            entity=member_id(key),
            source=RADAR,
            name=plotted_as,
            keys=tuple(sorted(radar.keys[at])),
            seen_at_ms=round(float(radar.seen_s[at]) * 1000),
            sigma_m=round(math.sqrt((radar.cov[at, 0, 0] + radar.cov[at, 1, 1]) / 2), 1),
            exists=round(radar.exists(key[1]), 4),
            sensors=tuple(
                PlottedBy(sensor=sensor.name, plots=int(plots), pd=sensor.pd, bias=sensor.bias)
                for sensor, plots in zip(radar.sensors, radar.plots[at], strict=True)
                if plots
            ),
        )
    one = shot.reported[key]
    return TrackMember(
        entity=key[1],
        source=key[0],
        name=one.report.name or one.report.alias.value,
        keys=tuple(sorted(one.keys)),
        seen_at_ms=round(one.at_s * 1000),
        sigma_m=round(one.sigma_m, 1),
        exists=1.0,
    )
