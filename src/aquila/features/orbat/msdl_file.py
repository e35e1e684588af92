"""The order of battle as MSDL (Military Scenario Definition Language, SISO-STD-007-2008): the units of one side.

The schema's file was not at hand: names and order of elements are those of scenarios that public tools read and write
(namespace urn:sisostds:scenario:military:data:draft:msdl:1). Read without entities, without a DTD, without a network.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from aquila.core.symbol import cot_of_sidc, sidc_of_letters
from aquila.features.orbat.file_unit import (
    CONTENT_MAX,
    ROWS_MAX,
    Fault,
    FileParent,
    FileRead,
    FileUnit,
    FileWritten,
    losses_of,
)
from aquila.features.orbat.unit import ECHELONS, Branch, Unit

NAMESPACE = "urn:sisostds:scenario:military:data:draft:msdl:1"
MODEL = "http://www.sisostds.org/schemas/modelID"
NSMAP: Any = {None: NAMESPACE, "modelID": MODEL}
ORIGIN = uuid.UUID("0d5a9f52-6f0e-5c1b-9a63-0a1f3c7d2b44")
"""Under it ids become the UUIDs that the schema asks for, always the same."""
OURS = str(uuid.uuid5(ORIGIN, "own side"))
ECHELON_IN = {
    **{name: name for name in ECHELONS},
    **{"CREW": "TEAM", "DETACHMENT": "PLATOON", "BATTERY": "COMPANY", "TROOP": "COMPANY", "SQUADRON": "COMPANY"},
    **{"GROUP": "REGIMENT", "ARMYGROUP": "ARMY_GROUP", "FRONT": "ARMY_GROUP", "REGION": "THEATRE"},
}
ECHELON_OUT = {**{name: name for name in ECHELONS}, "ARMY_GROUP": "ARMYGROUP", "THEATRE": "REGION", "COMMAND": "REGION"}
RELATION_IN = {
    "NONE": "ORGANIC",
    "ATTACHED": "OPCOM",
    **{name: name for name in ("ORGANIC", "OPCON", "TACON", "ADCON")},
}
RELATION_OUT = {"ORGANIC": "ORGANIC", "OPCOM": "ATTACHED", "OPCON": "OPCON", "TACOM": "TACON", "TACON": "TACON"}
CARRIED = frozenset({"name", "parents", "echelon", "sidc"})
LETTER_OF = "ABCDEFGHIJKLMN"
"""Of an echelon by its place, TEAM first (2525C, letter 12 of a symbol)."""


def read_msdl(content: str, side: str = "") -> FileRead:
    """The units of one side and of those allied to it. side: its name; empty = the first of the file."""
    root = _root(content)
    if isinstance(root, Fault):
        return FileRead(faults=(root,))
    sides = {_text(each, "ObjectHandle"): each for each in root.iterfind("{*}ForceSides/{*}ForceSide")}
    wanted = next((handle for handle, each in sides.items() if side in ("", _text(each, "ForceSideName"))), None)
    if wanted is None and (side or sides):
        names = ", ".join(_text(each, "ForceSideName") for each in sides.values())
        return FileRead(faults=(Fault(line=0, text=f"there is no side {side[:60]!r} in it: {names[:300]} are"),))
    elements = root.findall("{*}Organizations/{*}Units/{*}Unit")
    if not elements or len(elements) > ROWS_MAX:
        return FileRead(faults=(Fault(line=0, text=f"{len(elements)} units in it: 1 to {ROWS_MAX} can be imported"),))
    units, faults, sides_of = _units(elements)
    allegiance = {handle: _text(each, "AllegianceHandle") for handle, each in sides.items()}
    ours = {handle for handle in sides if _allied(allegiance, handle, wanted)}
    above = {unit.key: unit.parents[0].ref for unit in units if unit.parents}
    kept = [unit for unit in units if not ours or _side(unit.key, above, sides_of) in (*ours, None)]
    notes = []
    if len(kept) < len(units):
        named = _text(sides[wanted], "ForceSideName") if wanted is not None else ""
        notes.append(f"left out, of other sides than {named}: {len(units) - len(kept)}")
    if any(element.iterfind("{*}Disposition//{*}Location") for element in elements):
        notes.append("places, formations and equipment of the scenario are not taken: units report where they are")
    return FileRead(units=tuple(kept), faults=tuple(faults), notes=tuple(notes))


def _root(content: str) -> etree._Element | Fault:
    if len(content) > CONTENT_MAX:
        return Fault(line=0, text=f"{len(content)} characters: at most {CONTENT_MAX}, import it in parts")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content.removeprefix("\ufeff").strip().encode(), parser)
    except etree.XMLSyntaxError as wrong:
        return Fault(line=wrong.lineno or 0, text=f"this is no XML: {str(wrong)[:200]}")
    document: Any = root.getroottree().docinfo
    if document.doctype:
        return Fault(line=1, text="it has a DOCTYPE, which MSDL does not need and which is not read: take it out")
    if etree.QName(root).localname != "MilitaryScenario":
        return Fault(
            line=1, text=f"it begins with {etree.QName(root).localname[:60]}: an MSDL file has MilitaryScenario"
        )
    return root


def _units(elements: Sequence[etree._Element]) -> tuple[list[FileUnit], list[Fault], dict[str, str]]:
    units: list[FileUnit] = []
    faults: list[Fault] = []
    sides_of: dict[str, str] = {}
    known: set[str] = set()
    for element in elements:
        placed: Any = element.sourceline
        line = int(placed or 0)
        handle, name = _text(element, "ObjectHandle"), _text(element, "Name")
        if not handle or not name or handle in known:
            faults.append(Fault(line=line, text="a unit needs a name and an ObjectHandle that no other has"))
            continue
        known.add(handle)
        relation = element.find("{*}Relations/{*}ForceRelation/{*}ForceRelationData")
        superior = "" if relation is None else _text(relation, "CommandRelation/{*}CommandingSuperiorHandle")
        said = "" if relation is None else _text(relation, "CommandRelation/{*}CommandRelationshipType")
        if relation is not None and not superior:
            sides_of[handle] = _text(relation, "ForceSideHandle")
        if said and said not in RELATION_IN:
            faults.append(Fault(line=line, text=f"relation {said[:40]}: {', '.join(RELATION_IN)} are known"))
            continue
        parents = (FileParent(ref=superior, relation=RELATION_IN[said or "ORGANIC"]),) if superior else ()
        units.append(FileUnit(line=line, key=handle, name=name, id=handle, fields=_fields(element), parents=parents))
    return units, faults, sides_of


def _fields(element: etree._Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    echelon = ECHELON_IN.get(_text(element, "UnitSymbolModifiers/{*}Echelon"))
    letters = _text(element, "SymbolIdentifier").upper()
    if echelon is None and len(letters) > 11 and letters[11] in LETTER_OF:
        echelon = ECHELONS[LETTER_OF.index(letters[11])]
    if echelon is not None:
        fields["echelon"] = echelon
    try:
        # Without a function the letters say no more than the echelon does.
        if letters[4:10].strip("-*") not in ("", "U"):
            fields["sidc"] = sidc_of_letters(letters[:1] + letters[1:2].replace("-", "F") + letters[2:])[0]
    except ValueError:
        pass  # A symbol of another scheme: the unit is taken without one.
    return fields


def _text(element: etree._Element, path: str) -> str:
    found = element.find("{*}" + path)
    return "" if found is None else (found.text or "").strip()


def _allied(allegiance: dict[str, str], handle: str, wanted: str | None) -> bool:
    seen: set[str] = set()
    while handle in allegiance and handle not in seen:
        if handle == wanted:
            return True
        seen.add(handle)
        handle = allegiance[handle]
    return False


def _side(key: str, above: dict[str, str], sides_of: dict[str, str]) -> str | None:
    """The side that a unit belongs to through those above it; None = the file does not say."""
    seen: set[str] = set()
    while key in above and key not in seen:
        seen.add(key)
        key = above[key]
    return sides_of.get(key)


def write_msdl(tree: Sequence[tuple[Branch, Unit]], at_ms: int, name: str) -> FileWritten:
    """The tree as a scenario of one side, parents first."""
    root = etree.Element(f"{{{NAMESPACE}}}MilitaryScenario", nsmap=NSMAP)
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    head = _add(root, "ScenarioID")
    for tag, text in (("name", name), ("type", "ORBAT"), ("version", "1"), ("modificationDate", at.date().isoformat())):
        etree.SubElement(head, f"{{{MODEL}}}{tag}").text = text
    _add(_add(root, "Options"), "MSDLVersion", "1.0")
    _add(_add(root, "Environment"), "ScenarioTime", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    side = _add(_add(root, "ForceSides"), "ForceSide")
    _add(side, "ObjectHandle", OURS)
    _add(side, "ForceSideName", "Own")
    units = _add(_add(root, "Organizations"), "Units")
    for branch, unit in tree:
        _add_unit(units, branch, unit)
    text = etree.tostring(root, encoding="unicode", pretty_print=True)
    return FileWritten(text=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', losses=tuple(_losses(tree)))


def _add_unit(units: etree._Element, branch: Branch, unit: Unit) -> None:
    element = _add(units, "Unit")
    _add(element, "ObjectHandle", _handle(branch.id))
    _add(element, "SymbolIdentifier", _letters(unit))
    _add(element, "Name", unit.name)
    if unit.echelon is not None:
        _add(_add(element, "UnitSymbolModifiers"), "Echelon", ECHELON_OUT[unit.echelon])
    relation = _add(_add(element, "Relations"), "ForceRelation")
    is_under = branch.depth > 0 and branch.parent is not None
    _add(relation, "ForceRelationChoice", "UNIT" if is_under else "FORCE_SIDE")
    data = _add(relation, "ForceRelationData")
    if is_under:
        assert branch.parent is not None
        command = _add(data, "CommandRelation")
        _add(command, "CommandingSuperiorHandle", _handle(branch.parent.unit))
        _add(command, "CommandRelationshipType", RELATION_OUT[branch.parent.relation])
    else:
        _add(data, "ForceSideHandle", OURS)


def _handle(id: str) -> str:
    try:
        return str(uuid.UUID(id))
    except ValueError:
        return str(uuid.uuid5(ORIGIN, id))


def _letters(unit: Unit) -> str:
    """15 letters of 2525C: friendly, present, its function as far as it has letters, its echelon."""
    function = "U"
    if unit.sidc is not None:
        atom = cot_of_sidc(unit.sidc).split("-")
        function = "".join(atom[3:]) if atom[0] == "a" and atom[2:3] == ["G"] else "U"
    place = -1 if unit.echelon is None else ECHELONS.index(unit.echelon)
    return f"SFGP{function[:6]:-<6}-{LETTER_OF[place] if place >= 0 else '-'}---"


def _losses(tree: Sequence[tuple[Branch, Unit]]) -> Iterator[str]:
    yield from losses_of((unit for _, unit in tree), CARRIED)
    if any(len(unit.parents) > 1 for _, unit in tree):
        yield "only the relation that holds at the time is written"
    if any(branch.parent is not None and branch.parent.relation == "TACOM" for branch, _ in tree):
        yield "TACOM is written as TACON, which is the nearest that MSDL has"
    if any(unit.echelon in ("THEATRE", "COMMAND") for _, unit in tree):
        yield "theatre and command are written as REGION"
    if any(unit.sidc is not None for _, unit in tree):
        yield "symbols are written with the letters of 2525C, which say less than digits"


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = text
    return element
