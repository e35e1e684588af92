"""What can be asked of reports: forms, the list, one with its life, as text and PDF, needs."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.document import Document, Paragraph, name_of, to_pdf, to_text
from aquila.core.errors import UsageError
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.core.paper_rows import AskNeeds, ConflictRow, NeedRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, Line, Time, Word, state_of
from aquila.core.papers import Thing
from aquila.core.phrases import phrase_in
from aquila.core.policy import derive
from aquila.core.tongue import InLanguage, Tongue
from aquila.features.reports.attachments import Attachment, attachments_of, files_of, label_of, text_of
from aquila.features.reports.commands import STEPS
from aquila.features.reports.form import Form
from aquila.features.reports.report import REPORT, STATES, forms_of, papers_of, values_of
from aquila.features.reports.text import value_text

PICTURES_MAX = 12
PICTURE_MAX_BYTES = 1 << 20
PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""JPEG and PNG."""


class AskForms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All forms."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskReports(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which reports: of a form, a state, a unit, to a unit; said from and until (UTC ms)."""

    form: Word | None = None
    state: Word | None = None
    unit: Line | None = None
    to: Line | None = None
    from_ms: Time | None = None
    until_ms: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which report."""

    id: Id


class AskDocument(InLanguage, frozen=True, kw_only=True):
    """Which report, and in which language it is printed."""

    id: Id


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    """A form that can be filled in."""

    name: str
    form: Form


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A report as lists show it.

    Attributes:
        values: what is filled in, by name of the field. said_at_ms: when it was begun. signed_by: who approved it; None
            = nobody yet. attachments: files beside it that the asker may have.
        act, words: of the sentence that `title` is, see `Phrase`; "" = of none.
    """

    id: str
    form: str
    title: str
    state: str
    unit: str
    to: str
    from_ms: int | None
    until_ms: int | None
    values: dict[str, Any]
    sources: tuple[str, ...]
    said_at_ms: int
    by: str
    signed_by: str | None
    replaced_by: str | None
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    conflicts: int
    label: Label
    attachments: tuple[Attachment, ...] = ()
    act: str = ""
    words: dict[str, Any] = {}


class ReportDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One report with its life, newest step first."""

    row: ReportRow
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


class DocumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A report to be read or printed. pdf: base64 of the file. notes: entries, in the order of their numbers."""

    title: str
    text: str
    pdf: bytes
    notes: tuple[str, ...]
    label: Label


def row_of(thing: Thing, attachments: tuple[Attachment, ...] = ()) -> ReportRow:
    """The row of a report, with the files beside it that are to be shown."""
    state = state_of(STATES, thing)
    phrase = phrase_in("reports.report", thing.first.summary)
    signer = next((step.by for step in reversed(thing.steps) if step.action == "approve"), None)
    return ReportRow(
        id=thing.id,
        form=str(thing.get("form", "")),
        title=thing.first.summary,
        state=state,
        unit=str(thing.get("unit", "")),
        to=str(thing.get("to", "")),
        from_ms=thing.get("from_ms"),
        until_ms=thing.get("until_ms"),
        values=values_of(thing),
        sources=tuple(thing.get("sources", ())),
        said_at_ms=thing.first.at_ms,
        by=thing.first.by,
        signed_by=signer if state in ("approved", "superseded") else None,
        replaced_by=thing.get("replaced_by"),
        actions=tuple(action for action in STATES.allowed(state) if action in STEPS),
        heads=thing.heads(),
        conflicts=len(thing.conflicts()),
        label=thing.first.label,
        attachments=attachments,
        act=phrase.act,
        words=phrase.words,
    )


def marking_of(label: Label) -> str:
    """The marking as a line of a page."""
    return f"{label.classification} REL TO {' '.join(label.releasable_to)}"


def document_of(
    thing: Thing,
    form: Form,
    label: Label,
    tongue: Tongue,
    attachments: tuple[Attachment, ...] = (),
    pictures: tuple[bytes, ...] = (),
) -> Document:
    """A report as it is printed: each value stands on the step that said it and on what the report names for it."""
    row = row_of(thing)
    paragraphs = list(_filled(thing, form, tongue))
    if attachments:
        paragraphs.append(Paragraph(tongue.say("print.attachments"), (), True))
        paragraphs.extend(Paragraph(text_of(each)) for each in attachments)
    missing = thing.get("missing", ())
    if missing:
        paragraphs.append(Paragraph(tongue.say("print.missing", units=missing)))
    return Document(
        title=tongue.read("reports.report", row.title),
        marking=marking_of(label),
        paragraphs=tuple(paragraphs),
        signed=() if row.signed_by is None else (name_of(row.signed_by),),
        pictures=pictures,
    )


def _filled(thing: Thing, form: Form, tongue: Tongue) -> Iterator[Paragraph]:
    """Section by section, whatever was filled in."""
    notes, writers, values = thing.get("notes", {}), thing.writers(), values_of(thing)
    for section in form.sections:
        if section.title:
            yield Paragraph(tongue.read("form", section.title), (), True)
        for field in section.fields:
            value = values.get(field.name)
            if value not in (None, ""):
                below = tuple(notes.get(field.name, ())) or (writers[f"v.{field.name}"].entry,)
                name, said = tongue.read("form", field.title), value_text(field.kind, value, tongue)
                yield Paragraph(tongue.say("print.field", name=name, value=said), below)


def _forms(principal: Principal, ask: AskForms, reading: Reading) -> Iterator[Labelled]:
    for name, form in forms_of(reading).items():
        yield Labelled(FormRow(name=name, form=form), None, reading.context)


def _reports(principal: Principal, ask: AskReports, reading: Reading) -> Iterator[Labelled]:
    for thing in reversed(list(papers_of(reading).things(reading, REPORT))):
        if _is_wanted(ask, thing):
            row = row_of(thing, attachments_of(thing, reading))
            yield Labelled(row, thing.first.label, thing.first.context)


def _is_wanted(ask: AskReports, thing: Thing) -> bool:
    state, at_ms = state_of(STATES, thing), thing.first.at_ms
    wanted = ((ask.form, thing.get("form")), (ask.unit, thing.get("unit")), (ask.to, thing.get("to")))
    return (
        state != "none"
        and ask.state in (None, state)
        and all(asked is None or asked == value for asked, value in wanted)
        and (ask.from_ms is None or at_ms >= ask.from_ms)
        and (ask.until_ms is None or at_ms <= ask.until_ms)
    )


def _report(principal: Principal, ask: AskReport, reading: Reading) -> Iterator[Labelled]:
    thing = papers_of(reading).thing(reading, ask.id, REPORT)
    if thing is not None:
        shown = row_of(thing, attachments_of(thing, reading))
        row = ReportDetail(row=shown, conflicts=conflict_rows(thing), steps=steps_of(thing))
        yield Labelled(row, thing.first.label, thing.first.context)


def _document(principal: Principal, ask: AskDocument, reading: Reading) -> Iterator[Labelled]:
    thing = papers_of(reading).thing(reading, ask.id, REPORT)
    form = None if thing is None else forms_of(reading).get(str(thing.get("form")))
    if thing is None or form is None:
        return
    files = attachments_of(thing, reading)
    marks = [label for each in files if (label := label_of(each.package, reading)) is not None]
    label = derive(reading.policy, [*(step.label for step in thing.steps), *marks])
    tongue = Tongue(ask.language)
    document = document_of(thing, form, label, tongue, files, tuple(_pictures(files, reading)))
    row = DocumentRow(
        title=document.title,
        text=to_text(document, tongue),
        pdf=to_pdf(document, tongue),
        notes=document.notes(),
        label=label,
    )
    yield Labelled(row, label, thing.first.context)


def _pictures(files: tuple[Attachment, ...], reading: Reading) -> Iterator[bytes]:
    """Photos small enough to be printed; what they are is read from their first bytes, whatever the sender said."""
    try:
        kept = reading.part("files")
    except UsageError:
        return
    view = files_of(reading)
    for each in files[:PICTURES_MAX]:
        package = None if view is None else view.package(reading.context, each.package, reading.now_ms())
        if package is None or package.facts is None or package.facts.size_bytes > PICTURE_MAX_BYTES:
            continue
        data: bytes = kept.path_of(package.facts.sha256).read_bytes()
        if data.startswith(PICTURE_STARTS):
            yield data


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    for thing in papers_of(reading).things(reading, REPORT):
        row = row_of(thing)
        roles = ("duty_officer",) if row.state == "filed" else ("watch_officer",)
        if row.state in ("draft", "filed") and ask.wants(roles):
            need = NeedRow(
                feature="reports",
                kind="approve" if row.state == "filed" else "file",
                id=row.id,
                title=row.title,
                since_ms=thing.newest.at_ms,
                due_ms=None,
                is_overdue=False,
                roles=roles,
                actions=row.actions,
                heads=row.heads,
                act=row.act,
                words=row.words,
            )
            yield Labelled(need, thing.first.label, thing.first.context)


QUERIES = (
    Query(
        name="forms",
        path="/forms",
        request=AskForms,
        row=FormRow,
        role="viewer",
        answer=_forms,
        summary="Forms that can be filled in",
    ),
    Query(
        name="reports",
        path="/reports",
        request=AskReports,
        row=ReportRow,
        role="viewer",
        answer=_reports,
        blocking=True,
        summary="Reports, newest first",
    ),
    Query(
        name="report",
        path="/reports/{id}",
        request=AskReport,
        row=ReportDetail,
        role="viewer",
        answer=_report,
        one=True,
        summary="One report with its life",
    ),
    Query(
        name="report_document",
        path="/reports/{id}/document",
        request=AskDocument,
        row=DocumentRow,
        role="viewer",
        answer=_document,
        one=True,
        blocking=True,
        slow=True,
        summary="A report as text and PDF, its fixed words in the language that is asked for",
    ),
    Query(
        name="needs_reports",
        path="/needs/reports",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        blocking=True,
        summary="Reports that wait to be filed or approved",
    ),
)
