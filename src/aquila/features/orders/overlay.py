"""The overlay of an issued order as phones draw it: each graphic a CoT shape for the addressees, and for nobody else.

A graphic has a name of its own on the air, made of the order and its id there: what a FRAGO changes replaces what
the phone has, and what somebody draws in the meantime does not change what was ordered.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from aquila.core.ids import entity_id
from aquila.core.model import TIME_MAX_MS, Address, Alias, Body, Entry, Geometry, Position, Removal, Report
from aquila.core.papers import Thing
from aquila.core.rule import Proposal
from aquila.core.speakers import callsigns_of, unit_in
from aquila.core.symbol import sidc_of_cot
from aquila.core.view import View
from aquila.features.orders.in_force import Frago, in_force
from aquila.features.orders.order import Order, OrderGraphic
from aquila.features.orders.view import ORDER, issued_at, order_in, orders_in

TYPES: Mapping[str, tuple[str, Literal["line", "polygon", "circle", "route"] | None]] = {
    "line": ("u-d-f", "line"),
    "polygon": ("u-d-f", "polygon"),
    "circle": ("u-d-c-c", "circle"),
    "route": ("b-m-r", "route"),
    "point": ("b-m-p-s-m", None),
}
"""Shape -> CoT type that ATAK draws it from, and the shape of the model; None = a place is enough."""
VALID_MS = 30 * 86_400_000
ADDRESSEES_MAX = 20
"""Of one statement: who is away has it kept for him, and no statement is kept for more."""
PLACED_BY_HAND = "h-g-i-g-o"


def overlay_of(arrival: Entry, thing: Thing, order: Order, views: Mapping[str, View], gone: bool) -> Iterator[Proposal]:
    """What the addressees' phones are to draw, or (gone) to take off."""
    base = order.order_ref or thing.id
    drawn, dropped = _graphics(thing, order, views)
    layer = f"{order.kind} {order.number} {order.title}".replace("  ", " ").strip()[:100]
    at_ms = arrival.envelope.received_at_ms
    bodies: list[tuple[str, Any]] = []
    for graphic in drawn:
        uid = f"{base}.{graphic.id}"
        bodies.append((graphic.id, _removal(uid, at_ms) if gone else _report(uid, graphic, layer, at_ms)))
    bodies += [(id, _removal(f"{base}.{id}", at_ms)) for id in dropped]
    for n, to in enumerate(_addresses(arrival, order, views)):
        for id, body in bodies:
            told: Body = msgspec.structs.replace(body, to=to)
            yield Proposal(told, arrival.envelope.label, key=f"overlay {arrival.envelope.id} {id} {n}")


def _graphics(thing: Thing, order: Order, views: Mapping[str, View]) -> tuple[list[OrderGraphic], list[str]]:
    """Graphics of an order, or those that a FRAGO brings or changes, as they then are; ids of those it takes off."""
    if order.order_ref is None:
        return list(order.graphics), []
    paths = [change.path.split(".") for change in order.changes]
    spoken = list(dict.fromkeys(path[1] for path in paths if path[0] == "graphics" and len(path) > 1))
    things = list(orders_in(views).all(thing.first.context, ORDER))
    base = next(
        (found for each in things if each.id == order.order_ref and (found := order_in(each)) is not None), None
    )
    if base is None or not spoken:
        return [], []
    fragos = [
        Frago(id=each.id, effective_ms=issued_ms, order=said)
        for each in things
        if (issued_ms := issued_at(each)) is not None
        and (said := order_in(each)) is not None
        and said.order_ref == order.order_ref
    ]
    stands = {each.id: each for each in in_force(base, fragos, TIME_MAX_MS).order.graphics}
    return [stands[id] for id in spoken if id in stands], [id for id in spoken if id not in stands]


def _report(uid: str, graphic: OrderGraphic, layer: str, at_ms: int) -> Report:
    kind, shape = TYPES[graphic.shape]
    points = graphic.points
    return Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type=kind,
        sidc=graphic.sidc or sidc_of_cot(kind)[0],
        category="drawing",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + VALID_MS,
        name=graphic.name,
        how=PLACED_BY_HAND,
        position=Position(*_anchor(graphic)),
        geometry=None if shape is None else Geometry(shape, points, graphic.radius_m, graphic.stroke),
        remarks=layer,
        fields={"layer": layer},
    )


def _anchor(graphic: OrderGraphic) -> tuple[float, float]:
    """Where its label stands: the middle of an area's corners, else its first point."""
    if graphic.shape != "polygon":
        return graphic.points[0]
    lats, lons = zip(*graphic.points, strict=True)
    return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2


def _removal(uid: str, at_ms: int) -> Removal:
    return Removal(entity=entity_id("cot", uid), alias=Alias("cot", uid), happened_at_ms=at_ms)


def _addresses(arrival: Entry, order: Order, views: Mapping[str, View]) -> Iterator[tuple[Address, ...]]:
    names = [
        Address("callsign", callsign)
        for addressee in order.distribution
        for callsign in callsigns_of(unit_in(views, arrival.envelope.context, addressee), addressee)
    ]
    unique = list(dict.fromkeys(names))
    for start in range(0, len(unique), ADDRESSEES_MAX):
        yield tuple(unique[start : start + ADDRESSEES_MAX])
