"""Latitude and longitude in a line: decimal degrees, degrees and minutes, degrees, minutes and seconds."""
# ruff: noqa: RUF001  # Cyrillic letters and dashes are what people type

import re

import msgspec

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.geodesy import degrees_place
from aquila.features.log.line.sheet import Sheet

HEMI = r"(?:с\.? ?ш\.?|ю\.? ?ш\.?|в\.? ?д\.?|з\.? ?д\.?|[NSEWOСЮВЗ](?![^\W\d_]))"
ANGLE = re.compile(
    r"(?:(?<![\w.,])|(?<=\.\d{3},)|(?<=\.\d{4},)|(?<=\.\d{5},)|(?<=\.\d{6},))(?P<before>"
    + HEMI
    + r")? ?(?P<sign>[-+−]?)(?P<first>\d{1,7})(?P<fraction>[.,]\d{1,8})?"
    r"(?(fraction)(?: ?[°º*])?|(?: ?[°º*] ?| (?=\d{1,2}(?:[.,]\d{1,6})?(?:['′’ NSEWOСЮВЗ,;/]|$)))?)"
    r"(?(fraction)|(?P<minutes>(?<=[°º* ])\d{1,2}(?:[.,]\d{1,6})?)?) ?['′’]{0,1}"
    r"(?: ?(?P<seconds>(?<=['′’ ])\d{1,2}(?:[.,]\d{1,4})?) ?(?:[\"″”]|''|(?= ?[NSEWOСЮВЗ])))? ?"
    r"(?(before)|(?P<after>" + HEMI + r")?)",
    re.IGNORECASE,
)
SIDES = {"n": "N", "s": "S", "e": "E", "w": "W", "o": "O", "с": "N", "ю": "S", "в": "E", "з": "W"}
DEGREE_MARKS = "°º*'′’"
PLAIN_DECIMALS = 3
"""Two bare decimal numbers are a place only when each has so many decimals."""
BETWEEN_MAX = 3


class Angle(msgspec.Struct, frozen=True):
    """One angle in characters [start, end): degrees without a sign for its side, and why it cannot be."""

    start: int
    end: int
    degrees: float
    side: str
    decimals: int
    problem: str | None


def read_degrees(sheet: Sheet) -> None:
    """Claim pairs of angles that stand next to each other."""
    before: Angle | None = None
    for found in ANGLE.finditer(sheet.line):
        angle = _angle(found)
        if angle is None:
            before = None
            continue
        if before is not None and _touch(sheet.line, before, angle) and claim_angles(sheet, before, angle):
            before = None
        else:
            before = angle


def _touch(line: str, one: Angle, two: Angle) -> bool:
    between = line[one.end : two.start]
    return len(between) <= BETWEEN_MAX and not between.strip(" ,;/")


def _angle(found: re.Match[str]) -> Angle | None:
    sides = [SIDES[text[0].casefold()] for text in (found["before"], found["after"]) if text]
    first, fraction = found["first"], (found["fraction"] or "").replace(",", ".")
    minutes = found["minutes"]
    side = sides[0] if sides else ""
    if minutes is None and len(first) > 3:
        # 331230N, 3312.5N: degrees, minutes and seconds in one run; only with a letter.
        if not side or len(first) not in (4, 5, 6, 7):
            return None
        tail = 2 if len(first) <= 5 else 4
        degrees, minute_text = first[:-tail], first[-tail:]
        low = float(minute_text[:2] + (fraction if tail == 2 else ""))
        seconds = float(minute_text[2:] + fraction) if tail == 4 else 0.0
        value = float(degrees) + low / 60 + seconds / 3600
    elif minutes is not None:
        if fraction:
            return None
        low = float(minutes.replace(",", "."))
        seconds = float((found["seconds"] or "0").replace(",", "."))
        value = float(first) + low / 60 + seconds / 3600
    else:
        low = seconds = 0.0
        value = float(first + fraction)
    problem = problem_of(found[0], low, seconds)
    decimals = len(fraction) - 1 if fraction and minutes is None else 0
    run = minutes is None and len(first) > 3
    written = decimals > 0 or minutes is not None or "°" in found[0] or run
    # Two numbers with a space alone are no angle: square 21 65, 0940.
    signs = any(mark in found[0] for mark in DEGREE_MARKS)
    marked = minutes is not None and (signs or (len(first) > 1 and "." in minutes.replace(",", ".")[:-2]))
    shaped = written and (bool(side) or marked or decimals >= PLAIN_DECIMALS or "°" in found[0])
    if not shaped:
        return None
    negative = found["sign"] in ("-", "−")
    return Angle(found.start(), found.end(), -value if negative else value, side, decimals, problem)


def problem_of(text: str, minutes: float, seconds: float) -> str | None:
    """Why this is no angle; None = it is one."""
    right = minutes < 60 and seconds < 60
    return None if right else f"{text.strip()}: minutes and seconds of an angle are below 60"


def claim_angles(sheet: Sheet, one: Angle, two: Angle) -> bool:
    """Claim the place of two angles that stand together; false when they are none."""
    plain = not one.side and not two.side
    if one.side in ("E", "W", "O") or two.side in ("N", "S"):
        one, two, start, end = two, one, one.start, two.end
    else:
        start, end = one.start, two.end
    if (one.side in ("E", "W", "O")) or two.side in ("N", "S") or bool(one.side) != bool(two.side):
        return False
    first, stop = sheet.token_range(start, end)
    while sheet.line[sheet.tokens[stop - 1].start : sheet.tokens[stop - 1].end] in (",", ";") and stop - 1 > first:
        stop -= 1
    if not sheet.free(first, stop):
        return False
    word = sheet.ends(first - 1 if sheet.is_mark(first - 1, ":=") else first, "grid")
    first = word.start if word is not None else first
    problem = one.problem or two.problem
    if problem is None and abs(one.degrees) > 90:
        problem = f"latitude {one.degrees:g}: -90 to 90 degrees"
        if plain and abs(two.degrees) <= 90:
            problem += "; latitude comes first"
    if problem is None and abs(two.degrees) > 180:
        problem = f"longitude {two.degrees:g}: -180 to 180 degrees"
    if problem is not None:
        sheet.claim(first, stop, "place", None, problem=problem)
        return True
    lat_deg = -one.degrees if one.side == "S" else one.degrees
    lon_deg = -two.degrees if two.side in ("W", "O") else two.degrees
    value = degrees_place(lat_deg, lon_deg)
    if two.side == "O":
        other = LineChoice(label="east", value=degrees_place(lat_deg, -lon_deg))
        note = "O is read as ovest, ouest (west)"
        sheet.claim(first, stop, "place", value, confidence="unsure", alternatives=[other], note=note)
    elif (
        plain and word is None and not one.decimals and not any(mark in sheet.line[start:end] for mark in DEGREE_MARKS)
    ):
        # 33 07.35 035 17.90: nothing but the order says what they are.
        sheet.claim(first, stop, "place", value, confidence="unsure", note="numbers are read as degrees and minutes")
    elif plain and word is None and _is_turned(sheet, lat_deg, lon_deg):
        other = LineChoice(label="longitude first", value=degrees_place(lon_deg, lat_deg))
        note = "the other way round it is near the places that are known"
        sheet.claim(first, stop, "place", value, confidence="unsure", alternatives=[other], note=note)
    else:
        sheet.claim(first, stop, "place", value)
    return True


NEAR_DEG = 2.0
"""From a place that is known, within which a pair of angles is more likely meant."""


def _is_turned(sheet: Sheet, lat_deg: float, lon_deg: float) -> bool:
    """35.27 33.12 among places at 33.12 35.27: longitude may stand first."""

    def near(lat_deg: float, lon_deg: float) -> bool:
        return any(
            abs(name.lat_deg - lat_deg) < NEAR_DEG and abs(name.lon_deg - lon_deg) < NEAR_DEG
            for name in sheet.context.names
            if name.lat_deg is not None and name.lon_deg is not None
        )

    return abs(lon_deg) <= 90 and not (abs(lat_deg - lon_deg) < 1e-9) and near(lon_deg, lat_deg)
