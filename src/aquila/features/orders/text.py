"""An order as plain text: whole, in the five paragraphs of FM 5-0, and the extract that concerns one addressee."""

from collections.abc import Iterator, Mapping

import msgspec

from aquila.core.task_verbs import GUARDED_VERBS, VERBS, purpose_said
from aquila.core.tongue import Tongue
from aquila.features.orders.in_force import readable, time_said
from aquila.features.orders.order import Order, OrderAttachment, OrderTask, OrderWatch, date_time_group

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


def with_base_named(frago: Order, base: Order | None, version: int, tongue: Tongue) -> Order:
    """A FRAGO with the order that it changes among its references by its title and version: nobody reads an id.

    base: None = the reader may not see it, or it is no FRAGO; then nothing is added.
    """
    if base is None or frago.kind != "FRAGO":
        return frago
    title = f"{base.kind} {base.number} {base.title}".replace("  ", " ")
    others = tuple(each for each in frago.references if each != title)
    named_so = tongue.say("order.says.version", order=title, version=version)[:500]
    return msgspec.structs.replace(frago, references=(named_so, *others)[:100])


def sections_of(order: Order, tongue: Tongue) -> Iterator[Section]:
    """The order's paragraphs with whatever they say; the same for text, document and page.

    tongue: of headings, names of fields and what tasks ask for.
    """

    def heading(name: str) -> str:
        return tongue.say(f"order.heading.{name}")

    yield f"{order.kind} {order.number} {order.title}".strip(), tuple(_heading(order, tongue))
    if order.kind == "FRAGO":
        yield heading("changes"), tuple(("", readable(change, tongue)) for change in order.changes)
        yield heading("rest"), (("", tongue.say("order.says.no_change")),)
        return
    yield heading("organisation"), tuple((each.unit, _attached(each, tongue)) for each in order.task_organisation)
    yield heading("situation"), tuple(_said(order.situation, tongue))
    yield heading("mission"), tuple(_said(order.mission, tongue))
    tasks = ((task.id, _task(task, tongue)) for task in order.tasks)
    yield heading("execution"), (*_said(order.execution, tongue), *_phases(order, tongue), *tasks)
    yield heading("sustainment"), tuple(_said(order.sustainment, tongue))
    yield heading("command_signal"), tuple(_said(order.command_signal, tongue))
    if order.kind == "WARNO":
        yield heading("warning"), tuple(_said(order.warning, tongue))
    drawn = ((each.id, f"{tongue.say(f'order.shape.{each.shape}')} {each.name}") for each in order.graphics)
    yield heading("overlay"), tuple(drawn)
    yield heading("annexes"), tuple((each.letter, f"{each.title}. {each.text}".strip()) for each in order.annexes)
    yield heading("distribution"), tuple(("", name) for name in order.distribution)


def _heading(order: Order, tongue: Tongue) -> Iterator[tuple[str, str]]:
    for name in ("issuing_hq", "place", "time_zone", "code_name"):
        value = getattr(order, name)
        if value:
            yield tongue.say(f"field.{name}"), value
    for each in order.references:
        yield tongue.say("field.reference"), each
    if order.effective_ms is not None:
        yield tongue.say("field.effective"), time_said(order.effective_ms, tongue)


def _attached(each: OrderAttachment, tongue: Tongue) -> str:
    words = {"relation": each.relation} | ({} if each.under is None else {"under": each.under})
    key = "order.says.alone" if each.under is None else "order.says.under"
    if each.from_ms is None:
        return tongue.say(f"{key}_on_order", **words)
    return tongue.say(key, **words, time=time_said(each.from_ms, tongue))


def _said(part: msgspec.Struct, tongue: Tongue) -> Iterator[tuple[str, str]]:
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if value:
            is_time = name.endswith("_ms")
            text = time_said(value, tongue) if is_time else value if isinstance(value, str) else "; ".join(value)
            yield tongue.say(f"field.{name.removesuffix('_ms')}"), text


def _phases(order: Order, tongue: Tongue) -> Iterator[tuple[str, str]]:
    for phase in order.phases:
        name = tongue.say("order.says.phase", name=phase.name)
        yield name, f"{_span(phase.start_ms, phase.end_ms, tongue)}. {phase.text}".strip()


def _span(start_ms: int | None, end_ms: int | None, tongue: Tongue) -> str:
    if start_ms is None and end_ms is None:
        return time_said(None, tongue)
    return tongue.say("order.says.span", start=time_said(start_ms, tongue), end=time_said(end_ms, tongue))


def _task(task: OrderTask, tongue: Tongue) -> str:
    verb = tongue.say(f"verb.{task.verb}") if task.verb in VERBS else task.verb
    if task.verb in GUARDED_VERBS:
        verb = tongue.say("order.says.guarded", verb=verb)
    words = {"unit": task.unit, "verb": verb, "span": _span(task.start_ms, task.end_ms, tongue)}
    if task.purpose:
        asked = tongue.say("order.says.task_purpose", **words, purpose=purpose_said(task.purpose))
    else:
        asked = tongue.say("order.says.task", **words)
    watched = [_watch(each, task, tongue) for each in task.watch]
    return " ".join(filter(None, (asked, task.text, tongue.say("order.says.watched", what=watched) if watched else "")))


def _watch(watch: OrderWatch, task: OrderTask, tongue: Tongue) -> str:
    words = {"minutes": watch.minutes, "within": f"{watch.within_m or 0:.0f}", "entity": watch.entity}
    return tongue.say(f"order.watch.{watch.kind}", area=task.area, **words)


def headed(name: str, tongue: Tongue) -> str:
    """The name of a paragraph as it stands before its text: a colon, as the language sets it."""
    return tongue.say("print.field", name=name, value="")


def to_text(order: Order, tongue: Tongue) -> str:
    """The whole order; empty paragraphs say so, because a missing one would be asked for."""
    lines: list[str] = []
    nothing = f"  {tongue.say('order.says.nothing')}"
    for heading, said in sections_of(order, tongue):
        lines.append(heading.upper())
        lines += [f"  {headed(name, tongue)}{text}" if name else f"  {text}" for name, text in said] or [nothing]
        lines.append("")
    return "\n".join(lines)


def extract_of(order: Order, names: set[str]) -> str:
    """What concerns an addressee: mission, its own tasks, and that an answer is asked for; at most EXTRACT_MAX.

    English, since a phone names no language.
    """
    tongue = Tongue("en")
    lines = [f"{order.kind} {order.number} {order.title}".strip()]
    if order.kind == "FRAGO":
        lines += [readable(change, tongue) for change in order.changes]
    if order.mission.what:
        lines.append(f"Mission: {order.mission.what}")
    lines += [f"{task.id} {_task(task, tongue)}" for task in order.tasks if task.unit in names]
    if order.kind == "WARNO" and order.warning.earliest_move_ms is not None:
        lines.append(f"Earliest move: {date_time_group(order.warning.earliest_move_ms)}")
    text, end = "\n".join(lines), "\nAnswer: acknowledge, wilco or cannot comply."
    room = EXTRACT_MAX - len(end)
    return (text if len(text) <= room else text[: room - 25] + "... (whole order at HQ)") + end
