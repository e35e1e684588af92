"""Grids in a line: MGRS whole or without its zone, UTM, and digits that the default square completes."""
# Cyrillic letters and dashes are what people type

import re
from typing import Any

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.geodesy import grid_place, utm_place
from aquila.features.log.line.sheet import Sheet

EDGE, END = r"(?<![^\W_])", r"(?![^\W_])"
UTM = re.compile(
    EDGE + r"(\d{1,2}) ?([C-HJ-NP-X]) {0,2}(?:E ?)?(\d{6,7}(?:\.\d{1,2})?) ?(?:mE|E|m)?[ ,/]{1,3}"
    r"(?:N ?)?(\d{6,8}(?:\.\d{1,2})?) ?(?:mN|N|m)?" + END,
    re.IGNORECASE,
)
MGRS = re.compile(EDGE + r"(\d{1,2}) ?([A-Z]) ?([A-HJ-NP-Z]{2})[ -]?(\d{1,15})" + END, re.IGNORECASE)
SQUARE = re.compile(EDGE + r"([A-HJ-NP-Z][A-HJ-NP-V])[ -]?(\d{1,12})" + END, re.IGNORECASE)
LENGTHS = "a grid has as many digits east as north: 2, 4, 6, 8 or 10 in all"
NO_SQUARE = "no 100 km square is set here: type its letters before the digits, for instance YB 723456"


def is_clock(digits: str) -> bool:
    """Could these four digits be hours and minutes?"""
    return len(digits) == 4 and int(digits[:2]) < 24 and int(digits[2:]) < 60


def read_utm(sheet: Sheet) -> None:
    """Claim UTM co-ordinates: zone, letter, easting, northing."""
    for found in UTM.finditer(sheet.line):
        start, stop = sheet.token_range(found.start(), found.end())
        if not sheet.free(start, stop):
            continue
        start = _with_word(sheet, start, "utm")
        zone, letter = int(found[1]), found[2].upper()
        east_m, north_m = float(found[3]), float(found[4])
        try:
            place = utm_place(zone, "N" if letter >= "N" else "S", east_m, north_m)
        except ValueError as error:
            sheet.claim(start, stop, "place", None, problem=str(error))
            continue
        if letter != "S" or sheet.context.zone == f"{zone}S":
            sheet.claim(start, stop, "place", place)
            continue
        # S is a band of the northern hemisphere (32 to 40 degrees) and the word for the southern one.
        other = utm_place(zone, "S", east_m, north_m)
        if not 31 <= place["lat_deg"] <= 41:
            sheet.claim(start, stop, "place", other)
            continue
        note = "S is read as the band 32 to 40 degrees north"
        choice = LineChoice(label="southern hemisphere", value=other)
        sheet.claim(start, stop, "place", place, confidence="unsure", alternatives=[choice], note=note)


def read_mgrs(sheet: Sheet) -> None:
    """Claim grids that say their zone and square."""
    for found in MGRS.finditer(sheet.line):
        start, stop = sheet.token_range(found.start(), found.end())
        if not sheet.free(start, stop):
            continue
        glued = " " not in found[0][: found.start(4) - found.start()].rstrip()
        upper = found[3].isupper() and found[2].isupper()
        zone = f"{int(found[1])}{found[2].upper()}"
        mine = sheet.context.zone == zone
        after = _second_half(sheet, stop, found[4])
        digits = len(found[4]) + (len(after) if after else 0)
        apart = sheet.line[found.end(1)] == " " and found[0][len(found[1]) + 1 :][:3].isalpha()
        if (apart and not mine) or _is_words(sheet, start, stop):
            # "4 PAX 0915" has the letters of a grid and is none.
            continue
        if not (upper or glued or mine) or (digits < 4 and not mine):
            continue
        _claim_grid(sheet, start, stop, zone, found[3], found[4], glued)


def _is_words(sheet: Sheet, start: int, stop: int) -> bool:
    """Are the letters a word of the vocabulary, or the beginning of somebody's name?"""
    return any(
        sheet.known_word(index) or _named(sheet, sheet.tokens[index].text)
        for index in range(start, stop)
        if sheet.tokens[index].sort == "word" and len(sheet.tokens[index].text) == 3
    )


def read_square(sheet: Sheet) -> None:
    """Claim grids that say their square but no zone."""
    for found in SQUARE.finditer(sheet.line):
        start, stop = sheet.token_range(found.start(), found.end())
        if not sheet.free(start, stop) or sheet.known_word(start) or _named(sheet, found[1]):
            continue
        if len(found[2]) < (
            2 if _second_half(sheet, stop, found[2]) and found[1].upper() == sheet.context.square else 3
        ):
            continue
        square, zone = found[1].upper(), sheet.context.zone
        worded = _with_word(sheet, start, "grid") < start
        digits = len(found[2]) + len(_second_half(sheet, stop, found[2]) or "")
        mine = square == sheet.context.square
        if not (mine or worded) and not (found[1].isupper() and digits >= 6 and digits % 2 == 0):
            continue
        if zone is None:
            note = "no grid zone is set here: type it before the square, for instance 36S"
            value = {"sort": "grid", "square": square, "digits": found[2], "lat_deg": None, "lon_deg": None}
            sheet.claim(start, stop, "place", value, confidence="unsure", note=note)
            continue
        doubt = None if mine else f"square {square} is taken in zone {zone}"
        if doubt is not None and not worded and not _exists(zone, square):
            continue
        _claim_grid(sheet, start, stop, zone, square, found[2], True, doubt)


def _exists(zone: str, square: str) -> bool:
    try:
        grid_place(zone, square, "50", "50")
    except ValueError:
        return False
    return True


def _named(sheet: Sheet, letters: str) -> bool:
    """Is there somebody or some place whose name begins so, with a number?"""
    wanted = letters.casefold()
    return any(re.match(rf"{wanted}[- ]?\d", name.name.casefold()) for name in sheet.context.names)


def _second_half(sheet: Sheet, stop: int, first: str) -> str | None:
    """The next run of digits when it is as long as this one, so that both are one grid."""
    after = stop + 1 if sheet.is_mark(stop, "-/") else stop
    if not sheet.free(stop, after + 1):
        return None
    token = sheet.tokens[after]
    return token.text if token.sort == "digits" and len(token.text) == len(first) <= 5 else None


def _claim_grid(
    sheet: Sheet, start: int, stop: int, zone: str, square: str, digits: str, glued: bool, doubt: str | None = None
) -> None:
    second = _second_half(sheet, stop, digits)
    start = _with_word(sheet, start, "grid")
    long_stop = stop if second is None else stop + (2 if sheet.is_mark(stop, "-/") else 1)
    alone = _split(digits)
    whole = None if second is None else (digits, second)
    if whole is not None and alone is not None and second is not None and is_clock(second):
        # "36SYB1234 0915": eight digits of a grid, or four and a time. Nobody can tell, so both are shown.
        timed = sum(part.field == "time" for part in sheet.parts) > 0 or not glued
        first, other = (whole, alone) if timed else (alone, whole)
        label = "a grid of four digits and a time" if timed else "a grid of eight digits"
        if not timed:
            sheet.doubt(stop, long_stop, f"{second} may also belong to the grid before it")
        _claim_read(
            sheet, start, long_stop if timed else stop, zone, square, first,
            note=f"the digits {digits} {second} may also be {label}", other=(other, label),
        )  # fmt: skip
        return
    if whole is not None:
        _claim_read(sheet, start, long_stop, zone, square, whole, note=doubt)
    elif alone is not None:
        _claim_read(sheet, start, stop, zone, square, alone, note=doubt or _odd_digits(sheet, stop))
    else:
        many = f"{len(digits)} digits after {zone}{square.upper()}"
        sheet.claim(start, stop, "place", None, problem=f"{many}: {LENGTHS}")


def _odd_digits(sheet: Sheet, stop: int) -> str | None:
    """36S YB 2204 657: why the grid may have been meant to go on; None = nothing says so."""
    if not sheet.free(stop, stop + 1) or sheet.tokens[stop].sort != "digits":
        return None
    digits = sheet.tokens[stop].text
    after = sheet.tokens[stop + 1] if stop + 1 < len(sheet.tokens) else None
    ends = after is None or (after.gap and after.sort == "digits") or (after.text in ",;)" and _gapped(sheet, stop + 2))
    if len(digits) > 5 or is_clock(digits) or not ends:
        return None
    return f"the digits {digits} behind it have no partner: {LENGTHS}"


def _gapped(sheet: Sheet, index: int) -> bool:
    return index >= len(sheet.tokens) or sheet.tokens[index].gap


def _split(digits: str) -> tuple[str, str] | None:
    half = len(digits) // 2
    return (digits[:half], digits[half:]) if len(digits) % 2 == 0 and len(digits) <= 10 else None


def _claim_read(
    sheet: Sheet,
    start: int,
    stop: int,
    zone: str,
    square: str,
    pair: tuple[str, str],
    *,
    note: str | None = None,
    other: tuple[tuple[str, str], str] | None = None,
) -> None:
    try:
        place = grid_place(zone, square, *pair)
        choices = [] if other is None else [LineChoice(label=other[1], value=grid_place(zone, square, *other[0]))]
    except ValueError as error:
        sheet.claim(start, stop, "place", None, problem=str(error))
        return
    sheet.claim(
        start, stop, "place", place, confidence="sure" if note is None else "unsure", alternatives=choices, note=note
    )


def _with_word(sheet: Sheet, start: int, *words: str) -> int:
    """Where the place begins with the word before it: grid, coord, MGRS, a colon."""
    at = start
    while True:
        before = at - 1 if sheet.is_mark(at - 1, ":=.") else at
        found = sheet.ends(before, *(words or ("grid",)), "grid", "utm")
        if found is None:
            return at
        at = found.start


def read_worded(sheet: Sheet) -> None:
    """Claim the digits after a word for grid; the default square completes them."""
    index = 0
    while index < len(sheet.tokens):
        found = sheet.word(index, "grid")
        after = index + 1 if found is None else found.stop
        if found is not None and not found.typo:
            while sheet.is_mark(after, ":=.") or (sheet.free(after, after + 1) and sheet.tagged(after, "number_mark")):
                after += 1
            if sheet.free(after, after + 1) and sheet.tokens[after].sort == "digits":
                strict = sheet.tokens[index].norm not in ("pos", "position", "posn", "loc", "location", "точка")
                after = _claim_partial(sheet, index, after, strict)
        index = max(after, index + 1)


def _claim_partial(sheet: Sheet, start: int, at: int, strict: bool) -> int:
    digits = sheet.tokens[at].text
    second = _second_half(sheet, at + 1, digits)
    stop = at + 1
    if second is not None and not (strict and len(digits) in (4,) and is_clock(second) and _split(digits)):
        stop = at + (3 if sheet.is_mark(at + 1, "-/") else 2)
        pair: tuple[str, str] | None = (digits, second)
    elif second is not None:
        stop, pair = at + 1, _split(digits)
        if pair is not None and not sheet.has("time"):
            sheet.doubt(at + 1, at + 2, f"{second} may also belong to the grid before it")
            _finish(sheet, start, stop, pair, f"{digits} {second} may also be a grid of eight digits",
                    (digits, second))  # fmt: skip
            return stop
        stop, pair = at + 2, (digits, second)
    else:
        pair = _split(digits)
    if pair is None or len(pair[0]) < 2:
        if strict and len(digits) >= 3:
            sheet.claim(start, stop, "place", None, problem=f"{len(digits)} digits {digits[:20]}: {LENGTHS}")
        return stop
    loose = second is not None and len(digits) <= LOOSE_DIGITS_MAX
    _finish(sheet, start, stop, pair, "two short numbers are read as a square" if loose else None, None)
    return stop


LOOSE_DIGITS_MAX = 2
"""Digits of each half up to which two numbers behind `square` may be something else: square 22 66."""


def _finish(
    sheet: Sheet, start: int, stop: int, pair: tuple[str, str], note: str | None, other: tuple[str, str] | None
) -> None:
    value, doubt = partial_place(sheet, pair)
    if value is None:
        sheet.claim(start, stop, "place", None, problem=doubt)
        return
    choices = []
    if other is not None:
        second, _ = partial_place(sheet, other)
        choices += [] if second is None else [LineChoice(label="a grid of eight digits", value=second)]
    doubt = note or doubt
    sheet.claim(
        start, stop, "place", value, confidence="sure" if doubt is None else "unsure", alternatives=choices, note=doubt
    )


def partial_place(sheet: Sheet, pair: tuple[str, str]) -> tuple[dict[str, Any] | None, str | None]:
    """The place of digits in the default square, and what is doubtful about it (None = nothing).

    Without a value the second says why there is no such place.
    """
    context = sheet.context
    digits = "".join(pair)
    if context.zone is None or context.square is None:
        return {"sort": "grid", "digits": digits, "lat_deg": None, "lon_deg": None}, NO_SQUARE
    try:
        place = grid_place(context.zone, context.square, *pair) | {"digits": digits}
    except ValueError as error:
        return None, str(error)
    where = f"{context.zone}{context.square}"
    return place, f"square {where} is taken from what lies around" if context.square_is_guess else None


BARE = (6, 8, 10)


def read_bare_grids(sheet: Sheet) -> None:
    """Claim 6, 8 or 10 bare digits, and pairs of 3 to 5, that nothing else took; sure only behind a word."""
    for index, token in enumerate(sheet.tokens):
        if token.sort != "digits" or not sheet.free(index, index + 1) or _is_other_number(sheet, index):
            continue
        second = _second_half(sheet, index + 1, token.text) if len(token.text) in (3, 4, 5) else None
        pair = (token.text, second) if second is not None else _split(token.text) if len(token.text) in BARE else None
        stop = index + 1 if second is None else index + (3 if sheet.is_mark(index + 1, "-/") else 2)
        if pair is None or (stop < len(sheet.tokens) and _glued(sheet, stop)):
            continue
        if sheet.tagged(stop, "distance", "speed", "people", "vehicle", "degree", "casualty"):
            continue
        value, doubt = partial_place(sheet, pair)
        start = index
        if value is None:
            # Bare digits that are no place in this square are no grid.
            continue
        worded = sheet.ends(index, "near", "grid")
        if worded is not None:
            start = worded.start
        else:
            doubt = "bare digits are read as a grid" + (
                "; they could be a day and a time" if _is_dated(token.text) else ""
            )
        sheet.claim(start, stop, "place", value, confidence="sure" if doubt is None else "unsure", note=doubt)


def _is_dated(digits: str) -> bool:
    return len(digits) == 6 and 1 <= int(digits[:2]) <= 31 and is_clock(digits[2:])


def _glued(sheet: Sheet, at: int) -> bool:
    return not sheet.tokens[at].gap and (sheet.tokens[at].sort == "word" or sheet.tokens[at].text in "/-")


def _is_other_number(sheet: Sheet, index: int) -> bool:
    before = index - 1
    if sheet.ends(before if sheet.is_mark(before, ".:") else index, "other_number") is not None:
        return True
    return index > 0 and not sheet.tokens[index].gap and sheet.tokens[before].text not in "(,;:"
