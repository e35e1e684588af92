"""The report: one filled-in form with a state, of a unit and a period."""

from typing import Annotated, Any

import msgspec

from aquila.core.feature import Reading
from aquila.core.paper_work import Id, Line, Time, Word
from aquila.core.papers import Papers, Thing
from aquila.core.states import Move, States
from aquila.core.view import view_of
from aquila.features.reports.attachments import Attachments
from aquila.features.reports.form import Form, own_forms

REPORT, FORM = "reports.report", "reports.form"
STATES = States(
    "report",
    "none",
    (
        Move("draft", ("none",), "draft", "operator"),
        Move("edit", ("draft",), None, "operator"),
        Move("file", ("none", "draft"), "filed", "operator, when it is complete"),
        Move("approve", ("filed",), "approved", "operator, who signs it"),
        Move("return", ("filed",), "draft", "operator, with the reason"),
        Move("supersede", ("filed", "approved"), "superseded", "operator, with the report that replaces it"),
    ),
    ("superseded",),
)
IN_FORCE = ("filed", "approved")
Values = Annotated[dict[Line, Any], msgspec.Meta(max_length=200)]


class ReportText(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A filled-in form.

    Attributes:
        form: name of the form. unit: who reports (id or name). to: unit that it goes to, whose roll-up takes it in.
        values: by name of the field. sources: entries that it stands on. attachments: files beside it.
    """

    form: Word
    unit: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    values: Values
    to: Line = ""
    from_ms: Time | None = None
    until_ms: Time | None = None
    sources: Annotated[tuple[Id, ...], msgspec.Meta(max_length=1000)] = ()
    replaces: Line = ""
    attachments: Attachments = ()


def reports_view() -> Papers:
    """A fresh view."""
    return Papers("reports", 1, ("reports.",))


def papers_of(reading: Reading) -> Papers:
    """The view of this node."""
    return view_of(reading.views, "reports", Papers)


def forms_of(reading: Reading) -> dict[str, Form]:
    """The program's forms, and those that were added here; an added one never takes the name of the program's."""
    found = dict(own_forms())
    for thing in papers_of(reading).things(reading, FORM):
        try:
            form = msgspec.convert(thing.get("form"), Form)
        except ValueError:
            continue
        found.setdefault(form.name, form)
    return found


def values_of(thing: Thing) -> dict[str, Any]:
    """What is filled in. Each value is a field of its own, so that two may fill in one form together."""
    return {name.removeprefix("v."): value for name, value in thing.fields().items() if name.startswith("v.")}
