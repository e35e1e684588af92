"""The order of battle as indented text: a line is a unit, what is further in stands under it, bars part its fields.

MN BDE | echelon BRIGADE | nation ITA
1 MTN BN | echelon BATTALION | strength 600/580/550
A COY | OPCON
"""

from collections.abc import Sequence
from typing import Any, get_args

from aquila.features.orbat.file_unit import (
    DEPTH_MAX,
    ROWS_MAX,
    Fault,
    FileParent,
    FileRead,
    FileUnit,
    FileWritten,
    escaped,
    losses_of,
    number_of,
    number_text,
    plain,
    split,
)
from aquila.features.orbat.unit import ECHELONS, Branch, Relation, Unit

RELATIONS = get_args(Relation)
WORDS = ("echelon", "nation", "short", "sidc", "branch", "callsigns", "strength")
CARRIED = frozenset({"name", "parents", *WORDS})
MARKS = "|;/"
TAB = 4


def read_text(content: str) -> FileRead:
    """The units of indented text; a line that begins with # is a remark."""
    units: list[FileUnit] = []
    faults: list[Fault] = []
    above: list[tuple[int, str]] = []
    for number, raw in enumerate(content.splitlines(), 1):
        line = raw.expandtabs(TAB)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        while above and above[-1][0] >= indent:
            above.pop()
        try:
            units.append(_unit(number, line.strip(" "), above[-1][1] if above else None))
        except ValueError as wrong:
            faults.append(Fault(line=number, text=str(wrong)))
        above.append((indent, f"line {number}"))
        if len(above) > DEPTH_MAX or len(units) > ROWS_MAX:
            return FileRead(faults=(Fault(line=number, text=f"more than {DEPTH_MAX} levels or {ROWS_MAX} units"),))
    return FileRead(units=tuple(units), faults=tuple(faults))


def _unit(number: int, line: str, parent: str | None) -> FileUnit:
    name, *said = split(line, "|")
    fields: dict[str, Any] = {}
    relation = "ORGANIC"
    for part in filter(None, said):
        word, _, value = part.partition(" ")
        if part in RELATIONS:
            relation = part
        elif part in ECHELONS:
            fields["echelon"] = part
        elif word in WORDS and value:
            fields[word] = _value(word, value.strip(" "))
        else:
            raise ValueError(f"{part[:60]!r} is not understood: write one of {', '.join(WORDS)}, or a relation")
    if not name:
        raise ValueError("the line has no name before the bar: write the unit's name first")
    parents = () if parent is None else (FileParent(ref=parent, relation=relation),)
    return FileUnit(line=number, key=f"line {number}", name=plain(name), fields=fields, parents=parents)


def _value(word: str, value: str) -> Any:
    if word == "callsigns":
        return [plain(each) for each in split(value, ";")]
    if word != "strength":
        return plain(value)
    counts = [number_of(each, "strength") for each in split(value, "/")]
    if len(counts) > 3:
        raise ValueError(f"strength {value[:40]!r}: authorised/assigned/present, for instance 120/110/98")
    return dict(zip(("authorised", "assigned", "present"), counts, strict=False))


def write_text(tree: Sequence[tuple[Branch, Unit]]) -> FileWritten:
    """The tree as indented text, parents first."""
    lines = []
    for branch, unit in tree:
        said = [_said(word, getattr(unit, word)) for word in WORDS if getattr(unit, word)]
        if branch.depth and branch.parent is not None and branch.parent.relation != "ORGANIC":
            said.append(branch.parent.relation)
        name = escaped(unit.name, MARKS)
        lines.append(" " * TAB * branch.depth + " | ".join(("\\" + name if name.startswith("#") else name, *said)))
    others = [unit for _, unit in tree if len(unit.parents) > 1]
    losses = (
        (f"only the relation that holds at the time is written; units that have others: {len(others)}",)
        if others
        else ()
    )
    return FileWritten(text="\n".join([*lines, ""]), losses=(*losses, *losses_of((unit for _, unit in tree), CARRIED)))


def _said(word: str, value: Any) -> str:
    if word == "callsigns":
        return f"{word} {'; '.join(escaped(each, MARKS) for each in value)}"
    if word == "strength":
        return f"{word} {'/'.join(number_text(each) for each in (value.authorised, value.assigned, value.present))}"
    return f"{word} {escaped(value, MARKS)}"
