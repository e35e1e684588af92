"""What a patrol, a convoy or an aircraft says of itself: it departs, returns, halts or passes a checkpoint."""

import msgspec

from aquila.features.log.line.draft import LinePart
from aquila.features.log.line.names import PHONETIC
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spelling import key_of

ON_PATROL = ("patrol", "convoy", "helicopter", "platoon", "squad", "team", "group")
"""Nouns of units whose moves are a patrol; a medic or a reserve that leaves is a note."""
BEFORE_MAX = 3
"""Words between a verb and the unit behind it: alle 6 partita PTL5."""
WITHIN_MAX = 12
RESERVE = "qrf"
STRANGERS = frozenset({"man", "woman", "child", "civilian", "protester"})
OWN = frozenset({"people", "vehicle"})


def own_move(sheet: Sheet) -> str | None:
    """The kind that follows from what the unit says of itself: patrol, checkpoint; None = neither."""
    unit = next((part for part in sheet.parts if part.field == "unit" and part.end > part.start), None)
    both = {part.value["what"] for part in sheet.parts if part.field == "size" and part.value} >= OWN
    goes = unit is not None and (on_patrol(sheet, unit) or (sheet.has("size") and _is_reserve(unit)))
    if unit is None or not goes or not all(_is_own(sheet, part, unit, both) for part in sheet.parts):
        return None
    start, stop = sheet.token_range(unit.start, unit.end)
    counted = [
        part.start
        for part in sheet.parts
        if part.field == "size" and part.start >= unit.end and "no number is said" not in (part.note or "")
    ]
    # Who counts vehicles and people behind his name counts his own, and what he does may stand behind them.
    limit = len(sheet.line) if both else min(counted, default=len(sheet.line))
    said = [
        category
        for index in _near(sheet, start, stop, limit)
        for category in ("own_move", "own_pass", "own_reach")
        if _begins(sheet, index, category)
    ]
    if "own_move" in said or (both and _opens_plainly(sheet, unit)):
        return "patrol"
    if "own_reach" in said and not _names_post(sheet):
        return "patrol"
    return "checkpoint" if said and _names_post(sheet) else None


def _opens_plainly(sheet: Sheet, unit: LinePart) -> bool:
    """PTL8 6 pax 2 veh fr UNP 1-26 to Tibnin: who opens the line, counts people and vehicles and tells of nobody else.

    A colon behind the unit, a grid or an offset says that it tells what it sees.
    """
    _, stop = sheet.token_range(unit.start, unit.end)
    places = [part.value for part in sheet.parts if part.field == "place"]
    return (
        not sheet.is_mark(stop, ":")
        and not any(sheet.anywhere(category) for category in ("seen", "halting"))
        and not any(
            sheet.means(at, "kind_weak", "spot") or (sheet.tagged(at, "direction") and sheet.free(at, at + 1))
            for at in range(len(sheet.tokens))
        )
        and all(value is not None and value["sort"] == "name" and value.get("relation") != "near" for value in places)
        and bool(places)
    )


def nameless_move(sheet: Sheet) -> str | None:
    """Convoy 4 trucks left Naqoura, UN helo wheels up: one of ours without a callsign opens the line and departs."""
    at = 0
    while at < len(sheet.tokens) and sheet.tagged(at, "ours"):
        at += 1
    ours = at > 0
    convoy = sheet.means(at, "unit_form", "convoy")
    if not (convoy or (ours and sheet.tagged(at, "aircraft"))) or sheet.tagged(at + 1, "of"):
        return None
    if any(part.field == "unit" and sheet.token_range(part.start, part.end)[0] <= at for part in sheet.parts):
        return None
    if not (sheet.has("place") or sheet.has("size")):
        return None
    within = range(at + 1, min(at + 1 + WITHIN_MAX, len(sheet.tokens)))
    return "patrol" if any(_begins(sheet, index, "own_move") for index in within) else None


def _is_reserve(unit: LinePart) -> bool:
    """QRF left, 2 veh 9 pax: a reserve that counts its own is on the road as a patrol is."""
    return str((unit.value or {}).get("name", "")).casefold() == RESERVE


def plain_own_men(sheet: Sheet) -> None:
    """Count the men of a patrol that counts its vehicles as people: 8 uomini 2 mezzi; sorts are of strangers."""
    unit = next((part for part in sheet.parts if part.field == "unit" and part.end > part.start), None)
    kinds = {part.value["kind"] for part in sheet.parts if part.field == "kind" and part.value}
    both = {part.value["what"] for part in sheet.parts if part.field == "size" and part.value} >= OWN
    if unit is None or "patrol" not in kinds or not both:
        return
    for at, part in enumerate(sheet.parts):
        if part.field == "size" and part.value and part.value["sort"] == "man" and not part.value.get("detail"):
            sheet.parts[at] = msgspec.structs.replace(part, value=part.value | {"sort": None})


def _near(sheet: Sheet, start: int, stop: int, limit: int) -> list[int]:
    """Words behind the unit up to a colon or what is counted, and the few right before it."""
    behind = []
    for index in range(stop, min(stop + WITHIN_MAX, len(sheet.tokens))):
        colon = sheet.is_mark(index, ":")
        if colon or sheet.tokens[index].start >= limit:
            break
        behind.append(index)
    before = []
    for index in range(start - 1, max(start - 1 - BEFORE_MAX, -1), -1):
        if sheet.tokens[index].sort == "mark":
            break
        before.append(index)
    return behind + before


def _begins(sheet: Sheet, index: int, category: str) -> bool:
    """As it is written, and not denied."""
    spelled = any(
        not match.typo and any(tag.category == category for tag in match.tags) for match in sheet.matches(index)
    )
    return spelled and not sheet.tagged(index - 1, "zero", "negated") and index not in sheet.aside


def on_patrol(sheet: Sheet, unit: LinePart) -> bool:
    """Is the unit of this part one that goes on patrols: by its noun, by a phonetic word or by its callsign?"""
    start, stop = sheet.token_range(unit.start, unit.end)
    named = key_of(str((unit.value or {}).get("name", "")).split(" ")[0])
    return named in PHONETIC or named.rstrip("0123456789") in ("ptl", "convoy", "helo") or any(
        sheet.means(index, "unit_form", form) for index in range(start, stop) for form in ON_PATROL
    )  # fmt: skip


def _is_own(sheet: Sheet, part: LinePart, unit: LinePart, both: bool) -> bool:
    """Does this part leave it open that the unit tells of itself? Strangers, animals and the hurt do not."""
    if part.value is None or part.field not in ("size", "casualty"):
        return True
    own = part.field == "size" and part.value["what"] in OWN
    # 2 mezzi 7 uomini: who counts his vehicles and his men counts his own.
    men = part.value.get("sort") == "man" and (both or _ends_line(sheet, part))
    own = own and (part.value["sort"] not in STRANGERS or men)
    # 11 pax 3 veh PTL3 back in camp: what it counts before its name has no sort.
    before = own and part.value["sort"] is None and _goes_at_once(sheet, unit)
    return own and (part.start >= unit.end or before) and not part.value.get("detail")


def _ends_line(sheet: Sheet, part: LinePart) -> bool:
    """PTL1 leaving OP 6 on foot, four men, 0215: nothing but fields stands behind the men, who do nothing."""
    _, stop = sheet.token_range(part.start, part.end)
    places = any(
        other.field in ("place", "direction", "activity") and other.start > part.start for other in sheet.parts
    )
    return not places and not any(
        sheet.free(at, at + 1) and sheet.tokens[at].sort != "mark" for at in range(stop, len(sheet.tokens))
    )


def _goes_at_once(sheet: Sheet, unit: LinePart) -> bool:
    _, stop = sheet.token_range(unit.start, unit.end)
    return stop < len(sheet.tokens) and _begins(sheet, stop, "own_move")


def _names_post(sheet: Sheet) -> bool:
    names = [str(part.value.get("name", "")) for part in sheet.parts if part.field == "place" and part.value]
    return any(
        name.casefold().startswith(("cp", "checkpoint", "кт", "кпп", "wp", "rp", "kt"))
        or any(sheet.meaning(word, "place_form") == "bridge" for word in name.split())
        for name in names
    )
