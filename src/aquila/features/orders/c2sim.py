"""Orders as C2SIM (SISO-STD-019/020-2020, schema C2SIM_SMX_LOX, namespace 1.1), out and in, inside our scope.

In: whatever belongs to weapons, targets or fires refuses the whole order with a sentence; nothing of it is taken. Out:
tasks only, because the schema has no paragraphs; what is lost is listed.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from aquila.core.errors import Refused
from aquila.core.paper_work import Place
from aquila.core.task_verbs import GUARDED, GUARDED_VERBS, refuse_verb
from aquila.features.orders.order import TASKS_MAX, Order, OrderTask

NAMESPACE = "http://www.sisostds.org/schemas/C2SIM/1.1"
ORIGIN = uuid.UUID("6f0c1c5e-6a2e-5a0b-9d0e-0a9b1c6a7e11")
"""Under it names become the UUIDs that the schema asks for, always the same."""
BYTES_MAX = 1_000_000
NSMAP: Any = {None: NAMESPACE}
"""The stubs of lxml know no default namespace."""
EFFECT = "TaskSuccess"
REFUSED_ELEMENTS = {
    "RuleOfEngagement": "rules of engagement",
    "WeaponRuleOfEngagementCode": "weapon rules",
    "MipWeaponUseROE": "weapon rules",
}


def _uuid_of(name: str) -> str:
    try:
        return str(uuid.UUID(name))
    except ValueError:
        return str(uuid.uuid5(ORIGIN, name))


def to_c2sim(id: str, order: Order, at_ms: int) -> tuple[bytes, tuple[str, ...]]:
    """The order's tasks as a C2SIM order, and what the format cannot carry."""
    root = etree.Element(_name("Message"), nsmap=NSMAP)
    sender, receiver = order.issuing_hq or "HQ", (order.distribution or ("ALL",))[0]
    header = _add(root, "C2SIMHeader")
    for name, text in (
        ("CommunicativeActTypeCode", "Request"),
        ("ConversationID", _uuid_of(id)),
        ("FromSendingSystem", sender),
        ("MessageID", _uuid_of(f"{id} {at_ms}")),
        ("Protocol", "SISO-STD-C2SIM"),
        ("ProtocolVersion", "1.0.1"),
    ):
        _add(header, name, text)
    _add(_add(header, "SendingTime"), "IsoDateTime", _iso(at_ms))
    _add(header, "ToReceivingSystem", receiver)
    body = _add(_add(_add(root, "MessageBody"), "DomainMessageBody"), "OrderBody")
    _add(body, "FromSender", _uuid_of(sender))
    _add(body, "ToReceiver", _uuid_of(receiver))
    _add(_add(body, "IssuedTime"), "IsoDateTime", _iso(at_ms))
    _add(body, "OrderID", _uuid_of(id))
    for task in order.tasks:
        _add_task(body, id, task)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written, tuple(_losses(order))


def _add_task(body: etree._Element, id: str, task: OrderTask) -> None:
    element = _add(_add(body, "Task"), "ManeuverWarfareTask")
    if task.place is not None:
        point = _add(_add(element, "Location"), "GeodeticCoordinate")
        _add(point, "Latitude", repr(task.place.lat_deg))
        _add(point, "Longitude", repr(task.place.lon_deg))
    if task.area is not None:
        _add(element, "MapGraphicID", _uuid_of(task.area))
    _add(element, "Name", f"{task.id} ({GUARDED})" if task.verb in GUARDED_VERBS else task.id)
    _add(element, "UUID", _uuid_of(f"{id} {task.id}"))
    _add(element, "DesiredEffectCode", EFFECT)
    if task.end_ms is not None:
        _add(_add(_add(element, "EndTime"), "DateTime"), "IsoDateTime", _iso(task.end_ms))
    _add(element, "PerformingEntity", _uuid_of(task.unit))
    if task.start_ms is not None:
        _add(_add(_add(element, "StartTime"), "DateTime"), "IsoDateTime", _iso(task.start_ms))
    _add(element, "TaskActionCode", task.verb)


def _losses(order: Order) -> Iterator[str]:
    if len(order.distribution) > 1:
        yield f"addressees after the first: {', '.join(order.distribution[1:])[:300]}"
    plain = ("situation", "mission", "execution", "sustainment", "command_signal", "phases", "annexes", "changes")
    lost = [
        name for name in (*plain, "task_organisation", "overlay", "graphics") if getattr(order, name) != _empty(name)
    ]
    if lost:
        yield f"paragraphs that C2SIM orders do not have: {', '.join(lost)}"
    if any(task.text or task.purpose or task.success for task in order.tasks):
        yield "text, purpose and success criteria of tasks"


def _empty(name: str) -> Any:
    return getattr(Order(kind="OPORD", title="x"), name)


def from_c2sim(content: bytes) -> Order | Refused:
    """The order that a C2SIM document carries, as a draft; or a sentence that says why it is refused."""
    if len(content) > BYTES_MAX:
        return Refused("oversize", f"{len(content)} bytes of C2SIM: at most {BYTES_MAX}")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as wrong:
        return Refused("syntax", f"this is no XML: {str(wrong)[:200]}")
    body = next(root.iter("{*}OrderBody"), None)
    if body is None:
        return Refused("order", "there is no OrderBody in it: send a C2SIM order")
    refused = _out_of_scope(body)
    if refused is not None:
        return refused
    tasks = list(body.iter("{*}ManeuverWarfareTask"))
    if len(tasks) > TASKS_MAX:
        return Refused("oversize", f"{len(tasks)} tasks: at most {TASKS_MAX} in one order")
    try:
        read = tuple(_task(each, place) for place, each in enumerate(tasks, 1))
        number = (_text(body, "OrderID") or "")[:36]
    except ValueError as wrong:
        return Refused("order", f"the order cannot be read: {str(wrong)[:200]}")
    return Order(
        kind="OPORD",
        title=f"C2SIM order {number}".strip(),
        number=number,
        issuing_hq=(_text(body, "FromSender") or "")[:200],
        tasks=read,
        distribution=tuple(dict.fromkeys(task.unit for task in read)),
    )


def _out_of_scope(body: etree._Element) -> Refused | None:
    for element in body.iter("{*}*"):
        name = etree.QName(element).localname
        if name in REFUSED_ELEMENTS:
            return Refused("scope", f"it carries {REFUSED_ELEMENTS[name]} ({name}), out of scope: send it without")
        text = (element.text or "").strip()
        if name == "DesiredEffectCode" and text != EFFECT:
            return Refused("scope", f"desired effect {text[:60]} is out of scope: only {EFFECT} is taken")
        if name == "TaskActionCode":
            refused = refuse_verb(text)
            if refused is not None:
                return refused
    return None


def _task(element: etree._Element, place: int) -> OrderTask:
    lat, lon = (_text(element, name) for name in ("Latitude", "Longitude"))
    unit = _text(element, "PerformingEntity")
    if not unit:
        raise ValueError(f"task {place} has no PerformingEntity")
    return OrderTask(
        id=f"T{place}",
        unit=unit[:120],
        verb=_text(element, "TaskActionCode") or "",
        text=(_text(element, "Name") or "")[:200],
        start_ms=_time(element, "StartTime"),
        end_ms=_time(element, "EndTime"),
        place=None if lat is None or lon is None else Place(float(lat), float(lon)),
    )


def _time(element: etree._Element, name: str) -> int | None:
    found = element.find(f"{{*}}{name}")
    text = None if found is None else _text(found, "IsoDateTime")
    return None if text is None else int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def _text(element: etree._Element, name: str) -> str | None:
    found = next(element.iter(f"{{*}}{name}"), None)
    return None if found is None or found.text is None else found.text.strip()


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, _name(name))
    element.text = text
    return element
