"""What can be done: say whether a finding was useful or noise, and set when a pattern is one."""

from typing import Annotated, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.ids import derived_id
from aquila.core.model import Paper, Principal
from aquila.core.paper_work import Id, NextStep, Seen, StepTaken, check_texts, say_step, step_saying
from aquila.core.view import view_of
from aquila.features.patterns.finding import FINDING, FINDING_STATES, THRESHOLD_STATES, THRESHOLDS, PatternSettings
from aquila.features.patterns.view import Patterns
from aquila.features.patterns.zones import wrong_areas

NO_FINDING = Refused("absent", "there is no such finding, or you may not see it")
SETTINGS_ID = derived_id("patterns.thresholds", 1, "node")


class JudgeFinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Was it worth telling? remarks: why, for those who set the thresholds."""

    id: Id
    verdict: Literal["useful", "noise"]
    remarks: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    seen: Seen = ()


class SetPatterns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings as they are to be from now on: metres, minutes, m/s, degrees; what is left out is as at first.

    Attributes:
        seen: `heads` as the editor had them: refused when somebody has set them since. Empty = as they are now.
    """

    settings: PatternSettings
    seen: Seen = ()


async def judge_finding(principal: Principal, ask: JudgeFinding, desk: Desk) -> StepTaken | Refused:
    """Say whether a finding was useful or noise; it can be said anew."""
    thing = view_of(desk.views, "patterns", Patterns).thing(desk, ask.id, FINDING)
    if thing is None:
        return NO_FINDING
    try:
        check_texts("remarks", ask.remarks)
    except ValueError as wrong:
        return Refused("field", str(wrong))
    fields = {"remarks": ask.remarks} if ask.remarks else {}
    text = f"pattern is {ask.verdict}: {thing.get('text', '')}"
    return await say_step(
        principal,
        desk,
        NextStep(
            FINDING_STATES,
            FINDING,
            thing,
            ask.verdict,
            fields,
            seen=ask.seen,
            summary=text,
            position=thing.first.position,
        ),
    )


async def set_patterns(principal: Principal, ask: SetPatterns, desk: Desk) -> StepTaken | Refused:
    """Set thresholds, and which kinds are told. What stands stays until it is over."""
    wrong = wrong_areas(ask.settings.areas) if ask.settings.areas else None
    if wrong is not None:
        return Refused("field", wrong)
    thing = view_of(desk.views, "patterns", Patterns).thing(desk, SETTINGS_ID, THRESHOLDS)
    heads = () if thing is None else thing.heads()
    if thing is not None and ask.seen and set(ask.seen) != set(heads):
        return _changed(thing.newest.by)
    said = step_saying(
        principal,
        desk,
        NextStep(
            THRESHOLD_STATES,
            THRESHOLDS,
            thing,
            "set",
            msgspec.to_builtins(ask.settings),
            id=SETTINGS_ID,
            summary="thresholds of patterns set",
        ),
    )
    if isinstance(said, Refused):
        return said
    # What follows on the same heads has one id: of two who set them in the same moment the second finds the first.
    id = derived_id("patterns.set", 1, " ".join(heads))
    entry = await desk.write(said.body, id=id, label=said.label, on_behalf_of=said.on_behalf_of)
    if isinstance(entry, Refused):
        return entry
    stands = entry.body.fields if isinstance(entry.body, Paper) else {}
    if msgspec.convert(stands, PatternSettings) != ask.settings:
        return _changed(entry.envelope.author)
    return StepTaken(id=SETTINGS_ID, entry=entry.envelope.id, state="set")


def _changed(by: str) -> Refused:
    return Refused("changed", f"{by} has set them since you read them: read them again, then set what is yours")


pattern_commands = (
    Command(
        name="judge_finding",
        method="POST",
        path="/patterns/{id}",
        request=JudgeFinding,
        answer=StepTaken,
        role="operator",
        act=judge_finding,
        summary="Say whether a finding was useful or noise",
    ),
    Command(
        name="set_patterns",
        method="POST",
        path="/pattern-settings",
        request=SetPatterns,
        answer=StepTaken,
        role="operator",
        act=set_patterns,
        summary="Set when a movement is a pattern",
    ),
)
