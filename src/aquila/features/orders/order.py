"""Order: operation order, warning order and fragmentary order as staff write them.

Fields after FM 5-0 Appendix E and FM 6-0 (five paragraphs) and FM 3-19.4 Appendix D (warning order); the scheme of
fires and its annexes are left out by scope. A fragmentary order is a list of changes to the order that it names.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.paper_work import Id, Line, Place, Text, Time
from aquila.core.task_verbs import refuse_verb

Kind = Literal["OPORD", "WARNO", "FRAGO"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Key = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""Names a phase or a task inside its order."""
Lines = Annotated[tuple[Line, ...], msgspec.Meta(max_length=100)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=10_080)]
Metres = Annotated[float, msgspec.Meta(gt=0, le=2_000_000)]
Lat = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Lon = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Color = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$")]
ADDRESSEES_MAX = 200
TASKS_MAX = 500
POINTS: dict[str, tuple[int, int]] = {
    "line": (2, 500),
    "polygon": (3, 500),
    "circle": (1, 1),
    "route": (2, 500),
    "point": (1, 1),
}
"""How many points a graphic of a shape has."""
WATCHES: dict[str, tuple[str, ...]] = {
    "reach": (),
    "stay_out": (),
    "observe": ("minutes",),
    "report": ("minutes",),
    "keep_within": ("within_m", "entity"),
}
"""Fields that a watch of this kind must have; the first three look at the task's area."""
IN_AREA = ("reach", "stay_out", "observe")


class OrderPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What all parts of an order have in common: known fields only, empty ones left out."""


class OrderAttachment(OrderPart, frozen=True, kw_only=True):
    """A unit under another for this order. from_ms: None = with the order."""

    unit: Name
    under: Name | None = None
    relation: Literal["ORGANIC", "OPCOM", "OPCON", "TACOM", "TACON", "ADCON", "SUPPORT", "LIAISON"] = "OPCON"
    from_ms: Time | None = None


class OrderSituation(OrderPart, frozen=True, kw_only=True):
    """Paragraph 1."""

    area_of_interest: Text = ""
    area_of_operations: Text = ""
    terrain: Text = ""
    weather: Text = ""
    threat: Text = ""
    higher: Text = ""
    adjacent: Text = ""
    other_organisations: Text = ""
    civil: Text = ""
    attachments: Text = ""
    assumptions: Text = ""


class OrderMission(OrderPart, frozen=True, kw_only=True):
    """Paragraph 2."""

    who: Line = ""
    what: Text = ""
    when: Line = ""
    where: Line = ""
    why: Text = ""


class OrderExecution(OrderPart, frozen=True, kw_only=True):
    """Paragraph 3 without its phases and tasks."""

    purpose: Text = ""
    key_tasks: Text = ""
    end_state: Text = ""
    concept: Text = ""
    movement: Text = ""
    surveillance: Text = ""
    protection: Text = ""
    civil: Text = ""
    assessment: Text = ""
    timeline: Text = ""
    information_requirements: Text = ""
    airspace: Text = ""
    risk: Text = ""
    personnel_recovery: Text = ""
    environment: Text = ""
    other: Text = ""


class OrderSustainment(OrderPart, frozen=True, kw_only=True):
    """Paragraph 4."""

    logistics: Text = ""
    personnel: Text = ""
    health: Text = ""


class CommandSignal(OrderPart, frozen=True, kw_only=True):
    """Paragraph 5. pace: primary, alternate, contingency and emergency means."""

    command: Text = ""
    succession: Text = ""
    liaison: Text = ""
    posts: Text = ""
    reports: Text = ""
    pace: Lines = ()
    nets: Lines = ()


class WarningPart(OrderPart, frozen=True, kw_only=True):
    """What a warning order adds: how early to move, what to prepare, when and where the order follows."""

    earliest_move_ms: Time | None = None
    preparation: Text = ""
    rehearsals: Text = ""
    order_at_ms: Time | None = None
    order_place: Line = ""
    special: Text = ""


class OrderPhase(OrderPart, frozen=True, kw_only=True):
    """One phase. Times None = on order."""

    id: Key
    name: Name
    start_ms: Time | None = None
    end_ms: Time | None = None
    text: Text = ""


class OrderWatch(OrderPart, frozen=True, kw_only=True):
    """What the node is to check of a task. minutes: to observe, or between reports; entity: who is escorted."""

    kind: Literal["reach", "stay_out", "observe", "report", "keep_within"]
    minutes: Minutes | None = None
    within_m: Metres | None = None
    entity: Line = ""


class OrderGraphic(OrderPart, frozen=True, kw_only=True):
    """A drawing of the overlay as it was when this version was written: later changes of the drawing are not in it.

    Attributes:
        id: names it inside the order. drawing: the entity that it was taken from; None = made for the order.
        points: (lat_deg, lon_deg); a circle has one, and `radius_m`.
    """

    id: Key
    name: Name
    shape: Literal["line", "polygon", "circle", "route", "point"]
    points: Annotated[tuple[tuple[Lat, Lon], ...], msgspec.Meta(min_length=1, max_length=500)]
    radius_m: Metres | None = None
    sidc: Annotated[str, msgspec.Meta(pattern="^[0-9]{20}$")] | None = None
    stroke: Color | None = None
    drawing: Id | None = None


class OrderTask(OrderPart, frozen=True, kw_only=True):
    """One task of the order.

    Attributes:
        unit: id of the ORBAT, or a callsign. area: a graphic of the overlay by its id, or a drawing; place: as a point.
        watch: what the node checks while the task runs.
    """

    id: Key
    unit: Name
    verb: Name
    text: Text = ""
    purpose: Text = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=9)] = 5
    phase: Key | None = None
    start_ms: Time | None = None
    end_ms: Time | None = None
    area: Id | None = None
    place: Place | None = None
    success: Text = ""
    watch: Annotated[tuple[OrderWatch, ...], msgspec.Meta(max_length=5)] = ()


class OrderAnnex(OrderPart, frozen=True, kw_only=True):
    """An annex: its text, a kept file (sha256) or drawings."""

    letter: Annotated[str, msgspec.Meta(pattern="^[A-Z]{1,2}$")]
    title: Name
    text: Text = ""
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    drawings: Lines = ()


class OrderChange(OrderPart, frozen=True, kw_only=True):
    """One change to the order in force. path: "mission.when", "tasks.T2.end_ms"; old None = added, new None = gone."""

    path: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){0,3}$", max_length=160)]
    old: Any = None
    new: Any = None


class Order(OrderPart, frozen=True, kw_only=True):
    """One order. None, "" and () = not said.

    Attributes:
        overlay: layers that the graphics were taken from. graphics: the overlay itself, bound to this version.
        distribution: addressees: ids of units of the ORBAT, or callsigns.
        order_ref: FRAGO only: the order that it changes, from `effective_ms` on (None = when issued).
        remind_after_min: a silent addressee is reminded then; escalate_after_min: and `escalate_to` is told.
    """

    kind: Kind
    title: Name
    number: Line = ""
    issuing_hq: Line = ""
    place: Line = ""
    time_zone: Line = ""
    code_name: Line = ""
    references: Lines = ()
    task_organisation: Annotated[tuple[OrderAttachment, ...], msgspec.Meta(max_length=500)] = ()
    situation: OrderSituation = OrderSituation()
    mission: OrderMission = OrderMission()
    execution: OrderExecution = OrderExecution()
    phases: Annotated[tuple[OrderPhase, ...], msgspec.Meta(max_length=50)] = ()
    tasks: Annotated[tuple[OrderTask, ...], msgspec.Meta(max_length=TASKS_MAX)] = ()
    sustainment: OrderSustainment = OrderSustainment()
    command_signal: CommandSignal = CommandSignal()
    warning: WarningPart = WarningPart()
    annexes: Annotated[tuple[OrderAnnex, ...], msgspec.Meta(max_length=26)] = ()
    overlay: Lines = ()
    graphics: Annotated[tuple[OrderGraphic, ...], msgspec.Meta(max_length=100)] = ()
    distribution: Annotated[tuple[Name, ...], msgspec.Meta(max_length=ADDRESSEES_MAX)] = ()
    order_ref: Id | None = None
    changes: Annotated[tuple[OrderChange, ...], msgspec.Meta(max_length=200)] = ()
    effective_ms: Time | None = None
    remind_after_min: Minutes = 15
    escalate_after_min: Minutes = 30
    escalate_to: Line = "duty_officer"


MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def date_time_group(at_ms: int) -> str:
    """251400ZNOV26."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{at:%d%H%M}Z{MONTHS[at.month - 1]}{at:%y}"


def read_order(fields: Mapping[str, Any]) -> Order:
    """The order that these fields make; others are passed over. Raises ValueError for what is none."""
    known = {name: value for name, value in fields.items() if name in Order.__struct_fields__}
    return msgspec.convert(known, Order)


def wrong_in(order: Order) -> Refused | None:
    """What makes the order impossible, as a sentence; None = nothing."""
    for task in order.tasks:
        refused = refuse_verb(task.verb)
        if refused is not None:
            return Refused(refused.reason, f"task {task.id}: {refused.detail}"[:900])
    spans: tuple[OrderPhase | OrderTask, ...] = (*order.phases, *order.tasks)
    for each in spans:
        if each.start_ms is not None and each.end_ms is not None and each.end_ms <= each.start_ms:
            return Refused("time", f"{each.id} ends at {each.end_ms} ms, not after its start: name a later end")
    named = (("tasks", order.tasks), ("phases", order.phases), ("graphics", order.graphics))
    for what, ids in ((what, [each.id for each in parts]) for what, parts in named):
        double = sorted({id for id in ids if ids.count(id) > 1})
        if double:
            return Refused("double", f"{what} {', '.join(double)[:200]} stand twice: give each its own id")
    unknown = sorted({task.phase for task in order.tasks if task.phase} - {phase.id for phase in order.phases})
    if unknown and order.kind != "FRAGO":
        return Refused("phase", f"there is no phase {', '.join(unknown)[:200]}: add it, or leave it out of the task")
    refused = _wrong_drawn(order)
    if refused is not None:
        return refused
    if order.escalate_after_min <= order.remind_after_min:
        return Refused("time", "escalate_after_min must be more than remind_after_min: remind first, then escalate")
    if order.kind == "FRAGO" and order.order_ref is None:
        return Refused("order", "a FRAGO changes an order: name it in order_ref")
    if order.kind != "FRAGO" and order.changes:
        return Refused("order", "only a FRAGO has changes: edit the paragraphs instead")
    return None


def _wrong_drawn(order: Order) -> Refused | None:
    """What is wrong with the overlay, or with what tasks are watched by."""
    for graphic in order.graphics:
        least, most = POINTS[graphic.shape]
        if not least <= len(graphic.points) <= most:
            return Refused("points", f"{graphic.id}: a {graphic.shape} has {least} to {most} points: draw it again")
        if (graphic.shape == "circle") != (graphic.radius_m is not None):
            return Refused("radius", f"{graphic.id}: radius_m belongs to a circle, and a circle needs it")
    areas = {each.id for each in order.graphics if each.shape in ("polygon", "circle")}
    for task in order.tasks:
        for watch in task.watch:
            missing = [name for name in WATCHES[watch.kind] if not getattr(watch, name)]
            if watch.kind == "reach" and task.end_ms is None:
                missing.append("end_ms")
            if watch.kind in IN_AREA and task.area not in areas:
                missing.append("area")
            if missing:
                drawn = ", ".join(sorted(areas))[:200] or "none"
                return Refused(
                    "watch",
                    f"task {task.id}: to watch {watch.kind}, add {', '.join(missing)}; areas of the overlay: {drawn}",
                )
    return None
