"""What can be asked: findings with their evidence, the precision of each kind, the settings, and activity."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.core.paper_rows import StepRow, steps_of
from aquila.core.paper_work import state_of
from aquila.core.view import view_of
from aquila.features.patterns.finding import FINDING, FINDING_STATES, THRESHOLDS, PatternSettings, settings_of
from aquila.features.patterns.view import Patterns
from aquila.fusion.pattern_kinds import KINDS, Kind

PlaceRow = tuple[int, float, float]
"""(at_ms, lat_deg, lon_deg)."""


class AskPatterns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which findings. kind None = all; state "standing" = those that are not over, else as people judged them."""

    kind: Kind | None = None
    state: Literal["standing", "found", "useful", "noise"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500


class AskRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All kinds."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100


class AskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings in force, as far as the asker may see them."""


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One finding.

    Attributes:
        entities, names: one, or two that are together.
        over_at_ms: None = it stands. measured: against `thresholds`, in the units of their names.
        places, others: the way that makes it, of the first and of the second. lat_deg, lon_deg: where it was found.
    """

    id: str
    kind: Kind
    entities: tuple[str, ...]
    names: tuple[str, ...]
    text: str
    since_ms: int
    over_at_ms: int | None
    measured: dict[str, float]
    thresholds: dict[str, float]
    places: tuple[PlaceRow, ...]
    others: tuple[PlaceRow, ...]
    lat_deg: float | None
    lon_deg: float | None
    state: str
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    steps: tuple[StepRow, ...]
    label: Label


class SettingsRow(PatternSettings, frozen=True, kw_only=True):
    """The settings in force. heads: for `seen` of who sets them anew; empty = nobody has set them yet."""

    heads: tuple[str, ...]


class PatternRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind has done so far, by the findings that the asker may have.

    Attributes:
        useful, noise: as people judged them; precision: useful of both, None = nobody has judged any.
    """

    kind: Kind
    found: int
    useful: int
    noise: int
    precision: float | None


def _findings(principal: Principal, ask: AskPatterns, reading: Reading) -> Iterator[Labelled]:
    for thing in reversed(list(_view(reading).things(reading, FINDING))):
        state, place = state_of(FINDING_STATES, thing), thing.position()
        over_at_ms = thing.get("over_at_ms")
        if ask.kind is not None and thing.get("kind") != ask.kind:
            continue
        if ask.state is not None and (over_at_ms is not None if ask.state == "standing" else state != ask.state):
            continue
        row = FindingRow(
            id=thing.id,
            kind=thing.get("kind"),
            entities=tuple(thing.get("entities", ())),
            names=tuple(thing.get("names", ())),
            text=thing.get("text", ""),
            since_ms=thing.get("since_ms", thing.first.at_ms),
            over_at_ms=over_at_ms,
            measured=thing.get("measured", {}),
            thresholds=thing.get("thresholds", {}),
            places=tuple(tuple(each) for each in thing.get("places", ())),
            others=tuple(tuple(each) for each in thing.get("others", ())),
            lat_deg=None if place is None else place.lat_deg,
            lon_deg=None if place is None else place.lon_deg,
            state=state,
            actions=tuple(each for each in FINDING_STATES.allowed(state) if each in ("useful", "noise")),
            heads=thing.heads(),
            steps=steps_of(thing),
            label=thing.first.label,
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _rules(principal: Principal, ask: AskRules, reading: Reading) -> Iterator[Labelled]:
    counts: dict[str, dict[str, int]] = {kind: {"found": 0, "useful": 0, "noise": 0} for kind in KINDS}
    for thing in _view(reading).things(reading, FINDING):
        of = counts[thing.get("kind")]
        of["found"] += 1
        state = state_of(FINDING_STATES, thing)
        if state in ("useful", "noise"):
            of[state] += 1
    for kind in KINDS:
        of = counts[kind]
        judged = of["useful"] + of["noise"]
        row = PatternRule(kind=kind, precision=of["useful"] / judged if judged else None, **of)
        # Counted of what the asker may have only, so nothing is left to be released.
        yield Labelled(row, None, reading.context)


def _settings(principal: Principal, ask: AskSettings, reading: Reading) -> Iterator[Labelled]:
    things = list(_view(reading).things(reading, THRESHOLDS))
    heads = max(things, key=lambda thing: thing.newest.stamp).heads() if things else ()
    yield Labelled(SettingsRow(**msgspec.structs.asdict(settings_of(things)), heads=heads), None, reading.context)


def _view(reading: Reading) -> Patterns:
    return view_of(reading.views, "patterns", Patterns)


pattern_queries = (
    Query(
        name="patterns",
        path="/patterns",
        request=AskPatterns,
        row=FindingRow,
        role="viewer",
        answer=_findings,
        summary="What was found in how everybody moves, newest first, with evidence",
    ),
    Query(
        name="pattern_rules",
        path="/pattern-rules",
        request=AskRules,
        row=PatternRule,
        role="viewer",
        answer=_rules,
        summary="How often each kind of pattern was found, and was useful",
    ),
    Query(
        name="pattern_settings",
        path="/pattern-settings",
        request=AskSettings,
        row=SettingsRow,
        role="viewer",
        answer=_settings,
        one=True,
        summary="When a movement is a pattern",
    ),
)
