"""What AIS numbers mean: kinds of MMSI, types of ship and aid, and the symbol of each.

ITU-R M.585-9 (MMSI) and M.1371-5 (table 53 ship types, table 74 aids to navigation). AIS says nothing of friend or
foe, so that every symbol has the identity unknown.
"""

from functools import lru_cache
from typing import Final, Literal

import msgspec

from aquila.core.model import Category
from aquila.core.symbol import GENERIC_POINT

Kind = Literal["ship", "aircraft", "aid", "base", "craft", "device", "group"]

STATUS: Final = (
    "under way using engine",
    "at anchor",
    "not under command",
    "restricted manoeuvrability",
    "constrained by draught",
    "moored",
    "aground",
    "fishing",
    "under way sailing",
    "reserved (HSC)",
    "reserved (WIG)",
    "towing astern",
    "pushing ahead",
    "reserved",
    "distress device active",
)
"""Navigational status 0..14; 15 is undefined (and a distress device under test)."""

AIDS: Final = (
    "unspecified", "reference point", "RACON", "fixed structure", "wreck mark", "light without sectors",
    "light with sectors", "leading light front", "leading light rear", "beacon cardinal N", "beacon cardinal E",
    "beacon cardinal S", "beacon cardinal W", "beacon port hand", "beacon starboard hand",
    "beacon preferred channel port", "beacon preferred channel starboard", "beacon isolated danger",
    "beacon safe water", "beacon special mark", "cardinal mark N", "cardinal mark E", "cardinal mark S",
    "cardinal mark W", "port hand mark", "starboard hand mark", "preferred channel port",
    "preferred channel starboard", "isolated danger", "safe water", "special mark", "light vessel or rig",
)  # fmt: skip

EMERGENCIES: Final = {970: "AIS-SART", 972: "Man overboard", 974: "EPIRB-AIS"}

# Ship type -> (words, rest of the CoT atom, entity of set 30 in 2525D). The first digit speaks where the pair does not.
_TENS: Final = {
    2: ("wing in ground", "X-M", "140000"),
    4: ("high-speed craft", "X-M", "140107"),
    6: ("passenger", "X-M-P", "140110"),
    7: ("cargo", "X-M-C", "140101"),
    8: ("tanker", "X-M-O", "140109"),
    9: ("other", "X", "140000"),
}
_TYPES: Final = {
    30: ("fishing", "X-F", "140200"),
    31: ("towing", "X-M-T", "140112"),
    32: ("towing, long", "X-M-T", "140112"),
    33: ("dredging", "X-M", "140103"),
    34: ("diving", "X", "140000"),
    35: ("military", "C", "120000"),
    36: ("sailing", "X-R", "140400"),
    37: ("pleasure craft", "X-R", "140500"),
    50: ("pilot", "X", "140000"),
    51: ("search and rescue", "X", "140000"),
    52: ("tug", "X-M-T", "140111"),
    53: ("port tender", "X", "140000"),
    54: ("anti-pollution", "X", "140000"),
    55: ("law enforcement", "X-L", "140300"),
    58: ("medical transport", "X", "140116"),
}
_UNKNOWN_SHIP: Final = ("", "", "000000")


class Look(msgspec.Struct, frozen=True):
    """What something is shown as; `words` None = it did not say what it is."""

    type: str
    sidc: str
    category: Category
    words: str | None


@lru_cache(maxsize=8_192)
def kind_of(mmsi: int) -> Kind:
    """The kind of station that a Maritime Mobile Service Identity belongs to (ITU-R M.585-9, annex 1)."""
    prefix = mmsi // 1_000_000
    if prefix in EMERGENCIES:
        return "device"
    if prefix == 111:
        return "aircraft"
    if prefix // 10 == 99:
        return "aid"
    if prefix // 10 == 98:
        return "craft"
    if mmsi < 10_000_000:
        return "base"
    return "group" if mmsi < 100_000_000 else "ship"


@lru_cache(maxsize=1_024)
def look_of(kind: Kind, ship_type: int | None) -> Look:
    """The CoT type, symbol and words for a kind of station and a ship type; 0 and None = type unknown."""
    if kind == "aircraft":
        return Look("a-u-A-C", "10010100001200000000", "platform", "search and rescue aircraft")
    if kind == "device":
        return Look("b-a-o-tbl", "1001" + GENERIC_POINT, "alert", None)
    if kind in ("aid", "base"):
        words = "base station" if kind == "base" else None
        return Look("b-m-p-s-m", "1001" + GENERIC_POINT, "place", words)
    words, atom, entity = _UNKNOWN_SHIP
    if ship_type is not None:
        words, atom, entity = _TYPES.get(ship_type) or _TENS.get(ship_type // 10, _UNKNOWN_SHIP)
    letters = f"a-u-S-{atom}" if atom else "a-u-S"
    return Look(letters, f"1001300000{entity}0000", "platform", words or None)
