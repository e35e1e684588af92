"""Speed, height and direction of movement in a line, with their units."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

from typing import Any

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.geodesy import POINTS
from aquila.features.log.line.numbers import Number, decimal_at, spaced_at
from aquila.features.log.line.sheet import Found, Sheet

FOOT_M = 0.3048
SPEED_MAX_MPS = 1_000.0
HEIGHT_MAX_M = 30_000.0
LEVEL_MAX = 660


def read_speed(sheet: Sheet) -> None:
    """Claim numbers with a unit of speed."""
    index = 0
    while index < len(sheet.tokens):
        number = decimal_at(sheet, index)
        unit = None if number is None else sheet.word(number.stop, "speed")
        if number is None or unit is None or unit.typo:
            index += 1
            continue
        if _is_wind(sheet, index) or (sheet.tokens[number.stop].norm == "nd" and sheet.tagged(unit.stop, "unit")):
            # 2nd coy
            index = unit.stop
            continue
        start = index
        about = sheet.ends(start, "about")
        start = start if about is None else about.start
        if sheet.is_mark(start - 1, "~:"):
            start -= 1
        word = sheet.ends(start, "speed_word")
        start = start if word is None else word.start
        speed_mps = number.amount * float(unit.value)
        if speed_mps > SPEED_MAX_MPS:
            sheet.claim(start, unit.stop, "speed", None, problem=f"speed {speed_mps:.0f} m/s: at most 1000 m/s")
        else:
            sheet.claim(start, unit.stop, "speed", {"speed_mps": round(speed_mps, 3)})
        index = unit.stop


def _is_wind(sheet: Sheet, index: int) -> bool:
    """Wind 250/15 kt: the speed of the air is part of the weather."""
    glued = sheet.is_mark(index - 1, "/") and not sheet.tokens[index].gap
    return glued or any(sheet.tagged(before, "wind") for before in range(index - 4, index))


def read_altitude(sheet: Sheet) -> None:
    """Claim heights: a word for height and a number, a flight level, a number of feet, metres above the sea."""
    for index in range(len(sheet.tokens)):
        if sheet.free(index, index + 1):
            _level(sheet, index) or _worded_height(sheet, index) or _plain_height(sheet, index)


def read_height_behind(sheet: Sheet) -> None:
    """Claim metres right behind the name of a place, 3375m: unsure, it may be a distance as well."""
    for part in [each for each in sheet.parts if each.field == "place" and each.value and each.end > each.start]:
        if part.value is None or part.value["sort"] != "name":
            continue
        _, stop = sheet.token_range(part.start, part.end)
        number = decimal_at(sheet, stop)
        unit = None if number is None else sheet.word(number.stop, "distance")
        if number is None or unit is None or unit.typo or unit.value != "1" or not 100 <= number.amount <= 9000:
            continue
        value = {"altitude_m": round(number.amount, 1), "above": "unknown"}
        sheet.claim(stop, unit.stop, "altitude", value, confidence="unsure", note="a height, or a distance from there")
        sheet.question(part, "a number of metres stands behind it")


def _level(sheet: Sheet, index: int) -> bool:
    word = sheet.word(index, "level")
    if word is None or word.typo or not sheet.free(word.stop, word.stop + 1):
        return False
    token = sheet.tokens[word.stop]
    if token.sort != "digits" or len(token.text) not in (2, 3):
        return False
    level = int(token.text)
    if level > LEVEL_MAX:
        sheet.claim(index, word.stop + 1, "altitude", None, problem=f"flight level {level}: 0 to {LEVEL_MAX}")
        return True
    value = {"altitude_m": round(level * 100 * FOOT_M, 1), "above": "pressure", "level": level}
    sheet.claim(index, word.stop + 1, "altitude", value)
    return True


def _worded_height(sheet: Sheet, index: int) -> bool:
    word = sheet.word(index, "height")
    if word is None or word.typo:
        return False
    at = word.stop
    while sheet.is_mark(at, ".:=~"):
        at += 1
    about = sheet.word(at, "about")
    at = at if about is None else about.stop
    number = spaced_at(sheet, at) or decimal_at(sheet, at)
    if number is None:
        return False
    unit = sheet.word(number.stop, "distance")
    if (
        len(sheet.tokens[index].norm) == 1
        and unit is None
        and len(f"{number.thousands or number.amount:g}") not in (3, 4)
    ):
        return False
    _claim_height(sheet, index, number, unit)
    return True


OFF_WITHIN = 6
"""Words before a number of metres among which an azimuth or a direction makes a distance of it."""
HIGH_M = 1000
"""Metres from which a group that is `at` them is so high, and not so far."""


def _stands_high(sheet: Sheet, index: int, unit: Found, metres: float) -> bool:
    """Group 2 at 2450 m, gruppo 3 a 2100 m: a word for `at` before so many metres, and nothing that they lie from."""
    at = sheet.means(index - 1, "near", "at") or sheet.tagged(index - 1, "speed_word")
    off = sheet.tagged(unit.stop, "direction", "of", "beyond", "azimuth", "bound")
    return unit.value == "1" and at and not off and metres >= HIGH_M


def _stands_apart(sheet: Sheet, index: int, unit: Found, metres: float) -> bool:
    """1 blessé grave, 2780 m, 300 m S Rifugio: so many metres in a phrase of their own are how high it is."""
    ends = unit.stop >= len(sheet.tokens) or sheet.is_mark(unit.stop, ",;")
    off = any(sheet.tagged(at, "direction", "how_far", "azimuth", "of") for at in range(index - OFF_WITHIN, index))
    return unit.value == "1" and ends and metres >= HIGH_M and not off


def _plain_height(sheet: Sheet, index: int) -> bool:
    """3000 ft; 1500 m ASL; 150 m di quota; metres and feet of an aircraft. Metres of anything else are a distance."""
    number = spaced_at(sheet, index) or decimal_at(sheet, index)
    unit = None if number is None else sheet.word(number.stop, "distance")
    if number is None or unit is None or unit.typo:
        return False
    feet, aircraft = unit.value == "0.3048", sheet.anywhere("aircraft")
    off = sheet.word(unit.stop, "direction", "of", "beyond") is not None
    said = sheet.word(unit.stop, "datum", "height_after") is not None
    # Helos 1500 ft N of Alma: nobody measures the ground in feet.
    high = (feet and (aircraft or not off)) or (
        aircraft and unit.value == "1" and _of_aircraft(sheet, index, unit.stop)
    )
    metres = number.thousands or number.amount
    standing = (
        not said
        and not high
        and (_stands_high(sheet, index, unit, metres) or _stands_apart(sheet, index, unit, metres))
    )
    if not said and not high and not standing:
        return False
    if said and not (aircraft or standing or sheet.word(unit.stop, "datum") or number.amount >= HIGH_M):
        # 50 m up the road, 100 m sopra Alma: a distance, unless something flies there.
        if sheet.tokens[unit.stop].norm in DISTANT_TOO:
            return False
    start = index
    word = sheet.ends(index, "speed_word")
    if word is not None and word.stop - word.start == 1 and sheet.tagged(word.start, "near", "at_time"):
        start = word.start
    _claim_height(sheet, start, number, unit, doubt="" if said or feet else "a height, or a distance")
    return True


DISTANT_TOO = frozenset({"up", "sopra", "au", "над", "high", "overhead"})
"""Words behind metres that are told of a distance as well."""


def _of_aircraft(sheet: Sheet, index: int, stop: int) -> bool:
    """Drone fermo a 120 m: a word for `at` before, and neither direction nor place behind."""
    if not sheet.tagged(index - 1, "speed_word") or sheet.tagged(stop, "direction", "of", "beyond", "near", "azimuth"):
        return False
    return not sheet.tagged(stop + 1, "direction")


def _claim_height(sheet: Sheet, start: int, number: Number, unit: Found | None, doubt: str = "") -> None:
    stop = number.stop if unit is None else unit.stop
    datum = sheet.word(stop, "datum")
    behind = sheet.word(stop, "datum", "height_after")
    stop = stop if behind is None else behind.stop
    factor = 1.0 if unit is None else float(unit.value)
    above = "unknown" if datum is None else datum.value
    amount, choices, notes = number.amount, [], [doubt] if doubt else []
    if number.thousands is not None:
        # 3,000 ft and 3.000 m are thousands; nobody writes a height to the millimetre.
        amount = number.thousands
    if unit is None:
        notes.append("no unit: read as metres")
        choices.append(LineChoice(label="feet", value=_height(amount * FOOT_M, above)))
    if amount * factor > HEIGHT_MAX_M:
        problem = f"height {amount * factor:.0f} m: at most {HEIGHT_MAX_M:.0f} m"
        sheet.claim(start, stop, "altitude", None, problem=problem)
        return
    sheet.claim(
        start, stop, "altitude", _height(amount * factor, above),
        confidence="unsure" if notes else "sure", alternatives=choices, note="; ".join(notes) or None,
    )  # fmt: skip


def _height(altitude_m: float, above: str) -> dict[str, Any]:
    return {"altitude_m": round(altitude_m, 1), "above": above}


# -- direction ---------------------------------------------------------------------------------------------------------


def point_at(sheet: Sheet, index: int) -> Found | None:
    """A compass point at this word."""
    return sheet.word(index, "direction")


def is_letter(sheet: Sheet, found: Found) -> bool:
    """Is this point one letter only, so that it may be another word?"""
    return found.stop - found.start == 1 and len(sheet.tokens[found.start].norm) == 1


def read_direction(sheet: Sheet) -> None:
    """Claim where something moves: moving N, heading 270, verso nord, на север, southbound."""
    for index in range(len(sheet.tokens)):
        if sheet.free(index, index + 1):
            _across(sheet, index) or _bound(sheet, index) or _course(sheet, index) or _moving(sheet, index)


def _across(sheet: Sheet, index: int) -> bool:
    """N to S; da nord a sud; с севера на юг: towards the second point."""
    first = point_at(sheet, index)
    joint = None if first is None or first.typo else sheet.word(first.stop, "towards", "and")
    at = -1 if joint is None or joint.typo else joint.stop
    while at > 0 and sheet.free(at, at + 1) and sheet.tokens[at].norm in ("le", "l", "'", "’", "il", "the"):
        at += 1
    last = None if at < 0 else point_at(sheet, at)
    if first is None or joint is None or last is None or last.typo or sheet.tokens[first.stop].norm in NOT_TOWARDS:
        return False
    start = sheet.ends(index, "of", "since", "near")
    _claim_point(sheet, index if start is None else start.start, last.stop, last)
    return True


NOT_TOWARDS = frozenset({"and", "e", "et", "и", "/", "of", "de", "-"})


def _bound(sheet: Sheet, index: int) -> bool:
    found = sheet.word(index, "bound")
    if found is not None:
        _claim_point(sheet, index, found.stop, found)
        return True
    point = point_at(sheet, index)
    if point is None or point.typo or not sheet.free(point.stop, point.stop + 1):
        return False
    after = sheet.tokens[point.stop]
    if sheet.is_mark(point.stop, "-") and sheet.free(point.stop + 1, point.stop + 2):
        after, stop = sheet.tokens[point.stop + 1], point.stop + 2
    else:
        stop = point.stop + 1
    if after.norm != "bound":
        return False
    _claim_point(sheet, index, stop, point)
    return True


def _course(sheet: Sheet, index: int) -> bool:
    """Hdg 270; курс 045; cap 270; bearing with degrees only."""
    word = sheet.word(index, "course")
    if word is None or word.typo:
        return False
    at = word.stop
    while sheet.is_mark(at, ":=."):
        at += 1
    number = decimal_at(sheet, at)
    if number is None or sheet.tagged(number.stop, "distance", "speed", "people", "vehicle"):
        return False
    unit = sheet.word(number.stop, "degree")
    short = unit is None and len(number.digits) == 2 and _steers(sheet, index, number.stop)
    if unit is None and len(number.digits) != 3 and not short:
        return False
    factor = 1.0 if unit is None else float(unit.value)
    course_deg = number.amount * factor
    stop = number.stop if unit is None else unit.stop
    if course_deg > 360:
        sheet.claim(index, stop, "direction", None, problem=f"direction {number.amount:g}: 000 to 360 degrees")
    else:
        value = {"course_deg": round(course_deg, 1) % 360, "point": None}
        note = "two digits are read as degrees" if short else None
        sheet.claim(index, stop, "direction", value, confidence="unsure" if short else "sure", note=note)
    return True


STEERS = frozenset({"hdg", "heading", "crs", "course", "курс", "курсом", "kurs", "cap", "rotta", "prua"})
"""Words for a course that nothing else is called by; `track 12` may be a road."""


def _steers(sheet: Sheet, index: int, stop: int) -> bool:
    """Курс 90: two digits are degrees when no unit, no mark and no other number follows."""
    after = sheet.tokens[stop] if stop < len(sheet.tokens) else None
    alone = after is None or (after.gap and after.sort != "digits") or after.text in ",;"
    return sheet.tokens[index].norm in STEERS and alone and not sheet.tagged(stop, "minute", "hour_mark", "quantity")


def _moving(sheet: Sheet, index: int) -> bool:
    """A word for movement or `towards`, then a compass point."""
    word = sheet.word(index, "moving", "towards")
    if word is None or (word.typo and word.ambiguous):
        return False
    at = word.stop
    for _ in range(2):
        more = sheet.word(at, "towards", "moving")
        if more is not None and not more.typo and point_at(sheet, more.stop) is not None:
            at = more.stop
        elif sheet.is_mark(at, ":'’"):
            at += 1
        elif sheet.free(at, at + 1) and sheet.tokens[at].norm in ("il", "le", "l", "the", "due", "al", "la"):
            at += 1
    point = point_at(sheet, at)
    if point is None:
        return False
    english = any(tag.category == "moving" and tag.language == "en" for tag in word.tags)
    if not _is_point(sheet, point) and not (english and sheet.tokens[at].norm == "e" and at == word.stop):
        return False
    # The word for movement is the activity; `towards` alone belongs to the direction.
    verb = any(tag.category == "moving" for tag in word.tags) and sheet.tagged(index, "activity")
    if not any(tag.category == "moving" for tag in word.tags) and is_letter(sheet, point):
        before = sheet.ends(index, "moving")
        if before is None and sheet.tokens[at].text.casefold() == sheet.tokens[at].text:
            return False
    if _place_follows(sheet, point.stop) and not (verb and sheet.tokens[point.stop].norm == "from"):
        return False
    _claim_point(sheet, word.stop if verb and at == word.stop else index if not verb else word.stop, point.stop, point)
    return True


def _is_point(sheet: Sheet, point: Found) -> bool:
    """A small letter that is also a word (e, o, в, с) is a point only when nothing else can follow from it."""
    if any(match.length > point.stop - point.start for match in sheet.matches(point.start) if match.tags):
        longer = [match for match in sheet.matches(point.start) if match.length > point.stop - point.start]
        if any(tag.category in ("towards", "near", "between") for match in longer for tag in match.tags):
            return False
    token = sheet.tokens[point.start]
    if is_letter(sheet, point) and token.text == "w" and sheet.is_mark(point.stop, "/"):
        # On foot w/ backpacks.
        return False
    if not is_letter(sheet, point) or token.norm not in WORDS_TOO or token.text.isupper():
        return True
    return not sheet.free(point.stop, point.stop + 1) or sheet.tokens[point.stop].sort == "mark"


WORDS_TOO = frozenset("eoвсзю")


def _place_follows(sheet: Sheet, index: int) -> bool:
    """`N of the bridge` is a place, `moving N of course` is rare: what follows decides."""
    word = sheet.word(index, "of")
    if word is None or not sheet.free(word.stop, word.stop + 1):
        return False
    return sheet.tokens[index].norm not in ("to", "da", "de", "с") or False


def _claim_point(sheet: Sheet, start: int, stop: int, point: Found) -> None:
    value = {"course_deg": POINTS[point.value], "point": point.value}
    if point.typo:
        choices = [
            LineChoice(label=tag.value, value={"course_deg": POINTS[tag.value], "point": tag.value})
            for tag in point.tags
            if tag.value != point.value and tag.value in POINTS
        ]
        sheet.claim(
            start, stop, "direction", value,
            confidence="unsure", alternatives=choices, note=f"read as {point.value}",
        )  # fmt: skip
    else:
        sheet.claim(start, stop, "direction", value)
