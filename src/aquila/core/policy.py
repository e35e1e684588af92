"""Policy: pure functions admit and release. Nothing enters or leaves without one of them, each with its reason.

Policy is data with an epoch; a change is a new epoch. Unknown policy, classification or category means denied; an
unmarked statement gets a default, never "public".
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from aquila.core.codec import Marking
from aquila.core.errors import Refused
from aquila.core.model import (
    TIME_MAX_MS,
    TIME_MIN_MS,
    Audience,
    Body,
    Context,
    Label,
    Position,
    Principal,
    Removal,
    Report,
    Verdict,
)

Lane = Literal["statement", "position"]


class LaneRule(msgspec.Struct, frozen=True):
    """One row of the lane table: (type prefix, how prefix, does the sender speak of itself; None = either) -> lane."""

    type_prefix: str
    how_prefix: str
    own: bool | None
    lane: Lane


class Thinning(msgspec.Struct, frozen=True):
    """When a position is kept in the track table: it moved, it turned while moving, or nothing was kept for a while."""

    moved_m: float = 20.0
    turned_deg: float = 20.0
    turning_speed_mps: float = 1.0
    silent_ms: int = 60_000


class Retention(msgspec.Struct, frozen=True):
    """How long what is no statement is kept. Statements are kept for good; None = for good as well."""

    track_ms: int | None = 30 * 86_400_000
    latest_ms: int | None = 7 * 86_400_000
    snapshot_count: int = 2


EXAMPLE_POLICY = "AQUILA-EXAMPLE"
DEFAULT_GROUP = "COMMON"
MISSION = "MISSION"

LANES = (
    LaneRule("a-", "m-", True, "position"),
    LaneRule("a-", "m-", None, "position"),
    LaneRule("a-", "h-", True, "position"),
    LaneRule("a-", "", True, "position"),
)
"""An atom placed by hand (how h-*) that is not the sender itself is a marker: a statement. Unknown = statement."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one node at one time.

    Attributes:
        epoch: grows by one with every change.
        classifications: words from lowest to highest, in the policy `name`.
        communities: words that stand for several nations in `releasable_to` and `redacted_to`.
        redaction_cell_deg: size of the grid cell that a redacted position is moved to the centre of.
        rate_per_s: statements a principal may write per second, and the burst above it.
        flood_per_min: more statements about one entity within a minute than this fall to the position lane.
        control_group: of exercise control. What is planned for the players is in it alone, and nobody writes into it
            or is given it unless it is named.
    """

    name: str = EXAMPLE_POLICY
    epoch: int = 1
    classifications: tuple[str, ...] = (
        "UNCLASSIFIED",
        "RESTRICTED",
        "CONFIDENTIAL",
        "SECRET",
    )
    communities: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {
            MISSION: (
                "ITA",
                "FRA",
                "KAZ",
                "DEU",
                "ESP",
                "GBR",
                "USA",
                "TUR",
                "UZB",
                "KGZ",
                "CIV",
            )
        }
    )
    default_label: Label = Label(EXAMPLE_POLICY, "UNCLASSIFIED", (MISSION,), (DEFAULT_GROUP,))
    lanes: tuple[LaneRule, ...] = LANES
    redaction_cell_deg: float = 0.1
    skew_ms: int = 60_000
    flood_per_min: int = 60
    thinning: Thinning = Thinning()
    retention: Retention = Retention()
    control_group: str = "EXCON"

    def rank(self, classification: str) -> int | None:
        """Place of a word in this policy, 0 = lowest; None = unknown."""
        try:
            return self.classifications.index(classification)
        except ValueError:
            return None

    def nations(self, words: Iterable[str]) -> frozenset[str]:
        """The nations that a list of nations and communities stands for."""
        return frozenset(nation for word in words for nation in self.communities.get(word, (word,)))


class Decision(msgspec.Struct, frozen=True):
    """What release says, and the short stable word why."""

    verdict: Verdict
    reason: str


FULL = Decision(Verdict.FULL, "released")


def _denied(reason: str) -> Decision:
    return Decision(Verdict.DENIED, reason)


def release(policy: Policy, label: Label, context: Context, audience: Audience) -> Decision:
    """May a reader of this class have a statement under this label? Default deny; the reason is always given."""
    if not audience.active:
        return _denied("inactive")
    if context != audience.context:
        return _denied("context")
    if label.policy != policy.name:
        return _denied("unknown policy")
    wanted, has = policy.rank(label.classification), policy.rank(audience.clearance)
    if wanted is None or has is None:
        return _denied("unknown classification")
    if has < wanted:
        return _denied("clearance")
    if not set(label.caveats) <= set(audience.caveats):
        return _denied("caveat")
    if audience.groups.isdisjoint(label.groups):
        return _denied("group")
    if audience.nation is not None and audience.nation in policy.nations(label.releasable_to):
        return FULL
    if audience.nation is not None and audience.nation in policy.nations(label.redacted_to):
        return Decision(Verdict.REDACTED, "redacted to nation")
    return _denied("nation")


def derive(policy: Policy, labels: Iterable[Label]) -> Label:
    """The label of something made from several: at least as strict as each of them.

    Raises ValueError for an empty list or mixed policies: a join over different policies has no meaning.
    """
    first, *rest = labels
    joined = first
    for label in rest:
        if label.policy != joined.policy:
            raise ValueError(f"labels of two policies, {joined.policy} and {label.policy}: relabel one first")
        joined = _join(policy, joined, label)
    return joined


def _join(policy: Policy, a: Label, b: Label) -> Label:
    higher = a if (policy.rank(a.classification) or 0) >= (policy.rank(b.classification) or 0) else b
    if policy.rank(a.classification) is None or policy.rank(b.classification) is None:
        # An unknown word is stricter than every known one: it denies.
        higher = a if policy.rank(a.classification) is None else b
    full = policy.nations(a.releasable_to) & policy.nations(b.releasable_to)
    partly = policy.nations(a.releasable_to + a.redacted_to) & policy.nations(b.releasable_to + b.redacted_to)
    return Label(
        a.policy,
        higher.classification,
        tuple(sorted(full)),
        tuple(sorted(set(a.groups) & set(b.groups))),
        tuple(sorted({*a.caveats, *b.caveats})),
        tuple(sorted(partly - full)),
        tuple(sorted({*a.informative, *b.informative})),
    )


REDACTED_TYPE = "a-u-G"
REDACTED_SIDC = "10030100000000000000"


def redact(policy: Policy, body: Body) -> Body | None:
    """What a reader gets who may have only the redacted form; None = nothing of it can be told.

    A position moves to the centre of its grid cell, which is stable per cell (random noise averages out). Height,
    speed, name, remarks and every field go; of the type only the affiliation and dimension stay.
    """
    if isinstance(body, Report) and body.position is not None and body.category in ("unit", "platform", "track"):
        return Report(
            entity=body.entity,
            alias=body.alias,
            type=body.type[:5] if body.type.startswith("a-") else REDACTED_TYPE,
            sidc=body.sidc[:6] + "0" * 14,
            category=body.category,
            observed_at_ms=body.observed_at_ms // 60_000 * 60_000,
            stale_at_ms=None if body.stale_at_ms is None else -(-body.stale_at_ms // 60_000) * 60_000,
            how="h-e",
            position=_cell_centre(body.position, policy.redaction_cell_deg),
            ended=body.ended,
        )
    if isinstance(body, Removal):
        return body
    return None


def _cell_centre(position: Position, cell_deg: float) -> Position:
    def centre(value: float, limit: float) -> float:
        return max(-limit, min(limit, (value // cell_deg + 0.5) * cell_deg))

    # The radius of the cell's circumscribed circle at the equator is the honest error of the answer.
    return Position(
        round(centre(position.lat_deg, 90.0), 6),
        round(centre(position.lon_deg, 180.0), 6),
        None,
        cell_deg * 111_320.0 * 0.7072,
    )


class Admission(msgspec.Struct, frozen=True):
    """What admit says of a statement that may enter: its lane and its label."""

    lane: Lane
    label: Label


def lane_of(policy: Policy, body: Body) -> Lane:
    """Statement or position, by the lane table; everything unknown is a statement."""
    if not isinstance(body, Report) or body.emergency is not None or body.geometry is not None or body.to:
        return "statement"
    how = body.how or ""
    for rule in policy.lanes:
        if (
            body.type.startswith(rule.type_prefix)
            and how.startswith(rule.how_prefix)
            and (rule.own is None or rule.own == body.own)
        ):
            return rule.lane
    return "statement"


def claimed_time_ms(body: Body) -> int:
    """The time that a body claims for itself."""
    return body.observed_at_ms if isinstance(body, Report) else body.happened_at_ms


def admit(policy: Policy, principal: Principal, body: Body, marking: Marking | None = None) -> Admission | Refused:
    """May this principal say this? Gives lane and label, or Refused with the reason.

    The label is the marking that came along, never above the principal's ceiling, else the principal's default, else
    the policy's; its groups are those the principal may write into. A marking in unknown words is refused.
    """
    if not principal.active:
        return Refused("inactive", f"{principal.id} is revoked or not active")
    if not TIME_MIN_MS <= claimed_time_ms(body) <= TIME_MAX_MS:
        return Refused("time", f"{claimed_time_ms(body)} ms lies outside 1970..2100")
    label = label_for(policy, principal, marking)
    if isinstance(label, Refused):
        return label
    return Admission(lane_of(policy, body), label)


def label_for(
    policy: Policy, principal: Principal, marking: Marking | None, into: Collection[str] = ()
) -> Label | Refused:
    """The label of what this principal says, from the marking that came with it, its default and its ceiling.

    into: groups that it is for, all of which the principal must be allowed to write into (the node may write anywhere);
        empty = every group that the principal may write into, but for exercise control's, if there is another.
    """
    base = principal.default_label or policy.default_label
    missing = () if principal.kind == "node" else sorted(set(into) - principal.groups_in)
    if missing:
        return Refused("group", f"you may not write into {', '.join(missing)[:200]}")
    groups = tuple(sorted(into or players_of(policy, principal.groups_in)))
    if not groups:
        return Refused("group", f"{principal.id} may write into no group")
    if marking is None:
        return base if base.groups == groups else msgspec.structs.replace(base, groups=groups)
    return _marked(policy, principal, marking, msgspec.structs.replace(base, groups=groups))


def players_of(policy: Policy, groups: Collection[str]) -> frozenset[str]:
    """These groups without exercise control's; all of them when there is no other."""
    return frozenset(groups) - {policy.control_group} or frozenset(groups)


def control_label(policy: Policy, principal: Principal) -> Label | Refused:
    """The label of what is planned for the players: exercise control alone has it until it is played."""
    if policy.control_group in principal.groups_in:
        return label_for(policy, principal, None, (policy.control_group,))
    return Refused(
        "group",
        f"players would see it, since you may not write into {policy.control_group}, the group of exercise control:"
        " have the owner of the node add a user for you with that group, or name the groups that may see it",
    )


def _marked(policy: Policy, principal: Principal, marking: Marking, base: Label) -> Label | Refused:
    word = (marking.classification or base.classification).upper()
    if word in ("UNDEFINED", ""):
        word = base.classification
    rank, ceiling = policy.rank(word), policy.rank(principal.clearance)
    if rank is None:
        return Refused(
            "marking",
            f"classification {word}: one of {', '.join(policy.classifications)} is allowed",
        )
    if ceiling is None or rank > ceiling:
        return Refused(
            "ceiling",
            f"{word} is above {principal.clearance}, the ceiling of {principal.id}",
        )
    if not set(marking.caveats) <= set(principal.caveats):
        return Refused(
            "caveat",
            f"caveats {', '.join(marking.caveats)}: {principal.id} does not hold all of them",
        )
    return msgspec.structs.replace(
        base,
        classification=word,
        caveats=tuple(sorted({*base.caveats, *marking.caveats})),
        releasable_to=tuple(sorted(marking.releasable_to)) or base.releasable_to,
    )


__all__ = [
    "Admission",
    "Decision",
    "Lane",
    "LaneRule",
    "Policy",
    "Retention",
    "Thinning",
    "admit",
    "claimed_time_ms",
    "control_label",
    "derive",
    "label_for",
    "lane_of",
    "players_of",
    "redact",
    "release",
]
