"""Symbols: CoT type, 2525 letters and the 20-digit APP-6(D)/2525D code (SIDC), each from the other.

A SIDC is read from the left: version 2, context 1, identity 1, set 2, status 1, HQ/TF/dummy 1,
echelon 2, entity 6, modifiers 2 + 2. The tables know land, air and space; sea surface, subsurface
and mines have no row in the legacy table of Esri and come out as the bare set, flagged lossy.
Whoever converts keeps the CoT type beside the SIDC, so that nothing is lost by a lossy symbol.
"""

from functools import lru_cache
from typing import Final, Literal

from aquila.core._symbol_table import DIGITS, LETTERS
from aquila.core.model import REAL, Context

Affiliation = Literal[
    "pending",
    "unknown",
    "assumed_friend",
    "friend",
    "neutral",
    "suspect",
    "hostile",
    "joker",
    "faker",
]

AFFILIATIONS: Final[dict[Affiliation, tuple[str, str]]] = {
    "pending": ("0", "p"),
    "unknown": ("1", "u"),
    "assumed_friend": ("2", "a"),
    "friend": ("3", "f"),
    "neutral": ("4", "n"),
    "suspect": ("5", "s"),
    "hostile": ("6", "h"),
    "joker": ("5", "j"),
    "faker": ("6", "k"),
}
"""Affiliation -> digit of the SIDC, letter of CoT. Joker and faker are exercise only."""

ECHELONS: Final[dict[str, str]] = {
    "A": "11",
    "B": "12",
    "C": "13",
    "D": "14",
    "E": "15",
    "F": "16",
    "G": "17",
    "H": "18",
    "I": "21",
    "J": "22",
    "K": "23",
    "L": "24",
    "M": "25",
}
"""2525C echelon letter (A team, D platoon, E company, F battalion, H brigade ...) -> digits."""

GENERIC_POINT: Final = "2500000000000000"
"""Everything after the identity, for a control measure that has no symbol of its own."""

_HEADQUARTERS = {"A": "2", "B": "6", "C": "3", "D": "7", "E": "4", "F": "1", "G": "5"}
_IDENTITY = {letter: digit for digit, letter in AFFILIATIONS.values()} | {
    "o": "1",
    "x": "1",
}
_SETS = {"A": "01", "P": "05", "G": "10", "F": "10", "S": "30", "U": "35"}
_GROUND_SETS = {"U": "10", "E": "15", "I": "20"}
_ROOTS = {
    "01": "A",
    "02": "AW",
    "05": "P",
    "06": "P",
    "10": "GU",
    "11": "G",
    "15": "GE",
    "20": "GI",
    "27": "GU",
    "30": "S",
    "35": "U",
    "36": "UWM",
}

# What TAK draws and asks for without an atom: prefix of the CoT type -> set and entity of the
# nearest 2525D symbol.
_NOT_ATOMS: Final = (
    ("b-m-p-w", "25131800"),  # waypoint
    ("b-m-p-c", "25130300"),  # checkpoint
    ("b-r-f-h-c", "11111000"),  # emergency medical operation
)

# CoT's "other" dimension has no letters in 2525C: rest of the type -> set and entity of 2525D.
_INCIDENTS: Final = {"X-i-g-a": "40170102"}  # avalanche


@lru_cache(maxsize=4096)
def sidc_of_cot(cot_type: str, context: Context = REAL) -> tuple[str, bool]:
    """The SIDC of a CoT type, and whether something was lost on the way.

    Args:
        cot_type: for instance a-f-G-U-C-I. What is no atom becomes a generic control measure of
            unknown identity.
        context: REAL, EXERCISE:name or SIMULATION:name: digit 3. Joker and faker are always in the
            exercise context.

    Returns:
        20 digits; lossy = the exact function or a lower-case extension is not in the SIDC.
    """
    parts = cot_type.split("-")
    if parts[0] != "a" or len(parts) < 2:
        return _sidc_of_other(cot_type, context), True
    incident = _INCIDENTS.get("-".join(parts[2:]))
    if incident is not None:
        lossy = parts[1] not in _IDENTITY or parts[1] in "ox"
        return _head(parts[1], context) + incident[:2] + "0000" + incident[2:] + "0000", lossy
    function = ""
    for part in parts[3:]:
        # Upper-case letters and digits are 2525C; from the first lower-case part on it is an
        # extension of CoT.
        if len(part) != 1 or not (part.isupper() or part.isdigit()):
            break
        function += part
    digits, exact = _digits_of("".join(parts[2:3]) + function)
    letter = parts[1]
    lossy = not exact or letter not in _IDENTITY or letter in "ox" or len(function) < len(parts) - 3
    return _head(letter, context) + digits[:2] + "0000" + digits[2:], lossy


def sidc_of_letters(letters: str, context: Context = REAL) -> tuple[str, bool]:
    """The SIDC of 15 letters of 2525C or APP-6B, warfighting scheme, and whether it is lossy.

    Raises:
        ValueError: fewer than 10 letters, or another scheme than S.
    """
    if len(letters) < 10 or letters[0] != "S":
        raise ValueError(f"symbol {letters!r}: 10 to 15 letters that begin with S are needed")
    code = letters.ljust(15, "-").replace("*", "-")
    digits, exact = _digits_of(code[2] + code[4:10].replace("-", ""))
    status = "1" if code[3] == "A" else "0"
    echelon = ECHELONS.get(code[11], "00")
    headquarters = _HEADQUARTERS.get(code[10], "0")
    lost = not exact or (code[11] != "-" and echelon == "00")
    sidc = _head(code[1].lower(), context) + digits[:2] + status + headquarters + echelon + digits[2:]
    return sidc, lost


@lru_cache(maxsize=4096)
def cot_of_sidc(sidc: str) -> str:
    """The CoT atom of a 20-digit (or longer) SIDC; a control measure becomes a spot marker.

    Raises:
        ValueError: not at least 20 digits.
    """
    _check(sidc)
    if sidc[4:6] == "25":
        return "b-m-p-w" if sidc[10:16] == "131800" else "b-m-p-s-m"
    entity = sidc[10:16]
    modifiers = sidc[16:20]
    for candidate in (
        entity + modifiers,
        entity + "0000",
        entity[:4] + "000000",
        entity[:2] + "00000000",
    ):
        letters = LETTERS.get(sidc[4:6] + candidate)
        if letters is not None:
            break
    else:
        letters = _ROOTS.get(sidc[4:6], "X")
    return "-".join(("a", AFFILIATIONS[affiliation(sidc)][1], *letters))


def affiliation(sidc: str) -> Affiliation:
    """The affiliation that a SIDC shows; an identity beyond 6 counts as unknown.

    Raises:
        ValueError: not at least 20 digits.
    """
    _check(sidc)
    if sidc[2] == "1" and sidc[3] in "56":
        return "joker" if sidc[3] == "5" else "faker"
    for word, (digit, _) in AFFILIATIONS.items():
        if digit == sidc[3]:
            return word
    return "unknown"


def with_affiliation(sidc: str, word: Affiliation) -> str:
    """The same symbol with another affiliation.

    Raises:
        ValueError: not at least 20 digits.
    """
    _check(sidc)
    context = "1" if word in ("joker", "faker") else sidc[2]
    return sidc[:2] + context + AFFILIATIONS[word][0] + sidc[4:]


def with_echelon(sidc: str, letter: str) -> str:
    """The same symbol with the echelon that 2525C writes as `letter` (A team ... M region).

    Raises:
        ValueError: no echelon letter, or not at least 20 digits.
    """
    _check(sidc)
    if letter not in ECHELONS:
        raise ValueError(f"echelon {letter!r}: one of {''.join(ECHELONS)}")
    return sidc[:8] + ECHELONS[letter] + sidc[10:]


def _check(sidc: str) -> None:
    if not (len(sidc) >= 20 and sidc.isascii() and sidc.isdigit()):
        raise ValueError(f"symbol {sidc!r}: 20 digits are needed")


def _head(letter: str, context: Context) -> str:
    """Version, context and identity: the first four digits."""
    digit = {"E": "1", "S": "2"}.get(context[:1], "0")
    if letter in ("j", "k"):
        digit = "1"
    return "10" + digit + _IDENTITY.get(letter, "1")


def _digits_of(letters: str) -> tuple[str, bool]:
    """Set, entity and modifiers of letters; not exact = those of an ancestor or the bare set."""
    shorter = letters
    while shorter:
        digits = DIGITS.get(shorter)
        if digits is not None:
            return digits, shorter == letters
        shorter = shorter[:-1]
    if letters[:1] == "G":
        return _GROUND_SETS.get(letters[1:2], "10") + "0000000000", letters == "G"
    return _SETS.get(letters[:1], "00") + "0000000000", letters in _SETS


def _sidc_of_other(cot_type: str, context: Context) -> str:
    for prefix, entity in _NOT_ATOMS:
        if cot_type == prefix or cot_type.startswith(prefix + "-"):
            return _head("u", context) + entity[:2] + "0000" + entity[2:] + "0000"
    return _head("u", context) + GENERIC_POINT
