"""Latitude and longitude with words or spaces: lat 33 07.35 lon 035 17.90; 33 deg 10 min 30 sec N 35 deg 14 min E.

Read before everything that counts or times, so that no run of digits inside such a place is anything else.
"""
# ruff: noqa: RUF001  # Cyrillic letters are what people type

import re

from aquila.features.log.line.degrees import SIDES, Angle, claim_angles, problem_of
from aquila.features.log.line.sheet import Sheet

LATITUDE = r"(?:lat(?:itude|itudine)?|широта|шир|ш|ендік)\b\.?"
LONGITUDE = r"(?:lon(?:g|gitude|gitudine)?|долгота|долг|д|бойлық)\b\.?"
DEGREES = r"(?: ?(?:°|º|deg(?:rees|s)?\b\.?|gradi\b|degrés?\b|град\w*\.?)|-)? ?"
MINUTES = r" ?(?:['′’]|min(?:utes|uti|s)?\b\.?|мин\w*\.?|-)? ?"
SECONDS = r" ?(?:[\"″”]|''|sec(?:onds|ondi|s)?\b\.?|сек\w*\.?)?"
NUMBER = r"\d{1,2}(?:[.,]\d{1,6})?"


def _half(name: str, label: str, sides: str) -> str:
    """One angle: a label or a letter before it or behind it, decimal degrees, or degrees, minutes, perhaps seconds."""
    return (
        rf"(?:(?P<{name}_label>{label})\s{{0,2}}[:=]?\s{{0,2}})?(?P<{name}_before>[{sides}])? ?"
        rf"(?:(?P<{name}_decimal>[+\-−]?\d{{1,3}}[.,]\d{{2,8}}(?!\d)(?: ?[°º])?)|"
        rf"(?P<{name}_first>\d{{1,3}})(?P<{name}_gap>{DEGREES})"
        rf"(?P<{name}_minutes>\d{{1,2}}[.,]\d{{1,6}}|\d{{1,2}}(?![.,]\d))"
        rf"(?:(?<![.,]\d)(?<![.,]\d\d)(?<![.,]\d\d\d){MINUTES}(?P<{name}_seconds>(?<!\d){NUMBER}))?"
        rf"(?:{SECONDS}|{MINUTES}))"
        rf" ?(?P<{name}_after>[{sides}](?![^\W\d_]))?"
    )


LAT, LON = _half("lat", LATITUDE, "NSСЮ"), _half("lon", LONGITUDE, "EWOВЗ")
PAIRS = tuple(
    (names, re.compile(rf"(?<![\w.,])(?:{one})[\s,;/]{{0,4}}(?:{two})(?!\w)(?!\.\d)", re.IGNORECASE))
    for names, one, two in ((("lat", "lon"), LAT, LON), (("lon", "lat"), LON, LAT))
)
"""Latitude first and longitude first, each with the names of its halves in their order."""


def read_worded_degrees(sheet: Sheet) -> None:
    """Claim pairs of angles that a label or a letter names, with minutes behind a space, a dash or a word."""
    for (first, second), pattern in PAIRS:
        for found in pattern.finditer(sheet.line):
            one, two = _angle(found, first), _angle(found, second)
            if two is not None and found[f"{second}_seconds"] and not found[f"{first}_seconds"]:
                # Lat 33 12 lon 35 21 3 goats: seconds stand in both halves or in neither.
                two = _angle(found, second, seconds=bool(found[f"{second}_after"]))
            if one is not None and two is not None:
                claim_angles(sheet, one, two)


def _angle(found: re.Match[str], name: str, *, seconds: bool = True) -> Angle | None:
    part = {key: found[f"{name}_{key}"] for key in KEYS}
    letter = part["before"] or part["after"]
    side = SIDES[letter.casefold()] if letter else "N" if name == "lat" else "E"
    if not (part["label"] or letter) or not (part["gap"] or (part["decimal"] and part["label"])):
        return None
    problem = None
    if part["decimal"]:
        degrees = float(part["decimal"].rstrip("°º ").replace(",", ".").replace("−", "-"))
    else:
        minute = float(part["minutes"].replace(",", "."))
        second = float((part["seconds"] or "0").replace(",", ".")) if seconds else 0.0
        problem = problem_of(found[0], minute, second)
        degrees = float(part["first"]) + minute / 60 + second / 3600
    start = min(found.start(f"{name}_{key}") for key in ("label", "before", "decimal", "first") if part[key])
    last = ("decimal", "minutes", "seconds", "after") if seconds else ("minutes",)
    return Angle(start, max(found.end(f"{name}_{key}") for key in last if part[key]), degrees, side, 0, problem)


KEYS = ("label", "before", "decimal", "first", "gap", "minutes", "seconds", "after")
