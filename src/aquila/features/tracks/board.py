"""The part `fusion` of a node: what is one thing now, from which sources, and why. It is asked from any thread."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from aquila.core.model import Context, Label, Position

SOURCES: Final[Mapping[str, str]] = {
    "radar": "radar",
    "mmsi": "AIS",
    "icao24": "ADS-B",
    "cot": "TAK device",
    "asterix": "system track",
}
"""Sources as people call them; the others go by their own names. See core.phrase_table."""


def called_of(source: str, name: str) -> str:
    """A member as people call it: its source, and the name that this gives it."""
    return f"{SOURCES.get(source, source)} {name}"


class TrackMember(msgspec.Struct, frozen=True, kw_only=True):
    """What one source has of a fused track.

    Attributes:
        entity: id of the source's own entity, or of a radar track. source: mmsi, icao24, cot ..., or radar.
        name: for people. keys: hard keys as "scheme:value". seen_at_ms: when it was true, UTC.
        exists: probability that it is a target; 1 when it reports itself.
        sensors: the radars that plot it, each with what is known of it; empty = it reports itself.
    """

    entity: str
    source: str
    name: str
    keys: tuple[str, ...]
    seen_at_ms: int
    sigma_m: float
    exists: float
    sensors: tuple["PlottedBy", ...] = ()


class PlottedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A radar that plots a track.

    Attributes:
        pd: how often it plots a target in view, as learned. bias: what is taken off, range m and azimuth rad.
    """

    sensor: str
    plots: int
    pd: float
    bias: tuple[float, float]


class Because(msgspec.Struct, frozen=True, kw_only=True):
    """Why two members are held to be the same.

    Attributes:
        reason: operator, key, window. distance, threshold: mean squared Mahalanobis distance over `epochs`.
        votes: how many of the last epochs said "same".
    """

    one: str
    other: str
    reason: str
    distance: float
    threshold: float
    epochs: int
    votes: int


class Fused(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as all its sources see it.

    Attributes:
        entity: id of its symbol. number: of the group, another one once its first member stands elsewhere. name: for
            people, that of a member. exists: probability that a radar track is a target; 1 when somebody reports
            itself. because: one line for each pair of members that is held together.
    """

    entity: str
    number: int
    name: str
    observed_at_ms: int
    position: Position
    exists: float
    members: tuple[TrackMember, ...]
    because: tuple[Because, ...]
    label: Label
    context: Context


class Fusions(Protocol):
    """The part `fusion`."""

    def fused(self) -> tuple[Fused, ...]:
        """All fused tracks of this moment."""
        ...

    def of(self, entity: str) -> Fused | None:
        """The fused track that has this id, or that has a member with this id; None = there is none."""
        ...

    def source_of(self, entity: str) -> str | None:
        """The source of a member: mmsi, icao24, radar ...; None = nothing that is fused here."""
        ...

    def conflicts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of members with one key that lie too far apart to be one thing."""
        ...
