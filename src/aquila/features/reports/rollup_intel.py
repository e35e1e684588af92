"""What intelligence keeps, as sentences of a summary: claims of the period with their grades, and only with a source.

Persons are never in it. A sentence carries the most restrictive label of its subject and of its sources; who may not
read one of the sources does not get the sentence.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from aquila.core.feature import Reading, readable_entry
from aquila.core.ids import derived_id
from aquila.core.model import Label
from aquila.core.papers import Papers, Thing
from aquila.core.policy import derive
from aquila.core.tongue import Tongue
from aquila.core.view import view_of

SUBJECT, GRADE = "intel.subject", "intel.grade"


class Sourced(NamedTuple):
    """A sentence, the entries that it stands on, and its label."""

    text: str
    notes: tuple[str, ...]
    label: Label


def grade_of(reading: Reading, entry: str) -> str:
    """How an entry was graded last, "B2"; "" = nobody has graded it, or not for this asker."""
    if "intel" not in reading.views:
        return ""
    thing = view_of(reading.views, "intel", Papers).thing(reading, derived_id(GRADE, 1, entry), GRADE)
    return "" if thing is None else f"{thing.get('reliability', 'F')}{thing.get('credibility', '6')}"


def claims_between(reading: Reading, from_ms: int, until_ms: int, tongue: Tongue) -> Iterator[Sourced]:
    """Claims about groups, places, vehicles and events that were made in this time and are not withdrawn."""
    if "intel" not in reading.views:
        return
    for thing in view_of(reading.views, "intel", Papers).things(reading, SUBJECT):
        for name, value in thing.fields().items():
            step = thing.writers()[name]
            if name.startswith("claim.") and from_ms < step.at_ms <= until_ms and value.get("text"):
                told = _sentence(reading, thing, name.removeprefix("claim."), value, step.label, tongue)
                if told is not None:
                    yield told


def _sentence(
    reading: Reading, thing: Thing, claim: str, value: dict[str, Any], label: Label, tongue: Tongue
) -> Sourced | None:
    prefix = f"src.{claim}."
    named = {name.removeprefix(prefix): stance for name, stance in thing.fields().items() if name.startswith(prefix)}
    entries = {id: readable_entry(reading, id) for id in named}
    if any(entry is None for entry in entries.values()):
        return None
    grades = [f"{id_grade}" for id in named if (id_grade := grade_of(reading, id))]
    marks = ", ".join(
        dict.fromkeys(grades + ([tongue.say("intel.print.disputed")] if "denies" in named.values() else []))
    )
    labels = [thing.first.label, label, *(entry.envelope.label for entry in entries.values() if entry is not None)]
    text = f"{thing.get('name')}: {value['text']}{f' ({marks})' if marks else ''}"
    return Sourced(text, tuple(named), derive(reading.policy, labels))
