"""A salute told letter by letter: S: 5 A: digging L: YB 1873 6621 U: unk T: 1110 E: shovels."""

from aquila.features.log.line.clocks import clock_at
from aquila.features.log.line.numbers import NOUNS, number_at
from aquila.features.log.line.sheet import Found, Sheet
from aquila.features.log.line.times import claim_clock

ORDER = ("size", "activity", "location", "unit", "time", "equipment")
LETTERS_MIN = 3
MARKS = ":=-"


def read_lettered(sheet: Sheet) -> None:
    """Claim the size and the time of such a salute, and put its letters aside so that none is read as a word."""
    labels = _labels(sheet)
    values = [label.value for label in labels]
    if len(labels) < LETTERS_MIN or values != sorted(values, key=ORDER.index) or len(set(values)) < len(values):
        return
    for label in labels:
        marked = sheet.is_mark(label.stop, MARKS)
        at = label.stop + 1 if marked else label.stop
        if label.value == "time":
            clock = clock_at(sheet, at, hour_alone=True)
            if clock is not None and clock.right:
                claim_clock(sheet, label.start, clock, "at")
                continue
        elif label.value == "size":
            _claim_size(sheet, at)
        sheet.set_aside(label.start, at)
    sheet.infer("kind", {"kind": "salute"}, "from the letters of a salute", "sure")


def _labels(sheet: Sheet) -> list[Found]:
    found = []
    for index, token in enumerate(sheet.tokens):
        label = sheet.word(index, "salute_letter")
        if label is None or label.typo or (index > 0 and not token.gap and sheet.tokens[index - 1].text not in ",;/("):
            continue
        short = len(token.norm) == 1
        marked = sheet.is_mark(label.stop, MARKS)
        slashed = index == 0 or sheet.tokens[index - 1].text in "/,;"
        if marked or (short and slashed and "/" in sheet.line):
            found.append(label)
    return found or _bare_labels(sheet)


def _bare_labels(sheet: Sheet) -> list[Found]:
    """SALUTE S 6 A digging L 36SYB 0777 6222 T 0250: capitals without marks behind the word, in their order."""
    begin = next((at + 1 for at in range(len(sheet.tokens)) if sheet.means(at, "kind", "salute")), None)
    found: list[Found] = []
    for index in range(begin or 0, len(sheet.tokens)) if begin is not None else ():
        token = sheet.tokens[index]
        label = sheet.word(index, "salute_letter")
        single = len(token.text) == 1 and token.text.isupper() and token.gap
        if label is None or label.typo or not single or label.stop != index + 1:
            continue
        if ORDER.index(label.value) > max((ORDER.index(each.value) for each in found), default=-1):
            found.append(label)
    return found


def _claim_size(sheet: Sheet, at: int) -> None:
    """S: 5 are five people when no noun follows."""
    number = number_at(sheet, at)
    if number is None or number.amount != int(number.amount) or sheet.tagged(number.stop, *NOUNS, "adjective"):
        return
    value = {"what": "people", "sort": None, "count": int(number.amount)}
    if number.top is not None:
        value["count_max"] = int(number.top)
    if number.about:
        value["about"] = True
    sheet.claim(at, number.stop, "size", value)
