"""The nine lines as they are read out by voice, line by line."""

from collections.abc import Mapping

from aquila.core.model import Position
from aquila.features.medevac.request import CasualtyRow, count_of

PRECEDENCE = {"A": "urgent", "B": "urgent surgical", "C": "priority", "D": "routine", "E": "convenience"}
EQUIPMENT = {
    "equipment_none": "none",
    "hoist": "hoist",
    "extraction_equipment": "extraction equipment",
    "ventilator": "ventilator",
}
SECURITY = ("no threat", "possible threat", "threat in the area, approach with caution", "armed escort required")
MARKING = ("panels", "pyrotechnic", "smoke", "none", "other")
STATUS = (
    ("us_military", "own military"),
    ("us_civilian", "own civilian"),
    ("nonus_military", "partner military"),
    ("nonus_civilian", "civilian"),
    ("epw", "detained"),
    ("child", "child"),
)
TERRAIN = {"terrain_none": "none", "terrain_slope": "slope", "terrain_rough": "rough", "terrain_loose": "loose"}


def read_out(lines: Mapping[str, str], place: Position | None, casualties: tuple[CasualtyRow, ...]) -> tuple[str, ...]:
    """What is said, one sentence for each line; what is not known is said to be unknown."""
    where = "unknown" if place is None else f"{place.lat_deg:.5f}, {place.lon_deg:.5f}"
    letters = [each.precedence for each in casualties]
    counts = [f"{letters.count(letter)} {word}" for letter, word in PRECEDENCE.items() if letter in letters]
    equipment = [word for name, word in EQUIPMENT.items() if lines.get(name) == "true"]
    people = [f"{count_of(lines.get(name))} {word}" for name, word in STATUS if count_of(lines.get(name))]
    terrain = [word for name, word in TERRAIN.items() if lines.get(name) == "true"]
    carried = f"{count_of(lines.get('litter'))} litter, {count_of(lines.get('ambulatory'))} ambulatory"
    marking = [*_given(_word(lines.get("hlz_marking"), MARKING)), *_given(lines.get("hlz_other"))]
    said = [
        ("Line 1, location", where),
        ("Line 2, frequency", lines.get("freq", "")),
        ("Line 3, patients", ", ".join(counts)),
        ("Line 4, equipment", ", ".join([*equipment, *_given(lines.get("equipment_detail"))])),
        ("Line 5, patients by type", carried),
        ("Line 6, security", _word(lines.get("security"), SECURITY)),
        ("Line 7, marking", ", ".join(marking)),
        ("Line 8, nationality", ", ".join(people)),
        ("Line 9, terrain", ", ".join([*terrain, *_given(lines.get("terrain_other_detail"))])),
    ]
    script = [f"{name}: {text or 'unknown'}." for name, text in said]
    for each in casualties:
        mist = each.mist
        if mist.m or mist.i or mist.s or mist.t:
            script.append(
                f"Casualty {each.number}, {mist.z or 'no zap number'}: mechanism {mist.m or 'unknown'};"
                f" injuries {mist.i or 'unknown'}; signs {mist.s or 'unknown'}; treatment {mist.t or 'none'}."
            )
    return tuple(script)


def _given(text: str | None) -> list[str]:
    return [text] if text else []


def _word(index: str | None, words: tuple[str, ...]) -> str:
    place = int(index) if index is not None and index.isascii() and index.isdigit() else -1
    return words[place] if 0 <= place < len(words) else ""
