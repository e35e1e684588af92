"""The roll-up as a query, and the command that makes a report of it, for a person to sign."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, Saying
from aquila.core.model import Label, Paper, Principal
from aquila.core.paper_work import Line, NextStep, StepTaken, Time, Word, state_of, step_saying
from aquila.core.papers import Thing
from aquila.core.policy import derive, label_for
from aquila.core.tongue import InLanguage, Tongue
from aquila.features.reports.form import Form, wrong_values
from aquila.features.reports.report import IN_FORCE, REPORT, STATES, Values, forms_of, papers_of
from aquila.features.reports.rollup import FEEDS, ChangeRow, FigureRow, SentenceRow, assemble, changes


class AskRollup(InLanguage, frozen=True, kw_only=True):
    """Which roll-up: form, unit of the level, period (UTC ms). expected: further units, separated by commas.

    language: of names of forms and choices in its sentences, which become the words of the report when it is filed.
    """

    form: Word
    unit: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    from_ms: Time
    until_ms: Time
    expected: Annotated[str, msgspec.Meta(max_length=4000)] = ""

    def __post_init__(self) -> None:
        InLanguage.__post_init__(self)
        if self.until_ms <= self.from_ms:
            raise ValueError(f"until {self.until_ms} is not after {self.from_ms}: name a later end")
        if self.form not in FEEDS:
            raise ValueError(f"{self.form} is not assembled from below: take one of {', '.join(FEEDS)}")


class FileRollup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a report of what was assembled.

    Attributes:
        to: unit above, whose roll-up takes it in. values: the level's own words, and figures that it sees otherwise;
            what lies below stays as it is. replaces: an earlier report of this form and level.
    """

    rollup: AskRollup
    to: Line = ""
    values: Values = {}
    replaces: Line = ""


class RollupRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a level can say now.

    Attributes:
        reports: taken in. missing: units of which no report came. filed: id of the newest report that was made of this
            level and period; None = none yet. changes: what reads otherwise below since then.
    """

    form: str
    title: str
    unit: str
    from_ms: int
    until_ms: int
    figures: tuple[FigureRow, ...]
    sentences: tuple[SentenceRow, ...]
    reports: tuple[str, ...]
    missing: tuple[str, ...]
    filed: str | None
    changes: tuple[ChangeRow, ...]


def _rollup(principal: Principal, ask: AskRollup, reading: Reading) -> Iterator[Labelled]:
    form = forms_of(reading)[ask.form]
    now = assemble(reading, form, ask.unit, ask.from_ms, ask.until_ms, Tongue(ask.language), _expected(ask))
    filed = _filed(reading, ask)
    row = RollupRow(
        form=form.name,
        title=form.title,
        unit=ask.unit,
        from_ms=ask.from_ms,
        until_ms=ask.until_ms,
        figures=now.figures,
        sentences=now.sentences,
        reports=now.reports,
        missing=now.missing,
        filed=None if filed is None else filed.id,
        changes=() if filed is None else changes(form, filed, now),
    )
    # Made for the asker of what the asker may have: every line carries its own label.
    yield Labelled(row, None, reading.context)


async def file_rollup(principal: Principal, ask: FileRollup, desk: Desk) -> StepTaken | Refused:
    """File what was assembled as the level's report, under the most restrictive label of its sources."""
    span = ask.rollup
    form = forms_of(desk)[span.form]
    now = assemble(desk, form, span.unit, span.from_ms, span.until_ms, Tongue(span.language), _expected(span))
    values = {**now.values(), **_given(form, span), **ask.values}
    wrong = wrong_values(form, values, whole=True)
    if wrong:
        return Refused("field", "; ".join(wrong)[:1000])
    label = _label(principal, desk, now.labels())
    if isinstance(label, Refused):
        return label
    id = desk.new_id()
    end = _end_of(principal, desk, ask, id) if ask.replaces else None
    if isinstance(end, Refused):
        return end
    fields: dict[str, Any] = {
        "form": form.name,
        "unit": span.unit,
        "to": ask.to,
        "from_ms": span.from_ms,
        "until_ms": span.until_ms,
        "sources": list(now.reports),
        "notes": now.notes(),
        "missing": list(now.missing),
        "made": {each.name: each.value for each in now.figures},
        **{f"v.{name}": value for name, value in values.items()},
    }
    text = f"{form.title} of {span.unit}"
    paper = Paper(type=REPORT, target=id, action="file", happened_at_ms=desk.now_ms(), fields=fields, summary=text)
    filed = Saying(body=paper, label=label)
    # Both or neither: nobody reads two reports of one level in force, or none.
    written = await desk.write_all((filed,) if end is None else (filed, end))
    if isinstance(written, Refused):
        return written
    return StepTaken(id=id, entry=written[0].envelope.id, state="filed")


def _end_of(principal: Principal, desk: Desk, ask: FileRollup, by: str) -> Saying | Refused:
    """The step that ends the report which this one replaces: of the same level and form, and the asker may end it."""
    replaced = papers_of(desk).thing(desk, ask.replaces, REPORT)
    if replaced is None or state_of(STATES, replaced) not in IN_FORCE:
        return Refused("replaces", "there is no such report in force: leave it out, or name one that is filed")
    form, unit = replaced.get("form"), replaced.get("unit")
    if (form, unit) != (ask.rollup.form, ask.rollup.unit):
        return Refused(
            "replaces", f"that is the {form} of {unit}: name an earlier {ask.rollup.form} of {ask.rollup.unit}"
        )
    fields = {"replaced_by": by}
    return step_saying(principal, desk, NextStep(STATES, REPORT, replaced, "supersede", fields, summary="superseded"))


def _given(form: Form, span: AskRollup) -> Mapping[str, Any]:
    """What the heading says for itself, as far as the form has such fields."""
    names = {field.name for field in form.fields()}
    heading = {"from": span.from_ms, "until": span.until_ms, "time": span.until_ms, "unit": span.unit}
    return {name: value for name, value in heading.items() if name in names}


def _label(principal: Principal, desk: Desk, labels: tuple[Label, ...]) -> Label | Refused:
    own = label_for(desk.policy, principal, None)
    if isinstance(own, Refused):
        return own
    label = derive(desk.policy, [own, *labels])
    if not label.groups or not label.releasable_to:
        return Refused("label", "the sources have no reader in common: file one report for each of their groups")
    return label


def _filed(reading: Reading, ask: AskRollup) -> Thing | None:
    """The newest report in force that was made of this level, form and period."""
    found = None
    for thing in papers_of(reading).things(reading, REPORT):
        span = (thing.get("form"), thing.get("unit"), thing.get("from_ms"), thing.get("until_ms"))
        is_made = span == (ask.form, ask.unit, ask.from_ms, ask.until_ms) and thing.get("made") is not None
        if is_made and state_of(STATES, thing) in IN_FORCE:
            found = thing
    return found


def _expected(ask: AskRollup) -> list[str]:
    return [each.strip() for each in ask.expected.split(",") if each.strip()]


rollup = Query(
    name="rollup",
    path="/rollups/{form}",
    request=AskRollup,
    row=RollupRow,
    role="viewer",
    answer=_rollup,
    one=True,
    blocking=True,
    summary="The report of a level assembled from below, with sources, what is missing and what has changed",
)
file_rollup_row = Command(
    name="file_rollup",
    method="POST",
    path="/rollups",
    request=FileRollup,
    answer=StepTaken,
    role="operator",
    act=file_rollup,
    summary="File what was assembled as the report of the level",
)
