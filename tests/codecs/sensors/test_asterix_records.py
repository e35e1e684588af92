"""What is cut out of a record by the library's lengths and bits is what the library itself reads of it."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from asterix.base import Bits, Compound, Extended, Group, Item

import aquila.codecs.asterix
from aquila.codecs.asterix.records import Layout, Record
from aquila.codecs.asterix.specs import specifications
from aquila.codecs.asterix.values import quantity, whole, words
from aquila.codecs.asterix.wire import layouts
from aquila.core.errors import CodecError, UsageError

VECTORS = Path(aquila.codecs.asterix.__file__).parent / "vectors"
HOSTILE = 4_000


def blocks() -> Iterator[bytes]:
    """Every block that a peer wrote."""
    for path in sorted(VECTORS.glob("*.wire")):
        data = path.read_bytes()
        while len(data) > 3:
            length = int.from_bytes(data[1:3], "big")
            if data[0] in specifications()[0]:
                yield data[:length]
            data = data[max(length, 3) :]


def hurt(block: bytes, dice: Random) -> bytes:
    """The block with bytes changed, cut off or put in behind its head."""
    body = bytearray(block[3:])
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(body) + 1)
        match dice.randrange(3):
            case 0:
                body[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                body[at : at + dice.randint(1, 6)] = b""
            case _:
                body[at:at] = dice.randbytes(dice.randint(1, 6))
    return block[:3] + bytes(body or b"\x00")


def paths_of(variation: Any) -> Iterator[tuple[str, ...]]:
    """Names that lead to every number of an item."""
    if issubclass(variation, Compound):
        named = [item for item in variation.cv_items_list if item is not None]
    elif issubclass(variation, Group):
        named = [item.cv_non_spare for item, _ in variation.cv_items_list if issubclass(item, Item)]
    elif issubclass(variation, Extended):
        flat = [one[0] for part in variation.cv_items_list for one in part if one]
        named = [item.cv_non_spare for item in flat if issubclass(item, Item)]
    else:
        named = []
    if not named:
        yield ()
    for item in named:
        for rest in paths_of(item.cv_rule.cv_variation):
            yield (item.cv_name, *rest)


def of_library(record: Any, path: tuple[str, ...]) -> Any:
    item = record.get_item(path[0])
    for name in path[1:]:
        item = None if item is None else item.variation.get_item(name)
    return item


def same_numbers(record: Record, other: Any) -> int:
    """Compare all numbers of a record; gives how many there were."""
    count = 0
    for name, item in other.items_regular.items():
        start, stop = record.places[name]
        assert record.data[start:stop] == item.unparse().to_bytes()
        for rest in paths_of(item.cv_rule.cv_variation):
            found = of_library(other, (name, *rest))
            if found is not None and not hasattr(found, "as_uint"):
                continue
            if found is not None and not hasattr(found.variation, "content"):
                continue
            count += 1
            if found is None:
                assert whole(record, name, *rest) is None
                continue
            assert whole(record, name, *rest) == int(found.as_uint())
            content = found.variation.content
            if hasattr(content, "as_quantity"):
                assert quantity(record, content.cv_unit, name, *rest) == float(content.as_quantity())
            if hasattr(content, "as_string"):
                assert words(record, name, *rest) == (content.as_string().strip() or None)
    return count


def both(block: bytes) -> tuple[list[Record] | None, list[Any] | None]:
    """The records of a block as we and as the library read it; None = refused."""
    told = specifications()[0][block[0]].cv_uap.parse(Bits.from_bytes(block[3:]))
    try:
        found = layouts()[0][block[0]].records(block, 3)
    except CodecError:
        found = None
    return found, None if isinstance(told, ValueError) else told


def test_every_number_of_every_vector_is_the_librarys() -> None:
    counts = []
    for block in blocks():
        found, told = both(block)
        assert found is not None
        assert told is not None
        assert [record.original for record in found] == [record.unparse().to_bytes() for record in told]
        counts += [same_numbers(*pair) for pair in zip(found, told, strict=True)]
    assert sum(counts) > 100


def test_what_the_library_refuses_is_refused_and_what_it_reads_is_read_alike() -> None:
    dice, whole_blocks = Random(1), list(blocks())
    refused = 0
    for _ in range(HOSTILE):
        block = hurt(dice.choice(whole_blocks), dice)
        found, told = both(block)
        assert (found is None) == (told is None), block.hex()
        refused += told is None
        for pair in zip(found or (), told or (), strict=True):
            same_numbers(*pair)
    assert HOSTILE / 10 < refused < HOSTILE * 9 / 10


def test_a_field_that_the_edition_does_not_have_is_told_with_its_path() -> None:
    layout = Layout(specifications()[0][48])
    for path in (("999",), ("040", "RANGE"), ("120", "CAL", "X")):
        with pytest.raises(UsageError, match="/".join(path)):
            layout.field(path)
