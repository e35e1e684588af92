"""The order in force at a time: an order with the fragmentary orders that are in effect by then, and what they changed.

A path names a field ("mission.when"), or an element by its id, letter or place ("tasks.T2.end_ms", "annexes.A",
"overlay.0"). `old` is what the writer saw; where the order says something else by then, that is listed, not lost.
"""

from collections.abc import Iterable, Iterator
from difflib import ndiff
from typing import Any, Literal

import msgspec

from aquila.core.phrase_table import PHRASES
from aquila.core.tongue import Tongue
from aquila.features.orders.order import Order, OrderChange, date_time_group, read_order, wrong_in

FIXED = ("kind", "order_ref", "changes", "effective_ms")
"""Fields that no fragmentary order changes."""
KEYS = ("id", "letter", "unit")


class AppliedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change as it was applied. problem: why not, or that `old` was something else; empty = as written."""

    frago: str
    number: str
    path: str
    old: Any
    new: Any
    found: Any
    problem: str


class Frago(msgspec.Struct, frozen=True, kw_only=True):
    """A fragmentary order in its place.

    Attributes:
        effective_ms: from when it holds. until_ms: when it was taken back; None = it stands.
    """

    id: str
    effective_ms: int
    order: Order
    until_ms: int | None = None

    def holds_at(self, at_ms: int) -> bool:
        """Does the order read with it at this time?"""
        return self.effective_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """The order as it stands, and how it came to."""

    order: Order
    applied: tuple[AppliedChange, ...]


def in_force(base: Order, fragos: Iterable[Frago], at_ms: int) -> InForce:
    """The order with all that holds at this time, the earliest first."""
    order, applied = base, []
    for frago in sorted(fragos, key=lambda each: (each.effective_ms, each.id)):
        if not frago.holds_at(at_ms):
            continue
        for change in frago.order.changes:
            order, done = _apply(order, change, frago)
            applied.append(done)
    return InForce(order=order, applied=tuple(applied))


def _apply(order: Order, change: OrderChange, frago: Frago) -> tuple[Order, AppliedChange]:
    changed, found, problem = apply_change(order, change)
    done = AppliedChange(
        frago=frago.id,
        number=frago.order.number,
        path=change.path,
        old=change.old,
        new=change.new,
        found=found,
        problem=problem,
    )
    return changed, done


def apply_change(order: Order, change: OrderChange) -> tuple[Order, Any, str]:
    """The order after a change, what stood there before, and what is wrong with the change (empty = nothing)."""
    parts = change.path.split(".")
    if parts[0] not in Order.__struct_fields__ or parts[0] in FIXED:
        return order, None, f"there is no {parts[0]} to change: name a field of the order"
    whole: dict[str, Any] = msgspec.to_builtins(order)
    value = whole.get(parts[0])
    found = _value_at(value, parts[1:])
    placed, problem = _put(value, parts[1:], change.new)
    if problem:
        return order, found, problem
    if placed is None:
        whole.pop(parts[0], None)
    else:
        whole[parts[0]] = placed
    try:
        changed = read_order(whole)
    except ValueError as wrong:
        return order, found, str(wrong)[:300]
    refused = wrong_in(changed)
    if refused is not None:
        return order, found, refused.detail
    is_other = change.old is not None and _plain(change.old) != _plain(found)
    return (
        changed,
        found,
        "the order said something else by then: look whether the change still fits" if is_other else "",
    )


def _value_at(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list | tuple):
            place = _place_of(value, part)
            value = None if place is None else value[place]
        else:
            return None
    return value


def _place_of(values: list[Any] | tuple[Any, ...], part: str) -> int | None:
    for place, each in enumerate(values):
        if isinstance(each, dict) and any(each.get(key) == part for key in KEYS):
            return place
    return int(part) if part.isdecimal() and int(part) < len(values) else None


def _put(value: Any, parts: list[str], new: Any) -> tuple[Any, str]:
    """The value with `new` at the path below it (None = taken out), and what is wrong (empty = nothing)."""
    if not parts:
        return new, ""
    part, rest = parts[0], parts[1:]
    if isinstance(value, list | tuple):
        return _put_in_list(list(value), part, rest, new)
    if not isinstance(value, dict | None):
        return value, f"there is nothing below {part}: name a shorter path"
    fields = dict(value or {})
    below, problem = _put(fields.get(part), rest, new)
    if below is None:
        fields.pop(part, None)
    else:
        fields[part] = below
    return fields, problem


def _put_in_list(values: list[Any], part: str, rest: list[str], new: Any) -> tuple[Any, str]:
    place = _place_of(values, part)
    if place is None:
        if rest or new is None:
            return values, f"there is no {part} here: add it whole, or name one that is there"
        return [*values, new], ""
    below, problem = _put(values[place], rest, new)
    if below is None:
        return values[:place] + values[place + 1 :], problem
    values[place] = below
    return values, problem


def _plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def changes_between(before: Order, after: Order) -> tuple[OrderChange, ...]:
    """The changes that make one order of the other, as a fragmentary order carries them."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return tuple(
        OrderChange(path=path, old=was, new=becomes)
        for name in Order.__struct_fields__
        if name not in FIXED
        for path, was, becomes in _differences(name, old.get(name), new.get(name))
    )


def _differences(path: str, old: Any, new: Any) -> Iterable[tuple[str, Any, Any]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _differences(f"{path}.{name}", old.get(name), new.get(name))
        return
    if path in ("tasks", "phases", "annexes", "graphics"):
        was, becomes = ({_key(each): each for each in values or ()} for values in (old, new))
        for key in dict.fromkeys([*was, *becomes]):
            yield from _differences(f"{path}.{key}", was.get(key), becomes.get(key))
        return
    yield path, old, new


def _key(element: dict[str, Any]) -> str:
    return str(element.get("id") or element.get("letter"))


Mark = Literal["same", "removed", "added"]
MARKS: dict[str, Mark] = {"+": "added", "-": "removed", " ": "same"}
"""What the first letter of a line of difflib's ndiff means."""


class DiffPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words of a difference: they stayed, went or came. name: of the field that they are the value of; empty = none."""

    mark: Mark
    text: str
    name: str = ""


def parts_of(change: OrderChange | AppliedChange, tongue: Tongue) -> tuple[DiffPart, ...]:
    """One change word by word; what is no text is shown whole, each value under the name of its field.

    tongue: of what values say, times and points; names are those of the fields.
    """
    old, new = (_text(change.path, value, tongue) for value in (change.old, change.new))
    if not (isinstance(change.old, str) and isinstance(change.new, str)):
        told: tuple[tuple[Mark, Any], ...] = (("removed", change.old), ("added", change.new))
        return tuple(
            DiffPart(mark=mark, text=text, name=name)
            for mark, value in told
            for name, text in _leaves("", change.path, value, tongue)
            if text
        )
    found: list[DiffPart] = []
    for word in ndiff(old.split()[:2000], new.split()[:2000]):
        if word[0] == "?":
            continue
        mark = MARKS[word[0]]
        if found and found[-1].mark == mark:
            found[-1] = DiffPart(mark=mark, text=f"{found[-1].text} {word[2:]}")
        else:
            found.append(DiffPart(mark=mark, text=word[2:]))
    return tuple(found)


WHOLE_MAX = 400
"""Characters of old and new together that are told whole, one after the other."""
MANY = ("tasks", "phases", "graphics", "annexes", "task_organisation")
"""Parts of an order of which there are several, each with its name in the path."""
NAMES = frozenset(name for name, _ in PHRASES["field"])


def readable(change: OrderChange | AppliedChange, tongue: Tongue) -> str:
    """One change as people read it; a long text as the words that went and came."""
    old, new = (_text(change.path, value, tongue) for value in (change.old, change.new))
    place = place_of(change.path, tongue)
    if change.old is None:
        return tongue.say("order.says.added", place=place, new=new)
    if change.new is None:
        return tongue.say("order.says.removed", place=place, old=old)
    if len(old) + len(new) < WHOLE_MAX:
        return f"{place}: {old} -> {new}"
    marks = {"same": "", "removed": "-", "added": "+"}
    words = ((each.mark, f"{field_said(each.name, tongue)} {each.text}".strip()) for each in parts_of(change, tongue))
    said = (text if mark == "same" else f"[{marks[mark]}{text}]" for mark, text in words)
    return f"{place}: {' '.join(said)}"


def place_of(path: str, tongue: Tongue) -> str:
    """Where in an order something changes, as people say it: `tasks.T2.end_ms` is "task T2, end"."""
    first, *rest = path.split(".")
    if first in MANY and rest:
        told, *rest = tongue.say(f"order.place.{first}", id=rest[0]), *rest[1:]
    else:
        told = field_said(first, tongue)
    return ", ".join((told, *(field_said(name, tongue) for name in rest)))


def field_said(name: str, tongue: Tongue) -> str:
    """A field of an order as people call it; an id as it is."""
    plain = name.removesuffix("_ms")
    return tongue.say(f"field.{plain}") if plain in NAMES else plain.replace("_", " ")


def _is_place(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), int | float) for key in ("lat_deg", "lon_deg"))


def _leaves(name: str, path: str, value: Any, tongue: Tongue) -> Iterator[tuple[str, str]]:
    """Each value with the name of its field: of an element of an order, its fields one after the other."""
    if isinstance(value, dict) and not _is_place(value):
        for key, each in value.items():
            # What is watched is told by its kind.
            yield from _leaves(name if key == "kind" and name else key, key, each, tongue)
    elif isinstance(value, list | tuple) and any(isinstance(each, dict) for each in value):
        for each in value:
            yield from _leaves(name, path, each, tongue)
    else:
        yield name, _text(path, value, tongue)


def _text(name: str, value: Any, tongue: Tongue) -> str:
    """A value as people read it; "" = nothing. name: the field; times end in _ms."""
    if value is None:
        return ""
    if name.endswith("_ms") and isinstance(value, int):
        return time_said(value, tongue)
    if _is_place(value):
        return f"{value['lat_deg']:.5f}, {value['lon_deg']:.5f}"
    if isinstance(value, dict):
        return ", ".join(f"{field_said(key, tongue)} {_text(key, each, tongue)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        if name == "points":
            return tongue.say("order.says.points", n=len(value))
        return "; ".join(_text("", each, tongue) for each in value)
    return str(value)


def time_said(at_ms: int | None, tongue: Tongue) -> str:
    """A time as a date-time group; None = on order."""
    return tongue.say("order.says.on_order") if at_ms is None else date_time_group(at_ms)
