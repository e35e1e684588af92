"""Items of a record as numbers and words: None = the record does not hold them."""

from typing import Any, Final

from aquila.core.errors import CodecError
from aquila.core.sensing import DAY_MS, nearest_ms

NM_M: Final = 1_852.0
LEVEL_FT: Final = 100.0


def _sub(record: Any, path: tuple[str, ...]) -> Any:
    item = record.get_item(path[0])
    for name in path[1:]:
        if item is None:
            return None
        item = item.variation.get_item(name)
    return item


def quantity(record: Any, unit: str, *path: str) -> float | None:
    """A number in the unit that the category's definition gives."""
    item = _sub(record, path)
    return None if item is None else float(item.variation.content.as_quantity(unit))


def whole(record: Any, *path: str) -> int | None:
    """A number or a choice without unit."""
    item = _sub(record, path)
    return None if item is None else int(item.as_uint())


def words(record: Any, *path: str) -> str | None:
    """Text in six-bit or octal characters, without the blanks at its ends; None also when it is empty."""
    item = _sub(record, path)
    return None if item is None else (str(item.variation.content.as_string()).strip() or None)


def source(record: Any) -> str:
    """Data source (item 010) as SAC/SIC. Raises CodecError("missing") where it is not said."""
    sac, sic = whole(record, "010", "SAC"), whole(record, "010", "SIC")
    if sac is None or sic is None:
        raise CodecError("missing", "no data source (item 010)")
    return f"{sac}/{sic}"


def time_ms(record: Any, received_at_ms: int, *items: str) -> int:
    """The first of these times of day that is said, as the day nearest to the reception; else the reception."""
    for item in items:
        seconds = quantity(record, "s", item)
        if seconds is not None:
            if seconds >= DAY_MS / 1_000:
                raise CodecError("time", f"time of day {seconds} s: below 86,400")
            return nearest_ms(received_at_ms, round(seconds * 1_000), DAY_MS)
    return received_at_ms


def mode3a(record: Any, item: str) -> str | None:
    """Four octal digits; None = none, garbled or not validated."""
    if whole(record, item, "V") or whole(record, item, "G"):
        return None
    return words(record, item, "MODE3A")


def address(number: int | None) -> str | None:
    """A 24-bit address as six hex digits; None = none, or the impossible 0."""
    return f"{number:06x}" if number else None
