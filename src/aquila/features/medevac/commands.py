"""What the desk does: ask, approve with an asset, launch, pick up, deliver, mark times, close; keep assets, places."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from aquila.core.dtg import dtg
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, check_text
from aquila.core.model import Principal
from aquila.core.paper_work import (
    Count,
    Id,
    NextStep,
    NoFields,
    Seen,
    StepTaken,
    TakeStep,
    Time,
    WatchedPapers,
    check_texts,
    read_step,
    say_step,
    wrong_time,
)
from aquila.core.papers import Thing
from aquila.core.phrase_table import PHRASES
from aquila.core.states import ANY, Move, States
from aquila.core.view import view_of
from aquila.features.medevac.request import (
    ASSET,
    FACILITY,
    MARK_OF_STEP,
    REQUEST,
    STATES,
    Asset,
    Facility,
    Mark,
    MedevacLines,
    casualties_of,
    headline,
)

KEPT = States("entry", "none", (Move("keep", (ANY,), "kept", "operator"),))
"""Assets and facilities: whoever keeps one says it whole."""


class AskMedevac(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request from somebody at a desk. happened_at_ms: None = now."""

    request: MedevacLines
    happened_at_ms: Time | None = None

    def __post_init__(self) -> None:
        check_texts("request", msgspec.to_builtins(self.request))


class KeepAsset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An asset as it is now. id: None = a new one."""

    asset: Asset
    id: Id | None = None
    seen: Seen = ()


class KeepFacility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A treatment facility as it is now. id: None = a new one."""

    facility: Facility
    id: Id | None = None
    seen: Seen = ()


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which asset goes."""

    asset: Id


class Deliver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To which facility."""

    facility: Id


class MarkTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something happened to a casualty. number: None = to all of the request."""

    mark: Mark
    at_ms: Time
    number: Count | None = None


class MedevacReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


FORMS: Mapping[str, type[msgspec.Struct]] = {
    "update": MedevacLines,
    "approve": Approve,
    "launch": NoFields,
    "pickup": NoFields,
    "deliver": Deliver,
    "mark": MarkTime,
    "close": NoFields,
    "cancel": MedevacReason,
}


def papers_of(reading: Any) -> WatchedPapers:
    """The view of this node."""
    return view_of(reading.views, "medevac", WatchedPapers)


async def ask_medevac(principal: Principal, ask: AskMedevac, desk: Desk) -> StepTaken | Refused:
    """A request for evacuation."""
    refused = wrong_time(desk, ask.request.injured_at_ms, "the time of injury")
    if refused is not None:
        return refused
    place = ask.request.place
    step = NextStep(
        STATES,
        REQUEST,
        None,
        "request",
        _fields_of(ask.request),
        summary=headline(ask.request.title),
        at_ms=ask.happened_at_ms,
        position=None if place is None else place.to_position(),
    )
    return await say_step(principal, desk, step)


async def step_medevac(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Take a step about a request."""
    thing = papers_of(desk).thing(desk, ask.id, REQUEST)
    if thing is None:
        return Refused("absent", "there is no such request, or you may not see it: look at the MEDEVAC desk")
    read = wrong_time(desk, ask.happened_at_ms) or read_step(STATES, FORMS, thing, ask)
    if isinstance(read, Refused):
        return read
    at_ms = desk.now_ms() if ask.happened_at_ms is None else ask.happened_at_ms
    fields = _said(desk, thing, read, at_ms)
    if isinstance(fields, Refused):
        return fields
    if ask.action in MARK_OF_STEP:
        fields[f"time.{MARK_OF_STEP[ask.action]}"] = at_ms
    text = _marked(thing, read) if isinstance(read, MarkTime) else f"{headline(thing.get('title', ''))}: {ask.action}"
    return await say_step(principal, desk, NextStep.asked(STATES, thing, ask, fields, text))


def _marked(thing: Thing, read: MarkTime) -> str:
    """Which time was noted, of whom."""
    whose = "" if read.number is None else f", casualty {read.number}"
    mark = dict(PHRASES["medevac.mark"])[read.mark]
    return f"{headline(thing.get('title', ''))}{whose}: {mark} at {dtg(read.at_ms)}"


def _fields_of(lines: MedevacLines) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "title": lines.title,
        "lines": dict(lines.lines),
        "mists": msgspec.to_builtins(lines.mists),
    }
    if lines.injured_at_ms is not None:
        fields["time.injury"] = lines.injured_at_ms
    return fields


def _said(desk: Desk, thing: Thing, read: Any, at_ms: int) -> dict[str, Any] | Refused:
    if isinstance(read, MedevacLines):
        return wrong_time(desk, read.injured_at_ms, "the time of injury") or _fields_of(read)
    if isinstance(read, Approve):
        if papers_of(desk).thing(desk, read.asset, ASSET) is None:
            return Refused("asset", "there is no such asset, or you may not see it: keep it first, or take another")
        return {"asset": read.asset}
    if isinstance(read, Deliver):
        found = papers_of(desk).thing(desk, read.facility, FACILITY)
        if found is None or not found.get("is_open", True):
            return Refused("facility", "there is no such facility, or it is closed: take one that is open")
        return {"facility": read.facility}
    if isinstance(read, MarkTime):
        return _mark(desk, thing, read)
    if isinstance(read, MedevacReason):
        return {"reason": read.reason}
    return {}


def _mark(desk: Desk, thing: Thing, read: MarkTime) -> dict[str, Any] | Refused:
    refused = wrong_time(desk, read.at_ms, f"the time of {read.mark}")
    if refused is not None:
        return refused
    count = len(casualties_of(thing, desk.now_ms()))
    if read.number is None:
        return {f"time.{read.mark}": read.at_ms}
    if not 1 <= read.number <= count:
        return Refused("number", f"casualty {read.number}: this request counts 1 to {count}")
    return {f"time.{read.number}.{read.mark}": read.at_ms}


async def keep_asset(principal: Principal, ask: KeepAsset, desk: Desk) -> StepTaken | Refused:
    """Say what an asset is like now."""
    return await _keep(principal, desk, ASSET, ask.id, ask.asset, ask.seen)


async def keep_facility(principal: Principal, ask: KeepFacility, desk: Desk) -> StepTaken | Refused:
    """Say what a facility is like now."""
    return await _keep(principal, desk, FACILITY, ask.id, ask.facility, ask.seen)


async def _keep(
    principal: Principal, desk: Desk, type: str, id: str | None, kept: Asset | Facility, seen: tuple[str, ...]
) -> StepTaken | Refused:
    try:
        check_text("name", kept.name)
        check_text("remarks", kept.remarks)
    except ValueError as wrong:
        return Refused("field", str(wrong))
    thing = None if id is None else papers_of(desk).thing(desk, id, type)
    if id is not None and thing is None:
        return Refused("absent", "there is none of this id, or you may not see it: leave the id out to make a new one")
    fields = {name: getattr(kept, name) for name in kept.__struct_fields__}
    place = kept.place
    step = NextStep(
        KEPT,
        type,
        thing,
        "keep",
        msgspec.to_builtins(fields),
        summary=kept.name,
        seen=seen,
        position=None if place is None else place.to_position(),
    )
    return await say_step(principal, desk, step)


COMMANDS = (
    Command(
        name="ask_medevac",
        method="POST",
        path="/medevac/requests",
        request=AskMedevac,
        answer=StepTaken,
        role="operator",
        act=ask_medevac,
        summary="Ask for an evacuation",
    ),
    Command(
        name="step_medevac",
        method="POST",
        path="/medevac/requests/{id}/steps",
        request=TakeStep,
        answer=StepTaken,
        role="operator",
        act=step_medevac,
        summary="Approve, launch, pick up, deliver, mark a time, close or cancel a request",
    ),
    Command(
        name="keep_medevac_asset",
        method="POST",
        path="/medevac/assets",
        request=KeepAsset,
        answer=StepTaken,
        role="operator",
        act=keep_asset,
        summary="Say what an evacuation asset is like now",
    ),
    Command(
        name="keep_medevac_facility",
        method="POST",
        path="/medevac/facilities",
        request=KeepFacility,
        answer=StepTaken,
        role="operator",
        act=keep_facility,
        summary="Say what a treatment facility is like now",
    ),
)
