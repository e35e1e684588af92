"""What can be done with reports: draft, fill in, file, approve, return, replace; add a form."""

from typing import Annotated, Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Paper, Position, Principal
from aquila.core.paper_work import (
    NextStep,
    NoFields,
    StepTaken,
    TakeStep,
    Time,
    check_texts,
    read_step,
    say_step,
    state_of,
    step_saying,
)
from aquila.core.papers import Thing
from aquila.core.states import ANY, Move, States
from aquila.features.reports.attachments import label_of
from aquila.features.reports.form import Form, own_forms, wrong_values
from aquila.features.reports.report import FORM, REPORT, STATES, ReportText, Values, forms_of, papers_of, values_of

FORMS_MAX = 500
FORM_STATES = States("form", "none", (Move("add", (ANY,), "added", "operator"),))


class NewReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report. file: at once, which needs it complete; else it is a draft. happened_at_ms: None = now."""

    report: ReportText
    file: bool = False
    happened_at_ms: Time | None = None
    on_behalf_of: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class NewForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A form of one's own."""

    form: Form

    def __post_init__(self) -> None:
        check_texts("form", msgspec.to_builtins(self.form))


class EditReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values to be changed; None empties one."""

    values: Values


class ReturnReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it goes back."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


STEPS: dict[str, type[msgspec.Struct]] = {
    "edit": EditReport,
    "file": NoFields,
    "approve": NoFields,
    "return": ReturnReport,
}


async def write_report(principal: Principal, ask: NewReport, desk: Desk) -> StepTaken | Refused:
    """Draft or file a report."""
    text = ask.report
    form = forms_of(desk).get(text.form)
    if form is None:
        return Refused("form", f"there is no form {text.form}: take one of {', '.join(forms_of(desk))}"[:500])
    refused = _wrong(form, text.values, whole=ask.file) or _wrong_span(text) or _wrong_files(text, desk)
    if refused is not None:
        return refused
    replaced = None
    if text.replaces:
        replaced = papers_of(desk).thing(desk, text.replaces, REPORT)
        if replaced is None:
            return Refused("replaces", "there is no such report to be replaced, or you may not see it: leave it out")
        refused = STATES.check(state_of(STATES, replaced), "supersede")
        if refused is not None:
            return refused
    step = NextStep(
        STATES,
        REPORT,
        None,
        "file" if ask.file else "draft",
        fields_of(text),
        summary=f"{form.title} of {text.unit}",
        at_ms=ask.happened_at_ms,
        on_behalf_of=ask.on_behalf_of,
        position=_place_of(form, text.values),
    )
    if replaced is None:
        return await say_step(principal, desk, step)
    return await _replace(principal, desk, step, replaced)


async def _replace(principal: Principal, desk: Desk, step: NextStep, replaced: Thing) -> StepTaken | Refused:
    """The new report and the end of the old one, in one commit: else a crash between them leaves two in force."""
    said = step_saying(principal, desk, step)
    if isinstance(said, Refused):
        return said
    assert isinstance(said.body, Paper)
    fields = {"replaced_by": said.body.target}
    over = step_saying(principal, desk, NextStep(STATES, REPORT, replaced, "supersede", fields, summary="superseded"))
    if isinstance(over, Refused):
        return over
    written = await desk.write_all((said, over))
    if isinstance(written, Refused):
        return written
    made = papers_of(desk).thing(desk, said.body.target, REPORT)
    state = "filed" if made is None else state_of(STATES, made)
    return StepTaken(id=said.body.target, entry=written[0].envelope.id, state=state)


async def step_report(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Edit, file, approve or return a report."""
    thing = papers_of(desk).thing(desk, ask.id, REPORT)
    if thing is None:
        return Refused("absent", "there is no such report, or you may not see it: look into the list of reports")
    read = read_step(STATES, STEPS, thing, ask)
    if isinstance(read, Refused):
        return read
    fields = _said(desk, thing, ask.action, read)
    if isinstance(fields, Refused):
        return fields
    return await say_step(principal, desk, NextStep.asked(STATES, thing, ask, fields))


async def add_form(principal: Principal, ask: NewForm, desk: Desk) -> StepTaken | Refused:
    """Add a form; one of the same name that was added before is replaced, one of the program's never is."""
    if ask.form.name in own_forms():
        return Refused("form", f"{ask.form.name} is a form of the program: give yours another name")
    things = list(papers_of(desk).things(desk, FORM))
    if len(things) >= FORMS_MAX:
        return Refused("full", f"{FORMS_MAX} forms are all that there may be: change one that is there")
    thing = next((each for each in things if each.get("form", {}).get("name") == ask.form.name), None)
    fields = {"form": msgspec.to_builtins(ask.form)}
    title = ask.form.title
    return await say_step(principal, desk, NextStep(FORM_STATES, FORM, thing, "add", fields, summary=f"form {title}"))


def fields_of(text: ReportText) -> dict[str, Any]:
    """The paper's fields of a report."""
    head = {
        "form": text.form,
        "unit": text.unit,
        "to": text.to,
        "from_ms": text.from_ms,
        "until_ms": text.until_ms,
        "sources": list(text.sources),
        "attachments": msgspec.to_builtins(text.attachments),
    }
    return {**head, **{f"v.{name}": value for name, value in text.values.items()}}


def _said(desk: Desk, thing: Thing, action: str, read: Any) -> dict[str, Any] | Refused:
    form = forms_of(desk).get(str(thing.get("form")))
    if form is None:
        return Refused("form", f"the form {thing.get('form')} of this report is not here: add it first")
    if isinstance(read, EditReport):
        return _wrong(form, read.values, whole=False) or {f"v.{name}": value for name, value in read.values.items()}
    if action == "file":
        return _wrong(form, values_of(thing), whole=True) or {}
    fields: dict[str, Any] = msgspec.to_builtins(read)
    return fields


def _wrong(form: Form, values: dict[str, Any], *, whole: bool) -> Refused | None:
    wrong = wrong_values(form, values, whole=whole)
    return Refused("field", "; ".join(wrong)[:1000]) if wrong else None


def _wrong_span(text: ReportText) -> Refused | None:
    try:
        check_texts("report", [text.unit, text.to])
    except ValueError as wrong:
        return Refused("field", str(wrong))
    if text.from_ms is not None and text.until_ms is not None and text.until_ms <= text.from_ms:
        return Refused("time", f"until {text.until_ms} is not after {text.from_ms}: name a later end")
    return None


def _wrong_files(text: ReportText, desk: Desk) -> Refused | None:
    for each in text.attachments:
        if label_of(each.package, desk) is None:
            return Refused("attachment", f"there is no file {each.name}, or you may not have it: leave it out")
    return None


def _place_of(form: Form, values: dict[str, Any]) -> Position | None:
    places = (values.get(field.name) for field in form.fields() if field.kind == "place")
    return next((msgspec.convert(place, Position) for place in places if place), None)


COMMANDS = (
    Command(
        name="write_report",
        method="POST",
        path="/reports",
        request=NewReport,
        answer=StepTaken,
        role="operator",
        act=write_report,
        summary="Draft or file a report",
    ),
    Command(
        name="step_report",
        method="POST",
        path="/reports/{id}/steps",
        request=TakeStep,
        answer=StepTaken,
        role="operator",
        act=step_report,
        summary="Edit, file, approve or return a report",
    ),
    Command(
        name="add_form",
        method="POST",
        path="/forms",
        request=NewForm,
        answer=StepTaken,
        role="operator",
        act=add_form,
        summary="Add a form of one's own",
    ),
)
