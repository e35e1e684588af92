"""Items of a record as numbers and words: None = the record does not hold them."""

from typing import Final

from aquila.codecs.asterix.records import Record
from aquila.core.errors import CodecError
from aquila.core.sensing import DAY_MS, nearest_ms

NM_M: Final = 1_852.0
LEVEL_FT: Final = 100.0


def quantity(record: Record, unit: str, *path: str) -> float | None:
    """A number in the unit that the category's definition gives."""
    field = record.field(path)
    raw = field.read(record)
    if raw is None:
        return None
    assert field.content.cv_unit == unit, f"{path} counts {field.content.cv_unit}, not {unit}"
    return float(field.content.cv_signedness.convert(field.bits, raw) * field.content.cv_lsb)


def whole(record: Record, *path: str) -> int | None:
    """A number or a choice without unit."""
    return record.field(path).read(record)


def words(record: Record, *path: str) -> str | None:
    """Text in six-bit or octal characters, without the blanks at its ends; None also when it is empty."""
    field = record.field(path)
    raw = field.read(record)
    return None if raw is None else (field.content.cv_string_type.to_string(field.bits, raw).strip() or None)


def source(record: Record) -> str:
    """Data source (item 010) as SAC/SIC. Raises CodecError("missing") where it is not said."""
    sac, sic = whole(record, "010", "SAC"), whole(record, "010", "SIC")
    if sac is None or sic is None:
        raise CodecError("missing", "no data source (item 010)")
    return f"{sac}/{sic}"


def time_ms(record: Record, received_at_ms: int, *items: str) -> int:
    """The first of these times of day that is said, as the day nearest to the reception; else the reception."""
    for item in items:
        seconds = quantity(record, "s", item)
        if seconds is not None:
            if seconds >= DAY_MS / 1_000:
                raise CodecError("time", f"time of day {seconds} s: below 86,400")
            return nearest_ms(received_at_ms, round(seconds * 1_000), DAY_MS)
    return received_at_ms


def mode3a(record: Record, item: str) -> str | None:
    """Four octal digits; None = none, garbled or not validated."""
    if whole(record, item, "V") or whole(record, item, "G"):
        return None
    return words(record, item, "MODE3A")


def address(number: int | None) -> str | None:
    """A 24-bit address as six hex digits; None = none, or the impossible 0."""
    return f"{number:06x}" if number else None
