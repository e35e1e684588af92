"""Named layers: what people call each, where it stands among the others, and its marking. Each change is one act.

A drawing carries the id of its layer: the name that it was first drawn under. A layer needs no act to be there; one
that was renamed is still found by its first name. See ADR 16.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from aquila.core.codec import Marking
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, check_text
from aquila.core.model import Arrival, Context, Entry, Label, Paper, Principal, Stamp, Verdict
from aquila.core.policy import derive, label_for
from aquila.core.view import view_of

LAYER_PAPER = "picture.layer"
LAYERS_MAX = 5_000
"""Layers with an act about them, of one node."""
NAME_LETTERS_MAX = 100
FIELDS = ("name", "order", "label")

LayerName = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LETTERS_MAX)]


class SetLayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed of a layer; what is left out stays.

    Attributes:
        id: as its drawings have it in `fields.layer`.
        name: what it is called from now on.
        order: its place: layers lie in each other's order of these texts, letter by letter, the least on top. A place
            between two others is a text between theirs; without one a layer stands by its name.
        classification, caveats, releasable_to: the marking of what is drawn on it next; none of them = it stays.
    """

    id: LayerName
    name: LayerName | None = None
    order: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{0,1000}[1-9a-f]$")] | None = None
    classification: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    caveats: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(max_length=20)] = ()
    releasable_to: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(max_length=100)] = ()

    def __post_init__(self) -> None:
        check_text("id", self.id)
        check_text("name", self.name)
        if self.name is None and self.order is None and self.classification is None:
            raise ValueError("name, order or classification: say at least one of them")


class LayerSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The layer, and the entry that changed it."""

    id: str
    entry: str


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A layer about which something was said.

    Attributes:
        name: what it is called now. order: None = by its name.
        label: of what is drawn on it next; None = what the drawer's statements get.
        set_by: who said the last of this; set_at_ms: when, UTC ms.
    """

    id: str
    name: str
    order: str | None
    label: Label | None
    set_by: str
    set_at_ms: int


class AskLayers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them."""


class _Said(msgspec.Struct, frozen=True, array_like=True):
    """The newest word of one marking about one field."""

    stamp: Stamp
    field: str
    value: Any
    author: str
    at_ms: int
    label: Label


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[tuple[Context, str, list[_Said]]])
May = Callable[[Label, Context], bool]


class Layers:
    """The view of layers. Of each field the greatest stamp wins, among what the reader may have."""

    name = "layers"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._said: dict[tuple[Context, str], list[_Said]] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Paper) or arrival.body.type != LAYER_PAPER:
            return
        envelope, paper = arrival.envelope, arrival.body
        kept = self._said.setdefault((envelope.context, paper.target), [])
        for field in FIELDS:
            value = paper.fields.get(field)
            if value is None or not _is_sound(field, value):
                continue
            said = _Said(envelope.stamp, field, value, envelope.author, paper.happened_at_ms, envelope.label)
            old = next((each for each in kept if each.field == field and each.label == said.label), None)
            if old is None or old.stamp < said.stamp:
                # A new list: queries read the old one beside the loop.
                kept = [*(each for each in kept if each is not old), said]
        self._said[envelope.context, paper.target] = kept

    def snapshot(self) -> bytes:
        """See View."""
        rows = [
            (context, id, sorted(said, key=lambda each: (each.stamp, each.field)))
            for (context, id), said in sorted(self._said.items())
        ]
        return _encoder.encode(rows)

    def restore(self, data: bytes) -> None:
        """See View."""
        self._said = {(context, id): said for context, id, said in _decoder.decode(data)}

    def __len__(self) -> int:
        return len(self._said)

    def row(self, context: Context, id: str, may: May) -> LayerRow | None:
        """What a reader may have of a layer; None = nothing was said of it that he may have."""
        found: dict[str, _Said] = {}
        for each in self._said.get((context, id), ()):
            if may(each.label, context) and (each.field not in found or each.stamp > found[each.field].stamp):
                found[each.field] = each
        if not found:
            return None
        last = max(found.values(), key=lambda each: each.stamp)
        values = {field: said.value for field, said in found.items()}
        return LayerRow(
            id=id,
            name=values.get("name", id),
            order=values.get("order"),
            label=msgspec.convert(values["label"], Label) if "label" in values else None,
            set_by=last.author,
            set_at_ms=last.at_ms,
        )

    def label_of(self, context: Context, id: str, may: May) -> Label | None:
        """The marking of the newest act that the reader may have about the marking of a layer; None = there is none."""
        said = [
            each for each in self._said.get((context, id), ()) if each.field == "label" and may(each.label, context)
        ]
        return max(said, key=lambda each: each.stamp).label if said else None

    def rows(self, context: Context, may: May) -> Iterator[LayerRow]:
        """All that a reader may have, by their ids."""
        for of, id in sorted(self._said):
            row = self.row(of, id, may) if of == context else None
            if row is not None:
                yield row


def _is_sound(field: str, value: Any) -> bool:
    """Is it what the field holds? Another node may say anything."""
    if field != "label":
        return isinstance(value, str)
    try:
        msgspec.convert(value, Label)
    except msgspec.ValidationError:
        return False
    return True


def layers_of(reading: Reading) -> Layers:
    """The view of this node."""
    return view_of(reading.views, Layers.name, Layers)


def may_of(reading: Reading) -> May:
    """What the asker may have in full."""
    return lambda label, context: reading.release(label, context).verdict is Verdict.FULL


def layer_called(reading: Reading, text: str) -> LayerRow | None:
    """The layer that this is the name of, now or at first, as the asker may have it; None = nothing was said of one."""
    may, layers = may_of(reading), layers_of(reading)
    for row in layers.rows(reading.context, may):
        if row.name == text:
            return row
    return layers.row(reading.context, text, may)


def label_on(principal: Principal, layer: LayerRow | None, reading: Reading) -> Label | Refused | None:
    """The marking of what somebody draws on a layer: his own, and at least that of the layer; None = his own."""
    if layer is None or layer.label is None:
        return None
    own = label_for(reading.policy, principal, None)
    return own if isinstance(own, Refused) else _joined(reading, own, layer.label)


def _joined(reading: Reading, own: Label, *others: Label) -> Label | Refused:
    distinct = dict.fromkeys((own, *others))
    try:
        joined = own if len(distinct) == 1 else derive(reading.policy, distinct)
    except ValueError as wrong:
        return Refused("marking", str(wrong))
    if not joined.groups or not joined.releasable_to:
        return Refused("marking", "nobody could read it: you share no group or nation with the marking of the layer")
    return joined


async def set_layer(principal: Principal, ask: SetLayer, desk: Desk) -> LayerSaid | Refused:
    """Rename a layer, put it elsewhere among the others, or mark it: one line of the journal, whatever lies on it.

    The line is marked at least as the layer is, so that who may not know of the layer does not hear of its name.
    """
    layers, may = layers_of(desk), may_of(desk)
    known = layers.row(desk.context, ask.id, may)
    if known is None and len(layers) >= LAYERS_MAX:
        return Refused("full", f"{LAYERS_MAX} layers were named, ordered or marked, which is all a node keeps")
    if ask.name is not None:
        namesake = layer_called(desk, ask.name)
        if namesake is not None and namesake.id != ask.id:
            return Refused("name", f"{ask.name!r} is or was the name of layer {namesake.name!r}: take another name")
    own = label_for(desk.policy, principal, None)
    marked = None
    if ask.classification is not None:
        marked = label_for(desk.policy, principal, Marking(ask.classification, ask.caveats, ask.releasable_to))
    if isinstance(own, Refused) or isinstance(marked, Refused):
        return own if isinstance(own, Refused) else _refused(marked)
    # Lowering is said under the marking that was: who could not see the layer hears nothing of it either.
    before = None if marked is None else layers.label_of(desk.context, ask.id, may)
    now = None if known is None else known.label
    label = _joined(desk, own, *(each for each in (marked, before, now) if each is not None))
    if isinstance(label, Refused):
        return label
    written = await desk.write(_paper(ask, known, marked, desk.now_ms()), label=label)
    return written if isinstance(written, Refused) else LayerSaid(id=ask.id, entry=written.envelope.id)


def _refused(value: Label | Refused | None) -> Refused:
    assert isinstance(value, Refused)
    return value


def _paper(ask: SetLayer, known: LayerRow | None, marked: Label | None, now_ms: int) -> Paper:
    """The act, with a line for people."""
    called = ask.id if known is None else known.name
    said: Mapping[str, Any] = {
        "name": ask.name,
        "order": ask.order,
        "label": None if marked is None else msgspec.to_builtins(marked),
    }
    words = [
        *([f"called {ask.name}"] if ask.name is not None else []),
        *(["moved"] if ask.order is not None else []),
        *([f"marked {marked.classification}"] if marked is not None else []),
    ]
    return Paper(
        type=LAYER_PAPER,
        target=ask.id,
        action="set",
        happened_at_ms=now_ms,
        fields={name: value for name, value in said.items() if value is not None},
        summary=f"layer {called}: {', '.join(words)}"[:200],
    )


def _layers(principal: Principal, ask: AskLayers, reading: Reading) -> Iterator[Labelled]:
    # Each word was released before it came into its row.
    for row in layers_of(reading).rows(reading.context, may_of(reading)):
        yield Labelled(row, None, reading.context)


layers = Query(
    name="layers",
    path="/layers",
    request=AskLayers,
    row=LayerRow,
    role="viewer",
    answer=_layers,
    summary="Layers that were named, ordered or marked",
)
layer = Command(
    name="set_layer",
    method="POST",
    path="/layers",
    request=SetLayer,
    answer=LayerSaid,
    role="operator",
    act=set_layer,
    summary="Rename a layer of drawings, put it elsewhere among the others, or mark what is drawn on it next",
)
