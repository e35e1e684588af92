"""Extract: what one nation may have, as a package of files; who released it to whom stands in the journal."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading
from aquila.core.model import Audience, Label, Principal
from aquila.core.paper_work import NextStep, say_step
from aquila.core.papers import Papers
from aquila.core.policy import Policy, players_of
from aquila.core.states import Move, States
from aquila.core.view import view_of
from aquila.features.extract.gather import files_of, gather, packed

EXTRACT = "extract.made"
STATES = States("extract", "none", (Move("release", ("none",), "released", "liaison, or who leads"),), ("released",))
Nation = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Class = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class NewExtract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom. clearance: the highest classification that may go; None = the lowest of the policy."""

    nation: Nation
    clearance: Class | None = None


class ExtractMade(msgspec.Struct, frozen=True, kw_only=True):
    """The package.

    Attributes:
        name, base64: of the zip. entities, papers: how many are in it. label: of the whole; None = it is empty.
        sha256: of the zip, as in the journal. entry: id of the entry that says who released it.
    """

    name: str
    base64: str
    entities: int
    papers: int
    label: Label | None
    sha256: str
    entry: str


class AskExtracts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Those made for a nation; None = for all."""

    nation: Nation | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100


class ExtractRow(msgspec.Struct, frozen=True, kw_only=True):
    """One extract that was released: when, by whom, to whom, how much, and what proves which one it was."""

    id: str
    at_ms: int
    by: str
    nation: str
    clearance: str
    entities: int
    papers: int
    sha256: str
    label: Label


class AskLabels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to which an extract may go."""


class LabelsRow(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen for an extract. classifications: of the policy up to the asker's ceiling, lowest first."""

    classifications: tuple[str, ...]


def extract_view() -> Papers:
    """A fresh view."""
    return Papers("extract", 1, ("extract.",))


def labels_for(principal: Principal, policy: Policy) -> tuple[str, ...]:
    """Classifications of the policy up to the asker's ceiling, lowest first; none = the policy does not know his."""
    own = policy.rank(principal.clearance)
    return () if own is None else policy.classifications[: own + 1]


def audience_for(principal: Principal, ask: NewExtract, reading: Reading) -> Audience | Refused:
    """The readers that are meant: of that nation, without caveats, in the asker's groups, not above the asker."""
    policy, allowed = reading.policy, labels_for(principal, reading.policy)
    clearance = ask.clearance or policy.classifications[0]
    if policy.rank(clearance) is None:
        said = f"classification {clearance} is not of the policy {policy.name}: choose one of {', '.join(allowed)}"
        return Refused("marking", said)
    if clearance not in allowed:
        said = f"clearance {clearance}: you may release up to your own, {', '.join(allowed) or 'none'}"
        return Refused("ceiling", said)
    return Audience(reading.context, ask.nation, clearance, (), players_of(policy, principal.groups_out))


async def make_extract(principal: Principal, ask: NewExtract, desk: Desk) -> ExtractMade | Refused:
    """Gather, pack, and say so in the journal; without the entry nothing leaves."""
    audience = audience_for(principal, ask, desk)
    if isinstance(audience, Refused):
        return audience
    now_ms = desk.now_ms()
    gathered = gather(desk, audience)
    if gathered.label is None:
        why = f"nothing here is released to {ask.nation} up to {audience.clearance}: mark what it may have"
        return Refused("empty", why)
    files = await asyncio.to_thread(files_of, gathered, ask.nation, now_ms, principal.name)
    content = await asyncio.to_thread(packed, files)
    counts = {"entities": len(gathered.sights), "papers": len(gathered.things)}
    sha256 = hashlib.sha256(content).hexdigest()
    fields: dict[str, Any] = {"nation": ask.nation, "clearance": audience.clearance, "sha256": sha256, **counts}
    summary = f"Extract released to {ask.nation}: {counts['entities']} entities, {counts['papers']} papers"
    said = await say_step(principal, desk, NextStep(STATES, EXTRACT, None, "release", fields, summary=summary))
    if isinstance(said, Refused):
        return said
    return ExtractMade(
        name=f"extract-{ask.nation}-{now_ms}.zip",
        base64=base64.b64encode(content).decode(),
        label=gathered.label,
        sha256=sha256,
        entry=said.entry,
        **counts,
    )


def _labels(principal: Principal, ask: AskLabels, reading: Reading) -> Iterator[Labelled]:
    yield Labelled(LabelsRow(classifications=labels_for(principal, reading.policy)), None, reading.context)


def _extracts(principal: Principal, ask: AskExtracts, reading: Reading) -> Iterator[Labelled]:
    things = list(view_of(reading.views, "extract", Papers).things(reading, EXTRACT))
    for thing in reversed(things):
        row = ExtractRow(
            id=thing.id,
            at_ms=thing.first.at_ms,
            by=thing.first.by,
            nation=str(thing.get("nation", "")),
            clearance=str(thing.get("clearance", "")),
            entities=int(thing.get("entities", 0)),
            papers=int(thing.get("papers", 0)),
            sha256=str(thing.get("sha256", "")),
            label=thing.first.label,
        )
        if ask.nation in (None, row.nation):
            yield Labelled(row, thing.first.label, thing.first.context)


feature = Feature(
    name="extract",
    views=(extract_view,),
    queries=(
        Query(
            name="extract_labels",
            path="/extracts/labels",
            request=AskLabels,
            row=LabelsRow,
            role="viewer",
            answer=_labels,
            one=True,
            summary="Classifications up to which the asker may release an extract",
        ),
        Query(
            name="extracts",
            path="/extracts",
            request=AskExtracts,
            row=ExtractRow,
            role="viewer",
            answer=_extracts,
            summary="Extracts that were released to nations, the newest first",
        ),
    ),
    commands=(
        Command(
            name="make_extract",
            method="POST",
            path="/extracts",
            request=NewExtract,
            answer=ExtractMade,
            role="operator",
            act=make_extract,
            slow=True,
            summary="Release what one nation may have, as a package of files",
        ),
    ),
)

__all__ = ["feature"]
