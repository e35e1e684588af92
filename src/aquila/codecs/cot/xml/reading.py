"""What one event says: from its bytes over its tree to a body, its marking and its flow tags."""

from collections.abc import Iterable

from aquila.codecs.cot.event import (
    Element,
    Event,
    Parts,
    body_of,
    flow_of,
    marking_of,
    metres,
    number,
    radius,
    time_ms,
)
from aquila.codecs.cot.xml.skeleton import Skeletons, Tree
from aquila.codecs.cot.xml.tree import MARKS, Head, head_of, parse, point_and_children
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError


def decode_event(data: bytes, skeletons: Skeletons) -> Decoded | Control:
    """What one event says; data is exactly `<event ...>...</event>`. Raises CodecError."""
    tree = skeletons.grow(data)
    if tree is None:
        return _decoded(data, *_tree_of(parse(data)))
    return _decoded(data, *tree)


def decode_tree(data: bytes, tree: Tree) -> Decoded | Control:
    """What one event says whose tree is known already. Raises CodecError."""
    return _decoded(data, *tree)


def read_event(data: bytes) -> tuple[Event, Element]:
    """The event in data as it stands, and its root element; raises CodecError."""
    root = parse(data)
    return _event(*_tree_of(root)), root


def _tree_of(root: Element) -> tuple[Head, Parts, Iterable[Element]]:
    """The head of an event, and the children of its detail by name and in order."""
    point, children = point_and_children(root)
    return head_of(root, point), {child.tag: child for child in reversed(children)}, children


def _event(head: Head, parts: Parts, children: Iterable[Element]) -> Event:
    """The event with this head and these children of its detail."""
    uid, cot_type, time, start, stale, how, lat, lon, hae, ce, le, *_ = head
    at_ms = time_ms(time)
    if start != time:
        time_ms(start)
    return Event(
        uid or "",
        cot_type or "",
        at_ms,
        time_ms(stale),
        how,
        number(lat, "lat"),
        number(lon, "lon"),
        metres(hae, "hae"),
        radius(ce, "ce"),
        radius(le, "le"),
        parts,
        children,
    )


def _decoded(data: bytes, head: Head, parts: Parts, children: Iterable[Element]) -> Decoded | Control:
    event = _event(head, parts, children)
    try:
        body = body_of(event)
    except ValueError as error:
        raise CodecError("range", str(error)) from error
    if isinstance(body, Control):
        return body
    access, caveat, releasable_to, releaseable_to = head[MARKS]
    label = marking_of(access, caveat, releasable_to or releaseable_to)
    return Decoded(body, data, label, flow_of(parts, children))
