"""Forms as data: titles, kinds, what is required. One JSON file each in `forms/`; more are papers, not code."""

import functools
import math
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.model import TIME_MAX_MS, Position
from aquila.core.paper_work import Line, Word, check_texts
from aquila.features.reports.pattern import fits, wrong_pattern

TEXT_MAX = 8000
FORMS = (
    *("salute", "spot", "incident", "increp", "patrol", "sitrep", "logsitrep", "intrep", "intsum", "medevac"),
    "methane",
)
Kind = Literal["text", "count", "number", "time", "place", "choice"]


class FormField(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One field.

    Attributes:
        kind: text; count (whole, not below 0); number; time (UTC ms); place ({lat_deg, lon_deg}); choice.
        total: how a level above makes one figure of many: "sum", "min"; None = it does not.
        pattern: of a text, as pattern.py allows. hint: what is allowed, in words, for the sentence of a refusal.
    """

    name: Word
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    kind: Kind = "text"
    required: bool = False
    choices: Annotated[tuple[Line, ...], msgspec.Meta(max_length=50)] = ()
    total: Literal["sum", "min"] | None = None
    pattern: Line | None = None
    hint: Line = ""

    def __post_init__(self) -> None:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"field {self.name}: choices belong to the kind choice, which needs some")
        if self.total is not None and self.kind not in ("count", "number"):
            raise ValueError(f"field {self.name}: only counts and numbers have a total")
        wrong = None if self.pattern is None else wrong_pattern(self.pattern)
        if wrong is not None:
            raise ValueError(f"field {self.name}: {wrong}")


class FormSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields under one heading; title empty = none."""

    title: Line
    fields: Annotated[tuple[FormField, ...], msgspec.Meta(min_length=1, max_length=60)]


class Form(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One form. source: where its fields come from."""

    name: Word
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sections: Annotated[tuple[FormSection, ...], msgspec.Meta(min_length=1, max_length=20)]
    source: Line = ""

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields()]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"fields {', '.join(doubled)} stand twice: give each its own name")

    def fields(self) -> tuple[FormField, ...]:
        """All fields, in the order of the form."""
        return tuple(field for section in self.sections for field in section.fields)


@functools.cache
def own_forms() -> Mapping[str, Form]:
    """The forms that came with the program."""
    folder = resources.files("aquila.features.reports").joinpath("forms")
    read = [msgspec.json.decode(folder.joinpath(f"{name}.json").read_bytes(), type=Form) for name in FORMS]
    return {form.name: form for form in read}


def wrong_values(form: Form, values: Mapping[str, Any], *, whole: bool) -> list[str]:
    """A sentence for each value that cannot be. whole: False = a draft, which need not be filled in yet."""
    known = {field.name: field for field in form.fields()}
    wrong = [
        f"{name[:60]} is no field of {form.title}: it has {', '.join(known)}" for name in values if name not in known
    ]
    for name, field in known.items():
        value = values.get(name)
        if value is None or value == "":
            if whole and field.required:
                wrong.append(f"{field.title} ({name}) is missing: fill it in")
        else:
            sentence = _WRONG[field.kind](field, value)
            if sentence is not None:
                wrong.append(f"{field.title} ({name}): {sentence}")
    return wrong


def _wrong_text(field: FormField, value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        return f"a text of at most {TEXT_MAX} letters is needed"
    try:
        check_texts(field.name, value)
    except ValueError as wrong:
        return str(wrong)
    if field.pattern is not None and not fits(field.pattern, value):
        return f"{value[:40]!r} does not fit: {field.hint or field.pattern}"
    return None


def _wrong_count(field: FormField, value: Any) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    return None if fits else f"{str(value)[:40]} is no count: a whole number from 0 is needed"


def _wrong_number(field: FormField, value: Any) -> str | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    return None if fits and value <= 1e12 else f"{str(value)[:40]} is no number: one from 0 is needed"


def _wrong_time(field: FormField, value: Any) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= TIME_MAX_MS
    return None if fits else f"{str(value)[:40]} is no time: UTC milliseconds between 1970 and 2100 are needed"


def _wrong_place(field: FormField, value: Any) -> str | None:
    try:
        msgspec.convert(value, Position)
    except ValueError:
        return "a place is needed: lat_deg -90 to 90 and lon_deg -180 to 180"
    return None


def _wrong_choice(field: FormField, value: Any) -> str | None:
    return None if value in field.choices else f"{str(value)[:40]}: one of {', '.join(field.choices)}"


_WRONG = {
    "text": _wrong_text,
    "count": _wrong_count,
    "number": _wrong_number,
    "time": _wrong_time,
    "place": _wrong_place,
    "choice": _wrong_choice,
}
