"""Records: where each item of a record lies, and what its bits count, after the classes of libasterix.

The library makes some fifty objects for a plot, which takes ten times as long as finding the five numbers that are
wanted of it. So its classes are asked once how long items are and where in them a field lies; a record is then cut by
these lengths, and a field is read when somebody wants it. What the library refuses is refused here.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from asterix.base import Compound, Element, Explicit, Extended, Group, Item, Repetitive, UapItem

from aquila.core.errors import CodecError, UsageError

SHAPES_MAX: Final = 512
"""Of which items there are, so many combinations are remembered; a radar has a handful."""

Measure = Callable[[bytes, int], int]
"""Where an item ends that begins at a place; beyond the data where it is cut. IndexError where that cannot be said."""


class Unfit(ValueError):  # noqa: N818  # what it says of the bytes
    """These bytes are no record of the edition."""


class Field(msgspec.Struct, frozen=True):
    """A number in an item.

    Attributes:
        item: of the record. part: of a compound item, and what finds it there; None = the item is none.
        bit, bits: from which bit of the item (or part) on, how many.
        content: its class in the library; None = only the bits are read.
    """

    item: str
    part: "tuple[Items, str] | None"
    bit: int
    bits: int
    content: Any

    def read(self, record: "Record") -> int | None:
        """The number without its sign; None = the record does not hold it."""
        place = record.places.get(self.item)
        if place is not None and self.part is not None:
            items, name = self.part
            place = items.walk(record.data, place[0])[0].get(name)
        if place is None:
            return None
        end_bit = self.bit + self.bits
        first, stop = place[0] + (self.bit >> 3), place[0] + (end_bit + 7 >> 3)
        if stop > place[1]:
            # An extended item that ends before this part of it.
            return None
        return int.from_bytes(record.data[first:stop], "big") >> (-end_bit & 7) & ((1 << self.bits) - 1)


class Record:
    """One record of a block.

    Attributes:
        data: of the whole block. places: of each item that there is, its first byte and the one after its last.
    """

    __slots__ = ("_layout", "_start", "_stop", "data", "places")

    def __init__(
        self, layout: "Layout", data: bytes, places: dict[str, tuple[int, int]], start: int, stop: int
    ) -> None:
        self.data, self.places = data, places
        self._layout, self._start, self._stop = layout, start, stop

    def field(self, path: tuple[str, ...]) -> Field:
        """Where a number lies: item, and where it has them part and field."""
        return self._layout.field(path)

    @property
    def original(self) -> bytes:
        """Its own bytes."""
        return self.data[self._start : self._stop]


class Items:
    """What follows a field specification (FSPEC, Part 1, 5.2): a bit for each item says whether it is there.

    Args:
        items: by their place in it, name and measure; None = spare. bytes_max: of the specification.
    """

    def __init__(self, items: list[tuple[str, Measure] | None], bytes_max: int) -> None:
        self._items = items
        self._bytes_max = bytes_max
        self._shapes: dict[bytes, tuple[tuple[str, Measure], ...]] = {}

    def walk(self, data: bytes, at: int) -> tuple[dict[str, tuple[int, int]], int]:
        """The places of the items from here on, and where the last one ends. Raises Unfit, IndexError."""
        stop = at + 1
        while data[stop - 1] & 1:
            stop += 1
        fspec = data[at:stop]
        shape = self._shapes.get(fspec) or self._shape(fspec)
        places = {}
        for name, measure in shape:
            begin, stop = stop, measure(data, stop)
            places[name] = begin, stop
        return places, stop

    def _shape(self, fspec: bytes) -> tuple[tuple[str, Measure], ...]:
        if len(fspec) > self._bytes_max:
            raise Unfit(f"field specification of {len(fspec)} bytes: 1..{self._bytes_max} are allowed")
        found = []
        for number in range(7 * len(fspec)):
            if fspec[number // 7] << number % 7 & 0x80:
                item = self._items[number] if number < len(self._items) else None
                if item is None:
                    raise Unfit(f"bit {number + 1} of the field specification {fspec.hex()} stands for no item")
                found.append(item)
        if len(self._shapes) >= SHAPES_MAX:
            self._shapes.clear()
        self._shapes[fspec] = shape = tuple(found)
        return shape


class Layout:
    """The records of one category and edition.

    Args:
        edition: its class in the library.
    """

    def __init__(self, edition: Any) -> None:
        self._record = edition.cv_uap.cv_record
        self._fields: dict[tuple[str, ...], Field] = {}
        uap = self._record.cv_items_list
        items = [_named(item.cv_non_spare) if issubclass(item, UapItem) else None for item in uap]
        self._items = Items(items, self._record.cv_fspec_max_bytes)

    def records(self, data: bytes, at: int) -> list[Record]:
        """The records of a block from a place to its end. Raises CodecError("syntax"): then none of them is read."""
        found = []
        while at < len(data):
            try:
                places, stop = self._items.walk(data, at)
            except Unfit as unfit:
                raise CodecError("syntax", str(unfit)) from unfit
            except IndexError:
                stop = len(data) + 1
            if stop > len(data):
                raise CodecError("syntax", f"the record at byte {at} is cut: the block has {len(data)}")
            found.append(Record(self, data, places, at, stop))
            at = stop
        return found

    def field(self, path: tuple[str, ...]) -> Field:
        """Where a number lies. Raises UsageError for one that the edition does not have."""
        found = self._fields.get(path)
        if found is None:
            found = self._fields[path] = self._find(path)
        return found

    def _find(self, path: tuple[str, ...]) -> Field:
        item, *names = path
        try:
            variation = _variation(self._record.cv_items_dict[item])
            part = None
            if issubclass(variation, Compound):
                name = names.pop(0)
                part = _compound(variation), name
                variation = _variation(variation.cv_items_dict[name])
            bit, bits, variation = _within(variation, names)
        except (KeyError, IndexError) as wrong:
            raise UsageError(
                f"{'/'.join(path)}: the installed libasterix has no such field, take the lock file's"
            ) from wrong
        # What some numbers mean depends on another item: of these only the bits are read.
        content = getattr(variation.cv_rule, "cv_content", None) if issubclass(variation, Element) else None
        return Field(item, part, bit, bits, content)


def _within(variation: Any, names: list[str]) -> tuple[int, int, Any]:
    """First bit, number of bits and class of what these names lead to. Raises KeyError."""
    bit = 0
    for name in names:
        at = 0
        for item, bits in _flat(variation):
            if item is not None and issubclass(item, Item) and item.cv_non_spare.cv_name == name:
                break
            at += bits
        else:
            raise KeyError(name)
        bit, variation = bit + at, _variation(item.cv_non_spare)
    return bit, _bits(variation), variation


def _flat(variation: Any) -> list[tuple[Any, int]]:
    """The items of a group or an extended item with their bits; the bit that says whether it goes on is None."""
    if issubclass(variation, Group):
        return list(variation.cv_items_list)
    if issubclass(variation, Extended):
        return [one or (None, 1) for part in variation.cv_items_list for one in part]
    return []


def _bits(variation: Any) -> int:
    if issubclass(variation, Element | Group):
        return int(variation.cv_bit_size)
    return sum(bits for _, bits in _flat(variation))


def _variation(item: Any) -> Any:
    return item.cv_rule.cv_variation


def _named(item: Any) -> tuple[str, Measure]:
    return item.cv_name, _measure(_variation(item))


def _compound(variation: Any) -> Items:
    items = [None if item is None else _named(item) for item in variation.cv_items_list]
    return Items(items, variation.cv_fspec_max_bytes)


def _measure(variation: Any) -> Measure:
    """How long such an item is."""
    if issubclass(variation, Element | Group):
        size = variation.cv_bit_size // 8
        return lambda _, at: at + size
    if issubclass(variation, Extended):
        return _extended([sum(one[1] if one else 1 for one in part) // 8 for part in variation.cv_items_list])
    if issubclass(variation, Repetitive):
        return _repeated(variation.cv_rep_bytes, _bits(variation.cv_variation))
    if issubclass(variation, Explicit):
        return _explicit
    items = _compound(variation)
    return lambda data, at: items.walk(data, at)[1]


def _extended(sizes: list[int]) -> Measure:
    def end(data: bytes, at: int) -> int:
        for size in sizes:
            at += size
            if not data[at - 1] & 1:
                return at
        raise Unfit(f"an extended item goes on after its last part, at byte {at}")

    return end


def _repeated(count_bytes: int | None, bits: int) -> Measure:
    if count_bytes is not None:
        # The count is cut: so is then all that follows it.
        return lambda data, at: at + count_bytes + int.from_bytes(data[at : at + count_bytes], "big") * (bits // 8)

    def end(data: bytes, at: int) -> int:
        at += (bits + 1) // 8
        while data[at - 1] & 1:
            at += (bits + 1) // 8
        return at

    return end


def _explicit(data: bytes, at: int) -> int:
    if not data[at]:
        raise Unfit(f"an explicit item of no length at byte {at}")
    return at + data[at]
