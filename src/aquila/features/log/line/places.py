"""Where, by direction and distance from a name of the picture."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

from typing import Any

import msgspec

from aquila.core.grid import mgrs_of
from aquila.features.log.line.draft import KnownName, LineChoice, LinePart
from aquila.features.log.line.geodesy import POINTS, moved
from aquila.features.log.line.moves import WORDS_TOO, is_letter, point_at
from aquila.features.log.line.names import Name, Names, name_at
from aquila.features.log.line.numbers import decimal_at, spaced_at
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.words import normalise

RANGE_MAX_M = 500_000.0
OFFERED_M = (500, 1000, 2000)
"""Distances that are offered when a direction is said and no distance."""
ARTICLES = frozenset({"the", "il", "lo", "la", "l", "le", "les", "'", "’", "i", "gli"})
FROM = frozenset({"from", "da", "dal", "de", "du", "от", "to", "short", "before"})
LEADS = frozenset({"в", "à", "at", "a", "au", "al", "l", "'", "’", "к", "the", "to", "in", "на", "just", "k", "na"})


class _Step(msgspec.Struct, frozen=True):
    """Distance and direction as far as they are said, in words [start, stop)."""

    start: int
    stop: int
    range_m: float | None
    bearing_deg: float | None
    notes: tuple[str, ...] = ()
    letter: bool = False


class _Anchor(msgspec.Struct, frozen=True):
    """From where: words [start, stop), with the place when it is known.

    Attributes:
        part: a place that was claimed before. spread: see KnownName.
    """

    stop: int
    name: str
    lat_deg: float | None
    lon_deg: float | None
    known: bool
    close: tuple[str, ...] = ()
    part: LinePart | None = None
    spread: str | None = None


def read_offsets(sheet: Sheet, names: Names) -> None:
    """Claim places that are told from another: 300 m N of X, NW of X, 2 km az 340 from X, from X az 340 2 km."""
    index = 0
    while index < len(sheet.tokens):
        if sheet.free(index, index + 1):
            _step_first(sheet, names, index) or _anchor_first(sheet, names, index) or _ablative(sheet, names, index)
        index += 1


def _step_first(sheet: Sheet, names: Names, index: int) -> bool:
    step = _step_at(sheet, index)
    if step is None:
        return False
    of = sheet.word(step.stop, "beyond") if step.bearing_deg is None else None
    of = of if of is not None and not of.typo else sheet.word(step.stop, "of")
    at = step.stop if of is None else of.stop
    while sheet.free(at, at + 1) and sheet.tokens[at].norm in ARTICLES:
        at += 1
    led = step.range_m is not None and index > 0 and sheet.tokens[index - 1].norm in LEADS
    if of is None and (step.letter or at > step.stop or (sheet.tagged(index - 1, "moving", "towards") and not led)):
        return False
    if of is not None and step.range_m is None and sheet.tokens[of.start].norm in FROM and _goes(sheet, index - 1):
        return False
    if step.range_m is not None and sheet.tagged(index, "direction") and _heads(sheet, index):
        return False
    # 3 км южнее Алмы: the case says of.
    cased = of is None and at > 0 and at < len(sheet.tokens) and not sheet.tokens[step.stop - 1].text.isascii()
    if of is None and sheet.free(at, at + 1) and sheet.tokens[at].norm in TOWARDS_AFTER:
        return step.range_m is not None and _from_behind(sheet, names, step, at + 1)
    anchor = _anchor_at(sheet, names, at, worded=of is not None, cased=cased)
    if anchor is None or (step.bearing_deg is None and of is None):
        return False
    if of is not None and step.range_m is None and step.letter and not anchor.known:
        return False
    start = step.start
    while sheet.free(start - 1, start) and sheet.tokens[start - 1].norm in LEADS:
        start -= 1
    turn = _bearing(sheet, anchor.stop) if step.bearing_deg is None and sheet.tagged(anchor.stop, "azimuth") else None
    if turn is not None:
        # "1.5 km from OP 5 az 045"
        _claim(sheet, start, _Step(start, turn.stop, step.range_m, turn.bearing_deg, step.notes), anchor, turn.stop)
        return True
    far = _range_after(sheet, anchor.stop) if step.range_m is None else None
    if far is not None and not sheet.tagged(step.start, "azimuth"):
        if sheet.tagged(far.stop, "direction", "of", "beyond", "azimuth") or far.range_m is None:
            far = None
        else:
            # W of Tibnin 2 km: how far it is, most likely.
            far = msgspec.structs.replace(far, notes=(*far.notes, "the distance stands behind the name"))
    if far is not None:
        # "bearing 040 from OP 5 approx 2 km"
        _claim(sheet, start, _joined(step, far), anchor, far.stop)
        return True
    _claim(sheet, start, step, anchor, anchor.stop)
    return True


def claim_from_post(sheet: Sheet, index: int, post: KnownName) -> bool:
    """Claim a direction and a distance that begin at this word as told from the post that reports; unsure."""
    step = _step_at(sheet, index)
    if step is None or step.range_m is None or step.bearing_deg is None or _heads(sheet, index):
        return False
    note = f"told from {post.name}, which reports"
    anchor = _Anchor(step.stop, post.name, post.lat_deg, post.lon_deg, known=True)
    _claim(sheet, step.start, msgspec.structs.replace(step, notes=(*step.notes, note)), anchor, step.stop)
    return True


def _from_behind(sheet: Sheet, names: Names, step: _Step, at: int) -> bool:
    """400 м шығысқа қарай КПП 4-тен: the name stands behind, and its ending says from."""
    name = sighted(sheet, names, at)
    stop = None if name is None or step.bearing_deg is None else _ablative_end(sheet, name)
    if name is None or stop is None:
        return False
    _claim(sheet, step.start, step, _named(name), stop)
    return True


def _goes(sheet: Sheet, index: int) -> bool:
    """Heading W from Tibnin: a direction, and where it began; but shots heard S from Tibnin are south of it."""
    verb = sheet.tagged(index, "moving") and sheet.tagged(index, "activity")
    return verb or (sheet.tagged(index, "course") and sheet.tokens[index].norm in ("hdg", "heading", "crs"))


def _heads(sheet: Sheet, index: int) -> bool:
    """Heading S 3 nm off Naqoura, идут на юг в 3 милях от ...: where they go, and then where they are."""
    before = index - 1
    while before > index - 3 and sheet.tagged(before, "towards") and not sheet.tagged(before, "moving"):
        before -= 1
    return _goes(sheet, before)


def _range_after(sheet: Sheet, at: int) -> _Step | None:
    if sheet.is_mark(at, ",:"):
        at += 1
    if sheet.free(at, at + 1) and sheet.tokens[at].norm in LEADS:
        at += 1
    return _distance(sheet, at)


def _anchor_first(sheet: Sheet, names: Names, index: int) -> bool:
    of = sheet.word(index, "of")
    name = None if of is None else names.at(sheet, of.stop)
    if of is None or name is None:
        return False
    at = name.stop + 1 if sheet.is_mark(name.stop, ",:") else name.stop
    step = _step_at(sheet, at)
    if step is None or step.range_m is None or step.bearing_deg is None:
        return False
    _claim(sheet, index, step, _named(name), step.stop)
    return True


TOWARDS_AFTER = frozenset({"қараи", "караи"})
"""As normalised: й is и."""


def _ablative(sheet: Sheet, names: Names, index: int) -> bool:
    """Алмадан 300 м солтүстікке қарай; КПП 4-тен солтүстікке 2 км: the ending of the name says from."""
    if sheet.tokens[index].sort != "word":
        return False
    if sheet.tokens[index].text.isascii() and not sheet.anywhere("case_ending") and not sheet.anywhere("side"):
        return False
    name = sighted(sheet, names, index)
    if name is None:
        return False
    at = _ablative_end(sheet, name)
    if at is None:
        at = _side_of(sheet, name)
    step = None if at is None else _step_at(sheet, at)
    if step is None:
        return False
    if sheet.free(step.stop, step.stop + 1) and sheet.tokens[step.stop].norm in TOWARDS_AFTER:
        far = _distance(sheet, step.stop + 1) if step.range_m is None else None
        step = msgspec.structs.replace(step, stop=step.stop + 1) if far is None else _joined(step, far)
    if step.bearing_deg is None:
        return False
    _claim(sheet, index, step, _named(name), step.stop)
    return True


def _side_of(sheet: Sheet, name: Name) -> int | None:
    """UNP 1-26 оңтүстігінде, КПП 4-тің шығысында: where the side of the place is told; None = no side is."""
    at = name.stop
    if sheet.is_mark(at, "-") and sheet.tagged(at + 1, "case_ending"):
        at += 2
    point = point_at(sheet, at)
    told = point is not None and sheet.tokens[point.stop - 1].norm.endswith(sheet.endings("side"))
    return at if told else None


def _ablative_end(sheet: Sheet, name: Name) -> int | None:
    """Where the name ends with its ending for `from`; None = it has another one, or none."""
    at = name.stop
    if sheet.is_mark(at, "-") and sheet.free(at + 1, at + 2) and sheet.tokens[at + 1].norm in sheet.endings("from"):
        return at + 2
    if (
        sheet.free(at, at + 1)
        and sheet.tokens[at].norm in sheet.endings("from")
        and _distance(sheet, at + 1) is not None
    ):
        # CP 4 ten 2 km shygysta
        return at + 1
    return at if normalise(name.text).endswith(sheet.endings("from")) else None


def _step_at(sheet: Sheet, index: int) -> _Step | None:
    """A distance and a direction in either order, or one of them."""
    first = _distance(sheet, index)
    if first is not None:
        at = first.stop
        at = _past(sheet, at, LEADS)
        turn = _bearing(sheet, at)
        return first if turn is None else _joined(first, turn)
    turn = _bearing(sheet, index)
    if turn is None:
        return None
    at = _past(sheet, turn.stop, frozenset({"a", "at", "for", "на", "в", "à"}))
    second = _distance(sheet, at)
    if second is not None and turn.letter and _is_plain_letter(sheet, index):
        return None
    return turn if second is None else _joined(turn, second)


def _is_plain_letter(sheet: Sheet, index: int) -> bool:
    """В 3 км от Накуры, e 2 km da Alma: a small letter before a distance is a word, and so is the first of a line."""
    token = sheet.tokens[index]
    small = token.text == token.text.casefold() or (index == 0 and not token.text.isascii())
    return small and token.norm in WORDS_TOO


def _past(sheet: Sheet, at: int, leads: frozenset[str]) -> int:
    """Where the second half begins behind marks and words such as `distance`."""
    for _ in range(PAST_MAX):
        far = sheet.word(at, "how_far")
        if sheet.free(at, at + 1) and (sheet.tokens[at].text in ",/@:" or sheet.tokens[at].norm in leads):
            at += 1
        elif far is not None and not far.typo:
            at = far.stop
        else:
            break
    return at


PAST_MAX = 5


def _joined(one: _Step, two: _Step) -> _Step:
    range_m = one.range_m if one.range_m is not None else two.range_m
    bearing_deg = one.bearing_deg if one.bearing_deg is not None else two.bearing_deg
    return _Step(one.start, two.stop, range_m, bearing_deg, one.notes + two.notes)


def _distance(sheet: Sheet, index: int) -> _Step | None:
    at = index
    about = sheet.word(index, "about")
    if about is not None and not about.typo:
        at = about.stop
    elif sheet.is_mark(index, "~≈"):
        at = index + 1
    half = sheet.word(at, "half_unit")
    unit = None if half is None or half.typo else sheet.word(half.stop, "distance")
    if half is not None and unit is not None and not unit.typo and unit.value != "1":
        return _Step(index, unit.stop, 0.5 * float(unit.value), None)
    spaced = spaced_at(sheet, at)
    number = spaced or decimal_at(sheet, at)
    unit = None if number is None else sheet.word(number.stop, "distance")
    if number is None or unit is None or unit.typo:
        return None
    factor, amount = float(unit.value), number.amount
    notes: tuple[str, ...] = ()
    if spaced is not None:
        # "PTL 5 800 m" and "2 500 m" look the same.
        notes = (f"read as {amount:g} in one number",)
    if index > 1 and sheet.tokens[index - 1].text in "-–" and sheet.tokens[index - 2].sort == "digits":
        notes = (*notes, "a range of distances: its upper end is read")
    if number.thousands is not None and factor == 1:
        amount = number.thousands
    elif number.thousands is not None:
        notes = (*notes, f"{number.amount:g}, or {number.thousands:g}")
    return _Step(index, unit.stop, amount * factor, None, notes)


def _bearing(sheet: Sheet, index: int) -> _Step | None:
    """A compass point, or a word for azimuth and a number, or a number of degrees."""
    point = point_at(sheet, index)
    half = 0 < index < len(sheet.tokens) and not sheet.tokens[index].gap and sheet.tokens[index - 1].text in "-/"
    if point is not None and not half:
        notes = (f"read as {point.value}",) if point.typo else ()
        return _Step(index, point.stop, None, POINTS[point.value], notes, letter=is_letter(sheet, point))
    word = sheet.word(index, "azimuth")
    at = index if word is None else word.stop
    while sheet.is_mark(at, ":=."):
        at += 1
    number = decimal_at(sheet, at)
    if number is None:
        return None
    unit = sheet.word(number.stop, "degree")
    if unit is None and word is None:
        return None
    bearing_deg = number.amount * (1.0 if unit is None else float(unit.value))
    return _Step(index, number.stop if unit is None else unit.stop, None, bearing_deg)


def _anchor_at(sheet: Sheet, names: Names, index: int, *, worded: bool, cased: bool = False) -> _Anchor | None:
    claimed = _claimed_place(sheet, index)
    if claimed is not None and claimed.value is not None:
        _, stop = sheet.token_range(claimed.start, claimed.end)
        value = claimed.value
        return _Anchor(stop, claimed.text, value["lat_deg"], value["lon_deg"], True, (), claimed)
    name = name_at(sheet, names, index, loose=worded)
    if name is not None:
        return _named(name)
    found = sighted(sheet, names, index) if cased else None
    if found is not None:
        return _named(found)
    if not worded or not sheet.free(index, index + 1) or sheet.tokens[index].sort != "word":
        return None
    text = sheet.tokens[index].text
    if len(text) < 3 or sheet.tagged(index, "activity", "people", "vehicle", "direction", "since"):
        return None
    return _Anchor(index + 1, text, None, None, False)


def _named(name: Name) -> _Anchor:
    known = name.known or (name.close[0] if name.close else None)
    if known is None:
        return _Anchor(name.stop, name.text, None, None, False)
    close = tuple(each.name for each in name.close)
    return _Anchor(
        name.stop, known.name, known.lat_deg, known.lon_deg, name.known is not None, close, spread=known.spread
    )


def _claimed_place(sheet: Sheet, index: int) -> LinePart | None:
    if index >= len(sheet.tokens):
        return None
    at = sheet.tokens[index].start
    return next((part for part in sheet.parts if part.field == "place" and part.start == at), None)


def _claim(sheet: Sheet, start: int, step: _Step, anchor: _Anchor, stop: int) -> None:
    if anchor.part is not None:
        sheet.give_back(anchor.part)
    if step.bearing_deg is not None and step.bearing_deg > 360:
        problem = f"bearing {step.bearing_deg:g}: 000 to 360 degrees"
        sheet.claim(start, stop, "place", None, problem=problem)
        return
    if step.range_m is not None and step.range_m > RANGE_MAX_M:
        problem = f"distance {step.range_m / 1000:g} km: at most {RANGE_MAX_M / 1000:g} km from a known place"
        sheet.claim(start, stop, "place", None, problem=problem)
        return
    value: dict[str, Any] = {
        "sort": "offset",
        "name": anchor.name,
        "bearing_deg": step.bearing_deg,
        "range_m": None if step.range_m is None else round(step.range_m, 1),
    }
    notes, choices = list(step.notes), []
    if anchor.close:
        notes.append(f"read as {anchor.name}")
    if anchor.part is not None and anchor.part.note:
        notes.append(anchor.part.note)
    if anchor.spread:
        notes.append(anchor.spread)
    if anchor.lat_deg is None or anchor.lon_deg is None:
        notes.append(f"where {anchor.name} is, is not known here")
        place: dict[str, Any] = {"lat_deg": None, "lon_deg": None}
    elif step.range_m is None or step.bearing_deg is None:
        missing = "how far" if step.range_m is None else "in which direction"
        notes.append(f"{missing} from {anchor.name} is not said: the place is that of {anchor.name}")
        place = point_of(anchor.lat_deg, anchor.lon_deg)
        if step.bearing_deg is not None:
            choices = [_offered(value, anchor.lat_deg, anchor.lon_deg, step.bearing_deg, far) for far in OFFERED_M]
    else:
        place = point_of(*moved(anchor.lat_deg, anchor.lon_deg, step.bearing_deg, step.range_m))
    sheet.claim(
        start, stop, "place", value | place,
        confidence="unsure" if notes else "sure", alternatives=choices, note="; ".join(notes) or None,
    )  # fmt: skip


def point_of(lat_deg: float, lon_deg: float) -> dict[str, Any]:
    """The part of a value that says where a point is, in degrees and in MGRS."""
    return {"lat_deg": round(lat_deg, 6), "lon_deg": round(lon_deg, 6), "mgrs": mgrs_of(lat_deg, lon_deg)}


def _offered(value: dict[str, Any], lat_deg: float, lon_deg: float, bearing_deg: float, range_m: int) -> LineChoice:
    place = value | {"range_m": float(range_m)} | point_of(*moved(lat_deg, lon_deg, bearing_deg, range_m))
    return LineChoice(label=f"{range_m} m", value=place)


def sighted(sheet: Sheet, names: Names, at: int) -> Name | None:
    """The place of the picture whose name begins at this word, past an article; None = none does."""
    while sheet.free(at, at + 1) and sheet.tokens[at].norm in ARTICLES:
        at += 1
    name = name_at(sheet, names, at, loose=True)
    known = None if name is None else name.known or (name.close[0] if name.close else None)
    return name if known is not None and known.sort == "place" else None
