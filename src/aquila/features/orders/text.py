"""An order as plain text: whole, in the five paragraphs of FM 5-0, and the extract that concerns one addressee."""

from collections.abc import Iterator, Mapping

import msgspec

from aquila.core.task_verbs import GUARDED, GUARDED_VERBS, VERBS
from aquila.features.orders.in_force import readable
from aquila.features.orders.order import Order, OrderTask, OrderWatch, date_time_group

EXTRACT_MAX = 1800
"""Characters of an extract: a chat line that phones take whole."""

Section = tuple[str, tuple[tuple[str, str], ...]]
"""A paragraph: its heading, and (name, text) of what it says; a name may be empty."""


def named(order: Order, names: Mapping[str, str]) -> Order:
    """The order with the names of units where it has their ids: an order is read by people.

    Args:
        order: may be a FRAGO; what its changes hold is named as well.
        names: id of the ORBAT -> name; whoever is not in it stays as he is written.
    """

    def said(part: object) -> object:
        if isinstance(part, str):
            return names.get(part, part)
        if isinstance(part, (list, tuple)):
            return [said(each) for each in part]
        if isinstance(part, dict):
            return {key: said(value) for key, value in part.items()}
        return part

    return msgspec.convert(said(msgspec.to_builtins(order)), Order)


def with_base_named(frago: Order, base: Order | None, version: int) -> Order:
    """A FRAGO with the order that it changes among its references by its title and version: nobody reads an id.

    base: None = the reader may not see it, or it is no FRAGO; then nothing is added.
    """
    if base is None or frago.kind != "FRAGO":
        return frago
    title = f"{base.kind} {base.number} {base.title}".replace("  ", " ")
    others = tuple(each for each in frago.references if each != title)
    return msgspec.structs.replace(frago, references=(f"{title}, version {version}"[:500], *others)[:100])


def sections_of(order: Order) -> Iterator[Section]:
    """The order's paragraphs with whatever they say; the same for text, document and page."""
    yield f"{order.kind} {order.number} {order.title}".strip(), tuple(_heading(order))
    if order.kind == "FRAGO":
        yield "Changes", tuple(("", readable(change)) for change in order.changes)
        yield "All other paragraphs", (("", "no change"),)
        return
    yield (
        "Task organisation",
        tuple(
            (each.unit, f"{each.relation} {each.under or ''} from {date_time_group(each.from_ms)}")
            for each in order.task_organisation
        ),
    )
    yield "1. Situation", tuple(_said(order.situation))
    yield "2. Mission", tuple(_said(order.mission))
    yield "3. Execution", (*_said(order.execution), *_phases(order), *((task.id, _task(task)) for task in order.tasks))
    yield "4. Sustainment", tuple(_said(order.sustainment))
    yield "5. Command and signal", tuple(_said(order.command_signal))
    if order.kind == "WARNO":
        yield "Warning", tuple(_said(order.warning))
    yield "Overlay", tuple((each.id, f"{each.shape} {each.name}") for each in order.graphics)
    yield "Annexes", tuple((each.letter, f"{each.title}. {each.text}".strip()) for each in order.annexes)
    yield "Distribution", tuple(("", name) for name in order.distribution)


def _heading(order: Order) -> Iterator[tuple[str, str]]:
    for name in ("issuing_hq", "place", "time_zone", "code_name"):
        value = getattr(order, name)
        if value:
            yield name.replace("_", " "), value
    for each in order.references:
        yield "reference", each
    if order.effective_ms is not None:
        yield "effective", date_time_group(order.effective_ms)


def _said(part: msgspec.Struct) -> Iterator[tuple[str, str]]:
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if value:
            is_time = name.endswith("_ms")
            text = date_time_group(value) if is_time else value if isinstance(value, str) else "; ".join(value)
            yield name.removesuffix("_ms").replace("_", " "), text


def _phases(order: Order) -> Iterator[tuple[str, str]]:
    for phase in order.phases:
        span = f"{date_time_group(phase.start_ms)} to {date_time_group(phase.end_ms)}"
        yield f"phase {phase.name}", f"{span}. {phase.text}".strip()


def _task(task: OrderTask) -> str:
    span = f"{date_time_group(task.start_ms)} to {date_time_group(task.end_ms)}"
    what = f"{task.unit}: {VERBS.get(task.verb, task.verb)}"
    remark = f" ({GUARDED})" if task.verb in GUARDED_VERBS else ""
    purpose = f" in order to {task.purpose}" if task.purpose else ""
    watched = f" Watched: {', '.join(_watch(each, task) for each in task.watch)}." if task.watch else ""
    return f"{what}{remark}, {span}{purpose}. {task.text}{watched}".strip()


def _watch(watch: OrderWatch, task: OrderTask) -> str:
    words = {
        "reach": f"reach {task.area}",
        "stay_out": f"stay out of {task.area}",
        "observe": f"observe {task.area} for {watch.minutes} min",
        "report": f"report every {watch.minutes} min",
        "keep_within": f"keep within {watch.within_m or 0:.0f} m of {watch.entity}",
    }
    return words[watch.kind]


def to_text(order: Order) -> str:
    """The whole order; empty paragraphs say so, because a missing one would be asked for."""
    lines = []
    for heading, said in sections_of(order):
        lines.append(heading.upper())
        lines += [f"  {name}: {text}" if name else f"  {text}" for name, text in said] or ["  nothing"]
        lines.append("")
    return "\n".join(lines)


def extract_of(order: Order, names: set[str]) -> str:
    """What concerns an addressee: mission, its own tasks, and that an answer is asked for; at most EXTRACT_MAX."""
    lines = [f"{order.kind} {order.number} {order.title}".strip()]
    if order.kind == "FRAGO":
        lines += [readable(change) for change in order.changes]
    if order.mission.what:
        lines.append(f"Mission: {order.mission.what}")
    lines += [f"{task.id} {_task(task)}" for task in order.tasks if task.unit in names]
    if order.kind == "WARNO" and order.warning.earliest_move_ms is not None:
        lines.append(f"Earliest move: {date_time_group(order.warning.earliest_move_ms)}")
    text, end = "\n".join(lines), "\nAnswer: acknowledge, wilco or cannot comply."
    room = EXTRACT_MAX - len(end)
    return (text if len(text) <= room else text[: room - 25] + "... (whole order at HQ)") + end
