"""Roll-up: the report of a level assembled from the reports of those below. Every figure and sentence has its sources.

Nothing is said anew about what lies below: the level above keeps figures, notes and its own words in its own report.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from aquila.core.feature import Reading
from aquila.core.model import Label
from aquila.core.paper_work import state_of
from aquila.core.papers import Papers, Thing
from aquila.core.policy import derive
from aquila.core.tongue import Tongue
from aquila.core.view import view_of
from aquila.features.reports.form import Form, FormField
from aquila.features.reports.report import IN_FORCE, REPORT, STATES, forms_of, papers_of, values_of
from aquila.features.reports.rollup_intel import claims_between, grade_of

FEEDS: Mapping[str, tuple[str, ...]] = {
    "sitrep": ("sitrep",),
    "logsitrep": ("logsitrep",),
    "intsum": ("intsum", "intrep", "salute", "spot", "incident", "increp"),
}
"""Forms that a level assembles, and the forms below that it takes in."""
ACTIVITY_FORMS = ("sitrep", "intsum")
"""Forms that take in significant activities of the journal."""
TEXT_MAX = 8000


class PartRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one report below says: the report, the entry that says it."""

    unit: str
    value: Any
    report: str
    entry: str


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. value: the total of the parts; notes: entries that it stands on."""

    name: str
    title: str
    total: str
    value: float
    parts: tuple[PartRow, ...]
    notes: tuple[str, ...]
    label: Label


class SentenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence under a field of the form, with the most restrictive label of its sources."""

    name: str
    title: str
    text: str
    notes: tuple[str, ...]
    label: Label


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """What a level can say now.

    Attributes:
        reports: ids of the reports taken in. missing: units of which none came.
    """

    figures: tuple[FigureRow, ...]
    sentences: tuple[SentenceRow, ...]
    reports: tuple[str, ...]
    missing: tuple[str, ...]

    def labels(self) -> tuple[Label, ...]:
        """The labels of everything in it."""
        return (*(each.label for each in self.figures), *(each.label for each in self.sentences))

    def values(self) -> dict[str, Any]:
        """By field of the form: figures as numbers, sentences one below the other."""
        values: dict[str, Any] = {each.name: each.value for each in self.figures}
        for name in dict.fromkeys(each.name for each in self.sentences):
            lines = [each.text for each in self.sentences if each.name == name]
            values[name] = "\n".join(lines)[:TEXT_MAX]
        return values

    def notes(self) -> dict[str, list[str]]:
        """By field of the form: the entries that it stands on."""
        notes: dict[str, list[str]] = {}
        lines: tuple[FigureRow | SentenceRow, ...] = (*self.figures, *self.sentences)
        for each in lines:
            notes[each.name] = list(dict.fromkeys((*notes.get(each.name, ()), *each.notes)))
        return notes


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that reads otherwise below than in the report that was made of it."""

    name: str
    title: str
    was: Any
    now: Any
    notes: tuple[str, ...]


def assemble(
    reading: Reading, form: Form, unit: str, from_ms: int, until_ms: int, tongue: Tongue, expected: Iterable[str] = ()
) -> Assembled:
    """Everything that the asker may have of what went to this unit in the period.

    tongue: of names of forms and choices; what people wrote stays as it is.
    """
    below = list(_reports_below(reading, form, unit, from_ms, until_ms))
    figures = tuple(_figures(reading, form, [each for each in below if each.get("form") == form.name]))
    sentences = [row for thing in below for row in _sentences(reading, form, thing, tongue)]
    if form.name in ACTIVITY_FORMS:
        sentences += _activities(reading, form, from_ms, until_ms, tongue)
    if form.name == "intsum":
        sentences += _claims(reading, form, from_ms, until_ms, tongue)
    there = {str(thing.get("unit")) for thing in below if thing.get("form") == form.name}
    wanted = dict.fromkeys((*expected, *_units_below(reading, unit, until_ms)))
    return Assembled(
        figures=figures,
        sentences=tuple(sentences),
        reports=tuple(thing.id for thing in below),
        missing=tuple(each for each in wanted if each not in there),
    )


def changes(form: Form, signed: Thing, now: Assembled) -> tuple[ChangeRow, ...]:
    """Figures that have changed below since this report was made of them; as made, not as somebody edited them."""
    made = signed.get("made", {})
    rows, titles = [], {field.name: field.title for field in form.fields()}
    current = {each.name: each for each in now.figures}
    for name in dict.fromkeys((*made, *current)):
        figure = current.get(name)
        value = None if figure is None else figure.value
        if made.get(name) != value:
            notes = () if figure is None else figure.notes
            rows.append(ChangeRow(name=name, title=titles.get(name, name), was=made.get(name), now=value, notes=notes))
    return tuple(rows)


def _reports_below(reading: Reading, form: Form, unit: str, from_ms: int, until_ms: int) -> Iterator[Thing]:
    """Reports in force to this unit; of one unit and one form with figures the newest counts."""
    newest: dict[tuple[str, str], Thing] = {}
    for thing in papers_of(reading).things(reading, REPORT):
        kind, at_ms = str(thing.get("form")), thing.get("until_ms") or thing.first.at_ms
        is_fed = kind in FEEDS.get(form.name, (form.name,)) and thing.get("to") == unit
        if is_fed and from_ms < at_ms <= until_ms and state_of(STATES, thing) in IN_FORCE:
            key = str(thing.get("unit")) if kind == form.name else thing.id
            newest[(kind, key)] = thing
    yield from newest.values()


def _figures(reading: Reading, form: Form, below: Sequence[Thing]) -> Iterator[FigureRow]:
    for field in form.fields():
        if field.total is None:
            continue
        parts, labels = [], []
        for thing in below:
            value, step = values_of(thing).get(field.name), thing.writers().get(f"v.{field.name}")
            if isinstance(value, int | float) and step is not None:
                parts.append(PartRow(unit=str(thing.get("unit")), value=value, report=thing.id, entry=step.entry))
                labels += [thing.first.label, step.label]
        if parts:
            numbers = [part.value for part in parts]
            yield FigureRow(
                name=field.name,
                title=field.title,
                total=field.total,
                value=min(numbers) if field.total == "min" else sum(numbers),
                parts=tuple(parts),
                notes=tuple(part.entry for part in parts),
                label=derive(reading.policy, labels),
            )


def _sentences(reading: Reading, form: Form, thing: Thing, tongue: Tongue) -> Iterator[SentenceRow]:
    """What a report says in words: under the same field when it is of the same form, else under the activity."""
    unit, values = str(thing.get("unit")), values_of(thing)
    if thing.get("form") == form.name:
        for field in form.fields():
            if field.kind == "text" and field.name != "unit" and values.get(field.name):
                yield _sentence(reading, field, thing, f"{unit}: {values[field.name]}", field.name)
        return
    activity, below = _activity_field(form), forms_of(reading).get(str(thing.get("form")))
    choices = {field.name for field in below.fields() if field.kind == "choice"} if below is not None else set()
    said = [
        tongue.read("form", value) if name in choices else value
        for name, value in values.items()
        if isinstance(value, str) and name != "source"
    ]
    if activity is not None and said:
        named = str(thing.get("form")) if below is None else tongue.read("form", below.title)
        yield _sentence(reading, activity, thing, f"{unit}, {named}: {', '.join(said)}"[:TEXT_MAX])


def _sentence(reading: Reading, field: FormField, thing: Thing, text: str, of: str = "") -> SentenceRow:
    steps = [thing.writers()[f"v.{of}"]] if of else [step for step in thing.steps if step.fields]
    grades = ", ".join(dict.fromkeys(grade for step in steps if (grade := grade_of(reading, step.entry))))
    return SentenceRow(
        name=field.name,
        title=field.title,
        text=f"{text} ({grades})" if grades else text,
        notes=tuple(dict.fromkeys(step.entry for step in steps)),
        label=derive(reading.policy, [thing.first.label, *(step.label for step in steps)]),
    )


def _activities(reading: Reading, form: Form, from_ms: int, until_ms: int, tongue: Tongue) -> Iterator[SentenceRow]:
    """Significant activities of the journal, as far as this node keeps lines."""
    field = _activity_field(form)
    if "incidents" not in reading.views or field is None:
        return
    for thing in view_of(reading.views, "incidents", Papers).things(reading, "incidents.line"):
        category = thing.get("category")
        if category is not None and from_ms < thing.first.at_ms <= until_ms and thing.get("merged_into") is None:
            steps = [step for step in thing.steps if "text" in step.fields or "category" in step.fields]
            verified = tongue.read("form", str(thing.get("verification", "unverified")))
            yield SentenceRow(
                name=field.name,
                title=field.title,
                text=f"{str(category).replace('_', ' ')}: {thing.get('text')} ({verified})",
                notes=tuple(step.entry for step in steps),
                label=derive(reading.policy, [thing.first.label, *(step.label for step in steps)]),
            )


def _claims(reading: Reading, form: Form, from_ms: int, until_ms: int, tongue: Tongue) -> Iterator[SentenceRow]:
    """What intelligence keeps of the period, as far as this node does."""
    field = _activity_field(form)
    if field is None:
        return
    for told in claims_between(reading, from_ms, until_ms, tongue):
        yield SentenceRow(name=field.name, title=field.title, text=told.text, notes=told.notes, label=told.label)


def _activity_field(form: Form) -> FormField | None:
    names = ("incidents", "activity")
    return next((field for field in form.fields() if field.name in names and field.kind == "text"), None)


def _units_below(reading: Reading, unit: str, at_ms: int) -> Iterator[str]:
    """Names of the units that stand under this one in the order of battle, if this node has one."""
    if "orbat" not in reading.views:
        return
    units = list(view_of(reading.views, "orbat", Papers).things(reading, "orbat.unit"))
    above = {thing.id for thing in units if unit in (thing.id, thing.get("name"))}
    for thing in units:
        parents = thing.get("parents", ())
        is_below = any(
            isinstance(each, dict)
            and each.get("unit") in above
            and (each.get("from_ms") or 0) <= at_ms
            and (each.get("until_ms") is None or at_ms < each["until_ms"])
            for each in parents
        )
        if is_below and all(step.action != "remove" for step in thing.steps):
            yield str(thing.get("name"))
