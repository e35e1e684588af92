"""Where, by a name of the picture, alone or behind a word such as near."""
# ruff: noqa: RUF002  # Cyrillic letters are what people type

from typing import Any

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.names import Name, Names, name_at
from aquila.features.log.line.places import ARTICLES, FROM, point_of, sighted
from aquila.features.log.line.sheet import Sheet


def read_named(sheet: Sheet, names: Names) -> None:
    """Claim names of places, behind a word such as `near` or alone; units only behind one."""
    index = 0
    while index < len(sheet.tokens):
        reader = _midway(sheet, names, index) or _beyond(sheet, names, index) or _prepositioned(sheet, names, index)
        index = max(reader or _alone(sheet, names, index) or 0, index + 1)


def _midway(sheet: Sheet, names: Names, index: int) -> int | None:
    """Between A and B; tra A e B; A мен B арасында: two places, and neither is the one."""
    word = sheet.word(index, "midway")
    at = index if word is None or word.typo else word.stop
    first = sighted(sheet, names, at)
    joint = None if first is None else sheet.word(first.stop, "and")
    second = None if joint is None else sighted(sheet, names, joint.stop)
    if first is None or second is None:
        return None
    after = sheet.word(second.stop, "midway_after")
    if at == index and after is None:
        return None
    doubt = f"between {_called(first)} and {_called(second)}: where is not said"
    _claim_name(sheet, index, first, "near", doubt=doubt)
    _claim_name(sheet, second.start, second, "near", doubt=doubt)
    return second.stop


def _called(name: Name) -> str:
    return name.known.name if name.known is not None else name.close[0].name


def _beyond(sheet: Sheet, names: Names, index: int) -> int | None:
    """Past Alma, short of CP 4, prima di Tibnin: near the place, and not at it."""
    word = sheet.word(index, "beyond")
    if word is None or word.typo:
        return None
    name = sighted(sheet, names, word.stop)
    if name is None:
        return None
    text = sheet.line[sheet.tokens[index].start : sheet.tokens[word.stop - 1].end]
    doubt = f"how far {text} {_called(name)} is not said"
    if sheet.tokens[index].norm in SOFT:
        doubt = f"{text} can be read in two ways"
    _claim_name(sheet, index, name, "near", doubt=doubt)
    return name.stop


SOFT = frozenset({"за", "до", "passe", "passato"})


def _prepositioned(sheet: Sheet, names: Names, index: int) -> int | None:
    word = sheet.word(index, "near")
    if word is None or word.typo:
        return None
    at = word.stop
    deeper = sheet.word(at, "near")
    if deeper is not None and not deeper.typo and name_at(sheet, names, at) is None:
        at = deeper.stop
    while sheet.is_mark(at, ":.") or (sheet.free(at, at + 1) and sheet.tokens[at].norm in ARTICLES):
        at += 1
    relation = "near" if any(tag.value == "near" for tag in word.tags) else "at"
    name = name_at(sheet, names, at, loose=True)
    if name is None:
        return None
    if name.known is None and not name.close and not _placelike(sheet, name):
        return None
    mobile = name.known is not None and name.known.sort == "unit" and relation == "at"
    _claim_name(sheet, index, name, relation, doubt=f"{name.text} moves, or is spoken to" if mobile else "")
    return name.stop


def _placelike(sheet: Sheet, name: Name) -> bool:
    """An unknown name is taken for a place when it is no unit, and no plain word such as base."""
    if name.text.islower() and not any(char.isdigit() for char in name.text):
        return False
    return sheet.tagged(name.start, "post") or not sheet.tagged(name.start, "unit")


def _alone(sheet: Sheet, names: Names, index: int) -> int | None:
    name = name_at(sheet, names, index)
    if name is None:
        return None
    if name.known is not None and name.known.sort != "place":
        return None
    if name.known is None and not any(known.sort == "place" for known in name.close):
        # CP 4, OP 5: the shape of a post that nobody has put on the map.
        if not sheet.tagged(index, "post") or name.stop - name.start < 2:
            return None
    _claim_name(sheet, index, name, "at")
    return name.stop


def _points(sheet: Sheet, at: int) -> bool:
    """NW outskirts of Alma: is this a point of the compass that no field took?"""
    return sheet.free(at, at + 1) and len(sheet.tokens[at].text) > 1 and sheet.tagged(at, "direction")


POINT_LETTERS = ("N", "S", "E", "W")


def _polar(sheet: Sheet, at: int) -> bool:
    """CP 4 045/2000: three digits, a slash and a number, none of which a field took."""
    if not sheet.free(at, at + 3):
        return False
    first, joint, last = sheet.tokens[at : at + 3]
    return first.sort == last.sort == "digits" and len(first.text) == BEARING_DIGITS and joint.text == "/"


BEARING_DIGITS = 3


def _only_towards(sheet: Sheet, start: int, stop: int) -> bool:
    """Direction Tibnin, en direction d'Alma, со стороны Алмы, Алма жақтан."""
    return (
        sheet.ends(start, "bearing_of") is not None
        or sheet.tagged(start, "bearing_of")
        or sheet.tagged(stop, "bearing_after")
    )


def _claim_name(sheet: Sheet, start: int, name: Name, relation: str, *, doubt: str = "") -> None:
    known = name.known or (name.close[0] if name.close else None)
    value: dict[str, Any] = {"sort": "name", "name": name.text if known is None else known.name, "relation": relation}
    notes, choices = [doubt] if doubt else [], []
    if known is not None and known.lat_deg is not None and known.lon_deg is not None:
        value |= point_of(known.lat_deg, known.lon_deg) | {"id": known.id}
        if known.spread:
            notes.append(known.spread)
    else:
        value |= {"lat_deg": None, "lon_deg": None}
        notes.append(f"where {value['name']} is, is not known here")
    if any(_points(sheet, at) for at in range(start - 3, start)):
        notes.append("a direction stands before it that is not counted in")
    if start > 0 and sheet.free(start - 1, start) and sheet.tokens[start - 1].text in POINT_LETTERS:
        notes.append("a letter before it may say on which side of it")
    if _polar(sheet, name.stop):
        notes.append("a bearing and a distance may stand behind it")
    if any(_points(sheet, at) for at in range(name.stop, name.stop + 4)):
        notes.append("a direction stands behind it that is not counted in")
    if sheet.tokens[start].norm in FROM and any(
        part.field == "direction" and part.end == sheet.tokens[start - 1].end for part in sheet.parts
    ):
        notes.append("a direction stands before it: from there, or on that side of it")
    if _only_towards(sheet, start, name.stop):
        notes.append("a direction, and no place where it is")
    if sheet.tagged(start - 1, "kind") and sheet.tokens[start].norm in FROM:
        notes.append("it may be who sends it")
    if sheet.ends(start, "minute") is not None and sheet.tokens[start].norm in FROM:
        notes.append("the time that it takes from there is not counted in")
    if sheet.ends(start, "distance") is not None:
        notes.append("a distance stands before it that is not counted in")
    if name.known is None and name.close:
        notes.append(f"{name.text} is read as {name.close[0].name}")
        choices = [
            LineChoice(label=each.name, value={"sort": "name", "name": each.name, "lat_deg": each.lat_deg,
                                           "lon_deg": each.lon_deg, "relation": relation})
            for each in name.close[1:]
        ]  # fmt: skip
        choices.append(LineChoice(label=f"{name.text}, as typed", value={"sort": "name", "name": name.text,
                                                                      "lat_deg": None, "lon_deg": None}))  # fmt: skip
    sheet.claim(
        start, name.stop, "place", value,
        confidence="unsure" if notes else "sure", alternatives=choices, note="; ".join(notes) or None,
    )  # fmt: skip
