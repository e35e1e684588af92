"""What one event says: from its bytes over its tree to a body, its marking and its flow tags."""

from collections.abc import Iterable

from aquila.codecs.cot.event import (
    Element,
    Event,
    Part,
    Parts,
    body_of,
    flow_of,
    marking_of,
    metres,
    number,
    radius,
    time_ms,
)
from aquila.codecs.cot.xml.skeleton import Skeletons
from aquila.codecs.cot.xml.tree import parse, point_and_children
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError


def decode_event(data: bytes, skeletons: Skeletons) -> Decoded | Control:
    """What one event says; data is exactly `<event ...>...</event>`. Raises CodecError."""
    tree = skeletons.grow(data)
    if tree is None:
        return _decoded(data, *_tree_of(parse(data)))
    return _decoded(data, *tree)


def read_event(data: bytes) -> tuple[Event, Element]:
    """The event in data as it stands, and its root element; raises CodecError."""
    root = parse(data)
    return _event(*_tree_of(root)), root


def _tree_of(root: Element) -> tuple[Part, Part, Parts, Iterable[Element]]:
    """The attributes of an event, its point, and the children of its detail by name and in order."""
    point, children = point_and_children(root)
    return dict(root.items()), point, {child.tag: child for child in reversed(children)}, children


def _event(said: Part, point: Part, parts: Parts, children: Iterable[Element]) -> Event:
    """The event with these attributes, this point and these children of its detail."""
    get = said.get
    time, start = get("time"), get("start")
    at_ms = time_ms(time)
    if start != time:
        time_ms(start)
    uid, cot_type, stale_ms, how = get("uid") or "", get("type") or "", time_ms(get("stale")), get("how")
    get = point.get
    return Event(
        uid,
        cot_type,
        at_ms,
        stale_ms,
        how,
        number(get("lat"), "lat"),
        number(get("lon"), "lon"),
        metres(get("hae"), "hae"),
        radius(get("ce"), "ce"),
        radius(get("le"), "le"),
        parts,
        children,
    )


def _decoded(data: bytes, said: Part, point: Part, parts: Parts, children: Iterable[Element]) -> Decoded | Control:
    event = _event(said, point, parts, children)
    try:
        body = body_of(event)
    except ValueError as error:
        raise CodecError("range", str(error)) from error
    if isinstance(body, Control):
        return body
    get = said.get
    label = marking_of(get("access"), get("caveat"), get("releasableTo") or get("releaseableTo"))
    return Decoded(body, data, label, flow_of(parts, children))
